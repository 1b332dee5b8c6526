// Package store keeps the movies, the accounts and the images' records in MongoDB.
//
// Values from clients reach the database as strings, ids and numbers in fixed places of fixed queries. Nothing
// here builds a query from a client's JSON, and the one regular expression is made of escaped text.
package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
	"golang.org/x/sync/singleflight"
)

const (
	// defaultDatabase is used where the connection string names none.
	defaultDatabase = "cinema"
	// selectionTimeout is how long an operation waits for a reachable server before it fails.
	selectionTimeout = 2 * time.Second
	connectTimeout   = 3 * time.Second
	// operationTimeout bounds every operation that comes with no earlier deadline, retries included.
	operationTimeout = 8 * time.Second
)

var (
	// ErrNotFound says that there is no such document.
	ErrNotFound = errors.New("store: not found")
	// ErrUnavailable wraps every failure of the database itself: trying again later may help.
	ErrUnavailable = errors.New("store: database unavailable")
)

// TakenError says that a unique field's value belongs to another document.
type TakenError struct{ Field string }

func (e *TakenError) Error() string { return "store: " + e.Field + " is taken" }

// Store is one connection pool to one database.
type Store struct {
	client  *mongo.Client
	db      *mongo.Database
	indexed atomic.Bool
	flight  singleflight.Group
	version catalogueCache
}

// Open makes a store for a connection string and the PEM certificate of the authority that signed the
// server's certificate (empty for the system's authorities, or for no TLS). It does not wait for the
// database: operations do, for a short while each. Errors repeat nothing of the connection string.
func Open(uri, caCertificate string) (*Store, error) {
	cs, err := connstring.Parse(uri)
	if err != nil {
		return nil, errors.New("store: not a MongoDB connection string; use mongodb://user:password@host/cinema?tls=true")
	}
	name := cs.Database
	if name == "" {
		name = defaultDatabase
	}
	o := options.Client().ApplyURI(uri).
		SetAppName("cinema").
		SetServerSelectionTimeout(selectionTimeout).
		SetConnectTimeout(connectTimeout).
		SetTimeout(operationTimeout).
		SetReadConcern(readconcern.Majority()).
		SetWriteConcern(writeconcern.Majority())
	if caCertificate != "" {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(caCertificate)) {
			return nil, errors.New("store: CA certificate: holds no PEM certificate; use the one that signed the server's")
		}
		o.SetTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	}
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, errors.New("store: the connection string's options are refused by the driver")
	}
	return &Store{client: client, db: client.Database(name)}, nil
}

// Close ends the pool; operations still under way are given until ctx ends.
func (s *Store) Close(ctx context.Context) error { return s.client.Disconnect(ctx) }

// Ping asks the database for an answer.
func (s *Store) Ping(ctx context.Context) error { return failure(s.client.Ping(ctx, nil)) }

// Collection gives direct access to a collection, for measurements that leave the rest out.
func (s *Store) Collection(name string) *mongo.Collection { return s.db.Collection(name) }

// Names of the collections.
const (
	Movies    = "movies"
	Users     = "users"
	Images    = "images"
	Catalogue = "catalogue"
)

// Prepare makes the unique indexes, without which two accounts could share a name. Every operation on
// movies, accounts and images calls it first, and after the first success it costs nothing.
func (s *Store) Prepare(ctx context.Context) error {
	if s.indexed.Load() {
		return nil
	}
	_, err, _ := s.flight.Do("indexes", func() (any, error) {
		// Whoever waits on this shares its outcome, so it must not end with the first caller's request.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), operationTimeout)
		defer cancel()
		unique := func(field string) mongo.IndexModel {
			return mongo.IndexModel{Keys: bson.D{{Key: field, Value: 1}}, Options: options.Index().SetUnique(true).SetName(field)}
		}
		plain := func(fields ...string) mongo.IndexModel {
			keys := bson.D{}
			for _, f := range fields {
				keys = append(keys, bson.E{Key: f, Value: 1})
			}
			return mongo.IndexModel{Keys: keys}
		}
		for _, c := range []struct {
			name    string
			indexes []mongo.IndexModel
		}{
			{Movies, []mongo.IndexModel{unique("Title"), plain("Genre.Name"), plain("Director.Name")}},
			{Users, []mongo.IndexModel{unique("Username"), unique("Email")}},
			{Images, []mongo.IndexModel{unique("Image"), plain("Owner")}},
		} {
			// One by one: FerretDB drops the connection when several in one command are there already.
			for _, index := range c.indexes {
				if _, err := s.db.Collection(c.name).Indexes().CreateOne(ctx, index); err != nil {
					return nil, failure(err)
				}
			}
		}
		s.indexed.Store(true)
		return nil, nil
	})
	return err
}

// failure gives the driver's errors this package's names.
func failure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mongo.ErrNoDocuments):
		return ErrNotFound
	default:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}
