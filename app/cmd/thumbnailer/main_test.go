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
	"cinema-database/internal/testutil/must"
)

// TestBinary invokes the built binary through Lambda's runtime API: it makes a thumbnail of an image; text has an
// error object; what is no event is an error of the function.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	binary := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-tags=lambda.norpc", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	storage := s3test.Start(t, "images")
	put := func(key string, data []byte) {
		must.OK(storage.Objects.PutObject("images", key, nil, bytes.NewReader(data), int64(len(data)), nil))(t)
	}
	put("orig/good.jpg", testimage.JPEG(900, 600))
	put("orig/text.jpg", []byte("hello"))

	function := must.OK(lambdaruntime.Start(t.Context(), binary, "AWS_ENDPOINT_URL_S3="+storage.URL))(t)
	defer function.Close()
	event := func(key string) []byte {
		return []byte(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"images"},"object":{"key":"` + key + `"}}}]}`)
	}
	answer := must.OK(function.Invoke(t.Context(), event("orig%2Fgood.jpg")))(t)
	require.False(t, answer.Failed, "%s\n%s", answer.Payload, function.Output())
	object := must.OK(storage.Objects.HeadObject("images", "thumb/good.jpg"))(t)
	assert.Equal(t, "image/jpeg", object.Metadata["Content-Type"])

	answer = must.OK(function.Invoke(t.Context(), event("orig/text.jpg")))(t)
	assert.False(t, answer.Failed, "no failure of the function")
	object = must.OK(storage.Objects.HeadObject("images", "thumb/text.error"))(t)
	assert.Equal(t, "application/json", object.Metadata["Content-Type"])

	answer = must.OK(function.Invoke(t.Context(), []byte(`{"Records":{}}`)))(t)
	assert.True(t, answer.Failed)
	assert.Contains(t, string(answer.Payload), "thumbnailer: event")

	// The process is still running.
	answer = must.OK(function.Invoke(t.Context(), event("thumb/good.jpg")))(t)
	assert.False(t, answer.Failed)
}
