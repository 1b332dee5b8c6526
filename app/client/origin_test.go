package client_test

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/client"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/images"
	"cinema-database/internal/chromium"
)

// As it is published: the page on a static site of its own, the API on another origin that config.js names, and at
// first without its credentials, as on the first boot of a stack.
func TestPageAndAPIOnSeparateOrigins(t *testing.T) {
	t.Parallel()
	chromium.Find(t)
	parts, err := dev.Start(t.Context(), dev.Options{Addr: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { parts.Close() })

	var config string
	static := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		for _, f := range client.Pages() {
			if f.Path != name {
				continue
			}
			w.Header().Set("Content-Type", f.ContentType)
			w.Header().Set("Cache-Control", f.CacheControl)
			data, err := fs.ReadFile(client.Files, name)
			if name == client.ConfigPath {
				data = []byte(config)
			}
			if assert.NoError(t, err) {
				w.Write(data)
			}
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(static.Close)

	withSource := func(source *credentialwatch.Source) *api.API {
		a, err := api.New(api.Options{
			Source: source, Bucket: images.NewBucket(parts.S3.Client(), dev.BucketName), Log: slog.New(slog.DiscardHandler),
			AllowedOrigin: static.URL, PasswordCost: bcrypt.MinCost,
		})
		require.NoError(t, err)
		return a
	}
	var current atomic.Pointer[api.API]
	current.Store(withSource(&credentialwatch.Source{}))
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.Load().ServeHTTP(w, r) }))
	t.Cleanup(backend.Close)
	// The slash at the end is a slip that people make.
	config = `export default { apiUrl: "` + backend.URL + `/" };`

	s := &site{t: t, URL: static.URL, api: backend.URL}
	p := s.page()
	p.open("#/signup")
	p.fill("Username", "ada", "Email", "ada@example.com", "Password", "correct horse")
	p.follow("Sign up")
	// Five seconds are the API's own Retry-After, which a page of another origin reads only where the API lets it.
	p.says("[role=alert]", "You are not signed up. The cinema can't do this right now. Try again in 5 seconds.")

	current.Store(withSource(credentialwatch.Fixed(credentialwatch.State{Store: parts.Store, Key: []byte(strings.Repeat("k", 32))})))
	p.follow("Sign up")
	p.at("#/movies", "Films")
	p.click(".results .heart")
	p.until("document.querySelector('.results .heart[aria-pressed=true]')")
	p.follow("Favourites")
	p.says(".count", "1 film")
	p.click(".card .heart")
	p.says(".count", "0 films")

	p.follow("Gallery")
	p.at("#/gallery", "Gallery")
	upload(p, photograph(t, "sunset.jpg", 640, 480))
	// No thumbnailer runs here: the original can be opened without one.
	p.says(".tile", "Making the thumbnail…")
	p.click(".tile")
	p.until("document.querySelector('.viewer img')?.naturalWidth === 640")
	assert.True(t, eval[bool](p, "document.querySelector('.viewer a[target=_blank]').href.startsWith('blob:')"))
	p.click("[aria-label='Delete this picture']")
	p.follow("Delete")
	p.until(noPictures)

	t.Run("a session that no key has signed", func(t *testing.T) {
		defer p.in(t)()
		p.follow("Films")
		p.at("#/movies", "Films")
		current.Store(withSource(credentialwatch.Fixed(credentialwatch.State{Store: parts.Store, Key: []byte(strings.Repeat("x", 32))})))
		p.follow("Favourites")
		p.at("#/login", "Welcome to the cinema")
		p.says("[role=alert]", "Your session has ended.")
	})
}

// A site whose config.js is missing or wrong says so instead of staying empty.
func TestMissingConfig(t *testing.T) {
	t.Parallel()
	chromium.Find(t)
	for name, config := range map[string]string{"missing": "", "no address": `export default { apiUrl: "api.example" };`} {
		t.Run(name, func(t *testing.T) {
			files := http.FileServerFS(client.Files)
			static := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path != "/"+client.ConfigPath:
					files.ServeHTTP(w, r)
				case config == "":
					http.NotFound(w, r)
				default:
					w.Header().Set("Content-Type", "text/javascript")
					w.Write([]byte(config))
				}
			}))
			defer static.Close()
			p := (&site{t: t, URL: static.URL}).page()
			p.mean("config.js")
			p.open("")
			p.says("h1", "The page is not set up")
		})
	}
}
