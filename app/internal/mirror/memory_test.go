package mirror

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/s3test"
	"cinema-database/internal/testutil/must"
)

const (
	packageSize = 200 << 20
	memoryLimit = 128 << 20
	childJob    = "MIRROR_TEST_CHILD"
)

// childInput is the test's input for the process that copies.
type childInput struct {
	Request     contract.MirrorRequest
	S3URL       string
	Certificate []byte // DER
}

// generate writes the same pseudo-random file each time.
func generate(w io.Writer) error {
	_, err := io.CopyN(w, rand.NewChaCha8([32]byte{7}), packageSize)
	return err
}

// TestMemory copies a package of 200 MiB in a separate process, whose peak resident memory stays below 128 MiB.
func TestMemory(t *testing.T) {
	if job := os.Getenv(childJob); job != "" {
		copyAsChild(t, job)
		return
	}
	if testing.Short() {
		t.Skip("copies 200 MiB")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("peak memory is read from /proc")
	}
	digest := sha256.New()
	require.NoError(t, generate(digest))
	want := hex.EncodeToString(digest.Sum(nil))

	publisher := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(packageSize))
		_ = generate(w)
	}))
	defer publisher.Close()
	storage := s3test.Start(t, bucket)

	job, err := json.Marshal(childInput{
		Request:     contract.MirrorRequest{Source: publisher.URL + "/mongodb.tgz", SHA256: want, Bucket: bucket, Key: key},
		S3URL:       storage.URL,
		Certificate: publisher.Certificate().Raw,
	})
	require.NoError(t, err)
	child := exec.Command(os.Args[0], "-test.run=^TestMemory$", "-test.v")
	child.Env = append(os.Environ(), childJob+"="+string(job))
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)

	match := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(out)
	require.NotNil(t, match, "%s", out)
	peak := must.OK(strconv.ParseInt(string(match[1]), 10, 64))(t)
	t.Logf("peak resident memory: %.1f MiB", float64(peak)/1024)
	assert.Less(t, peak<<10, int64(memoryLimit))

	object := must.OK(storage.Objects.HeadObject(bucket, key))(t)
	assert.EqualValues(t, packageSize, object.Size)
	assert.Equal(t, want, object.Metadata["X-Amz-Meta-Sha256"])
}

func copyAsChild(t *testing.T, job string) {
	var in childInput
	require.NoError(t, json.Unmarshal([]byte(job), &in))
	certificate := must.OK(x509.ParseCertificate(in.Certificate))(t)
	source := must.OK(url.Parse(in.Request.Source))(t)
	m := New(s3test.Client(in.S3URL), []string{source.Host}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	m.HTTP.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	require.EqualValues(t, packageSize, must.OK(m.Copy(context.Background(), in.Request))(t).Size)

	fmt.Printf("%s", must.OK(os.ReadFile("/proc/self/status"))(t))
}
