package review

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cinema-database/internal/plan"
)

// node is one box of the drawing.
type node struct {
	ID    string // unique in the drawing
	Kind  string // selects its color: edge, compute, storage, security, function
	Title string
	Name  string // the logical name
	Notes []string
	// With lists the logical names of what the node stands for besides its own resource.
	With []string
	Mark string // what a change does to it, one of marks, "" for nothing
}

// topology is the content of the drawing.
type topology struct {
	// Distribution is before the VPC and the buckets, with its Firewall. Where there is none, nil.
	Distribution, Firewall *node

	VPC, CIDR, Mark string
	Gateway         *node
	Zones           []string
	Tiers           []tier
	Side            []sideRow
	Groups          []group
	Flows           []flow
}

// tier is a row of subnets.
type tier struct {
	Name      string
	Route     string    // the target of its default route
	Subnets   []*subnet // by zone, nil where the tier has none
	Spans     []span
	Endpoints []node
}

type subnet struct {
	Name, CIDR, Mark string
	Nodes            []node
}

// span is a node in several zones of a tier.
type span struct {
	node
	// Each holds the node's part in each zone, nil where the parts are not known.
	Each []*node
}

// sideRow is a bucket with its functions, queues and keys. The row with those of no bucket has a nil Bucket.
type sideRow struct {
	Bucket     *node
	Satellites []node
	rank       int
}

// group is a box outside the VPC with the nodes of operations, or with those in another region.
type group struct {
	Name  string
	Nodes []node
}

// flow is an arrow.
type flow struct {
	From, To string // node ids, or internet
	Label    string
	Kind     string // one of flowKinds
}

const (
	internetID = "internet"
	natTitle   = "NAT gateway"
)

func id(r *plan.Resource) string { return short(r.Type) + " " + r.Name }

func (v *view) topology() *topology {
	t := &topology{}
	for _, vpc := range v.ByType(vpcType) {
		t.VPC, t.CIDR = vpc.Name, vpc.Text("cidrBlock")
	}
	for _, g := range v.ByType(gatewayType) {
		t.Gateway = &node{ID: id(g), Kind: "edge", Title: "Internet gateway", Name: g.Name}
	}
	v.placeDistribution(t)
	positions := v.placeSubnets(t)
	holders := map[string][]string{} // node ids by security group
	attach := func(n string, groups []string) {
		for _, g := range groups {
			if group := v.byID[g]; group != nil {
				holders[group.Name] = append(holders[group.Name], n)
			}
		}
	}
	v.placeSpans(t, positions, attach)
	v.placeHosts(t, positions, attach)
	v.placeEndpoints(t)
	v.placeSide(t)
	v.placeGroups(t)
	v.connect(t, holders)
	return t
}

