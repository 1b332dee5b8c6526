package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"cinema-database/internal/awssim"
	"cinema-database/internal/cli"
	"cinema-database/internal/problem"
)

const usage = `usage: sandbox COMMAND [flags]

Runs this program with the real Pulumi engine on a simulated AWS account in .sandbox/<stack>. No host runs there.

commands
  up         preview, then create, update and delete resources as the program requires
  preview    show the changes that up would make
  refresh    update the state from the account
  destroy    delete all resources, protected ones too, and check that the account is empty
  output     print the stack's outputs as JSON
  resources  list the account's resources
  reset      remove state and account without deleting the resources one by one

flags
  --stack NAME           stack, with Pulumi.NAME.yaml for its config (default dev)
  -c KEY=VALUE           set a config value instead of the file's (repeatable)
  --fail TYPE            up: the next creation of a type fails, once (repeatable), e.g. aws:ec2/natGateway:NatGateway
  --bad-release          up: the instances and tasks that start fail their health checks
  --account new          up, preview: an account with the quotas of a new one
  --skip-preview         up: no preview
  --expect-no-changes    preview, up: fail if there are changes
  --json                 preview: write the engine's plan as JSON, for "review --plan"
  --show-secrets         output: print the values of secrets
`

type command struct {
	verb                      string
	options                   Options
	skipPreview, expectNoWork bool
	showSecrets, json         bool
	review                    Review
}

// Review runs the review command, which writes a page about a stack.
type Review func(ctx context.Context, args []string, stdout, stderr io.Writer) int

// Main runs a sandbox command for a program and returns the exit code. args follow "sandbox" on the command line. After an
// interrupt the engine finishes its current operations and saves its state. Where review is nil, `up` writes no page.
func Main(ctx context.Context, args []string, program Program, review Review, stdout, stderr io.Writer) int {
	c, err := parse(args)
	if err != nil {
		return cli.Command{Name: "sandbox", Usage: usage, Stdout: stdout, Stderr: stderr}.Refuse(err)
	}
	c.options.Program, c.options.Stdout, c.options.Stderr = program, stdout, stderr
	c.review = review
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.options.Color = os.Getenv("NO_COLOR") == ""
		kind := os.Getenv("TERM")
		c.options.Live = term.IsTerminal(int(os.Stdin.Fd())) && kind != "" && kind != "dumb" && os.Getenv("CI") == ""
	}
	ctx, stop := cli.Interruptible(ctx)
	defer stop()
	if err := c.run(ctx, stdout); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(stderr, "sandbox: interrupted; the state is saved, and the next run continues")
		}
		var engine *OperationError
		if !errors.As(err, &engine) { // the engine has printed its errors itself
			fmt.Fprintln(stderr, err)
		}
		return cli.ExitFailed
	}
	return cli.ExitOK
}

var verbs = []string{"up", "preview", "refresh", "destroy", "output", "resources", "reset"}

func parse(args []string) (command, error) {
	if len(args) == 0 {
		return command{}, cli.ErrNoCommand
	}
	c := command{verb: args[0]}
	if !slices.Contains(verbs, c.verb) {
		if err := cli.Parse(cli.Flags("sandbox"), args); errors.Is(err, flag.ErrHelp) {
			return c, err
		}
		return c, fmt.Errorf("command %q: not one of %s", c.verb, strings.Join(verbs, ", "))
	}
	fs := cli.Flags("sandbox")
	stack, config := cli.StackFile(fs), cli.Config(fs)
	for _, name := range []string{"yes", "y"} { // without effect: accepted because Pulumi has them
		fs.Bool(name, true, "")
	}
	if c.verb == "up" || c.verb == "preview" {
		fs.Func("account", "", func(kind string) error {
			if kind != "new" {
				return errors.New("not a kind of account; the only one is new")
			}
			c.options.NewAccount = true
			return nil
		})
	}
	switch c.verb {
	case "up":
		fs.Func("fail", "", func(typ string) error {
			if types := awssim.Types(); !slices.Contains(types, typ) {
				return fmt.Errorf("not a type of the simulated account; the nearest are %s", strings.Join(nearest(typ, types), ", "))
			}
			c.options.Fail = append(c.options.Fail, typ)
			return nil
		})
		fs.BoolVar(&c.options.BadRelease, "bad-release", false, "")
		fs.BoolVar(&c.skipPreview, "skip-preview", false, "")
		fs.BoolVar(&c.expectNoWork, "expect-no-changes", false, "")
	case "preview":
		fs.BoolVar(&c.expectNoWork, "expect-no-changes", false, "")
		fs.BoolVar(&c.json, "json", false, "")
	case "output":
		fs.BoolVar(&c.showSecrets, "show-secrets", false, "")
	}
	if err := cli.Parse(fs, args[1:]); err != nil {
		return c, fmt.Errorf("%s: %w", c.verb, err)
	}
	c.options.Stack, c.options.Config = *stack, config
	return c, nil
}

