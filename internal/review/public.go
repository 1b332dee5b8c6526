package review

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
)

// publicResource accepts connections from outside the stack, or has a public address.
type publicResource struct {
	Name, Kind, Open, Why string
	// Protection lists what limits the connections: TLS, firewall, headers.
	Protection []string
	// Closed marks an address that accepts no connection.
	Closed bool
}

// public lists the resources that accept connections from outside, then the addresses that accept none. The reasons are the
// descriptions of the security group rules.
func (v *view) public() []publicResource {
	inbound := v.inbound()
	all := slices.Concat(v.publicDistributions(), v.publicBalancers(inbound), v.publicBuckets(), v.publicFunctions(), v.publicAddresses(inbound))
	all = append(all, inbound.unlisted()...)
	slices.SortStableFunc(all, func(a, b publicResource) int {
		switch {
		case a.Closed == b.Closed:
			return 0
		case a.Closed:
			return 1
		}
		return -1
	})
	return all
}

// ways are the public resources that accept connections, as rows of resource, kind, access and protection.
func (v *view) ways() (rows [][]string) {
	for _, e := range v.public() {
		if !e.Closed {
			rows = append(rows, []string{e.Name, e.Kind, e.Open, strings.Join(append([]string{e.Why}, e.Protection...), "; ")})
		}
	}
	return rows
}

// inbound holds the connections that security groups accept from networks outside.
type inbound struct {
	view        *view
	connections []connection
	listed      map[*plan.Resource]bool // groups of the resources that are listed
}

func (v *view) inbound() *inbound {
	in := &inbound{view: v, listed: map[*plan.Resource]bool{}}
	for _, c := range v.connections() {
		if c.From.Group == nil && c.To.Group != nil {
			in.connections = append(in.connections, c)
		}
	}
	return in
}

// open lists what the groups of a public resource accept.
func (in *inbound) open(groups []string) (ports, why []string) {
	for _, c := range in.connections {
		if slices.ContainsFunc(groups, func(id string) bool { return in.view.byID[id] == c.To.Group }) {
			in.listed[c.To.Group] = true
			ports, why = append(ports, c.source()), append(why, c.Why)
		}
	}
	return ports, why
}

// unlisted lists the rules that accept connections from public addresses, in groups without a public load balancer or Elastic IP
// address.
func (in *inbound) unlisted() (all []publicResource) {
	for _, c := range in.connections {
		private := c.From.Name == cloudFront
		if network, err := netip.ParsePrefix(c.From.Name); err == nil {
			private = network.Addr().IsPrivate()
		}
		if private || in.listed[c.To.Group] {
			continue
		}
		all = append(all, publicResource{
			Name: c.To.Group.Name, Kind: "security group", Open: "port " + c.source(), Why: strings.TrimPrefix(c.Why+"; rule "+strings.Join(c.Rules, ", "), "; "),
			Protection: []string{"no public load balancer or Elastic IP address in this group"},
		})
	}
	return all
}

// source is the port, and where the connections come from unless that is everywhere.
func (c connection) source() string {
	if c.From.Name == "internet" {
		return c.Label()
	}
	return c.Label() + " from " + c.From.Name
}

func (v *view) publicDistributions() (all []publicResource) {
	for _, d := range v.ByType(distributionType) {
		e := publicResource{
			Name: d.Name, Kind: "CloudFront distribution", Open: viewerProtocols(d) + " at " + strings.Join(hostNames(d), ", "),
			Protection: append([]string{viewerTLS(d), v.firewallOf(d)}, v.headersOf(d)...),
		}
		var serves []string
		for _, b := range behaviors(d) {
			for _, o := range v.origins(d) {
				if o.id != text(b, "targetOriginId") {
					continue
				}
				path := text(b, "pathPattern")
				service := v.behind(o, path, list(d.Inputs, "aliases"))
				if service != "" && service == v.behind(o, path+"/*", nil) {
					continue // /demo/* stands for /demo too
				}
				serves = append(serves, behaviorPath(b)+" from "+service+o.name())
			}
		}
		e.Why = "serves " + strings.Join(serves, ", ")
		if !boolean(d.Inputs, "enabled") {
			e.Closed, e.Open = true, "closed: the distribution is disabled"
		}
		all = append(all, e)
	}
	return all
}

// behind names the further service that a load balancer sends requests for a path or for host names to, "" for none.
func (v *view) behind(o origin, path string, hosts []string) string {
	if o.resource == nil || o.resource.Type != balancerType {
		return ""
	}
	for _, s := range v.services() {
		for _, r := range s.rules {
			for _, c := range objects(r.Inputs, "conditions") {
				named := slices.ContainsFunc(list(c, "hostHeader.values"), func(host string) bool { return slices.Contains(hosts, host) })
				if path != "" && slices.Contains(list(c, "pathPattern.values"), path) || path == "" && named {
					return s.name + " through "
				}
			}
		}
	}
	return ""
}

