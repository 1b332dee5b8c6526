package storage

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/format"
	"cinema-database/internal/problem"
)

// ReplicaSettings are the settings of the images' replica from stack config.
type ReplicaSettings struct {
	// Region of the copies, other than the stack's; empty for no copies.
	Region string
	// Provider holds the settings of the default AWS provider by name, without the region. They apply in Region too.
	Provider map[string]string
}

// On reports whether images are copied to another region.
func (s ReplicaSettings) On() bool { return s.Region != "" }

// Check adds a problem for an invalid region, and for the stack's own.
func (s ReplicaSettings) Check(l *problem.List, stackRegion string) {
	if s.On() && (!format.Region(s.Region) || s.Region == stackRegion) {
		l.Add("replicaRegion", s.Region, "is not a region other than the stack's", "write one like us-west-2, or remove it")
	}
}

// ReplicaArgs are the settings and the bucket to copy.
type ReplicaArgs struct {
	environment.Environment
	ReplicaSettings
	ImagesBucket, ImagesARN pulumi.StringInput
}

// Replica is a copy of the images in another region.
type Replica struct {
	pulumi.ResourceState

	Bucket pulumi.StringOutput
	// Provider is the AWS provider of the other region.
	Provider *aws.Provider
}

// NewReplica registers a bucket in another region, and the rule that copies every new image to it. It does not copy
// deletions, so that a mistaken one can be undone.
func NewReplica(ctx *pulumi.Context, name string, args *ReplicaArgs, opts ...pulumi.ResourceOption) (*Replica, error) {
	r := &Replica{}
	err := component.New(ctx, args.Environment, "cinema:storage:Replica", name, r, func(s *component.Scope) error {
		provider, err := s.NewProvider("provider", args.ReplicaSettings.Region, args.ReplicaSettings.Provider)
		if err != nil {
			return err
		}
		r.Provider = provider
		b := &builder{
			Scope: s, args: &Args{},
			options: []pulumi.ResourceOption{pulumi.Provider(provider)},
		}
		bucket, _, err := b.bucket("images", bucketArgs{
			stateful: true, versioned: true, oldVersionDays: oldVersionDays,
			unlogged: true, // access logs cannot leave their region, and nobody reads the copies regularly
		})
		if err != nil {
			return err
		}
		role, err := iam.NewReplicationRole(s, args.ImagesARN, bucket.Arn)
		if err != nil {
			return err
		}
		_, err = s3.NewBucketReplicationConfig(s.Ctx, s.Name("images"), &s3.BucketReplicationConfigArgs{
			Bucket: args.ImagesBucket,
			Role:   role,
			Rules: s3.BucketReplicationConfigRuleArray{s3.BucketReplicationConfigRuleArgs{
				Id: pulumi.String("all"), Status: pulumi.String("Enabled"), Priority: pulumi.Int(1),
				Filter:                  s3.BucketReplicationConfigRuleFilterArgs{Prefix: pulumi.String("")},
				DeleteMarkerReplication: s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs{Status: pulumi.String("Disabled")},
				Destination: s3.BucketReplicationConfigRuleDestinationArgs{
					Bucket: bucket.Arn, StorageClass: pulumi.String("STANDARD_IA"),
				},
			}},
		}, s.Child(pulumi.DependsOn(b.versionings)))
		r.Bucket = bucket.ID().ToStringOutput()
		return err
	}, opts...)
	return r, err
}
