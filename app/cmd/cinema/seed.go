package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
)

// seedMovies writes the sample movies to the database.
func seedMovies(ctx context.Context, getenv func(string) string, log *slog.Logger) (err error) {
	s, err := settings.LoadDatabase(getenv)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, db.Close(closing))
	}()
	movies := seed.Movies()
	written, err := db.WriteMovies(ctx, movies)
	if err != nil {
		return err
	}
	log.Info("seeded", "movies", len(movies), "written", written)
	return nil
}

func openDatabase(ctx context.Context, s settings.Settings, log *slog.Logger) (*store.Store, error) {
	if s.MongoDBURI != "" {
		return store.Open(s.MongoDBURI, "")
	}
	s3, err := images.NewClient(ctx, s.Region, s.PathStyle, log)
	if err != nil {
		return nil, err
	}
	state, err := (&credentialwatch.Watcher{Client: s3, Object: s.Credentials, Log: log}).Read(ctx)
	if err != nil {
		return nil, err
	}
	return state.Store, nil
}
