package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/syncbuffer"
	"cinema-database/app/internal/tokens"
	"cinema-database/internal/testutil/freeport"
	"cinema-database/internal/testutil/must"
)

var signingKey = bytes.Repeat([]byte("k"), 32)

// harness is the API with a database and an S3 server.
type harness struct {
	t     *testing.T
	dir   string // the database's files
	db    *dev.Database
	s3    *dev.S3
	store *store.Store
	url   string
	log   *syncbuffer.Buffer
}

func newHarness(t *testing.T, change ...func(*api.Options)) *harness {
	t.Helper()
	dir := t.TempDir()
	// Fixed ports, because some tests restart the servers at the same address.
	address := func() string { return fmt.Sprintf("127.0.0.1:%d", freeport.Get(t)) }
	db := must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: dir, Addr: address()}))(t)
	s3 := must.OK(dev.StartS3(dev.S3Options{Addr: address()}))(t)
	t.Cleanup(s3.Stop)
	h := &harness{t: t, dir: dir, db: db, s3: s3, log: &syncbuffer.Buffer{}}
	t.Cleanup(func() { h.db.Stop() })
	h.store = openStore(t, db)
	h.url = h.serve(change...)
	t.Cleanup(func() {
		if t.Failed() {
			for line := range strings.Lines(h.log.String()) {
				if strings.Contains(line, `"error"`) {
					t.Log(line)
				}
			}
		}
	})
	return h
}

func openStore(t *testing.T, db *dev.Database) *store.Store {
	t.Helper()
	s := must.OK(store.Open(db.URI(), ""))(t)
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// serve starts another instance of the API with the same database and bucket, and its own connections.
func (h *harness) serve(change ...func(*api.Options)) string {
	h.t.Helper()
	o := h.options()
	for _, f := range change {
		f(&o)
	}
	a := must.OK(api.New(o))(h.t)
	srv := httptest.NewServer(a)
	h.t.Cleanup(srv.Close)
	return srv.URL
}

func (h *harness) options() api.Options {
	h.t.Helper()
	return api.Options{
		Source:       credentialwatch.Fixed(credentialwatch.State{Store: openStore(h.t, h.db), Key: signingKey}),
		Bucket:       images.NewBucket(h.s3.Client(), dev.BucketName),
		Log:          slog.New(slog.NewJSONHandler(h.log, nil)),
		PasswordCost: bcrypt.MinCost,
		Limits:       api.Unlimited(),
	}
}

func (h *harness) seed() {
	h.t.Helper()
	must.OK(h.store.WriteMovies(context.Background(), seed.Movies()))(h.t)
}

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// as decodes the answer's JSON.
func as[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	a.json(t, &v)
	return v
}

func (a answer) json(t *testing.T, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, v), "%s", a.body)
}

func (a answer) requireStatus(t *testing.T, status int) answer {
	t.Helper()
	require.Equal(t, status, a.status, "%s", a.body)
	return a
}

type problem struct {
	header                         http.Header
	Type, Title, Detail, RequestID string
	Status                         int
	Errors                         []struct{ Field, Reason string }
}

// problem checks that the answer is a problem document with that status, and returns it.
func (a answer) problem(t *testing.T, status int) problem {
	t.Helper()
	p := problem{header: a.header}
	a.requireStatus(t, status)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	a.json(t, &p)
	require.Equal(t, status, p.Status)
	require.Equal(t, "about:blank", p.Type)
	require.Equal(t, http.StatusText(status), p.Title)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, a.header.Get("X-Request-Id"), p.RequestID)
	return p
}

type edit func(*http.Request)

func bearer(token string) edit {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) edit { return func(r *http.Request) { r.Header.Set(name, value) } }

// try sends a request. It encodes the body as JSON, unless the body is a string or an io.Reader.
func (h *harness) try(method, path string, body any, edits ...edit) (answer, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		r = b
	case string:
		r = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		r = bytes.NewReader(encoded)
	}
	url := path
	if strings.HasPrefix(path, "/") {
		url = h.url + path
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, e := range edits {
		e(req)
	}
	client := &http.Client{Timeout: 90 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, b}, err
}

