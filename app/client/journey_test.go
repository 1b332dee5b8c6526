package client_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func jpegFile(t *testing.T, name string, width, height int) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), 120, 255})
		}
	}
	var data bytes.Buffer
	require.NoError(t, jpeg.Encode(&data, img, nil))
	return file(t, name, data.Bytes())
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func upload(p *page, file string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#upload-input"), []string{file}))
}

// One user's visit, from the sign-up to the deletion of the account.
func TestJourney(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()

	p.open("")
	p.waitForView("#/login", "Welcome to the cinema")
	p.screenshot("login")
	p.clickText("Sign up")
	p.waitForView("#/signup", "Join the cinema")
	p.clickText("Sign up")
	p.waitForText("main", "Use at least 8 characters.")
	assert.Equal(t, "Username", eval[string](p, "document.activeElement.name"), "the focus goes to the first invalid field")
	p.fill("Username", "ada", "Email", "ada@example.com", "Password", "correct horse")
	p.clickText("Sign up")

	p.waitForView("#/movies", "Movies")
	assert.Equal(t, "Movies · Cinema", run(p, chromedp.Title()))
	all := eval[int](p, "document.querySelectorAll('.results .card').length")
	assert.GreaterOrEqual(t, all, 40)
	p.screenshot("movies")

	p.fill("q", "kubrick")
	p.waitForSearch("kubrick") // the address contains the query
	p.waitFor("document.querySelector('.count').textContent.match(/^\\d+ movies?$/)")
	assert.True(t, eval[bool](p, "[...document.querySelectorAll('.results .card')].every((c) => c.textContent.includes('Kubrick'))"))
	p.fill("q", "no such movie")
	p.waitForText(".results", "No movie matches “no such movie”.")
	p.clickText("Show all movies")
	p.waitForText(".count", fmt.Sprintf("%d movies", all))

	genre := eval[string](p, "document.querySelectorAll('.chip')[1].textContent")
	p.click(".chip:nth-of-type(2)")
	p.waitFor(fmt.Sprintf("document.querySelectorAll('.results .card').length < %d && !document.querySelector('.results[aria-busy]')", all))
	assert.True(t, eval[bool](p, fmt.Sprintf("[...document.querySelectorAll('.results .card')].every((c) => c.textContent.includes(%s))", jsString(genre))))

	title := eval[string](p, "document.querySelector('.results .card-title').textContent")
	p.clickText(title)
	p.waitForView("#/movies/", title)
	assert.Equal(t, "H1", eval[string](p, "document.activeElement.tagName"), "the focus goes to the new view")
	p.clickText("Add to favorites")
	p.waitFor("document.querySelector('.heart-labeled[aria-pressed=true]')")
	p.screenshot("movie")
	p.do(chromedp.NavigateBack())
	p.waitForView("#/movies?genre=", "Movies")
	p.waitFor(fmt.Sprintf("document.activeElement.textContent === %s", jsString(title)))

	p.goTo("Favorites")
	p.waitForText("main", title)
	p.do(chromedp.Reload())
	p.waitForView("#/favorites", "Favorites")
	p.waitForText("main", title)

	p.goTo("Gallery")
	p.waitFor(emptyGallery)
	upload(p, jpegFile(t, "sunset.jpg", 1200, 900))
	p.waitFor("document.querySelector('.tile img')?.naturalWidth > 0")
	assert.Less(t, eval[int](p, "document.querySelector('.tile img').naturalWidth"), 1200, "the thumbnail is smaller")
	p.waitForText(".count", "1 image")
	p.screenshot("gallery")
	p.click(".tile")
	p.waitFor("document.querySelector('.viewer img')?.naturalWidth === 1200")
	p.screenshot("original")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.waitFor("!document.querySelector('dialog')")
	assert.Equal(t, "tile", eval[string](p, "document.activeElement.className"), "the focus goes back")
	p.click(".tile")
	p.click("[aria-label='Delete this image']")
	p.clickText("Delete")
	p.waitFor(emptyGallery)
	p.waitFor("!document.querySelector('.tile')")

	p.goTo("Account")
	assert.Equal(t, "ada@example.com", eval[string](p, "document.querySelector('[name=Email]').value"))
	p.fill("Username", "ada-l", "Email", "lovelace@example.com", "Password", "another secret", "CurrentPassword", "a guess")
	p.clickText("Save")
	p.waitForText(".field-error:not([hidden])", "Current password is wrong.")
	p.fill("CurrentPassword", "correct horse")
	p.clickText("Save")
	p.waitForText("#toasts", "Your account was saved.")
	p.waitForText(".user-name", "ada-l")
	p.goTo("Favorites")
	p.waitForText("main", title)

	p.clickText("Log out")
	p.waitForView("#/login", "Welcome to the cinema")
	assert.Equal(t, "null null", eval[string](p, "`${sessionStorage.getItem('cinema.session')} ${localStorage.getItem('cinema.session')}`"))
	p.submitLogin("ada-l", "correct horse")
	p.waitForText("[role=alert]", "No account has this name and password.")
	p.fill("Password", "another secret")
	p.clickText("Log in")
	p.waitForView("#/movies", "Movies")

	p.goTo("Account")
	p.clickText("Delete account…")
	p.waitForText("dialog", "Delete the account “ada-l”?")
	p.fill("CurrentPassword", "another secret")
	p.clickText("Delete account")
	p.waitForView("#/login", "Welcome to the cinema")
	p.submitLogin("ada-l", "another secret")
	p.waitForText("[role=alert]", "No account has this name and password.")
}

