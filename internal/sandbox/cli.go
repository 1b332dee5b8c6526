package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/blang/semver"
)

// oldest is the oldest Pulumi CLI that the sandbox runs with.
var oldest = semver.MustParse("3.200.0")

// ErrNoCLI is returned where there is no Pulumi CLI to run.
var ErrNoCLI = errors.New("no Pulumi CLI of version " + oldest.String() + " or newer is on the PATH or at .tools/pulumi; " +
	"run `make tools` to build one (minutes, once), or install Pulumi")

// cli is a Pulumi CLI as the Automation API runs it. It differs from the SDK's own in where the binary may lie, and in what its
// processes inherit: no settings of the user's, and the session's lock, which so outlives a killed parent.
type cli struct {
	path    string
	version semver.Version
	lock    *os.File
	running atomic.Pointer[os.Process]
}

// FindCLI returns the Pulumi CLI to use: the one on the PATH where it is new enough, else .tools/pulumi in a project's directory
// or one above it. The error wraps ErrNoCLI where there is none.
func FindCLI(dir string) (path string, err error) {
	c, err := findCLI(dir)
	if err != nil {
		return "", err
	}
	return c.path, nil
}

func findCLI(dir string) (*cli, error) {
	var candidates []string
	if p, err := exec.LookPath("pulumi"); err == nil {
		candidates = append(candidates, p)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	for d := abs; ; d = filepath.Dir(d) {
		candidates = append(candidates, filepath.Join(d, ".tools", "pulumi"))
		if d == filepath.Dir(d) {
			break
		}
	}
	var old []string
	for _, path := range candidates {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		v, err := cliVersion(path)
		switch {
		case err != nil:
			old = append(old, fmt.Sprintf("%s: %v", path, err))
		case v.LT(oldest):
			old = append(old, fmt.Sprintf("%s is %s", path, v))
		default:
			return &cli{path: path, version: v}, nil
		}
	}
	if len(old) > 0 {
		return nil, fmt.Errorf("sandbox: %w (%s)", ErrNoCLI, strings.Join(old, "; "))
	}
	return nil, fmt.Errorf("sandbox: %w", ErrNoCLI)
}

func cliVersion(path string) (semver.Version, error) {
	cmd := exec.Command(path, "version")
	cmd.Env = environment(nil)
	out, err := cmd.Output()
	if err != nil {
		return semver.Version{}, err
	}
	return semver.ParseTolerant(strings.TrimSpace(string(out)))
}

// environment is this process's environment without what would lead Pulumi or AWS elsewhere, and with more added.
func environment(more []string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PULUMI_") && !strings.HasPrefix(e, "AWS_") {
			env = append(env, e)
		}
	}
	return append(append(env, "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_AUTOMATION_API=true"), more...)
}

// Version is part of auto.PulumiCommand.
func (c *cli) Version() semver.Version { return c.version }

// Run is part of auto.PulumiCommand.
func (c *cli) Run(ctx context.Context, dir string, stdin io.Reader, out, errOut []io.Writer, env []string, args ...string,
) (stdout, stderr string, code int, err error) {
	if len(args) > 1 && args[0] == "stack" && args[1] == "history" {
		return "[]", "", 0, nil // asked for after each operation, and used by nobody
	}
	cmd := exec.CommandContext(ctx, c.path, append([]string{"--non-interactive"}, args...)...)
	cmd.Dir, cmd.Stdin, cmd.Env = dir, stdin, environment(env)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(append(out, &o)...), io.MultiWriter(append(errOut, &e)...)
	if c.lock != nil {
		cmd.ExtraFiles = []*os.File{c.lock}
	}
	ownProcessGroup(cmd)
	// An interrupted engine finishes what is under way and saves its state.
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
