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

	"golang.org/x/term"

	"cinema-database/internal/cli"
)

const usage = `usage: sandbox COMMAND [flags]

Runs this program with the real Pulumi engine on a simulated AWS account in .sandbox/<stack>.

commands
  up         preview, then create, update and delete resources as the program requires
  preview    show the changes that up would make
  refresh    update the state from the account
  destroy    delete all resources and check that the account is empty
  output     print the stack's outputs as JSON
  resources  list the account's resources
  reset      remove state and account without deleting the resources one by one

flags
  --stack NAME           stack, with Pulumi.NAME.yaml for its config (default dev)
  -c KEY=VALUE           set a config value instead of the file's (repeatable)
  --fail TYPE            up: the next creation of a type fails, once (repeatable), e.g. aws:ec2/natGateway:NatGateway
  --bad-release          up: the instances that start fail their health checks
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
}

// Main runs a sandbox command for a program and returns the exit code. args follow "sandbox" on the command line. After an
// interrupt the engine finishes its current operations and saves its state.
func Main(ctx context.Context, args []string, program Program, stdout, stderr io.Writer) int {
	c, err := parse(args)
	if err != nil {
		return cli.Command{Name: "sandbox", Usage: usage, Stdout: stdout, Stderr: stderr}.Refuse(err)
	}
	c.options.Program, c.options.Stdout, c.options.Stderr = program, stdout, stderr
	if f, ok := stdout.(*os.File); ok {
		c.options.Color = term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
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
			if strings.Count(typ, ":") != 2 {
				return errors.New("not a type token such as aws:ec2/natGateway:NatGateway")
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

func (c command) run(ctx context.Context, out io.Writer) error {
	if c.verb == "reset" {
		dir := filepath.Join(".sandbox", c.options.Stack)
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		fmt.Fprintf(out, "sandbox: %s is removed\n", dir)
		return nil
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
		_, err = s.Refresh(ctx)
		return err
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

func (c command) up(ctx context.Context, s *Session, out io.Writer) error {
	if !c.skipPreview || c.expectNoWork {
		if _, err := s.Preview(ctx, c.expectNoWork); err != nil {
			return err
		}
	}
	result, err := s.Up(ctx)
	if err != nil {
		fmt.Fprintf(out, "sandbox: the account holds %s; run `up` again to continue\n", count(len(s.Account().Resources())))
		return err
	}
	if left := s.Unfailed(); len(left) > 0 {
		return fmt.Errorf("sandbox: nothing of type %s was created, so nothing failed; `up` on an empty stack creates everything",
			strings.Join(left, ", "))
	}
	fmt.Fprintf(out, "sandbox: the account holds %s: %s\n", count(len(s.Account().Resources())), byService(s))
	if url, ok := result.Outputs["url"].(string); ok {
		fmt.Fprintln(out, "sandbox: on AWS, the client would be at "+url)
	}
	return nil
}

func (c command) destroy(ctx context.Context, s *Session, out io.Writer) error {
	// As in `pulumi destroy`, nothing is deleted if the preview fails.
	_, err := s.PreviewDestroy(ctx)
	if err == nil {
		_, err = s.Destroy(ctx)
	}
	if err != nil {
		if n := s.Protected(); n > 0 {
			fmt.Fprintf(out, "sandbox: protection is on (%s); remove it first: `up --stack %s -c cinema:protect=false`\n", count(n), c.options.Stack)
		}
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
