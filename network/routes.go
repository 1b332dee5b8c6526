package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const everywhere = "0.0.0.0/0"

// createRoutes makes the route tables: one for the public tier, with a route to the internet gateway; one for each zone
// of the private tier, with a route to the zone's NAT gateway; one for the database tier, without a default route.
func (b *builder) createRoutes() error {
	public, err := b.routeTable(Public, b.Name(string(Public)), b.subnets[Public], b.out.Zones)
	if err != nil {
		return err
	}
	route, err := b.defaultRoute(b.Name(string(Public)), &ec2.RouteArgs{RouteTableId: public.ID(), GatewayId: b.gateway.ID()})
	if err != nil {
		return err
	}
	b.ready[Public] = append(b.ready[Public], route)
	// One table for each zone even where zones share a gateway, so that a change of the NAT mode changes routes only.
	for z, zone := range b.out.Zones {
		name := b.Name(string(Private), zone)
		private, err := b.routeTable(Private, name, b.subnets[Private][z:z+1], b.out.Zones[z:z+1])
		if err != nil {
			return err
		}
		if len(b.nats) == 0 {
			continue
		}
		nat := b.nats[min(z, len(b.nats)-1)]
		route, err := b.defaultRoute(name, &ec2.RouteArgs{RouteTableId: private.ID(), NatGatewayId: nat.ID()})
		if err != nil {
			return err
		}
		b.out.egress = append(b.out.egress, route)
	}
	_, err = b.routeTable(Database, b.Name(string(Database)), b.subnets[Database], b.out.Zones)
	return err
}

func (b *builder) routeTable(tier Tier, name string, subnets []*ec2.Subnet, zones []string) (*ec2.RouteTable, error) {
	table, err := ec2.NewRouteTable(b.Ctx, name, &ec2.RouteTableArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.Tags(name, map[string]string{"Tier": string(tier)}),
	}, b.Child())
	if err != nil {
		return nil, err
	}
	b.routeTables[tier] = append(b.routeTables[tier], table)
	for i, subnet := range subnets {
		association, err := ec2.NewRouteTableAssociation(b.Ctx, b.Name(string(tier), zones[i]), &ec2.RouteTableAssociationArgs{
			RouteTableId: table.ID(),
			SubnetId:     subnet.ID(),
		}, b.Child())
		if err != nil {
			return nil, err
		}
		b.ready[tier] = append(b.ready[tier], association)
	}
	return table, nil
}

func (b *builder) defaultRoute(name string, args *ec2.RouteArgs) (*ec2.Route, error) {
	args.DestinationCidrBlock = pulumi.String(everywhere)
	return ec2.NewRoute(b.Ctx, name, args, b.Child())
}
