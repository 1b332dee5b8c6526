package review

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/cli"
	"cinema-database/internal/plan"
	"cinema-database/internal/problem"
)

const usage = `usage: review [flags]

Writes one page about a stack, computed from what this program registers: topology, traffic, access, cost, inventory.
It needs no AWS account and no Pulumi CLI.

flags
  --stack NAME       the stack; its config is in Pulumi.NAME.yaml (default dev)
  -c KEY=VALUE       set a config value, instead of the file's (repeatable)
  --against REF      also show the changes since a git ref
  --format html|md   one self-contained HTML page, or Markdown (default html)
  -o FILE            the output file, - for standard output (default review.html or review.md)
`

const (
	formatHTML = "html"
	formatMD   = "md"
)

// dumpCommand writes the recording instead of a page. --against runs it in a checkout of the other commit.
const dumpCommand = "dump"

type command struct {
	stack, against, format, out string
	config                      map[string]string
	dump                        bool
	project                     string // its name, once record has read it
}

// Main runs the review command; args follow "review" on the command line. Placeholders replace the binaries that find does
// not find. It returns the exit code: 0 for success, 1 where the program or the comparison fails, 2 for a wrong command line.
func Main(ctx context.Context, args []string, program Program, find Finder, stdout, stderr io.Writer) int {
	c, err := parse(args)
	if err != nil {
		return cli.Command{Name: "review", Usage: usage, Stdout: stdout, Stderr: stderr}.Refuse(err)
	}
	ctx, stop := cli.Interruptible(ctx)
	defer stop()
	if err := c.run(ctx, program, find, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return cli.ExitFailed
	}
	return cli.ExitOK
}

func parse(args []string) (command, error) {
	c := command{format: formatHTML}
	if len(args) > 0 && args[0] == dumpCommand {
		c.dump, args = true, args[1:]
	}
	fs := cli.Flags("review")
	stack, config := cli.StackFile(fs), cli.Config(fs)
	fs.Func("against", "", func(ref string) error {
		if c.against = ref; ref == "" || strings.HasPrefix(ref, "-") {
			return errors.New("not a git ref")
		}
		return nil
	})
	fs.Func("format", "", func(format string) error {
		if c.format = format; format != formatHTML && format != formatMD {
			return fmt.Errorf("neither %s nor %s", formatHTML, formatMD)
		}
		return nil
	})
	for _, name := range []string{"o", "output"} {
		fs.StringVar(&c.out, name, "", "")
	}
	if err := cli.Parse(fs, args); err != nil {
		return c, err
	}
	c.stack, c.config = *stack, config
	if c.out == "" {
		c.out = "review." + c.format
	}
	return c, nil
}

func (c command) run(ctx context.Context, program Program, find Finder, stdout io.Writer) error {
	if c.dump {
		return c.writeDump(program, stdout)
	}
	var against *reference
	if c.against != "" {
		// First, so that a wrong ref is reported at once.
		var err error
		if against, err = resolve(ctx, c.against); err != nil {
			return err
		}
	}
	var missing []string
	deployed, err := c.record(program(orPlaceholder(find, &missing)), false)
	if err != nil {
		return err
	}
	preview, err := c.record(program(orPlaceholder(find, nil)), true)
	if err != nil {
		return err
	}
	page := newPage(c.project, c.stack, deployed, preview)
	page.Placeholders = missing
	if against != nil {
		before, err := against.record(ctx, c)
		if err != nil {
			return err
		}
		// Binaries are not in git: both sides have the same placeholders.
		after, err := c.record(program(placeholder), false)
		if err != nil {
			return err
		}
		page.compare(against, before, after)
	}
	data, err := page.render(c.format)
	if err != nil {
		return err
	}
	if c.out == "-" {
		_, err := stdout.Write(data)
		return err
	}
	if err := os.WriteFile(c.out, data, 0o644); err != nil {
		return fmt.Errorf("review: %w", err)
	}
	fmt.Fprintf(stdout, "review: wrote %s\n", c.out)
	return nil
}

// record runs the program with the stack's config. It returns the program's own error where the program fails.
func (c *command) record(program pulumi.RunFunc, preview bool) (*plan.Recording, error) {
	s, err := plan.ReadStack(".", c.stack, c.config)
	if errors.Is(err, os.ErrNotExist) {
		dir, _ := filepath.Abs(".")
		return nil, fmt.Errorf("review: stack %q: there is no Pulumi.%s.yaml in %s; name a stack that has one", c.stack, c.stack, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	if s.Config["aws:region"] == "" { // on AWS, the environment may have it
		return nil, fmt.Errorf("review: Pulumi.%s.yaml has no aws:region; set it there, or with -c aws:region=REGION", c.stack)
	}
	c.project = s.Project
	r, err := plan.Record(program, plan.Options{Project: s.Project, Stack: c.stack, Config: s.Config, Preview: preview})
	if err != nil {
		return nil, err
	}
	return r, problem.Lines(r.Err)
}
