package storage

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
)

// abortUploadDays is the time until the parts of an unfinished upload are deleted. They are billed, and no listing of
// objects shows them.
const abortUploadDays = 7

// bucketArgs are the differences between the buckets.
type bucketArgs struct {
	// stateful buckets hold data that cannot be recreated: cinema:protect guards them.
	stateful bool
	// versioned buckets keep overwritten and deleted objects, for oldVersionDays.
	versioned      bool
	oldVersionDays int
	// rules are lifecycle rules in addition to the common ones.
	rules []s3.BucketLifecycleConfigurationV2RuleInput
	// statements of the bucket policy, in addition to the one that denies plain HTTP.
	statements func(arn pulumi.StringOutput) []iam.Statement
	// policyLater leaves the bucket policy to a later step.
	policyLater bool
	// unlogged buckets write no access log.
	unlogged bool
}

// bucket registers a bucket and all its settings. The policy waits for the public access block: S3 refuses two changes of a
// bucket at the same time. It returns the last of them too: the policy, or the block where the policy comes later.
func (b *builder) bucket(kind string, args bucketArgs) (*s3.BucketV2, pulumi.Resource, error) {
	name := b.Name(kind)
	stateful := b.Env.Protect && args.stateful
	bucket, err := s3.NewBucketV2(b.Ctx, name, &s3.BucketV2Args{
		ForceDestroy: pulumi.Bool(!stateful), // with cinema:protect off, `pulumi destroy` empties it
		Tags:         b.Tags(name),
		// Neither a mistake in the program nor `destroy` may delete data that cannot be recreated.
	}, b.child(pulumi.Protect(stateful), pulumi.RetainOnDelete(stateful)))
	if err != nil {
		return nil, nil, err
	}
	id := bucket.ID().ToStringOutput()
	access, err := s3.NewBucketPublicAccessBlock(b.Ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket:                id,
		BlockPublicAcls:       pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, b.child())
	if err != nil {
		return nil, nil, err
	}
	for _, setting := range []func() error{
		func() error {
			_, err := s3.NewBucketOwnershipControls(b.Ctx, name, &s3.BucketOwnershipControlsArgs{
				Bucket: id,
				Rule:   s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
			}, b.child())
			return err
		},
		func() error {
			_, err := s3.NewBucketServerSideEncryptionConfigurationV2(b.Ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
				Bucket: id,
				Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
					ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
						SseAlgorithm: pulumi.String("AES256"),
					},
				}},
			}, b.child())
			return err
		},
		func() error { return b.lifecycle(name, id, args) },
		func() error {
			if args.unlogged {
				return nil
			}
			_, err := s3.NewBucketLoggingV2(b.Ctx, name, &s3.BucketLoggingV2Args{
				Bucket:       id,
				TargetBucket: b.logs,
				TargetPrefix: pulumi.String(accessLogs(kind)),
			}, b.child())
			return err
		},
	} {
		if err := setting(); err != nil {
			return nil, nil, err
		}
	}
	if args.policyLater {
		return bucket, access, nil
	}
	statements := []iam.Statement{iam.DenyPlainHTTP(bucket.Arn)}
	if args.statements != nil {
		statements = append(statements, args.statements(bucket.Arn)...)
	}
	policy, err := s3.NewBucketPolicy(b.Ctx, name, &s3.BucketPolicyArgs{
		Bucket: id,
		Policy: iam.Document(statements...),
	}, b.child(pulumi.DependsOn([]pulumi.Resource{access})))
	return bucket, policy, err
}

func (b *builder) lifecycle(name string, id pulumi.StringOutput, args bucketArgs) error {
	rules := s3.BucketLifecycleConfigurationV2RuleArray{s3.BucketLifecycleConfigurationV2RuleArgs{
		Id: pulumi.String("abort-uploads"), Status: pulumi.String("Enabled"),
		Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
		AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
			DaysAfterInitiation: pulumi.Int(abortUploadDays),
		},
	}}
	var after []pulumi.Resource
	if args.versioned {
		versioning, err := s3.NewBucketVersioningV2(b.Ctx, name, &s3.BucketVersioningV2Args{
			Bucket: id,
			VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{
				Status: pulumi.String("Enabled"),
			},
		}, b.child())
		if err != nil {
			return err
		}
		after = append(after, versioning)
		b.versionings = append(b.versionings, versioning)
		rules = append(rules, s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire-old-versions"), Status: pulumi.String("Enabled"),
			Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(args.oldVersionDays),
			},
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{ExpiredObjectDeleteMarker: pulumi.Bool(true)},
		})
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(b.Ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: id,
		Rules:  append(rules, args.rules...),
		// S3 refuses rules for old versions while versioning is off.
	}, b.child(pulumi.DependsOn(after)))
	return err
}
