package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/cli"
)

// dispatch runs a command line of a program with one command, which prints its arguments, where it is, and paths.
func dispatch(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Dispatch(t.Context(), args, []cli.Entry{{Name: "show", Summary: "show where it runs",
		Run: func(_ context.Context, args []string, stdout, _ io.Writer) int {
			dir, err := os.Getwd()
			require.NoError(t, err)
			fmt.Fprintln(stdout, args, filepath.Base(dir), cli.GoRun(), cli.Show("review.html"), cli.UserPath("page.html"), cli.UserPath("/page.html"))
			return 7
		}}}, &out, &errs)
	return code, out.String(), errs.String()
}

func TestOverview(t *testing.T) {
	_, overview, _ := dispatch(t, "help")
	assert.Contains(t, overview, "make sandbox")
	assert.Contains(t, overview, "pulumi up")
	assert.Contains(t, overview, "  show  show where it runs\n")
	for _, args := range [][]string{{"-h"}, {"--help"}, {"help"}} {
		code, out, errs := dispatch(t, args...)
		assert.Equal(t, cli.ExitOK, code)
		assert.Equal(t, overview, out)
		assert.Empty(t, errs)
	}
	code, out, errs := dispatch(t)
	assert.Equal(t, cli.ExitUsage, code)
	assert.Equal(t, overview, out+errs)
	for _, args := range [][]string{{"sho"}, {"help", "sho"}} {
		code, _, errs := dispatch(t, args...)
		assert.Equal(t, cli.ExitUsage, code)
		assert.Equal(t, "cinema-database: command \"sho\": not known\n\n"+overview, errs)
	}
}

func TestCommandsRunInTheProject(t *testing.T) {
	project := filepath.Join(t.TempDir(), "project")
	require.NoError(t, os.MkdirAll(filepath.Join(project, "network", "testdata"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), nil, 0o600))
	for folder, want := range map[string]string{
		"network/testdata": "[a -b] project go run ../.. ../../review.html network/testdata/page.html /page.html\n",
		"network":          "[a -b] project go run .. ../review.html network/page.html /page.html\n",
		".":                "[a -b] project go run . review.html page.html /page.html\n",
	} {
		t.Chdir(filepath.Join(project, folder))
		code, out, errs := dispatch(t, "show", "a", "-b")
		assert.Equal(t, 7, code, errs)
		assert.Equal(t, want, out)
	}
	_, out, _ := dispatch(t, "help", "show")
	assert.Contains(t, out, "[help]")

	t.Chdir(t.TempDir())
	code, _, errs := dispatch(t, "show")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "there is no Pulumi.yaml in this folder or above it")
}
