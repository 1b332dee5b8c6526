package client_test

import (
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/security"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/client"
	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/images"
	"cinema-database/internal/testutil/chromium"
)

// staticSite serves the published files, with config as config.js. Without a config, that file is missing.
func staticSite(t *testing.T, config *string) *httptest.Server {
	t.Helper()
	static := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := cmp.Or(strings.TrimPrefix(r.URL.Path, "/"), client.IndexPath)
		i := slices.IndexFunc(client.Pages(), func(f client.File) bool { return f.Key == name })
		if i < 0 || name == client.ConfigPath && *config == "" {
			http.NotFound(w, r)
			return
		}
		f := client.Pages()[i]
		w.Header().Set("Content-Type", f.ContentType)
		w.Header().Set("Cache-Control", f.CacheControl)
		if name == client.ConfigPath {
			f.Content = *config
		}
		io.WriteString(w, f.Content)
	}))
	t.Cleanup(static.Close)
	return static
}

// Without the edge: the page on a static site that sends no headers, the API on another origin that config.js names. At
// first the API has no credentials, as on the first boot of a stack.
func TestPageAndAPIOnSeparateOrigins(t *testing.T) {
	t.Parallel()
	chromium.Find(t)
	parts, err := dev.Start(t.Context(), dev.Options{Addr: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { parts.Close() })

	var config string
	static := staticSite(t, &config)
	withSource := func(source *credentialwatch.Source) *api.API {
		a, err := api.New(api.Options{
			Source: source, Bucket: images.NewBucket(parts.S3.Client(), dev.BucketName), Log: slog.New(slog.DiscardHandler),
			AllowedOrigins: []string{"https://cinema.example", static.URL}, PasswordCost: bcrypt.MinCost,
		})
		require.NoError(t, err)
		return a
	}
	var current atomic.Pointer[api.API]
	current.Store(withSource(&credentialwatch.Source{}))
	// The page's policy allows other origins with HTTPS only.
	backend := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.Load().ServeHTTP(w, r) }))
	t.Cleanup(backend.Close)
	config = client.Config(backend.URL + contract.BasePath + "/") // the page accepts a trailing slash

	p := (&site{t: t, URL: static.URL}).page()
	call(p, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
	p.open("#/signup")
	p.fill("Username", "ada", "Email", "ada@example.com", "Password", "correct horse")
	p.clickText("Sign up")
	// The five seconds are the API's Retry-After header. A page of another origin can read it only if the API allows that.
	p.waitForText("[role=alert]", "Sign-up failed. Cinema is not available. Try again in 5 seconds.")

	current.Store(withSource(credentialwatch.Fixed(credentialwatch.State{Store: parts.Store, Key: []byte(strings.Repeat("k", 32))})))
	p.clickText("Sign up")
	p.waitForView("#/movies", "Movies")
	p.click(".results .heart")
	p.waitFor("document.querySelector('.results .heart[aria-pressed=true]')")
	p.clickText("Favorites")
	p.waitForText(".count", "1 movie")
	p.click(".card .heart")
	p.waitForText(".count", "0 movies")

	p.goTo("Gallery")
	upload(p, jpegFile(t, "sunset.jpg", 640, 480))
	// No thumbnailer runs here. The original opens without a thumbnail.
	p.waitForText(".tile", "Creating the thumbnail…")
	p.click(".tile")
	p.waitFor("document.querySelector('.viewer img')?.naturalWidth === 640")
	assert.True(t, eval[bool](p, "document.querySelector('.viewer img').src.startsWith('blob:')"))
	p.click("[aria-label='Delete this image']")
	p.clickText("Delete")
	p.waitFor(emptyGallery)

	p.subtest(t, "a session that another key has signed", func(t *testing.T) {
		p.goTo("Movies")
		current.Store(withSource(credentialwatch.Fixed(credentialwatch.State{Store: parts.Store, Key: []byte(strings.Repeat("x", 32))})))
		p.clickText("Favorites")
		p.waitForView("#/login", "Welcome to the cinema")
		p.waitForText("[role=alert]", "Your session has ended.")
	})
}

// Behind the edge, its policy applies in addition to the page's, and no call leaves the origin.
func TestPolicyOfTheEdge(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	p.expectMessage("Content Security Policy")
	p.open("#/login")
	p.waitForView("#/login", "Welcome to the cinema")
	assert.Equal(t, []string{"connect-src", contract.ContentSecurityPolicy}, eval[[]string](p, `new Promise((done) => {
		document.addEventListener("securitypolicyviolation", (event) => done([event.effectiveDirective, event.originalPolicy]));
		fetch("https://api.example/api/movies").catch(() => {});
	})`))
	assert.Equal(t, http.StatusOK, eval[int](p, `fetch("/api/readyz").then((answer) => answer.status)`))
}

// The page shows a message if config.js is missing or invalid.
func TestMissingConfig(t *testing.T) {
	t.Parallel()
	chromium.Find(t)
	for name, config := range map[string]string{
		"missing": "", "a host": client.Config("api.example"), "no address": client.Config(""), "the root": client.Config("/"),
		"another host": client.Config("//api.example/api"), "a script": client.Config("javascript:alert(1)"), "no URL": "export default {};",
	} {
		t.Run(name, func(t *testing.T) {
			p := (&site{t: t, URL: staticSite(t, &config).URL}).page()
			p.expectMessage("config.js")
			p.open("")
			p.waitForText("h1", "The page is not configured")
		})
	}
}
