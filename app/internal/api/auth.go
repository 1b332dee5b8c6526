package api

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"cinema-database/app/internal/store"
	"cinema-database/app/internal/tokens"
)

func errWaiting() *problem {
	return &problem{Status: http.StatusServiceUnavailable, Detail: "The credentials for the database are not there yet; try again shortly.", RetryAfter: retryAfter}
}

func errUnauthorized(detail string) *problem {
	return &problem{Status: http.StatusUnauthorized, Detail: detail, Challenge: `Bearer realm="cinema"`}
}

func errEnded() *problem { return errUnauthorized("This session has ended; log in again.") }

// admit lets a call through to a route of the given access, and notes whose it is.
func (a *API) admit(need access, c *call) error {
	if need == always {
		return nil
	}
	if c.state == nil {
		return errWaiting()
	}
	if need == open {
		return nil
	}
	scheme, token, _ := strings.Cut(c.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return errUnauthorized("This needs a session; log in and send its token.")
	}
	session, err := tokens.Parse(c.state.Key, token, a.now())
	if err != nil {
		return errEnded()
	}
	c.session = session
	if need == self {
		if normaliseUsername(c.PathValue("username")) != session.Username {
			return problemf(http.StatusForbidden, "This account is another's.")
		}
		return nil // the query that follows names the very account
	}
	return a.checkAccount(c)
}

// accountLifetime is how long an account that was seen counts as there: an account that was deleted, or whose
// password changed, on another instance can still read what all members may for so long. Its own pages, and
// anything that it writes, are checked at once.
const accountLifetime = 30 * time.Second

// accountCacheSize bounds the memory; past it the cache starts afresh.
const accountCacheSize = 10_000

type accountCache struct {
	mu   sync.Mutex
	seen map[tokens.Session]time.Time
}

func newAccountCache() *accountCache { return &accountCache{seen: map[tokens.Session]time.Time{}} }

func (a *accountCache) fresh(s tokens.Session, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, found := a.seen[s]
	return found && now.Sub(at) < accountLifetime
}

func (a *accountCache) add(s tokens.Session, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) >= accountCacheSize {
		clear(a.seen)
	}
	a.seen[s] = at
}

func (a *accountCache) drop(s tokens.Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.seen, s)
}

// checkAccount says whether the session's account is still there; what only reads may use an answer of a moment ago.
func (a *API) checkAccount(c *call) error {
	now := a.now()
	if c.Method == http.MethodGet || c.Method == http.MethodHead {
		if a.accounts.fresh(c.session, now) {
			return nil
		}
	}
	if _, err := c.state.Store.UserOf(c.Context(), c.session); err != nil {
		return ended(err)
	}
	a.accounts.add(c.session, now)
	return nil
}

// ended reads "there is no such account" as the end of its session.
func ended(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errEnded()
	}
	return err
}