// behaviors lists the cache behaviors of a distribution, in the order in which CloudFront matches them.
func behaviors(d *plan.Resource) []resource.PropertyMap {
	all := objects(d.Inputs, "orderedCacheBehaviors")
	if b := plan.At(d.Inputs, "defaultCacheBehavior"); b.IsObject() {
		all = append(all, b.ObjectValue())
	}
	return all
}

// behaviorPath is the path pattern of a cache behavior.
func behaviorPath(b resource.PropertyMap) string {
	return cmp.Or(text(b, "pathPattern"), "other paths")
}

// hostNames lists the names of a distribution.
func hostNames(d *plan.Resource) []string {
	if names := list(d.Inputs, "aliases"); len(names) > 0 {
		return names
	}
	return []string{"the name that CloudFront assigns"}
}

// viewerProtocols states whether a distribution serves anything over plain HTTP.
func viewerProtocols(d *plan.Resource) string {
	redirected := false
	for _, b := range behaviors(d) {
		switch text(b, "viewerProtocolPolicy") {
		case "https-only":
		case "redirect-to-https":
			redirected = true
		default:
			return "HTTPS and plain HTTP"
		}
	}
	if redirected {
		return "HTTPS (HTTP is redirected)"
	}
	return "HTTPS"
}

// viewerTLS states the TLS versions that a distribution accepts.
func viewerTLS(d *plan.Resource) string {
	if boolean(d.Inputs, "viewerCertificate.cloudfrontDefaultCertificate") {
		return "TLS 1.0 or later: CloudFront's own certificate sets no other minimum" // CloudFront API reference, "ViewerCertificate"
	}
	policy := text(d.Inputs, "viewerCertificate.minimumProtocolVersion")
	version, _, _ := strings.Cut(strings.TrimPrefix(policy, "TLSv"), "_")
	if policy == version || version == "" {
		return "TLS policy: " + cmp.Or(policy, "not set")
	}
	if !strings.Contains(version, ".") {
		version += ".0"
	}
	return "TLS " + version + " or later (" + policy + ")"
}

// firewall is the web ACL of a distribution, nil where there is none.
func (v *view) firewall(d *plan.Resource) *plan.Resource { return v.byID[text(d.Inputs, "webAclId")] }

// firewallOf states what the firewall of a distribution does.
func (v *view) firewallOf(d *plan.Resource) string {
	acl := v.firewall(d)
	switch {
	case acl != nil:
		return "firewall " + acl.Name + " " + firewallMode(acl)
	case text(d.Inputs, "webAclId") != "":
		return "firewall " + v.readable(text(d.Inputs, "webAclId"))
	}
	return "no firewall"
}

// firewallMode states which rules of a web ACL block requests.
func firewallMode(acl *plan.Resource) string {
	if !plan.At(acl.Inputs, "defaultAction.block").IsNull() {
		return "blocks requests that no rule allows"
	}
	var block, count []string
	for _, r := range objects(acl.Inputs, "rules") {
		switch name := text(r, "name"); {
		case !plan.At(r, "action.block").IsNull(), !plan.At(r, "overrideAction.none").IsNull():
			block = append(block, name)
		default:
			count = append(count, name)
		}
	}
	switch {
	case len(block)+len(count) == 0:
		return "has no rules"
	case len(block) == 0:
		return "only counts (" + strings.Join(count, ", ") + ")"
	case len(count) == 0:
		return "blocks (" + strings.Join(block, ", ") + ")"
	}
	return "blocks (" + strings.Join(block, ", ") + "), only counts (" + strings.Join(count, ", ") + ")"
}

// securityHeaders are the headers that a response headers policy can set, by the property that sets them.
var securityHeaders = []struct{ property, header string }{
	{"contentSecurityPolicy", "Content-Security-Policy"}, {"contentTypeOptions", "X-Content-Type-Options"}, {"frameOptions", "X-Frame-Options"},
	{"referrerPolicy", "Referrer-Policy"}, {"strictTransportSecurity", "Strict-Transport-Security"}, {"xssProtection", "X-XSS-Protection"},
}

// headersOf states the security headers that a distribution adds to its answers: once, or for each path where they differ.
func (v *view) headersOf(d *plan.Resource) []string {
	var all, byPath []string
	for _, b := range behaviors(d) {
		headers := v.headers(text(b, "responseHeadersPolicyId"))
		all, byPath = append(all, headers), append(byPath, headers+" on "+behaviorPath(b))
	}
	if all = slices.Compact(all); len(all) > 1 {
		return byPath
	}
	return all
}

// headers describes a response headers policy, "" for none.
func (v *view) headers(policy string) string {
	p := v.byID[policy]
	if p == nil && policy != "" {
		return "headers of policy " + policy
	}
	var headers []string
	for _, h := range securityHeaders {
		if p != nil && !plan.At(p.Inputs, "securityHeadersConfig."+h.property).IsNull() {
			headers = append(headers, h.header)
		}
	}
	if len(headers) == 0 {
		return "no security headers"
	}
	return "headers " + strings.Join(headers, ", ")
}