// nodes lists the nodes with a name of their own.
func (t *topology) nodes() []*node {
	var all []*node
	add := func(list []node) {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	for _, n := range []*node{t.Distribution, t.Firewall, t.Gateway} {
		if n != nil {
			all = append(all, n)
		}
	}
	for i := range t.Tiers {
		for j := range t.Tiers[i].Spans {
			all = append(all, &t.Tiers[i].Spans[j].node)
		}
		add(t.Tiers[i].Endpoints)
		for _, s := range t.Tiers[i].Subnets {
			if s != nil {
				add(s.Nodes)
			}
		}
	}
	for _, r := range t.Side {
		if r.Bucket != nil {
			all = append(all, r.Bucket)
		}
		add(r.Satellites)
	}
	for _, g := range t.Groups {
		add(g.Nodes)
	}
	return all
}

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

func (t *topology) subnets() []*subnet {
	var all []*subnet
	for _, tr := range t.Tiers {
		for _, s := range tr.Subnets {
			if s != nil {
				all = append(all, s)
			}
		}
	}
	return all
}

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
				now.Spans = append(now.Spans, span{node: n})
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

// placeDistribution puts the distribution between the internet and its origins.
func (v *view) placeDistribution(t *topology) {
	for _, d := range v.ByType(distributionType) {
		t.Distribution = &node{ID: id(d), Kind: "edge", Title: "CloudFront distribution", Name: d.Name, Notes: hostNames(d)}
		if acl := v.firewall(d); acl != nil {
			t.Firewall = &node{ID: id(acl), Kind: "security", Title: "Firewall", Name: acl.Name, Notes: []string{firewallMode(acl)}}
		}
		t.Flows = append(t.Flows, flow{internetID, t.Distribution.ID, "443", "request"})
	}
}

// position is a subnet's indexes in the drawing.
type position struct{ tier, zone int }

func (v *view) placeSubnets(t *topology) map[string]position {
	subnets := v.ByType(subnetType)
	var names []string
	rank := map[string]int{"public": 0, "private": 1, "database": 2}
	tierOf := func(s *plan.Resource) string { return cmp.Or(s.Text("tags.Tier"), "subnets") }
	for _, s := range subnets {
		if z := s.Text("availabilityZone"); !slices.Contains(t.Zones, z) {
			t.Zones = append(t.Zones, z)
		}
		if n := tierOf(s); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(t.Zones)
	slices.SortFunc(names, func(a, b string) int {
		ra, oka := rank[a]
		rb, okb := rank[b]
		if !oka {
			ra = len(rank)
		}
		if !okb {
			rb = len(rank)
		}
		return cmp.Or(ra-rb, strings.Compare(a, b))
	})
	positions := map[string]position{}
	for i, n := range names {
		row := tier{Name: n, Subnets: make([]*subnet, len(t.Zones))}
		var routes []string
		for _, s := range subnets {
			if tierOf(s) != n {
				continue
			}
			z := slices.Index(t.Zones, s.Text("availabilityZone"))
			row.Subnets[z] = &subnet{Name: s.Name, CIDR: s.Text("cidrBlock")}
			positions[s.ID] = position{i, z}
			if route := v.defaultRoute(s); !slices.Contains(routes, route) {
				routes = append(routes, route)
			}
		}
		slices.Sort(routes)
		row.Route = strings.Join(routes, ", ")
		t.Tiers = append(t.Tiers, row)
	}
	return positions
}

// The default routes to the internet.
const (
	viaNAT     = "internet via NAT gateway"
	viaGateway = "internet via internet gateway"
)

// defaultRoute describes the target of a subnet's default route.
func (v *view) defaultRoute(s *plan.Resource) string {
	for _, a := range v.ByType(associationType) {
		if a.Text("subnetId") != s.ID {
			continue
		}
		for _, r := range v.ByType(routeType) {
			if r.Text("routeTableId") != a.Text("routeTableId") || r.Text("destinationCidrBlock") != everywhere {
				continue
			}
			switch {
			case r.Text("gatewayId") != "":
				return viaGateway
			case r.Text("natGatewayId") != "":
				return viaNAT
			}
			return "other default route"
		}
	}
	return "no internet route"
}

func (v *view) placeSpans(t *topology, positions map[string]position, attach func(string, []string)) {
	in := func(subnets []string) (position, bool) {
		for _, s := range subnets {
			if p, ok := positions[s]; ok {
				return p, true
			}
		}
		return position{}, false
	}
	for _, b := range v.ByType(balancerType) {
		p, ok := in(list(b.Inputs, "subnets"))
		if !ok {
			continue
		}
		kind := "internet-facing"
		if boolean(b.Inputs, "internal") {
			kind = "internal"
		}
		n := node{ID: id(b), Kind: "edge", Title: "Load balancer", Name: b.Name, Notes: []string{kind + ", in every zone"}}
		t.Tiers[p.tier].Spans = append(t.Tiers[p.tier].Spans, span{node: n})
		attach(n.ID, list(b.Inputs, "securityGroups"))
	}
	for _, g := range v.ByType(scalingType) {
		subnets := list(g.Inputs, "vpcZoneIdentifiers")
		p, ok := in(subnets)
		if !ok {
			continue
		}
		minSize, maxSize := int(number(g.Inputs, "minSize")), int(number(g.Inputs, "maxSize"))
		s := span{node: node{ID: id(g), Kind: "compute", Title: "Auto Scaling group", Name: g.Name}, Each: make([]*node, len(t.Zones))}
		typ := ""
		if template := v.template(g); template != nil {
			typ, s.With = template.Text("instanceType"), []string{template.Name}
			attach(s.ID, list(template.Inputs, "vpcSecurityGroupIds"))
			for _, n := range objects(template.Inputs, "networkInterfaces") {
				attach(s.ID, list(n, "securityGroups"))
			}
		}
		s.Notes = []string{fmt.Sprintf("%d to %d × %s", minSize, maxSize, typ)}
		for i, sub := range subnets {
			q, ok := positions[sub]
			if !ok {
				continue
			}
			n := minSize / len(subnets)
			if i < minSize%len(subnets) {
				n++
			}
			s.Each[q.zone] = &node{ID: s.ID + " " + t.Zones[q.zone], Kind: "compute", Title: counted(n, "instance"), Notes: []string{typ}}
		}
		t.Tiers[p.tier].Spans = append(t.Tiers[p.tier].Spans, s)
	}
}

func (v *view) placeHosts(t *topology, positions map[string]position, attach func(string, []string)) {
	put := func(subnetID string, n node) {
		if p, ok := positions[subnetID]; ok {
			s := t.Tiers[p.tier].Subnets[p.zone]
			s.Nodes = append(s.Nodes, n)
		}
	}
	for _, h := range v.ByType(instanceType) {
		title := "Host"
		if c := v.component(h); c != nil {
			kind := c.Type[strings.LastIndex(c.Type, ":")+1:]
			if title = kind; kind == "Database" {
				title = "MongoDB host"
			}
		}
		n := node{ID: id(h), Kind: "compute", Title: title, Name: h.Name, Notes: []string{h.Text("instanceType")}}
		put(h.Text("subnetId"), n)
		attach(n.ID, list(h.Inputs, "vpcSecurityGroupIds"))
		for _, a := range v.ByType(attachmentType) {
			if a.Text("instanceId") != h.ID {
				continue
			}
			if vol := v.byID[a.Text("volumeId")]; vol != nil {
				d := node{ID: id(vol), Kind: "storage", Title: "Data volume", Name: vol.Name,
					Notes: []string{fmt.Sprintf("%s GiB %s", amount(number(vol.Inputs, "size")), vol.Text("type"))}}
				put(h.Text("subnetId"), d)
				t.Flows = append(t.Flows, flow{n.ID, d.ID, "", "attached"})
			}
		}
	}
	for _, g := range v.ByType(natType) {
		put(g.Text("subnetId"), node{ID: id(g), Kind: "edge", Title: natTitle, Name: g.Name})
	}
}

func (v *view) placeEndpoints(t *topology) {
	for _, e := range v.ByType(endpointType) {
		row := slices.IndexFunc(t.Tiers, func(r tier) bool { return r.Name == e.Text("tags.Tier") })
		if row < 0 {
			continue
		}
		kind := strings.ToLower(cmp.Or(e.Text("vpcEndpointType"), "Gateway"))
		t.Tiers[row].Endpoints = append(t.Tiers[row].Endpoints, node{
			ID: id(e), Kind: "edge", Title: service(e) + " " + kind + " endpoint", Name: e.Name,
		})
	}
}

// placeSide puts the buckets next to the VPC, each with its functions, queues and keys.
func (v *view) placeSide(t *topology) {
	grants := v.grants()
	rows := map[*plan.Resource]*sideRow{}
	for _, b := range v.ByType(bucketType) {
		n := &node{ID: id(b), Kind: "storage", Title: "Bucket", Name: b.Name, Notes: v.logsIn(b)}
		row := &sideRow{Bucket: n, rank: len(t.Tiers)}
		if open, _ := v.publicStatements(b); len(open) > 0 {
			n.Notes, row.rank = append(n.Notes, "public"), -1
			t.Flows = append(t.Flows, flow{internetID, n.ID, "443", "request"})
		}
		for _, d := range v.ByType(distributionType) {
			if slices.ContainsFunc(v.origins(d), func(o origin) bool { return o.resource == b }) {
				row.rank = -1
				t.Flows = append(t.Flows, flow{id(d), n.ID, "443", "request"})
			}
		}
		rows[b] = row
	}
	for i, tr := range t.Tiers {
		for _, e := range tr.Endpoints {
			for b, row := range rows {
				if slices.ContainsFunc(grants, func(g grant) bool {
					return g.Boundary && g.Source == e.Name && slices.ContainsFunc(g.Targets, func(o target) bool { return o.Resource == b })
				}) {
					if row.rank == len(t.Tiers) || row.rank < i {
						row.rank = i
					}
					t.Flows = append(t.Flows, flow{e.ID, row.Bucket.ID, "", "storage"})
				}
			}
		}
	}
	var rest sideRow
	for _, f := range v.ByType(functionType) {
		n := node{ID: id(f), Kind: "function", Title: "Lambda", Name: f.Name}
		home := &rest
		for _, b := range v.ByType(bucketType) {
			reads, writes := v.dataAccess(grants, f, b)
			if len(reads)+len(writes) == 0 {
				continue
			}
			if home == &rest {
				home = rows[b]
			}
			if v.holdsImages(b) && len(reads) > 0 {
				t.Flows = append(t.Flows, flow{rows[b].Bucket.ID, n.ID, strings.Join(reads, " "), "event"})
			}
			if len(writes) > 0 {
				t.Flows = append(t.Flows, flow{n.ID, rows[b].Bucket.ID, strings.Join(writes, " "), "event"})
			}
		}
		home.Satellites = append(home.Satellites, n)
		for _, c := range v.ByType(invokeType) {
			if v.byID[c.Text("functionName")] != f {
				continue
			}
			if q := v.byID[c.Text("destinationConfig.onFailure.destination")]; q != nil {
				d := node{ID: id(q), Kind: "function", Title: "Failed events", Name: q.Name}
				home.Satellites = append(home.Satellites, d)
				t.Flows = append(t.Flows, flow{n.ID, d.ID, "", "failed"})
			}
		}
	}
	for _, k := range v.ByType(keyType) {
		n := node{ID: id(k), Kind: "security", Title: "KMS key", Name: k.Name}
		home := &rest
		for _, b := range v.ByType(bucketType) {
			if strings.Contains(k.Text("policy"), text(b.State, "arn")+"/") {
				home = rows[b]
				t.Flows = append(t.Flows, flow{n.ID, home.Bucket.ID, "encrypts", "key"})
				break
			}
		}
		home.Satellites = append(home.Satellites, n)
	}
	for _, b := range v.ByType(bucketType) {
		if region := v.elsewhere(b); region != "" {
			t.put(region, *rows[b].Bucket)
			rest.Satellites = append(rest.Satellites, rows[b].Satellites...)
			continue
		}
		t.Side = append(t.Side, *rows[b])
	}
	slices.SortStableFunc(t.Side, func(a, b sideRow) int { return cmp.Or(a.rank-b.rank, strings.Compare(a.Bucket.Name, b.Bucket.Name)) })
	if len(rest.Satellites) > 0 {
		t.Side = append(t.Side, rest)
	}
	// Ranging over maps gives a random order.
	slices.SortStableFunc(t.Flows, func(a, b flow) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), strings.Compare(a.Label, b.Label))
	})
}

