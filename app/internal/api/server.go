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
	// idleTimeout is longer than the load balancer's (60 s), so that the load balancer never sends a request on a connection
	// that this server is closing.
	idleTimeout = 75 * time.Second
	// DrainTimeout is how long current requests may take when the server stops: less than the load balancer's
	// deregistration delay of 30 s.
	DrainTimeout = 25 * time.Second
	maxHeader    = 16 << 10
)

// Serve serves HTTP on the listener until ctx ends, then waits up to DrainTimeout for the current requests.
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
