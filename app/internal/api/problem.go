package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"cinema-database/app/internal/images"
	"cinema-database/app/internal/passwords"
	"cinema-database/app/internal/store"
)

// problem is an error that a client is told of, as RFC 9457 has it. Its type is about:blank, so its title is
// the status's own phrase.
type problem struct {
	Status int
	// Detail is this package's own words, for a person.
	Detail string
	// Fields names what is wrong with each field of the request.
	Fields []fieldProblem
	// RetryAfter is when to try again; zero for no advice.
	RetryAfter time.Duration
	// Challenge is the WWW-Authenticate header; empty for none.
	Challenge string
	// Allow is the Allow header; empty for none.
	Allow string
	// cause is for the log alone.
	cause error
}

type fieldProblem struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

func (p *problem) Error() string {
	if p.cause != nil {
		return fmt.Sprintf("%d: %s: %v", p.Status, p.Detail, p.cause)
	}
	return fmt.Sprintf("%d: %s", p.Status, p.Detail)
}

func (p *problem) Unwrap() error { return p.cause }

func problemf(status int, format string, args ...any) *problem {
	return &problem{Status: status, Detail: fmt.Sprintf(format, args...)}
}

const retryAfter = 5 * time.Second

// asProblem gives every error its problem.
func asProblem(err error) *problem {
	var (
		p     *problem
		taken *store.TakenError
		long  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &taken):
		return &problem{Status: http.StatusConflict, Detail: taken.Field + " is taken; choose another.",
			Fields: []fieldProblem{{taken.Field, "is taken"}}}
	case errors.As(err, &long):
		return problemf(http.StatusRequestEntityTooLarge, "The body is longer than %d bytes.", long.Limit)
	case errors.Is(err, store.ErrNotFound), errors.Is(err, images.ErrNotFound):
		return problemf(http.StatusNotFound, "There is no such thing here.")
	case errors.Is(err, passwords.ErrBusy):
		return &problem{Status: http.StatusServiceUnavailable, Detail: "Too many log-ins at once; try again shortly.", RetryAfter: time.Second, cause: err}
	case errors.Is(err, store.ErrUnavailable):
		return &problem{Status: http.StatusServiceUnavailable, Detail: "The database is away; try again shortly.", RetryAfter: retryAfter, cause: err}
	case errors.Is(err, images.ErrUnavailable):
		return &problem{Status: http.StatusServiceUnavailable, Detail: "The image store is away; try again shortly.", RetryAfter: retryAfter, cause: err}
	default:
		return &problem{Status: http.StatusInternalServerError, Detail: "Something went wrong here; it is in our log under the request id.", cause: err}
	}
}

func (p *problem) write(w http.ResponseWriter, requestID string) {
	h := w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Content-Length", "Content-Encoding"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	if p.Challenge != "" {
		h.Set("WWW-Authenticate", p.Challenge)
	}
	if p.Allow != "" {
		h.Set("Allow", p.Allow)
	}
	w.WriteHeader(p.Status)
	// A client that has gone away cannot be told.
	_ = json.NewEncoder(w).Encode(struct {
		Type      string         `json:"type"`
		Title     string         `json:"title"`
		Status    int            `json:"status"`
		Detail    string         `json:"detail"`
		RequestID string         `json:"requestId"`
		Errors    []fieldProblem `json:"errors,omitempty"`
	}{"about:blank", http.StatusText(p.Status), p.Status, p.Detail, requestID, p.Fields})
}