// logsIn describes the logs that a bucket receives.
func (v *view) logsIn(b *plan.Resource) []string {
	var notes []string
	buckets := 0
	for _, l := range v.ByType("aws:s3/bucketLoggingV2:BucketLoggingV2") {
		if v.byID[l.Text("targetBucket")] == b {
			buckets++
		}
	}
	if buckets > 0 {
		notes = append(notes, "access logs of "+counted(buckets, "bucket"))
	}
	for _, l := range v.ByType("aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination") {
		if v.byID[l.Text("deliveryDestinationConfiguration.destinationResourceArn")] == b {
			notes = append(notes, "receives "+l.Name)
		}
	}
	return notes
}

// elsewhere is the region of a resource in another region than the VPC's, "" for one in the VPC's.
func (v *view) elsewhere(r *plan.Resource) string {
	if region := v.regions[r.Provider]; region != v.region {
		return region
	}
	return ""
}

// operations is the group of what the stack has in its own region.
const operations = "Operations"

// put adds a node to the group of a region, "" for the VPC's.
func (t *topology) put(region string, n node) {
	name := operations
	if region != "" {
		name = "Region " + region
	}
	i := slices.IndexFunc(t.Groups, func(g group) bool { return g.Name == name })
	if i < 0 {
		i, t.Groups = len(t.Groups), append(t.Groups, group{Name: name})
	}
	t.Groups[i].Nodes = append(t.Groups[i].Nodes, n)
}

