package main

import (
	"context"
	"log/slog"

	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
)

// seedMovies writes the sample movies to the database.
func seedMovies(ctx context.Context, getenv func(string) string, log *slog.Logger) error {
	s, err := settings.LoadDatabase(getenv)
	if err != nil {
		return err
	}
	return withStore(ctx, s, log, func(db *store.Store) error {
		movies := seed.Movies()
		written, err := db.WriteMovies(ctx, movies)
		if err != nil {
			return err
		}
		log.Info("seeded", "movies", len(movies), "written", written)
		return nil
	})
}
