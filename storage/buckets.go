package storage

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/iam"
	"cinema-database/internal/component"
)

// oldVersionDays is how long overwritten and deleted objects can be restored.
const oldVersionDays = 30

// deletedImageDays is how long an image that a member deleted can be restored: members are told that it goes. S3 counts full
// days and deletes at the next midnight UTC, so it takes one to two days.
const deletedImageDays = 1

// coldAfterDays is the time until originals move to STANDARD_IA, because the gallery shows thumbnails. S3 requires at
// least 30.
const coldAfterDays = 90

func (b *builder) createLogsBucket(st *Storage) error {
	bucket, policy, err := b.bucket("logs", bucketArgs{
		stateful: true,
		unlogged: true, // a bucket with access logs in itself would log the delivery of each log, endlessly
		rules: []s3.BucketLifecycleConfigurationV2RuleInput{s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire"), Status: pulumi.String("Enabled"),
			Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(b.args.LogRetentionDays)},
		}},
		statements: func(arn pulumi.StringOutput) []iam.Statement {
			statements := []iam.Statement{iam.LoadBalancerLogs(arn, LoadBalancerLogs, b.Env.Account)}
			if b.args.EdgeLogsFrom != "" {
				statements = append(statements, iam.DeliveredLogs(arn, b.Env.Partition, b.args.EdgeLogsFrom, b.Env.Account))
			}
			for _, kind := range []string{"artifacts", "images", "site"} {
				statements = append(statements, iam.BucketLogs(arn, kind, accessLogs(kind), b.Env.Account))
			}
			return statements
		},
	})
	if err != nil {
		return err
	}
	// AWS checks at once that the sender may write.
	b.logs = component.After(bucket.ID().ToStringOutput(), policy)
	st.LogsBucket, st.LogsARN = b.logs, component.After(bucket.Arn, policy)
	return nil
}

func (b *builder) createImagesBucket(st *Storage) error {
	bucket, _, err := b.bucket("images", bucketArgs{
		stateful: true, versioned: true, oldVersionDays: deletedImageDays,
		rules: []s3.BucketLifecycleConfigurationV2RuleInput{s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("originals-to-infrequent-access"), Status: pulumi.String("Enabled"),
			Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(contract.OriginalsPrefix)},
			Transitions: s3.BucketLifecycleConfigurationV2RuleTransitionArray{s3.BucketLifecycleConfigurationV2RuleTransitionArgs{
				Days: pulumi.Int(coldAfterDays), StorageClass: pulumi.String("STANDARD_IA"),
			}},
		}},
	})
	if err != nil {
		return err
	}
	st.ImagesBucket, st.ImagesARN = bucket.ID().ToStringOutput(), bucket.Arn
	return nil
}

func (b *builder) createArtifactsBucket(st *Storage) error {
	bucket, _, err := b.bucket("artifacts", bucketArgs{
		stateful: true, versioned: true, oldVersionDays: oldVersionDays,
		statements: func(arn pulumi.StringOutput) []iam.Statement {
			return []iam.Statement{iam.DenyUnencryptedCredentials(arn)}
		},
	})
	if err != nil {
		return err
	}
	st.ArtifactsBucket, st.ArtifactsARN = bucket.ID().ToStringOutput(), bucket.Arn
	return nil
}

// createSiteBucket registers the bucket of the client, whose policy NewSite registers: it names the distribution.
func (b *builder) createSiteBucket(st *Storage) error {
	bucket, access, err := b.bucket("site", bucketArgs{versioned: true, oldVersionDays: oldVersionDays, policyLater: true})
	if err != nil {
		return err
	}
	st.SiteBucket, st.SiteARN, st.SiteDomain = component.After(bucket.ID().ToStringOutput(), access), bucket.Arn, bucket.BucketRegionalDomainName
	return nil
}
