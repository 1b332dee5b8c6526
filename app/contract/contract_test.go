package contract

import (
	"fmt"
	"go/ast"
	"go/parser"
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
	for _, value := range []string{ReleasesPrefix, PackagesPrefix, CredentialsKey, StatusPrefix, OriginalsPrefix, ThumbnailsPrefix, HealthPath, ReadyPath,
		strconv.Itoa(APIPort), strconv.Itoa(MongoDBPort), DataVolumeUsedPercent, EnvCredentialsURI, EnvCredentialsKMSKey,
		EnvImagesBucket, EnvAllowedOrigins, EnvMongoDBVolume, EnvMongoDBHost} {
		part = append(part, regexp.QuoteMeta(value))
	}
	spelled := regexp.MustCompile(`(^|[^A-Za-z0-9_])(` + strings.Join(part, "|") + `)`)
	whole := []string{CinemaDB, EnvRegion, EnvPort, EnvProxies, EnvStack, MetricNamespace}
	// A path starts with basePath, or is that alone.
	basePath := regexp.MustCompile(`(^|[^A-Za-z0-9_.])(` + regexp.QuoteMeta(BasePath) + `)($|/|["'?#*])`)
	comment := regexp.MustCompile(`^\s*(#|//)`)

	check := func(at, text string, complete bool) {
		for _, values := range []*regexp.Regexp{spelled, basePath} {
			if match := values.FindStringSubmatch(text); match != nil && (complete || !comment.MatchString(text)) {
				assert.Fail(t, "use app/contract", "%s: %s", at, match[2])
			}
		}
		if complete && slices.Contains(whole, text) {
			assert.Fail(t, "use app/contract", "%s: %s", at, text)
		}
	}
	const root = "../.."
	list := exec.Command("git", "ls-files", "*.go", "*.sh", "*.service", "*.timer", "*.js")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	for _, file := range strings.Fields(string(out)) {
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
				check(fmt.Sprintf("%s:%d", file, i+1), line, false)
			}
			continue
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, file, data, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == "mongodUID" {
				return false // a user id, with the number of the port
			}
			if literal, ok := n.(*ast.BasicLit); ok {
				text := literal.Value
				if unquoted, err := strconv.Unquote(text); err == nil {
					text = unquoted
				}
				check(files.Position(literal.Pos()).String(), text, true)
			}
			return true
		})
	}
}
