package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
)

// maxBody is the longest JSON body, in bytes.
const maxBody = 16 << 10

// recorder notes what a handler answers.
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

// Unwrap lets http.ResponseController find the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// build makes the handler of all routes, each request in its frame: id, headers, log line, measurements, and a
// problem document for whatever goes wrong.
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
					// Half an answer is out: only a broken connection says that it is not whole.
					defer panic(http.ErrAbortHandler)
				}
			}
			a.record(r, rec, f, pattern, a.now().Sub(start))
		}()

		h := rec.Header()
		h.Set("X-Request-Id", f.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
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

// frame is what a request's frame and its handler tell each other.
type frame struct {
	id     string
	client string
	err    error
	// left says that the client was gone when err came up, of which it then says nothing.
	left bool
}

// statusLeft is the status that is recorded where the client left before its answer, as nginx does.
const statusLeft = 499

type frameKey struct{}

// endpoint makes a route's handler.
func (a *API) endpoint(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := r.Context().Value(frameKey{}).(*frame)
		ctx, cancel := context.WithTimeout(r.Context(), rt.limit)
		defer cancel()
		c := &call{Request: r.WithContext(ctx), state: a.source.Current(), client: f.client}
		err := a.admit(rt.access, c)
		if err == nil {
			if rt.pattern != "/images" || rt.method != http.MethodPost {
				c.Body = http.MaxBytesReader(w, c.Body, maxBody)
			}
			err = rt.handle(w, c)
		}
		if err != nil {
			f.err = err
			f.left = r.Context().Err() != nil
			if rec := w.(*recorder); rec.status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out
			}
			asProblem(err).write(w, f.id)
		}
	})
}

// clean says whether a path is one that the mux takes as it is. It would redirect others to a cleaned one, but an
// API has one name for each thing.
func clean(path string) bool {
	return !strings.Contains(path, "//") && !strings.Contains(path+"/", "/./") && !strings.Contains(path+"/", "/../")
}

// unrouted gives the problem for a request that no route takes, with the mux's own choice of 404 or 405.
func unrouted(h http.Handler, r *http.Request) *problem {
	probe := &discard{header: http.Header{}}
	if clean(r.URL.Path) {
		h.ServeHTTP(probe, r)
	}
	if probe.status == http.StatusMethodNotAllowed {
		p := problemf(http.StatusMethodNotAllowed, "This path does not take that method.")
		p.Allow = probe.header.Get("Allow")
		return p
	}
	return problemf(http.StatusNotFound, "There is nothing at this path; /openapi.json lists what there is.")
}

// discard is a response that goes nowhere.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// cors answers preflights and lets the one allowed origin read answers. It says whether the request is answered.
func (a *API) cors(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	allowed := origin != "" && origin == a.allowedOrigin
	if allowed {
		h.Set("Access-Control-Allow-Origin", a.allowedOrigin)
		h.Set("Access-Control-Expose-Headers", "ETag, Location, Retry-After, X-Request-Id")
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

// clientAddress is the address that limits and the log go by. Behind the load balancer it is the right-most
// entry of X-Forwarded-For, the one that the load balancer itself appended; others are the client's own claims.
// Of an IPv6 address it is the /64, which is one household's or one machine's.
func (a *API) clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if a.behindProxy {
		if all := r.Header.Values("X-Forwarded-For"); len(all) > 0 {
			last := all[len(all)-1]
			last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
			if ip, err := netip.ParseAddr(last); err == nil {
				host = ip.String()
			} else if ap, err := netip.ParseAddrPort(last); err == nil {
				host = ap.Addr().String()
			}
		}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

// record writes the request's log line and counts it. Of what the client sent, only its method (one of a few
// or "other") and its address (parsed) are in it, and the route rather than the path.
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
	// An answer that was broken off has the status that it began with.
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
