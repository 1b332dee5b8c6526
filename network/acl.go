package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Linux's ephemeral ports (ip_local_port_range), to which answers come back.
const (
	ephemeralFrom = 32768
	ephemeralTo   = 60999
)

// createDatabaseACL is the second line behind the database's security group. ACLs are stateless, so
// the answers to the host's own S3 requests are let in from anywhere, on ephemeral ports only: S3 has
// no fixed addresses that an ACL could name, and the tier's only route is the S3 endpoint.
func (b *builder) createDatabaseACL() error {
	vpc := netip.MustParsePrefix(b.args.CIDR)
	var ingress ec2.NetworkAclIngressArray
	allow := func(cidr string, from, to int) {
		ingress = append(ingress, ec2.NetworkAclIngressArgs{
			RuleNo: pulumi.Int(100 + 10*len(ingress)), Action: pulumi.String("allow"), Protocol: pulumi.String("tcp"),
			CidrBlock: pulumi.String(cidr), FromPort: pulumi.Int(from), ToPort: pulumi.Int(to),
		})
	}
	for z := range b.out.Zones {
		allow(SubnetCIDR(vpc, 1, z).String(), mongoPort, mongoPort)
		allow(SubnetCIDR(vpc, 0, z).String(), sshPort, sshPort)
	}
	allow(everywhere, ephemeralFrom, ephemeralTo)
	var subnets pulumi.StringArray
	for _, s := range b.subnets[Database] {
		subnets = append(subnets, s.ID().ToStringOutput())
	}
	name := b.Name(string(Database))
	_, err := ec2.NewNetworkAcl(b.Ctx, name, &ec2.NetworkAclArgs{
		VpcId:     b.vpc.ID(),
		SubnetIds: subnets,
		Ingress:   ingress,
		Egress: ec2.NetworkAclEgressArray{
			ec2.NetworkAclEgressArgs{ // requests to S3
				RuleNo: pulumi.Int(100), Action: pulumi.String("allow"), Protocol: pulumi.String("tcp"),
				CidrBlock: pulumi.String(everywhere), FromPort: pulumi.Int(httpsPort), ToPort: pulumi.Int(httpsPort),
			},
			ec2.NetworkAclEgressArgs{ // answers to the other tiers
				RuleNo: pulumi.Int(110), Action: pulumi.String("allow"), Protocol: pulumi.String("tcp"),
				CidrBlock: pulumi.String(b.args.CIDR), FromPort: pulumi.Int(ephemeralFrom), ToPort: pulumi.Int(ephemeralTo),
			},
		},
		Tags: b.Tags(name, map[string]string{"Tier": string(Database)}),
	}, b.Child())
	if err != nil {
		return fmt.Errorf("database network ACL: %w", err)
	}
	return nil
}
