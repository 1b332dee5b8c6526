// Package must shortens tests that need a call's value and no error.
package must

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// OK returns the value of a call that may fail. If it failed, the returned function ends the test:
//
//	data := must.OK(os.ReadFile(path))(t)
func OK[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		require.NoError(t, err)
		return value
	}
}
