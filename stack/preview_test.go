package stack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/awssim"
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
	for _, change := range []string{
		`{"version": "8.0.37"}`,
		`{"version": "8.0.37", "restoreFrom": "snap-0123456789abcdef0"}`,
		`{"version": "8.0.37", "restoreFrom": "snap-0123456789abcdef0", "sha256": "` + strings.Repeat("ab", 32) + `"}`, // the mirror is asked again
	} {
		t.Run(change, func(t *testing.T) {
			require.NoError(t, s.SetConfig(map[string]string{"cinema:database": change}))
			preview, err := s.Preview(ctx, false)
			require.NoError(t, err)
			up, err := s.Up(ctx)
			require.NoError(t, err)
			assert.Equal(t, "replace", ops(up)[instanceType+" database-host-us-east-1a"])
			assert.Equal(t, ops(up), ops(preview))
			_, err = s.Preview(ctx, true)
			require.NoError(t, err, "no changes remain")
		})
	}
}

// A reviewer reads a preview with its properties: one change of the NAT gateways must not drown in lines that follow from it.
func TestPreviewOfOneNATChangeIsShort(t *testing.T) {
	ctx := t.Context()
	s, out := open(t, sandbox.Options{Stack: "prod", Quick: true, Diff: true})
	_, err := s.Up(ctx)
	require.NoError(t, err)
	for _, change := range []struct {
		natGateways string
		most        int // lines
	}{{"single", 150}, {"perAz", 150}} {
		require.NoError(t, s.SetConfig(map[string]string{"cinema:natGateways": change.natGateways}))
		out.Reset()
		_, err = s.Preview(ctx, false)
		require.NoError(t, err)
		assert.LessOrEqual(t, strings.Count(out.String(), "\n"), change.most)
		assert.NotContains(t, out.String(), "userData")
		_, err = s.Up(ctx)
		require.NoError(t, err)
	}
}

// A pinned image is how the database host is patched: without a pin no newer image touches it.
func TestPinnedImageReplacesTheDatabaseHost(t *testing.T) {
	ctx := t.Context()
	s, out := open(t, sandbox.Options{Quick: true})
	_, err := s.Up(ctx)
	require.NoError(t, err)
	const host, template, bastion = instanceType + " database-host-us-east-1a", templateType + " api-instance", instanceType + " bastion-host"
	newest, earlier := awssim.Cloud{}.Image("arm64", 0), awssim.Cloud{}.Image("arm64", 1)
	for _, step := range []struct {
		config, host, template string
	}{
		{newest, "", ""},
		{earlier, "replace", "update"},
		{"", "", "update"}, // the host keeps its image
		{newest, "replace", ""},
	} {
		require.NoError(t, s.SetConfig(map[string]string{"cinema:ami": step.config}))
		preview, err := s.Preview(ctx, false)
		require.NoError(t, err)
		up, err := s.Up(ctx)
		require.NoError(t, err)
		assert.Equal(t, ops(up), ops(preview))
		assert.Equal(t, []string{step.host, step.template}, []string{ops(up)[host], ops(up)[template]}, step.config)
		assert.Equal(t, step.template != "", ops(up)[bastion] == "replace")
	}
	for config, reason := range map[string]string{
		awssim.Cloud{}.Image("x86_64", 0): "has architecture x86_64, and the stack's is arm64",
		"ami-0123456789abcdef0":           "cannot be found in the region",
		"newest":                          "is not the id of an image",
	} {
		require.NoError(t, s.SetConfig(map[string]string{"cinema:ami": config}))
		out.Reset()
		_, err := s.Preview(ctx, false)
		require.Error(t, err)
		assert.Contains(t, out.String(), reason)
	}
}

func TestPreviewWarnsOfTheDatabaseHostsDowntime(t *testing.T) {
	ctx := t.Context()
	s, out := open(t, sandbox.Options{Quick: true})
	preview := func() string {
		out.Reset()
		_, err := s.Preview(ctx, false)
		require.NoError(t, err)
		return out.String()
	}
	const warning = "t4g.medium becomes t4g.large, which stops the database host"
	assert.NotContains(t, preview(), "stops the database host", "nothing runs yet")
	_, err := s.Up(ctx)
	require.NoError(t, err)
	assert.NotContains(t, preview(), "stops the database host")
	require.NoError(t, s.SetConfig(map[string]string{"cinema:database": `{"instanceType": "t4g.large"}`}))
	assert.Contains(t, preview(), warning)
	_, err = s.Up(ctx)
	require.NoError(t, err)
	assert.NotContains(t, preview(), "stops the database host", "it runs on the new type")
}