// placeGroups groups backups, notifications and logs. The buckets in other regions are in their groups already.
func (v *view) placeGroups(t *topology) {
	put := func(r *plan.Resource, n node) {
		n.ID, n.Name = id(r), r.Name
		t.put(v.elsewhere(r), n)
	}
	for _, r := range v.ByType("aws:s3/bucketReplicationConfig:BucketReplicationConfig") {
		source := v.byID[r.Text("bucket")]
		for _, rule := range objects(r.Inputs, "rules") {
			if target := v.byID[text(rule, "destination.bucket")]; source != nil && target != nil {
				t.Flows = append(t.Flows, flow{id(source), id(target), "copies", "copy"})
			}
		}
	}
	v.placeVaults(t, put)
	for _, topic := range v.ByType(topicType) {
		n := node{Kind: "monitoring", Title: "Notifications"}
		alarms, events := 0, 0
		for _, a := range v.ByType(alarmType) {
			if slices.ContainsFunc(list(a.Inputs, "alarmActions"), func(arn string) bool { return v.byID[arn] == topic }) {
				alarms++
				n.With = append(n.With, a.Name)
			}
		}
		for _, e := range v.ByType("aws:cloudwatch/eventTarget:EventTarget") {
			if v.byID[e.Text("arn")] == topic {
				events++
			}
		}
		n.Notes = []string{"of " + counted(alarms, "alarm") + " and " + counted(events, "event rule")}
		for _, s := range v.ByType("aws:sns/topicSubscription:TopicSubscription") {
			if v.byID[s.Text("topic")] == topic {
				n.Notes = append(n.Notes, "by "+s.Text("protocol"))
			}
		}
		put(topic, n)
	}
	for _, l := range v.ByType(logGroupType) {
		kept := "kept forever"
		if days := int(number(l.Inputs, "retentionInDays")); days > 0 {
			kept = "kept " + counted(days, "day")
		}
		put(l, node{Kind: "monitoring", Title: "Logs", Notes: []string{kept}})
	}
	slices.SortStableFunc(t.Groups, func(a, b group) int { return strings.Compare(a.Name, b.Name) }) // Operations, then the regions
}

