package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
)

// Network is the VPC, and everything in it that allows or refuses connections.
type Network struct {
	pulumi.ResourceState

	VPCID pulumi.IDOutput
	// CIDR of the VPC.
	CIDR pulumi.StringOutput
	// PublicSubnetIDs, PrivateSubnetIDs and DatabaseSubnetIDs are in the order of Zones. Each resolves once the subnet is
	// usable: when its route to the internet (public) or to S3 (private, database) exists.
	PublicSubnetIDs   pulumi.StringArray
	PrivateSubnetIDs  pulumi.StringArray
	DatabaseSubnetIDs pulumi.StringArray
	// SecurityGroupIDs by the peer that each group is for.
	SecurityGroupIDs map[Peer]pulumi.IDOutput
	// NatAddresses are the public addresses that the private tier's traffic comes from.
	NatAddresses pulumi.StringArray
	// NatGatewayIDs by availability zone.
	NatGatewayIDs map[string]pulumi.IDOutput

	// Zones are the availability zones, in slot order.
	Zones []string

	// egress are the ways out of the private tier: routes to NAT gateways, or interface endpoints; and the rules that allow
	// tasks to use them.
	egress []pulumi.Resource
}

// EgressSubnetIDs are PrivateSubnetIDs that resolve once the ways out exist, for what cannot start without: a task whose image
// cannot be pulled counts as a failed one.
func (n *Network) EgressSubnetIDs() (ids pulumi.StringArray) {
	for _, id := range n.PrivateSubnetIDs {
		ids = append(ids, component.After(id.ToStringOutput(), n.egress...))
	}
	return ids
}

// builder holds the resources that later steps need.
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
	// ready are the resources that the outputs of a tier's subnet ids wait for.
	ready map[Tier][]pulumi.Resource
}

// New registers the network. Where an argument is wrong it registers nothing, and the error has all problems.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	problems := problem.In("network: ")
	args.Check(problems, args.Region)
	args.checkServices(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	n := &Network{SecurityGroupIDs: map[Peer]pulumi.IDOutput{}, NatGatewayIDs: map[string]pulumi.IDOutput{}, Zones: Named(args.Zones)}
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
			b.createInterfaceEndpoints,
			b.setSubnetIDs,
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
		CidrBlock:          pulumi.String(b.args.CIDR.String()),
		EnableDnsHostnames: pulumi.Bool(true), // the private hosted zone that names the database hosts needs both
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
	// AWS creates this group with every VPC, and its members can reach each other. Managed without rules, it allows no
	// traffic (Security Hub EC2.2).
	_, err = ec2.NewDefaultSecurityGroup(b.Ctx, b.Name("default"), &ec2.DefaultSecurityGroupArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.Tags(b.Name("default")),
	}, b.Child())
	return err
}

func (b *builder) createSubnets() error {
	for _, tier := range Tiers {
		for slot, zone := range b.args.Zones {
			if zone == "" {
				continue
			}
			name := b.Name(string(tier), zone)
			subnet, err := ec2.NewSubnet(b.Ctx, name, &ec2.SubnetArgs{
				VpcId:            b.vpc.ID(),
				AvailabilityZone: pulumi.String(zone),
				CidrBlock:        pulumi.String(SubnetCIDR(b.args.CIDR, tier, slot).String()),
				// No instance gets a public address unless it requests one (Security Hub EC2.15).
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

// slots returns the slots that have a zone.
func (b *builder) slots() (slots []int) {
	for slot, zone := range b.args.Zones {
		if zone != "" {
			slots = append(slots, slot)
		}
	}
	return slots
}

// setSubnetIDs sets the outputs with the ids of the subnets. They do not wait for NAT gateways: those take minutes, and
// the instances of the private tier need only S3 to boot.
func (b *builder) setSubnetIDs() error {
	for tier, ids := range map[Tier]*pulumi.StringArray{
		Public: &b.out.PublicSubnetIDs, Private: &b.out.PrivateSubnetIDs, Database: &b.out.DatabaseSubnetIDs,
	} {
		for _, subnet := range b.subnets[tier] {
			*ids = append(*ids, component.After(subnet.ID().ToStringOutput(), b.ready[tier]...))
		}
	}
	return nil
}
