package awssim

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// defaultsKey marks, as the AWS provider does, the inputs that the provider filled in. A name listed there may
// change when the resource is replaced, so that the new one can exist beside the old.
const defaultsKey resource.PropertyKey = "__defaults"

// suffixDigits is how many hexadecimal digits auto-naming appends.
const suffixDigits = 7

// Named returns a request's inputs with the physical name filled in as the AWS provider does: the logical name, a dash
// and seven hexadecimal digits, cut to the type's limit. The digits follow from the URN and generation, where the
// provider takes random ones. olds are the inputs of the resource as it exists, nil for a new one: its name is kept.
// Inputs that name the resource stay as they are.
func Named(r Request, olds Properties) Properties {
	a, inputs := kinds[r.Type].name, r.Inputs
	key := resource.PropertyKey(a.property)
	if a.property == "" || inputs.HasValue(key) || inputs.HasValue("namePrefix") || inputs.HasValue("bucketPrefix") {
		return inputs
	}
	if _, unknown := inputs[key]; unknown && inputs[key].ContainsUnknowns() {
		return inputs
	}
	out := inputs.Copy()
	out[defaultsKey] = strs(a.property)
	if old, ok := olds[key]; ok && wasDefault(olds, a.property) {
		out[key] = old
		return out
	}
	base := a.prefix + r.Name
	if a.lower {
		base = strings.ToLower(base)
	}
	if limit := a.max - suffixDigits - 1; a.max > 0 && len(base) > limit {
		base = base[:limit]
	}
	out[key] = resource.NewProperty(base + "-" + hash(r.seed(), suffixDigits))
	return out
}

// wasDefault says whether the provider filled a property in.
func wasDefault(inputs Properties, property string) bool {
	v, ok := inputs[defaultsKey]
	if !ok || !v.IsArray() {
		return false
	}
	for _, e := range v.ArrayValue() {
		if e.IsString() && e.StringValue() == property {
			return true
		}
	}
	return false
}
