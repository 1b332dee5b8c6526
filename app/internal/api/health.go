package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

//go:embed openapi.json
var openAPIDocument []byte

func (a *API) openAPI(w http.ResponseWriter, c *call) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(openAPIDocument)
	return err
}

// healthz answers for the process alone: a database that is away must not take the fleet with it.
func (a *API) healthz(w http.ResponseWriter, c *call) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

const (
	// readyTimeout bounds each of the checks behind /readyz.
	readyTimeout = 3 * time.Second
	// readyLifetime is how long an outcome stands: the checks cost the database and S3 something, and anyone may ask.
	readyLifetime = time.Second
)

// readiness is the last outcome of the checks.
type readiness struct {
	mu       sync.Mutex
	at       time.Time
	database bool
	bucket   bool
}

func (a *API) readyz(w http.ResponseWriter, c *call) error {
	r := &a.ready
	r.mu.Lock()
	defer r.mu.Unlock() // those who ask meanwhile wait for this outcome
	if age := time.Since(r.at); age < 0 || age >= readyLifetime {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), readyTimeout)
		defer cancel()
		var checks sync.WaitGroup
		checks.Go(func() {
			if r.database = c.state.Store.Prepare(ctx) == nil; r.database {
				r.database = c.state.Store.Ping(ctx) == nil
			}
		})
		checks.Go(func() { r.bucket = a.bucket.Ping(ctx) == nil })
		checks.Wait()
		r.at = time.Now()
	}
	if !r.database || !r.bucket {
		p := &problem{Status: http.StatusServiceUnavailable, Detail: "Not everything is in reach.", RetryAfter: retryAfter}
		if !r.database {
			p.Fields = append(p.Fields, fieldProblem{"database", "is away"})
		}
		if !r.bucket {
			p.Fields = append(p.Fields, fieldProblem{"bucket", "is away"})
		}
		return p
	}
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "database": "ok", "bucket": "ok"})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	// A client that has gone away cannot be told.
	_, _ = w.Write(body)
	return nil
}
