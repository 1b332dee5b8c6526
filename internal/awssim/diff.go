package awssim

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Change is what lies between a resource's old inputs and its new ones.
type Change struct {
	Properties   map[string]plugin.PropertyDiff // by path; those that force a replacement are of a Replace kind
	Fields       []string                       // top-level properties that differ, sorted
	Replaces     []string                       // paths that force a replacement, sorted
	DeleteBefore bool                           // the old must go before the new can be: both would have one name
}

// None says whether nothing differs.
func (c Change) None() bool { return len(c.Fields) == 0 }

// Diff compares a resource's inputs, and says what AWS would change in place and what needs a new resource.
// A value that is not known yet counts as different.
func Diff(typ string, olds, news Properties) Change {
	k := kinds[typ]
	internal := func(p resource.PropertyKey) bool { return strings.HasPrefix(string(p), "__") }
	diff := olds.Diff(news, internal)
	c := Change{Properties: map[string]plugin.PropertyDiff{}}
	if diff == nil {
		return c
	}
	for path, d := range plugin.NewDetailedDiffFromObjectDiff(diff, true) {
		if forces(k.replace, path) {
			d.Kind = d.Kind.AsReplace()
			c.Replaces = append(c.Replaces, path)
		}
		c.Properties[path] = d
	}
	for _, key := range diff.ChangedKeys() {
		c.Fields = append(c.Fields, string(key))
	}
	slices.Sort(c.Fields)
	slices.Sort(c.Replaces)
	name := resource.PropertyKey(k.name.property)
	if n := news[name]; len(c.Replaces) > 0 && k.name.property != "" && n.IsString() && olds[name].IsString() {
		c.DeleteBefore = n.StringValue() == olds[name].StringValue() && !wasDefault(news, k.name.property)
	}
	return c
}

var index = regexp.MustCompile(`\[(\d+|"[^"]*")\]`)

// forces says whether a change at a path touches a property that AWS cannot change in place.
func forces(replace []string, path string) bool {
	path = index.ReplaceAllString(path, "")
	for _, r := range replace {
		if path == r || strings.HasPrefix(path, r+".") || strings.HasPrefix(r, path+".") {
			return true
		}
	}
	return false
}

// moved lists the outputs that a change of fields makes AWS decide anew.
func moved(typ string, fields []string) []string {
	k := kinds[typ]
	for _, f := range fields {
		if f != "tags" && f != "updateDefaultVersion" && f != "defaultVersion" {
			return k.moving
		}
	}
	return nil
}

// Without leaves out the changes of top-level properties that are to be ignored.
func (c Change) Without(ignored []string) Change {
	if len(ignored) == 0 {
		return c
	}
	out := Change{Properties: map[string]plugin.PropertyDiff{}, DeleteBefore: c.DeleteBefore}
	in := func(path string) bool {
		return slices.ContainsFunc(ignored, func(i string) bool { return forces([]string{i}, path) })
	}
	for path, d := range c.Properties {
		if !in(path) {
			out.Properties[path] = d
		}
	}
	for _, r := range c.Replaces {
		if !in(r) {
			out.Replaces = append(out.Replaces, r)
		}
	}
	for _, f := range c.Fields {
		if !slices.Contains(ignored, f) {
			out.Fields = append(out.Fields, f)
		}
	}
	return out
}
