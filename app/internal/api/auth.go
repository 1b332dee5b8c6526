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
	return &problem{Status: http.StatusServiceUnavailable, Detail: "The database credentials are not available yet; try again shortly.", RetryAfter: retryAfter}
}

func errUnauthorized(detail string) *problem {
	return &problem{Status: http.StatusUnauthorized, Detail: detail, Challenge: `Bearer realm="cinema"`}
}

func errEnded() *problem { return errUnauthorized("This session has ended; log in again.") }

// admit checks that a call may use a route with the given access, and sets its session.
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
		return errUnauthorized("This request needs a session; log in and send its token.")
	}
	session, err := tokens.Parse(c.state.Key, token, a.now())
	if err != nil {
		return errEnded()
	}
	c.session = session
	if need == self {
		if store.Username(c.PathValue("username")) != session.Username {
			return problemf(http.StatusForbidden, "This is another user's account.")
		}
		return nil // the handler's query checks the account
	}
	return a.checkAccount(c)
}

// accountLifetime is how long the existence of an account is cached. For that time, an account that was deleted or whose
// password was changed on another instance can still read what all members may read. Requests for its own data and all
// writes are always checked.
const accountLifetime = 30 * time.Second

// accountCacheSize is the maximum number of entries. A full cache is emptied.
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

// checkAccount checks that the session's account still exists. Read-only requests may use the cache.
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

// ended turns a missing account into the error that its session has ended.
func ended(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errEnded()
	}
	return err
}
