package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"

	"cinema-database/app/internal/store"
)

const (
	// maxSearch is the maximum length of a search in characters, maxWords in words.
	maxSearch = 100
	maxWords  = 8
	// defaultMovies and maxMovies are numbers of movies on a page.
	defaultMovies, maxMovies = 100, 500
	// cachedLists is the number of lists of movies in memory: the plain list, and the latest searches.
	cachedLists = 64
)

// movieList is a request for movies.
type movieList struct {
	store.MovieFilter
	after string // opaque
	limit int
}

// cachedList is the key of an answer. Another catalogue has other answers.
type cachedList struct {
	catalogue *store.Catalogue
	list      movieList
}

// rendered is an answer.
type rendered struct {
	body, compressed []byte
	// tag identifies the body. It is weak, because both encodings have it.
	tag string
	// next is the Link header; empty on the last page.
	next string
}

func newLists() *lru.Cache[cachedList, *rendered] {
	lists, err := lru.New[cachedList, *rendered](cachedLists)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return lists
}

func (a *API) listMovies(w http.ResponseWriter, c *call) error {
	list, err := parseMovieList(c.URL)
	if err != nil {
		return err
	}
	catalogue, err := c.state.Store.Catalogue(c.Context())
	if err != nil {
		return err
	}
	key := cachedList{catalogue, list}
	answer, found := a.lists.Get(key)
	if !found {
		if answer, err = renderMovies(catalogue, list); err != nil {
			return err
		}
		a.lists.Add(key, answer)
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Accept-Encoding, Authorization")
	h.Set("ETag", answer.tag)
	if answer.next != "" {
		h.Set("Link", answer.next)
	}
	if matchesTag(c.Header.Values("If-None-Match"), answer.tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := answer.body
	if acceptsGzip(c.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = answer.compressed
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	// The client may have disconnected.
	_, _ = w.Write(body)
	return nil
}

func parseMovieList(u *url.URL) (movieList, error) {
	q, err := query(u, "q", "genre", "director", "limit", "after")
	if err != nil {
		return movieList{}, err
	}
	// All spaces between words are one, so that equal searches have one answer.
	list := movieList{MovieFilter: store.MovieFilter{
		Search: strings.Join(strings.Fields(q.Get("q")), " "), Genre: q.Get("genre"), Director: q.Get("director"),
	}, after: q.Get("after")}
	if utf8.RuneCountInString(q.Get("q")) > maxSearch || len(strings.Fields(list.Search)) > maxWords {
		return movieList{}, problemf(http.StatusBadRequest, "q may have at most %d characters and %d words.", maxSearch, maxWords)
	}
	for name, text := range map[string]string{"genre": list.Genre, "director": list.Director} {
		if utf8.RuneCountInString(text) > maxSearch {
			return movieList{}, problemf(http.StatusBadRequest, "%s may have at most %d characters.", name, maxSearch)
		}
	}
	list.limit, err = pageLimit(q, defaultMovies, maxMovies)
	return list, err
}

// pageLimit returns the query's limit: a number from 1 to most, or otherwise if there is none.
func pageLimit(q url.Values, otherwise, most int) (int, error) {
	if !q.Has("limit") {
		return otherwise, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != q.Get("limit") {
		return 0, problemf(http.StatusBadRequest, "limit must be a number from 1 to %d.", most)
	}
	return n, nil
}

func renderMovies(catalogue *store.Catalogue, list movieList) (*rendered, error) {
	var after *store.Cursor
	if list.after != "" {
		place, err := base64.RawURLEncoding.DecodeString(list.after)
		rank, title, found := strings.Cut(string(place), " ")
		after = &store.Cursor{Title: title}
		if err == nil {
			after.Rank, err = strconv.Atoi(rank)
		}
		if err != nil || !found {
			return nil, problemf(http.StatusBadRequest, "after must be from the Link header of the page before.")
		}
	}
	movies, next := catalogue.Search(list.MovieFilter, after, list.limit)
	body, err := json.Marshal(movies)
	if err != nil {
		return nil, err
	}
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, _ = zip.Write(body) // memory never fails
	if err := zip.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	answer := &rendered{body: body, compressed: compressed.Bytes(), tag: `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
	if next != nil {
		q := url.Values{"after": {base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(next.Rank) + " " + next.Title))}, "limit": {strconv.Itoa(list.limit)}}
		for name, text := range map[string]string{"q": list.Search, "genre": list.Genre, "director": list.Director} {
			if text != "" {
				q.Set(name, text)
			}
		}
		answer.next = "<" + base + "/movies?" + q.Encode() + `>; rel="next"`
	}
	return answer, nil
}

// acceptsGzip reports whether Accept-Encoding allows gzip (RFC 9110, section 12.5.3).
func acceptsGzip(headers []string) bool {
	accepted := false
	for _, h := range headers {
		for one := range strings.SplitSeq(h, ",") {
			coding, parameters, _ := strings.Cut(one, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding != "gzip" && coding != "*" {
				continue
			}
			q := 1.0
			if value, found := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q="); found {
				q, _ = strconv.ParseFloat(value, 64) // an invalid weight is 0: send it plain
			}
			if coding == "gzip" {
				return q > 0
			}
			accepted = q > 0
		}
	}
	return accepted
}

// matchesTag reports whether If-None-Match contains the tag (RFC 9110, section 13.1.2: weak comparison).
func matchesTag(headers []string, tag string) bool {
	for _, h := range headers {
		for one := range strings.SplitSeq(h, ",") {
			one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
			if one == strings.TrimPrefix(tag, "W/") || one == "*" {
				return true
			}
		}
	}
	return false
}

// answerOne answers with what find finds in the catalogue.
func answerOne[T any](w http.ResponseWriter, c *call, find func(*store.Catalogue) (T, bool)) error {
	catalogue, err := c.state.Store.Catalogue(c.Context())
	if err != nil {
		return err
	}
	found, ok := find(catalogue)
	if !ok {
		return store.ErrNotFound
	}
	return writeJSON(w, http.StatusOK, found)
}

func (a *API) getMovie(w http.ResponseWriter, c *call) error {
	title, err := pathText(c, "title")
	if err != nil {
		return err
	}
	return answerOne(w, c, func(all *store.Catalogue) (store.Movie, bool) { return all.ByTitle(title) })
}

func (a *API) getGenre(w http.ResponseWriter, c *call) error {
	name, err := pathText(c, "name")
	if err != nil {
		return err
	}
	return answerOne(w, c, func(all *store.Catalogue) (store.Genre, bool) { return all.Genre(name) })
}

func (a *API) getDirector(w http.ResponseWriter, c *call) error {
	name, err := pathText(c, "name")
	if err != nil {
		return err
	}
	return answerOne(w, c, func(all *store.Catalogue) (store.Director, bool) { return all.Director(name) })
}

func (a *API) listGenres(w http.ResponseWriter, c *call) error {
	catalogue, err := c.state.Store.Catalogue(c.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, catalogue.Genres())
}

func (a *API) listDirectors(w http.ResponseWriter, c *call) error {
	catalogue, err := c.state.Store.Catalogue(c.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, catalogue.Directors())
}

// listFavorites answers with the favorites of the session's account. Movies that are not in the catalogue any more are left
// out.
func (a *API) listFavorites(w http.ResponseWriter, c *call) error {
	user, err := c.state.Store.UserOf(c.Context(), c.session)
	if err != nil {
		return ended(err)
	}
	catalogue, err := c.state.Store.Catalogue(c.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, catalogue.With(user.FavoriteMovies))
}

// pathText returns a name in the path, if it is valid text of a plausible length.
func pathText(c *call, name string) (string, error) {
	text := c.PathValue(name)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > 200 {
		return "", problemf(http.StatusBadRequest, "The %s in the path is not a valid name.", name)
	}
	return text, nil
}
