package contract

import (
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOnlyContractSpellsTheValues searches all code outside tests: the literals of Go files, and the lines of other files
// that are not comments.
func TestOnlyContractSpellsTheValues(t *testing.T) {
	// part may not occur inside a literal either, whole only as a complete literal.
	var part []string
	for _, value := range []string{ReleasesPrefix, PackagesPrefix, CredentialsKey, OriginalsPrefix, ThumbnailsPrefix, HealthPath, ReadyPath,
		strconv.Itoa(APIPort), strconv.Itoa(MongoDBPort), DataVolumeUsedPercent, EnvCredentialsURI, EnvCredentialsKMSKey,
		EnvImagesBucket, EnvAllowedOrigin, EnvBehindProxy, EnvMongoDBVolume, EnvMongoDBHost} {
		part = append(part, regexp.QuoteMeta(value))
	}
	spelled := regexp.MustCompile(`(^|[^A-Za-z0-9_])(` + strings.Join(part, "|") + `)`)
	whole := []string{CinemaDB, EnvRegion, EnvPort, EnvStack, MetricNamespace}
	// mongod's user id is the number of its port.
	other := regexp.MustCompile(`^\s*(#|//)|/etc/sysusers\.d/`)

	root := git(t, ".", "rev-parse", "--show-toplevel")[0]
	for _, file := range git(t, root, "ls-files", "*.go", "*.sh", "*.service", "*.timer", "*.js") {
		if strings.HasPrefix(file, "app/contract/") || strings.HasSuffix(file, "_test.go") || strings.Contains("/"+file, "/testdata/") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) { // deleted, but not yet committed
			continue
		}
		require.NoError(t, err)
		if !strings.HasSuffix(file, ".go") {
			for i, line := range strings.Split(string(data), "\n") {
				if match := spelled.FindStringSubmatch(line); match != nil && !other.MatchString(line) {
					assert.Fail(t, "use app/contract", "%s:%d: %s", file, i+1, match[2])
				}
			}
			continue
		}
		for line, literal := range literals(data) {
			if match := spelled.FindStringSubmatch(literal); match != nil {
				assert.Fail(t, "use app/contract", "%s:%d: %s", file, line, match[2])
			} else if slices.Contains(whole, literal) {
				assert.Fail(t, "use app/contract", "%s:%d: %s", file, line, literal)
			}
		}
	}
}

func git(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	command := exec.Command("git", args...)
	command.Dir = dir
	out, err := command.Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// literals returns an iterator over a Go file's strings and numbers, with their lines.
func literals(source []byte) func(yield func(line int, literal string) bool) {
	return func(yield func(int, string) bool) {
		files := token.NewFileSet()
		file := files.AddFile("", -1, len(source))
		var s scanner.Scanner
		s.Init(file, source, nil, 0)
		for {
			at, kind, text := s.Scan()
			if kind == token.EOF {
				return
			}
			if unquoted, err := strconv.Unquote(text); kind == token.STRING && err == nil {
				text = unquoted
			}
			if (kind == token.STRING || kind == token.INT) && !yield(file.Line(at), text) {
				return
			}
		}
	}
}
