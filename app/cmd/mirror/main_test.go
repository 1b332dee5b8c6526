package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/lambdaruntime"
	"cinema-database/app/internal/s3test"
	"cinema-database/internal/testutil/must"
)

func TestHosts(t *testing.T) {
	assert.Equal(t, []string{"fastdl.mongodb.org"}, hosts(""))
	assert.Equal(t, []string{"fastdl.mongodb.org"}, hosts(" , "))
	assert.Equal(t, []string{"a.test", "b.test:8443"}, hosts("A.test, b.test:8443"))
}

// TestBinary invokes the built binary through Lambda's runtime API: it copies, finds the copy, and refuses a wrong digest.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	binary := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-tags=lambda.norpc", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)

	content := bytes.Repeat([]byte("package "), 2<<20)
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	publisher := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mongodb.tgz.sha256" {
			_, _ = w.Write([]byte(digest + "  mongodb.tgz\n"))
			return
		}
		_, _ = w.Write(content)
	}))
	defer publisher.Close()
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: publisher.Certificate().Raw}), 0o644))
	host := must.OK(url.Parse(publisher.URL))(t)

	storage := s3test.Start(t, "artifacts")
	function, err := lambdaruntime.Start(t.Context(), binary, "AWS_ENDPOINT_URL_S3="+storage.URL, "SSL_CERT_FILE="+certificate, "MIRROR_HOSTS="+host.Host)
	require.NoError(t, err)
	defer function.Close()
	invoke := func(key, sha256 string) lambdaruntime.Answer {
		payload, err := json.Marshal(map[string]string{"source": publisher.URL + "/mongodb.tgz", "sha256": sha256, "bucket": "artifacts", "key": key})
		require.NoError(t, err)
		answer := must.OK(function.Invoke(t.Context(), payload))(t)
		return answer
	}
	for _, copied := range []bool{true, false} {
		answer := invoke("packages/mongodb.tgz", "")
		require.False(t, answer.Failed, "%s", answer.Payload)
		var got contract.MirrorAnswer
		require.NoError(t, json.Unmarshal(answer.Payload, &got))
		assert.Equal(t, contract.MirrorAnswer{Bucket: "artifacts", Key: "packages/mongodb.tgz", SHA256: digest, Size: int64(len(content)), Copied: copied}, got)
	}
	answer := invoke("packages/other.tgz", digest[2:]+"00")
	assert.True(t, answer.Failed)
	assert.Contains(t, string(answer.Payload), "wrong SHA-256")
	_, err = storage.Objects.HeadObject("artifacts", "packages/other.tgz")
	require.Error(t, err)
}
