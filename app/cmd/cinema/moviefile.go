package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"cinema-database/app/internal/store"
)

// movieJSON is the form of a movie in files: without the id, which belongs to one database.
type movieJSON struct {
	Title       string
	Description string
	Year        int
	Genre       store.Genre
	Director    store.Director
	Actors      []string
	ImagePath   string
	Featured    bool
}

func toJSON(m store.Movie) movieJSON {
	if m.Actors == nil {
		m.Actors = []string{}
	}
	return movieJSON{m.Title, m.Description, m.Year, m.Genre, m.Director, m.Actors, m.ImagePath, m.Featured}
}

// parseMovies reads one movie or an array of movies, and returns all problems. ImagePath, Featured and the director's Death
// may be missing.
func parseMovies(data []byte) (movies []store.Movie, problems []error) {
	f := &movieFile{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	value, err := f.value(d, "")
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = errors.New("more follows the first value; use an array for several movies")
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	if err != nil {
		return nil, []error{fmt.Errorf("not JSON: line %d: %w", 1+bytes.Count(data[:d.InputOffset()], []byte("\n")), err)}
	}
	list, several := value.([]any)
	if !several {
		list = []any{value}
	}
	first := map[string]string{}
	for i, v := range list {
		at := ""
		if several {
			at = item("", i)
		}
		m := f.movie(f.object(v, at))
		if other, found := first[m.Title]; found && m.Title != "" {
			f.problem(at, "has the title of %s, %q", other, m.Title)
		} else {
			first[m.Title] = at
		}
		movies = append(movies, m)
	}
	return movies, f.problems
}

// movieFile collects the problems of a file.
type movieFile struct{ problems []error }

func (f *movieFile) problem(at, format string, args ...any) {
	f.problems = append(f.problems, errors.New(strings.TrimPrefix(at+": ", ": ")+fmt.Sprintf(format, args...)))
}

// value reads a value; unlike json.Unmarshal, it reports keys that occur twice.
func (f *movieFile) value(d *json.Decoder, at string) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := f.value(d, item(at, len(list)))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string) // the decoder refuses other keys
			if _, found := object[name]; found {
				f.problem(join(at, name), "occurs twice")
			}
			if object[name], err = f.value(d, join(at, name)); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	}
	return token, nil
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

// item is the place of an array's item, counted from 1. Only the array of the movies has no place itself.
func item(at string, i int) string {
	if at == "" {
		return fmt.Sprintf("movie %d", i+1)
	}
	return join(at, strconv.Itoa(i+1))
}

// object is an object of the file. Its methods take the values out, and report what is missing or wrong.
type object struct {
	*movieFile
	at     string
	values map[string]any
}

func (f *movieFile) object(v any, at string) *object {
	values, ok := v.(map[string]any)
	if !ok {
		f.problem(at, "is not an object")
	}
	return &object{f, at, maps.Clone(values)}
}

func (f *movieFile) movie(o *object) store.Movie {
	if o.values == nil {
		return store.Movie{}
	}
	m := store.Movie{
		Title: o.text("Title", true), Description: o.text("Description", true), Year: o.year("Year", true), Actors: o.texts("Actors"),
		ImagePath: o.text("ImagePath", false), Featured: o.flag("Featured"),
	}
	if genre := o.child("Genre"); genre.values != nil {
		m.Genre = store.Genre{Name: genre.text("Name", true), Description: genre.text("Description", true)}
		genre.end()
	}
	if director := o.child("Director"); director.values != nil {
		m.Director = store.Director{Name: director.text("Name", true), Bio: director.text("Bio", true),
			Birth: director.year("Birth", true), Death: director.year("Death", false)}
		director.end()
	}
	o.end()
	return m
}

// take removes a value and returns it with its place. A value that is missing is nil.
func (o *object) take(key string, required bool) (v any, at string) {
	v, found := o.values[key]
	delete(o.values, key)
	at = join(o.at, key)
	if !found && required {
		o.problem(at, "is missing")
	} else if found && v == nil {
		o.problem(at, "is null")
	}
	return v, at
}

func (o *object) text(key string, required bool) string {
	v, at := o.take(key, required)
	text, ok := v.(string)
	if v != nil && !ok {
		o.problem(at, "is not a text")
	}
	o.check(text, at, ok && required)
	return text
}

func (o *object) check(text, at string, required bool) {
	switch {
	case required && text == "":
		o.problem(at, "is empty")
	case strings.TrimSpace(text) != text:
		o.problem(at, "starts or ends with a space")
	case strings.ContainsFunc(text, unicode.IsControl):
		o.problem(at, "contains a control character")
	}
}

func (o *object) texts(key string) []string {
	v, at := o.take(key, true)
	list, ok := v.([]any)
	if v != nil && !ok {
		o.problem(at, "is not an array")
	}
	texts := []string{}
	for i, v := range list {
		at := item(at, i)
		text, ok := v.(string)
		if !ok {
			o.problem(at, "is not a text")
		}
		o.check(text, at, ok)
		texts = append(texts, text)
	}
	return texts
}

// year returns a year of four digits.
func (o *object) year(key string, required bool) int {
	v, at := o.take(key, required)
	if v == nil {
		return 0
	}
	number, _ := v.(json.Number)
	year, err := strconv.Atoi(number.String())
	if err != nil || year < 1000 || year > 9999 {
		o.problem(at, "is not a year of four digits")
	}
	return year
}

func (o *object) flag(key string) bool {
	v, at := o.take(key, false)
	flag, ok := v.(bool)
	if v != nil && !ok {
		o.problem(at, "is neither true nor false")
	}
	return flag
}

func (o *object) child(key string) *object {
	v, at := o.take(key, true)
	if v == nil {
		return &object{movieFile: o.movieFile}
	}
	return o.object(v, at)
}

// end reports the keys that nothing has taken.
func (o *object) end() {
	for _, key := range slices.Sorted(maps.Keys(o.values)) {
		_, at := o.take(key, false)
		o.problem(at, "is not known; keys are case-sensitive")
	}
}
