package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Movie is a movie of the catalogue.
type Movie struct {
	ID          bson.ObjectID `bson:"_id,omitempty" json:"_id"`
	Title       string        `bson:"Title" json:"Title"`
	Description string        `bson:"Description" json:"Description"`
	// Year is the year of first release.
	Year     int      `bson:"Year" json:"Year"`
	Genre    Genre    `bson:"Genre" json:"Genre"`
	Director Director `bson:"Director" json:"Director"`
	Actors   []string `bson:"Actors" json:"Actors"`
	// ImagePath is the path of the movie's image on the site; empty if there is none.
	ImagePath string `bson:"ImagePath" json:"ImagePath"`
	Featured  bool   `bson:"Featured" json:"Featured"`
}

// Genre is a genre.
type Genre struct {
	Name        string `bson:"Name" json:"Name"`
	Description string `bson:"Description" json:"Description"`
}

// Director is a movie's director.
type Director struct {
	Name string `bson:"Name" json:"Name"`
	Bio  string `bson:"Bio" json:"Bio"`
	// Birth is the year of birth.
	Birth int `bson:"Birth" json:"Birth"`
	// Death is the year of death; omitted for living people.
	Death int `bson:"Death,omitempty" json:"Death,omitempty"`
}

// Fold returns text in the form that searches compare: lower case, without accents.
func Fold(text string) string {
	// A chain has state, so each call needs its own.
	t := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	folded, _, err := transform.String(t, text)
	if err != nil {
		folded = text
	}
	return strings.ToLower(folded)
}

// Catalogue is all movies at one time. It never changes, so that it can be shared.
type Catalogue struct {
	movies  []Movie // sorted by title
	words   []words // of the same movies
	byTitle map[string]int
	byID    map[bson.ObjectID]int
	// genres and directors are sorted by name.
	genres    []GenreCount
	directors []DirectorCount
}

// words are the texts of a movie that searches compare, folded.
type words struct {
	title, plainTitle       string // plainTitle has no article at its beginning
	director, actors, genre string
}

// articles are the words that count as nothing at the beginning of a title.
var articles = []string{"the ", "a ", "an ", "la ", "le ", "les ", "l'", "il ", "das ", "der ", "die "}

func newCatalogue(movies []Movie) *Catalogue {
	slices.SortFunc(movies, func(a, b Movie) int { return strings.Compare(a.Title, b.Title) })
	c := &Catalogue{movies: movies, byTitle: map[string]int{}, byID: map[bson.ObjectID]int{}}
	for i, m := range movies {
		w := words{title: Fold(m.Title), director: Fold(m.Director.Name), actors: Fold(strings.Join(m.Actors, " ")), genre: Fold(m.Genre.Name)}
		w.plainTitle = w.title
		for _, article := range articles {
			if plain, found := strings.CutPrefix(w.title, article); found {
				w.plainTitle = plain
				break
			}
		}
		c.words = append(c.words, w)
		c.byTitle[m.Title], c.byID[m.ID] = i, i
	}
	c.genres = group(c, func(m Movie) (string, GenreCount) { return m.Genre.Name, GenreCount{Genre: m.Genre} },
		func(g *GenreCount) { g.Movies++ })
	c.directors = group(c, func(m Movie) (string, DirectorCount) { return m.Director.Name, DirectorCount{Director: m.Director} },
		func(d *DirectorCount) { d.Movies++ })
	return c
}

// ByTitle returns the movie with exactly that title, and whether there is one.
func (c *Catalogue) ByTitle(title string) (Movie, bool) { return at(c, c.byTitle, title) }

// ByID returns the movie with that id, and whether there is one.
func (c *Catalogue) ByID(id bson.ObjectID) (Movie, bool) { return at(c, c.byID, id) }

func at[K comparable](c *Catalogue, index map[K]int, key K) (Movie, bool) {
	i, found := index[key]
	if !found {
		return Movie{}, false
	}
	return c.movies[i], true
}