// origin is a source of a distribution's answers.
type origin struct {
	id string
	// resource is the bucket, or the load balancer behind a VPC origin. Where it is not in this stack, nil.
	resource *plan.Resource
	domain   string
}

func (o origin) name() string {
	if o.resource != nil {
		return o.resource.Name
	}
	return o.domain
}

func (v *view) origins(d *plan.Resource) (all []origin) {
	for _, m := range objects(d.Inputs, "origins") {
		o := origin{id: text(m, "originId"), domain: text(m, "domainName")}
		if vpc := v.byID[text(m, "vpcOriginConfig.vpcOriginId")]; vpc != nil && vpc.Type == vpcOriginType {
			o.resource = v.byID[vpc.Text("vpcOriginEndpointConfig.arn")]
		} else {
			o.resource = v.byID[o.domain]
		}
		all = append(all, o)
	}
	return all
}

func (v *view) publicBalancers(in *inbound) (all []publicResource) {
	for _, b := range v.ByType(balancerType) {
		if boolean(b.Inputs, "internal") {
			continue
		}
		ports, why := in.open(list(b.Inputs, "securityGroups"))
		e := publicResource{
			Name: b.Name, Kind: "load balancer", Open: "port " + strings.Join(ports, ", "), Why: strings.Join(why, "; "), Closed: len(ports) == 0,
		}
		if e.Closed {
			e.Open = "closed: no rule allows inbound connections"
		}
		for _, s := range v.services() {
			if slices.ContainsFunc(s.rules, func(r *plan.Resource) bool {
				l := v.byID[r.Text("listenerArn")]
				return l != nil && v.byID[l.Text("loadBalancerArn")] == b
			}) {
				e.Why += "; " + s.route() + " from " + s.name
			}
		}
		for _, l := range v.ByType(listenerType) {
			if v.byID[l.Text("loadBalancerArn")] == b && l.Text("sslPolicy") != "" {
				e.Protection = append(e.Protection, "TLS on port "+amount(number(l.Inputs, "port"))+" ("+l.Text("sslPolicy")+")")
			}
		}
		if len(e.Protection) == 0 {
			e.Protection = []string{"no TLS"}
		}
		all = append(all, e)
	}
	return all
}

// publicStatements lists what a bucket's policy allows everyone, and the statements that do.
func (v *view) publicStatements(bucket *plan.Resource) (what, why []string) {
	for _, p := range v.ByType(bucketPolicyType) {
		if v.byID[p.Text("bucket")] != bucket {
			continue
		}
		for _, g := range v.parse(p, p.Text("policy"), nil, bucket) {
			if !g.Denied && slices.Contains(g.Principals, everyone) && len(g.Conditions) == 0 {
				what = append(what, g.Verbs...)
				why = append(why, "statement "+cmp.Or(g.Sid, "without Sid")+" of "+p.Name)
			}
		}
	}
	return what, why
}

func (v *view) publicBuckets() (all []publicResource) {
	for _, b := range v.ByType(bucketType) {
		if what, why := v.publicStatements(b); len(what) > 0 {
			all = append(all, publicResource{Name: b.Name, Kind: "bucket", Open: "everyone may " + strings.Join(what, ", "), Why: strings.Join(why, "; ")})
		}
	}
	return all
}

func (v *view) publicFunctions() (all []publicResource) {
	for _, u := range v.ByType(functionURLType) {
		if u.Text("authorizationType") == "NONE" {
			all = append(all, publicResource{Name: u.Name, Kind: "function URL", Open: "everyone may invoke it", Why: "authorizationType is NONE"})
		}
	}
	return all
}

func (v *view) publicAddresses(in *inbound) (all []publicResource) {
	for _, a := range v.ByType(addressType) {
		e := publicResource{Name: a.Name, Kind: "public address", Closed: true}
		if host := v.byID[a.Text("instance")]; host != nil {
			e.Kind = "public address of " + host.Name
			ports, why := in.open(list(host.Inputs, "vpcSecurityGroupIds"))
			if len(ports) > 0 {
				e.Closed, e.Open, e.Why = false, "port "+strings.Join(ports, ", "), strings.Join(why, "; ")
			} else {
				e.Open, e.Why = "closed: no rule allows inbound connections", "outbound traffic of the host"
			}
		} else {
			for _, n := range v.ByType(natType) {
				if v.byID[n.Text("allocationId")] == a {
					e.Kind = "public address of NAT gateway " + n.Name
				}
			}
			e.Open, e.Why = "closed: NAT allows no inbound connections", "outbound traffic of the private tier"
		}
		all = append(all, e)
	}
	return all
}
