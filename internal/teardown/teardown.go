// Package teardown destroys a stack. If something is protected, it deletes nothing and lists what is protected.
//
// `pulumi destroy` alone lists only the resources that Pulumi protects, and advises to remove their protection from the
// state. AWS would then refuse to delete the load balancer and the buckets, when half of the stack is gone.
package teardown

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"

	"cinema-database/internal/awsaccess"
	"cinema-database/internal/cli"
	"cinema-database/internal/environment"
	"cinema-database/internal/pulumicli"
)

const usage = `usage: destroy [--stack NAME] [-- PULUMI FLAGS]

Deletes all resources of a stack, as ` + "`pulumi destroy`" + ` does. If cinema:protect or the backups' own setting protects
a resource, it deletes nothing, lists the protected resources, and prints the two steps that delete them too. It also
deletes nothing with the credentials of the role that deploys from GitHub, which cannot delete itself.

flags
  --stack NAME   stack (default dev)
  -- FLAGS       flags for pulumi destroy, like -- --yes
`

// Main runs the command in the project's directory. args follow "destroy" on the command line. The exit code is
// Pulumi's, or cli.ExitFailed if the stack is protected, its state cannot be read, or its deployer's role calls.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command := cli.Command{Name: "destroy", Usage: usage, Stdout: stdout, Stderr: stderr}
	fs := cli.Flags("destroy")
	stack := cli.Stack(fs)
	var pulumiFlags []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, pulumiFlags = args[:i], args[i+1:]
	}
	if err := cli.Parse(fs, args); err != nil {
		return command.Refuse(err)
	}
	pulumi, err := pulumicli.Find(".")
	if err != nil {
		return command.Fail(err)
	}
	resources, err := stateOf(ctx, *stack)
	if err != nil {
		return command.Fail(err)
	}
	if protected := protectedOf(resources); len(protected) > 0 {
		printProtected(stderr, *stack, pulumi, protected)
		return cli.ExitFailed
	}
	if role := callingDeployer(ctx, *stack, resources); role != "" {
		return command.Fail(fmt.Errorf("these credentials are of role %s, which is part of stack %s and must not delete its own permissions: "+
			"the run would stop half-way; nothing was deleted; an administrator runs this command", role, *stack))
	}
	// A terminal's interrupt reaches Pulumi too, which finishes its current operations: this process waits for it.
	_, stop := cli.Interruptible(ctx)
	defer stop()
	cmd := exec.Command(pulumi.Path, append([]string{"destroy", "--stack", *stack}, pulumiFlags...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState == nil {
			return command.Fail(err)
		}
		return max(cmd.ProcessState.ExitCode(), cli.ExitFailed)
	}
	return cli.ExitOK
}

func printProtected(out io.Writer, stack string, pulumi pulumicli.CLI, all []protected) {
	fmt.Fprintf(out, "destroy: stack %s is protected; nothing was deleted\n\n", stack)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	// cinema:protect does not decide about backups: they have their own setting.
	backups := ""
	for _, p := range all {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", p.name, p.typ, strings.Join(p.by, "; "))
		if p.typ == vault {
			backups = fmt.Sprintf("\n     %s config set --path cinema:backups.forceDestroy true --stack %s", pulumi.Command(), stack)
		}
	}
	w.Flush()
	fmt.Fprintf(out, `
To delete the whole stack with its data:

  1. %[3]s config set cinema:protect false --stack %[1]s%[2]s
     %[3]s up --stack %[1]s
  2. %[4]s destroy --stack %[1]s

`, stack, backups, pulumi.Command(), cli.GoRun())
}

// protected is a resource that cannot be deleted, with the reasons.
type protected struct {
	name, typ string
	by        []string
}

// resource is a resource in a stack's state (Pulumi's deployment format, version 3).
type resource struct {
	URN     string         `json:"urn"`
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Protect bool           `json:"protect"`
	Inputs  map[string]any `json:"inputs"`
}

const vault = "aws:backup/vault:Vault"

// protectedByAWS has the types that AWS refuses to delete while an input has a value, with the reason.
var protectedByAWS = []struct {
	typ, input string
	value      bool
	reason     string
}{
	{"aws:lb/loadBalancer:LoadBalancer", "enableDeletionProtection", true, "AWS: deletion protection"},
	{"aws:s3/bucketV2:BucketV2", "forceDestroy", false, "AWS: while it holds objects"},
	{vault, "forceDestroy", false, "AWS: while it holds recovery points"},
}

// stateOf reads a stack's state.
func stateOf(ctx context.Context, stack string) ([]resource, error) {
	var state struct {
		Deployment struct {
			Resources []resource `json:"resources"`
		} `json:"deployment"`
	}
	if err := pulumicli.Query(ctx, ".", &state, "stack", "export", "--non-interactive", "--stack", stack); err != nil {
		return nil, fmt.Errorf("state of stack %s: %w", stack, err)
	}
	return state.Deployment.Resources, nil
}

// callingDeployer returns the name of the deployer's role that the credentials are of, "" where they are of anybody else or
// cannot be told: then AWS decides.
func callingDeployer(ctx context.Context, stack string, resources []resource) string {
	var roles []string
	for _, r := range resources {
		if r.Type == "aws:iam/role:Role" && strings.Contains(r.URN, "cinema:iam:Deployer$") {
			roles = append(roles, r.ID)
		}
	}
	if len(roles) == 0 {
		return ""
	}
	settings, err := awsaccess.StackSettings(ctx, ".", stack)
	if err != nil {
		return ""
	}
	account, err := awsaccess.Open(ctx, settings, "us-east-1") // any region answers
	if err != nil {
		return ""
	}
	caller, err := account.Caller(ctx)
	if err != nil {
		return ""
	}
	if role := environment.AssumedRole(caller); slices.Contains(roles, role) {
		return role
	}
	return ""
}

// protectedOf lists the resources that cannot be deleted, by name.
func protectedOf(resources []resource) []protected {
	var all []protected
	for _, r := range resources {
		p := protected{name: r.URN[strings.LastIndex(r.URN, "::")+2:], typ: r.Type}
		if r.Protect {
			p.by = append(p.by, "Pulumi: protect")
		}
		for _, a := range protectedByAWS {
			// A missing input is false.
			if set, _ := r.Inputs[a.input].(bool); r.Type == a.typ && set == a.value {
				p.by = append(p.by, a.reason)
			}
		}
		if len(p.by) > 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b protected) int { return strings.Compare(a.name+a.typ, b.name+b.typ) })
	return all
}
