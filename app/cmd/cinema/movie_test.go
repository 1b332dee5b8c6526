package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/seed"
)

const metropolis = `{"Title": "Metropolis 2", "Description": "A city.", "Year": 1928, "Genre": {"Name": "Drama", "Description": "Serious."},
	"Director": {"Name": "Fritz Lang", "Bio": "Austrian.", "Birth": 1890, "Death": 1976}, "Actors": ["Brigitte Helm"]}`

func TestMovies(t *testing.T) {
	db, _, _ := startServers(t)
	env := map[string]string{"MONGODB_URI": db.URI()}
	ctx := context.Background()
	assert.Empty(t, cinema(ctx, env, "", "movie", "list").requireOK(t))
	assert.Equal(t, "1 movie, 1 written\n", cinema(ctx, env, metropolis, "movie", "add", "-").requireOK(t))
	assert.Equal(t, "1928  Metropolis 2\n", cinema(ctx, env, "", "movie", "list").requireOK(t))
	cinema(ctx, env, metropolis, "movie", "add", "-").assertFails(t, exitFailed, `movie "Metropolis 2": exists; use cinema movie edit`)

	shown := cinema(ctx, env, "", "movie", "show", "Metropolis 2").requireOK(t)
	file := filepath.Join(t.TempDir(), "movie.json")
	require.NoError(t, os.WriteFile(file, []byte(shown), 0o600))
	assert.Equal(t, "1 movie, 0 written\n", cinema(ctx, env, "", "movie", "edit", file).requireOK(t), "show prints what edit reads")
	edited := strings.Replace(shown, "A city.", "A city & its machines.", 1)
	require.NoError(t, os.WriteFile(file, []byte(edited), 0o600))
	assert.Equal(t, "1 movie, 1 written\n", cinema(ctx, env, "", "movie", "edit", file).requireOK(t))
	assert.Equal(t, edited, cinema(ctx, env, "", "movie", "show", "Metropolis 2").requireOK(t))
	list := cinema(ctx, env, "", "movie", "list", "-json").requireOK(t)
	assert.Equal(t, "1 movie, 0 written\n", cinema(ctx, env, list, "movie", "edit", "-").requireOK(t))

	two := "[" + edited + "," + strings.Replace(edited, "Metropolis 2", "M", 1) + "]"
	cinema(ctx, env, two, "movie", "edit", "-").assertFails(t, exitFailed, `movie "M": not found; use cinema movie add`)
	assert.Equal(t, "removed Metropolis 2\n", cinema(ctx, env, "", "movie", "remove", "Metropolis 2").requireOK(t))
	for _, command := range []string{"show", "remove"} {
		cinema(ctx, env, "", "movie", command, "Metropolis 2").assertFails(t, exitFailed, `movie "Metropolis 2": not found`)
	}
	cinema(ctx, env, "", "movie", "add", file+"x").assertFails(t, exitFailed, file+"x")
}

// TestSampleMoviesAreAccepted: the checks of files refuse no movie of the application.
func TestSampleMoviesAreAccepted(t *testing.T) {
	var all []movieJSON
	for _, m := range seed.Movies() {
		all = append(all, toJSON(m))
	}
	data, err := json.Marshal(all)
	require.NoError(t, err)
	movies, problems := parseMovies(data)
	assert.Empty(t, problems)
	assert.Equal(t, seed.Movies(), movies)
}

func TestMovieFileProblems(t *testing.T) {
	for text, want := range map[string][]string{
		"":                   {"not JSON: line 1: it ends too early"},
		"[":                  {"not JSON: line 1: it ends too early"},
		"{} {}":              {"not JSON: line 1: more follows the first value; use an array for several movies"},
		"{\n\"Title\":\n7,]": {"not JSON: line 3: invalid character ']' looking for beginning of object key string"}, "{]": {"not JSON: line 1: invalid character ']'"},
		"7":                      {"is not an object"},
		"[" + metropolis + ",7]": {"movie 2: is not an object"},
		"[" + metropolis + "," + metropolis + "]": {`movie 2: has the title of movie 1, "Metropolis 2"`},
		`{"title": "M", "Title": " M", "Title": " M", "Description": null, "Year": "1931", "Genre": {"Name": "", "Description": "a\u001bb"},
			"Director": {"Name": 1, "Bio": "B", "Birth": 31, "Born": 31}, "Actors": ["", 2], "Featured": 0, "_id": "x"}`: {
			"Title: occurs twice", "Title: starts or ends with a space", "Description: is null", "Year: is not a year of four digits",
			"Actors.1: is empty", "Actors.2: is not a text", "Featured: is neither true nor false",
			"Genre.Name: is empty", "Genre.Description: contains a control character",
			"Director.Name: is not a text", "Director.Birth: is not a year of four digits", "Director.Born: is not known; keys are case-sensitive",
			"_id: is not known; keys are case-sensitive", "title: is not known; keys are case-sensitive"},
		`[{}]`: {"movie 1.Title: is missing", "movie 1.Description: is missing", "movie 1.Year: is missing", "movie 1.Actors: is missing",
			"movie 1.Genre: is missing", "movie 1.Director: is missing"},
	} {
		_, problems := parseMovies([]byte(text))
		var got []string
		for _, p := range problems {
			got = append(got, p.Error())
		}
		assert.Equal(t, want, got, text)
	}
}
