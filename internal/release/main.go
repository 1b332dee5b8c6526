package release

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/internal/awsaccess"
	"cinema-database/internal/cli"
	"cinema-database/internal/rollout"
)

const usage = `usage: release COMMAND [flags]

commands
  status      show the members of the database, and follow the rollout of the latest release and the deployments of
              the services until they end
  rollback    take back the rollout that is in progress; if there is none, list the releases to go back to

flags
  --stack NAME       stack (default dev)
  --timeout DURATION how long to wait for the end of the rollout (default 45m)
  --to RELEASE       rollback: roll out an earlier release of the list
  --service NAME     rollback: take back the deployment of a service that is in progress

status exits with 0 if every instance runs the release, every member of the database is healthy and every service runs
its image. It exits with 1, and prints the state of the instances, if the rollout failed, was cancelled or rolled back,
or did not end in time; for a service it prints why its tasks stopped.
rollback exits with 0 once every instance runs the earlier release, and after the list; with --service, once the
service is as before its deployment.
The account is the one of the stack's AWS provider: its profile, role and endpoints in the stack's config, then the environment.
`

// Main runs a release command in the project's directory. args follow "release" on the command line. The exit code is
// cli.ExitFailed if the release is not on every instance, or if AWS or Pulumi does not answer.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := cli.Interruptible(ctx)
	defer stop()
	return run(ctx, args, stdout, stderr, rollout.SystemClock{})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, clock rollout.Clock) int {
	command := cli.Command{Name: "release", Usage: usage, Stdout: stdout, Stderr: stderr}
	o, err := parse(args)
	if err != nil {
		return command.Refuse(err)
	}
	s, err := open(ctx, o, stdout, clock)
	if err != nil {
		return command.Fail(err)
	}
	switch {
	case o.verb == "status":
		err = s.status(ctx)
	case o.service != "":
		err = s.rollbackService(ctx, o.service)
	default:
		err = s.rollback(ctx, o.to)
	}
	if err != nil {
		return command.Fail(err)
	}
	return cli.ExitOK
}

type options struct {
	verb, stack, to, service string
	timeout                  time.Duration
}

func parse(args []string) (options, error) {
	if len(args) == 0 {
		return options{}, cli.ErrNoCommand
	}
	fs := cli.Flags("release")
	stack := cli.Stack(fs)
	timeout := fs.Duration("timeout", 45*time.Minute, "")
	verb, to, service := args[0], new(string), new(string)
	if verb == "rollback" {
		to, service = fs.String("to", "", ""), fs.String("service", "", "")
	}
	err := cli.Parse(fs, args[1:])
	switch {
	case verb == "help" || verb == "-h" || verb == "--help":
		err = flag.ErrHelp
	case err == nil && verb != "status" && verb != "rollback":
		err = fmt.Errorf("command %q: neither status nor rollback", verb)
	case err == nil && *timeout <= 0:
		err = fmt.Errorf("flag --timeout %v: not a positive duration; write it like 30m", *timeout)
	case err == nil && *to != "" && *service != "":
		err = fmt.Errorf("flags --to %s and --service %s: --to is for the release of the API; use one of the two", *to, *service)
	}
	return options{verb, *stack, *to, *service, *timeout}, err
}

// session is a stack and its account.
type session struct {
	stack   string
	outputs outputs
	out     io.Writer

	rollout.Rollout
	ec2 *ec2.Client
	ecs *ecs.Client
	s3  *s3.Client
}

func open(ctx context.Context, o options, out io.Writer, clock rollout.Clock) (*session, error) {
	outputs, err := stackOutputs(ctx, ".", o.stack)
	if err != nil {
		return nil, err
	}
	settings, err := awsaccess.StackSettings(ctx, ".", o.stack)
	if err != nil {
		return nil, err
	}
	account, err := awsaccess.Open(ctx, settings, outputs.Region)
	if err != nil {
		return nil, err
	}
	return &session{
		stack: o.stack, outputs: outputs, out: out, ec2: account.EC2(), ecs: account.ECS(), s3: account.S3(),
		Rollout: rollout.Rollout{
			Cloud:    rollout.Cloud{AutoScaling: account.AutoScaling(), ECS: account.ECS(), Objects: account.S3(), Clock: clock},
			Settings: rollout.Settings{Wait: o.timeout},
			Say:      func(line string) { fmt.Fprintln(out, line) },
		},
	}, nil
}
