package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/lookup"
	"cinema-database/internal/problem"
)

// Deployed are the stack's subnets of the database tier as they are on AWS, by their networks; none on a new stack.
type Deployed []deployedSubnet

type deployedSubnet struct {
	cidr netip.Prefix
	zone string
}

// Check refuses what a live network cannot become: another network of the VPC, zones in other slots, and zones that
// would delete or move data unasked. Subnets without data, such as those of an update that failed half-way, are not in the
// way of zones before them. AWS refuses a subnet that overlaps one that is still there, but only in the
// middle of the update. zones are those of LookupZones.
func (d Deployed) Check(cidr netip.Prefix, zones []string, members Members) error {
	problems := problem.In("network: ")
	d.check(problems, cidr, zones, members)
	members.check(problems, zones)
	return problems.Err()
}

// LookupDeployed finds the subnets.
func LookupDeployed(ctx *pulumi.Context) (Deployed, error) {
	found, err := ec2.GetSubnets(ctx, &ec2.GetSubnetsArgs{Tags: map[string]string{
		"Project": ctx.Project(), "Stack": ctx.Stack(), "Tier": string(Database),
	}})
	if err != nil {
		return nil, fmt.Errorf("network: deployed subnets: %w", err)
	}
	subnets, err := lookup.Each(found.Ids, func(id string) (deployedSubnet, error) {
		subnet, err := ec2.LookupSubnet(ctx, &ec2.LookupSubnetArgs{Id: &id})
		if err != nil {
			return deployedSubnet{}, err
		}
		cidr, err := netip.ParsePrefix(subnet.CidrBlock)
		return deployedSubnet{cidr, subnet.AvailabilityZone}, err
	})
	if err != nil {
		return nil, fmt.Errorf("network: deployed subnets: %w", err)
	}
	slices.SortFunc(subnets, func(a, b deployedSubnet) int { return a.cidr.Addr().Compare(b.cidr.Addr()) })
	return subnets, nil
}

// Members are zones of members of the database.
type Members struct {
	// Data are the zones that have a data volume, Wanted those that will have a member.
	Data, Wanted []string
	// Unkeyed is the zone whose data volume has a name without the zone: the first member takes it over. Empty if none has.
	Unkeyed string
}

// check refuses a new zone that takes the member of a later one, which stays: the member would move, and its copy of the
// data would be deleted, because of a zone that was only to be added. A zone that is no longer named gives its member up.
func (m Members) check(l *problem.List, zones []string) {
	isNew := func(zone string) bool { return !slices.Contains(m.Data, zone) }
	for _, zone := range m.Data {
		slot, first := slices.Index(zones, zone), slices.IndexFunc(m.Wanted, isNew)
		if slot < 0 || first < 0 || slices.Contains(m.Wanted, zone) {
			continue
		}
		taken := slices.Index(zones, m.Wanted[first])
		if field := zoneField(taken); !l.Has(field) {
			l.Add(field, m.Wanted[first], fmt.Sprintf("would take the member of the database that is in %s", zone),
				fmt.Sprintf("leave this slot free (\"\"), or free that of %s, %s, in the same change to move the member", zone, zoneField(slot)))
		}
	}
}

// mustBeFirst is whether the data in a zone that has some would be lost if another zone were the first.
func (m Members) mustBeFirst(zone string) bool { return len(m.Wanted) == 1 || zone == m.Unkeyed }

func zoneField(slot int) string { return fmt.Sprintf("availabilityZones[%d]", slot) }

func (d Deployed) check(l *problem.List, cidr netip.Prefix, zones []string, members Members) {
	first := slices.IndexFunc(d, func(s deployedSubnet) bool { return slices.Contains(members.Data, s.zone) })
	for i, s := range d {
		vpc := netip.PrefixFrom(s.cidr.Addr(), s.cidr.Bits()-slotBits).Masked()
		if vpc != cidr {
			l.Add(cidrField, cidr.String(), fmt.Sprintf("is not the network of the deployed VPC, %s, and a VPC cannot move", vpc),
				"keep "+vpc.String()+", or make another stack and restore a snapshot of the data volume there (docs/operations.md)")
			return
		}
		slot := slotOf(cidr, s.cidr)
		now := ""
		if slot >= 0 && slot < len(zones) {
			now = zones[slot]
		}
		at := zoneField(slot)
		if i == first && members.mustBeFirst(s.zone) {
			for earlier, zone := range zones[:max(0, min(slot, len(zones)))] {
				if zone != "" && !l.Has(zoneField(earlier)) {
					l.Add(zoneField(earlier), zone, fmt.Sprintf("comes before %s, which has the data volume: the first zone has it", s.zone),
						"leave this slot free (\"\"), and name "+zone+" after "+s.zone)
				}
			}
		}
		switch {
		case now == s.zone:
		case slices.Contains(zones, s.zone):
			l.Add(at, now, fmt.Sprintf("moves %s, which is deployed in this slot, to another slot", s.zone),
				fmt.Sprintf("a zone keeps its slot: put %s back; an empty name (\"\") keeps a slot free", s.zone))
		case i == first:
			l.Add(at, now, fmt.Sprintf("removes %s, which has the data volume", s.zone), "keep "+s.zone+" in this slot")
		case now != "":
			free := "free the slot first: set availabilityZones to [" + quoted(d.emptied(cidr, zones, slot)) + "] and run `pulumi up`"
			if !slices.ContainsFunc(d, func(s deployedSubnet) bool { return s.zone == now }) {
				free += ", then name " + now + " and run it again"
			}
			l.Add(at, now, fmt.Sprintf("replaces %s, whose subnets are still in this slot", s.zone), free)
		}
	}
}

// slotOf returns the slot of a subnet of the database tier, -1 for none.
func slotOf(cidr, subnet netip.Prefix) int {
	for slot := range MaxZones {
		if SubnetCIDR(cidr, Database, slot) == subnet {
			return slot
		}
	}
	return -1
}

// emptied returns zones with one slot empty, and every other deployed zone that stays in its own slot.
func (d Deployed) emptied(cidr netip.Prefix, zones []string, slot int) []string {
	all := append(slices.Clone(zones), make([]string, MaxZones-len(zones))...)
	for _, s := range d {
		if at := slotOf(cidr, s.cidr); at >= 0 && slices.Contains(zones, s.zone) {
			all[at] = s.zone
		}
	}
	all[slot] = ""
	for len(all) > slot+1 && all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

func quoted(zones []string) string {
	texts := make([]string, len(zones))
	for i, z := range zones {
		texts[i] = fmt.Sprintf("%q", z)
	}
	return strings.Join(texts, ", ")
}
