package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/must"
)

func none(string) string { return "" }

func TestConfigCommand(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"config", "-volume", "/data"}, none, &out, &out))
	assert.Contains(t, out.String(), `dbPath: "/data/db"`)
	assert.Contains(t, out.String(), "mongo-a.cinema.internal")

	out.Reset()
	fromEnvironment := func(name string) string {
		return map[string]string{"MONGODB_VOLUME": "/srv/db", "MONGODB_HOST": "db.example.internal"}[name]
	}
	require.NoError(t, run(t.Context(), []string{"config", "-name", "flag.example.internal"}, fromEnvironment, &out, &out))
	assert.Contains(t, out.String(), `dbPath: "/srv/db/db"`)
	assert.Contains(t, out.String(), "flag.example.internal", "a flag overrides the environment")
}

func TestRefuses(t *testing.T) {
	folder := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no command":       {nil, []string{"no command", "prepare, init, agent, stepdown, renew, rotate, retire, recover, config"}},
		"unknown command":  {[]string{"destroy"}, []string{`"destroy": unknown`}},
		"unknown flag":     {[]string{"init", "-force"}, []string{"-force"}},
		"unknown argument": {[]string{"init", "now"}, []string{`"now": unknown argument`}},
		"flag of another":  {[]string{"init", "-sessions"}, []string{"-sessions"}},
		"everything wrong": {[]string{"prepare", "-volume", folder, "-name", "x", "-owner", "no such account"}, []string{
			`owner "no such account"`, "nothing is mounted there", `name "x"`, "zone", "volume-id"}},
		"timeout of the agent": {[]string{"agent", "-timeout", "1m"}, []string{"-timeout"}},
		"no credentials":       {[]string{"init", "-volume", "/proc"}, []string{`credentials "s3:///"`}},
		"no key":               {[]string{"init", "-volume", "/proc", "-credentials", "s3://bucket"}, []string{`credentials "s3://bucket"`, "s3://bucket/key"}},
		"not in S3":            {[]string{"init", "-volume", "/proc", "-credentials", "https://x/y"}, []string{"not an object's URI"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), c.args, none, &out, &out)
			require.Error(t, err)
			for _, part := range c.want {
				assert.ErrorContains(t, err, part)
			}
		})
	}
	assert.Empty(t, must.OK(os.ReadDir(folder))(t))
}

func TestLookUp(t *testing.T) {
	owner := must.OK(lookUp("root"))(t)
	assert.Zero(t, owner.UID)
	assert.Zero(t, owner.GID)
}

// TestDocumented: doc.go lists exactly the existing commands.
func TestDocumented(t *testing.T) {
	doc := must.OK(os.ReadFile(filepath.Join(".", "doc.go")))(t)
	for _, c := range commands {
		assert.Contains(t, string(doc), "//	cinema-db "+c.name)
	}
	assert.Equal(t, len(commands), strings.Count(string(doc), "//	cinema-db "))
}
