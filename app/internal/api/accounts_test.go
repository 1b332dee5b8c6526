package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/app/internal/api"
	"cinema-database/internal/testutil/must"
)

// TestStolenToken: without the password, a token changes neither the password, the e-mail address nor the name, and does not
// delete the account.
func TestStolenToken(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	for _, change := range []map[string]string{
		{"Username": "ada", "Email": "ada@example.com", "Password": "another good phrase"},
		{"Username": "ada", "Email": "thief@example.com"},
		{"Username": "thief", "Email": "ada@example.com"},
	} {
		p := h.do("PUT", "/api/users/ada", change, bearer(token)).problem(t, http.StatusBadRequest)
		require.Len(t, p.Errors, 1)
		assert.Equal(t, "CurrentPassword", p.Errors[0].Field)
		change["CurrentPassword"] = "a guess"
		p = h.do("PUT", "/api/users/ada", change, bearer(token)).problem(t, http.StatusForbidden)
		assert.Equal(t, "is wrong", p.Errors[0].Reason)
	}
	h.do("DELETE", "/api/users/ada", map[string]string{}, bearer(token)).problem(t, http.StatusBadRequest)
	h.do("DELETE", "/api/users/ada", map[string]string{"CurrentPassword": "a guess"}, bearer(token)).problem(t, http.StatusForbidden)
	h.logIn("ada", password)
	change := map[string]string{"Username": "ada", "Email": "ada@example.com", "Birthday": "1990-12-10"}
	h.do("PUT", "/api/users/ada", change, bearer(token)).requireStatus(t, http.StatusOK)
}

// stopped returns a clock that stands still, so that no window of a limit ends during a test.
func stopped() func() time.Time { return (&clock{now: time.Now()}).Now }

// TestGuessesInASession: a session has few guesses at the password, and they keep no other session from changing it.
func TestGuessesInASession(t *testing.T) {
	h := newHarness(t, func(o *api.Options) {
		o.Now = stopped()
		o.Limits.Session = api.Limit{Attempts: 3, Window: time.Hour}
	})
	stolen, own := h.signUp("ada"), h.logIn("ada", password)
	for range 3 {
		h.do("DELETE", "/api/users/ada", map[string]string{"CurrentPassword": "a guess"}, bearer(stolen)).problem(t, http.StatusForbidden)
	}
	h.do("DELETE", "/api/users/ada", current(), bearer(stolen)).problem(t, http.StatusTooManyRequests)
	h.do("PUT", "/api/users/ada", current("Username", "ada", "Email", "ada@example.com", "Password", "another good phrase"), bearer(own)).requireStatus(t, http.StatusOK)
	h.do("GET", "/api/users/ada", nil, bearer(stolen)).problem(t, http.StatusUnauthorized)
}

// TestLogout: a session that has ended on one instance has ended on all: for writes and the account at once, for what all
// members may read when the other instance's cache has expired.
func TestLogout(t *testing.T) {
	c := &clock{now: time.Now()}
	h := newHarness(t, func(o *api.Options) { o.Now = c.Now })
	h.seed()
	other := h.serve(func(o *api.Options) { o.Now = c.Now })
	token, second := h.signUp("ada"), h.logIn("ada", password)
	for _, url := range []string{h.url, other} {
		h.do("GET", url+"/api/movies", nil, bearer(token)).requireStatus(t, http.StatusOK)
	}
	h.do("POST", "/api/logout", nil, bearer(token)).requireStatus(t, http.StatusNoContent)
	h.do("GET", "/api/movies", nil, bearer(token)).problem(t, http.StatusUnauthorized)
	h.do("GET", other+"/api/users/ada", nil, bearer(token)).problem(t, http.StatusUnauthorized)
	h.do("POST", other+"/api/users/ada/movies/"+h.movieID(), nil, bearer(token)).problem(t, http.StatusUnauthorized)
	c.pass(30 * time.Second)
	h.do("GET", other+"/api/movies", nil, bearer(token)).problem(t, http.StatusUnauthorized)
	h.do("GET", other+"/api/users/ada", nil, bearer(second)).requireStatus(t, http.StatusOK)
}

// TestSessionsAreBounded: a further log-in ends the oldest session.
func TestSessionsAreBounded(t *testing.T) {
	h := newHarness(t)
	first := h.signUp("ada")
	second := h.logIn("ada", password)
	for range 19 {
		h.logIn("ada", password)
	}
	h.do("GET", "/api/users/ada", nil, bearer(first)).problem(t, http.StatusUnauthorized)
	h.do("GET", "/api/users/ada", nil, bearer(second)).requireStatus(t, http.StatusOK)
	user := must.OK(h.store.UserByName(context.Background(), "ada"))(t)
	assert.Len(t, user.Sessions, 20)
}

