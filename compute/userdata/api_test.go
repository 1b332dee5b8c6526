package userdata

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cinema-database/app/contract"
)

const (
	digestA = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	digestB = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
)

func apiParams() APIParams {
	return APIParams{
		Artifacts: "cinema-artifacts-1a2b3c4", Digest: digestA, Credentials: "s3://cinema-artifacts-1a2b3c4/" + contract.CredentialsKey,
		Images: "cinema-images-5d6e7f8", Region: "us-east-1", Port: contract.APIPort, Proxies: 1,
		AllowedOrigins: []string{"https://cinema.example", "http://localhost:3000"},
		Stack:          "dev", LogGroup: "api-logs-0123abc",
	}
}

func TestAPIGolden(t *testing.T) {
	s, err := API(apiParams())
	require.NoError(t, err)
	golden(t, "api.sh", s.Text)
	lint(t, s)
	t.Logf("API: %d bytes, %d compressed", len(s.Text), s.Size())
	assert.LessOrEqual(t, s.Size(), 6<<10, "target of the API's user data, in bytes")
}

// TestAPIOnTheEdgesOrigin: behind the edge, no other origin calls the API, and there are two proxies.
func TestAPIOnTheEdgesOrigin(t *testing.T) {
	p := apiParams()
	p.AllowedOrigins, p.Proxies = nil, contract.MaxProxies
	s, err := API(p)
	require.NoError(t, err)
	assert.NotContains(t, s.Text, contract.EnvAllowedOrigins)
	assert.Contains(t, s.Text, contract.EnvProxies+`="2"`)
}

func TestAPIRefuses(t *testing.T) {
	refuses(t, API, APIParams{Port: 80, Proxies: 3, AllowedOrigins: []string{"https://b.example", "https://a.example/path"}}, []string{
		`userdata: API.Artifacts: "" is not a bucket name; use`,
		`userdata: API.Digest: "" is not a SHA-256 digest; use 64`,
		`userdata: API.Credentials: "" is not the URI of an S3 object; write`,
		`userdata: API.Images: "" is not a bucket name; use`,
		`userdata: API.Region: "" is not a region; use`,
		`userdata: API.Port: 80 is not a port that the API may bind; use`,
		`userdata: API.AllowedOrigins[1]: "https://a.example/path" is not an origin; use`,
		`userdata: API.Proxies: 3 is not the number of proxies before the API; use 1`,
		`userdata: API.Stack: "" is not a stack name; use`,
		`userdata: API.LogGroup: "" is not a log group name; write`,
	}, apiParams, map[string]func(*APIParams){
		"a command in the bucket":  func(p *APIParams) { p.Artifacts = "a$(reboot)b" },
		"a quote in the origin":    func(p *APIParams) { p.AllowedOrigins[0] = "https://a'b" },
		"a command in the origin":  func(p *APIParams) { p.AllowedOrigins[1] = "https://$(reboot) x" },
		"two origins in one":       func(p *APIParams) { p.AllowedOrigins[0] = "https://a.example https://b.example" },
		"no proxy":                 func(p *APIParams) { p.Proxies = 0 },
		"a new line in the region": func(p *APIParams) { p.Region = "us-east-1\nreboot" },
		"a space in the object":    func(p *APIParams) { p.Credentials = "s3://bucket/a b" },
		"upper case in the digest": func(p *APIParams) { p.Digest = strings.ToUpper(p.Digest) },
	})
}

func TestAPILongest(t *testing.T) {
	longest, err := API(APIParams{Port: contract.APIPort, Proxies: 1}.Longest())
	require.NoError(t, err)
	again, err := API(APIParams{Port: contract.APIPort, Proxies: 1}.Longest())
	require.NoError(t, err)
	assert.Equal(t, longest.Base64Gzip(), again.Base64Gzip())
	assert.Equal(t, apiParams(), apiParams().Longest(), "known values are kept")
	t.Logf("API at its longest: %d bytes, %d compressed", len(longest.Text), longest.Size())
	rapid.Check(t, func(t *rapid.T) {
		draw := func(pattern, name string) string { return rapid.StringMatching(pattern).Draw(t, name) }
		s, err := API(APIParams{
			Artifacts: draw(`[a-z0-9]{3,63}`, "artifacts"), Images: draw(`[a-z0-9]{3,63}`, "images"), Digest: draw(`[0-9a-f]{64}`, "digest"),
			Region:      rapid.SampledFrom([]string{"us-east-1", "ap-northeast-1", "us-gov-west-1"}).Draw(t, "region"),
			Credentials: "s3://" + draw(`[a-z0-9]{3,63}`, "b") + "/" + contract.CredentialsKey,
			Port:        contract.APIPort, Proxies: 1, Stack: draw(`[a-z]{1,20}`, "stack"), LogGroup: draw(`[a-z0-9-]{1,60}`, "log group"),
		})
		require.NoError(t, err)
		require.LessOrEqual(t, s.Size(), longest.Size(), "bytes")
	})
}
