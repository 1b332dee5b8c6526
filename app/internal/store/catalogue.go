package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The catalogue's version identifies the content of the movies collection, so that the API can confirm a client's copy
// without reading the movies. One document stores the version, a random text that is never reused, and the active writers.
//
// Only WriteMovies changes movies. It registers as a writer, writes, sets a new version, and unregisters, in this order:
//   - while a writer is registered there is no version, so an answer from that time cannot be confirmed later;
//   - a writer that is killed stays registered, so no copy is confirmed until the next write completes;
//   - readers read the version before the movies, so an answer can be newer than its version, but never older.
//
// Each process caches the version for versionLifetime, and reading it takes at most versionTimeout: an outdated copy is
// confirmed for at most the sum of both. Changes that bypass this package show after versionEpoch at the latest.

const (
	// versionLifetime is how long the version is cached.
	versionLifetime = time.Second
	versionTimeout  = 2 * time.Second
	// versionEpoch is how long a version can confirm copies.
	versionEpoch = 10 * time.Minute
	// WriteTimeout is the time limit of WriteMovies.
	WriteTimeout = 5 * time.Minute
	// writerExpiry is the age after which a registered writer must have been killed.
	writerExpiry = 2 * WriteTimeout
)

type catalogue struct {
	ID      string   `bson:"_id"`
	Version string   `bson:"version"`
	Writers []writer `bson:"writers"`
}

type writer struct {
	ID    string    `bson:"id"`
	Since time.Time `bson:"since"`
}

const catalogueID = "movies"

type catalogueCache struct {
	mu      sync.Mutex
	version string
	read    time.Time
}

// CatalogueVersion returns a text that changes whenever the movies' content does; empty while the content is changing, or
// before the first write is complete. It is at most versionLifetime + versionTimeout old.
func (s *Store) CatalogueVersion(ctx context.Context, now time.Time) (string, error) {
	s.version.mu.Lock()
	version, read := s.version.version, s.version.read
	s.version.mu.Unlock()
	if age := now.Sub(read); read.IsZero() || age < 0 || age >= versionLifetime {
		v, err, _ := s.flight.Do("version", func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), versionTimeout)
			defer cancel()
			// The age counts from before the query, because the result may miss any later change.
			start := time.Now()
			var c catalogue
			err := s.db.Collection(Catalogue).FindOne(ctx, bson.D{{Key: "_id", Value: catalogueID}}).Decode(&c)
			if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
				return "", failure(err)
			}
			if len(c.Writers) > 0 {
				c.Version = ""
			}
			s.version.mu.Lock()
			s.version.version, s.version.read = c.Version, start
			s.version.mu.Unlock()
			return c.Version, nil
		})
		if err != nil {
			return "", err
		}
		version = v.(string)
	}
	if version == "" {
		return "", nil
	}
	return version + "." + now.UTC().Truncate(versionEpoch).Format("0601021504"), nil
}

// WriteMovies adds the given movies to the catalogue or updates them, by title; other movies stay. It writes only those
// that differ, and returns their number.
func (s *Store) WriteMovies(ctx context.Context, movies []Movie) (written int, err error) {
	ctx, cancel := context.WithTimeout(ctx, WriteTimeout)
	defer cancel()
	if err := s.Prepare(ctx); err != nil {
		return 0, err
	}
	differing, err := s.differing(ctx, movies)
	if err != nil {
		return 0, err
	}
	var c catalogue
	switch err := s.db.Collection(Catalogue).FindOne(ctx, bson.D{{Key: "_id", Value: catalogueID}}).Decode(&c); {
	case err == nil && c.Version != "" && len(c.Writers) == 0 && len(differing) == 0:
		return 0, nil
	case err != nil && !errors.Is(err, mongo.ErrNoDocuments):
		return 0, failure(err)
	}

	self := writer{ID: rand.Text(), Since: time.Now().UTC()}
	if err := s.updateCatalogue(ctx, bson.D{{Key: "$push", Value: bson.D{{Key: "writers", Value: self}}}}); err != nil {
		return 0, err
	}
	if written, err = s.replace(ctx, differing); err != nil {
		return written, err
	}
	// Set the version before unregistering. If the process is killed in between, the writer stays registered.
	if err := s.updateCatalogue(ctx, bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: rand.Text()}}}}); err != nil {
		return written, err
	}
	return written, s.unregister(ctx, self)
}

// replace writes movies, by title.
func (s *Store) replace(ctx context.Context, movies []Movie) (written int, err error) {
	var changes []mongo.WriteModel
	for _, m := range movies {
		m.ID = bson.ObjectID{} // keep the stored document's id
		changes = append(changes, mongo.NewReplaceOneModel().
			SetFilter(bson.D{{Key: "Title", Value: m.Title}}).SetReplacement(stored(m)).SetUpsert(true))
	}
	if len(changes) == 0 {
		return 0, nil
	}
	result, err := s.db.Collection(Movies).BulkWrite(ctx, changes, options.BulkWrite().SetOrdered(false))
	if result != nil {
		written = int(result.ModifiedCount + result.UpsertedCount)
	}
	return written, failure(err)
}

// unregister removes this writer and expired ones.
func (s *Store) unregister(ctx context.Context, self writer) error {
	var c catalogue
	if err := s.db.Collection(Catalogue).FindOne(ctx, bson.D{{Key: "_id", Value: catalogueID}}).Decode(&c); err != nil {
		return failure(err)
	}
	gone := slices.DeleteFunc(c.Writers, func(w writer) bool { return w.ID != self.ID && time.Since(w.Since) < writerExpiry })
	for _, w := range gone {
		pull := bson.D{{Key: "$pull", Value: bson.D{{Key: "writers", Value: w}}}}
		if err := s.updateCatalogue(ctx, pull); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) updateCatalogue(ctx context.Context, update bson.D) error {
	_, err := s.db.Collection(Catalogue).UpdateOne(ctx, bson.D{{Key: "_id", Value: catalogueID}}, update, options.UpdateOne().SetUpsert(true))
	return failure(err)
}

// differing returns the movies that differ from the stored ones.
func (s *Store) differing(ctx context.Context, movies []Movie) ([]Movie, error) {
	cursor, err := s.db.Collection(Movies).Find(ctx, bson.D{})
	if err != nil {
		return nil, failure(err)
	}
	var have []withSearch
	if err := cursor.All(ctx, &have); err != nil {
		return nil, failure(err)
	}
	byTitle := make(map[string][]byte, len(have))
	for _, m := range have {
		m.ID = bson.ObjectID{}
		raw, err := bson.Marshal(m)
		if err != nil {
			return nil, err
		}
		byTitle[m.Title] = raw
	}
	var out []Movie
	for _, m := range movies {
		m.ID = bson.ObjectID{}
		raw, err := bson.Marshal(stored(m))
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(raw, byTitle[m.Title]) {
			out = append(out, m)
		}
	}
	return out, nil
}
