// Package store stores the movies, the accounts and the images' records in MongoDB.
//
// Clients' values are strings, ids and numbers at fixed positions of fixed queries. No query is built from a client's
// JSON, and searches run in memory.
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
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
	"golang.org/x/sync/singleflight"
)

const (
	// defaultDatabase is used if the connection string has no database.
	defaultDatabase = "cinema"
	// selectionTimeout is how long an operation waits for a primary before it fails: longer than the election after a primary
	// has stepped down, so that this one shows as a delay, and shorter than the one after a primary is lost, whose members
	// first wait electionTimeoutMillis, 10 s (MongoDB manual, "Replica Set Elections").
	selectionTimeout = 5 * time.Second
	connectTimeout   = 3 * time.Second
	// operationTimeout limits every operation without an earlier deadline, including retries.
	operationTimeout = 8 * time.Second
)

var (
	// ErrNotFound means that the document does not exist.
	ErrNotFound = errors.New("store: not found")
	// ErrUnavailable wraps every other failure of the database. A retry may help.
	ErrUnavailable = errors.New("store: database unavailable")
)

// TakenError means that another document has the same value of a unique field.
type TakenError struct{ Field string }

func (e *TakenError) Error() string { return "store: " + e.Field + " is taken" }

// Store is one connection pool to one database.
type Store struct {
	client  *mongo.Client
	db      *mongo.Database
	indexed atomic.Bool
	flight  singleflight.Group
	movies  atomic.Pointer[current]
}

// Open returns a store for a connection string and the PEM certificate of the CA that signed the server's certificate
// (empty for the system's CAs, or without TLS). It does not wait for the database; each operation does, for a short time.
// The error contains no part of the connection string.
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
		// What the answers rely on does not depend on the connection string. The driver sends a retryable write again with
		// the same number, so that the database applies it once.
		SetRetryWrites(true).
		SetRetryReads(true).
		SetReadPreference(readpref.Primary()).
		SetReadConcern(readconcern.Majority()).
		SetWriteConcern(writeconcern.Majority())
	if caCertificate != "" {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(caCertificate)) {
			return nil, errors.New("store: CA certificate: not a PEM certificate; use the CA's that signed the server's certificate")
		}
		o.SetTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	}
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, errors.New("store: the driver refuses the connection string's options")
	}
	return &Store{client: client, db: client.Database(name)}, nil
}

// Close closes the pool. Current operations may continue until ctx ends.
func (s *Store) Close(ctx context.Context) error { return s.client.Disconnect(ctx) }

// Ping checks that the database answers.
func (s *Store) Ping(ctx context.Context) error { return failure(s.client.Ping(ctx, nil)) }

// Collection returns a collection for direct access, in tests and benchmarks.
func (s *Store) Collection(name string) *mongo.Collection { return s.db.Collection(name) }

// Names of the collections.
const (
	Movies   = "movies"
	Users    = "users"
	Images   = "images"
	versions = "catalogue"
	attempts = "attempts"
)

// Prepare creates the indexes. Without the unique ones, two accounts could have the same name. Every operation on movies,
// accounts and images calls it first; after the first success it does nothing.
func (s *Store) Prepare(ctx context.Context) error {
	if s.indexed.Load() {
		return nil
	}
	_, err, _ := s.flight.Do("indexes", func() (any, error) {
		// Concurrent callers share the result, so it must not end with the first caller's request.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), operationTimeout)
		defer cancel()
		unique := func(field string) mongo.IndexModel {
			return mongo.IndexModel{Keys: bson.D{{Key: field, Value: 1}}, Options: options.Index().SetUnique(true).SetName(field)}
		}
		expiring := func(field string) mongo.IndexModel {
			return mongo.IndexModel{Keys: bson.D{{Key: field, Value: 1}}, Options: options.Index().SetExpireAfterSeconds(0)}
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
			{Movies, []mongo.IndexModel{unique("Title")}},
			{Users, []mongo.IndexModel{unique("Username"), unique("Email")}},
			{Images, []mongo.IndexModel{unique("Image"), plain("Owner")}},
			{attempts, []mongo.IndexModel{expiring("Expires")}},
		} {
			// One by one: FerretDB closes the connection if several indexes of one command exist already.
			for _, index := range c.indexes {
				_, err := s.db.Collection(c.name).Indexes().CreateOne(ctx, index)
				var refused mongo.CommandError
				if c.name == attempts && errors.As(err, &refused) && refused.Code == notImplemented {
					continue // on a laptop, FerretDB keeps the expired counts
				}
				if err != nil {
					return nil, failure(err)
				}
			}
		}
		s.indexed.Store(true)
		return nil, nil
	})
	return err
}

// notImplemented is the code of FerretDB's error for what it does not have.
const notImplemented = 238

// failure converts the driver's errors to ErrNotFound and ErrUnavailable.
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
