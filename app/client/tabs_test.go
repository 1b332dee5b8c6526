package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/testimage"
)

// A new tab has the session of the tab that it was opened from, without the login page. A log-out ends it in both. Nothing
// but the device's text stays.
func TestSecondTab(t *testing.T) {
	t.Parallel()
	s, p, _ := startLoggedIn(t)
	other := s.tab(chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
	other.open("#/favorites")
	other.waitForView("#/favorites", "Favorites")
	assert.Equal(t, eval[string](p, "JSON.parse(sessionStorage['cinema.session']).token"), eval[string](other, "JSON.parse(sessionStorage['cinema.session']).token"))
	other.do(chromedp.Reload())
	other.waitForView("#/favorites", "Favorites")
	other.clickText("Log out")
	for _, tab := range []*page{p, other} {
		tab.waitForView("#/login", "Welcome to the cinema")
	}
	assert.Equal(t, "cinema.devices", eval[string](p, "Object.keys(localStorage).concat(Object.keys(sessionStorage)).join()"))
}

// A log-out ends the session on the server, and the next log-in on this device sends the device's text.
func TestLogoutAndKnownDevice(t *testing.T) {
	t.Parallel()
	s, p, a := startLoggedIn(t)
	token := eval[string](p, "JSON.parse(sessionStorage['cinema.session']).token")
	p.clickText("Log out")
	p.waitForView("#/login", "Welcome to the cinema")
	request, err := http.NewRequestWithContext(t.Context(), "GET", s.api+"/users/"+a.Username, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	require.Eventually(t, func() bool {
		response, err := http.DefaultClient.Do(request)
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusUnauthorized
	}, stepTimeout, 10*time.Millisecond, "the page does not wait for the log-out")
	device := eval[string](p, "JSON.parse(localStorage['cinema.devices'])[`"+a.Username+"`]")
	sent := make(chan string, 1)
	s.intercept(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == contract.BasePath+"/login" {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			var login struct{ Device string }
			assert.NoError(t, json.Unmarshal(body, &login))
			sent <- login.Device
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		s.backend.ServeHTTP(w, r)
	})
	p.submitLogin(a.Username, a.Password)
	p.waitForView("#/movies", "Movies")
	assert.Equal(t, device, <-sent)
}

// The viewer counts all images, and goes on to those that are not loaded yet. The owner edits the caption.
func TestViewer(t *testing.T) {
	t.Parallel()
	s, p, a := startLoggedIn(t)
	token := eval[string](p, "JSON.parse(sessionStorage['cinema.session']).token")
	for range 26 {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("image", "x.png")
		require.NoError(t, err)
		_, err = part.Write(testimage.PNG(4, 4))
		require.NoError(t, errors.Join(err, w.Close()))
		request, err := http.NewRequestWithContext(t.Context(), "POST", s.api+"/images", &form)
		require.NoError(t, err)
		request.Header = http.Header{"Content-Type": {w.FormDataContentType()}, "Authorization": {"Bearer " + token}}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusCreated, response.StatusCode)
	}
	p.goTo("Gallery")
	p.waitForText("#upload-hint", "Every member sees")
	p.click(".tile")
	p.waitForText(".viewer-facts", "1 of 26")
	p.waitFor("document.querySelector('.viewer img')?.complete")
	p.click("[aria-label='Edit the caption']")
	p.fill("Caption", "The old cinema")
	p.clickText("Save")
	p.waitForText(".viewer-caption", "The old cinema")
	p.waitFor("document.querySelector('.viewer img').alt.includes('The old cinema')")
	for n := range 25 {
		p.click("[aria-label='Next image']")
		p.waitForText(".viewer-facts", fmt.Sprintf("%d of 26", n+2)) // the next page may be loading
	}
	p.waitForText(".viewer-facts", "26 of 26")
	p.waitForText(".viewer-facts", a.Username)
}

// The button shows the password that was typed, and hides it again.
func TestShowPassword(t *testing.T) {
	t.Parallel()
	p := start(t).page()
	p.open("#/login")
	p.fill("Password", "correct horse")
	p.click("[aria-label='Show password']")
	p.waitFor("document.querySelector('[name=Password]').type === 'text' && document.querySelector(`[aria-label='Show password'][aria-pressed=true]`)")
	p.click("[aria-label='Show password']")
	p.waitFor("document.querySelector('[name=Password]').type === 'password'")
}
