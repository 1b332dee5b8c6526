package store

import (
	"context"
	"regexp"
	"strings"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
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

// searched is the field with the folded words of title, director, actors and genre.
const searched = "search"

// withSearch is a movie in its stored form.
type withSearch struct {
	Movie  `bson:",inline"`
	Search string `bson:"search"`
}

func stored(m Movie) withSearch {
	words := append([]string{m.Title, m.Director.Name, m.Genre.Name}, m.Actors...)
	return withSearch{Movie: m, Search: Fold(strings.Join(words, " "))}
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

// MovieFilter selects movies. The zero value selects all.
type MovieFilter struct {
	// Search has the words that must all occur in title, director, actors or genre.
	Search string
	// Genre is a genre's exact name.
	Genre string
}

func (f MovieFilter) query() bson.D {
	q := bson.D{}
	if f.Genre != "" {
		q = append(q, bson.E{Key: "Genre.Name", Value: f.Genre})
	}
	var all bson.A
	for _, word := range strings.Fields(Fold(f.Search)) {
		all = append(all, bson.D{{Key: searched, Value: bson.Regex{Pattern: regexp.QuoteMeta(word)}}})
	}
	if len(all) > 0 {
		q = append(q, bson.E{Key: "$and", Value: all})
	}
	return q
}

// ListMovies returns the selected movies, sorted by title.
func (s *Store) ListMovies(ctx context.Context, f MovieFilter) ([]Movie, error) {
	if err := s.Prepare(ctx); err != nil {
		return nil, err
	}
	cursor, err := s.db.Collection(Movies).Find(ctx, f.query(), ListOptions())
	if err != nil {
		return nil, failure(err)
	}
	movies := []Movie{}
	if err := cursor.All(ctx, &movies); err != nil {
		return nil, failure(err)
	}
	return movies, nil
}

// ListOptions returns the options of the query in ListMovies.
func ListOptions() *options.FindOptionsBuilder {
	return options.Find().
		SetSort(bson.D{{Key: "Title", Value: 1}}).
		SetProjection(bson.D{{Key: searched, Value: 0}}).
		SetBatchSize(1000)
}

// MovieByTitle returns the movie with exactly that title, or ErrNotFound.
func (s *Store) MovieByTitle(ctx context.Context, title string) (Movie, error) {
	return s.oneMovie(ctx, "Title", title)
}

// GenreByName returns the genre with exactly that name, or ErrNotFound.
func (s *Store) GenreByName(ctx context.Context, name string) (Genre, error) {
	m, err := s.oneMovie(ctx, "Genre.Name", name)
	return m.Genre, err
}

// DirectorByName returns the director with exactly that name, or ErrNotFound.
func (s *Store) DirectorByName(ctx context.Context, name string) (Director, error) {
	m, err := s.oneMovie(ctx, "Director.Name", name)
	return m.Director, err
}

// HasMovie returns nil if there is a movie with that id, or ErrNotFound.
func (s *Store) HasMovie(ctx context.Context, id bson.ObjectID) error {
	_, err := s.oneMovie(ctx, "_id", id)
	return err
}

func (s *Store) oneMovie(ctx context.Context, field string, value any) (Movie, error) {
	if err := s.Prepare(ctx); err != nil {
		return Movie{}, err
	}
	var m Movie
	err := s.db.Collection(Movies).FindOne(ctx, bson.D{{Key: field, Value: value}}).Decode(&m)
	return m, failure(err)
}
