package dev

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
	"cinema-database/internal/filelock"
)

// Options are the options of Start. The zero value is valid.
type Options struct {
	// Addr is the address to listen on, host:port; empty for contract.APIPort on loopback, port 0 for a free port.
	Addr string
	// DataDir stores accounts and images between runs; empty for a temporary folder that Close removes. Start fails if another
	// server uses it.
	DataDir string
	// Log is the API's log; nil for none.
	Log *slog.Logger
	// PasswordCost is bcrypt's cost; zero for the API's default.
	PasswordCost int
	// Limits limit log-ins and changes of accounts; zero for the API's defaults.
	Limits api.Limits
	// Intercept, if not nil, returns the handler that answers instead of the API, behind the edge.
	Intercept func(api http.Handler) http.Handler
}

// Server is the running application.
type Server struct {
	// URL is the edge's, e.g. http://127.0.0.1:8081. The client is at its root, the API below contract.BasePath.
	URL string
	// Database and S3 are the API's backends.
	Database *Database
	S3       *S3
	// Store is the API's connection to the database.
	Store *store.Store

	closers []func() error
}

// Start starts the application with the sample movies, and returns when it accepts requests. ctx limits only the start;
// Close stops the server.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	s := &Server{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if o.Addr == "" {
		o.Addr = fmt.Sprintf("127.0.0.1:%d", contract.APIPort)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkLocation(o.DataDir, &o.Addr); err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	objects := ""
	if o.DataDir == "" {
		if o.DataDir, err = os.MkdirTemp("", "cinema-dev-"); err != nil {
			return nil, fmt.Errorf("dev: %w", err)
		}
		s.onClose(func() error { return os.RemoveAll(o.DataDir) })
	} else {
		if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
			return nil, fmt.Errorf("dev: %w", err)
		}
		objects = filepath.Join(o.DataDir, "s3")
		unlock, err := lock(o.DataDir)
		if err != nil {
			return nil, err
		}
		s.onClose(unlock)
	}
	// Before the rest, so that a used port is reported at once. Requests wait until the API serves them.
	ln, err := net.Listen("tcp", o.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("dev: address %s: another program uses it; stop that program, or listen on another address, such as 127.0.0.1:0: %w", o.Addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	s.onClose(func() error {
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) { // the API closes it when it stops
			return err
		}
		return nil
	})
	key, err := signingKey(o.DataDir)
	if err != nil {
		return nil, err
	}

	if s.Database, err = StartDatabase(DatabaseOptions{Dir: filepath.Join(o.DataDir, "database")}); err != nil {
		return nil, err
	}
	s.onClose(func() error { s.Database.Stop(); return nil })
	if s.S3, err = StartS3(S3Options{Dir: objects}); err != nil {
		return nil, err
	}
	s.onClose(func() error { s.S3.Stop(); return nil })

	if s.Store, err = store.Open(s.Database.URI(), ""); err != nil {
		return nil, err
	}
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return s.Store.Close(ctx)
	})
	if _, err := s.Store.WriteMovies(ctx, seed.Movies()); err != nil {
		return nil, err
	}

	bucket := images.NewBucket(s.S3.Client(), BucketName)
	thumbs := newThumbnails(s.S3.Client(), o.Log)
	s.onClose(thumbs.close)
	handler, err := api.New(api.Options{
		Source:       credentialwatch.Fixed(credentialwatch.State{Store: s.Store, Key: key}),
		Bucket:       bucket,
		Log:          o.Log,
		PasswordCost: o.PasswordCost,
		Limits:       o.Limits,
		Uploaded:     thumbs.uploaded,
		Proxies:      edgeProxies,
	})
	if err != nil {
		return nil, err
	}
	var behind http.Handler = handler
	if o.Intercept != nil {
		behind = o.Intercept(handler)
	}
	s.URL = "http://" + ln.Addr().String()
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(running, ln, edge(behind), o.Log) }()
	s.onClose(func() error { stop(); return <-done })
	return s, nil
}

func (s *Server) onClose(f func() error) { s.closers = append(s.closers, f) }

// Close finishes the current requests and stops everything, in reverse order of the start.
func (s *Server) Close() error {
	var problems []error
	for len(s.closers) > 0 {
		last := s.closers[len(s.closers)-1]
		s.closers = s.closers[:len(s.closers)-1]
		problems = append(problems, last())
	}
	return errors.Join(problems...)
}

// lock locks a data folder, and creates it if needed. Two servers on the same files would lose updates.
func lock(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	switch free, err := filelock.Try(f); {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("dev: folder %s: cannot be locked: %w", dir, err), f.Close())
	case !free:
		return nil, errors.Join(fmt.Errorf("dev: folder %s: another server uses it; stop that server, or use another folder", dir), f.Close())
	}
	return f.Close, nil
}

// signingKey reads the key in dir, or generates it, so that sessions survive a restart on the same data.
func signingKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "jwt.key")
	if key, err := os.ReadFile(path); err == nil && len(key) >= settings.JWTKeyMinBytes {
		return key, nil
	}
	key := make([]byte, settings.JWTKeyMinBytes)
	rand.Read(key) // never fails
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	return key, nil
}
