package compute

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

// maxGroupSize is the most instances that config may ask for: beyond it, the one database host is what
// needs growing.
const maxGroupSize = 30

// APISettings is the API tier's shape, as stack config gives it.
type APISettings struct {
	// InstanceType, of Architecture.
	InstanceType string
	Architecture Architecture
	// MinSize and MaxSize of the group, instances. At least one a zone keeps every zone serving.
	MinSize, MaxSize int
}

// Check adds what is wrong with s to l.
func (s APISettings) Check(l *problem.List) {
	checkInstanceType(l, "api.instanceType", s.InstanceType, s.Architecture)
	if s.MinSize < 1 || s.MinSize > maxGroupSize {
		l.Add("api.minSize", s.MinSize, "is not a size of the group", fmt.Sprintf("use 1 to %d", maxGroupSize))
	}
	if s.MaxSize < s.MinSize || s.MaxSize > maxGroupSize {
		l.Add("api.maxSize", s.MaxSize, fmt.Sprintf("is not between minSize (%d) and %d", s.MinSize, maxGroupSize), "raise it, or lower minSize")
	}
}

// APIArgs are what NewAPI needs.
type APIArgs struct {
	APISettings
	// AMI is a literal image id.
	AMI    string
	Region string
	// Port that the API listens on.
	Port int
	// Release is the binary `cinema`.
	Release storage.Object
	// Protect keeps the load balancer from being deleted.
	Protect bool
	// Domain puts the load balancer under names of its own; ZoneID is its zone's, where that is not made here.
	Domain DomainSettings
	ZoneID string

	VPCID                       pulumi.StringInput
	PublicSubnetIDs             pulumi.StringArray
	PrivateSubnetIDs            pulumi.StringArray
	LoadBalancerSecurityGroupID pulumi.StringInput
	SecurityGroupID             pulumi.StringInput
	// InstanceProfile by name, and the name of the role that it carries.
	InstanceProfile pulumi.StringInput
	Role            pulumi.StringInput

	ArtifactsBucket pulumi.StringInput
	ImagesBucket    pulumi.StringInput
	// CredentialsURI is where the credentials object will be, s3://bucket/key.
	CredentialsURI pulumi.StringInput
	// AllowedOrigin is the client site's, e.g. https://cinema.example.
	AllowedOrigin pulumi.StringInput
	// LogsBucket and LogsPrefix take the load balancer's access logs.
	LogsBucket pulumi.StringInput
	LogsPrefix string
	// LogRetentionDays of the instances' logs.
	LogRetentionDays int

	Tags map[string]string
}

// API is the load balancer and the instances behind it.
type API struct {
	pulumi.ResourceState

	// URL of the API, without a trailing slash.
	URL pulumi.StringOutput
	// NameServers of the zone, where it is made here: the registrar must point at them.
	NameServers pulumi.StringArrayOutput
	// GroupName is the Auto Scaling group's.
	GroupName pulumi.StringOutput
	// LoadBalancer and TargetGroup as CloudWatch names them.
	LoadBalancer pulumi.StringOutput
	TargetGroup  pulumi.StringOutput
	// LogGroup takes the instances' logs, a stream for each.
	LogGroup pulumi.StringOutput
	// UserDataBytes count against EC2's 16,384.
	UserDataBytes pulumi.IntOutput
}

type apiBuilder struct {
	*component.Scope
	ctx  *pulumi.Context
	args *APIArgs
	out  *API

	balancer *lb.LoadBalancer
	// targets by service.
	targets   map[string]*lb.TargetGroup
	listeners []*lb.Listener
	// attached are what ties the target groups to the load balancer.
	attached []pulumi.Resource
	template *ec2.LaunchTemplate
}

// NewAPI registers the API tier.
func NewAPI(ctx *pulumi.Context, name string, args *APIArgs, opts ...pulumi.ResourceOption) (*API, error) {
	problems := problem.In("compute: ")
	args.Check(problems)
	args.Domain.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	api := &API{NameServers: pulumi.StringArray{}.ToStringArrayOutput()}
	err := component.New(ctx, "cinema:compute:API", name, api, args.Tags, func(s *component.Scope) error {
		b := &apiBuilder{Scope: s, ctx: ctx, args: args, out: api}
		for _, step := range []func() error{b.createLoadBalancer, b.createLaunchTemplate, b.createGroup} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return api, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
