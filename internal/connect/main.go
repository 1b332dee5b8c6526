package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"cinema-database/app/contract"
	"cinema-database/internal/awsaccess"
	"cinema-database/internal/cli"
	"cinema-database/internal/format"
	"cinema-database/internal/pulumicli"
	"cinema-database/internal/rollout"
)

const usage = `usage: connect api|database|database-ZONE|bastion [--stack NAME] [--print]

Opens a shell on a host of a stack, and prints the AWS command that does the same. No host has a key or a port open for it:
Session Manager reaches the bastion and the API instances, EC2 Instance Connect the database hosts, from the bastion.
"database" is the host in the first zone; where there are several members, the others are like database-us-east-1b.
It needs the AWS CLI and its Session Manager plugin.

flags
  --stack NAME   stack (default dev)
  --print        print the command, and do not run it

The account is the one of the stack's AWS provider: its profile and role in the stack's config, then the environment.
`

const (
	api      = "api"
	database = "database"
	bastion  = "bastion"
)

// Main runs the command in the project's directory. args follow "connect" on the command line. The exit code is that of the
// AWS CLI, or cli.ExitFailed if the host or a tool is not found.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := cli.Command{Name: "connect", Usage: usage, Stdout: stdout, Stderr: stderr}
	host := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "help" {
		host, args = args[0], args[1:]
	}
	fs := cli.Flags("connect")
	stack, onlyPrint := cli.Stack(fs), fs.Bool("print", false, "")
	if err := cli.Parse(fs, args); err != nil {
		return command.Refuse(err)
	}
	if zone, other := strings.CutPrefix(host, contract.DatabaseRole("")); !slices.Contains([]string{api, database, bastion}, host) && !(other && format.AvailabilityZone(zone)) {
		return command.Refuse(fmt.Errorf("host %q: write api, database, database-ZONE or bastion, first", host))
	}
	if !*onlyPrint {
		if err := checkTools(); err != nil {
			return command.Fail(err)
		}
	}
	session, account, err := open(ctx, *stack, host)
	if err != nil {
		return command.Fail(err)
	}
	fmt.Fprintln(stdout, line(session))
	if *onlyPrint {
		return cli.ExitOK
	}
	credentials, err := account.Environment(ctx)
	if err != nil {
		return command.Fail(err)
	}
	// A terminal's interrupt is for the shell on the host: this process waits for the session's end.
	_, stop := cli.Interruptible(ctx)
	defer stop()
	cmd := exec.Command("aws", session...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, stdout, stderr, credentials
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState == nil {
			return command.Fail(err)
		}
		return max(cmd.ProcessState.ExitCode(), cli.ExitFailed)
	}
	return cli.ExitOK
}

func checkTools() error {
	const guides = "https://docs.aws.amazon.com/"
	var missing []error
	for _, tool := range []struct{ name, guide string }{
		{"aws", "cli/latest/userguide/getting-started-install.html"},
		{"session-manager-plugin", "systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"},
	} {
		if _, err := exec.LookPath(tool.name); err != nil {
			missing = append(missing, fmt.Errorf("%s is not on the PATH; install it: %s%s", tool.name, guides, tool.guide))
		}
	}
	return errors.Join(missing...)
}

// open returns the arguments of `aws` that open a shell on a host, and the stack's account.
func open(ctx context.Context, stack, host string) ([]string, *awsaccess.Account, error) {
	h, err := hostsOf(ctx, stack)
	if err != nil {
		return nil, nil, err
	}
	settings, err := awsaccess.StackSettings(ctx, ".", stack)
	if err != nil {
		return nil, nil, err
	}
	account, err := awsaccess.Open(ctx, settings, h.Region)
	if err != nil {
		return nil, nil, err
	}
	switch host {
	case bastion:
		return direct(h.Region, h.Bastion), account, nil
	case api:
		instance, err := inService(ctx, account, h.Group)
		if err != nil || !h.NoNAT {
			return direct(h.Region, instance), account, err
		}
		return throughBastion(h.Region, h.Bastion, instance), account, nil
	default:
		databases := h.databases()
		id, ok := databases[host]
		if !ok {
			return nil, nil, fmt.Errorf("host %q: the stack has %s", host, strings.Join(slices.Sorted(maps.Keys(databases)), ", "))
		}
		return throughBastion(h.Region, h.Bastion, id), account, nil
	}
}

// hostsOf reads the stack's outputs.
func hostsOf(ctx context.Context, stack string) (Hosts, error) {
	var o struct {
		Region     string `json:"region"`
		BastionID  string `json:"bastionId"`
		DatabaseID string `json:"databaseId"`
		// DatabaseIDs are by zone.
		DatabaseIDs map[string]string `json:"databaseIds"`
		APIGroup    string            `json:"apiGroup"`
		NatGateways int               `json:"natGateways"`
	}
	if err := pulumicli.Query(ctx, ".", &o, "stack", "output", "--json", "--non-interactive", "--stack", stack); err != nil {
		return Hosts{}, fmt.Errorf("outputs of stack %s: %w", stack, err)
	}
	var missing []string
	for _, f := range []struct{ name, value string }{{"region", o.Region}, {"bastionId", o.BastionID}, {"databaseId", o.DatabaseID}, {"apiGroup", o.APIGroup}} {
		if f.value == "" {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return Hosts{}, fmt.Errorf("stack %s has no output %s; run `pulumi up --stack %s` first", stack, strings.Join(missing, ", "), stack)
	}
	h := Hosts{Region: o.Region, Bastion: o.BastionID, Databases: o.DatabaseIDs, Group: o.APIGroup, NoNAT: o.NatGateways == 0}
	if len(o.DatabaseIDs) == 0 { // a stack of an earlier program has one host
		h.Databases = map[string]string{"": o.DatabaseID}
	}
	for zone, id := range o.DatabaseIDs {
		if id == o.DatabaseID {
			h.First = zone
		}
	}
	return h, nil
}

// inService returns the id of an instance of the API, a healthy one if there is one.
func inService(ctx context.Context, account *awsaccess.Account, name string) (string, error) {
	group, err := rollout.Cloud{AutoScaling: account.AutoScaling()}.FindGroup(ctx, name)
	if err != nil {
		return "", err
	}
	found := ""
	for _, i := range group.Instances {
		if i.LifecycleState != types.LifecycleStateInService {
			continue
		}
		if id := aws.ToString(i.InstanceId); found == "" || strings.EqualFold(aws.ToString(i.HealthStatus), "healthy") {
			found = id
		}
	}
	if found == "" {
		return "", fmt.Errorf("group %s has no instance in service; `%s release status` shows its instances", name, cli.GoRun())
	}
	return found, nil
}
