package dev

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"cinema-database/app/client"
	"cinema-database/app/contract"
)

// edgeProxies is how many entries the edge adds to X-Forwarded-For.
const edgeProxies = 2

// edgeAddress is the address from which the distribution calls the load balancer.
const edgeAddress = "127.0.0.2"

// edge serves client and API as the distribution on AWS does: /api/* goes to the API with its path unchanged, everything
// else is a published file. It adds the security headers that an answer does not have, and the entries of the distribution
// and of the load balancer to X-Forwarded-For.
func edge(api http.Handler) http.Handler {
	site := siteHandler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secured := &securedWriter{ResponseWriter: w}
		if strings.HasPrefix(r.URL.Path, contract.BasePath+"/") {
			viewer, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				viewer = r.RemoteAddr
			}
			forwarded := append(r.Header.Values("X-Forwarded-For"), viewer, edgeAddress)
			r.Header.Set("X-Forwarded-For", strings.Join(forwarded, ", "))
			api.ServeHTTP(secured, r)
		} else {
			site.ServeHTTP(secured, r)
		}
		secured.addHeaders() // if the handler wrote nothing
	})
}

// securityHeaders are those of the distribution's response headers policy.
var securityHeaders = map[string]string{
	"Content-Security-Policy":   contract.ContentSecurityPolicy,
	"Referrer-Policy":           contract.ReferrerPolicy,
	"Strict-Transport-Security": fmt.Sprintf("max-age=%d; includeSubDomains", contract.TransportSecurityMaxAge),
	"X-Content-Type-Options":    "nosniff",
	"X-Frame-Options":           "DENY",
}

// securedWriter adds the security headers that an answer does not have.
type securedWriter struct {
	http.ResponseWriter
	wrote bool
}

func (s *securedWriter) addHeaders() {
	if s.wrote {
		return
	}
	for name, value := range securityHeaders {
		if s.Header().Get(name) == "" {
			s.Header().Set(name, value)
		}
	}
}

func (s *securedWriter) WriteHeader(status int) {
	s.addHeaders()
	s.wrote = s.wrote || status >= 200 // more follows an informational answer
	s.ResponseWriter.WriteHeader(status)
}

func (s *securedWriter) Write(b []byte) (int, error) {
	s.addHeaders()
	s.wrote = true
	return s.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (s *securedWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// siteHandler serves the client's published files by their keys, and index.html at the root.
func siteHandler() http.Handler {
	type published struct {
		client.File
		tag string
	}
	pages := map[string]published{}
	for _, f := range client.Pages() {
		sum := sha256.Sum256([]byte(f.Content))
		page := published{f, `"` + hex.EncodeToString(sum[:16]) + `"`}
		pages["/"+f.Key] = page
		if f.Path == client.IndexPath {
			pages["/"] = page
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			// As CloudFront answers a method that it does not pass on.
			http.Error(w, "This site can only be read.", http.StatusForbidden)
			return
		}
		page, found := pages[r.URL.Path]
		if !found {
			http.Error(w, "There is no such file.", http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Type", page.ContentType)
		h.Set("Cache-Control", page.CacheControl)
		h.Set("ETag", page.tag)
		http.ServeContent(w, r, page.Key, time.Time{}, strings.NewReader(page.Content))
	})
}
