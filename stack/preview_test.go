package stack

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/sandbox"
)

// ops returns what an operation does to each resource, by type and name: "update", "replace", ….
func ops(r *sandbox.Result) map[string]string {
	all := map[string]string{}
	for _, s := range r.Steps {
		if key := s.Type + " " + s.Name; s.Op == "replace" || all[key] == "" {
			all[key] = s.Op
		}
	}
	return all
}

// The host boots its user data once, so a preview that does not know the new one must expect a replacement, as `up` does.
func TestPreviewSaysWhatReplacesTheDatabaseHost(t *testing.T) {
	ctx := t.Context()
	s, _ := open(t, sandbox.Options{Quick: true})
	_, err := s.Up(ctx)
	require.NoError(t, err)
	_, err = s.Preview(ctx, true)
	require.NoError(t, err, "no changes remain")
	for _, change := range []string{`{"version": "8.0.37"}`, `{"version": "8.0.37", "restoreFrom": "snap-0123456789abcdef0"}`} {
		t.Run(change, func(t *testing.T) {
			require.NoError(t, s.SetConfig(map[string]string{"cinema:database": change}))
			preview, err := s.Preview(ctx, false)
			require.NoError(t, err)
			up, err := s.Up(ctx)
			require.NoError(t, err)
			assert.Equal(t, "replace", ops(up)[instanceType+" database-host"])
			assert.Equal(t, ops(up), ops(preview))
			_, err = s.Preview(ctx, true)
			require.NoError(t, err, "no changes remain")
		})
	}
}
