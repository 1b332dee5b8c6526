// Package credentialwatch reads the database's connection and the signing key from the credentials object in S3, as
// soon as the object exists and again whenever it changes, so that the API needs no restart.
package credentialwatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/app/internal/credentials"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
)

const (
	// missingInterval is the time between reads before the first credentials are in use.
	missingInterval = 3 * time.Second
	// failuresPerLine makes one line a minute of failures at missingInterval.
	failuresPerLine = 20
	// changeInterval is the time between reads after that.
	changeInterval = 30 * time.Second
	fetchTimeout   = 10 * time.Second
	// maxObject is the maximum size of the object, in bytes. A URI, a certificate and a key need a few thousand.
	maxObject = 64 << 10
	// retirement is how long an older connection pool stays open for the requests that use it.
	retirement = time.Minute
)

// State is one set of credentials.
type State struct {
	Store *store.Store
	// Key signs sessions.
	Key []byte
}

// Source holds the current State.
type Source struct {
	current atomic.Pointer[State]
}

// Current returns the State that a request uses from its start to its end; nil before there is one.
func (s *Source) Current() *State { return s.current.Load() }

// Fixed returns a source whose State never changes.
func Fixed(state State) *Source {
	s := &Source{}
	s.current.Store(&state)
	return s
}

// Close closes the current connection pool.
func (s *Source) Close(ctx context.Context) error {
	if state := s.current.Load(); state != nil {
		return state.Store.Close(ctx)
	}
	return nil
}

// Watcher reads the credentials object.
type Watcher struct {
	Client *s3.Client
	Object settings.Object
	Log    *slog.Logger
	// MissingInterval and ChangeInterval are the times between reads before and after the first credentials are in use;
	// zero for 3 s and 30 s.
	MissingInterval, ChangeInterval time.Duration
}

// Run keeps source up to date until ctx ends. If the object becomes invalid or is deleted, that is logged and the
// credentials stay in use: a mistake in the bucket must not stop a working API.
func (w *Watcher) Run(ctx context.Context, source *Source) {
	missing, change := w.MissingInterval, w.ChangeInterval
	if missing == 0 {
		missing = missingInterval
	}
	if change == 0 {
		change = changeInterval
	}
	var last []byte
	failures := 0
	for {
		data, err := w.fetch(ctx)
		var state *State
		if err == nil && !bytes.Equal(data, last) {
			state, err = Open(data)
		}
		switch {
		case ctx.Err() != nil:
			if state != nil {
				_ = state.Store.Close(context.WithoutCancel(ctx)) // it is unused, so there is nothing to wait for
			}
			return
		case err != nil:
			if source.Current() != nil || failures%failuresPerLine == 0 {
				w.Log.Warn("cannot use the credentials object", "error", err.Error(), "waiting", source.Current() == nil)
			}
			failures++
		case state != nil:
			last, failures = data, 0
			if old := source.current.Swap(state); old != nil {
				go retire(ctx, old.Store)
			}
			w.Log.Info("credentials in use")
		}
		pause := change
		if source.Current() == nil {
			pause = missing
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Read reads the object once.
func (w *Watcher) Read(ctx context.Context) (*State, error) {
	data, err := w.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials: s3://%s/%s: %w", w.Object.Bucket, w.Object.Key, err)
	}
	return Open(data)
}

func (w *Watcher) fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	out, err := w.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(w.Object.Bucket), Key: aws.String(w.Object.Key)})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, maxObject+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxObject {
		return nil, fmt.Errorf("longer than %d bytes", maxObject)
	}
	return data, nil
}

// retire closes a connection pool after the requests that use it have ended.
func retire(ctx context.Context, s *store.Store) {
	select {
	case <-ctx.Done():
	case <-time.After(retirement):
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.Close(ctx) // the pool is not used again, whether or not it closes cleanly
}

// Open parses a credentials object. The error reports all problems and contains no value of the object.
func Open(data []byte) (*State, error) {
	var c credentials.Credentials
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&c); err != nil {
		return nil, errors.New("credentials: not valid JSON of a credentials object; run `cinema-db init` on the host of the primary")
	}
	key, keyErr := settings.ParseJWTKey(c.JWTKey)
	if keyErr != nil {
		keyErr = fmt.Errorf("credentials: jwtKey: %w", keyErr)
	}
	s, err := store.Open(c.MongoDBURI, c.CACertificate)
	if err != nil {
		err = fmt.Errorf("credentials: %w", err)
	}
	if problems := errors.Join(keyErr, err); problems != nil {
		if err == nil {
			_ = s.Close(context.Background()) // it is unused, so there is nothing to wait for
		}
		return nil, problems
	}
	return &State{Store: s, Key: key}, nil
}
