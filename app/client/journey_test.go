package client_test

import (
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

// photograph is a JPEG file of that size.
func photograph(t *testing.T, name string, width, height int) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.Set(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), 120, 255})
		}
	}
	file := filepath.Join(t.TempDir(), name)
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, jpeg.Encode(f, picture, nil))
	require.NoError(t, f.Close())
	return file
}

func upload(p *page, file string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#pictures"), []string{file}))
}

// Everything one person does with the page, from signing up to leaving.
func TestJourney(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()

	p.open("")
	p.at("#/login", "Welcome to the cinema")
	p.shot("login")
	p.follow("Sign up")
	p.at("#/signup", "Join the cinema")
	p.follow("Sign up")
	p.says("main", "Use at least 8 characters.")
	assert.Equal(t, "Username", eval[string](p, "document.activeElement.name"), "the focus goes to the first field that is wrong")
	p.fill("Username", "ada", "Email", "ada@example.com", "Password", "correct horse")
	p.follow("Sign up")

	p.at("#/movies", "Films")
	assert.Equal(t, "Films · Cinema", run(p, chromedp.Title()))
	all := eval[int](p, "document.querySelectorAll('.results .card').length")
	assert.GreaterOrEqual(t, all, 40)
	p.shot("films")

	p.fill("q", "kubrick")
	p.searched("kubrick") // and the address keeps it
	p.until(fmt.Sprintf("document.querySelector('.count').textContent.match(/^\\d+ films? of %d$/)", all))
	assert.True(t, eval[bool](p, "[...document.querySelectorAll('.results .card')].every((c) => c.textContent.includes('Kubrick'))"))
	p.fill("q", "no such film")
	p.says(".results", "No film matches “no such film”.")
	p.follow("Show all films")
	p.says(".count", fmt.Sprintf("%d films", all))

	genre := eval[string](p, "document.querySelectorAll('.chip')[1].textContent")
	p.click(".chip:nth-of-type(2)")
	p.until(fmt.Sprintf("document.querySelector('.count').textContent.endsWith('of %d')", all))
	assert.True(t, eval[bool](p, fmt.Sprintf("[...document.querySelectorAll('.results .card')].every((c) => c.textContent.includes(%s))", quote(genre))))

	title := eval[string](p, "document.querySelector('.results .card-title').textContent")
	p.follow(title)
	p.at("#/movies/", title)
	assert.Equal(t, "H1", eval[string](p, "document.activeElement.tagName"), "the focus goes to the new view")
	p.follow("Add to favourites")
	p.until("document.querySelector('.heart-wide[aria-pressed=true]')")
	p.shot("film")
	p.do(chromedp.NavigateBack())
	p.at("#/movies?genre=", "Films")
	p.until(fmt.Sprintf("document.activeElement.textContent === %s", quote(title)))

	p.follow("Favourites")
	p.at("#/favourites", "Favourites")
	p.says("main", title)
	p.do(chromedp.Reload())
	p.at("#/favourites", "Favourites")
	p.says("main", title)

	p.follow("Gallery")
	p.at("#/gallery", "Gallery")
	p.until(noPictures)
	upload(p, photograph(t, "sunset.jpg", 1200, 900))
	p.until("document.querySelector('.tile img')?.naturalWidth > 0")
	assert.Less(t, eval[int](p, "document.querySelector('.tile img').naturalWidth"), 1200, "the thumbnail is smaller")
	p.says(".count", "1 picture")
	p.shot("gallery")
	p.click(".tile")
	p.until("document.querySelector('.viewer img')?.naturalWidth === 1200")
	p.shot("original")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until("!document.querySelector('dialog')")
	assert.Equal(t, "tile", eval[string](p, "document.activeElement.className"), "the focus goes back")
	p.click(".tile")
	p.click("[aria-label='Delete this picture']")
	p.follow("Delete")
	p.until(noPictures)
	p.until("!document.querySelector('.tile')")

	p.follow("Account")
	p.at("#/account", "Account")
	assert.Equal(t, "ada@example.com", eval[string](p, "document.querySelector('[name=Email]').value"))
	p.fill("Username", "ada-l", "Email", "lovelace@example.com", "Password", "another secret")
	p.follow("Save")
	p.says("#toasts", "Your account is saved.")
	p.says(".who-name", "ada-l")
	p.follow("Favourites")
	p.at("#/favourites", "Favourites")
	p.says("main", title)

	p.follow("Log out")
	p.at("#/login", "Welcome to the cinema")
	assert.Equal(t, "null null", eval[string](p, "`${sessionStorage.getItem('cinema.session')} ${localStorage.getItem('cinema.session')}`"))
	p.fill("Username", "ada-l", "Password", "correct horse")
	p.follow("Log in")
	p.says("[role=alert]", "No account has this name and password.")
	p.fill("Password", "another secret")
	p.follow("Log in")
	p.at("#/movies", "Films")

	p.follow("Account")
	p.at("#/account", "Account")
	p.follow("Delete account…")
	p.says("dialog", "Delete the account “ada-l”?")
	p.follow("Delete account")
	p.at("#/login", "Welcome to the cinema")
	p.fill("Username", "ada-l", "Password", "another secret")
	p.follow("Log in")
	p.says("[role=alert]", "No account has this name and password.")
}

