package network

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

var vpc = netip.MustParsePrefix("10.0.0.0/16")

// allows reports whether one of the rules allows the port from or to every address of the network.
func allows(rules []aclRule, cidr netip.Prefix, port int) bool {
	return slices.ContainsFunc(rules, func(r aclRule) bool {
		return r.CIDR.Bits() <= cidr.Bits() && r.CIDR.Overlaps(cidr) && r.FromPort <= port && port <= r.ToPort
	})
}

// requirePasses requires that the ACL allows the rows' connections with the database tier, and the answers.
func requirePasses(t *testing.T, ingress, egress []aclRule, slots []int, rows []Rule) {
	t.Helper()
	passes := func(row Rule, peers Peer, requests, answers []aclRule) {
		for _, peer := range peerCIDRs(vpc, slots, peers) {
			require.True(t, allows(requests, peer, row.Port), "%v with %s", row, peer)
			require.True(t, allows(answers, peer, ephemeralFrom) && allows(answers, peer, ephemeralTo), "answers of %v with %s", row, peer)
		}
	}
	for _, row := range rows {
		if row.To.in(Database) {
			passes(row, row.From, ingress, egress)
		}
		if row.From.in(Database) {
			passes(row, row.To, egress, ingress)
		}
	}
}

func allTraffic() []Rule {
	return Traffic(&Args{
		HTTPS: true, Settings: Settings{NatGateways: NatSingle, OperatorCIDRs: prefixes("203.0.113.0/24")},
		Services: []ServiceTraffic{{Name: "demo", Port: 8080, Database: true}, {Name: "shop", Port: 9090, Database: true}}, ContainerHosts: true,
	})
}

func TestACLAllowsTheTrafficTable(t *testing.T) {
	r := built(t, func(*Args) {})
	acls := r.ByType("aws:ec2/networkAcl:NetworkAcl")
	require.Len(t, acls, 1)
	requirePasses(t, registered(acls[0], "ingress"), registered(acls[0], "egress"), []int{0, 1, 2}, allTraffic())

	ingress, egress := databaseACL(vpc, []int{0, 1, 2, 3}, allTraffic())
	assert.LessOrEqual(t, max(len(ingress), len(egress)), 20, "AWS's quota of rules for each direction")

	slots := map[int]Rule{}
	for _, row := range allTraffic() {
		if !row.From.in(Database) && !row.To.in(Database) {
			assert.Zero(t, row.ACLSlot, "%v does not reach the database tier", row)
			continue
		}
		if other, shared := slots[row.ACLSlot]; shared {
			assert.Equal(t, other.Port, row.Port, "%v has the slot of %v", row, other)
			assert.Equal(t, peerCIDRs(vpc, []int{0, 1}, other.From), peerCIDRs(vpc, []int{0, 1}, row.From), "%v has the slot of %v", row, other)
			assert.Equal(t, peerCIDRs(vpc, []int{0, 1}, other.To), peerCIDRs(vpc, []int{0, 1}, row.To), "%v has the slot of %v", row, other)
		}
		assert.True(t, 0 < row.ACLSlot && row.ACLSlot*rulesPerSlot < answersRule, "slot of %v", row)
		slots[row.ACLSlot] = row
	}
}

func TestACLFollowsNewRowsAndZones(t *testing.T) {
	ingress, egress := databaseACL(vpc, []int{0, 1, 3}, allTraffic())
	// First, so that a number by position in the table would move.
	rows := append([]Rule{{API, MongoDB, 9216, "metrics", 99}, {MongoDB, API, 8443, "notifications", 98}}, allTraffic()...)
	moreIngress, moreEgress := databaseACL(vpc, []int{0, 1, 2, 3}, rows)
	requirePasses(t, moreIngress, moreEgress, []int{0, 1, 2, 3}, rows)
	assert.Subset(t, moreIngress, ingress, "a row or a zone changes no rule")
	assert.Subset(t, moreEgress, egress)
	assert.Len(t, moreIngress, len(ingress)+3+MaxZones)
	assert.Len(t, moreEgress, len(egress)+1+MaxZones)
	for _, rules := range [][]aclRule{moreIngress, moreEgress} {
		numbers := map[int]bool{}
		for _, r := range rules {
			assert.False(t, numbers[r.Number], "two rules are %d", r.Number)
			numbers[r.Number] = true
		}
	}
}

// registered returns the ACL's rules of one direction.
func registered(acl *pulumitest.Resource, direction string) (rules []aclRule) {
	for _, v := range acl.Input(direction).ArrayValue() {
		o := v.ObjectValue()
		number := func(key string) int { return int(o[resource.PropertyKey(key)].NumberValue()) }
		cidr := netip.MustParsePrefix(o["cidrBlock"].StringValue())
		rules = append(rules, aclRule{number("ruleNo"), cidr, number("fromPort"), number("toPort")})
	}
	return rules
}
