package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pty"
)

// TestHelperPush is the process of TestPushOnATerminal: the command itself.
func TestHelperPush(t *testing.T) {
	line := os.Getenv("IMAGE_TEST_COMMAND")
	if line == "" {
		t.Skip("part of TestPushOnATerminal")
	}
	os.Exit(run(t.Context(), strings.Split(line, " "), os.Stdout, os.Stderr))
}

func TestPushOnATerminal(t *testing.T) {
	inModule(t)
	s := newStore(t)
	for tag, kind := range map[string]string{"v1": "xterm-256color", "v2": "dumb"} {
		hello(t, ".", tag)
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperPush$")
		cmd.Env = append(os.Environ(), "TERM="+kind, "IMAGE_TEST_COMMAND="+strings.Join(s.push(tag), " "))
		text, err := pty.Run(t, cmd)
		require.NoError(t, err, text)
		assert.Contains(t, text, "pushed to "+s.repository()+":"+tag)
		assert.Regexp(t, `digest: sha256:[0-9a-f]{64}\r\n$`, text)
		if kind == "dumb" {
			assert.NotContains(t, text, "\x1b")
		} else {
			assert.Regexp(t, `\r\x1b\[K *\d+ %  .+ of .+  .+/s\r\x1b\[K`, text)
		}
	}
}
