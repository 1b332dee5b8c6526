package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The movies change seldom and are read by every request, so each process keeps them in memory. One small document has
// their version: a random text that every writer replaces before and after its writes. A process reads it at most once per
// versionLifetime, and reads the movies again when it has changed.
//
// The version is read before the movies, so a copy can be newer than its version, but never older. A writer that is killed
// between its writes and the second version, and changes that bypass this package, show after maxAge at the latest.

const (
	// versionLifetime is how long the version counts as current, versionTimeout the time limit for reading it and the movies.
	versionLifetime = time.Second
	versionTimeout  = 2 * time.Second
	// maxAge is how long the movies in memory are used without reading them again.
	maxAge = time.Minute
	// WriteTimeout is the time limit of WriteMovies and RemoveMovie.
	WriteTimeout = 5 * time.Minute
)

// versionID is the id of the document with the version.
const versionID = "movies"

// current is the copy of the movies in memory.
type current struct {
	catalogue *Catalogue
	version   string
	// read is when the movies were read, checked when the version was.
	read, checked time.Time
}

// Catalogue returns the movies. They are at most versionLifetime and the time of the queries old, except after the faults
// that maxAge is for. While the database is unavailable, as in an election, they are at most maxAge old.
func (s *Store) Catalogue(ctx context.Context) (*Catalogue, error) {
	old := s.movies.Load()
	if old != nil && time.Since(old.checked) < versionLifetime {
		return old.catalogue, nil
	}
	if err := s.Prepare(ctx); err != nil {
		return nil, err
	}
	c, err, _ := s.flight.Do("catalogue", func() (any, error) {
		// Concurrent callers share the result, so it must not end with the first caller's request.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), versionTimeout)
		defer cancel()
		return s.refresh(ctx)
	})
	switch {
	case err == nil:
		return c.(*Catalogue), nil
	case old != nil && time.Since(old.checked) < maxAge:
		return old.catalogue, nil
	default:
		return nil, err
	}
}

func (s *Store) refresh(ctx context.Context) (*Catalogue, error) {
	now := time.Now() // before the queries, because their results may miss any later change
	old := s.movies.Load()
	if old != nil && now.Sub(old.checked) < versionLifetime {
		return old.catalogue, nil
	}
	var stored struct {
		Version string `bson:"version"`
	}
	err := s.db.Collection(versions).FindOne(ctx, bson.D{{Key: "_id", Value: versionID}}).Decode(&stored)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, failure(err)
	}
	next := &current{version: stored.Version, read: now, checked: now}
	if old != nil && old.version == stored.Version && now.Sub(old.read) < maxAge {
		next.catalogue, next.read = old.catalogue, old.read
	} else if next.catalogue, err = s.readMovies(ctx); err != nil {
		return nil, err
	}
	s.movies.Store(next)
	return next.catalogue, nil
}

func (s *Store) readMovies(ctx context.Context) (*Catalogue, error) {
	cursor, err := s.db.Collection(Movies).Find(ctx, bson.D{}, options.Find().SetBatchSize(1000))
	if err != nil {
		return nil, failure(err)
	}
	var movies []Movie
	if err := cursor.All(ctx, &movies); err != nil {
		return nil, failure(err)
	}
	return newCatalogue(movies), nil
}

// write changes the movies between two new versions. A change that fails may have written a part, so it gets the second too.
func (s *Store) write(ctx context.Context, change func() error) error {
	if err := s.renew(ctx); err != nil {
		return err
	}
	err := change()
	// The time limit of the change may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), operationTimeout)
	defer cancel()
	return errors.Join(err, s.renew(ctx))
}

func (s *Store) renew(ctx context.Context) error {
	_, err := s.db.Collection(versions).UpdateOne(ctx, bson.D{{Key: "_id", Value: versionID}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: rand.Text()}}}}, options.UpdateOne().SetUpsert(true))
	return failure(err)
}

// WriteMovies adds the given movies or updates them, by title; other movies stay. It writes only those that differ, and
// returns their number.
func (s *Store) WriteMovies(ctx context.Context, movies []Movie) (written int, err error) {
	ctx, cancel := context.WithTimeout(ctx, WriteTimeout)
	defer cancel()
	if err := s.Prepare(ctx); err != nil {
		return 0, err
	}
	changes, err := s.changes(ctx, movies)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	return written, s.write(ctx, func() error {
		result, err := s.db.Collection(Movies).BulkWrite(ctx, changes, options.BulkWrite().SetOrdered(false))
		if result != nil {
			written = int(result.ModifiedCount + result.UpsertedCount)
		}
		return failure(err)
	})
}

// RemoveMovie removes the movie with exactly that title, or returns ErrNotFound. Favorites keep its id; lists leave it out.
func (s *Store) RemoveMovie(ctx context.Context, title string) error {
	ctx, cancel := context.WithTimeout(ctx, WriteTimeout)
	defer cancel()
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	return s.write(ctx, func() error {
		result, err := s.db.Collection(Movies).DeleteOne(ctx, bson.D{{Key: "Title", Value: title}})
		if err == nil && result.DeletedCount == 0 {
			return ErrNotFound
		}
		return failure(err)
	})
}

// changes returns the writes for the movies that differ from the stored ones.
func (s *Store) changes(ctx context.Context, movies []Movie) ([]mongo.WriteModel, error) {
	have, err := s.readMovies(ctx)
	if err != nil {
		return nil, err
	}
	var changes []mongo.WriteModel
	for _, m := range movies {
		m.ID = bson.ObjectID{} // keep the stored document's id
		if old, found := have.ByTitle(m.Title); found {
			old.ID = bson.ObjectID{}
			same, err := equal(m, old)
			if err != nil {
				return nil, err
			}
			if same {
				continue
			}
		}
		changes = append(changes, mongo.NewReplaceOneModel().
			SetFilter(bson.D{{Key: "Title", Value: m.Title}}).SetReplacement(m).SetUpsert(true))
	}
	return changes, nil
}

func equal(a, b Movie) (bool, error) {
	rawA, errA := bson.Marshal(a)
	rawB, errB := bson.Marshal(b)
	return bytes.Equal(rawA, rawB), errors.Join(errA, errB)
}