func TestSignUpErrorsAreShownAtTheField(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register("grace")
	p := s.page()
	p.open("#/signup")
	p.fill("Username", "Grace", "Email", "other@example.com", "Password", "correct horse")
	p.clickText("Sign up")
	p.waitFor("document.querySelector('[name=Username][aria-invalid]')")
	p.waitForText(".field-error:not([hidden])", "Username is taken.")
	assert.Equal(t, "Username", eval[string](p, "document.activeElement.name"))
	assert.Contains(t, eval[string](p, "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent"), "taken")
}

// The sign-up succeeds, but the login after it fails.
func TestSignUpWithoutLogin(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.intercept(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/login" {
			unavailable(1)(w, r)
		} else {
			s.backend.ServeHTTP(w, r)
		}
	})
	p := s.page()
	p.open("#/signup")
	p.fill("Username", "grace", "Email", "grace@example.com", "Password", "correct horse")
	p.clickText("Sign up")
	p.waitForText("#toasts", "Your account was created. Log in to continue. Cinema is not available. Try again in 1 second.")
	p.waitForView("#/login", "Welcome to the cinema")
	s.restore()
	p.submitLogin("grace", "correct horse")
	p.waitForView("#/movies", "Movies")
}

// In a browser that blocks site data, the session lasts as long as the page.
func TestStorageBlocked(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.register("grace")
	p := s.page()
	p.addStartupScript(`for (const name of ["sessionStorage", "localStorage"]) {
		Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
	}`)
	p.logIn(a)
	p.logInPersistently(a)
	p.do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new StorageEvent("storage", { key: "cinema.session" }))`))
	p.goTo("Favorites")
	p.do(chromedp.Reload())
	p.waitForView("#/login", "Welcome to the cinema")
}

// Two changes in a row: the answer to the first arrives last, and does not include the second.
func TestFavoritesInAnyOrder(t *testing.T) {
	t.Parallel()
	s, p, _ := startLoggedIn(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	proceed := sync.OnceFunc(func() { close(release) })
	t.Cleanup(proceed)
	var held atomic.Bool
	s.intercept(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || held.Swap(true) {
			s.backend.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		s.backend.ServeHTTP(answer, r)
		arrived <- struct{}{}
		<-release
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	})
	heart := func(n int) string { return fmt.Sprintf(".results .card:nth-child(%d) .heart", n) }
	titles := eval[[]string](p, "[...document.querySelectorAll('.results .card-title')].map((e) => e.textContent)")
	favorites := "JSON.parse(sessionStorage['cinema.session']).user.FavoriteMovies.length"
	p.click(heart(1))
	p.waitForRequest(arrived)
	p.click(heart(2))
	p.waitFor(favorites + " > 0")
	remembered := eval[string](p, "sessionStorage['cinema.session']")
	proceed()
	p.waitFor("sessionStorage['cinema.session'] !== " + jsString(remembered))
	require.Equal(t, 2, eval[int](p, favorites))

	p.click(heart(2))
	p.waitFor(favorites + " === 1 && document.querySelector(" + jsString(heart(2)+"[aria-pressed=false]") + ")")
	p.click(heart(2))
	p.waitFor(favorites + " === 2 && document.querySelector(" + jsString(heart(2)+"[aria-pressed=true]") + ")")
	p.goTo("Favorites")
	p.waitForText("main", titles[0])
	p.waitForText("main", titles[1])
}

// The session lasts as long as the tab, or longer if the user chooses to stay logged in.
func TestStayingLoggedIn(t *testing.T) {
	t.Parallel()
	s, p, a := startLoggedIn(t)
	assert.Equal(t, "true false", eval[string](p, "`${'cinema.session' in sessionStorage} ${'cinema.session' in localStorage}`"))
	p.logInPersistently(a)
	assert.Equal(t, "true true", eval[string](p, "`${'cinema.session' in sessionStorage} ${'cinema.session' in localStorage}`"))

	other := s.tab(chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
	other.open("#/favorites")
	other.waitForView("#/favorites", "Favorites")
	p.clickText("Log out")
	p.waitForView("#/login", "Welcome to the cinema")
	other.waitForView("#/login", "Welcome to the cinema")
}

// When the API ends the session, the page says so and returns to the same view after the login.
func TestSessionExpiry(t *testing.T) {
	t.Parallel()
	s, p, a := startLoggedIn(t)
	p.goTo("Account")

	// A changed password ends every older session.
	token := s.call("POST", "/login", "", map[string]string{"Username": a.Username, "Password": a.Password})["token"].(string)
	old := a.Password
	a.Password = "a changed secret"
	s.call("PUT", "/users/"+a.Username, token, map[string]string{
		"Username": a.Username, "Email": a.Email, "Password": a.Password, "CurrentPassword": old,
	})

	p.fill("Email", "changed@example.com", "CurrentPassword", old)
	p.clickText("Save")
	p.waitForView("#/login", "Welcome to the cinema")
	p.waitForText("[role=alert]", "Your session has ended.")
	p.screenshot("session-ended")
	assert.Equal(t, "Username", eval[string](p, "document.activeElement.name"))
	p.submitLogin(a.Username, a.Password)
	p.waitForView("#/account", "Account")
	assert.Equal(t, a.Email, eval[string](p, "document.querySelector('[name=Email]').value"), "a change from an ended session is not stored")
}

// While the API is unavailable, the page shows one message and tries again after the API's delay, without a reload.
func TestAPIUnavailable(t *testing.T) {
	t.Parallel()
	s, p, a := startLoggedIn(t)

	p.subtest(t, "unavailable as a view opens", func(t *testing.T) {
		s.intercept(unavailable(1))
		p.clickText("Favorites")
		p.waitForText("h1", "Cinema is not available")
		p.waitForText(".unavailable-actions", "Trying again")
		p.screenshot("api-unavailable")
		s.restore()
		p.waitForView("#/favorites", "Favorites")
	})
	p.subtest(t, "no response", func(t *testing.T) {
		s.intercept(dropConnection)
		p.clickText("Movies")
		p.waitForText("h1", "Cinema is not available")
		s.intercept(unavailable(300))
		p.waitFor("/ (2\\d\\d|300) s\\./.test(document.querySelector('.unavailable-countdown').textContent)")
		s.restore()
		p.clickText("Try now")
		p.waitForView("#/movies", "Movies")
	})
	p.subtest(t, "unavailable in a search", func(t *testing.T) {
		s.intercept(unavailable(1))
		p.fill("q", "alien")
		p.waitForText(".results", "Cinema is not available")
		assert.Equal(t, "alien", eval[string](p, "document.querySelector('[name=q]').value"))
		s.restore()
		p.waitForSearch("alien")
		p.waitFor("document.querySelector('.results .card-title')?.textContent.includes('Alien')")
	})
	p.subtest(t, "a refused favorite changes back", func(t *testing.T) {
		s.intercept(unavailable(1))
		p.click(".results .heart")
		p.waitForText("#toasts", "was not added. Cinema is not available. Try again in 1 second.")
		p.waitFor("document.querySelector('.results .heart[aria-pressed=false]')")
		s.restore()
		p.click(".results .heart")
		p.waitFor("document.querySelector('.results .heart[aria-pressed=true]')")
	})
	p.subtest(t, "a slow favorite is not lost", func(t *testing.T) {
		p.clickText("Movies")
		p.waitFor("document.querySelector('.results .heart[aria-pressed=false]') && !document.querySelector('main[aria-busy]')")
		title := eval[string](p, "document.querySelector('.results .card:has(.heart[aria-pressed=false]) .card-title').textContent")
		arrived, release := make(chan struct{}, 1), make(chan struct{})
		proceed := sync.OnceFunc(func() { close(release) })
		defer proceed()
		s.intercept(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				arrived <- struct{}{}
				<-release
			}
			s.backend.ServeHTTP(w, r)
		})
		defer s.restore()
		p.click(".results .heart[aria-pressed=false]")
		p.waitForRequest(arrived)
		p.clickText("Favorites")
		// The view has requested the movies and waits for the change before it requests the account.
		p.waitFor("document.querySelector('main[aria-busy]')")
		proceed()
		p.waitForView("#/favorites", "Favorites")
		p.waitForText("main", title)
	})
	p.subtest(t, "an upload can be tried again", func(t *testing.T) {
		p.goTo("Gallery")
		s.intercept(dropConnection)
		upload(p, jpegFile(t, "sunset.jpg", 300, 200))
		p.waitForText(".upload", "Not uploaded.")
		s.restore()
		p.clickText("Try again")
		p.waitFor("document.querySelector('.tile img')?.naturalWidth > 0 && !document.querySelector('.upload')")
	})
	p.subtest(t, "an upload that timed out can be tried again", func(t *testing.T) {
		s.intercept(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			writeProblem(w, http.StatusRequestTimeout, "The image did not arrive in time.")
		})
		upload(p, jpegFile(t, "dawn.jpg", 300, 200))
		p.waitForText(".upload", "Not uploaded. The image did not arrive in time.")
		s.restore()
		p.clickText("Try again")
		p.waitFor("document.querySelectorAll('.tile').length === 2 && !document.querySelector('.upload')")
	})
	p.subtest(t, "a login shows the error", func(t *testing.T) {
		p.clickText("Log out")
		s.intercept(unavailable(1))
		p.submitLogin(a.Username, a.Password)
		p.waitForText("[role=alert]", "Login failed. Cinema is not available.")
		s.restore()
		p.clickText("Log in")
		p.waitForView("#/movies", "Movies")
	})
}

// An upload shows its progress and can be canceled. A file that is not an image is not sent.
func TestUpload(t *testing.T) {
	t.Parallel()
	s, p, _ := startLoggedIn(t)
	p.goTo("Gallery")

	arrived, release := make(chan struct{}, 1), make(chan struct{})
	t.Cleanup(func() { close(release) })
	s.intercept(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
		panic(http.ErrAbortHandler)
	})
	upload(p, jpegFile(t, "sunset.jpg", 300, 200))
	p.waitForRequest(arrived)
	assert.Equal(t, "Upload of sunset.jpg", eval[string](p, "document.querySelector('progress').getAttribute('aria-label')"))
	p.clickText("Cancel")
	p.waitFor("!document.querySelector('.upload')")

	upload(p, jpegFile(t, "dawn.jpg", 300, 200))
	p.waitForRequest(arrived)
	s.restore()
	p.clickText("Movies")
	p.waitForText("#toasts", "dawn.jpg was not uploaded because you left the gallery.")
	p.goTo("Gallery")

	upload(p, file(t, "notes.txt", []byte("not an image")))
	p.waitForText(".upload", "the file is not a JPEG, PNG, GIF or WebP image")
	p.clickText("Dismiss")
	p.waitFor("!document.querySelector('.upload')")

	// The file's name says JPEG, but its bytes do not: the page shows the API's answer, and the name as plain text.
	upload(p, file(t, "<img src=x onerror=alert(1)>.jpg", []byte("PK\x03\x04 a zip")))
	p.waitForText(".upload", "<img src=x onerror=alert(1)>.jpg")
	p.waitForText(".upload", "The file is not a JPEG, PNG, GIF or WebP image.")
	p.waitFor(emptyGallery)
}
