package dbhost

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"

	"cinema-database/app/contract"
)

// Login is a user of the database "admin".
type Login struct{ User, Password string }

// Conn runs commands on the database "admin" of one mongod.
type Conn interface {
	Run(ctx context.Context, command bson.D) (bson.Raw, error)
	Close(ctx context.Context) error
}

// Dialer connects to the mongod of the member with that host name, or on loopback if it is empty, trusting only ca, and
// returns after mongod has answered. A nil login is an unauthenticated connection. For a refused password, the error
// wraps ErrPassword.
type Dialer func(ctx context.Context, host string, ca *x509.CertPool, login *Login) (Conn, error)

// ErrPassword is returned if mongod refuses a user's password, or the user does not exist.
var ErrPassword = errors.New("mongod refuses the password")

// mongod's error codes (src/mongo/base/error_codes.yml).
const (
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeAlreadyInitialized   = 23
	codeNotYetInitialized    = 94
	codeUserExists           = 51003
)

// hasCode reports whether err is mongod's error with that code.
func hasCode(err error, code int32) bool {
	var command mongo.CommandError
	if errors.As(err, &command) {
		return command.Code == code
	}
	// The driver returns errors of a connection's handshake in its internal type.
	var inner driver.Error
	return errors.As(err, &inner) && inner.Code == code
}

const (
	selectionTimeout = 5 * time.Second
	commandTimeout   = 30 * time.Second
)

type mongodConn struct{ client *mongo.Client }

const loopback = "127.0.0.1"

func dialMongod(ctx context.Context, host string, ca *x509.CertPool, login *Login) (Conn, error) {
	name := cmp.Or(host, loopback)
	return dialAddress(ctx, address(name), name, ca, login)
}

// dialAddress connects to an address whose certificate must be for name.
func dialAddress(ctx context.Context, address, name string, ca *x509.CertPool, login *Login) (Conn, error) {
	settings := options.Client().
		SetHosts([]string{address}).
		SetDirect(true). // before the replica set is initiated, there is no primary to discover
		SetTLSConfig(&tls.Config{RootCAs: ca, ServerName: name, MinVersion: tls.VersionTLS12}).
		SetAppName(contract.CinemaDB).
		SetServerSelectionTimeout(selectionTimeout).
		SetTimeout(commandTimeout).
		SetRetryReads(false).SetRetryWrites(false)
	if login != nil {
		settings.SetAuth(options.Credential{
			AuthMechanism: "SCRAM-SHA-256", AuthSource: "admin", Username: login.User, Password: login.Password, PasswordSet: true,
		})
	}
	client, err := mongo.Connect(settings)
	if err != nil {
		return nil, fmt.Errorf("dbhost: connect to mongod: %w", err)
	}
	c := &mongodConn{client}
	if _, err := c.Run(ctx, bson.D{{Key: "ping", Value: 1}}); err != nil {
		_ = c.Close(ctx)
		if hasCode(err, codeAuthenticationFailed) {
			return nil, fmt.Errorf("dbhost: user %q: %w", login.User, ErrPassword)
		}
		return nil, fmt.Errorf("dbhost: connect to mongod: %w", err)
	}
	return c, nil
}

func (c *mongodConn) Run(ctx context.Context, command bson.D) (bson.Raw, error) {
	return c.client.Database("admin").RunCommand(ctx, command).Raw()
}

func (c *mongodConn) Close(ctx context.Context) error { return c.client.Disconnect(ctx) }
