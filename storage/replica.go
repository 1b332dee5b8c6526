package storage

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
)

// ReplicaArgs are what NewReplica needs.
type ReplicaArgs struct {
	// Region that the copies are kept in, another than the stack's.
	Region string
	// Provider are the default AWS provider's own settings, by name, as stack config gives them; all but
	// the region hold for the copies' region too.
	Provider map[string]string
	// ImagesBucket and ImagesARN are what is copied.
	ImagesBucket, ImagesARN pulumi.StringInput
	// Protect keeps the copies from being destroyed or emptied.
	Protect bool
	// Tags go on everything that takes them.
	Tags map[string]string
}

// Replica is a copy of the pictures in another region.
type Replica struct {
	pulumi.ResourceState

	Bucket pulumi.StringOutput
}

// awsModule is the module whose version the provider has.
const awsModule = "github.com/pulumi/pulumi-aws/sdk/v6"

// NewReplica registers a bucket in another region, and the rule that copies every new picture to it.
// Deletions are not copied: the copy is there for the day of a wrong one.
func NewReplica(ctx *pulumi.Context, name string, args *ReplicaArgs, opts ...pulumi.ResourceOption) (*Replica, error) {
	r := &Replica{}
	err := component.New(ctx, "cinema:storage:Replica", name, r, args.Tags, func(s *component.Scope) error {
		provider, err := newProvider(ctx, s, args)
		if err != nil {
			return err
		}
		b := &builder{
			Scope: s, ctx: ctx, args: &Args{Protect: args.Protect, Tags: args.Tags},
			options: []pulumi.ResourceOption{pulumi.Provider(provider)},
		}
		bucket, _, err := b.bucket("images", bucketArgs{
			stateful: true, versioned: true, oldVersionDays: oldVersionDays,
			unlogged: true, // access logs cannot cross regions, and nobody reads here
		})
		if err != nil {
			return err
		}
		role, err := iam.NewReplicationRole(ctx, s, args.ImagesARN, bucket.Arn)
		if err != nil {
			return err
		}
		_, err = s3.NewBucketReplicationConfig(ctx, s.Name("images"), &s3.BucketReplicationConfigArgs{
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

// newProvider is the default provider in another region: an explicit provider starts from nothing, so
// each of the default one's settings is handed on.
func newProvider(ctx *pulumi.Context, s *component.Scope, args *ReplicaArgs) (*aws.Provider, error) {
	settings := pulumi.Map{}
	for _, key := range slices.Sorted(maps.Keys(args.Provider)) {
		settings[key] = pulumi.String(args.Provider[key])
	}
	settings["region"] = pulumi.String(args.Region)
	options := []pulumi.ResourceOption{}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == awsModule {
				options = append(options, pulumi.Version(strings.TrimPrefix(m.Version, "v")))
			}
		}
	}
	var provider aws.Provider
	if err := ctx.RegisterResource("pulumi:providers:aws", s.Name("provider"), settings, &provider, s.Child(options...)); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	return &provider, nil
}
