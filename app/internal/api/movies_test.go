package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/store"
	"cinema-database/internal/testutil/must"
)

// TestPagesOfMovies: the pages are the whole list, and the links keep the search.
func TestPagesOfMovies(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("ada")
	for search, limit := range map[string]string{"": "10", "q=the": "3", "genre=Drama&director=Akira+Kurosawa": "1"} {
		whole := as[[]store.Movie](t, h.do("GET", "/api/movies?"+search, nil, bearer(token)))
		var all []store.Movie
		for path := "/api/movies?limit=" + limit + "&" + search; path != ""; {
			a := h.do("GET", path, nil, bearer(token)).requireStatus(t, http.StatusOK)
			all = append(all, as[[]store.Movie](t, a)...)
			path = ""
			if link := a.header.Get("Link"); link != "" {
				target, relation, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
				require.Equal(t, `; rel="next"`, relation)
				path = target
			}
		}
		require.NotEmpty(t, all)
		assert.Equal(t, whole, all, search)
	}
	for _, query := range []string{"after=x", "after=" + url.QueryEscape("MCBv/w"), "limit=0", "limit=501", "limit=01"} {
		h.do("GET", "/api/movies?"+query, nil, bearer(token)).problem(t, http.StatusBadRequest)
	}
}

// TestCompressedMovies: the list is compressed for clients that accept it, and its tag holds for both forms.
func TestCompressedMovies(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("ada")
	plain := h.do("GET", "/api/movies", nil, bearer(token), header("Accept-Encoding", "identity")).requireStatus(t, http.StatusOK)
	for accept, compressed := range map[string]bool{
		"gzip": true, "br, gzip": true, "GZIP;q=0.5": true, "*": true, "gzip;q=0": false, "br": false, "*;q=0": false, "gzip;q=x": false, "*, gzip;q=0": false,
	} {
		a := h.do("GET", "/api/movies", nil, bearer(token), header("Accept-Encoding", accept)).requireStatus(t, http.StatusOK)
		assert.Contains(t, a.header.Values("Vary"), "Accept-Encoding, Authorization")
		assert.Equal(t, plain.header.Get("ETag"), a.header.Get("ETag"))
		if compressed {
			assert.Equal(t, "gzip", a.header.Get("Content-Encoding"), accept)
			assert.Less(t, len(a.body), len(plain.body)/2)
			a.body = must.OK(io.ReadAll(must.OK(gzip.NewReader(bytes.NewReader(a.body)))(t)))(t)
		} else {
			assert.Empty(t, a.header.Get("Content-Encoding"), accept)
		}
		assert.Equal(t, plain.body, a.body, accept)
		h.do("GET", "/api/movies", nil, bearer(token), header("Accept-Encoding", accept), header("If-None-Match", a.header.Get("ETag"))).requireStatus(t, http.StatusNotModified)
	}
}

// TestTagsFollowTheContent: a change of a movie changes the tag of the lists with that movie, and no other.
func TestTagsFollowTheContent(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("ada")
	tag := func(query string) string {
		return h.do("GET", "/api/movies"+query, nil, bearer(token)).requireStatus(t, http.StatusOK).header.Get("ETag")
	}
	western, all := tag("?genre=Western"), tag("")
	m := seed.Movies()[0]
	m.Description = "Changed."
	require.NotEqual(t, "Western", m.Genre.Name)
	must.OK(h.store.WriteMovies(context.Background(), []store.Movie{m}))(t)
	require.Eventually(t, func() bool { return tag("") != all }, time.Minute, 10*time.Millisecond)
	assert.Equal(t, western, tag("?genre=Western"))
}

func TestGenresDirectorsAndFavorites(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("ada")
	sum := func(path string) (movies int, names []string) {
		for _, one := range as[[]struct {
			Name   string
			Movies int
		}](t, h.do("GET", path, nil, bearer(token)).requireStatus(t, http.StatusOK)) {
			movies += one.Movies
			names = append(names, one.Name)
		}
		return movies, names
	}
	for path, one := range map[string]string{"/api/genres": "Western", "/api/directors": "Akira Kurosawa"} {
		movies, names := sum(path)
		assert.Equal(t, len(seed.Movies()), movies, path)
		assert.IsIncreasing(t, names)
		assert.Contains(t, names, one)
	}

	for _, title := range []string{"Vertigo", "Psycho"} {
		m := as[store.Movie](t, h.do("GET", "/api/movies/"+title, nil, bearer(token)))
		h.do("POST", "/api/users/ada/movies/"+m.ID.Hex(), nil, bearer(token)).requireStatus(t, http.StatusOK)
	}
	titles := func() (titles []string) {
		for _, m := range as[[]store.Movie](t, h.do("GET", "/api/users/ada/movies", nil, bearer(token)).requireStatus(t, http.StatusOK)) {
			titles = append(titles, m.Title)
		}
		return titles
	}
	assert.Equal(t, []string{"Psycho", "Vertigo"}, titles())
	require.NoError(t, h.store.RemoveMovie(context.Background(), "Psycho"))
	require.Eventually(t, func() bool { return len(titles()) == 1 }, time.Minute, 10*time.Millisecond, "a movie that is gone is left out")
	h.do("GET", "/api/users/ada/movies", nil, bearer(h.signUp("bob"))).problem(t, http.StatusForbidden)
}

// TestMoviesAreNotNull: without movies, lists are empty arrays.
func TestMoviesAreNotNull(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	for _, path := range []string{"/api/movies", "/api/genres", "/api/directors", "/api/users/ada/movies"} {
		assert.Equal(t, "[]", string(h.do("GET", path, nil, bearer(token)).body), path)
	}
}