func (h *harness) do(method, path string, body any, edits ...edit) answer {
	h.t.Helper()
	a := must.OK(h.try(method, path, body, edits...))(h.t)
	return a
}

// eventually repeats a request until its answer has the given status.
func (h *harness) eventually(status int, method, path string, body any, edits ...edit) (a answer) {
	h.t.Helper()
	require.Eventually(h.t, func() (done bool) {
		var err error
		a, err = h.try(method, path, body, edits...)
		return err == nil && a.status == status
	}, time.Minute, 10*time.Millisecond, "%s %s: %d", method, path, status)
	return a
}

// statuses sends n requests at the same time, and returns how often each status was the answer.
func (h *harness) statuses(n int, method string, request func(i int) (path string, body any)) map[int]int {
	h.t.Helper()
	answers := make(chan answer, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			path, body := request(i)
			a, err := h.try(method, path, body)
			assert.NoError(h.t, err)
			answers <- a
		})
	}
	all.Wait()
	close(answers)
	count := map[int]int{}
	for a := range answers {
		count[a.status]++
	}
	return count
}

const password = "correct horse battery"

func account(name string) map[string]string {
	return map[string]string{"Username": name, "Password": password, "Email": name + "@example.com"}
}

// signUp creates an account and returns its token.
func (h *harness) signUp(name string) string {
	h.t.Helper()
	h.do("POST", "/api/users", account(name)).requireStatus(h.t, http.StatusCreated)
	return h.logIn(name, password)
}

// current returns a body with the current password, for a deletion, or for a change with these fields and values.
func current(fields ...string) map[string]string {
	body := map[string]string{"CurrentPassword": password}
	for i := 0; i+1 < len(fields); i += 2 {
		body[fields[i]] = fields[i+1]
	}
	return body
}

func (h *harness) logIn(name, password string) string {
	h.t.Helper()
	a := h.do("POST", "/api/login", map[string]string{"Username": name, "Password": password}).requireStatus(h.t, http.StatusOK)
	return as[sessionAnswer](h.t, a).Token
}

// session returns the session in a token.
func session(t *testing.T, token string) tokens.Session {
	t.Helper()
	s := must.OK(tokens.Parse(signingKey, token, time.Now()))(t)
	return s
}

func (h *harness) movieID() string {
	h.t.Helper()
	movies := must.OK(h.store.Catalogue(context.Background()))(h.t)
	first, _ := movies.Search(store.MovieFilter{}, nil, 1)
	require.NotEmpty(h.t, first)
	return first[0].ID.Hex()
}

// file is a part of a multipart form.
type file struct {
	field, name string
	data        []byte
}

// form returns a multipart form. Writing it to memory never fails.
func form(files ...file) (string, edit) {
	var b strings.Builder
	w := multipart.NewWriter(&b)
	for _, f := range files {
		part, _ := w.CreateFormFile(f.field, f.name)
		_, _ = part.Write(f.data)
	}
	_ = w.Close()
	return b.String(), header("Content-Type", w.FormDataContentType())
}

func (h *harness) upload(token string, data []byte) answer {
	h.t.Helper()
	body, contentType := form(file{"image", "holiday.jpg", data})
	return h.do("POST", "/api/images", body, contentType, bearer(token))
}

// images returns a page of images.
func (h *harness) images(token, query string) imagePage {
	h.t.Helper()
	return as[imagePage](h.t, h.do("GET", "/api/images"+query, nil, bearer(token)))
}

type sessionAnswer struct {
	Token, Device string
	User          userAnswer
}

type userAnswer struct {
	Username, Email, Birthday string
	FavoriteMovies            []string
}

type imagePage struct {
	Images []imageAnswer
	Next   string
	Total  int
}

type imageAnswer struct {
	ID, ContentType, Created, URL, ViewURL, ThumbnailURL, Owner, Caption string
	Bytes                                                                int64
	Width, Height                                                        int
	Mine                                                                 bool
}
