package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Count is how many gateways the mode needs for that number of zones.
func (m NatMode) Count(zones int) (int, error) {
	switch m {
	case NatNone:
		return 0, nil
	case NatSingle:
		return 1, nil
	case NatPerAZ:
		return zones, nil
	default:
		return 0, fmt.Errorf("network: natGateways: %q is not a NAT mode", string(m))
	}
}

// Gateways is how many NAT gateways the settings make.
func (s Settings) Gateways() (int, error) {
	zones := s.ZoneCount()
	if zones == 0 {
		zones = DefaultZones
	}
	return s.NatGateways.Count(zones)
}

// createNATGateways makes the gateways of the NAT mode, from the first zone on.
func (b *builder) createNATGateways() error {
	count, err := b.args.NatGateways.Count(len(b.out.Zones))
	if err != nil {
		return err
	}
	for i := range count {
		name := b.Name("nat", b.out.Zones[i])
		address, err := ec2.NewEip(b.Ctx, name, &ec2.EipArgs{
			Domain: pulumi.String("vpc"),
			Tags:   b.Tags(name),
			// AWS refuses a public address in a VPC that has no internet gateway yet.
		}, b.Child(pulumi.DependsOn([]pulumi.Resource{b.gateway})))
		if err != nil {
			return err
		}
		nat, err := ec2.NewNatGateway(b.Ctx, name, &ec2.NatGatewayArgs{
			AllocationId: address.AllocationId,
			SubnetId:     b.subnets[Public][i].ID(),
			Tags:         b.Tags(name),
		}, b.Child(pulumi.DependsOn([]pulumi.Resource{b.gateway})))
		if err != nil {
			return err
		}
		b.nats = append(b.nats, nat)
		b.out.NatGatewayIDs[b.out.Zones[i]] = nat.ID()
		b.out.NatAddresses = append(b.out.NatAddresses, address.PublicIp)
	}
	return nil
}
