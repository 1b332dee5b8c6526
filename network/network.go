package network

import (
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
)

// Network is the VPC and everything that decides who reaches whom.
type Network struct {
	pulumi.ResourceState

	VPCID pulumi.IDOutput
	// CIDR of the VPC.
	CIDR pulumi.StringOutput
	// PublicSubnetIDs, PrivateSubnetIDs and DatabaseSubnetIDs are in the order of Zones. Each resolves
	// once what is put there can work: the public tier's way to the internet, the others' way to S3.
	PublicSubnetIDs   pulumi.StringArray
	PrivateSubnetIDs  pulumi.StringArray
	DatabaseSubnetIDs pulumi.StringArray
	// SecurityGroupIDs by the peer that each belongs to.
	SecurityGroupIDs map[Peer]pulumi.IDOutput
	// NatAddresses are the public addresses that the private tier's traffic comes from.
	NatAddresses pulumi.StringArray
	// NatGatewayIDs by zone.
	NatGatewayIDs map[string]pulumi.IDOutput

	// Zones are the availability zones, in slot order.
	Zones []string
}

// builder carries what one step makes and a later one needs.
type builder struct {
	*component.Scope
	args *Args
	out  *Network

	vpc         *ec2.Vpc
	gateway     *ec2.InternetGateway
	subnets     map[Tier][]*ec2.Subnet
	nats        []*ec2.NatGateway
	routeTables map[Tier][]*ec2.RouteTable
	s3PrefixIDs map[Tier]pulumi.StringOutput
	// ready are what a tier's subnets wait for before they are handed out.
	ready map[Tier][]pulumi.Resource
}

// New registers the network. A wrong argument registers nothing and is reported with all the others.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	problems := problem.In("network: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	n := &Network{SecurityGroupIDs: map[Peer]pulumi.IDOutput{}, NatGatewayIDs: map[string]pulumi.IDOutput{}, Zones: args.Zones}
	err := component.New(ctx, args.Environment, "cinema:network:Network", name, n, func(s *component.Scope) error {
		b := &builder{
			Scope: s, args: args, out: n,
			subnets: map[Tier][]*ec2.Subnet{}, routeTables: map[Tier][]*ec2.RouteTable{},
			s3PrefixIDs: map[Tier]pulumi.StringOutput{}, ready: map[Tier][]pulumi.Resource{},
		}
		for _, step := range []func() error{
			b.createVPC,
			b.createSubnets,
			b.createNATGateways,
			b.createRoutes,
			b.createEndpoints,
			b.createDatabaseACL,
			b.createFlowLogs,
			b.createSecurityGroups,
			b.handOutSubnets,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return n, err
}

func (b *builder) createVPC() error {
	var err error
	b.vpc, err = ec2.NewVpc(b.Ctx, b.Name("vpc"), &ec2.VpcArgs{
		CidrBlock:          pulumi.String(b.args.CIDR),
		EnableDnsHostnames: pulumi.Bool(true), // the private zone that names the database host needs both
		EnableDnsSupport:   pulumi.Bool(true),
		Tags:               b.Tags(b.Name("vpc")),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.VPCID, b.out.CIDR = b.vpc.ID(), b.vpc.CidrBlock
	b.gateway, err = ec2.NewInternetGateway(b.Ctx, b.Name("internet"), &ec2.InternetGatewayArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.Tags(b.Name("internet")),
	}, b.Child())
	if err != nil {
		return err
	}
	// AWS makes this group with every VPC and lets its members talk freely; managed without rules, it
	// allows nothing (Security Hub EC2.2).
	_, err = ec2.NewDefaultSecurityGroup(b.Ctx, b.Name("default"), &ec2.DefaultSecurityGroupArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.Tags(b.Name("default")),
	}, b.Child())
	return err
}

func (b *builder) createSubnets() error {
	vpc := netip.MustParsePrefix(b.args.CIDR)
	for t, tier := range Tiers {
		for z, zone := range b.out.Zones {
			name := b.Name(string(tier), zone)
			subnet, err := ec2.NewSubnet(b.Ctx, name, &ec2.SubnetArgs{
				VpcId:            b.vpc.ID(),
				AvailabilityZone: pulumi.String(zone),
				CidrBlock:        pulumi.String(SubnetCIDR(vpc, t, z).String()),
				// Nothing gets a public address by default; what needs one asks (EC2.15).
				MapPublicIpOnLaunch: pulumi.Bool(false),
				Tags:                b.Tags(name, map[string]string{"Tier": string(tier)}),
			}, b.Child())
			if err != nil {
				return err
			}
			b.subnets[tier] = append(b.subnets[tier], subnet)
		}
	}
	return nil
}

// handOutSubnets gives out the ids of each tier's subnets. NAT gateways are not waited for: they take
// minutes, and what boots in the private tier needs only S3.
func (b *builder) handOutSubnets() error {
	for tier, ids := range map[Tier]*pulumi.StringArray{
		Public: &b.out.PublicSubnetIDs, Private: &b.out.PrivateSubnetIDs, Database: &b.out.DatabaseSubnetIDs,
	} {
		for _, subnet := range b.subnets[tier] {
			*ids = append(*ids, component.After(subnet.ID().ToStringOutput(), b.ready[tier]...))
		}
	}
	return nil
}
