package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
)

// createEndpoints makes a gateway endpoint to S3 (free of charge) for the private and for the database tier, so that the
// policy of each names only the buckets that its tier needs.
func (b *builder) createEndpoints() error {
	// dnf on Amazon Linux 2023 reads its packages from one bucket in each region (AL2023 user guide, "Deterministic
	// upgrades through versioned repositories").
	packages := pulumi.Sprintf("arn:%s:s3:::al2023-repos-%s-de612dc2/*", b.args.Partition, b.args.Region)
	var layers []pulumi.StringInput
	if len(b.args.Services) > 0 {
		layers = append(layers, iam.ImageLayers(b.Env))
	}
	for _, e := range []struct {
		tier            Tier
		buckets, layers []pulumi.StringInput
	}{
		{Private, []pulumi.StringInput{b.args.ArtifactsBucketARN, b.args.ImagesBucketARN}, layers},
		{Database, []pulumi.StringInput{b.args.ArtifactsBucketARN}, nil},
	} {
		name := b.Name("s3", string(e.tier))
		var tables pulumi.StringArray
		for _, t := range b.routeTables[e.tier] {
			tables = append(tables, t.ID().ToStringOutput())
		}
		endpoint, err := ec2.NewVpcEndpoint(b.Ctx, name, &ec2.VpcEndpointArgs{
			VpcId:           b.vpc.ID(),
			VpcEndpointType: pulumi.String("Gateway"),
			ServiceName:     pulumi.String(fmt.Sprintf("com.amazonaws.%s.s3", b.args.Region)),
			RouteTableIds:   tables,
			Policy:          iam.S3EndpointPolicy(e.buckets, packages, e.layers...),
			Tags:            b.Tags(name, map[string]string{"Tier": string(e.tier)}),
		}, b.Child())
		if err != nil {
			return err
		}
		b.s3PrefixIDs[e.tier] = endpoint.PrefixListId
		b.ready[e.tier] = append(b.ready[e.tier], endpoint)
	}
	return nil
}

// withoutPolicy are the services whose interface endpoints take no policy (ECS developer guide, "Interface VPC endpoints":
// the policy is for the API, ecs). They serve the agent of a container instance.
var withoutPolicy = []string{"ecs-agent", "ecs-telemetry"}

// createInterfaceEndpoints makes the way of the private tier to AWS without NAT: the names of these services resolve to
// addresses in its subnets.
func (b *builder) createInterfaceEndpoints() error {
	if len(b.args.Endpoints) == 0 {
		return nil
	}
	var subnets pulumi.StringArray
	for _, s := range b.subnets[Private] {
		subnets = append(subnets, s.ID().ToStringOutput())
	}
	for _, service := range b.args.Endpoints {
		name := b.Name("endpoint", strings.ReplaceAll(service, ".", "-"))
		args := &ec2.VpcEndpointArgs{
			VpcId:             b.vpc.ID(),
			VpcEndpointType:   pulumi.String("Interface"),
			ServiceName:       pulumi.String(fmt.Sprintf("com.amazonaws.%s.%s", b.args.Region, service)),
			SubnetIds:         subnets,
			SecurityGroupIds:  pulumi.StringArray{b.out.SecurityGroupIDs[Endpoints]},
			PrivateDnsEnabled: pulumi.Bool(true),
			Tags:              b.Tags(name, map[string]string{"Tier": string(Private)}),
		}
		if !slices.Contains(withoutPolicy, service) {
			args.Policy = iam.InterfaceEndpointPolicy(b.Env.Account)
		}
		endpoint, err := ec2.NewVpcEndpoint(b.Ctx, name, args, b.Child())
		if err != nil {
			return fmt.Errorf("endpoint of %s: %w", service, err)
		}
		b.out.egress = append(b.out.egress, endpoint)
	}
	return nil
}
