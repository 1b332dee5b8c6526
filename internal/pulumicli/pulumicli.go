// Package pulumicli finds the Pulumi CLI that the project's commands run.
package pulumicli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/blang/semver"
)

// oldest is the oldest version that the program works with: resource hooks need it. Pulumi.yaml and the Makefile name it too.
const oldest = "3.245.0"

// ErrNotFound means that no Pulumi CLI of a supported version is installed.
var ErrNotFound = errors.New("no Pulumi CLI of version " + oldest + " or newer is on the PATH or at .tools/pulumi; " +
	"run `make tools` to build one (minutes, once), or install Pulumi")

// CLI is an installed Pulumi CLI.
type CLI struct {
	Path    string
	Version semver.Version
}

// Find returns the CLI on the PATH if its version is supported, else .tools/pulumi in the project's directory or in a
// directory above it. The error wraps ErrNotFound if there is none.
func Find(projectDir string) (CLI, error) {
	var candidates []string
	if p, err := exec.LookPath("pulumi"); err == nil {
		candidates = append(candidates, p)
	}
	dir, err := filepath.Abs(projectDir)
	if err != nil {
		return CLI{}, err
	}
	for {
		candidates = append(candidates, filepath.Join(dir, ".tools", "pulumi"))
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	var rejected []string
	for _, path := range candidates {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		v, err := version(path)
		switch {
		case err != nil:
			rejected = append(rejected, fmt.Sprintf("%s: %v", path, err))
		case v.LT(semver.MustParse(oldest)):
			rejected = append(rejected, fmt.Sprintf("%s is %s", path, v))
		default:
			return CLI{Path: path, Version: v}, nil
		}
	}
	if len(rejected) > 0 {
		return CLI{}, fmt.Errorf("%w (%s)", ErrNotFound, strings.Join(rejected, "; "))
	}
	return CLI{}, ErrNotFound
}

// Command starts a command line of the CLI that works in every folder.
func (c CLI) Command() string {
	if path, err := exec.LookPath("pulumi"); err == nil && path == c.Path {
		return "pulumi"
	}
	return c.Path
}

func version(path string) (semver.Version, error) {
	cmd := exec.Command(path, "version")
	cmd.Env = Environment()
	out, err := cmd.Output()
	if err != nil {
		return semver.Version{}, err
	}
	return semver.ParseTolerant(strings.TrimSpace(string(out)))
}

// Environment returns this process's environment without the user's Pulumi and AWS settings, and with more variables.
func Environment(more ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PULUMI_") && !strings.HasPrefix(e, "AWS_") {
			env = append(env, e)
		}
	}
	return append(append(env, "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_AUTOMATION_API=true"), more...)
}