// placeVaults puts the backup vaults, with the plans that fill them.
func (v *view) placeVaults(t *topology, put func(*plan.Resource, node)) {
	for _, vault := range v.ByType("aws:backup/vault:Vault") {
		n := node{Kind: "storage", Title: "Backup vault"}
		for _, p := range v.ByType(backupPlanType) {
			var names []string
			for _, rule := range objects(p.Inputs, "rules") {
				target := v.byID[text(rule, "targetVaultName")]
				for _, c := range objects(rule, "copyActions") {
					if target != nil && v.byID[text(c, "destinationVaultArn")] == vault {
						t.Flows = append(t.Flows, flow{id(target), id(vault), "copies", "copy"})
					}
				}
				if target == vault {
					names = append(names, text(rule, "ruleName"))
					n.Notes = append(n.Notes, text(rule, "ruleName")+", kept "+counted(int(number(rule, "lifecycle.deleteAfter")), "day"))
				}
			}
			for _, s := range v.ByType("aws:backup/selection:Selection") {
				if v.byID[s.Text("planId")] != p || len(names) == 0 {
					continue
				}
				for _, arn := range list(s.Inputs, "resources") {
					if source := v.byID[arn]; source != nil {
						t.Flows = append(t.Flows, flow{id(source), id(vault), strings.Join(names, ", "), "copy"})
					}
				}
			}
		}
		put(vault, n)
	}
}