// With returns the movies with these ids, sorted by title. Ids without a movie are ignored.
func (c *Catalogue) With(ids []bson.ObjectID) []Movie {
	var found []int
	for _, id := range ids {
		if i, ok := c.byID[id]; ok {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	movies := []Movie{}
	for _, i := range found {
		movies = append(movies, c.movies[i])
	}
	return movies
}

// GenreCount is a genre with the number of its movies.
type GenreCount struct {
	Genre
	Movies int `json:"Movies"`
}

// DirectorCount is a director with the number of the director's movies.
type DirectorCount struct {
	Director
	Movies int `json:"Movies"`
}

// Genres returns all genres, sorted by name. Where movies describe a genre differently, the first by title counts.
func (c *Catalogue) Genres() []GenreCount { return c.genres }

// Genre returns the genre with exactly that name, and whether there is one.
func (c *Catalogue) Genre(name string) (Genre, bool) {
	i, found := slices.BinarySearchFunc(c.genres, name, func(g GenreCount, name string) int { return strings.Compare(g.Name, name) })
	if !found {
		return Genre{}, false
	}
	return c.genres[i].Genre, true
}

// Directors returns all directors, sorted by name. Where movies describe a director differently, the first by title counts.
func (c *Catalogue) Directors() []DirectorCount { return c.directors }

// Director returns the director with exactly that name, and whether there is one.
func (c *Catalogue) Director(name string) (Director, bool) {
	i, found := slices.BinarySearchFunc(c.directors, name, func(d DirectorCount, name string) int { return strings.Compare(d.Name, name) })
	if !found {
		return Director{}, false
	}
	return c.directors[i].Director, true
}

func group[T any](c *Catalogue, of func(Movie) (name string, first T), count func(*T)) []T {
	groups := map[string]*T{}
	for _, m := range c.movies {
		name, first := of(m)
		if name == "" {
			continue
		}
		if groups[name] == nil {
			groups[name] = &first
		}
		count(groups[name])
	}
	all := []T{}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, *groups[name])
	}
	return all
}

// MovieFilter selects movies. The zero value selects all.
type MovieFilter struct {
	// Search has the words that must all occur in title, director, actors or genre.
	Search string
	// Genre and Director are exact names.
	Genre, Director string
}

// Cursor is a movie's place in a sorted result. Movies that come or go leave the others' places as they are.
type Cursor struct {
	// Rank is the relevance, 0 for the best; 0 for all movies without a search.
	Rank  int
	Title string
}

func (c Cursor) compare(other Cursor) int {
	return cmp.Or(cmp.Compare(c.Rank, other.Rank), strings.Compare(c.Title, other.Title))
}

// Search returns up to limit of the selected movies, most relevant first, then by title. If after is not nil, they come after
// that place. next is the place of the last one if more follow, else nil.
func (c *Catalogue) Search(f MovieFilter, after *Cursor, limit int) (movies []Movie, next *Cursor) {
	type hit struct {
		Cursor
		index int
	}
	var hits []hit
	query := strings.Fields(Fold(f.Search))
	for i, m := range c.movies {
		if f.Genre != "" && m.Genre.Name != f.Genre || f.Director != "" && m.Director.Name != f.Director {
			continue
		}
		rank, found := c.words[i].rank(query)
		place := Cursor{rank, m.Title}
		if found && (after == nil || place.compare(*after) > 0) {
			hits = append(hits, hit{place, i})
		}
	}
	if len(query) > 0 {
		slices.SortFunc(hits, func(a, b hit) int { return a.compare(b.Cursor) })
	}
	movies = []Movie{}
	for n, h := range hits {
		if n == limit {
			return movies, &hits[n-1].Cursor
		}
		movies = append(movies, c.movies[h.index])
	}
	return movies, nil
}

// rank returns how relevant the movie is to the words of a search, 0 for the most, and whether all words occur.
func (w words) rank(query []string) (rank int, found bool) {
	if len(query) == 0 {
		return 0, true
	}
	all := func(text string) bool {
		return !slices.ContainsFunc(query, func(word string) bool { return !strings.Contains(text, word) })
	}
	phrase := strings.Join(query, " ")
	switch {
	case w.title == phrase || w.plainTitle == phrase:
		return 0, true
	case strings.HasPrefix(w.title, phrase) || strings.HasPrefix(w.plainTitle, phrase):
		return 1, true
	case strings.Contains(w.title, " "+phrase):
		return 2, true
	case strings.Contains(w.title, phrase):
		return 3, true
	case all(w.title):
		return 4, true
	case all(w.director):
		return 5, true
	case all(w.actors):
		return 6, true
	case all(w.genre):
		return 7, true
	case all(strings.Join([]string{w.title, w.director, w.actors, w.genre}, " ")):
		return 8, true
	default:
		return 0, false
	}
}