// nearest returns the three types that need the fewest edits to be text, or to have it as their last part.
func nearest(text string, types []string) []string {
	edits := func(typ string) int {
		least := len(typ)
		for _, part := range []string{typ, typ[strings.LastIndex(typ, ":")+1:]} {
			least = min(least, problem.Edits(text, part))
		}
		return least
	}
	sorted := slices.Clone(types)
	slices.SortStableFunc(sorted, func(a, b string) int { return edits(a) - edits(b) })
	return sorted[:3]
}

func (c command) run(ctx context.Context, out io.Writer) error {
	dir := filepath.Join(".sandbox", c.options.Stack)
	if c.verb == "reset" {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		_ = os.Remove(filepath.Dir(dir)) // fails if another stack is in it
		fmt.Fprintf(out, "sandbox: %s is removed\n", cli.Show(dir))
		return nil
	}
	if _, err := os.Stat(dir); err != nil && c.verb != "up" && c.verb != "preview" {
		if c.verb == "destroy" {
			fmt.Fprintf(out, "sandbox: stack %s is not up; there is nothing to destroy\n", c.options.Stack)
			return nil
		}
		return fmt.Errorf("sandbox: stack %s is not up; run `%s` first", c.options.Stack, c.hint("up"))
	}
	if c.verb == "output" || c.verb == "resources" || c.json {
		c.options.Stdout = io.Discard // nothing else is printed
	}
	s, err := Open(ctx, c.options)
	if err != nil {
		return err
	}
	defer s.Close()
	switch c.verb {
	case "up":
		return c.up(ctx, s, out)
	case "preview":
		if c.json {
			plan, err := s.PreviewJSON(ctx)
			_, writing := out.Write(plan)
			return errors.Join(err, writing)
		}
		_, err = s.Preview(ctx, c.expectNoWork)
		return err
	case "refresh":
		return c.operate(ctx, s, out, s.Refresh)
	case "destroy":
		return c.destroy(ctx, s, out)
	case "output":
		outs, err := s.stack.Outputs(ctx)
		if err != nil {
			return fmt.Errorf("sandbox: outputs: %w", err)
		}
		values := map[string]any{}
		for k, v := range outs {
			values[k] = v.Value
			if v.Secret && !c.showSecrets {
				values[k] = "[secret]"
			}
		}
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(values)
	case "resources":
		for _, r := range s.Account().Resources() {
			fmt.Fprintln(out, r.Type, r.ID)
		}
		return nil
	}
	panic("sandbox: verb " + c.verb)
}

// hint is the command line of another sandbox command for the same stack, to paste.
func (c command) hint(verb string) string {
	line := fmt.Sprintf("%s sandbox %s --stack %s", cli.GoRun(), verb, c.options.Stack)
	if verb != "up" && verb != "preview" {
		return line
	}
	for _, flag := range c.configFlags() {
		if strings.ContainsAny(flag, " \t\n\"'`$&|;<>(){}[]*?!#~\\") {
			flag = "'" + strings.ReplaceAll(flag, "'", `'\''`) + "'"
		}
		line += " " + flag
	}
	return line
}

// configFlags are the flags that set the same config values.
func (c command) configFlags() []string {
	var flags []string
	for _, k := range slices.Sorted(maps.Keys(c.options.Config)) {
		flags = append(flags, "-c", k+"="+c.options.Config[k])
	}
	return flags
}

// quietly runs an operation without the engine's own text.
func quietly(s *Session, run func() (*Result, error)) (*Result, error) {
	stdout, live := s.options.Stdout, s.cli.live
	s.options.Stdout, s.cli.live = io.Discard, false
	defer func() { s.options.Stdout, s.cli.live = stdout, live }()
	return run()
}

// operate runs an operation. On a terminal the engine shows its progress; elsewhere only messages and the result are printed.
func (c command) operate(ctx context.Context, s *Session, out io.Writer, run func(context.Context) (*Result, error)) error {
	if s.cli.live {
		_, err := run(ctx)
		return err
	}
	result, err := quietly(s, func() (*Result, error) { return run(ctx) })
	printMessages(out, result)
	if counts := result.Counts(); counts != "" {
		fmt.Fprintf(out, "sandbox: %s: %s\n", c.verb, counts)
	}
	return err
}

func printMessages(out io.Writer, r *Result) {
	for _, m := range r.Messages {
		fmt.Fprintf(out, "%s\n", m.Text)
	}
}

// listed is how many steps of a preview are printed one by one.
const listed = 30

