// Package tokens signs and parses the tokens of sessions and of devices: JWT, HS256 only.
package tokens

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Lifetime is how long a token is valid.
const Lifetime = 7 * 24 * time.Hour

const issuer = "cinema"

// ErrInvalid is returned for every malformed, forged or expired token. The difference would help only an attacker.
var ErrInvalid = errors.New("tokens: not a valid token")

// Session is the content of a token.
type Session struct {
	// Username is the token's subject.
	Username string
	// Account is the id of the account. Another account can get the name later, but never the id.
	Account bson.ObjectID
	// ID identifies the session in the account, which lists the sessions that have not ended.
	ID bson.ObjectID
}

// Device is the content of a device's token. It shows that somebody has logged in to the account on that device, and gives no
// access to anything.
type Device struct {
	Account, ID bson.ObjectID
}

// DeviceLifetime is how long a device's token is valid.
const DeviceLifetime = 365 * 24 * time.Hour

// Audiences, so that a token of one kind is none of the other.
const (
	sessionAudience = "session"
	deviceAudience  = "device"
)

type claims struct {
	Account string `json:"uid"`
	jwt.RegisteredClaims
}

// Sign returns a token for the session, valid for Lifetime from now.
func Sign(key []byte, s Session, now time.Time) (string, error) {
	return sign(key, sessionAudience, s.Username, s.Account, s.ID, now, Lifetime)
}

// SignDevice returns a token for the device, valid for DeviceLifetime from now.
func SignDevice(key []byte, d Device, now time.Time) (string, error) {
	return sign(key, deviceAudience, "", d.Account, d.ID, now, DeviceLifetime)
}

func sign(key []byte, audience, subject string, account, id bson.ObjectID, now time.Time, lifetime time.Duration) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		Account: account.Hex(),
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Subject:   subject,
			Audience:  jwt.ClaimStrings{audience},
			ID:        id.Hex(),
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
		},
	}).SignedString(key)
}

// Parse verifies a session's token at the time now. The error is ErrInvalid.
func Parse(key []byte, text string, now time.Time) (Session, error) {
	name, account, id, err := parse(key, sessionAudience, text, now)
	if err != nil || name == "" {
		return Session{}, ErrInvalid
	}
	return Session{Username: name, Account: account, ID: id}, nil
}

// ParseDevice verifies a device's token at the time now. The error is ErrInvalid.
func ParseDevice(key []byte, text string, now time.Time) (Device, error) {
	_, account, id, err := parse(key, deviceAudience, text, now)
	return Device{Account: account, ID: id}, err
}

func parse(key []byte, audience, text string, now time.Time) (subject string, account, id bson.ObjectID, err error) {
	var c claims
	_, err = jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithIssuedAt(),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithLeeway(5*time.Second), // the instances' clocks differ slightly
	)
	var errAccount, errID error
	account, errAccount = bson.ObjectIDFromHex(c.Account)
	id, errID = bson.ObjectIDFromHex(c.ID)
	if err != nil || errAccount != nil || errID != nil {
		return "", bson.ObjectID{}, bson.ObjectID{}, ErrInvalid
	}
	return c.Subject, account, id, nil
}
