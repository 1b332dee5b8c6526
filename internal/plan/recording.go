package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Recording is the result of a program's run.
type Recording struct {
	Err       error                // the program's error, nil where it succeeded
	Resources []*Resource          // everything registered or read except the stack itself, by type and URN
	Exports   resource.PropertyMap // the stack's outputs, secrets unwrapped
	Logs      []Log                // messages logged through ctx.Log, sorted
	Lookups   []string             // tokens of the look-ups, one for each time, sorted

	SecretExports []string // paths of the outputs that are secrets, sorted
}

// Log is one logged message.
type Log struct {
	Severity string // "debug", "info", "warning" or "error"
	Message  string
	URN      string // of the resource that the message belongs to, "" for none
}

// Resource is one registration as it reached the engine.
type Resource struct {
	URN, Type, Name, ID string
	Custom              bool // false for a component
	Read                bool // looked up by id, not created
	Parent              string
	Provider            string
	Providers           map[string]string

	Protect, RetainOnDelete, DeleteBeforeReplace bool
	IgnoreChanges, ReplaceOnChanges, Aliases     []string // sorted
	AdditionalSecretOutputs                      []string // sorted
	DeletedWith                                  string
	Hooks                                        []string            // "beforeCreate api-gate", sorted
	ReplaceWith                                  []string            // URNs, sorted
	Dependencies                                 []string            // URNs, sorted: explicit ones and those of every input
	PropertyDependencies                         map[string][]string // URNs by input, sorted; inputs without any are absent

	Inputs  resource.PropertyMap `json:"-"` // as the program gave them, with unknown values, secrets unwrapped
	Secrets []string             // paths of the inputs that are secrets, sorted
	State   resource.PropertyMap `json:"-"` // AWS's answer; in a preview the values that are known without it
	Outputs resource.PropertyMap `json:"-"` // the outputs that a component registered, nil where it registered none
}

// Input returns the input at a path such as "metadataOptions.httpTokens" or "tags.Name", a null value where there is none.
func (r *Resource) Input(path string) resource.PropertyValue { return At(r.Inputs, path) }

// Text returns the input at a path as text: "" where it is absent, unknown or not a scalar.
func (r *Resource) Text(path string) string {
	switch v := r.Input(path); {
	case v.IsString():
		return v.StringValue()
	case v.IsBool(), v.IsNumber():
		return fmt.Sprint(v.V)
	}
	return ""
}

// At returns the value at a path of properties, a null value where there is none.
func At(m resource.PropertyMap, path string) resource.PropertyValue {
	p, err := resource.ParsePropertyPath(path)
	if err != nil {
		return resource.PropertyValue{}
	}
	v, _ := p.Get(resource.NewProperty(m))
	return v
}

// Export returns the stack output at a path, a null value where there is none.
func (r *Recording) Export(path string) resource.PropertyValue { return At(r.Exports, path) }

// ByType lists the resources of a type, by URN.
func (r *Recording) ByType(typ string) []*Resource {
	var list []*Resource
	for _, res := range r.Resources {
		if res.Type == typ {
			list = append(list, res)
		}
	}
	return list
}

// ByName returns the resource with a logical name, nil where there is none or where several types share the name.
func (r *Recording) ByName(name string) *Resource {
	var found *Resource
	for _, res := range r.Resources {
		if res.Name == name {
			if found != nil {
				return nil
			}
			found = res
		}
	}
	return found
}

// Independent lists the URNs of the resources that do not depend on a resource, directly or through others.
func (r *Recording) Independent(urn string) []string {
	dependent := map[string]bool{urn: true}
	for known := 0; known < len(dependent); {
		known = len(dependent)
		for _, res := range r.Resources {
			on := slices.Concat(res.Dependencies, []string{res.Parent, res.DeletedWith})
			if slices.ContainsFunc(on, func(urn string) bool { return dependent[urn] }) {
				dependent[res.URN] = true
			}
		}
	}
	var others []string
	for _, res := range r.Resources {
		if !dependent[res.URN] {
			others = append(others, res.URN)
		}
	}
	return others
}

