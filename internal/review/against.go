package review

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cinema-database/internal/plan"
)

// dumpFormat is the version of the dump. Raise it with a change that other checkouts cannot read.
const dumpFormat = 1

type dump struct {
	Format    int             `json:"format"`
	Recording *plan.Recording `json:"recording"`
}

// writeDump records the program with placeholders for its binaries, and writes the recording as JSON.
func (c command) writeDump(program Program, out io.Writer) error {
	r, err := c.record(program(placeholder), false)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(dump{dumpFormat, r})
}

// reference is the commit to compare with.
type reference struct {
	Ref     string // as the user gave it
	Commit  string // its hash, 12 digits
	Subject string // the first line of its message
	prefix  string // the program's directory in the repository, "" for the root
}

// marker is a file that exists in every commit whose program has the dump command.
const marker = "internal/review/against.go"

// resolve finds a ref's commit, and refuses one without the review command.
func resolve(ctx context.Context, ref string) (*reference, error) {
	line, err := git(ctx, "log", "-1", "--format=%H%x00%s", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("review: --against %q: not a commit of this repository: %w", ref, err)
	}
	hash, subject, _ := strings.Cut(strings.TrimSpace(line), "\x00")
	prefix, err := git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("review: --against %q: %w", ref, err)
	}
	r := &reference{Ref: ref, Commit: hash[:12], Subject: subject, prefix: strings.TrimSpace(prefix)}
	if _, err := git(ctx, "cat-file", "-e", hash+":"+r.prefix+marker); err != nil {
		return nil, fmt.Errorf("review: --against %q: commit %s (%s) has no `review` command, so it cannot be compared; choose a later commit",
			ref, r.Commit, subject)
	}
	return r, nil
}

// record runs the commit's program in a temporary worktree.
func (r *reference) record(ctx context.Context, c command) (_ *plan.Recording, err error) {
	dir, err := os.MkdirTemp("", "cinema-review-")
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	tree := filepath.Join(dir, "tree")
	defer func() {
		// An interrupt must not leave the worktree registered.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if _, e := git(clean, "worktree", "remove", "--force", tree); e != nil && err == nil {
			err = fmt.Errorf("review: %w", e)
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if _, err := git(ctx, "worktree", "add", "--detach", "--quiet", tree, r.Commit); err != nil {
		return nil, fmt.Errorf("review: --against %q: %w", r.Ref, err)
	}
	args := []string{"run", ".", "review", dumpCommand, "--stack", c.stack}
	for _, k := range slices.Sorted(maps.Keys(c.config)) {
		args = append(args, "-c", k+"="+c.config[k])
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(tree, filepath.FromSlash(r.prefix))
	// Without VCS stamping, as the Makefile builds; a go.work above the temporary directory must not apply.
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("review: --against %q: the program of commit %s does not run on stack %s (%w):\n%s",
			r.Ref, r.Commit, c.stack, err, indent(problems.String()))
	}
	var d dump
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		return nil, fmt.Errorf("review: --against %q: commit %s: %w", r.Ref, r.Commit, err)
	}
	if d.Format != dumpFormat || d.Recording == nil {
		return nil, fmt.Errorf("review: --against %q: commit %s writes dump format %d, but this commit reads format %d; choose a more recent commit",
			r.Ref, r.Commit, d.Format, dumpFormat)
	}
	return d.Recording, nil
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ")
}

func git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		if message := strings.TrimSpace(problems.String()); message != "" {
			return "", errors.New(message)
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return out.String(), nil
}
