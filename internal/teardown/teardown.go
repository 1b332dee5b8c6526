// Package teardown destroys a stack, and says before anything is deleted what would hold it.
//
// `pulumi destroy` alone stops at the first look too, but names only what Pulumi protects and advises to take
// that off in the state: AWS then still refuses the load balancer and the buckets, half-way.
package teardown

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"cinema-database/internal/flags"
	"cinema-database/internal/sandbox"
)

const usage = `usage: destroy [--stack NAME] [-- PULUMI FLAGS]

Deletes everything that a stack holds, as ` + "`pulumi destroy`" + ` does. Where something is held, by cinema:protect or as
the last backups, it deletes nothing, names what is held by what, and says which two steps take that off.

flags
  --stack NAME   stack (default dev)
  -- FLAGS       what follows goes to pulumi destroy, like -- --yes
`

// Exit codes of Main, where Pulumi's own does not stand.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command in the project's directory: args are what follows "destroy" on the command line. It
// returns the exit code: 1 where the stack is held or its state cannot be read, 2 for a command line that makes
// no sense, else Pulumi's.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flags.New("destroy")
	stack := fs.String("stack", "dev", "")
	var further []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, further = args[:i], args[i+1:]
	}
	switch err := flags.Parse(fs, args); {
	case err == flag.ErrHelp:
		fmt.Fprint(stdout, usage)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "destroy: %v\n\n%s", err, usage)
		return exitUsage
	}
	pulumi, err := sandbox.FindCLI(".")
	if err != nil {
		fmt.Fprintf(stderr, "destroy: %v\n", err)
		return exitFailed
	}
	held, err := holds(ctx, pulumi, *stack)
	if err != nil {
		fmt.Fprintf(stderr, "destroy: %v\n", err)
		return exitFailed
	}
	if len(held) > 0 {
		refuse(stderr, *stack, held)
		return exitFailed
	}
	// A terminal's interrupt reaches Pulumi too, which finishes what is under way; this waits for it.
	_, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := exec.Command(pulumi, append([]string{"destroy", "--stack", *stack}, further...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState == nil {
			fmt.Fprintf(stderr, "destroy: %v\n", err)
			return exitFailed
		}
		return max(cmd.ProcessState.ExitCode(), exitFailed)
	}
	return exitOK
}

func refuse(out io.Writer, stack string, held []hold) {
	fmt.Fprintf(out, "destroy: stack %s is protected; nothing was deleted\n\n", stack)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	// Backups go by a decision of their own, whatever cinema:protect says.
	backups := ""
	for _, h := range held {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", h.name, h.typ, strings.Join(h.by, "; "))
		if h.typ == vault {
			backups = fmt.Sprintf("\n     pulumi config set --path cinema:backups.forceDestroy true --stack %s", stack)
		}
	}
	w.Flush()
	fmt.Fprintf(out, `
Two steps, where all of it, with its data, is to go:

  1. pulumi config set cinema:protect false --stack %[1]s%[2]s
     pulumi up --stack %[1]s
  2. make destroy STACK=%[1]s

`, stack, backups)
}

// hold is a resource, and what keeps it.
type hold struct {
	name, typ string
	by        []string
}

// resource is one of a stack's state (Pulumi's deployment format, version 3).
type resource struct {
	URN     string         `json:"urn"`
	Type    string         `json:"type"`
	Protect bool           `json:"protect"`
	Inputs  map[string]any `json:"inputs"`
}

const vault = "aws:backup/vault:Vault"

// heldByAWS is what AWS refuses to delete, by type: the input that decides, the value that holds, and how.
var heldByAWS = []struct {
	typ, input string
	value      bool
	how        string
}{
	{"aws:lb/loadBalancer:LoadBalancer", "enableDeletionProtection", true, "AWS: deletion protection"},
	{"aws:s3/bucketV2:BucketV2", "forceDestroy", false, "AWS: while it holds objects"},
	{vault, "forceDestroy", false, "AWS: while it holds recovery points"},
}

// holds reads a stack's state and lists what would stop a destroy, by name.
func holds(ctx context.Context, pulumi, stack string) ([]hold, error) {
	cmd := exec.CommandContext(ctx, pulumi, "stack", "export", "--non-interactive", "--stack", stack)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("state of stack %s: %w: %s", stack, err, strings.TrimSpace(stderr.String()))
	}
	var state struct {
		Deployment struct {
			Resources []resource `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(answer, &state); err != nil {
		return nil, fmt.Errorf("state of stack %s: %w", stack, err)
	}
	var all []hold
	for _, r := range state.Deployment.Resources {
		h := hold{name: r.URN[strings.LastIndex(r.URN, "::")+2:], typ: r.Type}
		if r.Protect {
			h.by = append(h.by, "Pulumi: protect")
		}
		for _, a := range heldByAWS {
			// An input that is absent is false.
			if set, _ := r.Inputs[a.input].(bool); r.Type == a.typ && set == a.value {
				h.by = append(h.by, a.how)
			}
		}
		if len(h.by) > 0 {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b hold) int { return strings.Compare(a.name+a.typ, b.name+b.typ) })
	return all, nil
}