// attempt tries to log in and returns the answer.
func (h *harness) attempt(url, name, password, device, address string) answer {
	h.t.Helper()
	return h.do("POST", url+"/api/login", map[string]string{"Username": name, "Password": password, "Device": device}, from(address))
}

// TestKnownDevice: an attacker, also from the same address or from many, keeps no known device out.
func TestKnownDevice(t *testing.T) {
	h := newHarness(t, func(o *api.Options) {
		o.Proxies, o.Now = 1, stopped()
		o.Limits.Pair, o.Limits.Name = api.Limit{Attempts: 5, Window: time.Hour}, api.Limit{Attempts: 12, Window: time.Hour}
		o.Limits.Device = api.Limit{Attempts: 8, Window: time.Hour}
	})
	h.signUp("ada")
	h.signUp("eve")
	const home = "192.0.2.1"
	device := as[sessionAnswer](t, h.attempt(h.url, "ada", password, "", home).requireStatus(t, http.StatusOK)).Device
	foreign := as[sessionAnswer](t, h.attempt(h.url, "eve", password, "", home).requireStatus(t, http.StatusOK)).Device
	for range 4 {
		h.attempt(h.url, "ada", "a guess", "", home).problem(t, http.StatusUnauthorized)
	}
	h.attempt(h.url, "ada", password, "", home).problem(t, http.StatusTooManyRequests)
	h.attempt(h.url, "ada", password, "", "192.0.2.2").requireStatus(t, http.StatusOK)
	for n := range 5 {
		h.attempt(h.url, "ada", "a guess", "", fmt.Sprintf("192.0.2.%d", 10+n)).problem(t, http.StatusUnauthorized)
	}
	refused := h.attempt(h.url, "ada", password, "", "192.0.2.20").problem(t, http.StatusTooManyRequests)
	assert.NotEmpty(t, refused.header.Get("Retry-After"))

	for _, unknown := range []string{"forged", foreign} {
		h.attempt(h.url, "ada", password, unknown, "192.0.2.21").problem(t, http.StatusTooManyRequests)
	}
	for range 4 {
		again := as[sessionAnswer](t, h.attempt(h.url, "ada", password, device, home).requireStatus(t, http.StatusOK)).Device
		require.NotEmpty(t, again)
		h.attempt(h.url, "ada", "a guess", again, home).problem(t, http.StatusUnauthorized)
	}
	h.attempt(h.url, "ada", password, device, home).problem(t, http.StatusTooManyRequests)
}

// TestKnownDeviceAtABusyAddress: an attacker behind the same address, who uses up its attempts, keeps no known device out.
func TestKnownDeviceAtABusyAddress(t *testing.T) {
	h := newHarness(t, func(o *api.Options) {
		o.Proxies, o.Now = 1, stopped()
		o.Limits.Address, o.Limits.Device = api.Limit{Attempts: 4, Window: time.Hour}, api.Limit{Attempts: 2, Window: time.Hour}
	})
	h.do("POST", "/api/users", account("ada"), from("192.0.2.9")).requireStatus(t, http.StatusCreated)
	const office = "192.0.2.1"
	device := as[sessionAnswer](t, h.attempt(h.url, "ada", password, "", office).requireStatus(t, http.StatusOK)).Device
	for n := range 3 {
		h.attempt(h.url, fmt.Sprintf("user%d", n), "a guess", "", office).problem(t, http.StatusUnauthorized)
	}
	h.attempt(h.url, "ada", password, "", office).problem(t, http.StatusTooManyRequests)
	h.attempt(h.url, "ada", password, device, office).requireStatus(t, http.StatusOK)
	h.attempt(h.url, "bob", "a guess", device, office).problem(t, http.StatusTooManyRequests) // it is another account's
	h.attempt(h.url, "ada", "a guess", device, office).problem(t, http.StatusUnauthorized)
	h.attempt(h.url, "ada", password, device, office).problem(t, http.StatusTooManyRequests)
}

// TestLimitsAreShared: the instances count together, and every attempt counts, also with the right password.
func TestLimitsAreShared(t *testing.T) {
	c := &clock{now: time.Now()}
	limit := func(o *api.Options) {
		o.Proxies, o.Now = 1, c.Now
		o.Limits.Pair = api.Limit{Attempts: 6, Window: time.Hour}
	}
	h := newHarness(t, limit)
	urls := []string{h.url, h.serve(limit), h.serve(limit)}
	h.signUp("ada")
	for n := range 6 {
		want, pass := http.StatusUnauthorized, "a guess"
		if n == 3 {
			want, pass = http.StatusOK, password
		}
		h.attempt(urls[n%3], "ada", pass, "", "192.0.2.1").requireStatus(t, want)
	}
	for _, url := range urls {
		h.attempt(url, "ada", password, "", "192.0.2.1").problem(t, http.StatusTooManyRequests)
	}
	c.pass(time.Hour)
	h.attempt(urls[1], "ada", password, "", "192.0.2.1").requireStatus(t, http.StatusOK)
}

