package seed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cinema-database/app/internal/store"
)

func TestMovies(t *testing.T) {
	movies := Movies()
	assert.GreaterOrEqual(t, len(movies), 40)
	titles, genres, directors := map[string]bool{}, map[string]store.Genre{}, map[string]store.Director{}
	for _, m := range movies {
		assert.False(t, titles[m.Title], "%s occurs twice", m.Title)
		titles[m.Title] = true
		assert.NotEmpty(t, m.Description, m.Title)
		assert.GreaterOrEqual(t, len(m.Actors), 3, m.Title)
		assert.GreaterOrEqual(t, m.Year, 1888, m.Title) // the oldest surviving movie
		assert.LessOrEqual(t, m.Year, time.Now().Year(), m.Title)
		d := m.Director
		assert.NotEmpty(t, d.Bio, d.Name)
		assert.Less(t, d.Birth, m.Year-15, "%s by %s", m.Title, d.Name)
		assert.True(t, d.Death == 0 || d.Death >= m.Year, "%s by %s", m.Title, d.Name)
		assert.NotEmpty(t, m.Genre.Description, m.Genre.Name)
		if g, seen := genres[m.Genre.Name]; seen {
			assert.Equal(t, g, m.Genre)
		}
		if other, seen := directors[d.Name]; seen {
			assert.Equal(t, other, d)
		}
		genres[m.Genre.Name], directors[d.Name] = m.Genre, d
	}
	movies[0].Title = "changed"
	assert.NotEqual(t, "changed", Movies()[0].Title, "each caller gets its own copy")
}
