package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

// mayBeShared reports whether a shared cache that ignores Authorization, as the edge does, may store an answer (RFC 9111,
// section 3). Without no-store and private it may, even without a lifetime: heuristics apply.
func mayBeShared(h http.Header) bool {
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		switch strings.ToLower(strings.TrimSpace(directive)) {
		case "no-store", "private":
			return false
		}
	}
	return true
}

func TestMayBeShared(t *testing.T) {
	for value, want := range map[string]bool{
		"no-store": false, "private, max-age=3600": false, "private, no-cache": false, "Private": false,
		"": true, "public": true, "max-age=60": true, "s-maxage=60": true, "no-cache": true, "must-revalidate": true, `private="Vary", max-age=1`: true,
	} {
		assert.Equal(t, want, mayBeShared(http.Header{"Cache-Control": {value}}), value)
	}
}

// TestNothingOfAMemberIsShared calls every route, with and without a token, in every way that it can succeed or fail. Every
// answer says how it may be cached, and the only one that a shared cache may store is the API's description.
func TestNothingOfAMemberIsShared(t *testing.T) {
	h := newHarness(t)
	h.seed()
	movie := h.movieID()
	seen := map[int]bool{}
	check := func(request string, a answer) {
		t.Helper()
		seen[a.status] = true
		assert.Len(t, a.header.Values("Cache-Control"), 1, "%s: %d", request, a.status)
		description := strings.HasPrefix(request, "GET /api/openapi.json") || request == "HEAD /api/openapi.json"
		shared := description && a.status == http.StatusOK
		assert.Equal(t, shared, mayBeShared(a.header), "%s: %d: Cache-Control: %s", request, a.status, a.header.Get("Cache-Control"))
	}
	send := func(method, path string, body any, edits ...edit) answer {
		t.Helper()
		a := h.do(method, path, body, edits...)
		check(method+" "+path, a)
		return a
	}

	routes := must.OK(api.New(h.options()))(t).Routes()
	upload, contentType := form(file{"image", "x", testimage.PNG(4, 4)})
	for n, route := range routes {
		// Each route has its own account, because some delete it.
		name := fmt.Sprintf("user%d", n)
		token := h.signUp(name)
		posted := as[imageAnswer](t, h.upload(token, testimage.PNG(4, 4)))
		for _, key := range []string{contract.ThumbnailKey(posted.ID), contract.ViewKey(posted.ID)} {
			require.NoError(t, h.s3.Put(context.Background(), "cinema-images", key, testimage.JPEG(2, 2)))
		}

		method, pattern, _ := strings.Cut(route, " ")
		fill := func(id string) string {
			values := []string{"{username}", name, "{title}", "Psycho", "/genres/{name}", "/genres/Drama", "/directors/{name}", "/directors/Orson%20Welles"}
			if strings.Contains(pattern, "/images/") {
				values = append(values, "{id}", id)
			} else {
				values = append(values, "{id}", movie)
			}
			path := strings.NewReplacer(values...).Replace(pattern)
			require.NotContains(t, path, "{", "a value for every part of %s", route)
			return path
		}
		path := fill(posted.ID)
		call := func(method, path string, edits ...edit) answer {
			t.Helper()
			switch method + " " + pattern {
			case "POST /api/images":
				return send(method, path, upload, append(edits, contentType)...)
			case "POST /api/users":
				return send(method, path, account("new-"+name), edits...)
			case "POST /api/login", "PUT /api/users/{username}":
				return send(method, path, account(name), edits...)
			default:
				return send(method, path, nil, edits...)
			}
		}
		for _, edits := range [][]edit{
			nil,
			{bearer("forged")},
			{bearer(h.signUp("other-" + name))},
			{bearer(token), header("Origin", "https://cinema.example")},
		} {
			for _, other := range []string{"PATCH", "OPTIONS", "TRACE"} {
				require.Equal(t, http.StatusMethodNotAllowed, call(other, path, edits...).status, "%s %s", other, path)
			}
			call("OPTIONS", path, append(edits, header("Access-Control-Request-Method", method))...)
			if method == http.MethodGet {
				call(http.MethodHead, path, edits...)
				call(method, path+"?unknown=1", edits...)
			}
			if fill("x") != path {
				call(method, fill("x"), edits...)
				call(method, fill(images.NewID()), edits...)
			}
			a := call(method, path, edits...)
			if tag := a.header.Get("ETag"); tag != "" {
				require.Equal(t, http.StatusNotModified, call(method, path, append(edits, header("If-None-Match", tag))...).status)
			}
		}
	}
	token := h.signUp("ada")
	for _, path := range []string{"/", "/nothing", "/api", "/api/", "/api/nothing", "/api/movies/", "/api//movies", "/api/movies/Nope"} {
		send("GET", path, nil)
		send("GET", path, nil, bearer(token))
	}
	assert.Equal(t, send("GET", "/api/openapi.json", nil).body, send("GET", "/api/openapi.json", nil, bearer(token)).body, "the same for everybody")

	// Refused attempts, a panic, missing credentials, and a database and a bucket that are not available.
	root := h.url
	h.url = h.serve(func(o *api.Options) { o.Limits.Address = api.Limit{Attempts: 1, Window: time.Hour} })
	for range 2 {
		send("POST", "/api/login", map[string]string{"Username": "ada", "Password": "wrong"})
	}
	h.url = h.serve(func(o *api.Options) { o.Uploaded = func(string, string) { panic("a fault") } })
	send("POST", "/api/images", upload, contentType, bearer(token))
	h.url = h.serve(func(o *api.Options) { o.Source = &credentialwatch.Source{} })
	everywhere := func() {
		for _, route := range routes {
			method, path, _ := strings.Cut(route, " ")
			path = strings.NewReplacer("{username}", "ada", "{id}", movie).Replace(path)
			send(method, path, nil)
			send(method, path, nil, bearer(token))
		}
	}
	everywhere()
	h.url = root
	h.s3.Stop()
	everywhere()
	h.db.Stop()
	send("GET", "/api/movies", nil, bearer(token)) // the others share its answer, and wait as long for the database

	assert.Subset(t, slices.Collect(maps.Keys(seen)), []int{200, 201, 204, 304, 400, 401, 403, 404, 405, 415, 429, 500, 503})
}

// TestErrorsAreNotCached: an error after the handler has set its caching, as of a bucket that is not available, is not cached.
func TestErrorsAreNotCached(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	i := as[imageAnswer](t, h.upload(token, testimage.PNG(4, 4)))
	h.s3.Stop()
	p := h.do("GET", i.URL, nil, bearer(token)).problem(t, http.StatusServiceUnavailable)
	assert.Equal(t, "no-store", p.header.Get("Cache-Control"))
	assert.Empty(t, p.header.Get("ETag"))
}
