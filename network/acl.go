package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Linux's ephemeral ports (ip_local_port_range), to which answers return.
const (
	ephemeralFrom = 32768
	ephemeralTo   = 60999
)

// AWS numbers the rules of an ACL from 1 to 32766 for each direction (VPC user guide, "Network ACL rules").
const (
	// rulesPerSlot are reserved for each ACLSlot: one for each zone, and spare ones.
	rulesPerSlot = 100
	// answersRule is the rule for answers.
	answersRule = 32000
)

// aclRule allows TCP from or to a network.
type aclRule struct {
	Number           int
	CIDR             netip.Prefix
	FromPort, ToPort int
}

// databaseACL returns the rules of the database tier's ACL: those of the rows that start or end in the tier, and the
// answers, because ACLs are stateless. slots are those of the zones. Answers to the host's own S3 requests are allowed from everywhere: S3 has no
// fixed addresses that an ACL could name, and the tier's only route is the S3 endpoint.
//
// A rule's number depends on its row's ACLSlot and on its zone's slot only, so another zone or another row changes no
// existing rule.
func databaseACL(vpc netip.Prefix, slots []int, rows []Rule) (ingress, egress []aclRule) {
	allow := func(r Rule, peer Peer) (rules []aclRule) {
		for slot, cidr := range peerCIDRs(vpc, slots, peer) {
			rules = append(rules, aclRule{r.ACLSlot*rulesPerSlot + slot, cidr, r.Port, r.Port})
		}
		slices.SortFunc(rules, func(a, b aclRule) int { return a.Number - b.Number })
		return rules
	}
	for _, r := range rows {
		if r.To.in(Database) {
			ingress = appendNew(ingress, allow(r, r.From))
		}
		if r.From.in(Database) {
			egress = appendNew(egress, allow(r, r.To))
		}
	}
	ingress = append(ingress, aclRule{answersRule, netip.MustParsePrefix(everywhere), ephemeralFrom, ephemeralTo})
	egress = append(egress, aclRule{answersRule, vpc, ephemeralFrom, ephemeralTo})
	return ingress, egress
}

// appendNew appends the rules that are not there yet: rows with the same slot have the same rules.
func appendNew(rules, more []aclRule) []aclRule {
	for _, r := range more {
		if !slices.Contains(rules, r) {
			rules = append(rules, r)
		}
	}
	return rules
}

// peerCIDRs returns the networks of a peer by slot: its tier's subnets, or in slot 0 the network outside the VPC.
func peerCIDRs(vpc netip.Prefix, slots []int, p Peer) map[int]netip.Prefix {
	tier, inside := tierOf(p)
	if !inside {
		return map[int]netip.Prefix{0: netip.MustParsePrefix(cidr(p))}
	}
	cidrs := map[int]netip.Prefix{}
	for _, slot := range slots {
		cidrs[slot] = SubnetCIDR(vpc, tier, slot)
	}
	return cidrs
}

// createDatabaseACL is the second line of defense behind the database's security group.
func (b *builder) createDatabaseACL() error {
	in, out := databaseACL(b.args.CIDR, b.slots(), Traffic(b.args))
	var ingress ec2.NetworkAclIngressArray
	for _, r := range in {
		ingress = append(ingress, ec2.NetworkAclIngressArgs{
			RuleNo: pulumi.Int(r.Number), Action: pulumi.String("allow"), Protocol: pulumi.String("tcp"),
			CidrBlock: pulumi.String(r.CIDR.String()), FromPort: pulumi.Int(r.FromPort), ToPort: pulumi.Int(r.ToPort),
		})
	}
	var egress ec2.NetworkAclEgressArray
	for _, r := range out {
		egress = append(egress, ec2.NetworkAclEgressArgs{
			RuleNo: pulumi.Int(r.Number), Action: pulumi.String("allow"), Protocol: pulumi.String("tcp"),
			CidrBlock: pulumi.String(r.CIDR.String()), FromPort: pulumi.Int(r.FromPort), ToPort: pulumi.Int(r.ToPort),
		})
	}
	var subnets pulumi.StringArray
	for _, s := range b.subnets[Database] {
		subnets = append(subnets, s.ID().ToStringOutput())
	}
	name := b.Name(string(Database))
	_, err := ec2.NewNetworkAcl(b.Ctx, name, &ec2.NetworkAclArgs{
		VpcId:     b.vpc.ID(),
		SubnetIds: subnets,
		Ingress:   ingress,
		Egress:    egress,
		Tags:      b.Tags(name, map[string]string{"Tier": string(Database)}),
	}, b.Child())
	if err != nil {
		return fmt.Errorf("database network ACL: %w", err)
	}
	return nil
}
