package awssim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// kind describes how AWS treats one resource type.
type kind struct {
	prefix  string              // prefix of an EC2-style id
	id      func(*draft) string // the id, where it is not EC2-style
	arn     string              // ARN after "arn:<partition>:", with {id}, {name}, {region}, {account}
	tagged  bool                // the state has tagsAll even where the inputs have no tags
	outputs func(*draft)        // everything else that AWS decides
	name    naming              // the name that the inputs must give, for types that have one

	// replace lists the properties that AWS cannot change in place, nested ones with dots (rootBlockDevice.encrypted) and
	// without list indexes: those for which terraform-provider-aws 5.100 plans a replacement.
	replace []string
	// replaces reports whether a changed property replaces the resource because of its value or another input.
	replaces func(olds, news Properties, path string) bool
	// moving lists the outputs that a change of the resource's content changes.
	moving []string
	// changes lists the properties that AWS changes itself: an update that leaves them as they are does not set them.
	changes []string
	// unique returns a key that no two resources of the type may share, "" where they may share everything.
	unique func(Properties) string
	// overwrites means that a creation replaces the resource with the same id, as putting an object does.
	overwrites bool
	// needs lists the properties that hold another resource's id, ARN or name: that resource must exist first and cannot
	// be deleted before this one. EC2 ids are not listed; the account recognizes them by their form.
	needs []need
	// missing holds AWS's error codes for a reference to a resource that does not exist, by the property in needs. Others
	// are NotFound.
	missing map[string]string
	// inUse is AWS's error code for the deletion of a resource that another one needs, DependencyViolation where it is "".
	inUse string
	// part is the property that refers to the whole that this resource is a part of: AWS deletes the part with the whole.
	part string
	// refuse returns why AWS refuses the creation, given the resources that exist.
	refuse func(*Account, Properties) error
	// refuseUpdate returns why AWS refuses the change of a resource to a new state.
	refuseUpdate func(a *Account, old Resource, in Properties) error
	// keep returns why AWS refuses the deletion.
	keep func(*Account, Resource) error
}

// need is a reference to a resource of one of several types.
type need struct {
	property string // nested ones with dots and without list indexes: origins.originAccessControlId
	types    []string
}

// need1 returns a list of one need.
func need1(property string, types ...string) []need { return []need{{property, types}} }

// onUpdate makes a check of creations one of updates.
func onUpdate(refuse func(*Account, Properties) error) func(*Account, Resource, Properties) error {
	return func(a *Account, _ Resource, in Properties) error { return refuse(a, in) }
}

// naming is the property that holds a type's name in the account.
type naming struct {
	property string // "" for types without a name
	limit    int    // length of the longest name that AWS accepts, in characters
	// revisions means that resources share the name: each is a revision of it.
	revisions bool
}

// check returns why AWS refuses a resource's name, nil where it does not.
func (n naming) check(in Properties) error {
	const constraint = "1 validation error detected: Value %s at '%s' failed to satisfy constraint: Member must "
	name := text(in, n.property)
	switch {
	case n.property == "":
	case name == "":
		return refusal("ValidationException", constraint+"not be null", "null", n.property)
	case len(name) > n.limit:
		return refusal("ValidationException", constraint+"have length less than or equal to %d", "'"+name+"'", n.property, n.limit)
	}
	return nil
}

// kinds has every type that the model knows.
var kinds = merge(networkKinds, computeKinds, balancerKinds, storageKinds, identityKinds, eventKinds, operationKinds, edgeKinds, containerKinds)

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

// same returns a function that takes the id from a property.
func same(property string) func(*draft) string {
	return func(d *draft) string { return d.text(property) }
}

// joined returns a function that joins the values of several properties to an id.
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

// arnID returns a function that makes an ARN the id.
func arnID(pattern string) func(*draft) string {
	return func(d *draft) string { return d.expand(pattern) }
}

// pick returns a function for kind.unique that joins the values of properties to a key.
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
