package sandbox_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pty"
)

// TestHelperOnATerminal is the process of TestOnATerminal.
func TestHelperOnATerminal(t *testing.T) {
	args := os.Getenv("SANDBOX_TEST_ARGS")
	if args == "" {
		t.Skip("part of TestOnATerminal")
	}
	os.Exit(sandbox.Main(t.Context(), strings.Fields(args), alone(shop{userData: "one", ami: "ami-1"}.program), reviewed, os.Stdout, os.Stderr))
}

func TestOnATerminal(t *testing.T) {
	inProject(t, "config:\n  aws:region: us-east-1\n  cidr: 10.0.0.0/16\n")
	run := func(args string) string {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperOnATerminal$")
		cmd.Env = append(os.Environ(), "SANDBOX_TEST_ARGS="+args, "TERM=xterm-256color", "CI=")
		written, err := pty.Run(t, cmd)
		require.NoError(t, err, written)
		return written
	}
	up := run("up")
	assert.Contains(t, up, "\x1b[?25l", "a tree hides the cursor")
	assert.Regexp(t, "[├└]─ aws:ec2:SecurityGroup", up)
	assert.NotContains(t, up, "\x1b]11;?", "a question about colors, for which the CLI waits")
	assert.Contains(t, up, "the account holds 5 resources")
	assert.Contains(t, run("destroy"), "the account is empty")
}
