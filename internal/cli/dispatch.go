package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// Entry is a command in the program's list of commands.
type Entry struct {
	Name, Summary string
	// Run runs the command in the project's directory and returns the exit code.
	Run func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

// Dispatch runs the entry that the first argument names, from the directory of Pulumi.yaml: the current one or one above it.
// Without arguments, with help, and with a name that no entry has, it prints the list of commands.
func Dispatch(ctx context.Context, args []string, entries []Entry, stdout, stderr io.Writer) int {
	command := Command{Name: "cinema-database", Usage: overview(entries), Stdout: stdout, Stderr: stderr}
	if len(args) == 0 {
		return command.Refuse(ErrNoCommand)
	}
	name, rest := args[0], args[1:]
	if name == "help" || name == "-h" || name == "--help" {
		if len(rest) == 0 {
			fmt.Fprint(stdout, command.Usage)
			return ExitOK
		}
		name, rest = rest[0], []string{"help"}
	}
	for _, e := range entries {
		if e.Name == name {
			if err := enterProject(); err != nil {
				return command.Fail(err)
			}
			return e.Run(ctx, rest, stdout, stderr)
		}
	}
	return command.Refuse(fmt.Errorf("command %q: not known", name))
}

func overview(entries []Entry) string {
	var text strings.Builder
	text.WriteString(`Cinema.Database on AWS: a Pulumi program.

without an AWS account
  make sandbox                           bring the stack up on a simulated AWS account

on AWS, after ` + "`pulumi login`" + `; see README.md
  make app                               build the binaries that the program embeds
  pulumi stack select dev --create
  pulumi up

commands: go run . COMMAND [flags]; ` + "`go run . help COMMAND`" + ` describes one
`)
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		fmt.Fprintf(w, "  %s\t%s\n", e.Name, e.Summary)
	}
	w.Flush()
	return text.String()
}

// root is the project's directory relative to the folder that the user is in, folder is the opposite.
var root, folder = ".", "."

// enterProject makes the project's directory the current one.
func enterProject() error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			toRoot, err := filepath.Rel(here, dir)
			toFolder, errBack := filepath.Rel(dir, here)
			if err := errors.Join(err, errBack, os.Chdir(dir)); err != nil {
				return err
			}
			root, folder = toRoot, toFolder
			return nil
		}
		if dir == filepath.Dir(dir) {
			return errors.New("there is no Pulumi.yaml in this folder or above it; change to the project's folder")
		}
	}
}

// GoRun starts every command line that a message shows: it works in the folder that the user is in.
func GoRun() string { return "go run " + filepath.ToSlash(root) }

// UserPath returns the path of a file that the user named, relative to the project's directory.
func UserPath(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// Show returns a path in the project, for a message, relative to the folder that the user is in.
func Show(path string) string { return filepath.Join(root, path) }
