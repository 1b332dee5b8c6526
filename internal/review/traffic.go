package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
)

const everywhere = "0.0.0.0/0"

// peer is one end of a connection: a security group, or a network outside.
type peer struct {
	Name  string         // the group's logical name without the component's prefix, "internet", a CIDR, or an AWS service
	Group *plan.Resource // nil for a network outside
}

// connection is the traffic that one or two security group rules allow.
type connection struct {
	From, To peer
	Port     string // "443", "8000–8010", "all"
	Protocol string // "tcp", "udp", "icmp", "all"
	Why      string // the rules' description
	Rules    []string
	// Blocked is the reason why the connection fails, "" where it succeeds: the other group has no matching rule.
	Blocked string
}

// Label is the port, with the protocol unless it is TCP.
func (c connection) Label() string {
	if c.Protocol == "tcp" {
		return c.Port
	}
	return c.Protocol + " " + c.Port
}

// matrix holds the ports that each source may reach on each destination.
type matrix struct {
	From, To []string
	Cells    [][]string // by From, then To; "" where nothing is allowed
}

// connections joins the recorded rules: the egress rule of one group and the ingress rule of the other are one connection.
func (v *view) connections() []connection {
	type half struct {
		connection
		ingress bool
		name    string
	}
	var halves []half
	add := func(name string, group *plan.Resource, ingress bool, m resource.PropertyMap) {
		base := connection{
			Port: ports(number(m, "fromPort"), number(m, "toPort")), Protocol: protocol(text(m, "protocol")),
			Why: text(m, "description"),
		}
		if base.Protocol == "all" {
			base.Port = "all"
		}
		own := peer{v.groupName(group), group}
		var others []peer
		for _, c := range append(list(m, "cidrBlocks"), list(m, "ipv6CidrBlocks")...) {
			others = append(others, network(c))
		}
		for _, p := range list(m, "prefixListIds") {
			others = append(others, peer{Name: v.prefixList(p)})
		}
		for _, id := range append(list(m, "securityGroups"), text(m, "sourceSecurityGroupId")) {
			if g := v.byID[id]; g != nil {
				others = append(others, peer{v.groupName(g), g})
			}
		}
		if boolean(m, "self") {
			others = append(others, own)
		}
		for _, o := range others {
			c := base
			c.From, c.To = own, o
			if ingress {
				c.From, c.To = o, own
			}
			halves = append(halves, half{c, ingress, name})
		}
	}
	for _, r := range v.ByType(ruleType) {
		if group := v.byID[text(r.Inputs, "securityGroupId")]; group != nil {
			add(r.Name, group, text(r.Inputs, "type") == "ingress", r.Inputs)
		}
	}
	for _, g := range v.ByType(groupType) {
		for _, m := range objects(g.Inputs, "ingress") {
			add(g.Name, g, true, m)
		}
		for _, m := range objects(g.Inputs, "egress") {
			add(g.Name, g, false, m)
		}
	}
	var all []connection
	joined := map[string]int{}
	sides := map[int][2]bool{}
	for _, h := range halves {
		key := strings.Join([]string{h.From.Name, h.To.Name, h.Protocol, h.Port}, "\x00")
		i, seen := joined[key]
		if !seen {
			i = len(all)
			joined[key], all = i, append(all, h.connection)
		}
		all[i].Rules = append(all[i].Rules, h.name)
		if all[i].Why == "" {
			all[i].Why = h.Why
		}
		s := sides[i]
		if h.ingress {
			s[1] = true
		} else {
			s[0] = true
		}
		sides[i] = s
	}
	for i := range all {
		c := &all[i]
		slices.Sort(c.Rules)
		switch {
		case c.From.Group != nil && c.To.Group != nil && !sides[i][0]:
			c.Blocked = "blocked: " + c.From.Name + " has no egress rule for it"
		case c.From.Group != nil && c.To.Group != nil && !sides[i][1]:
			c.Blocked = "blocked: " + c.To.Name + " has no ingress rule for it"
		}
	}
	order := v.peerOrder(all)
	slices.SortFunc(all, func(a, b connection) int {
		return cmp.Or(order[a.From.Name]-order[b.From.Name], order[a.To.Name]-order[b.To.Name], strings.Compare(a.Port, b.Port))
	})
	return all
}

