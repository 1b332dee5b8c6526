package compute

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/edge"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

// maxGroupSize limits the group, in instances. A larger group needs a larger database first.
const maxGroupSize = 30

// APISettings are the settings of the API tier from stack config.
type APISettings struct {
	// InstanceType runs Architecture.
	InstanceType string
	Architecture Architecture
	// AllowedOrigins are the other origins that browsers may call the API from, e.g. https://cinema.example.
	AllowedOrigins []string
	// MinSize and MaxSize are the group's, in instances. Every zone serves if MinSize is at least the number of zones.
	MinSize, MaxSize int
}

// Check adds a problem for each invalid value.
func (s APISettings) Check(l *problem.List) {
	CheckInstanceType(l, "api.instanceType", s.InstanceType, s.Architecture)
	if s.MinSize < 1 || s.MinSize > maxGroupSize {
		l.Add("api.minSize", s.MinSize, "is not a valid group size", fmt.Sprintf("use 1 to %d", maxGroupSize))
	}
	for i, origin := range s.AllowedOrigins {
		at := fmt.Sprintf("api.allowedOrigins[%d]", i)
		switch {
		case !contract.IsOrigin(origin):
			l.Add(at, origin, "is not an origin", "write only a scheme and a host, like https://cinema.example.com")
		case slices.Contains(s.AllowedOrigins[:i], origin):
			l.Add(at, origin, "appears twice", "remove one")
		}
	}
	if s.MaxSize < s.MinSize && !l.Has("api.minSize") || s.MaxSize > maxGroupSize {
		l.Add("api.maxSize", s.MaxSize, fmt.Sprintf("is not between minSize (%d) and %d", s.MinSize, maxGroupSize), "raise it, or lower minSize")
	}
}

// APIArgs are the API's network, role, buckets and names.
type APIArgs struct {
	environment.Environment
	APISettings
	// AMI is a literal id.
	AMI string
	// Binary is contract.Cinema.
	Binary storage.Artifact
	// Internal: the load balancer is in the private subnets, and the edge is in front of it.
	Internal bool
	// Hosts are the load balancer's host names, which it serves over HTTPS with the certificate. Without any, it serves plain
	// HTTP.
	Hosts          []edge.Host
	CertificateARN pulumi.StringPtrInput
	// Services: there are services in containers, whose rules come before those of the hosts.
	Services bool

	VPCID                       pulumi.StringInput
	PublicSubnetIDs             pulumi.StringArray
	PrivateSubnetIDs            pulumi.StringArray
	LoadBalancerSecurityGroupID pulumi.StringInput
	SecurityGroupID             pulumi.StringInput
	// InstanceProfile and its Role are names.
	InstanceProfile pulumi.StringInput
	Role            pulumi.StringInput

	ArtifactsBucket pulumi.StringInput
	ImagesBucket    pulumi.StringInput
	// CredentialsURI is the URI of the credentials object, s3://bucket/key. A database host writes it.
	CredentialsURI pulumi.StringInput
	// LogsBucket and LogsPrefix receive the load balancer's access logs.
	LogsBucket pulumi.StringInput
	LogsPrefix string
	// LogRetentionDays of the instances' logs.
	LogRetentionDays int
}

// API is the load balancer and the instances behind it.
type API struct {
	pulumi.ResourceState

	// Origin is the load balancer.
	Origin edge.LoadBalancer
	// GroupName is the Auto Scaling group's. It resolves once the group's instances are the load balancer's targets.
	GroupName pulumi.StringOutput
	// LoadBalancer and TargetGroup as CloudWatch names them.
	LoadBalancer pulumi.StringOutput
	TargetGroup  pulumi.StringOutput
	// LogGroup has a stream for each instance.
	LogGroup pulumi.StringOutput
	// UserDataBytes is the size of the user data. EC2 accepts 16,384 bytes.
	UserDataBytes pulumi.IntOutput

	// Internal: the load balancer is internal. A target group and a rule belong to one load balancer, and while a stack changes
	// from one to the other both exist: their logical names differ.
	Internal bool
	// ServiceListenerARN is the listener for the rules of services in containers. It resolves once the API's rules exist, so that
	// a rule can take a priority that one of them had. It is nil without services.
	ServiceListenerARN pulumi.StringInput

	// templateID and templateVersion are the launch template's.
	templateID, templateVersion pulumi.StringOutput
}

type apiBuilder struct {
	*component.Scope
	args *APIArgs
	out  *API

	balancer *lb.LoadBalancer
	// targets are the target groups by service.
	targets map[string]*lb.TargetGroup
	// attached are the resources that attach the target groups to the load balancer.
	attached []pulumi.Resource
	template *ec2.LaunchTemplate
}

// NewAPI registers the API tier.
func NewAPI(ctx *pulumi.Context, name string, args *APIArgs, opts ...pulumi.ResourceOption) (*API, error) {
	problems := problem.In("compute: ")
	args.APISettings.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	api := &API{Internal: args.Internal}
	err := component.New(ctx, args.Environment, "cinema:compute:API", name, api, func(s *component.Scope) error {
		b := &apiBuilder{Scope: s, args: args, out: api}
		for _, step := range []func() error{b.createLoadBalancer, b.createLaunchTemplate, b.createGroup} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return api, err
}
