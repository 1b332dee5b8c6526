package userdata

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
)

// MaxSize is EC2's limit for user data, in bytes, before base64.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
const MaxSize = 16384

// Script is a script that an instance runs at its first boot.
type Script struct {
	// Text is the bash script, UTF-8.
	Text string
	name string
}

// gzipped returns the script as the instance receives it. The header has no name and no time, so that the same text
// results in the same bytes. cloud-init decompresses it:
// https://docs.cloud-init.io/en/latest/explanation/format.html
func (s Script) gzipped() []byte {
	var out bytes.Buffer
	// The level is valid, and a bytes.Buffer returns no errors.
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write([]byte(s.Text))
	_ = w.Close()
	return out.Bytes()
}

// Base64Gzip returns the script compressed with gzip, in base64 (RFC 4648, padded): the value for a launch template's
// userData or an instance's userDataBase64. The same script always has the same value.
func (s Script) Base64Gzip() string { return base64.StdEncoding.EncodeToString(s.gzipped()) }

// Size is the part of MaxSize that the script needs, in bytes: compressed, before base64.
func (s Script) Size() int { return len(s.gzipped()) }

// Check returns an error with both sizes for a script that is too large for EC2.
func (s Script) Check() error {
	if size := s.Size(); size > MaxSize {
		return fmt.Errorf("userdata: %s: %d bytes compressed is more than the %d bytes that EC2 accepts; "+
			"shorten the script, or move a part of it to S3", s.name, size, MaxSize)
	}
	return nil
}
