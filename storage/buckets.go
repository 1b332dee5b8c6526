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
	st.LogsBucket = b.logs
	return nil
}

func (b *builder) createImagesBucket(st *Storage) error {
	bucket, _, err := b.bucket("images", bucketArgs{
		stateful: true, versioned: true, oldVersionDays: oldVersionDays,
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

func (b *builder) createSiteBucket(st *Storage) error {
	bucket, _, err := b.bucket("site", bucketArgs{
		public:     true,
		statements: func(arn pulumi.StringOutput) []iam.Statement { return []iam.Statement{iam.PublicRead(arn)} },
	})
	if err != nil {
		return err
	}
	website, err := s3.NewBucketWebsiteConfigurationV2(b.Ctx, b.Name("site"), &s3.BucketWebsiteConfigurationV2Args{
		Bucket:        bucket.ID().ToStringOutput(),
		IndexDocument: s3.BucketWebsiteConfigurationV2IndexDocumentArgs{Suffix: pulumi.String("index.html")},
		ErrorDocument: s3.BucketWebsiteConfigurationV2ErrorDocumentArgs{Key: pulumi.String("index.html")},
	}, b.Child())
	if err != nil {
		return err
	}
	st.SiteBucket, st.SiteEndpoint = bucket.ID().ToStringOutput(), website.WebsiteEndpoint
	return nil
}
