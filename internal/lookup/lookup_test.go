package lookup

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEach(t *testing.T) {
	found, err := Each([]string{"b", "a"}, func(id string) (string, error) { return id + "!", nil })
	assert.NoError(t, err)
	assert.Equal(t, []string{"b!", "a!"}, found)

	refused := errors.New("refused")
	found, err = Each([]string{"a", "c", "b"}, func(id string) (string, error) {
		if id == "a" {
			return id, nil
		}
		return id, fmt.Errorf("%s: %w", id, refused)
	})
	assert.EqualError(t, err, "c: refused", "the first of the failed ones")
	assert.Empty(t, found)
}
