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
	// Fronts are the distributions of services with a host name of their own.
	Fronts []node

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
	// Inside are nodes in the node, as the services in their cluster. Arrows begin and end at the node: with those of each
	// service, they would hide the tier.
	Inside []node
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
			if group := v.byID[g]; group != nil && !slices.Contains(holders[group.Name], n) {
				holders[group.Name] = append(holders[group.Name], n)
			}
		}
	}
	v.placeSpans(t, positions, attach)
	v.placeHosts(t, positions, attach)
	v.placeEndpoints(t, positions, attach)
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
	add(t.Fronts)
	for i := range t.Tiers {
		for j := range t.Tiers[i].Spans {
			all = append(all, &t.Tiers[i].Spans[j].node)
			add(t.Tiers[i].Spans[j].Inside)
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

// addNote adds a note to what is in several zones.
func (t *topology) addNote(id, note string) {
	for i := range t.Tiers {
		for j := range t.Tiers[i].Spans {
			if s := &t.Tiers[i].Spans[j]; s.ID == id {
				s.Notes = append(s.Notes, note)
			}
		}
	}
}

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

// placeDistribution puts the distributions between the internet and their origins.
func (v *view) placeDistribution(t *topology) {
	front := v.front()
	for _, d := range v.ByType(distributionType) {
		n := node{ID: id(d), Kind: "edge", Title: "CloudFront distribution", Name: d.Name, Notes: hostNames(d)}
		t.Flows = append(t.Flows, flow{internetID, n.ID, "443", "request"})
		acl := v.firewall(d)
		if d != front {
			if acl != nil {
				n.Notes = append(n.Notes, "firewall "+acl.Name)
			}
			t.Fronts = append(t.Fronts, n)
			continue
		}
		if t.Distribution = &n; acl != nil {
			t.Firewall = &node{ID: id(acl), Kind: "security", Title: "Firewall", Name: acl.Name, Notes: []string{firewallMode(acl)}}
		}
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
	hosts := v.containerHosts()
	for _, g := range v.ByType(scalingType) {
		subnets := list(g.Inputs, "vpcZoneIdentifiers")
		p, ok := in(subnets)
		if !ok || slices.Contains(hosts, g) {
			continue
		}
		s := span{node: v.groupNode(g), Each: make([]*node, len(t.Zones))}
		attach(s.ID, securityGroups(v.template(g)))
		minSize := int(number(g.Inputs, "minSize"))
		for i, sub := range subnets {
			q, ok := positions[sub]
			if !ok {
				continue
			}
			n := minSize / len(subnets)
			if i < minSize%len(subnets) {
				n++
			}
			s.Each[q.zone] = &node{ID: s.ID + " " + t.Zones[q.zone], Kind: "compute", Title: counted(n, "instance"), Notes: []string{v.instanceTypeOf(g)}}
		}
		t.Tiers[p.tier].Spans = append(t.Tiers[p.tier].Spans, s)
	}
	for _, c := range v.ByType(clusterType) {
		v.placeCluster(t, c, in, attach)
	}
}

// groupNode is the box of an Auto Scaling group.
func (v *view) groupNode(g *plan.Resource) node {
	n := node{ID: id(g), Kind: "compute", Title: "Auto Scaling group", Name: g.Name}
	if template := v.template(g); template != nil {
		n.With = []string{template.Name}
	}
	n.Notes = []string{fmt.Sprintf("%d to %d × %s", int(number(g.Inputs, "minSize")), int(number(g.Inputs, "maxSize")), v.instanceTypeOf(g))}
	return n
}

// instanceTypeOf is the type of the instances of an Auto Scaling group, "" where it is not known.
func (v *view) instanceTypeOf(g *plan.Resource) string {
	if template := v.template(g); template != nil {
		return template.Text("instanceType")
	}
	return ""
}

// securityGroups are the security groups of a launch template's instances.
func securityGroups(template *plan.Resource) (all []string) {
	if template == nil {
		return nil
	}
	all = list(template.Inputs, "vpcSecurityGroupIds")
	for _, n := range objects(template.Inputs, "networkInterfaces") {
		all = append(all, list(n, "securityGroups")...)
	}
	return all
}

// placeCluster puts a cluster of services into the tier of their tasks, with the instances that run them.
func (v *view) placeCluster(t *topology, cluster *plan.Resource, in func([]string) (position, bool), attach func(string, []string)) {
	s := span{node: node{ID: id(cluster), Kind: "compute", Title: "Cluster of services", Name: cluster.Name}}
	var subnets []string
	for _, h := range v.containerHosts() {
		n := v.groupNode(h)
		n.Title = "Container hosts"
		s.Inside = append(s.Inside, n)
		attach(s.ID, securityGroups(v.template(h)))
		subnets = append(subnets, list(h.Inputs, "vpcZoneIdentifiers")...)
	}
	for _, service := range v.services() {
		if v.byID[service.Text("cluster")] == cluster {
			s.Inside = append(s.Inside, service.node(v))
			attach(s.ID, list(service.Inputs, "networkConfiguration.securityGroups"))
			subnets = append(subnets, list(service.Inputs, "networkConfiguration.subnets")...)
		}
	}
	if p, ok := in(subnets); ok {
		t.Tiers[p.tier].Spans = append(t.Tiers[p.tier].Spans, s)
	}
}

// node is the service's box.
func (s ecsService) node(v *view) node {
	n := node{ID: id(s.Resource), Kind: "compute", Title: "Service " + s.name, Name: s.Resource.Name}
	size := tasks(s.least, s.most)
	if cpus, gb := s.size(); cpus > 0 {
		size += fmt.Sprintf(" × %s vCPU, %s GB", amount(cpus), amount(gb))
		n.With = append(n.With, s.definition.Name)
	}
	n.Notes = append(n.Notes, size)
	if s.onFargate() {
		n.Notes = append(n.Notes, "on Fargate")
	} else {
		for _, h := range v.containerHosts() {
			n.Notes = append(n.Notes, "on "+h.Name)
		}
	}
	if where := s.route(); where != "" {
		n.Notes = append(n.Notes, where)
	}
	n.Notes = append(n.Notes, v.reached(s)...)
	if image := v.shortImage(s.image); image != "" {
		n.Notes = append(n.Notes, "image "+image)
	}
	for _, r := range s.rules {
		n.With = append(n.With, r.Name)
	}
	return n
}

func (v *view) placeHosts(t *topology, positions map[string]position, attach func(string, []string)) {
	put := func(subnetID string, n node) {
		if p, ok := positions[subnetID]; ok {
			s := t.Tiers[p.tier].Subnets[p.zone]
			s.Nodes = append(s.Nodes, n)
		}
	}
	members, set := v.members(), v.placeReplicaSet(t, positions)
	for _, h := range v.ByType(instanceType) {
		title := "Host"
		if c := v.component(h); c != nil {
			title = c.Type[strings.LastIndex(c.Type, ":")+1:]
		}
		n := node{ID: id(h), Kind: "compute", Title: title, Name: h.Name, Notes: []string{h.Text("instanceType")}}
		holder := n.ID
		if slices.Contains(members, h) {
			n.Title, holder = "MongoDB host", cmp.Or(set, holder)
		}
		put(h.Text("subnetId"), n)
		attach(holder, list(h.Inputs, "vpcSecurityGroupIds"))
		for _, vol := range v.attached(h) {
			d := node{ID: id(vol), Kind: "storage", Title: "Data volume", Name: vol.Name,
				Notes: []string{fmt.Sprintf("%s GiB %s", amount(number(vol.Inputs, "size")), vol.Text("type"))}}
			put(h.Text("subnetId"), d)
			t.Flows = append(t.Flows, flow{n.ID, d.ID, "", "attached"})
		}
	}
	for _, g := range v.ByType(natType) {
		put(g.Text("subnetId"), node{ID: id(g), Kind: "edge", Title: natTitle, Name: g.Name})
	}
}

// attached are the volumes that are attached to a host.
func (v *view) attached(host *plan.Resource) (volumes []*plan.Resource) {
	for _, a := range v.ByType(attachmentType) {
		if volume := v.byID[a.Text("volumeId")]; volume != nil && a.Text("instanceId") == host.ID {
			volumes = append(volumes, volume)
		}
	}
	return volumes
}

// members are the hosts of the members of the database's replica set.
func (v *view) members() []*plan.Resource {
	return only(v.ByType(instanceType), func(h *plan.Resource) bool {
		c := v.component(h)
		return c != nil && strings.HasSuffix(c.Type, ":Database")
	})
}

// placeReplicaSet puts a node above the subnets of the replica set's members where there are several. The arrows from and to
// the members begin and end at that node: drawn from each host to each other one, they would hide the hosts. It returns the
// node's id, "" for none.
func (v *view) placeReplicaSet(t *topology, positions map[string]position) string {
	members := v.members()
	if len(members) < 2 {
		return ""
	}
	p, ok := positions[members[0].Text("subnetId")]
	if !ok {
		return ""
	}
	c := v.component(members[0])
	n := node{ID: id(c), Kind: "compute", Title: "MongoDB replica set", Name: c.Name, Notes: []string{counted(len(members), "member")}}
	for _, h := range members {
		n.With = append(n.With, h.Name)
	}
	t.Tiers[p.tier].Spans = append(t.Tiers[p.tier].Spans, span{node: n})
	return n.ID
}

func (v *view) placeEndpoints(t *topology, positions map[string]position, attach func(string, []string)) {
	for _, e := range v.ByType(endpointType) {
		row := slices.IndexFunc(t.Tiers, func(r tier) bool { return r.Name == e.Text("tags.Tier") })
		subnets := list(e.Inputs, "subnetIds")
		for _, s := range subnets {
			if p, ok := positions[s]; ok {
				row = p.tier
			}
		}
		if row < 0 {
			continue
		}
		if groups := list(e.Inputs, "securityGroupIds"); len(subnets) > 0 && len(groups) > 0 && v.byID[groups[0]] != nil {
			t.Tiers[row].addInterface(e.Name, v.byID[groups[0]])
			attach(id(v.byID[groups[0]]), groups)
			continue
		}
		kind := strings.ToLower(cmp.Or(e.Text("vpcEndpointType"), "Gateway"))
		t.Tiers[row].Endpoints = append(t.Tiers[row].Endpoints, node{
			ID: id(e), Kind: "edge", Title: service(e) + " " + kind + " endpoint", Name: e.Name,
		})
	}
}

// addInterface adds an interface endpoint to the node of those with its security group: arrows to each endpoint would hide
// the tier.
func (tr *tier) addInterface(endpoint string, group *plan.Resource) {
	i := slices.IndexFunc(tr.Endpoints, func(n node) bool { return n.ID == id(group) })
	if i < 0 {
		i = len(tr.Endpoints)
		tr.Endpoints = append(tr.Endpoints, node{ID: id(group), Kind: "edge", Title: "Interface endpoints", Name: group.Name})
	}
	n := &tr.Endpoints[i]
	n.Notes, n.With = append(n.Notes, endpoint), append(n.With, endpoint)
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
	distributions := map[string][]string{} // by the node that is their origin
	for _, d := range v.ByType(distributionType) {
		for _, o := range v.origins(d) {
			if o.resource != nil {
				origin := id(o.resource)
				distributions[origin] = append(distributions[origin], id(d))
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
				sources := []string{f}
				if d := distributions[g]; len(d) > 0 && c.From.Name == cloudFront {
					sources = d
				}
				for _, source := range sources {
					if source == g {
						t.addNote(g, c.Label()+" between them")
					} else {
						add(source, g, kind, c.Label())
					}
				}
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