// Inventory lists everything registered, one "type name" per line, sorted.
func (r *Recording) Inventory() string {
	var lines []string
	for _, res := range r.Resources {
		lines = append(lines, res.Type+" "+res.Name+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// Plan renders the whole recording. The result does not depend on the order of the registrations.
func (r *Recording) Plan() string {
	var b strings.Builder
	if r.Err != nil {
		fmt.Fprintf(&b, "error: %v\n", r.Err)
	}
	for _, res := range r.Resources {
		res.render(&b)
	}
	for _, k := range r.Exports.StableKeys() {
		fmt.Fprintf(&b, "export %s = ", k)
		render(&b, r.Exports[k])
		b.WriteByte('\n')
	}
	for _, l := range r.Logs {
		fmt.Fprintf(&b, "log %s %s %s\n", l.Severity, l.URN, l.Message)
	}
	return b.String()
}

func (r *Resource) render(b *strings.Builder) {
	fmt.Fprintf(b, "%s\n", r.URN)
	line := func(name string, value any, present bool) {
		if present {
			fmt.Fprintf(b, "  %s: %v\n", name, value)
		}
	}
	line("component", true, !r.Custom)
	line("read", true, r.Read)
	line("id", r.ID, r.ID != "")
	line("parent", r.Parent, r.Parent != "")
	line("provider", r.Provider, r.Provider != "")
	for _, k := range slices.Sorted(maps.Keys(r.Providers)) {
		line("provider of "+k, r.Providers[k], true)
	}
	line("protect", true, r.Protect)
	line("retainOnDelete", true, r.RetainOnDelete)
	line("deleteBeforeReplace", true, r.DeleteBeforeReplace)
	line("deletedWith", r.DeletedWith, r.DeletedWith != "")
	for _, l := range []struct {
		name string
		list []string
	}{
		{"ignoreChanges", r.IgnoreChanges}, {"replaceOnChanges", r.ReplaceOnChanges}, {"replaceWith", r.ReplaceWith}, {"hooks", r.Hooks}, {"aliases", r.Aliases},
		{"additionalSecretOutputs", r.AdditionalSecretOutputs}, {"secrets", r.Secrets}, {"dependencies", r.Dependencies},
	} {
		line(l.name, strings.Join(l.list, " "), len(l.list) > 0)
	}
	for _, k := range slices.Sorted(maps.Keys(r.PropertyDependencies)) {
		line("dependencies of "+k, strings.Join(r.PropertyDependencies[k], " "), true)
	}
	for _, m := range []struct {
		name string
		set  resource.PropertyMap
	}{{"input", r.Inputs}, {"output", r.Outputs}} {
		for _, k := range m.set.StableKeys() {
			fmt.Fprintf(b, "  %s %s = ", m.name, k)
			render(b, m.set[k])
			b.WriteByte('\n')
		}
	}
}

// render writes a value on one line, objects by sorted key.
func render(b *strings.Builder, v resource.PropertyValue) {
	switch {
	case v.IsNull():
		b.WriteString("null")
	case v.IsString():
		fmt.Fprintf(b, "%q", v.StringValue())
	case v.IsArray():
		b.WriteByte('[')
		for i, e := range v.ArrayValue() {
			if i > 0 {
				b.WriteString(", ")
			}
			render(b, e)
		}
		b.WriteByte(']')
	case v.IsObject():
		b.WriteByte('{')
		for i, k := range v.ObjectValue().StableKeys() {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(b, "%s: ", k)
			render(b, v.ObjectValue()[k])
		}
		b.WriteByte('}')
	case v.IsComputed(), v.IsOutput():
		b.WriteString("<unknown>")
	case v.IsAsset():
		fmt.Fprintf(b, "asset %s", v.AssetValue().Hash)
	case v.IsArchive():
		fmt.Fprintf(b, "archive %s", v.ArchiveValue().Hash)
	case v.IsResourceReference():
		fmt.Fprintf(b, "resource %s", v.ResourceReferenceValue().URN)
	default:
		fmt.Fprint(b, v.V)
	}
}

// plain unwraps secrets and, where secrets is not nil, appends their paths to it.
func plain(m resource.PropertyMap, secrets *[]string) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, v := range m {
		out[k] = unwrap(v, string(k), secrets)
	}
	return out
}

func unwrap(v resource.PropertyValue, path string, secrets *[]string) resource.PropertyValue {
	switch {
	case v.IsSecret():
		if secrets != nil {
			*secrets = append(*secrets, path)
		}
		return unwrap(v.SecretValue().Element, path, nil)
	case v.IsArray():
		list := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			list[i] = unwrap(e, fmt.Sprintf("%s[%d]", path, i), secrets)
		}
		return resource.NewProperty(list)
	case v.IsObject():
		m := resource.PropertyMap{}
		for k, e := range v.ObjectValue() {
			m[k] = unwrap(e, path+"."+string(k), secrets)
		}
		return resource.NewProperty(m)
	}
	return v
}
