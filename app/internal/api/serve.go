package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"cinema-database/app/contract"
)

// maxBody is the maximum size of a JSON body, in bytes.
const maxBody = 16 << 10

// notCached is the Cache-Control of every answer that does not set its own. The edge caches what the API allows, and its
// cache key does not contain the token: an answer to a route that needs one may only be no-store or private.
const notCached = "no-store"

// recorder records the status and size of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// build returns the handler of all routes. It adds to every request an id, headers, a log line, metrics, and a problem
// document for any error.
func (a *API) build() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range a.routes() {
		mux.Handle(rt.method+" "+rt.pattern, a.endpoint(rt))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := a.now()
		rec := &recorder{ResponseWriter: w}
		f := &frame{id: rand.Text(), client: a.clientAddress(r)}
		pattern := "none"
		defer func() {
			if v := recover(); v == http.ErrAbortHandler {
				defer panic(v)
			} else if v != nil {
				f.err = fmt.Errorf("panic: %v", v)
				a.log.Error("panic", "request", f.id, "value", fmt.Sprint(v), "stack", string(debug.Stack()))
				if rec.status == 0 {
					asProblem(f.err).write(rec, f.id)
				} else {
					// Part of the answer is sent. Only a closed connection shows the client that it is incomplete.
					defer panic(http.ErrAbortHandler)
				}
			}
			a.record(r, rec, f, pattern, a.now().Sub(start))
		}()

		h := rec.Header()
		h.Set("X-Request-Id", f.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", contract.ReferrerPolicy)
		h.Set("Cache-Control", notCached)
		if a.cors(rec, r) {
			pattern = "preflight"
			return
		}
		found, name := mux.Handler(r)
		if name == "" || !clean(r.URL.Path) {
			if a.source.Current() == nil {
				errWaiting().write(rec, f.id)
				return
			}
			unrouted(found, r).write(rec, f.id)
			return
		}
		pattern = name
		mux.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), frameKey{}, f)))
	})
}

// frame is the data that build and endpoint share about a request.
type frame struct {
	id     string
	client string
	err    error
	// left means that the client had disconnected when err occurred, so that err does not indicate a fault.
	left bool
}

// statusLeft is recorded if the client disconnected before the answer, as by nginx.
const statusLeft = 499

type frameKey struct{}

// endpoint returns a route's handler.
func (a *API) endpoint(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := r.Context().Value(frameKey{}).(*frame)
		ctx, cancel := context.WithTimeout(r.Context(), rt.limit)
		defer cancel()
		c := &call{Request: r.WithContext(ctx), state: a.source.Current(), client: f.client,
			control: http.NewResponseController(w), bodyTime: a.bodyTime}
		err := a.admit(rt.access, c)
		if err == nil {
			if rt.pattern != base+"/images" || rt.method != http.MethodPost {
				c.Body = http.MaxBytesReader(w, c.Body, maxBody)
			}
			err = rt.handle(w, c)
		}
		if err != nil {
			f.err = err
			// The server also cancels the context of a request whose body arrives too slowly.
			f.left = r.Context().Err() != nil && asProblem(err).Status != http.StatusRequestTimeout
			if rec := w.(*recorder); rec.status != 0 {
				panic(http.ErrAbortHandler) // part of the answer is sent
			}
			asProblem(err).write(w, f.id)
		}
	})
}

// clean reports whether the mux would serve a path without a redirect. The API answers other paths with 404, so that each
// resource has one path.
func clean(path string) bool {
	return !strings.Contains(path, "//") && !strings.Contains(path+"/", "/./") && !strings.Contains(path+"/", "/../")
}

// unrouted returns the problem for a request without a route: 404 or 405, as the mux decides.
func unrouted(h http.Handler, r *http.Request) *problem {
	probe := &discard{header: http.Header{}}
	if clean(r.URL.Path) {
		h.ServeHTTP(probe, r)
	}
	if probe.status == http.StatusMethodNotAllowed {
		p := problemf(http.StatusMethodNotAllowed, "This path does not support that method.")
		p.Allow = probe.header.Get("Allow")
		return p
	}
	return errNothing()
}

func errNothing() *problem {
	return problemf(http.StatusNotFound, "There is nothing at this path; "+base+"/openapi.json lists all paths.")
}

// discard is a ResponseWriter that discards the body.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// cors answers preflight requests and lets the allowed origins read answers. It reports whether the request is answered.
func (a *API) cors(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	allowed := slices.Contains(a.allowedOrigins, origin)
	if allowed {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After, X-Request-Id")
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if allowed {
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// record writes the request's log line and its metrics. They contain no free text from the client: the method is one of
// a few or "other", the address is parsed, and the route replaces the path.
func (a *API) record(r *http.Request, rec *recorder, f *frame, pattern string, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	if f.left {
		status = statusLeft
	}
	a.metrics.observe(pattern, method(r.Method), status, took)
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("request", f.id),
		slog.String("method", method(r.Method)),
		slog.String("route", pattern),
		slog.Int("status", status),
		slog.Int64("bytes", rec.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("client", f.client),
	}
	// An aborted answer has the status with which it began.
	if f.err != nil && !f.left && (status >= 500 || status < 400) {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", f.err.Error()))
	}
	a.log.LogAttrs(r.Context(), level, "request", attrs...)
}

func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return m
	default:
		return "other"
	}
}
