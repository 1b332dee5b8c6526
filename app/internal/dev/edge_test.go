package dev_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/client"
	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/dev"
	"cinema-database/internal/testutil/must"
)

type answer struct {
	*http.Response
	body string
}

func do(t *testing.T, method, url string, header http.Header) answer {
	t.Helper()
	request := must.OK(http.NewRequestWithContext(t.Context(), method, url, nil))(t)
	if header != nil {
		request.Header = header
	}
	response := must.OK(http.DefaultClient.Do(request))(t)
	defer response.Body.Close()
	body := must.OK(io.ReadAll(response.Body))(t)
	return answer{response, string(body)}
}

// raw sends a request with exactly this target, which http.Client would clean.
func raw(t *testing.T, s *dev.Server, target string) string {
	t.Helper()
	conn := must.OK(net.Dial("tcp", strings.TrimPrefix(s.URL, "http://")))(t)
	defer conn.Close()
	must.OK(fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: x\r\n\r\n", target))(t)
	status, _, _ := strings.Cut(string(must.OK(io.ReadAll(conn))(t)), "\r\n")
	return status
}

func TestEdgePaths(t *testing.T) {
	s := start(t, "")
	for _, f := range client.Pages() {
		a := do(t, "GET", s.URL+"/"+f.Key, nil)
		require.Equal(t, 200, a.StatusCode, f.Key)
		assert.Equal(t, f.Content, a.body, f.Key)
		assert.Equal(t, f.ContentType, a.Header.Get("Content-Type"), f.Key)
		assert.Equal(t, f.CacheControl, a.Header.Get("Cache-Control"), f.Key)
		again := do(t, "GET", s.URL+"/"+f.Key, http.Header{"If-None-Match": {a.Header.Get("ETag")}})
		assert.Equal(t, 304, again.StatusCode, f.Key)
		head := do(t, "HEAD", s.URL+"/"+f.Key, nil)
		assert.Equal(t, 200, head.StatusCode)
		assert.Empty(t, head.body)
		if f.Key != f.Path {
			assert.Equal(t, 404, do(t, "GET", s.URL+"/"+f.Path, nil).StatusCode, "only the folder of the release has %s", f.Path)
		}
	}
	assert.Equal(t, do(t, "GET", s.URL+"/index.html", nil).body, do(t, "GET", s.URL+"/", nil).body)
	assert.Equal(t, client.Config(contract.BasePath), do(t, "GET", s.URL+"/config.js", nil).body)

	for _, path := range []string{"/nothing", "/client.go", "/js/", "/movies", "/readyz", contract.HealthPath, contract.BasePath, contract.BasePath + "x"} {
		a := do(t, "GET", s.URL+path, nil)
		assert.Equal(t, 404, a.StatusCode, path)
		assert.NotContains(t, a.Header.Get("Content-Type"), "problem", "%s is not the API's", path)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		assert.Equal(t, 403, do(t, method, s.URL+"/", nil).StatusCode, method)
	}

	assert.Equal(t, 200, do(t, "GET", s.URL+contract.ReadyPath, nil).StatusCode)
	a := do(t, "GET", s.URL+contract.BasePath+"/nothing", nil)
	assert.Equal(t, 404, a.StatusCode)
	assert.Contains(t, a.Header.Get("Content-Type"), "problem", "the API's own answer")
	assert.Equal(t, 404, do(t, "GET", s.URL+contract.BasePath+"/metrics", nil).StatusCode, "for scrapers inside the network only")

	// No spelling of a path reaches what the edge does not publish.
	for _, target := range []string{
		"/healthz", "//healthz", "/api/../healthz", "/api/%2e%2e/healthz", "/api/..%2fhealthz", "/api//healthz", "/api/healthz", "/API/readyz",
		"/api/./metrics", "/api/movies/../metrics", "/api/../../etc/passwd", "/%61pi/../healthz",
	} {
		assert.Contains(t, raw(t, s, target), " 404 ", target)
	}
}

func TestEdgeHeaders(t *testing.T) {
	s := must.OK(dev.Start(context.Background(), dev.Options{Addr: "127.0.0.1:0", PasswordCost: bcrypt.MinCost,
		Intercept: func(api http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case contract.BasePath + "/silent":
				case contract.BasePath + "/early":
					w.WriteHeader(http.StatusEarlyHints)
					w.Header().Set("X-Frame-Options", "SAMEORIGIN")
					_, _ = io.WriteString(w, "early")
				default:
					api.ServeHTTP(w, r)
				}
			})
		}}))(t)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	for path, own := range map[string]map[string]string{
		"/": {}, "/config.js": {}, "/nothing": {}, contract.BasePath + "/silent": {},
		contract.BasePath + "/early": {"X-Frame-Options": "SAMEORIGIN"},
		// The API's own policy is stricter.
		contract.ReadyPath:             {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"},
		contract.BasePath + "/movies":  {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"},
		contract.BasePath + "/nothing": {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"},
	} {
		a := do(t, "GET", s.URL+path, nil)
		for name, value := range map[string]string{
			"Content-Security-Policy": contract.ContentSecurityPolicy, "Referrer-Policy": contract.ReferrerPolicy,
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
		} {
			if other, found := own[name]; found {
				value = other
			}
			assert.Equal(t, []string{value}, a.Header.Values(name), "%s: %s", path, name)
		}
	}
}

// TestEdgeForwardsTheViewer: the API gets what the viewer sent, then the viewer's address and the edge's, and limits the
// viewer by its own address whatever it sends.
func TestEdgeForwardsTheViewer(t *testing.T) {
	type call struct {
		path, query string
		forwarded   []string
	}
	calls := make(chan call, 1)
	options := dev.Options{Addr: "127.0.0.1:0", PasswordCost: bcrypt.MinCost, Limits: api.Limits{Address: api.Limit{Attempts: 2, Window: time.Hour}},
		Intercept: func(api http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls <- call{r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Values("X-Forwarded-For")}
				api.ServeHTTP(w, r)
			})
		}}
	s := must.OK(dev.Start(context.Background(), options))(t)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })

	do(t, "GET", s.URL+contract.BasePath+"/movies/8%C2%BD%2F?q=a%20b", nil)
	assert.Equal(t, call{contract.BasePath + "/movies/8%C2%BD%2F", "q=a%20b", []string{"127.0.0.1, 127.0.0.2"}}, <-calls)
	for n, want := range []int{401, 401, 429} {
		request := must.OK(http.NewRequest("POST", s.URL+contract.BasePath+"/login", strings.NewReader(`{"Username":"nobody","Password":"wrong"}`)))(t)
		request.Header = http.Header{"Content-Type": {"application/json"}, "X-Forwarded-For": {fmt.Sprintf("192.0.2.%d", n), fmt.Sprintf("198.51.100.%d", n)}}
		response := must.OK(http.DefaultClient.Do(request))(t)
		response.Body.Close()
		assert.Equal(t, want, response.StatusCode)
		assert.Equal(t, []string{fmt.Sprintf("192.0.2.%d, 198.51.100.%d, 127.0.0.1, 127.0.0.2", n, n)}, (<-calls).forwarded)
	}
}
