package dev

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cinema-database/app/client"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
)

// Options choose where things are. The zero value is good.
type Options struct {
	// Addr to listen on; empty for 127.0.0.1:8081, port 0 for a free one.
	Addr string
	// DataDir keeps accounts and images between runs; empty for a folder that goes with the server.
	DataDir string
	// Log takes the API's log; nil for none.
	Log *slog.Logger
	// PasswordCost is bcrypt's; zero for the API's own.
	PasswordCost int
	// UserAttempts and AddressAttempts bound log-ins; zero for the API's own.
	UserAttempts, AddressAttempts api.Rate
}

// Server is everything, running.
type Server struct {
	// URL is the page's and the API's address, such as http://127.0.0.1:8081.
	URL string
	// Database and S3 are the parts behind the API.
	Database *Database
	S3       *S3
	// Store is the API's own connection.
	Store *store.Store

	closers []func() error
}

// Start starts everything, with the sample movies in place. It returns when requests are answered. ctx bounds the
// start alone; Close ends the server.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	s := &Server{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if o.Addr == "" {
		o.Addr = fmt.Sprintf("127.0.0.1:%d", settings.DefaultPort)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	objects := ""
	if o.DataDir == "" {
		if o.DataDir, err = os.MkdirTemp("", "cinema-dev-"); err != nil {
			return nil, fmt.Errorf("dev: %w", err)
		}
		s.onClose(func() error { return os.RemoveAll(o.DataDir) })
	} else {
		objects = filepath.Join(o.DataDir, "s3")
	}
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	key, err := signingKey(o.DataDir)
	if err != nil {
		return nil, err
	}

	if s.Database, err = StartDatabase(filepath.Join(o.DataDir, "database"), ""); err != nil {
		return nil, err
	}
	s.onClose(func() error { s.Database.Stop(); return nil })
	if s.S3, err = StartS3(objects, ""); err != nil {
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
	thumbs := &thumbnailer{bucket: bucket, log: o.Log}
	s.onClose(func() error { thumbs.wait(); return nil })
	handler, err := api.New(api.Options{
		Source:          credentialwatch.Fixed(credentialwatch.State{Store: s.Store, Key: key}),
		Bucket:          bucket,
		Log:             o.Log,
		PasswordCost:    o.PasswordCost,
		UserAttempts:    o.UserAttempts,
		AddressAttempts: o.AddressAttempts,
		Uploaded:        thumbs.uploaded,
	})
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	s.URL = "http://" + ln.Addr().String()
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(running, ln, withPage(handler), o.Log) }()
	s.onClose(func() error { stop(); return <-done })
	return s, nil
}

func (s *Server) onClose(f func() error) { s.closers = append(s.closers, f) }

// Close lets the requests under way finish, and stops everything, latest first.
func (s *Server) Close() error {
	var problems []error
	for len(s.closers) > 0 {
		last := s.closers[len(s.closers)-1]
		s.closers = s.closers[:len(s.closers)-1]
		problems = append(problems, last())
	}
	return errors.Join(problems...)
}

// signingKey reads the folder's key, or makes one: sessions outlive a restart on the same data.
func signingKey(dir string) ([]byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
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

// withPage serves the page's files beside the API, as one origin.
func withPage(h http.Handler) http.Handler {
	files := http.FileServerFS(client.Files)
	config := configJS("")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		info, err := fs.Stat(client.Files, name)
		isFile := err == nil && info.Mode().IsRegular() && name != "client.go"
		if (r.Method != http.MethodGet && r.Method != http.MethodHead) || (!isFile && name != "config.js") {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if name == "config.js" {
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			_, _ = w.Write(config) // a client that has gone away cannot be told
			return
		}
		files.ServeHTTP(w, r)
	})
}

// configJS is the page's config.js for an API at that address; empty for the page's own origin.
func configJS(apiURL string) []byte {
	quoted, err := json.Marshal(apiURL)
	if err != nil {
		panic(err) // a string always marshals
	}
	return fmt.Appendf(nil, "export default { apiUrl: %s };\n", quoted)
}
