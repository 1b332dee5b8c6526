package compute

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

// Unreserved leaves a function's concurrency to the account's shared pool.
const Unreserved = -1

// FunctionSettings is what the stack's Lambda functions share, as stack config gives it.
type FunctionSettings struct {
	Architecture Architecture
	// ThumbnailerConcurrency is how many pictures are worked on at once, or Unreserved: Lambda refuses
	// to reserve any in an account whose own limit is still the starting one.
	ThumbnailerConcurrency int
	// LogRetentionDays of the functions' logs.
	LogRetentionDays int
}

// Check adds what is wrong with s to l.
func (s FunctionSettings) Check(l *problem.List) {
	if n := s.ThumbnailerConcurrency; n != Unreserved && (n < 1 || n > 900) {
		l.Add("thumbnailer.concurrency", n, "is not a number of concurrent executions",
			"use 1 to 900, or -1 to leave it to the account's pool")
	}
}

// function is what differs between the functions.
type function struct {
	description string
	release     storage.Object
	bucket      pulumi.StringInput
	role        pulumi.StringInput
	logs        logs
	memoryMiB   int
	timeoutSec  int
	concurrency int
}

// logs is a function's log group.
type logs struct {
	*cloudwatch.LogGroup
	// function is the physical name of the function that writes it.
	function string
}

// newLogs makes a function's log group before the function, so that its retention holds from the first
// line on. Lambda writes to the group that bears the function's name, so that name is fixed here.
func newLogs(ctx *pulumi.Context, s *component.Scope, days int) (logs, error) {
	function := strings.Join([]string{ctx.Project(), ctx.Stack(), s.Name()}, "-")
	group, err := cloudwatch.NewLogGroup(ctx, s.Name("logs"), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/lambda/" + function),
		RetentionInDays: pulumi.Int(days),
		Tags:            s.Tags(s.Name("logs")),
	}, s.Child())
	return logs{group, function}, err
}

func newFunction(ctx *pulumi.Context, s *component.Scope, arch Architecture, f function) (*lambda.Function, error) {
	processor, err := arch.ec2Name() // Lambda's words are EC2's
	if err != nil {
		return nil, err
	}
	name := s.Name("function")
	return lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
		Name:          pulumi.String(f.logs.function),
		Description:   pulumi.String(fmt.Sprintf("%s (%s)", f.description, f.release.Short())),
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.StringArray{pulumi.String(processor)},
		S3Bucket:      f.bucket,
		S3Key:         f.release.Key,
		Role:          f.role,
		MemorySize:    pulumi.Int(f.memoryMiB),
		Timeout:       pulumi.Int(f.timeoutSec),
		// Bounds what a flood of events can cost, and what it can take from the account's other functions.
		ReservedConcurrentExecutions: pulumi.Int(f.concurrency),
		TracingConfig:                lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")},
		Tags:                         s.Tags(name, map[string]string{"Release": f.release.Short()}),
	}, s.Child())
}
