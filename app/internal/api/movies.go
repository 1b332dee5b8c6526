package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"cinema-database/app/internal/store"
)

const (
	// maxSearch is the maximum length of a search in characters, maxWords in words.
	maxSearch = 100
	maxWords  = 8
)

// listMovies answers a conditional request from the catalogue's version, without reading movies.
func (a *API) listMovies(w http.ResponseWriter, c *call) error {
	q, err := query(c.URL, "q", "genre")
	if err != nil {
		return err
	}
	filter := store.MovieFilter{Search: q.Get("q"), Genre: q.Get("genre")}
	if utf8.RuneCountInString(filter.Search) > maxSearch || len(strings.Fields(filter.Search)) > maxWords {
		return problemf(http.StatusBadRequest, "q may have at most %d characters and %d words.", maxSearch, maxWords)
	}
	if utf8.RuneCountInString(filter.Genre) > maxSearch {
		return problemf(http.StatusBadRequest, "genre may have at most %d characters.", maxSearch)
	}
	// Read the version before the movies: see store.CatalogueVersion.
	version, err := c.state.Store.CatalogueVersion(c.Context(), a.now())
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Authorization")
	if version != "" {
		tag := movieTag(version, filter)
		h.Set("ETag", tag)
		if matchesTag(c.Header.Values("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	movies, err := c.state.Store.ListMovies(c.Context(), filter)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, movies)
}

// movieTag returns the entity tag of a list of movies. It is a hash, so that no text of a client gets into a header.
func movieTag(version string, f store.MovieFilter) string {
	sum := sha256.Sum256([]byte(version + "\x00" + f.Genre + "\x00" + f.Search))
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// matchesTag reports whether If-None-Match contains the tag (RFC 9110, section 13.1.2: weak comparison).
func matchesTag(headers []string, tag string) bool {
	for _, h := range headers {
		for one := range strings.SplitSeq(h, ",") {
			one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
			if one == tag || one == "*" {
				return true
			}
		}
	}
	return false
}

func (a *API) getMovie(w http.ResponseWriter, c *call) error {
	name, err := pathText(c, "title")
	if err != nil {
		return err
	}
	movie, err := c.state.Store.MovieByTitle(c.Context(), name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, movie)
}

func (a *API) getGenre(w http.ResponseWriter, c *call) error {
	name, err := pathText(c, "name")
	if err != nil {
		return err
	}
	genre, err := c.state.Store.GenreByName(c.Context(), name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, genre)
}

func (a *API) getDirector(w http.ResponseWriter, c *call) error {
	name, err := pathText(c, "name")
	if err != nil {
		return err
	}
	director, err := c.state.Store.DirectorByName(c.Context(), name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, director)
}

// pathText returns a name in the path, if it is valid text of a plausible length.
func pathText(c *call, name string) (string, error) {
	text := c.PathValue(name)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > 200 {
		return "", problemf(http.StatusBadRequest, "The %s in the path is not a valid name.", name)
	}
	return text, nil
}
