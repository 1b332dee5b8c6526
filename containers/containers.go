package containers

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// Args are the settings of the services, and what they run in.
type Args struct {
	environment.Environment
	Settings
	Services
	// SecretARNs are the ARNs of the secrets by name, from LookupSecrets.
	SecretARNs map[string]string

	VPCID            pulumi.StringInput
	PrivateSubnetIDs pulumi.StringArray
	// HostsSecurityGroupID is of the instances of the capacity ec2.
	HostsSecurityGroupID pulumi.StringInput
	// ListenerARN is the listener of the load balancer that gets a rule for each service. It resolves once the priorities of
	// services are free. Internal is the load balancer's.
	ListenerARN pulumi.StringInput
	Internal    bool

	ArtifactsARN      pulumi.StringInput
	ImagesARN         pulumi.StringInput
	ImagesBucket      pulumi.StringInput
	CredentialsURI    pulumi.StringInput
	CredentialsKeyARN pulumi.StringInput
	LogRetentionDays  int
}

// Containers is the cluster, and everything of the services that exists before they start.
type Containers struct {
	pulumi.ResourceState

	// ClusterARN and ClusterName resolve once the cluster has its capacity.
	ClusterARN  pulumi.StringOutput
	ClusterName pulumi.StringOutput
	// TargetGroups as CloudWatch names them, by service.
	TargetGroups map[string]pulumi.StringOutput

	// capacity is the name of the capacity provider.
	capacity pulumi.StringInput
	// definitions, targets and routes are by service.
	definitions map[string]*ecs.TaskDefinition
	targets     map[string]pulumi.StringOutput
	routes      map[string]pulumi.Resource
}

type builder struct {
	*component.Scope
	args *Args
	out  *Containers
}

// New registers the cluster and what the services consist of. It starts none: see Start.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Containers, error) {
	c := &Containers{
		TargetGroups: map[string]pulumi.StringOutput{},
		definitions:  map[string]*ecs.TaskDefinition{}, targets: map[string]pulumi.StringOutput{}, routes: map[string]pulumi.Resource{},
	}
	err := component.New(ctx, args.Environment, "cinema:containers:Containers", name, c, func(s *component.Scope) error {
		b := &builder{Scope: s, args: args, out: c}
		if err := b.createCluster(); err != nil {
			return err
		}
		for _, name := range args.Services.Names() {
			if err := b.createService(name, args.Services[name]); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return c, err
}

// createService registers what a service consists of.
func (b *builder) createService(name string, service Service) error {
	repository, err := b.createRepository(name)
	if err != nil {
		return err
	}
	if err := b.createRoute(name, service); err != nil {
		return err
	}
	return b.createDefinition(name, service, repository)
}
