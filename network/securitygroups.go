package network

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// createSecurityGroups turns the traffic table into groups and standalone rules.
func (b *builder) createSecurityGroups() error {
	for _, g := range Groups(b.args) {
		name := b.Name(string(g.Peer))
		group, err := ec2.NewSecurityGroup(b.Ctx, name, &ec2.SecurityGroupArgs{
			VpcId:       b.vpc.ID(),
			Description: pulumi.String(g.Description),
			Tags:        b.Tags(name),
		}, b.Child())
		if err != nil {
			return err
		}
		b.out.SecurityGroupIDs[g.Peer] = group.ID()
	}
	for _, r := range Traffic(b.args) {
		if err := b.createRules(r); err != nil {
			return fmt.Errorf("traffic from %s to %s: %w", r.From, r.To, err)
		}
	}
	return nil
}

// createRules makes a row's rules. It uses the older rule resource because its description survives a refresh with
// every kind of peer; that resource's known faults concern rules with several peers or ports, and each rule here has one.
func (b *builder) createRules(r Rule) error {
	from, fromGroup := b.out.SecurityGroupIDs[r.From]
	to, toGroup := b.out.SecurityGroupIDs[r.To]
	fromTier, _ := tierOf(r.From)
	if fromGroup {
		args := &ec2.SecurityGroupRuleArgs{Type: pulumi.String("egress"), SecurityGroupId: from}
		switch {
		case toGroup:
			args.SourceSecurityGroupId = to
		case r.To == S3:
			args.PrefixListIds = pulumi.StringArray{b.s3PrefixIDs[fromTier]}
		default:
			args.CidrBlocks = pulumi.StringArray{pulumi.String(cidr(r.To))}
		}
		if err := b.createRule(b.Name(string(r.From), "to", slug(r.To), strconv.Itoa(r.Port)), r, args); err != nil {
			return err
		}
	}
	if toGroup {
		args := &ec2.SecurityGroupRuleArgs{Type: pulumi.String("ingress"), SecurityGroupId: to}
		switch {
		case fromGroup:
			args.SourceSecurityGroupId = from
		case r.From == CloudFront:
			args.PrefixListIds = pulumi.StringArray{pulumi.String(b.args.CloudFrontPrefixListID)}
			// The list counts as 55 rules, and a group may have 60 (VPC user guide, "AWS-managed prefix list weight"): another
			// port must take the place of this one.
			return b.createRule(b.Name(string(r.To), "from", slug(r.From)), r, args, pulumi.DeleteBeforeReplace(true))
		default:
			args.CidrBlocks = pulumi.StringArray{pulumi.String(cidr(r.From))}
		}
		return b.createRule(b.Name(string(r.To), "from", slug(r.From), strconv.Itoa(r.Port)), r, args)
	}
	return nil
}

// LookupCloudFront returns the id of the prefix list that AWS keeps of the addresses from which CloudFront calls origins.
func LookupCloudFront(ctx *pulumi.Context) (string, error) {
	name := "com.amazonaws.global.cloudfront.origin-facing"
	list, err := ec2.LookupManagedPrefixList(ctx, &ec2.LookupManagedPrefixListArgs{Name: &name})
	if err != nil {
		return "", fmt.Errorf("network: prefix list %s: %w", name, err)
	}
	return list.Id, nil
}

func (b *builder) createRule(name string, r Rule, args *ec2.SecurityGroupRuleArgs, opts ...pulumi.ResourceOption) error {
	args.Protocol, args.FromPort, args.ToPort = pulumi.String("tcp"), pulumi.Int(r.Port), pulumi.Int(r.Port)
	args.Description = pulumi.String(r.Why)
	rule, err := ec2.NewSecurityGroupRule(b.Ctx, name, args, b.Child(opts...))
	if err != nil {
		return err
	}
	if r.ofContainers() {
		b.out.egress = append(b.out.egress, rule)
	}
	return nil
}

// cidr returns the network of a peer outside the stack: an operators' network is the peer's name. S3 has no fixed
// addresses, so where its prefix list cannot be used it is everywhere.
func cidr(p Peer) string {
	if p == Internet || p == S3 {
		return everywhere
	}
	return string(p)
}

// slug makes a peer fit a logical name: a network's slash would read as a path.
func slug(p Peer) string { return strings.ReplaceAll(string(p), "/", "-") }
