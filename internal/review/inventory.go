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
