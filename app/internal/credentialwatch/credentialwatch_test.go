package credentialwatch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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