// dataAccess lists the prefixes of a bucket that a function's role may read and write.
func (v *view) dataAccess(grants []grant, f, b *plan.Resource) (reads, writes []string) {
	role := v.byID[f.Text("role")]
	if role == nil {
		return nil, nil
	}
	for _, g := range grants {
		if g.Denied || g.Boundary || !slices.Contains(g.Principals, role.Name) {
			continue
		}
		for _, o := range g.Targets {
			if o.Resource != b || o.Path == "" {
				continue
			}
			prefix := strings.TrimSuffix(o.Path, "*")
			if slices.Contains(g.Verbs, "read") && !slices.Contains(reads, prefix) {
				reads = append(reads, prefix)
			}
			if slices.Contains(g.Verbs, "write") && !slices.Contains(writes, prefix) {
				writes = append(writes, prefix)
			}
		}
	}
	return reads, writes
}

// connect adds the flows that the security group rules allow. holders lists node ids by security group.
func (v *view) connect(t *topology, holders map[string][]string) {
	tierOf := func(n string) *tier {
		for i := range t.Tiers {
			for _, s := range t.Tiers[i].Spans {
				if s.ID == n {
					return &t.Tiers[i]
				}
			}
			for _, s := range t.Tiers[i].Subnets {
				if s != nil && slices.ContainsFunc(s.Nodes, func(x node) bool { return x.ID == n }) {
					return &t.Tiers[i]
				}
			}
		}
		return nil
	}
	distributions := map[string]string{} // by the node that is their origin
	for _, d := range v.ByType(distributionType) {
		for _, o := range v.origins(d) {
			if o.resource != nil {
				distributions[id(o.resource)] = id(d)
			}
		}
	}
	labels := map[[3]string][]string{}
	add := func(from, to, kind, label string) {
		key := [3]string{from, to, kind}
		if !slices.Contains(labels[key], label) {
			labels[key] = append(labels[key], label)
		}
	}
	for _, c := range v.connections() {
		if c.Blocked != "" {
			continue
		}
		kind := "request"
		if c.Port == "22" {
			kind = "admin"
		}
		var from, to []string
		if c.From.Group != nil {
			from = holders[c.From.Group.Name]
		} else {
			from = []string{internetID}
		}
		switch {
		case c.To.Group != nil:
			to = holders[c.To.Group.Name]
		case c.From.Group == nil:
		case c.To.Name == "internet":
			for _, f := range from {
				row := tierOf(f)
				if row != nil && row.Route == viaGateway && t.Gateway != nil {
					add(f, t.Gateway.ID, "egress", c.Label())
				}
				if row == nil || row.Route != viaNAT {
					continue
				}
				for _, other := range t.Tiers {
					for _, s := range other.Subnets {
						if s == nil {
							continue
						}
						for _, n := range s.Nodes {
							if n.Title == natTitle {
								add(f, n.ID, "egress", c.Label())
							}
						}
					}
				}
			}
		default:
			for _, f := range from {
				if row := tierOf(f); row != nil {
					for _, e := range row.Endpoints {
						if strings.HasPrefix(e.Title, c.To.Name+" ") {
							add(f, e.ID, "storage", c.Label())
						}
					}
				}
			}
		}
		for _, f := range from {
			for _, g := range to {
				source := f
				if d := distributions[g]; d != "" && c.From.Name == cloudFront {
					source = d
				}
				add(source, g, kind, c.Label())
			}
		}
	}
	if t.Gateway != nil {
		for _, n := range t.nodes() {
			if n.Title == natTitle {
				add(n.ID, t.Gateway.ID, "egress", "")
			}
		}
		// Requests without a distribution enter through the gateway.
		for key, l := range maps.Clone(labels) {
			if key[0] == internetID && key[2] == "request" && t.Distribution == nil {
				delete(labels, key)
				labels[[3]string{internetID, t.Gateway.ID, key[2]}] = []string{""}
				labels[[3]string{t.Gateway.ID, key[1], key[2]}] = l
			}
			if key[1] == t.Gateway.ID && key[2] == "egress" {
				labels[[3]string{t.Gateway.ID, internetID, "egress"}] = []string{""}
			}
		}
	}
	for key, l := range labels {
		slices.Sort(l)
		t.Flows = append(t.Flows, flow{key[0], key[1], strings.Join(l, ", "), key[2]})
	}
	slices.SortStableFunc(t.Flows, func(a, b flow) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), strings.Compare(a.Label, b.Label))
	})
}
