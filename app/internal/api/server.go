package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// idleTimeout is longer than the load balancer's own (60 s), so that it never sends a request down a
	// connection that is being closed here.
	idleTimeout = 75 * time.Second
	// DrainTimeout is how long requests under way have when the server stops: less than the 30 s that the
	// load balancer waits before it gives up on a target.
	DrainTimeout = 25 * time.Second
	maxHeader    = 16 << 10
)

// Serve answers on the listener until ctx ends, then lets the requests under way finish, for up to DrainTimeout.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       transfer,
		WriteTimeout:      transfer + quick,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("draining")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), DrainTimeout)
	defer cancel()
	err := srv.Shutdown(drain)
	if err != nil {
		err = errors.Join(err, srv.Close())
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
