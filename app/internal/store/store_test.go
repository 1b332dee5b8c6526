package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/store"
)

func open(t *testing.T) (a, b *store.Store) {
	t.Helper()
	db, err := dev.StartDatabase(dev.DatabaseOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(db.Stop)
	connect := func() *store.Store {
		s, err := store.Open(db.URI(), "")
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close(context.Background()) })
		return s
	}
	return connect(), connect()
}

// version returns the version at the given time.
func version(t *testing.T, s *store.Store, at time.Time) string {
	t.Helper()
	v, err := s.CatalogueVersion(context.Background(), at)
	require.NoError(t, err)
	return v
}

// later returns a time at which a version that is cached now has expired.
func later() time.Time { return time.Now().Add(2 * time.Second) }

func TestSeedIsIdempotent(t *testing.T) {
	ctx := context.Background()
	s, other := open(t)
	movies := seed.Movies()
	assert.Empty(t, version(t, other, later()), "no movies, no version")
	n, err := s.WriteMovies(ctx, movies)
	require.NoError(t, err)
	assert.Equal(t, len(movies), n)
	before, err := s.ListMovies(ctx, store.MovieFilter{})
	require.NoError(t, err)
	require.Len(t, before, len(movies))
	first := version(t, other, later())
	assert.NotEmpty(t, first)

	n, err = s.WriteMovies(ctx, movies)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Equal(t, first[:20], version(t, other, later())[:20], "nothing changed")

	movies[0].Description = "Changed."
	n, err = s.WriteMovies(ctx, movies)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.NotEqual(t, first[:20], version(t, other, later())[:20], "another instance sees that something changed")
	after, err := s.ListMovies(ctx, store.MovieFilter{})
	require.NoError(t, err)
	for i := range before {
		assert.Equal(t, before[i].ID, after[i].ID, "favorites still refer to the same movie")
	}
}

// TestRegisteredWriter: while a writer is registered, also after it was killed, there is no version.
func TestRegisteredWriter(t *testing.T) {
	ctx := context.Background()
	s, other := open(t)
	_, err := s.WriteMovies(ctx, seed.Movies())
	require.NoError(t, err)
	first := version(t, other, later())
	register := func(since time.Time) {
		_, err := s.Collection(store.Catalogue).UpdateOne(ctx, bson.D{{Key: "_id", Value: "movies"}},
			bson.D{{Key: "$push", Value: bson.D{{Key: "writers", Value: bson.D{{Key: "id", Value: since.String()}, {Key: "since", Value: since}}}}}})
		require.NoError(t, err)
	}

	register(time.Now().Add(-time.Hour)) // killed long ago
	assert.Empty(t, version(t, other, later()))
	n, err := s.WriteMovies(ctx, seed.Movies())
	require.NoError(t, err)
	assert.Zero(t, n, "the movies were up to date")
	second := version(t, other, later().Add(time.Second))
	assert.NotEmpty(t, second, "the next write removes the expired writer")
	assert.NotEqual(t, first[:20], second[:20])

	register(time.Now()) // active
	_, err = s.WriteMovies(ctx, seed.Movies())
	require.NoError(t, err)
	assert.Empty(t, version(t, other, later().Add(2*time.Second)), "the other writer is still registered")
}

func TestVersionEndsWithItsEpoch(t *testing.T) {
	s, other := open(t)
	_, err := s.WriteMovies(context.Background(), seed.Movies())
	require.NoError(t, err)
	now := time.Now()
	assert.NotEqual(t, version(t, other, now), version(t, other, now.Add(10*time.Minute)), "changes that bypass the package show later")
	assert.Equal(t, version(t, other, now), version(t, s, now), "all instances agree")
}

func TestOpenErrorsContainNoSecret(t *testing.T) {
	for _, uri := range []string{"", "postgres://u:secret@db", "mongodb://u:secret@db:x/", "mongodb://u:secret@db/?authMechanism=nothing", "mongodb://u:sec%ret@db/"} {
		_, err := store.Open(uri, "")
		require.Error(t, err, uri)
		assert.NotContains(t, err.Error(), "sec")
	}
	_, err := store.Open("mongodb://u:secret@db/?tls=true", "not PEM")
	assert.ErrorContains(t, err, "CA certificate")
}
