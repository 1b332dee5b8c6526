package stack

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tracked lists the files that git has, except deleted ones.
func tracked(t *testing.T, args ...string) []string {
	t.Helper()
	if _, err := os.Stat(".git"); err != nil {
		t.Skip("not a git checkout")
	}
	out, err := exec.CommandContext(t.Context(), "git", append([]string{"ls-files", "-z"}, args...)...).Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestTopLevelShowsTheArchitecture(t *testing.T) {
	top := map[string]bool{}
	for _, path := range tracked(t) {
		assert.NotContains(t, path, ":", "Windows cannot check this path out")
		first, _, _ := strings.Cut(path, "/")
		top[first] = true
		assert.NotContains(t, first, "_test.go")
	}
	assert.LessOrEqual(t, len(top), 26)
	for _, wanted := range strings.Fields("Pulumi.yaml Pulumi.dev.yaml main.go network compute storage iam app go.mod go.sum") {
		assert.Contains(t, top, wanted)
	}
	assert.LessOrEqual(t, strings.Count(read(t, "main.go"), "\n"), 60)
}

// User data is made of files in this tree: they must be the same bytes on every machine.
func TestTextHasTheSameLineEndsEverywhere(t *testing.T) {
	for _, line := range tracked(t, "--eol") {
		if !strings.HasPrefix(line, "i/-text") {
			assert.Regexp(t, `^i/(lf|none)\s+w/(lf|none)?\s+attr/text=auto eol=lf`, line)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

// outdated words do not belong into code, docs or the client: readers of many countries maintain them.
var outdated = regexp.MustCompile(`(?i)\b(anew|beside|in the place of|bears?|lets? be|taken on|takes on|whoever|who asks|favourites?|pictures?|are what New\w+ needs?|adds what is wrong with)\b`)

func TestPlainEnglish(t *testing.T) {
	for _, path := range tracked(t, "*.go", "*.md", "*.js", "*.css", "*.html", "*.sh", "*.yml", "*.yaml", "*.service", "*.json", "Makefile", ".ci/run") {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) || path == "stack/tree_test.go" {
			continue
		}
		require.NoError(t, err)
		for i, line := range strings.Split(string(text), "\n") {
			if word := outdated.FindString(line); word != "" && !strings.Contains(line, "part of a logical name") {
				t.Errorf("%s:%d: %q: %s", path, i+1, word, strings.TrimSpace(line))
			}
		}
	}
}
