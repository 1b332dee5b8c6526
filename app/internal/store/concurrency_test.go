package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/store"
	"cinema-database/internal/testutil/must"
)

// TestConcurrentFavorites: no favorite is lost when all are added, and half of them removed, at the same time.
func TestConcurrentFavorites(t *testing.T) {
	a, b := open(t) // the instances of the API do not know of each other
	ctx := context.Background()
	must.OK(a.WriteMovies(ctx, seed.Movies()))(t)
	movies, _ := must.OK(a.Catalogue(ctx))(t).Search(store.MovieFilter{}, nil, 1000)
	require.Greater(t, len(movies), 50)
	user, session, err := a.StartSession(ctx, must.OK(a.AddUser(ctx, store.User{Username: "ada", Email: "ada@example.com", PasswordHash: []byte("x")}))(t), time.Now())
	require.NoError(t, err)

	atOnce := func(f func(i int) error) {
		var all sync.WaitGroup
		for i := range movies {
			all.Go(func() { assert.NoError(t, f(i)) })
		}
		all.Wait()
	}
	atOnce(func(i int) error {
		_, err := []*store.Store{a, b}[i%2].AddFavorite(ctx, session, movies[i].ID)
		return err
	})
	user = must.OK(a.UserOf(ctx, session))(t)
	assert.Len(t, user.FavoriteMovies, len(movies))
	atOnce(func(i int) error {
		if i%2 == 0 {
			return nil
		}
		_, err := []*store.Store{a, b}[i/2%2].RemoveFavorite(ctx, session, movies[i].ID)
		return err
	})
	user = must.OK(a.UserOf(ctx, session))(t)
	assert.Len(t, user.FavoriteMovies, (len(movies)+1)/2)
}

// TestConcurrentSignUps: of thirty sign-ups with one name, one succeeds, and the others learn why not.
func TestConcurrentSignUps(t *testing.T) {
	a, b := open(t) // the instances of the API do not know of each other
	var all sync.WaitGroup
	results := make(chan error, 30)
	for i := range cap(results) {
		all.Go(func() {
			_, err := []*store.Store{a, b}[i%2].AddUser(context.Background(), store.User{Username: "ada", Email: fmt.Sprintf("ada%d@example.com", i)})
			results <- err
		})
	}
	all.Wait()
	close(results)
	made := 0
	for err := range results {
		var taken *store.TakenError
		switch {
		case err == nil:
			made++
		case errors.As(err, &taken):
			assert.Equal(t, "Username", taken.Field)
		default:
			assert.NoError(t, err)
		}
	}
	assert.Equal(t, 1, made)
}
