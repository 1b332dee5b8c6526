package userdata

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
)

// MaxSize is the most user data that EC2 takes, in bytes, before base64.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
const MaxSize = 16384

// Script is what an instance runs at its first boot.
type Script struct {
	// Text is the bash script, UTF-8.
	Text string
	name string
}

// gzipped is the script as the instance gets it. It has no name and no time in its header, so that the same
// text gives the same bytes. cloud-init unpacks it:
// https://docs.cloud-init.io/en/latest/explanation/format.html
func (s Script) gzipped() []byte {
	var out bytes.Buffer
	// A valid level and a bytes.Buffer leave nothing to fail.
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write([]byte(s.Text))
	_ = w.Close()
	return out.Bytes()
}

// Base64Gzip is the script compressed with gzip, in base64 (RFC 4648, padded): the value for a launch template's
// userData or an instance's userDataBase64. The same script gives the same value.
func (s Script) Base64Gzip() string { return base64.StdEncoding.EncodeToString(s.gzipped()) }

// Size is how many bytes of MaxSize the script takes: compressed, before base64.
func (s Script) Size() int { return len(s.gzipped()) }

// Check refuses a script that EC2 would not take, with both sizes in bytes.
func (s Script) Check() error {
	if size := s.Size(); size > MaxSize {
		return fmt.Errorf("userdata: %s: %d bytes compressed is more than the %d bytes that EC2 takes; "+
			"shorten the script, or fetch from S3 what it carries", s.name, size, MaxSize)
	}
	return nil
}
