package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/databasemetrics"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
)

// serve serves the API until ctx ends. The database and the credentials object may become available later.
func serve(ctx context.Context, getenv func(string) string, out io.Writer, log *slog.Logger) error {
	s, err := settings.Load(getenv)
	if err != nil {
		return err
	}
	s3, err := images.NewClient(ctx, s.Region, s.PathStyle, log)
	if err != nil {
		return err
	}
	source := &credentialwatch.Source{}
	if s.MongoDBURI != "" {
		db, err := store.Open(s.MongoDBURI, "")
		if err != nil {
			return err
		}
		source = credentialwatch.Fixed(credentialwatch.State{Store: db, Key: s.JWTKey})
	}
	handler, err := api.New(api.Options{
		Source:         source,
		Bucket:         images.NewBucket(s3, s.Bucket),
		Log:            log,
		AllowedOrigins: s.AllowedOrigins,
		Proxies:        s.Proxies,
	})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", fmt.Sprintf(":%d", s.Port))
	if err != nil {
		return fmt.Errorf("cinema: %s %d: %w", contract.EnvPort, s.Port, err)
	}

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	if s.MongoDBURI == "" {
		watcher := &credentialwatch.Watcher{Client: s3, Object: s.Credentials, Log: log}
		work.Go(func() { watcher.Run(background, source) })
	}
	if s.Stack != "" {
		publisher := &databasemetrics.Publisher{Stack: s.Stack, Out: out, Log: log,
			Usage: func(ctx context.Context) (databasemetrics.Usage, error) {
				state := source.Current()
				if state == nil {
					return databasemetrics.Usage{}, errors.New("no credentials yet")
				}
				return state.Store.VolumeUsage(ctx)
			},
			ReplicaSet: func(ctx context.Context) (databasemetrics.ReplicaSet, error) {
				state := source.Current()
				if state == nil {
					return databasemetrics.ReplicaSet{}, nil // Usage reports it
				}
				return state.Store.ReplicaSet(ctx)
			}}
		work.Go(func() { publisher.Run(background) })
	}
	log.Info("listening", "address", ln.Addr().String())
	err = api.Serve(ctx, ln, handler, log)

	stop()
	work.Wait()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, source.Close(closing))
}
