package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

// clock is a clock for tests.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func limited(c *clock, name, address int) func(*api.Options) {
	return func(o *api.Options) {
		o.Proxies = 1
		o.Now = c.Now
		o.Limits.Name = api.Limit{Attempts: name, Window: time.Minute}
		o.Limits.Address = api.Limit{Attempts: address, Window: time.Minute}
	}
}

func TestAttemptsPerName(t *testing.T) {
	c := &clock{now: time.Now()}
	h := newHarness(t, limited(c, 4, 1000))
	h.signUp("ada") // with one attempt
	h.signUp("bob")
	try := func(name, pass string, n int) answer {
		return h.do("POST", "/api/login", map[string]string{"Username": name, "Password": pass}, from(fmt.Sprintf("192.0.2.%d", n)))
	}
	for n := range 3 {
		try("Ada", "wrong", n).problem(t, 401)
	}
	assert.NotEmpty(t, try("ada", "wrong", 9).problem(t, 429).header.Get("Retry-After"))
	try("ada", password, 10).problem(t, 429)
	require.Equal(t, 200, try("bob", password, 10).status, "another account is not limited")
	c.pass(time.Minute)
	require.Equal(t, 200, try("ada", password, 10).status)
	// An unknown name has the same limit, so that the limit does not reveal which accounts exist.
	for n := range 4 {
		try("nobody", "wrong", n).problem(t, 401)
	}
	try("nobody", "wrong", 4).problem(t, 429)
}

// TestConcurrentAttempts: concurrent attempts do not exceed the limit.
func TestConcurrentAttempts(t *testing.T) {
	c := &clock{now: time.Now()}
	h := newHarness(t, limited(c, 6, 1000))
	h.signUp("ada") // with one attempt
	count := h.statuses(30, "POST", func(int) (string, any) {
		return "/api/login", map[string]string{"Username": "ada", "Password": "wrong"}
	})
	assert.Equal(t, map[int]int{401: 5, 429: 25}, count)
}

func TestLogHasNoTextOfClients(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	const line = "forged\n{\"level\":\"ERROR\"}"
	h.do("GET", "/api/movies/forged%0A%7B%22level%22%3A%22ERROR%22%7D", nil, bearer(token), header("User-Agent", "forged"), header("X-Request-Id", "forged"))
	h.do("POST", "/api/login", map[string]string{"Username": line, "Password": line})
	h.do("GET", "/forged%0A", nil)
	h.do("FORGED", "/api/movies", nil)
	body, contentType := form(file{"image", "forged.png\r\n", testimage.PNG(2, 2)})
	h.do("POST", "/api/images", body, contentType, bearer(token))

	for _, text := range []string{"forged", "FORGED", password, token} {
		assert.NotContains(t, h.log.String(), text)
	}
	lines := 0
	for one := range strings.Lines(h.log.String()) {
		var entry struct {
			Msg, Request, Route string
			Status              int
		}
		require.NoError(t, json.Unmarshal([]byte(one), &entry), one)
		assert.NotEmpty(t, entry.Request)
		assert.NotZero(t, entry.Status)
		lines++
	}
	assert.Equal(t, 7, lines, "one line per request")
}

func TestMetrics(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("zerelda")
	for n := range 20 {
		h.do("GET", fmt.Sprintf("/api/movies/film-%d", n), nil, bearer(token))
		h.do(fmt.Sprintf("M%d", n), fmt.Sprintf("/path-%d", n), nil)
	}
	a := h.do("GET", "/api/metrics", nil)
	require.Equal(t, 200, a.status)
	text := string(a.body)
	assert.Contains(t, text, `cinema_http_requests_total{code="404",method="GET",route="GET /api/movies/{title}"} 20`)
	assert.Contains(t, text, `cinema_http_requests_total{code="404",method="other",route="none"} 20`)
	assert.Contains(t, text, "cinema_http_request_duration_seconds_bucket")
	for _, private := range []string{"zerelda", "film-", "path-", "127.0.0.1"} {
		assert.NotContains(t, text, private)
	}

	for proxies := 1; proxies <= contract.MaxProxies; proxies++ {
		h.url = h.serve(func(o *api.Options) { o.Proxies = proxies })
		assert.Equal(t, 200, h.do("GET", "/api/metrics", nil).status, "from inside the network")
		h.do("GET", "/api/metrics", nil, from("192.0.2.1")).problem(t, 404)
		h.do("GET", "/api/metrics", nil, lines("", "192.0.2.1")).problem(t, 404)
	}
}