// peerOrder ranks peers from the outside in: networks, then groups by their distance from the internet, then services.
func (v *view) peerOrder(all []connection) map[string]int {
	rank := map[string]int{"internet": 0}
	var names []string
	for _, c := range all {
		for _, p := range []peer{c.From, c.To} {
			if !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	outside := map[string]bool{"internet": true}
	for _, c := range all {
		if c.From.Group == nil {
			outside[c.From.Name] = true
		}
	}
	depth := func(name string) int {
		switch {
		case name == "internet":
			return 0
		case outside[name]:
			return 1
		case slices.ContainsFunc(all, func(c connection) bool { return c.To.Name == name && c.To.Group == nil }):
			return 9
		}
		for d, from := 2, outside; d < 8; d++ {
			next := map[string]bool{}
			for _, c := range all {
				if from[c.From.Name] {
					if c.To.Name == name {
						return d
					}
					if c.To.Group != nil {
						next[c.To.Name] = true
					}
				}
			}
			from = next
		}
		return 2 // not reachable from outside, so ranked as an entry point
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(depth(a)-depth(b), strings.Compare(a, b)) })
	for i, n := range names {
		rank[n] = i
	}
	return rank
}

func (v *view) matrix(all []connection) matrix {
	order := v.peerOrder(all)
	var m matrix
	tasks := v.taskGroups()
	to := func(p peer) string {
		if len(tasks) > 1 && slices.Contains(tasks, p.Group) {
			return servicesPeer // a column for each would make the table too wide
		}
		return p.Name
	}
	for _, c := range all {
		if !slices.Contains(m.From, c.From.Name) {
			m.From = append(m.From, c.From.Name)
		}
		if name := to(c.To); !slices.Contains(m.To, name) {
			m.To = append(m.To, name)
			order[name] = order[c.To.Name]
		}
	}
	by := func(a, b string) int { return order[a] - order[b] }
	slices.SortFunc(m.From, by)
	slices.SortFunc(m.To, by)
	for _, f := range m.From {
		row := make([]string, len(m.To))
		for i, t := range m.To {
			var labels []string
			for _, c := range all {
				if c.From.Name == f && to(c.To) == t && c.Blocked == "" && !slices.Contains(labels, c.Label()) {
					labels = append(labels, c.Label())
				}
			}
			row[i] = strings.Join(labels, " ")
		}
		m.Cells = append(m.Cells, row)
	}
	return m
}

// servicesPeer stands for all services in the heading of the matrix.
const servicesPeer = "services"

// Many reports whether the matrix has more columns than a page of medium width holds with horizontal headings.
func (m matrix) Many() bool { return len(m.To) > 6 }

// trafficRows are the connections as rows of source, destination, port and reason.
func (v *view) trafficRows() (rows [][]string) {
	for _, c := range v.connections() {
		rows = append(rows, []string{c.From.Name, c.To.Name, c.Protocol + " " + c.Port, strings.TrimSpace(c.Why + " " + c.Blocked)})
	}
	return rows
}

// groupName is a security group's logical name without the component's prefix.
func (v *view) groupName(g *plan.Resource) string {
	if p := v.byURN[g.Parent]; p != nil {
		return strings.TrimPrefix(g.Name, p.Name+"-")
	}
	return g.Name
}

func network(cidr string) peer {
	if cidr == everywhere || cidr == "::/0" {
		return peer{Name: "internet"}
	}
	return peer{Name: cidr}
}

// cloudFront is the peer behind CloudFront's prefix list.
const cloudFront = "cloudfront"

// prefixList is the name of a prefix list: cloudFront, or the service of its gateway endpoint.
func (v *view) prefixList(id string) string {
	if id == v.cloudFrontList {
		return cloudFront
	}
	for _, e := range v.ByType(endpointType) {
		if text(e.State, "prefixListId") == id {
			return service(e)
		}
	}
	return id
}

// service is the service of an endpoint: S3 for com.amazonaws.us-east-1.s3.
func service(endpoint *plan.Resource) string {
	name := endpoint.Text("serviceName")
	name = name[strings.LastIndex(name, ".")+1:]
	if len(name) <= 3 {
		return strings.ToUpper(name)
	}
	return name
}

func ports(from, to float64) string {
	if from == to {
		return fmt.Sprint(int(from))
	}
	return fmt.Sprintf("%d–%d", int(from), int(to))
}

func protocol(p string) string {
	switch p {
	case "-1", "all":
		return "all"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	}
	return p
}

type aclRule struct {
	ACL, Direction, Action, Network, Port string
	Number                                int
}

func (v *view) aclRules() []aclRule {
	var all []aclRule
	for _, acl := range v.ByType(aclType) {
		for _, direction := range []string{"ingress", "egress"} {
			for _, m := range objects(acl.Inputs, direction) {
				r := aclRule{
					ACL: acl.Name, Direction: map[string]string{"ingress": "in from", "egress": "out to"}[direction],
					Action: text(m, "action"), Network: text(m, "cidrBlock"), Number: int(number(m, "ruleNo")),
					Port: protocol(text(m, "protocol")) + " " + ports(number(m, "fromPort"), number(m, "toPort")),
				}
				if s := v.subnetOf(r.Network); s != "" {
					r.Network += " (" + s + ")"
				}
				all = append(all, r)
			}
		}
	}
	return all
}

func (v *view) subnetOf(cidr string) string {
	for _, s := range v.ByType(subnetType) {
		if s.Text("cidrBlock") == cidr {
			return s.Name
		}
	}
	return ""
}