func (c command) preview(ctx context.Context, s *Session, out io.Writer) error {
	plan, err := quietly(s, func() (*Result, error) { return s.Preview(ctx, c.expectNoWork) })
	if err != nil && !errors.Is(err, ErrChanges) {
		printMessages(out, plan) // otherwise `up` prints them
		return err
	}
	fmt.Fprintf(out, "sandbox: preview: %s\n", plan.Counts())
	// The program's own resources; a replacement is three steps.
	steps := slices.DeleteFunc(slices.Clone(plan.Steps), func(step Step) bool {
		return strings.HasPrefix(step.Type, "pulumi:pulumi:") || strings.HasPrefix(step.Type, "pulumi:providers:") ||
			step.Op == "create-replacement" || step.Op == "delete-replaced"
	})
	if len(steps) > listed {
		return err
	}
	for _, step := range steps {
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %s %s  %s", step.Op, step.Name, strings.Join(step.Diffs, ", ")), " "))
	}
	return err
}

func (c command) up(ctx context.Context, s *Session, out io.Writer) error {
	fmt.Fprintf(out, "sandbox: stack %s, simulated in %s\n", c.options.Stack, cli.Show(filepath.Join(".sandbox", c.options.Stack)))
	if !c.skipPreview || c.expectNoWork {
		if err := c.preview(ctx, s, out); err != nil {
			return err
		}
	}
	var outputs map[string]any
	err := c.operate(ctx, s, out, func(ctx context.Context) (*Result, error) {
		result, err := s.Up(ctx)
		outputs = result.Outputs
		return result, err
	})
	if err != nil {
		fmt.Fprintf(out, "sandbox: the account holds %s; to continue, run `%s`\n", count(len(s.Account().Resources())), c.hint("up"))
		return err
	}
	if left := s.Unfailed(); len(left) > 0 {
		return fmt.Errorf("sandbox: nothing of type %s was created, so nothing failed; `%s` and then `up` create everything",
			strings.Join(left, ", "), c.hint("destroy"))
	}
	c.card(ctx, s, out, outputs)
	return nil
}

// card prints what is up, and what to do next.
func (c command) card(ctx context.Context, s *Session, out io.Writer, outputs map[string]any) {
	fmt.Fprintf(out, "\nthe account holds %s: %s\n", count(len(s.Account().Resources())), byService(s))
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, address := range []struct{ name, output string }{{"client", "url"}, {"API", "apiUrl"}} {
		if url, ok := outputs[address.output].(string); ok {
			fmt.Fprintf(w, "  %s\t%s\tsimulated: nothing answers there\n", address.name, url)
		}
	}
	if page := filepath.Join(".sandbox", c.options.Stack, "review.html"); c.review != nil {
		args := append([]string{"--stack", c.options.Stack, "-o", page}, c.configFlags()...)
		if c.review(ctx, args, io.Discard, c.options.Stderr) == cli.ExitOK {
			fmt.Fprintf(w, "  review page\t%s\ttopology, traffic, access, cost\n", cli.Show(page))
		}
	}
	fmt.Fprintln(w, "next")
	fmt.Fprintf(w, "  %s\t\tthe outputs\n", c.hint("output"))
	fmt.Fprintf(w, "  %s -c cinema:logRetentionDays=3\t\tthe plan of a change\n", c.hint("preview"))
	fmt.Fprintf(w, "  %s\t\tdelete everything\n", c.hint("destroy"))
	w.Flush()
}

func (c command) destroy(ctx context.Context, s *Session, out io.Writer) error {
	if n := s.Protected(); n > 0 {
		fmt.Fprintf(out, "sandbox: protection is on (%s); it is removed first, because no data is here (on AWS, `destroy` refuses)\n", count(n))
		if err := s.SetConfig(map[string]string{s.name() + ":protect": "false"}); err != nil {
			return err
		}
		if result, err := quietly(s, func() (*Result, error) { return s.Up(ctx) }); err != nil {
			printMessages(out, result)
			fmt.Fprintf(out, "sandbox: the protection is still on; `%s` removes everything without the engine\n", c.hint("reset"))
			return err
		}
	}
	// As in `pulumi destroy`, nothing is deleted if the preview fails.
	result, err := quietly(s, func() (*Result, error) { return s.PreviewDestroy(ctx) })
	if err != nil {
		printMessages(out, result)
		return err
	}
	if err := c.operate(ctx, s, out, s.Destroy); err != nil {
		return err
	}
	if err := s.Remove(); err != nil {
		return err
	}
	fmt.Fprintln(out, "sandbox: the account is empty")
	return nil
}

func count(n int) string {
	if n == 1 {
		return "1 resource"
	}
	return fmt.Sprintf("%d resources", n)
}

// byService counts the account's resources by AWS service.
func byService(s *Session) string {
	counts := map[string]int{}
	for _, r := range s.Account().Resources() {
		_, rest, _ := strings.Cut(r.Type, ":")
		service, _, _ := strings.Cut(rest, "/")
		counts[service]++
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[k], k))
	}
	return strings.Join(parts, ", ")
}
