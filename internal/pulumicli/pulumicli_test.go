package pulumicli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func install(t *testing.T, path, version string) string {
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho v"+version+"\n"), 0o755))
	return path
}

func TestFind(t *testing.T) {
	bin, project := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	old := install(t, filepath.Join(bin, "pulumi"), "3.244.9")
	_, err := Find(project)
	require.ErrorIs(t, err, ErrNotFound)
	assert.ErrorContains(t, err, old+" is 3.244.9")
	local := install(t, filepath.Join(project, ".tools", "pulumi"), oldest)
	found, err := Find(filepath.Join(project, "network"))
	require.NoError(t, err)
	assert.Equal(t, local, found.Path)
	assert.Equal(t, local, found.Command())
	install(t, old, "3.999.0")
	found, err = Find(project)
	require.NoError(t, err)
	assert.Equal(t, old, found.Path)
	assert.Equal(t, "pulumi", found.Command())
}

func TestOneOldestVersion(t *testing.T) {
	for file, pattern := range map[string]string{
		"Pulumi.yaml": `requiredPulumiVersion: ">=([0-9.]+)"`,
		"Makefile":    `(?s)\nPULUMI := .*?printf '([0-9.]+)`,
	} {
		data, err := os.ReadFile(filepath.Join("..", "..", file))
		require.NoError(t, err)
		found := regexp.MustCompile(pattern).FindSubmatch(data)
		if assert.NotNil(t, found, "%s does not say which version it requires", file) {
			assert.Equal(t, oldest, string(found[1]), file)
		}
	}
}

func TestCommandsForRealAWSAreWithoutTheSimulation(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", "cinema-database/internal/release", "cinema-database/internal/teardown",
		"cinema-database/internal/connect").Output()
	require.NoError(t, err)
	for _, simulation := range []string{"cinema-database/internal/awssim", "cinema-database/internal/sandbox"} {
		assert.False(t, slices.Contains(strings.Fields(string(deps)), simulation), simulation)
	}
}
