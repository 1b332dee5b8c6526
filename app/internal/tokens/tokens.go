// Package tokens signs and parses session tokens: JWT, HS256 only.
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
var ErrInvalid = errors.New("tokens: not a valid session token")

// Session is the content of a token.
type Session struct {
	// Username is the token's subject.
	Username string
	// Account is the id of the account. Another account can get the name later, but never the id.
	Account bson.ObjectID
	// Generation is the account's generation when the token was issued. A changed password or name increases it.
	Generation int64
}

type claims struct {
	Account    string `json:"uid"`
	Generation int64  `json:"gen"`
	jwt.RegisteredClaims
}

// Sign returns a token for the session, valid for Lifetime from now.
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

// Parse verifies a token at the time now. The error is ErrInvalid.
func Parse(key []byte, text string, now time.Time) (Session, error) {
	var c claims
	_, err := jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithIssuedAt(),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithLeeway(5*time.Second), // the instances' clocks differ slightly
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
