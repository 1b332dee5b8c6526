package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

// hold is a proxy between the API and the database. It delays the answer to the insertion of an image's record until
// release is closed. inserted receives a value when there is such an answer.
func hold(t *testing.T, database string, release <-chan struct{}) (address string, inserted <-chan struct{}) {
	t.Helper()
	listener := must.OK(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { listener.Close() })
	arrived := make(chan struct{}, 1)
	pipe := func(from, to net.Conn, see func([]byte)) {
		defer from.Close()
		defer to.Close()
		b := make([]byte, 1<<20)
		for {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			see(b[:n])
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", database)
			if err != nil {
				client.Close()
				continue
			}
			var held atomic.Bool
			go pipe(client, server, func(b []byte) {
				if bytes.Contains(b, []byte("\x02insert\x00")) && bytes.Contains(b, []byte("images")) {
					held.Store(true)
				}
			})
			go pipe(server, client, func([]byte) {
				if !held.Load() {
					return
				}
				select {
				case arrived <- struct{}{}:
				default:
				}
				<-release
			})
		}
	}()
	return listener.Addr().String(), arrived
}

// requestOf returns a request that ends with ctx, for a client that disconnects.
func requestOf(t *testing.T, ctx context.Context, method, url string, body io.Reader, edits ...edit) *http.Request {
	t.Helper()
	request := must.OK(http.NewRequestWithContext(ctx, method, url, body))(t)
	for _, e := range edits {
		e(request)
	}
	return request
}

// TestUploadIsAbandoned: if the client disconnects while the record is written, there is never a record without its object.
func TestUploadIsAbandoned(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	release := make(chan struct{})
	address, inserted := hold(t, h.db.Addr, release)
	options := h.options()
	options.Source = credentialwatch.Fixed(credentialwatch.State{Store: openStore(t, &dev.Database{Addr: address}), Key: signingKey})
	handler := must.OK(api.New(options))(t)
	noticed := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		context.AfterFunc(r.Context(), sync.OnceFunc(func() { close(noticed) }))
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	token := h.signUp("ada")
	body, contentType := form(file{"image", "x", testimage.PNG(4, 4)})
	ctx, disconnect := context.WithCancel(t.Context())
	request := requestOf(t, ctx, "POST", server.URL+"/api/images", strings.NewReader(body), contentType, bearer(token))
	answered := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(request)
		answered <- err
	}()
	<-inserted
	disconnect()
	require.ErrorIs(t, <-answered, context.Canceled)
	<-noticed
	close(release)
	require.Eventually(t, func() bool { return strings.Contains(h.log.String(), `"route":"POST /api/images"`) }, time.Minute, 5*time.Millisecond)

	for _, i := range h.images(token, "").Images {
		assert.Equal(t, http.StatusOK, h.do("GET", i.URL, nil, bearer(token)).status, "every listed image exists")
	}
}

// TestChangesOfAPasswordAreLimited: one account's password changes cannot use the CPU that log-ins of others need.
func TestChangesOfAPasswordAreLimited(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *api.Options) {
		o.Now = stopped()
		o.Limits.Session = api.Limit{Attempts: 5, Window: time.Hour}
	})
	token := h.signUp("mallory")
	h.signUp("ada")
	change := current("Username", "mallory", "Email", "mallory@example.com")
	for n := range 5 {
		change["Password"] = fmt.Sprintf("another good phrase %d", n)
		a := h.do("PUT", "/api/users/mallory", change, bearer(token)).requireStatus(t, http.StatusOK)
		token = as[sessionAnswer](t, a).Token
		change["CurrentPassword"] = change["Password"]
	}
	p := h.do("PUT", "/api/users/mallory", change, bearer(token)).problem(t, http.StatusTooManyRequests)
	assert.NotEmpty(t, p.header.Get("Retry-After"))
	delete(change, "Password")
	assert.Equal(t, http.StatusOK, h.do("PUT", "/api/users/mallory", change, bearer(token)).status, "other fields need no hash")
	h.logIn("ada", password)
}

// TestBrokenAnswersAreRecorded: an aborted answer is logged with the error, and counted. A client that disconnects is not
// an error.
func TestBrokenAnswersAreRecorded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := h.signUp("ada")
	i := as[imageAnswer](t, h.upload(token, testimage.PNG(4, 4)))

	reached, release := make(chan struct{}, 1), make(chan struct{})
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/orig/") {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(make([]byte, 100))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		reached <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer bucket.Close()
	defer close(release)
	s3 := *h.s3
	s3.Addr = bucket.Listener.Addr().String()
	url := h.serve(func(o *api.Options) { o.Bucket = images.NewBucket(s3.Client(), dev.BucketName) })

	response, err := http.DefaultClient.Do(requestOf(t, t.Context(), "GET", url+i.URL, nil, bearer(token)))
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	require.Error(t, err, "the image is incomplete")

	ctx, disconnect := context.WithCancel(t.Context())
	go func() { <-reached; disconnect() }()
	_, err = http.DefaultClient.Do(requestOf(t, ctx, "GET", url+i.ThumbnailURL, nil, bearer(token)))
	require.ErrorIs(t, err, context.Canceled)

	line := func(route string) (found string) {
		require.Eventually(t, func() bool {
			for l := range strings.Lines(h.log.String()) {
				if strings.Contains(l, `"route":"`+route+`"`) {
					found = l
				}
			}
			return found != ""
		}, time.Minute, 5*time.Millisecond, route)
		return found
	}
	broken := line("GET /api/images/{id}")
	assert.Contains(t, broken, `"level":"ERROR"`)
	assert.Contains(t, broken, `"error":"`)
	left := line("GET /api/images/{id}/thumbnail")
	assert.Contains(t, left, `"level":"INFO"`)
	assert.Contains(t, left, `"status":499`)

	h.url = url
	metrics := string(h.do("GET", "/api/metrics", nil).body)
	assert.Contains(t, metrics, `route="GET /api/images/{id}"`)
}

// late is a body that ends with the error of the server's read timeout.
type late struct{ io.Reader }

func (l late) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err == io.EOF {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// TestUploadIsTooSlow: an upload over a slow connection is answered with 408.
func TestUploadIsTooSlow(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	token := h.signUp("ada")
	handler := must.OK(api.New(h.options()))(t)
	body, contentType := form(file{"image", "x", testimage.PNG(4, 4)})
	request := httptest.NewRequest("POST", "/api/images", late{strings.NewReader(body[:len(body)-40])})
	contentType(request)
	bearer(token)(request)
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)
	assert.Equal(t, http.StatusRequestTimeout, response.Code)
	assert.Contains(t, response.Body.String(), "at least 160 KiB must arrive within 10s")
}
