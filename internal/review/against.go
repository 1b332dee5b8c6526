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

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/internal/plan"
)

// dumpFormat is the version of the dump. Raise it with a change that other checkouts cannot read.
const dumpFormat = 1

// dump is what the review command of another commit writes.
type dump struct {
	Format    int             `json:"format"`
	Recording *plan.Recording `json:"recording"`
	// Built says that the recording has the binaries, not stand-ins.
	Built bool `json:"built,omitempty"`

	digests map[string]string // SHA-256 of the binaries, by name
}

// writeDump records the program, and writes the recording as JSON. Where a binary is not built, all of them are stand-ins.
func (c command) writeDump(program Program, find Finder, out io.Writer) error {
	d := dump{Format: dumpFormat}
	var missing []string
	var err error
	d.Recording, err = c.record(program(orPlaceholder(find, &missing)), false)
	if d.Built = len(missing) == 0; err == nil && !d.Built {
		d.Recording, err = c.record(program(placeholder), false)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(d)
}

// digests are those of the binaries in a folder.
func digests(dir, arch string) map[string]string {
	all := map[string]string{}
	for _, name := range contract.Names() {
		if b, err := app.FindIn(dir)(name, arch); err == nil {
			all[name] = b.Digest
		}
	}
	return all
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

// record builds the commit's binaries for an architecture, and runs its program, in a temporary worktree.
func (r *reference) record(ctx context.Context, c command, arch string) (_ *dump, err error) {
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
	root := filepath.Join(tree, filepath.FromSlash(r.prefix))
	if err := build(ctx, root, arch, ""); err != nil {
		return nil, fmt.Errorf("review: --against %q: the binaries of commit %s: %w", r.Ref, r.Commit, err)
	}
	args := []string{".", "review", dumpCommand, "--stack", c.stack}
	for _, k := range slices.Sorted(maps.Keys(c.config)) {
		args = append(args, "-c", k+"="+c.config[k])
	}
	out, err := goRun(ctx, root, args...)
	if err != nil {
		return nil, fmt.Errorf("review: --against %q: the program of commit %s does not run on stack %s %w", r.Ref, r.Commit, c.stack, err)
	}
	var d dump
	if err := json.Unmarshal(out, &d); err != nil {
		return nil, fmt.Errorf("review: --against %q: commit %s: %w", r.Ref, r.Commit, err)
	}
	if d.Format != dumpFormat || d.Recording == nil {
		return nil, fmt.Errorf("review: --against %q: commit %s writes dump format %d, but this commit reads format %d; choose a more recent commit",
			r.Ref, r.Commit, d.Format, dumpFormat)
	}
	d.digests = digests(filepath.Join(root, "app", "bin"), arch)
	return &d, nil
}

// build builds the binaries of the checkout at root into a folder, "" for its own.
func build(ctx context.Context, root, arch, into string) error {
	args := []string{"./app/cmd/build", "-arch", arch}
	if into != "" {
		args = append(args, "-o", into)
	}
	_, err := goRun(ctx, root, args...)
	return err
}

// goRun runs a package of a checkout, and returns its standard output.
func goRun(ctx context.Context, root string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"run"}, args...)...)
	cmd.Dir = root
	// Without VCS stamping, as the Makefile builds; a go.work above the temporary directory must not apply.
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("(%w):\n%s", err, indent(problems.String()))
	}
	return out.Bytes(), nil
}

// releasesOf lists the binaries whose digests differ, with the commits since the reference that touch what they are built from.
func (r *reference) releasesOf(ctx context.Context, was, is map[string]string) (all []release, err error) {
	for _, name := range keysOf(was, is) {
		if was[name] == is[name] {
			continue
		}
		out := release{Name: name, Was: fmt.Sprintf("%.12s", was[name]), Is: fmt.Sprintf("%.12s", is[name])}
		if out.Commits, err = r.commitsOf(ctx, name); err != nil {
			return nil, err
		}
		all = append(all, out)
	}
	return all, nil
}

// commitsOf lists the commits since the reference that touch the sources of a binary, newest first.
func (r *reference) commitsOf(ctx context.Context, name string) ([]string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", "./app/cmd/"+name)
	list.Env = append(os.Environ(), "GOOS=linux", "GOWORK=off")
	dirs, err := list.Output()
	if err != nil {
		return nil, nil // the binary is gone
	}
	paths := append([]string{"--", "go.mod", "go.sum"}, strings.Fields(string(dirs))...)
	lines, err := git(ctx, append([]string{"log", "--no-merges", "--format=%h %s", r.Commit + "..HEAD"}, paths...)...)
	if err != nil {
		return nil, fmt.Errorf("review: --against %q: %w", r.Ref, err)
	}
	dirty, err := git(ctx, append([]string{"status", "--porcelain"}, paths...)...)
	if err != nil {
		return nil, fmt.Errorf("review: --against %q: %w", r.Ref, err)
	}
	var commits []string
	if strings.TrimSpace(dirty) != "" {
		commits = append(commits, "changes that are not committed")
	}
	for line := range strings.Lines(lines) {
		commits = append(commits, strings.TrimSpace(line))
	}
	return commits, nil
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
