package cli_test

import (
	"os"
	"os/exec"
	"testing"

	_ "github.com/pulumi/pulumi/sdk/v3/go/pulumi" // asks the terminal for its colors, see terminal.go
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pty"
)

// TestHelperStarts is the process of TestNothingAsksTheTerminal.
func TestHelperStarts(t *testing.T) {
	if os.Getenv("CLI_TEST_STARTS") == "" {
		t.Skip("part of TestNothingAsksTheTerminal")
	}
}

func TestNothingAsksTheTerminal(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperStarts$")
	cmd.Env = append(os.Environ(), "CLI_TEST_STARTS=1", "TERM=xterm-256color", "CI=")
	written, err := pty.Run(t, cmd)
	require.NoError(t, err, written)
	assert.Contains(t, written, "PASS")
	assert.NotContains(t, written, "\x1b", "a terminal that does not answer delays the start")
}
