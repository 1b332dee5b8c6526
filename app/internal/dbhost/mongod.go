package dbhost

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
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

// Dialer connects to mongod on loopback, trusting only ca, and returns after mongod has answered. A nil login is an
// unauthenticated connection. For a refused password, the error wraps ErrPassword.
type Dialer func(ctx context.Context, ca *x509.CertPool, login *Login) (Conn, error)

// ErrPassword is returned if mongod refuses a user's password, or the user does not exist.
var ErrPassword = errors.New("mongod refuses the password")

// mongod's error codes (src/mongo/base/error_codes.yml).
const (
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeAlreadyInitialized   = 23
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

func dialMongod(ctx context.Context, ca *x509.CertPool, login *Login) (Conn, error) {
	return dialAddress(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(contract.MongoDBPort)), ca, login)
}

func dialAddress(ctx context.Context, address string, ca *x509.CertPool, login *Login) (Conn, error) {
	settings := options.Client().
		SetHosts([]string{address}).
		SetDirect(true). // before the replica set is initiated, there is no primary to discover
		SetTLSConfig(&tls.Config{RootCAs: ca, MinVersion: tls.VersionTLS12}).
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

// hello is the part of mongod's answer to the command hello that is used here. It needs no authentication.
type hello struct {
	SetName           string `bson:"setName"`
	IsWritablePrimary bool   `bson:"isWritablePrimary"`
}

func runHello(ctx context.Context, c Conn) (hello, error) {
	var h hello
	raw, err := c.Run(ctx, bson.D{{Key: "hello", Value: 1}})
	if err == nil {
		err = bson.Unmarshal(raw, &h)
	}
	return h, err
}
