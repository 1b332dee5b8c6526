package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/lambdaruntime"
	"cinema-database/app/internal/s3test"
	"cinema-database/app/internal/testimage"
)

// TestBinary invokes the built binary through Lambda's runtime API: it makes a thumbnail of an image; text is an error.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	binary := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-tags=lambda.norpc", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	storage := s3test.Start(t, "images")
	put := func(key string, data []byte) {
		_, err := storage.Objects.PutObject("images", key, nil, bytes.NewReader(data), int64(len(data)), nil)
		require.NoError(t, err)
	}
	put("orig/good.jpg", testimage.JPEG(900, 600))
	put("orig/text.jpg", []byte("hello"))

	function, err := lambdaruntime.Start(t.Context(), binary, "AWS_ENDPOINT_URL_S3="+storage.URL)
	require.NoError(t, err)
	defer function.Close()
	event := func(key string) []byte {
		return []byte(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"images"},"object":{"key":"` + key + `"}}}]}`)
	}
	answer, err := function.Invoke(t.Context(), event("orig%2Fgood.jpg"))
	require.NoError(t, err)
	require.False(t, answer.Failed, "%s\n%s", answer.Payload, function.Output())
	object, err := storage.Objects.HeadObject("images", "thumb/good.jpg")
	require.NoError(t, err)
	assert.Equal(t, "image/jpeg", object.Metadata["Content-Type"])

	answer, err = function.Invoke(t.Context(), event("orig/text.jpg"))
	require.NoError(t, err)
	assert.True(t, answer.Failed)
	assert.Contains(t, string(answer.Payload), "not a JPEG, PNG, GIF or WebP image")

	// The process is still running.
	answer, err = function.Invoke(t.Context(), event("thumb/good.jpg"))
	require.NoError(t, err)
	assert.False(t, answer.Failed)
}
