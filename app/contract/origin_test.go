package contract

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIsOrigin(t *testing.T) {
	for _, value := range []string{
		"https://cinema.example", "http://localhost", "http://localhost:3000", "https://192.0.2.1:8443", "https://[2001:db8::1]",
		"http://[::1]:8081", "https://xn--kino-pna.example:65535", "http://cinema.example:443",
	} {
		assert.True(t, IsOrigin(value), value)
	}
	for _, value := range []string{
		"", "*", "null", "cinema.example", "//cinema.example", "ftp://cinema.example", "https://", "https://cinema.example/",
		"https://cinema.example/path", "https://cinema.example?", "https://cinema.example#", "https://user@cinema.example",
		"https://Cinema.example", "HTTPS://cinema.example", "https://kinö.example", "https://cinema.example:443", "http://cinema.example:80",
		"https://cinema.example:0", "https://cinema.example:65536", "https://cinema.example:", "https://cinema.example:08443",
		"https://a b", "https://a\nb", "https://a'b", `https://a"b`, "https://$(reboot)", "https://*.cinema.example", " https://cinema.example",
		"https://-cinema.example", "https://cinema.example\n",
	} {
		assert.False(t, IsOrigin(value), "%q", value)
	}
}
