package review

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/sync/errgroup"

	"cinema-database/app"
	"cinema-database/internal/cli"
	"cinema-database/internal/plan"
	"cinema-database/internal/problem"
)

const usage = `usage: review [flags]

Writes one page about a stack, computed from what this program registers: topology, traffic, access, cost, inventory.
It needs no AWS account and no Pulumi CLI. With --plan or --against, or both, it begins with what an update does.

flags
  --stack NAME       the stack; its config is in Pulumi.NAME.yaml (default dev)
  -c KEY=VALUE       set a config value, instead of the file's (repeatable)
  --plan FILE        what the update does, step by step, as the engine plans it: what "pulumi preview --json" has written
  --against REF      what the update does, by comparison with a git ref; with --plan, only the releases' commits and the outputs
  --format html|md   one self-contained HTML page, or Markdown for a comment on a pull request (default html)
  -o FILE            the output file, - for standard output (default review.html or review.md); a FILE that ends in .html
                     or .md has that format (repeatable)
`

const (
	formatHTML = "html"
	formatMD   = "md"
)

// dumpCommand writes the recording instead of a page. --against runs it in a checkout of the other commit.
const dumpCommand = "dump"

type command struct {
	stack, plan, against, format string
	out                          []string
	config                       map[string]string
	dump                         bool
	project                      string // its name, once record has read it
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
	if err := c.run(ctx, program, find, stdout, stderr); err != nil {
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
	fs.StringVar(&c.plan, "plan", "", "")
	fs.Func("format", "", func(format string) error {
		if c.format = format; format != formatHTML && format != formatMD {
			return fmt.Errorf("neither %s nor %s", formatHTML, formatMD)
		}
		return nil
	})
	for _, name := range []string{"o", "output"} {
		fs.Func(name, "", func(file string) error {
			c.out = append(c.out, file)
			return nil
		})
	}
	if err := cli.Parse(fs, args); err != nil {
		return c, err
	}
	c.stack, c.config = *stack, config
	if len(c.out) == 0 {
		c.out = []string{"review." + c.format}
	}
	return c, nil
}

func (c command) run(ctx context.Context, program Program, find Finder, stdout, stderr io.Writer) error {
	if c.dump {
		return c.writeDump(program, find, stdout)
	}
	// First what can be wrong with the command line, so that it is reported at once.
	var planned *enginePlan
	var against *reference
	var err error
	if c.plan != "" {
		if planned, err = readPlan(cli.UserPath(c.plan)); err != nil {
			return err
		}
	}
	if c.against != "" {
		if against, err = resolve(ctx, c.against); err != nil {
			return err
		}
	}
	var missing []string
	arch := ""
	deployed, err := c.record(program(func(name, of string) (*app.Binary, error) {
		arch = of
		return orPlaceholder(find, &missing)(name, of)
	}), false)
	if err != nil {
		return err
	}
	var sides *sides
	if against != nil {
		if sides, err = c.both(ctx, against, arch, stderr); err != nil {
			return err
		}
		defer sides.remove()
		if find, missing = sides.find, nil; !sides.before.Built {
			find = placeholder // as on the other side
		}
		if deployed, err = c.record(program(find), false); err != nil {
			return err
		}
	}
	preview, err := c.record(program(orPlaceholder(find, nil)), true)
	if err != nil {
		return err
	}
	page := newPage(c.project, c.stack, deployed, preview)
	page.Placeholders = missing
	if err := page.compare(ctx, planned, sides); err != nil {
		return err
	}
	for _, file := range c.out {
		if err := c.write(page, file, stdout); err != nil {
			return err
		}
	}
	return nil
}

// write writes a page to a file, - for standard output, in the format of the file's name or of the command line.
func (c command) write(p *page, file string, stdout io.Writer) error {
	format := c.format
	if extension := strings.TrimPrefix(filepath.Ext(file), "."); extension == formatHTML || extension == formatMD {
		format = extension
	}
	data, err := p.render(format)
	if err != nil {
		return err
	}
	if file == "-" {
		_, err := stdout.Write(data)
		return err
	}
	if err := os.WriteFile(cli.UserPath(file), data, 0o644); err != nil {
		return fmt.Errorf("review: %w", err)
	}
	fmt.Fprintf(stdout, "review: wrote %s\n", file)
	return nil
}

// sides are the two sides of a comparison.
type sides struct {
	*reference
	before *dump
	dir    string // has this checkout's binaries
	find   Finder // finds them
	arch   string
}

func (s *sides) remove() { _ = os.RemoveAll(s.dir) }

// both builds the binaries of this checkout and of the other commit, and records the other commit's program. The caller
// removes the binaries.
func (c command) both(ctx context.Context, r *reference, arch string, progress io.Writer) (*sides, error) {
	dir, err := os.MkdirTemp("", "cinema-review-")
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	s := &sides{reference: r, dir: dir, find: app.FindIn(dir), arch: arch}
	start, mu := time.Now(), sync.Mutex{}
	say := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(progress, "review: %s (%.0f s)\n", what, time.Since(start).Seconds())
	}
	fmt.Fprintf(progress, "review: building the binaries of this checkout and of %s, and running the program of %s\n", c.against, c.against)
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		if err := build(ctx, ".", s.arch, s.dir); err != nil {
			return fmt.Errorf("review: the binaries of this checkout: %w", err)
		}
		say("this checkout is built")
		return nil
	})
	work.Go(func() (err error) {
		if s.before, err = r.record(ctx, c, s.arch); err == nil {
			say(c.against + " is built and recorded")
		}
		return err
	})
	if err := work.Wait(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
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
	// The page shows services as they run. Which images are in their repositories yet is for the engine's plan to say: a
	// service counts as having its image where the look-up fails.
	unknown := map[string]bool{"aws:ecr/getImage:getImage": true}
	r, err := plan.Record(program, plan.Options{Project: s.Project, Stack: c.stack, Config: s.Config, Preview: preview, Fail: unknown})
	if err != nil {
		return nil, err
	}
	return r, problem.Lines(r.Err)
}
