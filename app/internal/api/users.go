package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/passwords"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/tokens"
)

// usernamePattern allows only characters that need no escaping in a path, and no look-alikes of other alphabets.
var usernamePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{2,31}$`)

// maxEmail is the maximum length of an address, in bytes (RFC 5321, section 4.5.3.1.3, without the brackets).
const maxEmail = 254

// accountBody is the body of POST of an account.
type accountBody struct {
	Username string
	Password string
	Email    string
	Birthday string
}

// changedBody is the body of PUT of an account.
type changedBody struct {
	accountBody
	CurrentPassword string
}

// check normalizes the fields and reports all errors. Without passwordRequired, an empty password is valid.
func (b *accountBody) check(now time.Time, passwordRequired bool) error {
	var fields []fieldProblem
	bad := func(field, format string, args ...any) {
		fields = append(fields, fieldProblem{field, fmt.Sprintf(format, args...)})
	}
	if b.Username = store.Username(b.Username); !usernamePattern.MatchString(b.Username) {
		bad("Username", "must have 3 to 32 characters a-z, 0-9, _ or -, and begin with a letter or digit")
	}
	b.Email = strings.ToLower(b.Email)
	if at, err := mail.ParseAddress(b.Email); err != nil || at.Address != b.Email || len(b.Email) > maxEmail ||
		strings.ContainsFunc(b.Email, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		bad("Email", "must be an address such as ada@example.com")
	}
	if b.Password != "" || passwordRequired {
		if err := passwords.Validate(b.Password, b.Username, b.Email, b.Birthday); err != nil {
			bad("Password", "%s", err)
		}
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
	if err := a.guarded(c, tokens.Device{}); err != nil {
		return err
	}
	if err := body.check(a.now(), true); err != nil {
		return err
	}
	if err := a.attempt(c.Context(), c.state.Store, attempt{"registration", a.limits.Registration, c.client}); err != nil {
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

// session is the answer to a change of an account.
type session struct {
	User  store.User `json:"user"`
	Token string     `json:"token"`
}

// login is the answer to a log-in.
type login struct {
	session
	// Device is sent with the next log-in on the same device, so that other people's attempts do not keep it out.
	Device string `json:"device"`
}

// loginBody is the body of POST of a log-in.
type loginBody struct{ Username, Password, Device string }

// login gives the same answer, after the same work, for a wrong password and an unknown name.
func (a *API) login(w http.ResponseWriter, c *call) error {
	var body loginBody
	if err := decodeJSON(c, &body); err != nil {
		return err
	}
	name := store.Username(body.Username)
	if !usernamePattern.MatchString(name) {
		name = "" // no account has it; all invalid names share one limit
	}
	device, _ := tokens.ParseDevice(c.state.Key, body.Device, a.now()) // zero for an unknown device
	if err := a.guarded(c, device); err != nil {
		return err
	}
	user, err := c.state.Store.UserByName(c.Context(), name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if device.Account != user.ID {
		device = tokens.Device{} // another account's
	}
	if err := a.attempt(c.Context(), c.state.Store, a.loginAttempts(name, device, c.client)...); err != nil {
		return err
	}
	err = a.hasher.Check(c.Context(), user.PasswordHash, body.Password)
	wrong := errUnauthorized("No account has this name and password.")
	switch {
	case errors.Is(err, passwords.ErrWrong):
		return wrong
	case err != nil:
		return err
	case user.Blocked:
		return problemf(http.StatusForbidden, "This account is blocked.")
	}
	user, session, err := c.state.Store.StartSession(c.Context(), user, a.now())
	if errors.Is(err, store.ErrNotFound) {
		return wrong // the password has just changed
	} else if err != nil {
		return err
	}
	if device == (tokens.Device{}) {
		device = tokens.Device{Account: user.ID, ID: bson.NewObjectID()}
	}
	answer := login{}
	if answer.session, err = a.newSession(c, user, session); err != nil {
		return err
	}
	if answer.Device, err = tokens.SignDevice(c.state.Key, device, a.now()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (a *API) newSession(c *call, user store.User, s tokens.Session) (session, error) {
	token, err := tokens.Sign(c.state.Key, s, a.now())
	return session{user, token}, err
}

// logout ends the session.
func (a *API) logout(w http.ResponseWriter, c *call) error {
	if err := c.state.Store.EndSession(c.Context(), c.session); err != nil {
		return ended(err)
	}
	a.accounts.drop(c.session)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) getUser(w http.ResponseWriter, c *call) error {
	user, err := c.state.Store.UserOf(c.Context(), c.session)
	if err != nil {
		return ended(err)
	}
	return writeJSON(w, http.StatusOK, user)
}

// putUser replaces an account's fields. A changed password or name ends the account's other sessions, and the token in the
// answer replaces this one's.
func (a *API) putUser(w http.ResponseWriter, c *call) error {
	var body changedBody
	if err := decodeJSON(c, &body); err != nil {
		return err
	}
	if err := body.check(a.now(), false); err != nil {
		return err
	}
	user, err := c.state.Store.UserOf(c.Context(), c.session)
	if err != nil {
		return ended(err)
	}
	change := store.UserChange{Username: body.Username, Email: body.Email, Birthday: body.Birthday}
	if body.Password != "" || body.Username != user.Username || body.Email != user.Email {
		if err := a.checkCurrentPassword(c, user, body.CurrentPassword); err != nil {
			return err
		}
	}
	if body.Email != user.Email {
		if err := a.attempt(c.Context(), c.state.Store, attempt{"email", a.limits.Email, user.ID.Hex()}); err != nil {
			return err
		}
	}
	if body.Password != "" {
		// By account, because each change begins another session. Only those who know the password come so far.
		if err := a.attempt(c.Context(), c.state.Store, attempt{"account", a.limits.Session, user.ID.Hex()}); err != nil {
			return err
		}
		if change.PasswordHash, err = a.hasher.Hash(c.Context(), body.Password); err != nil {
			return err
		}
	}
	user, next, err := c.state.Store.ChangeUser(c.Context(), c.session, change, a.now())
	if err != nil {
		return ended(err)
	}
	if next != c.session {
		a.accounts.drop(c.session)
	}
	answer, err := a.newSession(c, user, next)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// deletionBody is the body of DELETE of an account.
type deletionBody struct{ CurrentPassword string }

// deleteUser removes the account's images, then the account, so that it can be repeated if it fails between the two.
// Then it removes images that were uploaded meanwhile.
func (a *API) deleteUser(w http.ResponseWriter, c *call) error {
	var body deletionBody
	if err := decodeJSON(c, &body); err != nil {
		return err
	}
	s := c.state.Store
	user, err := s.UserOf(c.Context(), c.session)
	if err != nil {
		return ended(err)
	}
	if err := a.checkCurrentPassword(c, user, body.CurrentPassword); err != nil {
		return err
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
	catalogue, err := c.state.Store.Catalogue(c.Context())
	if err != nil {
		return err
	}
	if _, found := catalogue.ByID(id); !found {
		return store.ErrNotFound
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