// TestChangesOfAnAddressAreLimited: a member cannot find out which e-mail addresses exist.
func TestChangesOfAnAddressAreLimited(t *testing.T) {
	h := newHarness(t, func(o *api.Options) {
		o.Now = stopped()
		o.Limits.Email = api.Limit{Attempts: 2, Window: 24 * time.Hour}
	})
	h.signUp("ada")
	token := h.signUp("eve")
	change := func(email string) answer {
		return h.do("PUT", "/api/users/eve", current("Username", "eve", "Email", email), bearer(token))
	}
	change("ada@example.com").problem(t, http.StatusConflict)
	change("nobody@example.com").requireStatus(t, http.StatusOK)
	change("ada@example.com").problem(t, http.StatusTooManyRequests)
	change("nobody@example.com").requireStatus(t, http.StatusOK)
}

// TestWeakPasswords: passwords that are tried first are refused, with the reason.
func TestWeakPasswords(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	for _, weak := range []string{"password", "12345678", "        ", "qwertyui", "aaaaaaaaaaaa", "lovelace", "lovelace1815", "ada.lovelace", "cinema123", "Passw0rd!"} {
		body := map[string]string{"Username": "lovelace", "Email": "ada.lovelace@example.com", "Password": weak}
		p := h.do("POST", "/api/users", body).problem(t, http.StatusBadRequest)
		require.Len(t, p.Errors, 1, weak)
		assert.Equal(t, "Password", p.Errors[0].Field)
		assert.Contains(t, p.Errors[0].Reason, "is too easy to guess", weak)
	}
	change := current("Username", "ada", "Email", "ada@example.com", "Password", "password")
	h.do("PUT", "/api/users/ada", change, bearer(token)).problem(t, http.StatusBadRequest)
}

// TestComposedPasswords: a letter with an accent is the same letter in one or in two code points. A hash from before
// passwords were normalized still works.
func TestComposedPasswords(t *testing.T) {
	h := newHarness(t)
	const composed, decomposed = "b\u00e4r auf dem dach", "ba\u0308r auf dem dach"
	for name, pass := range map[string]string{"ada": composed, "bob": decomposed} {
		h.do("POST", "/api/users", map[string]string{"Username": name, "Password": pass, "Email": name + "@example.com"}).requireStatus(t, http.StatusCreated)
		h.logIn(name, composed)
		h.logIn(name, decomposed)
	}
	raw := must.OK(bcrypt.GenerateFromPassword([]byte(decomposed), bcrypt.MinCost))(t)
	require.NoError(t, h.store.ResetPassword(context.Background(), "ada", raw))
	h.logIn("ada", decomposed)
}

// TestOperators: an operator resets a password and blocks an account; both end the account's sessions.
func TestOperators(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	ctx := context.Background()
	require.NoError(t, h.store.BlockUser(ctx, "ada", true))
	h.do("GET", "/api/users/ada", nil, bearer(token)).problem(t, http.StatusUnauthorized)
	login := map[string]string{"Username": "ada", "Password": password}
	assert.Equal(t, "This account is blocked.", h.do("POST", "/api/login", login).problem(t, http.StatusForbidden).Detail)
	h.do("POST", "/api/login", map[string]string{"Username": "ada", "Password": "a guess"}).problem(t, http.StatusUnauthorized)
	require.NoError(t, h.store.BlockUser(ctx, "ada", false))
	token = h.logIn("ada", password)

	hash := must.OK(bcrypt.GenerateFromPassword([]byte("another good phrase"), bcrypt.MinCost))(t)
	require.NoError(t, h.store.ResetPassword(ctx, "ada", hash))
	h.do("GET", "/api/users/ada", nil, bearer(token)).problem(t, http.StatusUnauthorized)
	h.do("POST", "/api/login", login).problem(t, http.StatusUnauthorized)
	h.logIn("ada", "another good phrase")
}

// TestSlowBody: a JSON body that does not arrive in time is answered with 408.
func TestSlowBody(t *testing.T) {
	h := newHarness(t)
	a := must.OK(api.New(h.options()))(t)
	a.LimitBodyTime(20 * time.Millisecond)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	r, w := io.Pipe()
	defer w.Close()
	answer := make(chan answer, 1)
	go func() {
		a, _ := h.try("POST", server.URL+"/api/login", r)
		answer <- a
	}()
	_, _ = io.WriteString(w, `{"Username":`) // fails if the API has answered already
	p := (<-answer).problem(t, http.StatusRequestTimeout)
	assert.Equal(t, "The body did not arrive within 20ms.", p.Detail)
}
