// Package tokens signs and reads session tokens: JWT, HS256 and nothing else.
package tokens

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Lifetime is how long a token is good for.
const Lifetime = 7 * 24 * time.Hour

const issuer = "cinema"

// ErrInvalid is the one answer to a token that is malformed, forged, expired or of another kind: which of
// these it was is of no use to an honest client.
var ErrInvalid = errors.New("tokens: not a valid session token")

// Session is what a token says.
type Session struct {
	// Username is the token's subject.
	Username string
	// Account is the id of the account the token was issued for. A name can pass to another person
	// when its account is deleted or renamed; an id never does.
	Account bson.ObjectID
	// Generation is the account's session generation at issue; a change of password or name ends older ones.
	Generation int64
}

type claims struct {
	Account    string `json:"uid"`
	Generation int64  `json:"gen"`
	jwt.RegisteredClaims
}

// Sign issues a token for the session, good for Lifetime from now.
func Sign(key []byte, s Session, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		Account:    s.Account.Hex(),
		Generation: s.Generation,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Subject:   s.Username,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime)),
		},
	}).SignedString(key)
}

// Parse verifies a token at the time now, and returns ErrInvalid for anything but a good one.
func Parse(key []byte, text string, now time.Time) (Session, error) {
	var c claims
	_, err := jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithIssuedAt(),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithLeeway(5*time.Second), // instances' clocks differ a little
	)
	if err != nil {
		return Session{}, ErrInvalid
	}
	id, err := bson.ObjectIDFromHex(c.Account)
	if err != nil || c.Subject == "" {
		return Session{}, ErrInvalid
	}
	return Session{Username: c.Subject, Account: id, Generation: c.Generation}, nil
}
