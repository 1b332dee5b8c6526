package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

// Unreserved leaves a function's concurrency to the account's unreserved pool.
const Unreserved = -1

// FunctionSettings are the settings of the Lambda functions from stack config.
type FunctionSettings struct {
	Architecture Architecture
	// ThumbnailerConcurrency is the number of images that are processed at once, or Unreserved. An account with the initial
	// quota must use Unreserved: Lambda refuses every reservation there.
	ThumbnailerConcurrency int
	// LogRetentionDays of the functions' logs.
	LogRetentionDays int
}

// Check adds a problem for a concurrency that Lambda cannot reserve.
func (s FunctionSettings) Check(l *problem.List) {
	if n := s.ThumbnailerConcurrency; n != Unreserved && (n < 1 || n > 900) {
		l.Add("thumbnailer.concurrency", n, "is not a valid number of concurrent executions",
			"use 1 to 900, or -1 to use the account's unreserved pool")
	}
}

// mirrorConcurrency is one copy at a time, or Unreserved where nothing may be reserved.
func (s FunctionSettings) mirrorConcurrency() int {
	if s.ThumbnailerConcurrency == Unreserved {
		return Unreserved
	}
	return 1
}

// Reserved is the concurrency that the functions reserve together.
func (s FunctionSettings) Reserved() int {
	if s.ThumbnailerConcurrency == Unreserved {
		return 0
	}
	return s.ThumbnailerConcurrency + s.mirrorConcurrency()
}

// function holds the differences between the functions.
type function struct {
	description string
	binary      storage.Artifact
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
	// function is the physical name of the function that writes to it.
	function string
}

// newLogs registers the log group of a function before the function, so that the retention applies from the first line
// on. Lambda writes to the group that has the function's name.
func newLogs(s *component.Scope, days int) (logs, error) {
	function := component.PhysicalName(s.Env, "aws:lambda/function:Function", s.Name("function"))
	group, err := cloudwatch.NewLogGroup(s.Ctx, s.Name("logs"), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/lambda/" + function),
		RetentionInDays: pulumi.Int(days),
		Tags:            s.Tags(s.Name("logs")),
	}, s.Child())
	return logs{group, function}, err
}

func newFunction(s *component.Scope, arch Architecture, f function) (*lambda.Function, error) {
	processor, err := arch.ec2Name()
	if err != nil {
		return nil, err
	}
	name := s.Name("function")
	return lambda.NewFunction(s.Ctx, name, &lambda.FunctionArgs{
		Description:   pulumi.String(fmt.Sprintf("%s (%s)", f.description, f.binary.Short())),
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.StringArray{pulumi.String(processor)},
		S3Bucket:      f.bucket,
		S3Key:         f.binary.Key,
		Role:          f.role,
		MemorySize:    pulumi.Int(f.memoryMiB),
		Timeout:       pulumi.Int(f.timeoutSec),
		// Limits the cost of a flood of events, and its effect on the account's other functions.
		ReservedConcurrentExecutions: pulumi.Int(f.concurrency),
		TracingConfig:                lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")},
		Tags:                         s.Tags(name, map[string]string{"Release": f.binary.Short()}),
	}, s.Child())
}
