package compute

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

const (
	// thumbnailerMemoryMiB decodes the largest picture that the API takes; Lambda gives CPU in proportion.
	thumbnailerMemoryMiB  = 1024
	thumbnailerTimeoutSec = 60
	// failureDays that an event which failed three times is kept: the most that SQS takes.
	failureDays = 14
)

// ThumbnailerArgs are what NewThumbnailer needs.
type ThumbnailerArgs struct {
	FunctionSettings
	Release         storage.Object
	ArtifactsBucket pulumi.StringInput
	ImagesBucket    pulumi.StringInput
	ImagesARN       pulumi.StringInput
	// AccountID owns the images bucket.
	AccountID string
	Tags      map[string]string
}

// Thumbnailer makes a thumbnail of every picture that is uploaded.
type Thumbnailer struct {
	pulumi.ResourceState

	FunctionName pulumi.StringOutput
	// FailuresURL and FailuresName are the queue of events that could not be worked on.
	FailuresURL  pulumi.StringOutput
	FailuresName pulumi.StringOutput
}

// NewThumbnailer registers the function, what calls it, and where its failures go.
func NewThumbnailer(ctx *pulumi.Context, name string, args *ThumbnailerArgs, opts ...pulumi.ResourceOption) (*Thumbnailer, error) {
	problems := problem.In("compute: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	t := &Thumbnailer{}
	err := component.New(ctx, "cinema:compute:Thumbnailer", name, t, args.Tags, func(s *component.Scope) error {
		logs, err := newLogs(ctx, s, args.LogRetentionDays)
		if err != nil {
			return err
		}
		failures, err := sqs.NewQueue(ctx, s.Name("failures"), &sqs.QueueArgs{
			MessageRetentionSeconds: pulumi.Int(failureDays * 24 * 60 * 60),
			SqsManagedSseEnabled:    pulumi.Bool(true),
			Tags:                    s.Tags(s.Name("failures")),
		}, s.Child())
		if err != nil {
			return err
		}
		role, err := iam.NewThumbnailerRole(ctx, s, iam.ThumbnailerArgs{
			ImagesARN: args.ImagesARN, LogGroupARN: logs.Arn, FailuresARN: failures.Arn,
		})
		if err != nil {
			return err
		}
		fn, err := newFunction(ctx, s, args.Architecture, function{
			description: "Makes a thumbnail of each uploaded picture",
			release:     args.Release, bucket: args.ArtifactsBucket, role: role, logs: logs,
			memoryMiB: thumbnailerMemoryMiB, timeoutSec: thumbnailerTimeoutSec, concurrency: args.ThumbnailerConcurrency,
		})
		if err != nil {
			return err
		}
		if _, err := lambda.NewFunctionEventInvokeConfig(ctx, s.Name("retries"), &lambda.FunctionEventInvokeConfigArgs{
			FunctionName:         fn.Name,
			MaximumRetryAttempts: pulumi.Int(2),
			DestinationConfig: lambda.FunctionEventInvokeConfigDestinationConfigArgs{
				OnFailure: lambda.FunctionEventInvokeConfigDestinationConfigOnFailureArgs{Destination: failures.Arn},
			},
		}, s.Child()); err != nil {
			return err
		}
		permission, err := lambda.NewPermission(ctx, s.Name("images"), &lambda.PermissionArgs{
			Function:  fn.Name,
			Action:    pulumi.String("lambda:InvokeFunction"),
			Principal: pulumi.String("s3.amazonaws.com"),
			SourceArn: args.ImagesARN,
			// A bucket's name can pass to another account; the account's number cannot.
			SourceAccount: pulumi.String(args.AccountID),
		}, s.Child())
		if err != nil {
			return err
		}
		// S3 checks at once that it may call the function.
		if _, err := s3.NewBucketNotification(ctx, s.Name("images"), &s3.BucketNotificationArgs{
			Bucket: args.ImagesBucket,
			LambdaFunctions: s3.BucketNotificationLambdaFunctionArray{s3.BucketNotificationLambdaFunctionArgs{
				LambdaFunctionArn: fn.Arn,
				Events:            pulumi.StringArray{pulumi.String("s3:ObjectCreated:*")},
				FilterPrefix:      pulumi.String(storage.OriginalsPrefix),
			}},
		}, s.Child(pulumi.DependsOn([]pulumi.Resource{permission}))); err != nil {
			return err
		}
		t.FunctionName, t.FailuresURL, t.FailuresName = fn.Name, failures.Url, failures.Name
		return nil
	}, opts...)
	return t, err
}
