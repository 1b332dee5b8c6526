package awssim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// kind says how AWS treats one resource type.
type kind struct {
	prefix  string              // prefix of an EC2-style id
	id      func(*draft) string // the id, where it is not EC2-style
	arn     string              // ARN after "arn:<partition>:", with {id}, {name}, {region}, {account}
	tagged  bool                // has tagsAll without tags too
	outputs func(*draft)        // everything else that AWS decides
	name    autoName            // physical name, where the provider makes one

	// replace lists the properties that AWS cannot change in place, nested ones with dots
	// (rootBlockDevice.encrypted), list indexes left out: those for which terraform-provider-aws 5.100 plans a replacement.
	replace []string
	// moving lists the outputs that a change of the resource's content changes.
	moving []string
	// unique returns what no two resources of the type may share, "" for nothing.
	unique func(Properties) string
	// overwrites is for types whose creation replaces what is there under the same id, as putting an object does.
	overwrites bool
	// needs names the properties that hold another resource's id, ARN or name: it must exist first and cannot be deleted
	// before this one. EC2 ids need no listing; they are known by their form.
	needs []need
	// part names the property that holds what this resource is a part of: AWS deletes it along.
	part string
	// refuse returns why AWS refuses the creation among the resources that exist.
	refuse func(*Account, Properties) error
	// keep returns why AWS refuses the deletion.
	keep func(*Account, Resource) error
}

// need is a reference to a resource of one of several types.
type need struct {
	property string
	types    []string
}

// need1 is the list of a single need.
func need1(property string, types ...string) []need { return []need{{property, types}} }

// autoName is how a provider names a resource whose program gives no name: "<logical>-<7 hex>".
type autoName struct {
	property string // "" for types that are not named
	max      int    // longest name that AWS takes, in characters
	lower    bool   // AWS takes lower case only
	prefix   string // what AWS wants every name to start with
}

// kinds holds every type that the model knows.
var kinds = merge(networkKinds, computeKinds, balancerKinds, storageKinds, identityKinds, eventKinds, operationKinds)

func merge(groups ...map[string]kind) map[string]kind {
	all := map[string]kind{}
	for _, g := range groups {
		for t, k := range g {
			if _, twice := all[t]; twice {
				panic(fmt.Sprintf("awssim: type %s is described twice", t))
			}
			all[t] = k
		}
	}
	return all
}

// Types lists the types that the model describes, sorted.
func Types() []string { return slices.Sorted(maps.Keys(kinds)) }

// same makes an id of one property's value.
func same(property string) func(*draft) string {
	return func(d *draft) string { return d.text(property) }
}

// joined makes an id of several properties' values.
func joined(sep string, properties ...string) func(*draft) string {
	return func(d *draft) string {
		s := ""
		for i, p := range properties {
			if i > 0 {
				s += sep
			}
			s += d.text(p)
		}
		return s
	}
}

// arnID is the id of types that AWS knows by ARN.
func arnID(pattern string) func(*draft) string {
	return func(d *draft) string { return d.expand(pattern) }
}

// pick joins the values of properties into a key for kind.unique.
func pick(properties ...string) func(Properties) string {
	return func(in Properties) string {
		s := ""
		for _, p := range properties {
			if v, ok := in[resource.PropertyKey(p)]; ok {
				s += fmt.Sprintf("%s=%v;", p, v.Mappable())
			}
		}
		return s
	}
}

func strs(values ...string) resource.PropertyValue {
	list := make([]resource.PropertyValue, len(values))
	for i, v := range values {
		list[i] = resource.NewProperty(v)
	}
	return resource.NewProperty(list)
}

func num(n int) resource.PropertyValue { return resource.NewProperty(float64(n)) }
