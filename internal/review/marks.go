package review

import (
	"cmp"
	"slices"
)

// marks are what a change does to a resource, in the order of the legend.
var marks = []string{"new", "changed", "replaced", "removed"}

// markOf looks up the mark of a node by its id, then by its name.
func markOf(by map[string]string, id, name string) string { return cmp.Or(by[id], by[name]) }

// mark marks the nodes, subnets and VPC of a change. by holds one of marks by logical name, or by a node's id where
// resources of other types have the same name. It adds what was removed from before, which may be nil.
func (t *topology) mark(by map[string]string, before *topology) {
	if before != nil {
		t.addRemoved(by, before)
	}
	t.Mark = markOf(by, short(vpcType)+" "+t.VPC, t.VPC)
	for _, n := range t.nodes() {
		n.Mark = markOf(by, n.ID, n.Name)
		if n.Mark == "" && slices.ContainsFunc(n.With, func(name string) bool { return by[name] != "" }) {
			n.Mark = "changed"
		}
	}
	for _, s := range t.subnets() {
		s.Mark = markOf(by, s.id(), s.Name)
	}
}

func (s *subnet) id() string { return short(subnetType) + " " + s.Name }

// marks are what the steps do to the nodes of the drawing. A step of another resource with a node's name, such as a
// bucket's lifecycle, changes the node.
func (c *changes) marks() map[string]string {
	by := map[string]string{}
	for _, s := range c.Steps {
		by[s.Name] = "changed"
		by[short(s.Type)+" "+s.Name] = map[string]string{opCreate: "new", opUpdate: "changed", opReplace: "replaced", opDelete: "removed"}[s.Op]
	}
	return by
}

// marked lists the names that have each mark.
func (t *topology) marked() map[string][]string {
	all := map[string][]string{t.Mark: {t.VPC}}
	for _, n := range t.nodes() {
		all[n.Mark] = append(all[n.Mark], n.Name)
	}
	for _, s := range t.subnets() {
		all[s.Mark] = append(all[s.Mark], s.Name)
	}
	delete(all, "")
	return all
}

// addRemoved adds the nodes that only before has and that are marked as removed, without their arrows.
func (t *topology) addRemoved(by map[string]string, before *topology) {
	known := map[string]bool{}
	for _, n := range t.nodes() {
		known[n.ID] = true
	}
	removed := func(list []node) []node {
		return slices.DeleteFunc(slices.Clone(list), func(n node) bool { return known[n.ID] || markOf(by, n.ID, n.Name) != "removed" })
	}
	only := func(now, then *node) *node {
		if now != nil || then == nil || len(removed([]node{*then})) == 0 {
			return now
		}
		return then
	}
	t.Distribution, t.Firewall, t.Gateway = only(t.Distribution, before.Distribution), only(t.Firewall, before.Firewall), only(t.Gateway, before.Gateway)
	t.Fronts = append(t.Fronts, removed(before.Fronts)...)
	gone := func(s *subnet) bool { return s != nil && markOf(by, s.id(), s.Name) == "removed" }
	for z, zone := range before.Zones {
		if !slices.Contains(t.Zones, zone) && slices.ContainsFunc(before.Tiers, func(tr tier) bool { return gone(tr.Subnets[z]) }) {
			t.addZone(zone)
		}
	}
	for _, then := range before.Tiers {
		i := slices.IndexFunc(t.Tiers, func(tr tier) bool { return tr.Name == then.Name })
		if i < 0 {
			continue
		}
		now := &t.Tiers[i]
		now.Endpoints = append(now.Endpoints, removed(then.Endpoints)...)
		for _, s := range then.Spans {
			for _, n := range removed([]node{s.node}) {
				now.Spans = append(now.Spans, span{node: n, Inside: removed(s.Inside)})
			}
			if i := slices.IndexFunc(now.Spans, func(o span) bool { return o.ID == s.ID }); i >= 0 && known[s.ID] {
				now.Spans[i].Inside = append(now.Spans[i].Inside, removed(s.Inside)...)
			}
		}
		for z, s := range then.Subnets {
			at := slices.Index(t.Zones, before.Zones[z])
			if s == nil || at < 0 {
				continue
			}
			if now.Subnets[at] == nil && gone(s) {
				now.Subnets[at] = &subnet{Name: s.Name, CIDR: s.CIDR}
			}
			if now.Subnets[at] != nil {
				now.Subnets[at].Nodes = append(now.Subnets[at].Nodes, removed(s.Nodes)...)
			}
		}
	}
	for _, then := range before.Side {
		i := slices.IndexFunc(t.Side, func(r sideRow) bool {
			return r.Bucket == nil && then.Bucket == nil || r.Bucket != nil && then.Bucket != nil && r.Bucket.ID == then.Bucket.ID
		})
		switch row := (sideRow{Bucket: only(nil, then.Bucket), Satellites: removed(then.Satellites)}); {
		case i >= 0:
			t.Side[i].Satellites = append(t.Side[i].Satellites, row.Satellites...)
		case row.Bucket != nil || len(row.Satellites) > 0:
			t.Side = append(t.Side, row)
		}
	}
	for _, then := range before.Groups {
		nodes := removed(then.Nodes)
		if i := slices.IndexFunc(t.Groups, func(g group) bool { return g.Name == then.Name }); i >= 0 {
			t.Groups[i].Nodes = append(t.Groups[i].Nodes, nodes...)
		} else if len(nodes) > 0 {
			t.Groups = append(t.Groups, group{then.Name, nodes})
		}
	}
}

// addZone adds an empty column for a zone.
func (t *topology) addZone(zone string) {
	at, _ := slices.BinarySearch(t.Zones, zone)
	t.Zones = slices.Insert(t.Zones, at, zone)
	for i := range t.Tiers {
		tr := &t.Tiers[i]
		tr.Subnets = slices.Insert(tr.Subnets, at, nil)
		for j := range tr.Spans {
			if tr.Spans[j].Each != nil {
				tr.Spans[j].Each = slices.Insert(tr.Spans[j].Each, at, nil)
			}
		}
	}
}
