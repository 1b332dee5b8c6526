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
	// The document is the same for everybody, and contains nothing about the caller.
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(openAPIDocument)
	return err
}

// healthz does not check the database: while the database is unavailable, the load balancer must not replace the
// instances.
func (a *API) healthz(w http.ResponseWriter, c *call) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

const (
	// readyTimeout is the time limit of each check of readyz.
	readyTimeout = 3 * time.Second
	// readyLifetime is how long a result is cached, as anyone may cause the checks' load on the database and S3.
	readyLifetime = time.Second
)

// readiness is the last result of the checks.
type readiness struct {
	mu       sync.Mutex
	at       time.Time
	database bool
	bucket   bool
}

func (a *API) readyz(w http.ResponseWriter, c *call) error {
	r := &a.ready
	r.mu.Lock()
	defer r.mu.Unlock() // concurrent requests wait for this result
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
		p := &problem{Status: http.StatusServiceUnavailable, Detail: "The API is not ready.", RetryAfter: retryAfter}
		if !r.database {
			p.Fields = append(p.Fields, fieldProblem{"database", "is unavailable"})
		}
		if !r.bucket {
			p.Fields = append(p.Fields, fieldProblem{"bucket", "is unavailable"})
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
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may have disconnected.
	_, _ = w.Write(body)
	return nil
}
