package release

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/internal/flags"
)

const usage = `usage: release COMMAND [flags]

commands
  status      watch the instance refresh that a release started, to its end
  rollback    show what going back to an earlier release takes; changes nothing

flags
  --stack NAME       stack (default dev)
  --timeout DURATION status: how long to wait for the end, like 30m (default)

status exits with 0 where every instance runs the release, and with 1 where the refresh failed, was
cancelled or rolled back, or has not ended in time; it then prints the instances as they are.
Credentials are the AWS SDK's: AWS_PROFILE, AWS_ACCESS_KEY_ID and the rest, AWS_ENDPOINT_URL for an emulator.
`

// Exit codes of Main.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// pollEvery is between two looks at a refresh: an instance takes minutes.
const pollEvery = 10 * time.Second

// Main runs a release command in the project's directory: args are what follows "release" on the command
// line. It returns the exit code: 0 for success, 1 for a release that is not on every instance or a question
// that could not be answered, 2 for a command line that makes no sense.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, args, stdout, stderr, wait)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, wait func(context.Context, time.Duration) error) int {
	if len(args) == 0 {
		fmt.Fprint(stdout, usage)
		return exitUsage
	}
	fs := flags.New("release")
	stack := fs.String("stack", "dev", "")
	timeout := fs.Duration("timeout", 30*time.Minute, "")
	command := args[0]
	err := flags.Parse(fs, args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp) || command == "help" || command == "-h" || command == "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	case err == nil && command != "status" && command != "rollback":
		err = fmt.Errorf("command %q: neither status nor rollback", command)
	case err == nil && *timeout <= 0:
		err = fmt.Errorf("flag --timeout %v: not a time to wait; write it like 30m", *timeout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "release: %s\n\n%s", strings.TrimPrefix(err.Error(), "release: "), usage)
		return exitUsage
	}
	s, err := open(ctx, *stack)
	if err == nil {
		s.out, s.wait = stdout, wait
		if command == "status" {
			err = s.status(ctx, *timeout)
		} else {
			err = s.rollback(ctx)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "release: %v\n", err)
		return exitFailed
	}
	return exitOK
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

// session is one stack, and the account that it is in.
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
