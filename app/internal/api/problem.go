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

// problem is an error in the form of RFC 9457. Its type is about:blank, so its title is the status's text.
type problem struct {
	Status int
	// Detail is a text of this package for people.
	Detail string
	// Fields lists the request's invalid fields.
	Fields []fieldProblem
	// RetryAfter is the Retry-After header; zero for none.
	RetryAfter time.Duration
	// Challenge is the WWW-Authenticate header; empty for none.
	Challenge string
	// Allow is the Allow header; empty for none.
	Allow string
	// cause is only logged.
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

// asProblem returns the problem for any error.
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
		return problemf(http.StatusNotFound, "This does not exist.")
	case errors.Is(err, passwords.ErrBusy):
		return &problem{Status: http.StatusServiceUnavailable, Detail: "Too many log-ins at once; try again shortly.", RetryAfter: time.Second, cause: err}
	case errors.Is(err, store.ErrUnavailable):
		return &problem{Status: http.StatusServiceUnavailable, Detail: "The database is unavailable; try again shortly.", RetryAfter: retryAfter, cause: err}
	case errors.Is(err, images.ErrUnavailable):
		return &problem{Status: http.StatusServiceUnavailable, Detail: "The image store is unavailable; try again shortly.", RetryAfter: retryAfter, cause: err}
	default:
		return &problem{Status: http.StatusInternalServerError, Detail: "Internal error; the log has the details under the request id.", cause: err}
	}
}

func (p *problem) write(w http.ResponseWriter, requestID string) {
	h := w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Content-Length", "Content-Encoding", "Link"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", notCached) // the handler may have set another before its error
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
	// The client may have disconnected.
	_ = json.NewEncoder(w).Encode(struct {
		Type      string         `json:"type"`
		Title     string         `json:"title"`
		Status    int            `json:"status"`
		Detail    string         `json:"detail"`
		RequestID string         `json:"requestId"`
		Errors    []fieldProblem `json:"errors,omitempty"`
	}{"about:blank", http.StatusText(p.Status), p.Status, p.Detail, requestID, p.Fields})
}
