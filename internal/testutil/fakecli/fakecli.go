// Package fakecli puts a Pulumi CLI on the PATH that has fixed answers.
package fakecli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Install makes `pulumi ARGS` print answers[ARGS], and fail with any other arguments. The test's working directory becomes
// the CLI's. cases are further lines of the script's case statement.
func Install(t *testing.T, answers map[string]string, cases ...string) {
	t.Helper()
	dir := t.TempDir()
	var script strings.Builder
	script.WriteString("#!/bin/sh\ncase \"$*\" in\nversion) echo v3.274.1 ;;\n")
	for _, a := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&script, "'%s') cat <<'END'\n%s\nEND\n;;\n", a, answers[a])
	}
	for _, c := range cases {
		script.WriteString(c + "\n")
	}
	script.WriteString("*) echo \"error: no stack named '${*##* }' found\" >&2; exit 255 ;;\nesac\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pulumi"), []byte(script.String()), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(dir)
}
