package images

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMessagesOfTheSDKAreLogged, in the form of all other lines.
func TestMessagesOfTheSDKAreLogged(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Checksum-Crc32", "AAAAAA==-2") // of an upload in two parts: the SDK warns that it cannot check it
		_, _ = w.Write([]byte("image"))
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_S3": server.URL, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_CONFIG_FILE": "/dev/null"} {
		t.Setenv(name, value)
	}
	var log bytes.Buffer
	client, err := NewClient(t.Context(), "us-east-1", true, slog.New(slog.NewJSONHandler(&log, nil)))
	require.NoError(t, err)
	out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("images"), Key: aws.String("x")})
	require.NoError(t, err)
	require.NoError(t, out.Body.Close())
	var line map[string]string
	require.NoError(t, json.Unmarshal(log.Bytes(), &line), log.String())
	assert.Equal(t, []string{"WARN", "AWS SDK"}, []string{line["level"], line["from"]})
	assert.Contains(t, line["msg"], "checksum")
}

// FuzzValidID: an id needs no escaping in a key.
func FuzzValidID(f *testing.F) {
	f.Add(NewID())
	f.Add("../../etc/passwd")
	f.Add(strings.Repeat("a", 26) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		if ValidID(text) && (len(text) != 26 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") != "") {
			t.Fatalf("%q", text)
		}
	})
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		require.True(t, ValidID(id), id)
		require.False(t, seen[id])
		seen[id] = true
	}
}
