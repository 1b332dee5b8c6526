package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type count struct {
	What string
	N    int
}

// componentCounts counts the resources of one component.
type componentCounts struct {
	Name, Type string
	Total      int
	Types      []count
}

func (v *view) counts() (components []componentCounts, types []count, total int) {
	index := map[string]int{}
	byType := map[string]int{}
	each := map[string]map[string]int{}
	for _, r := range v.Resources {
		if !r.Custom {
			continue
		}
		total++
		byType[r.Type]++
		name, typ := "(no component)", ""
		if c := v.component(r); c != nil {
			name, typ = c.Name, c.Type
		}
		i, seen := index[name]
		if !seen {
			i = len(components)
			index[name], each[name] = i, map[string]int{}
			components = append(components, componentCounts{Name: name, Type: typ})
		}
		components[i].Total++
		each[name][r.Type]++
	}
	for i := range components {
		components[i].Types = sortedCounts(each[components[i].Name])
	}
	slices.SortFunc(components, func(a, b componentCounts) int { return strings.Compare(a.Name, b.Name) })
	return components, sortedCounts(byType), total
}

func sortedCounts(m map[string]int) []count {
	var all []count
	for t, n := range m {
		all = append(all, count{t, n})
	}
	slices.SortFunc(all, func(a, b count) int { return cmp.Or(b.N-a.N, strings.Compare(a.What, b.What)) })
	return all
}

// protectedResource is a resource that Pulumi or AWS does not delete, and why.
type protectedResource struct{ Name, Type, How string }

func (v *view) protected() []protectedResource {
	var all []protectedResource
	for _, r := range v.Resources {
		var how []string
		if r.Protect {
			how = append(how, "Pulumi refuses to delete it")
		}
		if r.RetainOnDelete {
			how = append(how, "Pulumi keeps it on AWS when the program drops it")
		}
		if boolean(r.Inputs, "enableDeletionProtection") {
			how = append(how, "AWS refuses to delete it")
		}
		if len(how) > 0 {
			all = append(all, protectedResource{r.Name, r.Type, strings.Join(how, "; ")})
		}
	}
	return all
}

// output is a stack output, with its value where a first preview knows it.
type output struct{ Name, Value string }

func (v *view) outputs(preview resource.PropertyMap, secrets []string) []output {
	var all []output
	names := v.readable
	var walk func(path string, v resource.PropertyValue)
	walk = func(path string, v resource.PropertyValue) {
		switch {
		case slices.Contains(secrets, path):
			all = append(all, output{path, "(secret)"})
		case v.IsObject() && len(v.ObjectValue()) > 0:
			for _, k := range v.ObjectValue().StableKeys() {
				walk(path+"."+string(k), v.ObjectValue()[k])
			}
		case v.IsComputed() || v.IsOutput() || v.ContainsUnknowns():
			all = append(all, output{path, unknown})
		default:
			all = append(all, output{path, abbreviate(names(render(v)))})
		}
	}
	for _, k := range preview.StableKeys() {
		walk(string(k), preview[k])
	}
	return all
}

// unknown is shown for a value that only a deployment determines.
const unknown = "(known after deployment)"

// render formats a value on one line.
func render(v resource.PropertyValue) string {
	switch {
	case v.IsNull():
		return "null"
	case v.IsString():
		return v.StringValue()
	case v.IsNumber(), v.IsBool():
		return strings.TrimSuffix(fmt.Sprint(v.V), ".0")
	case v.IsArray():
		var parts []string
		for _, e := range v.ArrayValue() {
			parts = append(parts, render(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case v.IsObject():
		var parts []string
		for _, k := range v.ObjectValue().StableKeys() {
			parts = append(parts, string(k)+": "+render(v.ObjectValue()[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case v.IsAsset():
		return "file with SHA-256 " + v.AssetValue().Hash
	case v.IsArchive():
		return "archive with SHA-256 " + v.ArchiveValue().Hash
	case v.IsComputed(), v.IsOutput():
		return unknown
	case v.IsSecret():
		return "(secret)"
	case v.IsResourceReference():
		return v.ResourceReferenceValue().URN.Name()
	}
	return fmt.Sprint(v.V)
}

// publicResource is reachable from the internet, or has a public address.
type publicResource struct {
	Name, Kind, Open, Why string
	// Closed marks an address that accepts no connection.
	Closed bool
}

// public lists the resources that are reachable from the internet or have a public address, reachable ones first. The
// reasons are the descriptions of the security group rules.
func (v *view) public() []publicResource {
	var all []publicResource
	connections := v.connections()
	open := func(groups []string) (ports, why []string) {
		for _, c := range connections {
			if c.From.Group != nil || c.To.Group == nil {
				continue
			}
			for _, id := range groups {
				if v.byID[id] == c.To.Group {
					from := ""
					if c.From.Name != "internet" {
						from = " from " + c.From.Name
					}
					ports, why = append(ports, c.Label()+from), append(why, c.Why)
				}
			}
		}
		return ports, why
	}
	for _, b := range v.ByType(balancerType) {
		if boolean(b.Inputs, "internal") {
			continue
		}
		ports, why := open(list(b.Inputs, "securityGroups"))
		all = append(all, publicResource{b.Name, "load balancer", "port " + strings.Join(ports, ", "), strings.Join(why, "; "), len(ports) == 0})
	}
	for _, b := range v.ByType(bucketType) {
		e := publicResource{Name: b.Name, Kind: "bucket"}
		var what, why []string
		for _, p := range v.ByType(bucketPolicyType) {
			if v.byID[p.Text("bucket")] != b {
				continue
			}
			for _, g := range v.parse(p, p.Text("policy"), nil, b) {
				if !g.Denied && slices.Contains(g.Principals, everyone) && len(g.Conditions) == 0 {
					what = append(what, g.Verbs...)
					why = append(why, "statement "+cmp.Or(g.Sid, "without Sid")+" of "+p.Name)
				}
			}
		}
		for _, w := range v.ByType(websiteType) {
			if v.byID[w.Text("bucket")] == b && len(what) > 0 {
				what = append(what, "use its website over HTTP")
			}
		}
		if len(what) > 0 {
			e.Open, e.Why = "everyone may "+strings.Join(what, ", "), strings.Join(why, "; ")
			all = append(all, e)
		}
	}
	for _, u := range v.ByType(functionURLType) {
		if u.Text("authorizationType") == "NONE" {
			all = append(all, publicResource{u.Name, "function URL", "everyone may invoke it", "authorizationType is NONE", false})
		}
	}
	for _, a := range v.ByType(addressType) {
		e := publicResource{Name: a.Name, Kind: "public address", Closed: true}
		if host := v.byID[a.Text("instance")]; host != nil {
			e.Kind = "public address of " + host.Name
			ports, why := open(list(host.Inputs, "vpcSecurityGroupIds"))
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
