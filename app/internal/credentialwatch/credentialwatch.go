// Package live keeps what the API needs to answer at all, its database and its signing key, as the credentials
// object in S3 says: fetched when it appears, and again when it changes, with no restart.
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
	// waitingPoll is the time between looks for an object that has not appeared.
	waitingPoll = 3 * time.Second
	// watchingPoll is the time between looks for a change of it.
	watchingPoll = 30 * time.Second
	fetchTimeout = 10 * time.Second
	// maxObject is the longest credentials object, in bytes: a URI, a certificate and a key are a few thousand.
	maxObject = 64 << 10
	// retirement is how long an older pool lives on for the requests that hold it.
	retirement = time.Minute
)

// State is one set of credentials in use.
type State struct {
	Store *store.Store
	// Key signs sessions.
	Key []byte
}

// Source holds the State of the moment.
type Source struct {
	current atomic.Pointer[State]
}

// Current is the State to use for one request from its start to its end; nil until there is one.
func (s *Source) Current() *State { return s.current.Load() }

// Fixed is a source of one State that never changes.
func Fixed(state State) *Source {
	s := &Source{}
	s.current.Store(&state)
	return s
}

// Close closes the pool in use.
func (s *Source) Close(ctx context.Context) error {
	if state := s.current.Load(); state != nil {
		return state.Store.Close(ctx)
	}
	return nil
}

// Watcher looks for the credentials object and hands what it finds to its Source.
type Watcher struct {
	Client *s3.Client
	Object settings.Object
	Log    *slog.Logger
	// Waiting and Watching are the times between looks before and after the object was found; zero for 3 s and 30 s.
	Waiting, Watching time.Duration
}

// Watch keeps source up to date until ctx ends. A change that cannot be used is logged, and what was in use
// stays in use. So does it when the object goes away: a slip in the bucket must not stop a working API.
func (w *Watcher) Watch(ctx context.Context, source *Source) {
	waiting, watching := w.Waiting, w.Watching
	if waiting == 0 {
		waiting = waitingPoll
	}
	if watching == 0 {
		watching = watchingPoll
	}
	var last []byte
	for {
		data, err := w.fetch(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.Log.Warn("credentials object not read", "error", err.Error(), "waiting", source.Current() == nil)
		case bytes.Equal(data, last):
		default:
			state, err := Open(data)
			if err != nil {
				w.Log.Error("credentials object refused", "error", err.Error())
				break
			}
			last = data
			if old := source.current.Swap(state); old != nil {
				go retire(ctx, old.Store)
			}
			w.Log.Info("credentials in use")
		}
		pause := watching
		if source.Current() == nil {
			pause = waiting
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

// retire closes a pool when the requests that hold it have ended.
func retire(ctx context.Context, s *store.Store) {
	select {
	case <-ctx.Done():
	case <-time.After(retirement):
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.Close(ctx) // nothing is left to do for a pool that does not close
}

// Open makes a State of a credentials object. Errors name every problem and repeat no value.
func Open(data []byte) (*State, error) {
	var c credentials.Credentials
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&c); err != nil {
		return nil, errors.New("credentials: not JSON of the right form; run cinema-db on the database host")
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
			_ = s.Close(context.Background()) // never used: nothing to wait for
		}
		return nil, problems
	}
	return &State{Store: s, Key: key}, nil
}
