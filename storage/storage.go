package storage

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// Storage is the stack's buckets.
type Storage struct {
	pulumi.ResourceState

	ImagesBucket    pulumi.StringOutput
	ImagesARN       pulumi.StringOutput
	ArtifactsBucket pulumi.StringOutput
	ArtifactsARN    pulumi.StringOutput
	// LogsBucket receives access logs. It resolves once its policy allows them.
	LogsBucket pulumi.StringOutput
	LogsARN    pulumi.StringOutput
	SiteBucket pulumi.StringOutput
	SiteARN    pulumi.StringOutput
	// SiteDomain is the regional domain name of the site bucket.
	SiteDomain pulumi.StringOutput

	// Artifacts by the binary's name.
	Artifacts map[string]Artifact
}

// LoadBalancerLogs is the prefix of the load balancer's access logs in the logs bucket.
const LoadBalancerLogs = "alb"

// accessLogs is the prefix of a bucket's access logs in the logs bucket.
func accessLogs(kind string) string { return "s3/" + kind + "/" }

type builder struct {
	*component.Scope
	args *Args
	logs pulumi.StringOutput
	// options of every child, in addition to its parent.
	options []pulumi.ResourceOption
	// versionings holds each bucket's versioning; replication waits for it.
	versionings []pulumi.Resource
}

func (b *builder) child(opts ...pulumi.ResourceOption) pulumi.ResourceOption {
	return b.Child(append(opts, b.options...)...)
}

// New registers the buckets and the artifacts. Invalid args register nothing; the error lists every problem.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Storage, error) {
	if err := args.check(); err != nil {
		return nil, err
	}
	st := &Storage{}
	err := component.New(ctx, args.Environment, "cinema:storage:Storage", name, st, func(s *component.Scope) error {
		b := &builder{Scope: s, args: args}
		for _, step := range []func(*Storage) error{b.createLogsBucket, b.createImagesBucket, b.createArtifactsBucket, b.createArtifacts, b.createSiteBucket} {
			if err := step(st); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return st, err
}
