package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"cinema-database/app/internal/passwords"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/tokens"
)

// Limit allows Attempts in each period of length Window, which all instances count together in the database. Every attempt
// counts, also one that succeeds.
type Limit struct {
	Attempts int
	Window   time.Duration
}

// Limits are the limits of an API. A zero Limit is replaced by the default.
type Limits struct {
	// Pair limits log-ins by name and address, Name by name alone. Both are for devices that the account does not know:
	// attempts from elsewhere keep nobody out who has logged in from this device before.
	Pair, Name Limit
	// Device limits log-ins of a known device, so that a stolen device text gives no more guesses than others have.
	Device Limit
	// Address limits log-ins and registrations by address, which a whole office may share.
	Address Limit
	// Registration limits new accounts by address: the answers tell which names and e-mail addresses exist.
	Registration Limit
	// Session limits the uses of the current password within a session.
	Session Limit
	// Email limits changes of an account's e-mail address: the answers tell which addresses exist.
	Email Limit
}

// defaultLimits allow 14,400 guesses a day at an account from any number of addresses, and 1,440 from one. The passwords
// that are accepted take a million guesses or more.
var defaultLimits = Limits{
	Pair:         Limit{10, 10 * time.Minute},
	Name:         Limit{100, 10 * time.Minute},
	Device:       Limit{20, 10 * time.Minute},
	Address:      Limit{120, 10 * time.Minute},
	Registration: Limit{60, time.Hour},
	Session:      Limit{10, 10 * time.Minute},
	Email:        Limit{5, 24 * time.Hour},
}

// Unlimited returns limits that no load reaches, for benchmarks and tests.
func Unlimited() Limits {
	l := Limit{1 << 30, time.Hour}
	return Limits{l, l, l, l, l, l, l}
}

func (l Limits) orDefaults() Limits {
	d := defaultLimits
	return Limits{
		Pair: cmp.Or(l.Pair, d.Pair), Name: cmp.Or(l.Name, d.Name), Device: cmp.Or(l.Device, d.Device), Address: cmp.Or(l.Address, d.Address),
		Registration: cmp.Or(l.Registration, d.Registration), Session: cmp.Or(l.Session, d.Session), Email: cmp.Or(l.Email, d.Email),
	}
}

// guardKeys is the maximum number of addresses and devices that a guard remembers; it forgets the least recently seen one.
const guardKeys = 20_000

// guard limits the attempts of an address or a device at this instance, so that a flood does not reach the database.
type guard struct {
	limit Limit
	seen  *lru.Cache[string, *rate.Limiter]
}

func newGuard(l Limit) *guard {
	seen, err := lru.New[string, *rate.Limiter](guardKeys)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &guard{l, seen}
}

// take takes an attempt. If there is none, it returns the time until there is one.
func (g *guard) take(key string, now time.Time) (wait time.Duration, ok bool) {
	limiter, found := g.seen.Get(key)
	if !found {
		limiter = rate.NewLimiter(rate.Every(g.limit.Window/time.Duration(g.limit.Attempts)), g.limit.Attempts)
		if other, raced, _ := g.seen.PeekOrAdd(key, limiter); raced {
			limiter = other
		}
	}
	if limiter.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - limiter.TokensAt(now)
	return time.Duration(missing * float64(g.limit.Window) / float64(g.limit.Attempts)), false
}

// attempt is one use of a limit.
type attempt struct {
	// kind separates the keys of the limits, and is the metric's label.
	kind  string
	limit Limit
	key   string
}

// guarded checks the address before anything of the request reaches the database. device is the request's device token:
// a device that has logged in before does not share its address's attempts, but has as many of its own.
func (a *API) guarded(c *call, device tokens.Device) error {
	kind, key := "address", c.client
	if device != (tokens.Device{}) {
		kind, key = "device", device.ID.Hex()
	}
	if wait, ok := a.guard.take(key, a.now()); !ok {
		return a.tooMany(kind, wait)
	}
	return nil
}

// attempt counts attempts, in order, until one exceeds its limit.
func (a *API) attempt(ctx context.Context, s *store.Store, all ...attempt) error {
	now := a.now()
	for _, one := range all {
		window := now.Truncate(one.limit.Window)
		end := window.Add(one.limit.Window)
		n, err := s.Attempt(ctx, fmt.Sprintf("%s %d %s", one.kind, window.Unix(), one.key), end)
		if err != nil {
			return err
		}
		if n > one.limit.Attempts {
			return a.tooMany(one.kind, end.Sub(now))
		}
	}
	return nil
}

func (a *API) tooMany(kind string, wait time.Duration) error {
	a.metrics.refused.WithLabelValues(kind).Inc()
	return &problem{
		Status:     http.StatusTooManyRequests,
		Detail:     "Too many attempts; try again later.",
		RetryAfter: max(time.Second, time.Duration(math.Ceil(wait.Seconds()))*time.Second),
	}
}

// loginAttempts returns the limits of a log-in. device is the known device, or zero.
func (a *API) loginAttempts(name string, device tokens.Device, client string) []attempt {
	if device != (tokens.Device{}) {
		return []attempt{{"device", a.limits.Device, device.Account.Hex() + " " + device.ID.Hex()}}
	}
	return []attempt{
		{"user", a.limits.Pair, name + " " + client},
		{"address", a.limits.Address, client},
		{"name", a.limits.Name, name},
	}
}

// checkCurrentPassword checks the password that a change of the session's account, user, needs.
func (a *API) checkCurrentPassword(c *call, user store.User, current string) error {
	const field = "CurrentPassword"
	if current == "" {
		return &problem{Status: http.StatusBadRequest, Detail: "This change needs the current password.",
			Fields: []fieldProblem{{field, "is required for this change"}}}
	}
	if err := a.attempt(c.Context(), c.state.Store, attempt{"session", a.limits.Session, c.session.ID.Hex()}); err != nil {
		return err
	}
	err := a.hasher.Check(c.Context(), user.PasswordHash, current)
	if errors.Is(err, passwords.ErrWrong) {
		return &problem{Status: http.StatusForbidden, Detail: "The current password is wrong.", Fields: []fieldProblem{{field, "is wrong"}}}
	}
	return err
}
