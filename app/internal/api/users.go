package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/passwords"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/tokens"
)

// usernamePattern allows only characters that need no escaping in a path, and no look-alikes of other alphabets.
var usernamePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{2,31}$`)

// normalizeUsername returns the stored form of a name: names that differ only in case are the same name.
func normalizeUsername(s string) string { return strings.ToLower(s) }

// maxEmail is the maximum length of an address, in bytes (RFC 5321, section 4.5.3.1.3, without the brackets).
const maxEmail = 254

// accountBody is the body of POST and PUT of an account.
type accountBody struct {
	Username string
	Password string
	Email    string
	Birthday string
}

// check normalizes the fields and reports all errors. Without passwordRequired, an empty password is valid.
func (b *accountBody) check(now time.Time, passwordRequired bool) error {
	var fields []fieldProblem
	bad := func(field, format string, args ...any) {
		fields = append(fields, fieldProblem{field, fmt.Sprintf(format, args...)})
	}
	if b.Username = normalizeUsername(b.Username); !usernamePattern.MatchString(b.Username) {
		bad("Username", "must have 3 to 32 characters a-z, 0-9, _ or -, and begin with a letter or digit")
	}
	switch {
	case b.Password == "" && !passwordRequired:
	case utf8.RuneCountInString(b.Password) < passwords.MinBytes:
		bad("Password", "must be at least %d characters long", passwords.MinBytes)
	case len(b.Password) > passwords.MaxBytes:
		bad("Password", "must be at most %d bytes long", passwords.MaxBytes)
	}
	b.Email = strings.ToLower(b.Email)
	if at, err := mail.ParseAddress(b.Email); err != nil || at.Address != b.Email || len(b.Email) > maxEmail ||
		strings.ContainsFunc(b.Email, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		bad("Email", "must be an address such as ada@example.com")
	}
	if b.Birthday != "" {
		if d, err := time.Parse(time.DateOnly, b.Birthday); err != nil || d.After(now) || d.Year() < 1900 {
			bad("Birthday", "must be a past date, YYYY-MM-DD")
		}
	}
	if len(fields) > 0 {
		return &problem{Status: http.StatusBadRequest, Detail: "Some fields are invalid.", Fields: fields}
	}
	return nil
}

func (a *API) register(w http.ResponseWriter, c *call) error {
	var body accountBody
	if err := decodeJSON(c, &body); err != nil {
		return err
	}
	if err := body.check(a.now(), true); err != nil {
		return err
	}
	if err := a.attempt(a.byAddress, "address", c.client); err != nil {
		return err
	}
	hash, err := a.hasher.Hash(c.Context(), body.Password)
	if err != nil {
		return err
	}
	user, err := c.state.Store.AddUser(c.Context(), store.User{
		Username: body.Username, Email: body.Email, Birthday: body.Birthday, PasswordHash: hash,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", base+"/users/"+user.Username)
	return writeJSON(w, http.StatusCreated, user)
}

// attempt takes an attempt from the limit of a user or an address.
func (a *API) attempt(l *limiter, by, key string) error {
	wait, ok := l.take(key)
	if ok {
		return nil
	}
	a.metrics.refused.WithLabelValues(by).Inc()
	return &problem{
		Status:     http.StatusTooManyRequests,
		Detail:     "Too many attempts; try again later.",
		RetryAfter: time.Duration(math.Ceil(wait.Seconds())) * time.Second,
	}
}

// session is the answer to a log-in, and to a change of an account.
type session struct {
	User  store.User `json:"user"`
	Token string     `json:"token"`
}

func (a *API) writeSession(w http.ResponseWriter, c *call, user store.User) error {
	token, err := tokens.Sign(c.state.Key, user.Session(), a.now())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, session{user, token})
}

// login gives the same answer, after the same work, for a wrong password and an unknown name. It takes an attempt before
// the work and puts it back after a right password, so that concurrent attempts cannot exceed the limit.
func (a *API) login(w http.ResponseWriter, c *call) error {
	var body struct{ Username, Password string }
	if err := decodeJSON(c, &body); err != nil {
		return err
	}
	name := normalizeUsername(body.Username)
	if !usernamePattern.MatchString(name) {
		name = "" // no account has it; all invalid names share one limit
	}
	if err := a.attempt(a.byAddress, "address", c.client); err != nil {
		return err
	}
	if err := a.attempt(a.byUser, "user", name); err != nil {
		a.byAddress.putBack(c.client)
		return err
	}
	user, err := a.verify(c, name, body.Password)
	if !errors.Is(err, passwords.ErrWrong) {
		a.byUser.putBack(name)
		a.byAddress.putBack(c.client)
	}
	switch {
	case errors.Is(err, passwords.ErrWrong):
		return errUnauthorized("No account has this name and password.")
	case err != nil:
		return err
	}
	return a.writeSession(w, c, user)
}

func (a *API) verify(c *call, name, password string) (store.User, error) {
	user, err := c.state.Store.UserByName(c.Context(), name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err
	}
	return user, a.hasher.Check(c.Context(), user.PasswordHash, password)
}

func (a *API) getUser(w http.ResponseWriter, c *call) error {
	user, err := c.state.Store.UserOf(c.Context(), c.session)
	if err != nil {
		return ended(err)
	}
	return writeJSON(w, http.StatusOK, user)
}

// putUser replaces an account's fields. Its answer has a new token, because a changed name or password ends the sessions.
func (a *API) putUser(w http.ResponseWriter, c *call) error {
	var body accountBody
	if err := decodeJSON(c, &body); err != nil {
		return err
	}
	if err := body.check(a.now(), false); err != nil {
		return err
	}
	change := store.UserChange{Username: body.Username, Email: body.Email, Birthday: body.Birthday}
	if body.Password != "" {
		// A token of an ended session must not cause a hash, and one account must not use all of the CPU for hashes.
		if _, err := c.state.Store.UserOf(c.Context(), c.session); err != nil {
			return ended(err)
		}
		if err := a.attempt(a.byUser, "user", c.session.Username); err != nil {
			return err
		}
		hash, err := a.hasher.Hash(c.Context(), body.Password)
		if err != nil {
			return err
		}
		change.PasswordHash = hash
	}
	user, err := c.state.Store.ChangeUser(c.Context(), c.session, change)
	if err != nil {
		return ended(err)
	}
	if user.Session() != c.session {
		a.accounts.drop(c.session)
	}
	return a.writeSession(w, c, user)
}

// deleteUser removes the account's images, then the account, so that it can be repeated if it fails between the two.
// Then it removes images that were uploaded meanwhile.
func (a *API) deleteUser(w http.ResponseWriter, c *call) error {
	s := c.state.Store
	if _, err := s.UserOf(c.Context(), c.session); err != nil {
		return ended(err)
	}
	if err := a.removeAllImages(c.Context(), c); err != nil {
		return err
	}
	if err := s.RemoveUser(c.Context(), c.session); err != nil {
		return ended(err)
	}
	a.accounts.drop(c.session)
	ctx, cancel := detached(c)
	defer cancel()
	if err := a.removeAllImages(ctx, c); err != nil {
		a.log.Warn("cannot remove the images of a deleted account", "account", c.session.Account.Hex(), "error", err.Error())
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeAllImages removes all images of the session's account.
func (a *API) removeAllImages(ctx context.Context, c *call) error {
	for {
		batch, err := c.state.Store.ImagesOf(ctx, c.session.Account, 100)
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := a.removeImages(ctx, c.state.Store, batch...); err != nil {
			return err
		}
	}
}

func favoriteID(c *call) (bson.ObjectID, error) {
	text := c.PathValue("id")
	id, err := bson.ObjectIDFromHex(text)
	if err != nil || id.Hex() != text {
		return bson.ObjectID{}, problemf(http.StatusBadRequest, "A movie's id has 24 characters 0-9 and a-f.")
	}
	return id, nil
}

func (a *API) addFavorite(w http.ResponseWriter, c *call) error {
	id, err := favoriteID(c)
	if err != nil {
		return err
	}
	if _, err := movies(c, func(all *store.Catalogue) (store.Movie, bool) { return all.ByID(id) }); err != nil {
		return err
	}
	user, err := c.state.Store.AddFavorite(c.Context(), c.session, id)
	if err != nil {
		return ended(err)
	}
	return writeJSON(w, http.StatusOK, user)
}

func (a *API) removeFavorite(w http.ResponseWriter, c *call) error {
	id, err := favoriteID(c)
	if err != nil {
		return err
	}
	user, err := c.state.Store.RemoveFavorite(c.Context(), c.session, id)
	if err != nil {
		return ended(err)
	}
	return writeJSON(w, http.StatusOK, user)
}
