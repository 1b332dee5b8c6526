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
	// LogsBucket takes the load balancer's access logs: it resolves once its policy lets them in.
	LogsBucket pulumi.StringOutput
	SiteBucket pulumi.StringOutput
	// SiteEndpoint is the host name of the website, without a scheme.
	SiteEndpoint pulumi.StringOutput

	// Releases by binary.
	Releases map[string]Object
}

// The prefixes of the images bucket.
const (
	OriginalsPrefix  = "orig/"
	ThumbnailsPrefix = "thumb/"
)

// LoadBalancerLogs is the prefix of the load balancer's access logs in the logs bucket.
const LoadBalancerLogs = "alb"

// accessLogs is the prefix of a bucket's access logs in the logs bucket.
func accessLogs(kind string) string { return "s3/" + kind + "/" }

type builder struct {
	*component.Scope
	ctx  *pulumi.Context
	args *Args
	logs pulumi.StringOutput
	// options of every child, beside its parent.
	options []pulumi.ResourceOption
	// versionings are the buckets' that are versioned.
	versionings []pulumi.Resource
}

func (b *builder) child(opts ...pulumi.ResourceOption) pulumi.ResourceOption {
	return b.Child(append(opts, b.options...)...)
}

// New registers the buckets. Unsound args register nothing; the error names all that is wrong with them.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Storage, error) {
	if err := args.check(); err != nil {
		return nil, err
	}
	st := &Storage{}
	err := component.New(ctx, "cinema:storage:Storage", name, st, args.Tags, func(s *component.Scope) error {
		b := &builder{Scope: s, ctx: ctx, args: args}
		for _, step := range []func(*Storage) error{b.createLogs, b.createImages, b.createArtifacts, b.createReleases, b.createSite} {
			if err := step(st); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return st, err
}
