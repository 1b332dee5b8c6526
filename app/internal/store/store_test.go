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

// movies returns all movies, as the store has them now.
func movies(t *testing.T, s *store.Store) []store.Movie {
	t.Helper()
	all, next := must.OK(s.Catalogue(context.Background()))(t).Search(store.MovieFilter{}, nil, 1000)
	require.Nil(t, next)
	return all
}

func TestSeedIsIdempotent(t *testing.T) {
	ctx := context.Background()
	s, other := open(t)
	all := seed.Movies()
	assert.Empty(t, movies(t, other))
	assert.Equal(t, len(all), must.OK(s.WriteMovies(ctx, all))(t))
	assert.Eventually(t, func() bool { return len(movies(t, other)) == len(all) }, time.Minute, 10*time.Millisecond, "another instance sees them")
	before := movies(t, other)

	assert.Zero(t, must.OK(s.WriteMovies(ctx, all))(t))
	all[0].Description = "Changed."
	assert.Equal(t, 1, must.OK(s.WriteMovies(ctx, all))(t))
	changed := func() bool {
		m, found := must.OK(other.Catalogue(ctx))(t).ByTitle(all[0].Title)
		return found && m.Description == "Changed."
	}
	assert.Eventually(t, changed, time.Minute, 10*time.Millisecond, "another instance sees the change")
	after := movies(t, other)
	for i := range before {
		assert.Equal(t, before[i].ID, after[i].ID, "favorites still refer to the same movie")
	}
}

func TestRemoveMovie(t *testing.T) {
	ctx := context.Background()
	s, other := open(t)
	must.OK(s.WriteMovies(ctx, seed.Movies()))(t)
	require.ErrorIs(t, s.RemoveMovie(ctx, "Nope"), store.ErrNotFound)
	title := movies(t, other)[0].Title
	require.NoError(t, s.RemoveMovie(ctx, title))
	assert.Eventually(t, func() bool {
		_, found := must.OK(other.Catalogue(ctx))(t).ByTitle(title)
		return !found
	}, time.Minute, 10*time.Millisecond)
}

// TestMoviesOfEarlierReleases: a document with fields of earlier releases is read as usual.
func TestMoviesOfEarlierReleases(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t)
	_, err := s.Collection(store.Movies).InsertOne(ctx, bson.D{{Key: "Title", Value: "Ran"}, {Key: "search", Value: "ran akira kurosawa"}})
	require.NoError(t, err)
	assert.Equal(t, "Ran", movies(t, s)[0].Title)
}

// TestAccountsOfEarlierReleases: an account without sessions can log in, and a new one has what earlier releases compare.
func TestAccountsOfEarlierReleases(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t)
	_, err := s.Collection(store.Users).InsertOne(ctx, bson.D{
		{Key: "Username", Value: "ada"}, {Key: "Email", Value: "ada@example.com"}, {Key: "PasswordHash", Value: []byte("x")}, {Key: "Generation", Value: 3},
	})
	require.NoError(t, err)
	_, session, err := s.StartSession(ctx, must.OK(s.UserByName(ctx, "ada"))(t), time.Now())
	require.NoError(t, err)
	assert.EqualValues(t, 3, must.OK(s.UserOf(ctx, session))(t).Generation)

	bob := must.OK(s.AddUser(ctx, store.User{Username: "bob", Email: "bob@example.com"}))(t)
	n := must.OK(s.Collection(store.Users).CountDocuments(ctx, bson.D{{Key: "_id", Value: bob.ID}, {Key: "Generation", Value: 0}}))(t)
	assert.EqualValues(t, 1, n)
}

// TestSearchByRelevance: the title counts before the other fields, and its beginning before the rest.
func TestSearchByRelevance(t *testing.T) {
	s, _ := open(t)
	movie := func(title, director, actor, genre string) store.Movie {
		return store.Movie{Title: title, Director: store.Director{Name: director}, Actors: []string{actor}, Genre: store.Genre{Name: genre}}
	}
	must.OK(s.WriteMovies(context.Background(), []store.Movie{
		movie("Armageddon", "Bay", "Bruce Willis", "Action"), movie("City of God", "Meirelles", "Rodrigues", "Crime"),
		movie("The Godfather", "Coppola", "Al Pacino", "Crime"), movie("The Gods Must Be Crazy", "Uys", "N!xau", "Comedy"),
		movie("Ran", "Godard", "Nakadai", "War"), movie("Amélie", "Jeunet", "Godrèche", "Comedy"), movie("Alien", "Scott", "Weaver", "Godly"),
		movie("God", "Nobody", "Nobody", "Drama"), movie("Up", "Docter", "Asner", "Animation"),
	}))(t)
	catalogue := must.OK(s.Catalogue(context.Background()))(t)
	titles := func(search string) (all []string) {
		found, _ := catalogue.Search(store.MovieFilter{Search: search}, nil, 100)
		for _, m := range found {
			all = append(all, m.Title)
		}
		return all
	}
	assert.Equal(t, []string{"God", "The Godfather", "The Gods Must Be Crazy", "City of God", "Ran", "Amélie", "Alien"}, titles("god"))
	assert.Equal(t, []string{"The Godfather"}, titles("GODFATHER  the"))
	assert.Equal(t, []string{"Amélie"}, titles("amelie jeunet"))
	assert.Empty(t, titles("god xyz"))

	// Every page size gives the same list, and a movie that is removed meanwhile moves no other.
	for _, search := range []string{"god", ""} {
		whole, _ := catalogue.Search(store.MovieFilter{Search: search}, nil, 100)
		for size := 1; size <= len(whole); size++ {
			var all []store.Movie
			for place := (*store.Cursor)(nil); ; {
				page, next := catalogue.Search(store.MovieFilter{Search: search}, place, size)
				all = append(all, page...)
				if place = next; next == nil {
					break
				}
			}
			assert.Equal(t, whole, all, "%q by %d", search, size)
		}
	}
	after, _ := catalogue.Search(store.MovieFilter{}, &store.Cursor{Title: "Removed"}, 1)
	assert.Equal(t, "The Godfather", after[0].Title)
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

// TestNoReplicaSet: FerretDB has none, and that is no error.
func TestNoReplicaSet(t *testing.T) {
	s, _ := open(t)
	assert.Zero(t, must.OK(s.ReplicaSet(context.Background()))(t))
}
