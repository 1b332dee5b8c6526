package credentialwatch

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"

	"cinema-database/app/internal/settings"
)

func TestOpenReportsAllErrorsAndNoSecret(t *testing.T) {
	_, err := Open([]byte(`{"mongodbUri":"postgres://u:hush@db","jwtKey":"aHVzaA=="}`))
	assert.ErrorContains(t, err, "jwtKey")
	assert.ErrorContains(t, err, "MongoDB connection string")
	for _, secret := range []string{"hush", "aHVzaA"} {
		assert.NotContains(t, err.Error(), secret)
	}
	key := strings.Repeat("QUFB", 10) + "QUE=" // 32 bytes
	for _, data := range []string{"", "hush", `{"mongodbUri":1}`, `["hush"]`,
		`{"mongodbUri":"mongodb://u:hush@db/?tls=true","jwtKey":"` + key + `","caCertificate":"hush"}`} {
		_, err := Open([]byte(data))
		assert.Error(t, err, data)
		assert.NotContains(t, err.Error(), "hush")
	}
}

// TestMissingCredentialsAreLoggedOnceAMinute: of the reads every 3 s, each twentieth is logged.
func TestMissingCredentialsAreLoggedOnceAMinute(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if reads++; reads > 40 {
			cancel()
		}
		http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	var log bytes.Buffer
	watcher := &Watcher{
		Client: s3.New(s3.Options{BaseEndpoint: &server.URL, UsePathStyle: true, Region: "us-east-1", Credentials: aws.AnonymousCredentials{}}),
		Object: settings.Object{Bucket: "artifacts", Key: "missing"}, Log: slog.New(slog.NewTextHandler(&log, nil)), MissingInterval: 1,
	}
	watcher.Run(ctx, &Source{})
	assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"), log.String())
	assert.Contains(t, log.String(), "NoSuchKey")
}

// FuzzOpen checks that every accepted object has a key of sufficient length.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"mongodbUri":"mongodb://u:p@db/cinema","jwtKey":"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="}`))
	f.Add([]byte(`{"mongodbUri":"mongodb+srv://","jwtKey":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		// The driver would look up an srv address in the DNS.
		if strings.Contains(strings.ToLower(string(data)), "srv") || strings.Contains(string(data), `\u`) {
			return
		}
		state, err := Open(data)
		if err != nil {
			return
		}
		if len(state.Key) < 32 {
			t.Fatalf("a key of %d bytes", len(state.Key))
		}
		_ = state.Store.Close(t.Context())
	})
}
