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
	"testing"
	"time"

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
	db, err := dev.StartDatabase(dev.DatabaseOptions{Dir: dir, Addr: address()})
	require.NoError(t, err)
	s3, err := dev.StartS3(dev.S3Options{Addr: address()})
	require.NoError(t, err)
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
	s, err := store.Open(db.URI(), "")
	require.NoError(t, err)
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
	a, err := api.New(o)
	require.NoError(h.t, err)
	srv := httptest.NewServer(a)
	h.t.Cleanup(srv.Close)
	return srv.URL
}

func (h *harness) options() api.Options {
	h.t.Helper()
	unlimited := api.Rate{Burst: 1 << 30, Every: time.Nanosecond}
	return api.Options{
		Source:          credentialwatch.Fixed(credentialwatch.State{Store: openStore(h.t, h.db), Key: signingKey}),
		Bucket:          images.NewBucket(h.s3.Client(), dev.BucketName),
		Log:             slog.New(slog.NewJSONHandler(h.log, nil)),
		PasswordCost:    bcrypt.MinCost,
		UserAttempts:    unlimited,
		AddressAttempts: unlimited,
	}
}

func (h *harness) seed() {
	h.t.Helper()
	_, err := h.store.WriteMovies(context.Background(), seed.Movies())
	require.NoError(h.t, err)
}

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, v), "%s", a.body)
}

type problem struct {
	Type, Title, Detail, RequestID string
	Status                         int
	Errors                         []struct{ Field, Reason string }
}

// problem checks that the answer is a problem document with that status, and returns it.
func (a answer) problem(t *testing.T, status int) problem {
	t.Helper()
	var p problem
	require.Equal(t, status, a.status, "%s", a.body)
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
	a, err := h.try(method, path, body, edits...)
	require.NoError(h.t, err)
	return a
}

const password = "correct horse battery"

func account(name string) map[string]string {
	return map[string]string{"Username": name, "Password": password, "Email": name + "@example.com"}
}

// signUp creates an account and returns its token.
func (h *harness) signUp(name string) string {
	h.t.Helper()
	a := h.do("POST", "/users", account(name))
	require.Equal(h.t, http.StatusCreated, a.status, "%s", a.body)
	return h.logIn(name, password)
}

func (h *harness) logIn(name, password string) string {
	h.t.Helper()
	a := h.do("POST", "/login", map[string]string{"Username": name, "Password": password})
	require.Equal(h.t, http.StatusOK, a.status, "%s", a.body)
	var s struct{ Token string }
	a.json(h.t, &s)
	return s.Token
}

// session returns the session in a token.
func session(t *testing.T, token string) tokens.Session {
	t.Helper()
	s, err := tokens.Parse(signingKey, token, time.Now())
	require.NoError(t, err)
	return s
}

func (h *harness) movieID() string {
	h.t.Helper()
	movies, err := h.store.ListMovies(context.Background(), store.MovieFilter{})
	require.NoError(h.t, err)
	require.NotEmpty(h.t, movies)
	return movies[0].ID.Hex()
}

// form returns a multipart form with one file.
func form(field, fileName string, data []byte) (io.Reader, edit) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile(field, fileName)
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // writing to memory never fails
	}
	return &b, header("Content-Type", w.FormDataContentType())
}

func (h *harness) upload(token string, data []byte) answer {
	h.t.Helper()
	body, contentType := form("image", "holiday.jpg", data)
	return h.do("POST", "/images", body, contentType, bearer(token))
}

type imageAnswer struct {
	ID, ContentType, Created, URL, ThumbnailURL string
	Bytes                                       int64
	Width, Height                               int
	Mine                                        bool
}
