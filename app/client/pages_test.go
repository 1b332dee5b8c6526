package client_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// record passes requests to the API, after change, and returns a function that lists them as "METHOD /path?query".
func (s *site) record(change func(r *http.Request)) func() []string {
	var mu sync.Mutex
	var seen []string
	s.intercept(func(w http.ResponseWriter, r *http.Request) {
		change(r)
		mu.Lock()
		seen = append(seen, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), "/api"))
		mu.Unlock()
		s.backend.ServeHTTP(w, r)
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// limited makes pages of movies small.
func limited(r *http.Request) {
	if q := r.URL.Query(); r.URL.Path == "/api/movies" && !q.Has("limit") {
		q.Set("limit", "3")
		r.URL.RawQuery = q.Encode()
	}
}

// The lists of movies grow by pages. No view asks for the whole catalogue.
func TestPagesOfMovies(t *testing.T) {
	t.Parallel()
	s, p, _ := startLoggedIn(t)
	requests := s.record(limited)
	cards := "document.querySelectorAll('.card').length"

	p.open("#/movies")
	p.waitForText(".count", "The first 3 movies")
	assert.Greater(t, eval[int](p, "document.querySelectorAll('.chip').length"), 5, "the genres of all movies")
	p.clickText("More movies")
	p.waitForText(".count", "The first 6 movies")
	assert.True(t, eval[bool](p, "document.activeElement === document.querySelector('.card:nth-child(4) a')"), "the focus goes to the first new movie")
	titles := eval[[]string](p, "[...document.querySelectorAll('.card-title')].map((e) => e.textContent)")
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(titles))), 6)

	p.open("#/genres/Drama")
	p.waitForText(".count", "The first 3 movies")
	p.clickText("More movies")
	p.waitFor(cards + " > 3")
	assert.True(t, eval[bool](p, "[...document.querySelectorAll('.card')].every((e) => e.textContent.includes('Drama'))"), "the next page keeps the genre")

	p.open("#/directors/Stanley%20Kubrick")
	p.waitForView("#/directors", "Stanley Kubrick")
	assert.True(t, eval[bool](p, "[...document.querySelectorAll('.card')].every((e) => e.textContent.includes('Kubrick'))"))

	p.click(".card .heart")
	p.waitFor("document.querySelector('.card .heart[aria-pressed=true]')")
	p.clickText("Favorites")
	p.waitForView("#/favorites", "Favorites")
	p.waitForText(".count", "1 movie")

	all := requests()
	assert.True(t, slices.ContainsFunc(all, func(r string) bool { return strings.HasPrefix(r, "GET /users/grace/movies") }), "%v", all)
	for _, r := range all {
		if target, err := url.Parse(strings.TrimPrefix(r, "GET ")); err == nil && target.Path == "/movies" {
			assert.Contains(t, []string{"3", "7"}, target.Query().Get("limit"), r)
		}
	}
}

// Two accounts in two tabs: each request uses the token of its own tab, also after a reload and with a stored session.
func TestTabsKeepTheirAccounts(t *testing.T) {
	t.Parallel()
	s := start(t)
	grace, ada := s.register("grace"), s.register("ada")
	p := s.page()
	p.open("#/login")
	p.waitForView("#/login", "Welcome to the cinema")
	other := s.tab(chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
	other.open("#/login")
	other.waitForView("#/login", "Welcome to the cinema")
	p.submitLogin(grace.Username, grace.Password)
	p.waitForView("#/movies", "Movies")
	other.click("[name=keep]")
	other.submitLogin(ada.Username, ada.Password)
	other.waitForView("#/movies", "Movies")

	p.click(".results .heart")
	p.waitFor("document.querySelector('.results .heart[aria-pressed=true]')")
	p.do(chromedp.Reload())
	p.waitForText(".user-name", "grace")
	p.goTo("Favorites")
	p.waitForText(".count", "1 movie")
	other.goTo("Favorites")
	other.waitForText("main", "No favorites yet.")
	other.waitForText(".user-name", "ada")

	other.clickText("Log out")
	other.waitForView("#/login", "Welcome to the cinema")
	p.goTo("Gallery") // the other account's session goes on
	p.waitForText(".user-name", "grace")
}

// A changed password ends the other sessions, but not the tabs with this one. The session ends with the last tab.
func TestTabsShareASession(t *testing.T) {
	t.Parallel()
	s, p, a := startLoggedIn(t)
	other := s.tab(chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
	other.open("#/favorites")
	other.waitForView("#/favorites", "Favorites")
	p.goTo("Account")
	old := eval[string](other, "sessionStorage['cinema.session']")
	p.fill("Password", "a changed secret", "CurrentPassword", a.Password)
	p.clickText("Save")
	p.waitForText("#toasts", "Your account was saved.")
	other.waitFor("sessionStorage['cinema.session'] !== " + jsString(old))
	other.goTo("Account")

	for _, tab := range []*page{p, other} {
		tab.do(chromedp.Navigate("about:blank"))
	}
	third := s.tab(chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
	third.open("#/favorites")
	third.waitForView("#/login", "Welcome to the cinema")
}

// The page logs out although the API does not answer.
func TestLogoutOffline(t *testing.T) {
	t.Parallel()
	s, p, _ := startLoggedIn(t)
	s.intercept(dropConnection)
	p.clickText("Log out")
	p.waitForView("#/login", "Welcome to the cinema")
	p.do(chromedp.Reload())
	p.waitForView("#/login", "Welcome to the cinema")
}

// A login that the API is too busy for is sent again.
func TestLoginWhileBusy(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.register("grace")
	var logins atomic.Int32
	s.intercept(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/login" && logins.Add(1) == 1 {
			unavailable(1)(w, r)
			return
		}
		s.backend.ServeHTTP(w, r)
	})
	p := s.page()
	p.logIn(a)
	assert.EqualValues(t, 2, logins.Load())
}

// A damaged image says so at once. The API's reason for refusing an upload is shown at the upload.
func TestDamagedImages(t *testing.T) {
	t.Parallel()
	s, p, _ := startLoggedIn(t)
	var renditions atomic.Int32
	s.intercept(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/thumbnail"), strings.HasSuffix(r.URL.Path, "/view"):
			renditions.Add(1)
			writeProblem(w, http.StatusNotFound, "This image is damaged; it has no thumbnail.")
		default:
			s.backend.ServeHTTP(w, r)
		}
	})
	p.goTo("Gallery")
	upload(p, jpegFile(t, "sunset.jpg", 300, 200))
	p.waitForText(".tile", "Damaged image")
	p.click(".tile")
	p.waitForText(".viewer-frame", "This image is damaged or was deleted.")
	assert.EqualValues(t, 2, renditions.Load(), "one request for each rendition")
	p.click("[aria-label='Close']")

	s.intercept(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		writeProblem(w, http.StatusUnprocessableEntity, "The image is cut off; upload the whole file.")
	})
	upload(p, jpegFile(t, "dawn.jpg", 300, 200))
	p.waitForText(".upload", "Not uploaded. The image is cut off; upload the whole file.")
	s.restore()
	p.clickText("Dismiss")
}

