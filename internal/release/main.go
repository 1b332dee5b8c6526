package release

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/internal/cli"
)

const usage = `usage: release COMMAND [flags]

commands
  status      follow the rollout of the latest release until it ends
  rollback    show how to roll back to an earlier release; changes nothing

flags
  --stack NAME       stack (default dev)
  --timeout DURATION status: how long to wait for the end of the rollout (default 30m)

status exits with 0 if every instance runs the release. It exits with 1, and prints the state of the instances,
if the rollout failed, was cancelled or rolled back, or did not end in time.
Credentials are the AWS SDK's: AWS_PROFILE, AWS_ACCESS_KEY_ID and so on; AWS_ENDPOINT_URL selects an emulator.
`

// pollEvery is the time between two requests for the state of a rollout: an instance takes minutes.
const pollEvery = 10 * time.Second

// Main runs a release command in the project's directory. args follow "release" on the command line. The exit code is
// cli.ExitFailed if the release is not on every instance, or if AWS or Pulumi does not answer.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := cli.Interruptible(ctx)
	defer stop()
	return run(ctx, args, stdout, stderr, wait)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, wait func(context.Context, time.Duration) error) int {
	command := cli.Command{Name: "release", Usage: usage, Stdout: stdout, Stderr: stderr}
	o, err := parse(args)
	if err != nil {
		return command.Refuse(err)
	}
	s, err := open(ctx, o.stack)
	if err != nil {
		return command.Fail(err)
	}
	s.out, s.wait = stdout, wait
	if o.verb == "status" {
		err = s.status(ctx, o.timeout)
	} else {
		err = s.rollback(ctx)
	}
	if err != nil {
		return command.Fail(err)
	}
	return cli.ExitOK
}

type options struct {
	verb, stack string
	timeout     time.Duration
}

func parse(args []string) (options, error) {
	if len(args) == 0 {
		return options{}, cli.ErrNoCommand
	}
	fs := cli.Flags("release")
	stack := cli.Stack(fs)
	timeout := fs.Duration("timeout", 30*time.Minute, "")
	verb := args[0]
	err := cli.Parse(fs, args[1:])
	switch {
	case verb == "help" || verb == "-h" || verb == "--help":
		err = flag.ErrHelp
	case err == nil && verb != "status" && verb != "rollback":
		err = fmt.Errorf("command %q: neither status nor rollback", verb)
	case err == nil && *timeout <= 0:
		err = fmt.Errorf("flag --timeout %v: not a positive duration; write it like 30m", *timeout)
	}
	return options{verb, *stack, *timeout}, err
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// session is a stack and its account.
type session struct {
	stack   string
	outputs outputs
	out     io.Writer
	wait    func(context.Context, time.Duration) error

	scaling *autoscaling.Client
	ec2     *ec2.Client
	s3      *s3.Client
}

func open(ctx context.Context, stack string) (*session, error) {
	o, err := stackOutputs(ctx, ".", stack)
	if err != nil {
		return nil, err
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(o.Region))
	if err != nil {
		return nil, fmt.Errorf("AWS: %w", err)
	}
	return &session{
		stack: stack, outputs: o,
		scaling: autoscaling.NewFromConfig(cfg),
		ec2:     ec2.NewFromConfig(cfg),
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle = aws.ToString(cfg.BaseEndpoint) != "" // an emulator has one host name
		}),
	}, nil
}
