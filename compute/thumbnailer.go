package compute

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

const (
	// thumbnailerMemoryMiB is enough for the largest image that the API accepts; Lambda assigns CPU in proportion.
	thumbnailerMemoryMiB  = 1024
	thumbnailerTimeoutSec = 60
	// failureDays is the retention of an event that failed three times, SQS's maximum.
	failureDays = 14
)

// ThumbnailerArgs are the binary and the buckets of the function.
type ThumbnailerArgs struct {
	environment.Environment
	FunctionSettings
	Binary          storage.Artifact
	ArtifactsBucket pulumi.StringInput
	ImagesBucket    pulumi.StringInput
	ImagesARN       pulumi.StringInput
}

// Thumbnailer is the function that makes a thumbnail of every uploaded image.
type Thumbnailer struct {
	pulumi.ResourceState

	FunctionName pulumi.StringOutput
	// FailuresURL and FailuresName identify the queue of events that could not be processed.
	FailuresURL  pulumi.StringOutput
	FailuresName pulumi.StringOutput
}

// NewThumbnailer registers the function, the notification that invokes it, and its failure queue.
func NewThumbnailer(ctx *pulumi.Context, name string, args *ThumbnailerArgs, opts ...pulumi.ResourceOption) (*Thumbnailer, error) {
	problems := problem.In("compute: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	t := &Thumbnailer{}
	err := component.New(ctx, args.Environment, "cinema:compute:Thumbnailer", name, t, func(s *component.Scope) error {
		logs, err := newLogs(s, args.LogRetentionDays)
		if err != nil {
			return err
		}
		failures, err := sqs.NewQueue(s.Ctx, s.Name("failures"), &sqs.QueueArgs{
			MessageRetentionSeconds: pulumi.Int(failureDays * 24 * 60 * 60),
			SqsManagedSseEnabled:    pulumi.Bool(true),
			Tags:                    s.Tags(s.Name("failures")),
		}, s.Child())
		if err != nil {
			return err
		}
		role, err := iam.NewThumbnailerRole(s, iam.ThumbnailerArgs{
			ImagesARN: args.ImagesARN, LogGroupARN: logs.Arn, FailuresARN: failures.Arn,
		})
		if err != nil {
			return err
		}
		fn, err := newFunction(s, args.Architecture, function{
			description: "Makes a thumbnail of each uploaded image",
			binary:      args.Binary, bucket: args.ArtifactsBucket, role: role, logs: logs,
			memoryMiB: thumbnailerMemoryMiB, timeoutSec: thumbnailerTimeoutSec, concurrency: args.ThumbnailerConcurrency,
		})
		if err != nil {
			return err
		}
		if _, err := lambda.NewFunctionEventInvokeConfig(s.Ctx, s.Name("retries"), &lambda.FunctionEventInvokeConfigArgs{
			FunctionName:         fn.Name,
			MaximumRetryAttempts: pulumi.Int(2),
			DestinationConfig: lambda.FunctionEventInvokeConfigDestinationConfigArgs{
				OnFailure: lambda.FunctionEventInvokeConfigDestinationConfigOnFailureArgs{Destination: failures.Arn},
			},
		}, s.Child()); err != nil {
			return err
		}
		permission, err := lambda.NewPermission(s.Ctx, s.Name("images"), &lambda.PermissionArgs{
			Function:  fn.Name,
			Action:    pulumi.String("lambda:InvokeFunction"),
			Principal: pulumi.String("s3.amazonaws.com"),
			SourceArn: args.ImagesARN,
			// Another account can take over the name of a deleted bucket, but not the account number.
			SourceAccount: pulumi.String(args.Account),
		}, s.Child())
		if err != nil {
			return err
		}
		// S3 checks immediately that it may invoke the function.
		if _, err := s3.NewBucketNotification(s.Ctx, s.Name("images"), &s3.BucketNotificationArgs{
			Bucket: args.ImagesBucket,
			LambdaFunctions: s3.BucketNotificationLambdaFunctionArray{s3.BucketNotificationLambdaFunctionArgs{
				LambdaFunctionArn: fn.Arn,
				Events:            pulumi.StringArray{pulumi.String("s3:ObjectCreated:*")},
				FilterPrefix:      pulumi.String(contract.OriginalsPrefix),
			}},
		}, s.Child(pulumi.DependsOn([]pulumi.Resource{permission}))); err != nil {
			return err
		}
		t.FunctionName, t.FailuresURL, t.FailuresName = fn.Name, failures.Url, failures.Name
		return nil
	}, opts...)
	return t, err
}
