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
	"cinema-database/internal/testutil/must"
)

func open(t *testing.T) (a, b *store.Store) {
	t.Helper()
	db := must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: t.TempDir()}))(t)
	t.Cleanup(db.Stop)
	connect := func() *store.Store {
		s := must.OK(store.Open(db.URI(), ""))(t)
		t.Cleanup(func() { _ = s.Close(context.Background()) })
		return s
	}
	return connect(), connect()
}

// version returns the version at the given time.
func version(t *testing.T, s *store.Store, at time.Time) string {
	t.Helper()
	return must.OK(s.CatalogueVersion(context.Background(), at))(t)
}

// later returns a time at which a version that is cached now has expired.
func later() time.Time { return time.Now().Add(2 * time.Second) }

func TestSeedIsIdempotent(t *testing.T) {
	ctx := context.Background()
	s, other := open(t)
	movies := seed.Movies()
	assert.Empty(t, version(t, other, later()), "no movies, no version")
	assert.Equal(t, len(movies), must.OK(s.WriteMovies(ctx, movies))(t))
	before := must.OK(s.ListMovies(ctx, store.MovieFilter{}))(t)
	require.Len(t, before, len(movies))
	first := version(t, other, later())
	assert.NotEmpty(t, first)

	assert.Zero(t, must.OK(s.WriteMovies(ctx, movies))(t))
	assert.Equal(t, first[:20], version(t, other, later())[:20], "nothing changed")

	movies[0].Description = "Changed."
	assert.Equal(t, 1, must.OK(s.WriteMovies(ctx, movies))(t))
	assert.NotEqual(t, first[:20], version(t, other, later())[:20], "another instance sees that something changed")
	after := must.OK(s.ListMovies(ctx, store.MovieFilter{}))(t)
	for i := range before {
		assert.Equal(t, before[i].ID, after[i].ID, "favorites still refer to the same movie")
	}
}

// TestRegisteredWriter: while a writer is registered, also after it was killed, there is no version.
func TestRegisteredWriter(t *testing.T) {
	ctx := context.Background()
	s, other := open(t)
	must.OK(s.WriteMovies(ctx, seed.Movies()))(t)
	first := version(t, other, later())
	register := func(since time.Time) {
		_, err := s.Collection(store.Catalogue).UpdateOne(ctx, bson.D{{Key: "_id", Value: "movies"}},
			bson.D{{Key: "$push", Value: bson.D{{Key: "writers", Value: bson.D{{Key: "id", Value: since.String()}, {Key: "since", Value: since}}}}}})
		require.NoError(t, err)
	}

	register(time.Now().Add(-time.Hour)) // killed long ago
	assert.Empty(t, version(t, other, later()))
	assert.Zero(t, must.OK(s.WriteMovies(ctx, seed.Movies()))(t), "the movies were up to date")
	second := version(t, other, later().Add(time.Second))
	assert.NotEmpty(t, second, "the next write removes the expired writer")
	assert.NotEqual(t, first[:20], second[:20])

	register(time.Now()) // active
	must.OK(s.WriteMovies(ctx, seed.Movies()))(t)
	assert.Empty(t, version(t, other, later().Add(2*time.Second)), "the other writer is still registered")
}

func TestVersionEndsWithItsEpoch(t *testing.T) {
	s, other := open(t)
	must.OK(s.WriteMovies(context.Background(), seed.Movies()))(t)
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