// TestPanic: a panic in a handler is a 500 without its text, and the server keeps running.
func TestPanic(t *testing.T) {
	h := newHarness(t)
	h.url = h.serve(func(o *api.Options) {
		o.Uploaded = func(string, string) { panic("secret detail") }
	})
	token := h.signUp("ada")
	a := h.upload(token, testimage.PNG(2, 2))
	a.problem(t, http.StatusInternalServerError)
	assert.NotContains(t, string(a.body), "secret detail")
	assert.NotContains(t, string(a.body), "goroutine")
	assert.Contains(t, h.log.String(), "secret detail", "the log has the text")
	assert.Equal(t, 200, h.do("GET", "/healthz", nil).status)
}

// TestWaitingForCredentials: without credentials, every route except /healthz is 503. With them, every route works.
func TestWaitingForCredentials(t *testing.T) {
	h := newHarness(t)
	source := &credentialwatch.Source{}
	h.url = h.serve(func(o *api.Options) { o.Source = source; o.AllowedOrigins = []string{"https://cinema.example"} })
	for _, path := range []string{"/api/readyz", "/api/metrics", "/api/openapi.json", "/api/movies", "/api/users/ada", "/api/images", "/nothing"} {
		assert.NotEmpty(t, h.do("GET", path, nil).problem(t, http.StatusServiceUnavailable).header.Get("Retry-After"), path)
	}
	for _, path := range []string{"/api/users", "/api/login", "/api/images"} {
		h.do("POST", path, account("ada")).problem(t, http.StatusServiceUnavailable)
	}
	h.do("GET", "/api/movies", nil, bearer("x")).problem(t, http.StatusServiceUnavailable)
	assert.Equal(t, 200, h.do("GET", "/healthz", nil).status)
	assert.Equal(t, "https://cinema.example", h.do("GET", "/api/movies", nil, header("Origin", "https://cinema.example")).header.Get("Access-Control-Allow-Origin"),
		"the client may read the problem")

	ctx, cancel := context.WithCancel(context.Background())
	watcher := &credentialwatch.Watcher{Client: h.s3.Client(), Object: settings.Object{Bucket: "artifacts", Key: "credentials/api.json"},
		Log: slog.New(slog.DiscardHandler), MissingInterval: 10 * time.Millisecond, ChangeInterval: 10 * time.Millisecond}
	done := make(chan struct{})
	go func() { defer close(done); watcher.Run(ctx, source) }()
	t.Cleanup(func() { cancel(); <-done; _ = source.Close(context.Background()) })

	put := func(uri, key string) {
		require.NoError(t, h.s3.Put(ctx, "artifacts", "credentials/api.json", fmt.Appendf(nil, `{"mongodbUri":%q,"jwtKey":%q}`, uri, key)))
	}
	const first, second = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", "bGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGw="
	put("not a URI", first)
	put(h.db.URI(), "short")
	h.do("GET", "/api/readyz", nil).problem(t, http.StatusServiceUnavailable)
	put(h.db.URI(), first)
	h.eventually(200, "GET", "/api/readyz", nil)
	token := h.signUp("ada")

	// Another key invalidates the tokens without a restart. An invalid object changes nothing.
	put(h.db.URI(), second)
	h.eventually(401, "GET", "/api/users/ada", nil, bearer(token))
	token = h.logIn("ada", password)
	put(h.db.URI(), "broken")
	other := must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: t.TempDir()}))(t)
	t.Cleanup(other.Stop)
	assert.Equal(t, 200, h.do("GET", "/api/users/ada", nil, bearer(token)).status)
	// Another database.
	put(other.URI(), second)
	h.eventually(401, "GET", "/api/users/ada", nil, bearer(token))
	h.signUp("ada")
}

// TestServeDrains: a request that is running when the server stops is answered.
func TestServeDrains(t *testing.T) {
	ln := must.OK(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "whole")
	})
	served := make(chan error, 1)
	draining := make(chan struct{})
	log := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
		if bytes.Contains(b, []byte("draining")) {
			close(draining)
		}
		return len(b), nil
	}), nil))
	go func() { served <- api.Serve(ctx, ln, handler, log) }()

	conn := must.OK(net.Dial("tcp", ln.Addr().String()))(t)
	defer conn.Close()
	must.OK(io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))(t)
	<-entered
	stop()
	<-draining
	select {
	case err := <-served:
		require.Fail(t, "stopped before the request was answered", "%v", err)
	default:
	}
	close(leave)
	resp := must.OK(http.ReadResponse(bufio.NewReader(conn), nil))(t)
	body := must.OK(io.ReadAll(resp.Body))(t)
	assert.Equal(t, "whole", string(body))
	assert.NoError(t, <-served)
	_, err := net.Dial("tcp", ln.Addr().String())
	assert.Error(t, err, "the listener is closed")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestNewReportsAllErrors(t *testing.T) {
	_, err := api.New(api.Options{PasswordCost: 99, Proxies: 3, AllowedOrigins: []string{"*"}})
	for _, field := range []string{"Source", "Bucket", "Log", "PasswordCost", "Proxies", "AllowedOrigins"} {
		assert.ErrorContains(t, err, "api: "+field)
	}
}
