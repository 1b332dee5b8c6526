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

// The catalogue's version stands for the content of the movies collection, so that a client's copy can be
// confirmed without reading the movies. One document holds it: the version, a random text that never comes
// back, and the writers at work.
//
// Only WriteMovies changes movies. It announces itself, writes, then sets another version and takes its
// announcement back, in this order:
//   - while a writer is announced there is no version, so nothing that is read then can be confirmed later;
//   - a writer that dies leaves its announcement, so no copy is confirmed until the next write completes;
//   - readers take the version before they read movies: what they label can be newer than its label, never older.
//
// Each process keeps the version for versionLifetime, and reading it takes versionTimeout at most: together the
// longest that a copy is confirmed after a change. A change made by other hands, past this package, shows after versionEpoch at the latest.

const (
	// versionLifetime is how long a version that was read stands without being read again.
	versionLifetime = time.Second
	versionTimeout  = 2 * time.Second
	// versionEpoch is how long one version confirms copies even though nothing seems to change.
	versionEpoch = 10 * time.Minute
	// WriteTimeout bounds one WriteMovies.
	WriteTimeout = 5 * time.Minute
	// forgotten is the age at which an announcement can only be a dead writer's.
	forgotten = 2 * WriteTimeout
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

// CatalogueVersion is a text that stands for the movies' content, and changes with it; empty where the content
// is changing or was never written as a whole. It is at most versionLifetime and versionTimeout old, and reads
// the database only when it would be older.
func (s *Store) CatalogueVersion(ctx context.Context, now time.Time) (string, error) {
	s.version.mu.Lock()
	version, read := s.version.version, s.version.read
	s.version.mu.Unlock()
	if age := now.Sub(read); read.IsZero() || age < 0 || age >= versionLifetime {
		v, err, _ := s.flight.Do("version", func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), versionTimeout)
			defer cancel()
			// The age counts from before the question: a change after this moment may not be in the answer.
			asked := time.Now()
			var c catalogue
			err := s.db.Collection(Catalogue).FindOne(ctx, bson.D{{Key: "_id", Value: catalogueID}}).Decode(&c)
			if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
				return "", failure(err)
			}
			if len(c.Writers) > 0 {
				c.Version = ""
			}
			s.version.mu.Lock()
			s.version.version, s.version.read = c.Version, asked
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

// WriteMovies makes the catalogue hold every given movie, by title; others stay. It writes only what differs,
// so that a second run changes nothing, and says how many movies it wrote.
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

	me := writer{ID: rand.Text(), Since: time.Now().UTC()}
	if err := s.updateCatalogue(ctx, bson.D{{Key: "$push", Value: bson.D{{Key: "writers", Value: me}}}}); err != nil {
		return 0, err
	}
	if written, err = s.replace(ctx, differing); err != nil {
		return written, err
	}
	// The other version comes before the announcements go, so that a death in between is a dead writer's.
	if err := s.updateCatalogue(ctx, bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: rand.Text()}}}}); err != nil {
		return written, err
	}
	return written, s.withdraw(ctx, me)
}

// replace writes movies by title.
func (s *Store) replace(ctx context.Context, movies []Movie) (written int, err error) {
	var changes []mongo.WriteModel
	for _, m := range movies {
		m.ID = bson.ObjectID{} // the id stays the stored document's own
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

// withdraw takes back this writer's announcement and those of the dead.
func (s *Store) withdraw(ctx context.Context, me writer) error {
	var c catalogue
	if err := s.db.Collection(Catalogue).FindOne(ctx, bson.D{{Key: "_id", Value: catalogueID}}).Decode(&c); err != nil {
		return failure(err)
	}
	gone := slices.DeleteFunc(c.Writers, func(w writer) bool { return w.ID != me.ID && time.Since(w.Since) < forgotten })
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

// differing gives those movies that are not stored just so.
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