// A taken name and a wrong field are said at the field.
func TestSignUpProblemsStandAtTheField(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register("grace")
	p := s.page()
	p.open("#/signup")
	p.fill("Username", "Grace", "Email", "other@example.com", "Password", "correct horse")
	p.follow("Sign up")
	p.until("document.querySelector('[name=Username][aria-invalid]')")
	p.says(".field-error:not([hidden])", "Username is taken.")
	assert.Equal(t, "Username", eval[string](p, "document.activeElement.name"))
	assert.Contains(t, eval[string](p, "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent"), "taken")
}

// The account is made, but the log-in right after it fails.
func TestSignUpWithoutLogIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.away(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			unavailable(1)(w, r)
			return
		}
		s.proxy.ServeHTTP(w, r)
	})
	p := s.page()
	p.open("#/signup")
	p.fill("Username", "grace", "Email", "grace@example.com", "Password", "correct horse")
	p.follow("Sign up")
	p.says("#toasts", "Your account is made. Log in to go on. The cinema can't do this right now. Try again in 1 second.")
	p.at("#/login", "Welcome to the cinema")
	s.back()
	p.fill("Username", "grace", "Password", "correct horse")
	p.follow("Log in")
	p.at("#/movies", "Films")
}

// A browser that keeps no site data: the session lasts as long as the page.
func TestStorageBarred(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.register("grace")
	p := s.page()
	p.before(`for (const name of ["sessionStorage", "localStorage"]) {
		Object.defineProperty(window, name, { get() { throw new DOMException("barred", "SecurityError"); } });
	}`)
	p.logIn(a)
	p.stay(a)
	p.do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new StorageEvent("storage", { key: "cinema.session" }))`))
	p.follow("Favourites")
	p.at("#/favourites", "Favourites")
	p.do(chromedp.Reload())
	p.at("#/login", "Welcome to the cinema")
}

// Two hearts in a row: the first one's answer comes last, and does not know of the second.
func TestFavouritesInAnyOrder(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	p.logIn(s.register("grace"))
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	let := sync.OnceFunc(func() { close(release) })
	t.Cleanup(let)
	var hold atomic.Bool
	hold.Store(true)
	s.away(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !hold.Swap(false) {
			s.proxy.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		s.proxy.ServeHTTP(answer, r)
		arrived <- struct{}{}
		<-release
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	})
	heart := func(n int) string { return fmt.Sprintf(".results .card:nth-child(%d) .heart", n) }
	title := func(n int) string {
		return eval[string](p, fmt.Sprintf("document.querySelector('.results .card:nth-child(%d) .card-title').textContent", n))
	}
	first, second := title(1), title(2)
	favourites := "JSON.parse(sessionStorage['cinema.session']).user.FavoriteMovies.length"
	p.click(heart(1))
	p.receive(arrived)
	p.click(heart(2))
	p.until(favourites + " > 0")
	remembered := eval[string](p, "sessionStorage['cinema.session']")
	let()
	p.until("sessionStorage['cinema.session'] !== " + quote(remembered))
	require.Equal(t, 2, eval[int](p, favourites))

	p.click(heart(2))
	p.until(favourites + " === 1 && document.querySelector(" + quote(heart(2)+"[aria-pressed=false]") + ")")
	p.click(heart(2))
	p.until(favourites + " === 2 && document.querySelector(" + quote(heart(2)+"[aria-pressed=true]") + ")")
	p.follow("Favourites")
	p.at("#/favourites", "Favourites")
	p.says("main", first)
	p.says("main", second)
}

// The session lasts as long as the tab, or longer for who asks.
func TestStayingLoggedIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.register("grace")
	p := s.page()
	p.logIn(a)
	assert.Equal(t, "true false", eval[string](p, "`${'cinema.session' in sessionStorage} ${'cinema.session' in localStorage}`"))
	p.stay(a)
	assert.Equal(t, "false true", eval[string](p, "`${'cinema.session' in sessionStorage} ${'cinema.session' in localStorage}`"))

	other := s.beside(p)
	other.open("#/favourites")
	other.at("#/favourites", "Favourites")
	p.follow("Log out")
	p.at("#/login", "Welcome to the cinema")
	other.at("#/login", "Welcome to the cinema")
}

// The API ends the session: the page says so, and goes on after the log-in where it was.
func TestSessionExpiry(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.register("grace")
	p := s.page()
	p.logIn(a)
	p.follow("Account")
	p.at("#/account", "Account")

	// A changed password ends every older session.
	token := s.call("POST", "/login", "", map[string]string{"Username": a.Username, "Password": a.Password})["token"].(string)
	a.Password = "a changed secret"
	s.call("PUT", "/users/"+a.Username, token, a)

	p.fill("Email", "changed@example.com")
	p.follow("Save")
	p.at("#/login", "Welcome to the cinema")
	p.says("[role=alert]", "Your session has ended.")
	p.shot("session-ended")
	assert.Equal(t, "Username", eval[string](p, "document.activeElement.name"))
	p.fill("Username", a.Username, "Password", a.Password)
	p.follow("Log in")
	p.at("#/account", "Account")
	assert.Equal(t, a.Email, eval[string](p, "document.querySelector('[name=Email]').value"), "what an ended session sent is not stored")
}

// The API is away: said once, tried again as it asks, and recovered from without a reload.
func TestAPIAway(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.register("grace")
	p := s.page()
	p.logIn(a)

	t.Run("unavailable as a view opens", func(t *testing.T) {
		defer p.in(t)()
		s.away(unavailable(1))
		p.follow("Favourites")
		p.says("h1", "The cinema is not answering")
		p.says(".away-actions", "Trying again")
		p.shot("api-away")
		s.back()
		p.at("#/favourites", "Favourites")
	})
	t.Run("no answer at all", func(t *testing.T) {
		defer p.in(t)()
		s.away(cut)
		p.follow("Films")
		p.says("h1", "The cinema is not answering")
		s.away(unavailable(300))
		p.until("/ (2\\d\\d|300) s\\./.test(document.querySelector('.away-left').textContent)")
		s.back()
		p.follow("Try now")
		p.at("#/movies", "Films")
	})
	t.Run("unavailable in a search", func(t *testing.T) {
		defer p.in(t)()
		s.away(unavailable(1))
		p.fill("q", "alien")
		p.says(".results", "The cinema is not answering")
		assert.Equal(t, "alien", eval[string](p, "document.querySelector('[name=q]').value"))
		s.back()
		p.searched("alien")
		p.until("document.querySelector('.results .card-title')?.textContent.includes('Alien')")
	})
	t.Run("a favourite is taken back", func(t *testing.T) {
		defer p.in(t)()
		s.away(unavailable(1))
		p.click(".results .heart")
		p.says("#toasts", "was not added. The cinema can't do this right now. Try again in 1 second.")
		p.until("document.querySelector('.results .heart[aria-pressed=false]')")
		s.back()
		p.click(".results .heart")
		p.until("document.querySelector('.results .heart[aria-pressed=true]')")
	})
	t.Run("a slow favourite is not overtaken", func(t *testing.T) {
		defer p.in(t)()
		p.follow("Films")
		p.until("document.querySelector('.results .heart[aria-pressed=false]') && !document.querySelector('main[aria-busy]')")
		title := eval[string](p, "document.querySelector('.results .card:has(.heart[aria-pressed=false]) .card-title').textContent")
		arrived, release := make(chan struct{}, 1), make(chan struct{})
		let := sync.OnceFunc(func() { close(release) })
		defer let()
		s.away(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				arrived <- struct{}{}
				<-release
			}
			s.proxy.ServeHTTP(w, r)
		})
		defer s.back()
		p.click(".results .heart[aria-pressed=false]")
		p.receive(arrived)
		p.follow("Favourites")
		// The view has asked for the films and waits for the change before it asks for the account.
		p.until("document.querySelector('main[aria-busy]')")
		let()
		p.at("#/favourites", "Favourites")
		p.says("main", title)
	})
	t.Run("an upload can be tried again", func(t *testing.T) {
		defer p.in(t)()
		p.follow("Gallery")
		p.at("#/gallery", "Gallery")
		s.away(cut)
		upload(p, photograph(t, "sunset.jpg", 300, 200))
		p.says(".upload", "Not uploaded.")
		s.back()
		p.follow("Try again")
		p.until("document.querySelector('.tile img')?.naturalWidth > 0 && !document.querySelector('.upload')")
	})
	t.Run("an upload that took too long too", func(t *testing.T) {
		defer p.in(t)()
		s.away(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusRequestTimeout)
			io.WriteString(w, `{"type":"about:blank","title":"Request Timeout","status":408,"detail":"The picture did not arrive in time."}`)
		})
		upload(p, photograph(t, "dawn.jpg", 300, 200))
		p.says(".upload", "Not uploaded. The picture did not arrive in time.")
		s.back()
		p.follow("Try again")
		p.until("document.querySelectorAll('.tile').length === 2 && !document.querySelector('.upload')")
	})
	t.Run("a log-in says so", func(t *testing.T) {
		defer p.in(t)()
		p.follow("Log out")
		s.away(unavailable(1))
		p.fill("Username", a.Username, "Password", a.Password)
		p.follow("Log in")
		p.says("[role=alert]", "You are not logged in. The cinema can't do this right now.")
		s.back()
		p.follow("Log in")
		p.at("#/movies", "Films")
	})
}

// An upload shows its progress and can be stopped; what is no picture never leaves the page.
func TestUpload(t *testing.T) {
	t.Parallel()
	s := start(t)
	p := s.page()
	p.logIn(s.register("grace"))
	p.follow("Gallery")
	p.at("#/gallery", "Gallery")

	arrived, release := make(chan struct{}, 1), make(chan struct{})
	t.Cleanup(func() { close(release) })
	hold := func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
		panic(http.ErrAbortHandler)
	}
	s.away(hold)
	upload(p, photograph(t, "sunset.jpg", 300, 200))
	p.receive(arrived)
	assert.Equal(t, "Upload of sunset.jpg", eval[string](p, "document.querySelector('progress').getAttribute('aria-label')"))
	p.follow("Cancel")
	p.until("!document.querySelector('.upload')")

	upload(p, photograph(t, "dawn.jpg", 300, 200))
	p.receive(arrived)
	s.back()
	p.follow("Films")
	p.says("#toasts", "dawn.jpg was not uploaded: the gallery was left.")
	p.follow("Gallery")
	p.at("#/gallery", "Gallery")

	text := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(text, []byte("no picture"), 0o600))
	upload(p, text)
	p.says(".upload", "it is no JPEG, PNG, GIF or WebP picture")
	p.follow("Dismiss")
	p.until("!document.querySelector('.upload')")

	// A name may claim what the bytes are not: the API's answer is shown, and the name is only text.
	liar := filepath.Join(t.TempDir(), "<img src=x onerror=alert(1)>.jpg")
	require.NoError(t, os.WriteFile(liar, []byte("PK\x03\x04 a zip"), 0o600))
	upload(p, liar)
	p.says(".upload", "<img src=x onerror=alert(1)>.jpg")
	p.says(".upload", "The file is not a JPEG, PNG, GIF or WebP image.")
	p.until(noPictures)
}
