package sandbox

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"time"

	"github.com/blang/semver"

	"cinema-database/internal/pulumicli"
)

// pulumiCommand runs the Pulumi CLI for the Automation API. Unlike the SDK's own type it finds a CLI in .tools, hides the user's
// settings from it, and passes it the session's lock: the lock is held until the engine ends, even if this process is killed.
type pulumiCommand struct {
	pulumicli.CLI
	lock *os.File
	json bool // a preview writes its plan as JSON
	// live gives operations the terminal: the CLI then draws the resources as a tree, and reads Ctrl-C itself.
	live    bool
	running atomic.Pointer[os.Process]
}

// Version implements auto.PulumiCommand.
func (c *pulumiCommand) Version() semver.Version { return c.CLI.Version }

// Run implements auto.PulumiCommand.
func (c *pulumiCommand) Run(ctx context.Context, dir string, stdin io.Reader, out, errOut []io.Writer, env []string, args ...string,
) (stdout, stderr string, code int, err error) {
	if len(args) > 1 && args[0] == "stack" && args[1] == "history" {
		return "[]", "", 0, nil // the Automation API requests it after each operation; nothing uses it
	}
	if args[0] == "preview" && c.json {
		args = append(args, "--json", "--show-sames")
	}
	live := c.live && !c.json && slices.Contains([]string{"preview", "up", "refresh", "destroy"}, args[0])
	if !live {
		args = append([]string{"--non-interactive"}, args...)
	}
	cmd := exec.CommandContext(ctx, c.Path, args...)
	cmd.Dir, cmd.Stdin, cmd.Env = dir, stdin, pulumicli.Environment(env...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(append(out, &o)...), io.MultiWriter(append(errOut, &e)...)
	if live {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		// At its start the CLI asks the terminal for its colors and waits five seconds for a terminal that does not answer.
		// It asks no terminal of this kind, and draws the same on it.
		cmd.Env = append(cmd.Env, "TERM=screen-256color")
	} else {
		ownProcessGroup(cmd)
	}
	if c.lock != nil {
		cmd.ExtraFiles = []*os.File{c.lock}
	}
	// An interrupted engine finishes its current operations and saves its state.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err = cmd.Start(); err != nil {
		return "", "", -1, err
	}
	c.running.Store(cmd.Process)
	err = cmd.Wait()
	c.running.Store(nil)
	return o.String(), e.String(), cmd.ProcessState.ExitCode(), err
}