// Members see who uploaded an image and its caption, and only the owner can change it. The viewer shows the view, and the
// original opens in a new tab.
func TestOriginalAndOwner(t *testing.T) {
	t.Parallel()
	s, p, _ := startLoggedIn(t)
	p.addStartupScript("const real = window.open; window.open = (...args) => (window.opened = real.apply(window, args));")
	p.open("#/gallery")
	p.waitForView("#/gallery", "Gallery")
	upload(p, jpegFile(t, "sunset.jpg", 2400, 1600))
	p.waitFor("document.querySelector('.tile img')?.naturalWidth > 0")
	assert.Contains(t, eval[string](p, "document.querySelector('.tile').getAttribute('aria-label')"), "Open: Image by grace, uploaded ")
	p.click(".tile")
	p.waitFor("document.querySelector('.viewer img')?.naturalWidth === 1600")
	p.click("[aria-label='Open the original in a new tab']")
	p.waitFor("window.opened.location.href.startsWith('blob:') && window.opened.document.images[0].naturalWidth === 2400")
	p.do(chromedp.Evaluate[chromedp.Void]("window.opened.close()"))
	p.click("[aria-label='Edit the caption']")
	p.fill("Caption", "<b>Dusk</b>")
	p.clickText("Save")
	p.waitForText(".viewer-caption", "<b>Dusk</b>")
	assert.Equal(t, "Edit the caption", eval[string](p, "document.activeElement.getAttribute('aria-label')"), "the focus goes back")
	p.click("[aria-label='Close']")
	p.waitForText(".tile-caption", "<b>Dusk</b>")
	assert.Equal(t, "tile", eval[string](p, "document.activeElement.className"))

	member := s.page()
	member.logIn(s.register("ada"))
	member.goTo("Gallery")
	member.waitForText(".tile-meta", "by grace")
	member.click(".tile")
	member.waitFor("document.querySelector('.viewer img')?.alt === '<b>Dusk</b>'")
	assert.False(t, eval[bool](member, "document.querySelector(`[aria-label='Edit the caption']`).checkVisibility()"))
	assert.False(t, eval[bool](member, "document.querySelector(`[aria-label='Delete this image']`).checkVisibility()"))
}

// A weak password's reason is shown at the field.
func TestWeakPassword(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	p.open("#/signup")
	p.fill("Username", "grace", "Email", "grace@example.com", "Password", "password")
	p.clickText("Sign up")
	p.waitFor("document.querySelector('[name=Password][aria-invalid]') && document.activeElement.name === 'Password'")
	answer := eval[string](p, `fetch("/api/users", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ Username: "grace", Email: "grace@example.com", Password: "password" }) }).then((r) => r.text())`)
	var problem struct {
		Errors []struct{ Field, Reason string }
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &problem))
	require.Len(t, problem.Errors, 1)
	p.waitForText(".field-error:not([hidden])", "Password "+problem.Errors[0].Reason+".")
}
