package awssim

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Change is the difference between a resource's old inputs and its new ones.
type Change struct {
	Properties   map[string]plugin.PropertyDiff // by path; a property that forces a replacement has a Replace kind
	Fields       []string                       // top-level properties that differ, sorted
	Replaces     []string                       // paths that force a replacement, sorted
	DeleteBefore bool                           // the old resource must be deleted first: both would have the same name
}

// None reports whether nothing differs.
func (c Change) None() bool { return len(c.Fields) == 0 }

// Diff compares a resource's inputs and separates what AWS changes in place from what needs a new resource.
// An unknown value counts as different.
func Diff(typ string, olds, news Properties) Change {
	k := kinds[typ]
	diff := olds.Diff(news)
	c := Change{Properties: map[string]plugin.PropertyDiff{}}
	if diff == nil {
		return c
	}
	for path, d := range plugin.NewDetailedDiffFromObjectDiff(diff, true) {
		if forces(k.replace, path) || k.replaces != nil && k.replaces(olds, news, path) {
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
	name := text(news, k.name.property)
	c.DeleteBefore = len(c.Replaces) > 0 && !k.name.revisions && name != "" && name == text(olds, k.name.property)
	return c
}

var index = regexp.MustCompile(`\[(\d+|"[^"]*")\]`)

// forces reports whether a path is in a property that AWS cannot change in place.
func forces(replace []string, path string) bool {
	path = index.ReplaceAllString(path, "")
	for _, r := range replace {
		if path == r || strings.HasPrefix(path, r+".") || strings.HasPrefix(r, path+".") {
			return true
		}
	}
	return false
}

// moved lists the outputs that AWS sets again when fields change.
func moved(typ string, fields []string) []string {
	k := kinds[typ]
	for _, f := range fields {
		if f != "tags" && f != "updateDefaultVersion" && f != "defaultVersion" {
			return k.moving
		}
	}
	return nil
}

// Without returns the change without the top-level properties that are ignored.
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
