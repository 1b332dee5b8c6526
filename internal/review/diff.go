package review

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/awssim"
	"cinema-database/internal/plan"
)

// changes holds the differences between two recordings.
type changes struct {
	Ref, Commit, Subject string
	Added, Removed       []named
	Changed              []changed
	Outputs              []edit
	Cost                 []costEdit
	Before, After        float64
}

func (c *changes) None() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed)+len(c.Outputs) == 0
}

// Replaced counts the changed resources that AWS must replace.
func (c *changes) Replaced() int {
	n := 0
	for _, r := range c.Changed {
		if len(r.Replaces) > 0 {
			n++
		}
	}
	return n
}

// Difference is the change of the monthly cost, in US dollars.
func (c *changes) Difference() float64 { return c.After - c.Before }

type named struct {
	Name, Type string
	// Note states the effect of protection or retention on a removal.
	Note string
}

// changed is a resource of both recordings, with its differences.
type changed struct {
	Name, Type string
	// Replaces lists the inputs that AWS cannot change in place.
	Replaces []string
	Edits    []edit
}

type edit struct{ Path, Before, After string }

type costEdit struct {
	What          string
	Before, After float64
}

// difference compares two recordings by URN and alias, as the engine does.
func difference(before, after *plan.Recording) *changes {
	old, now := newView(before), newView(after)
	c := &changes{}
	previous, found := map[*plan.Resource]*plan.Resource{}, map[*plan.Resource]bool{}
	for _, r := range now.Resources {
		for _, urn := range now.urns(r) {
			if was := old.byURN[urn]; was != nil {
				previous[r], found[was] = was, true
				break
			}
		}
	}
	for _, r := range old.Resources {
		if !found[r] {
			n := named{Name: r.Name, Type: r.Type}
			switch {
			case r.RetainOnDelete:
				n.Note = "stays on AWS, unmanaged"
			case r.Protect:
				n.Note = "protected: Pulumi refuses the update until it is unprotected"
			}
			c.Removed = append(c.Removed, n)
		}
	}
	for _, r := range now.Resources {
		was := previous[r]
		if was == nil {
			c.Added = append(c.Added, named{Name: r.Name, Type: r.Type})
			continue
		}
		if d := compare(old, now, was, r); len(d.Edits) > 0 {
			c.Changed = append(c.Changed, d)
		}
	}
	slices.SortStableFunc(c.Changed, func(a, b changed) int { return min(len(b.Replaces), 1) - min(len(a.Replaces), 1) })
	c.Outputs = edits(flat(old, nil, before.Exports, nil), flat(now, nil, after.Exports, nil))
	c.costs(old.estimate(), now.estimate())
	return c
}

// urns lists the URNs that the engine finds a resource by: its own, then those of its aliases and its parents' aliases.
func (v *view) urns(r *plan.Resource) []string {
	all, types := []string{r.URN}, []string{r.Type}
	for _, alias := range r.Aliases {
		var typ string
		if strings.HasPrefix(alias, "urn:") {
			all = append(all, alias)
		} else if _, err := fmt.Sscanf(alias, "name= type=%s project=", &typ); err == nil {
			types = append(types, typ)
		}
	}
	// urn:pulumi:<stack>::<project>::<types, the outermost parent's first, joined by $>::<name>
	parts, chains := strings.SplitN(r.URN, "::", 4), []string{""}
	if parent := v.byURN[r.Parent]; parent != nil {
		chains = nil
		for _, urn := range v.urns(parent) {
			chains = append(chains, strings.SplitN(urn, "::", 4)[2]+"$")
		}
	}
	for _, chain := range chains {
		for _, typ := range types {
			all = append(all, strings.Join([]string{parts[0], parts[1], chain + typ, parts[3]}, "::"))
		}
	}
	return all
}

func compare(old, now *view, was, is *plan.Resource) changed {
	d := changed{Name: is.Name, Type: is.Type}
	if is.Custom {
		d.Replaces = awssim.Diff(is.Type, was.Inputs, is.Inputs).Without(is.IgnoreChanges).Replaces
		d.Edits = edits(flat(old, was, was.Inputs, is.IgnoreChanges), flat(now, is, is.Inputs, is.IgnoreChanges))
	}
	for _, o := range []struct {
		name    string
		was, is any
	}{
		{"protect", was.Protect, is.Protect},
		{"retainOnDelete", was.RetainOnDelete, is.RetainOnDelete},
		{"deleteBeforeReplace", was.DeleteBeforeReplace, is.DeleteBeforeReplace},
		{"ignoreChanges", strings.Join(was.IgnoreChanges, ", "), strings.Join(is.IgnoreChanges, ", ")},
	} {
		if o.was != o.is {
			d.Edits = append(d.Edits, edit{"(option) " + o.name, fmt.Sprint(o.was), fmt.Sprint(o.is)})
		}
	}
	return d
}

func edits(before, after map[string]string) []edit {
	var all []edit
	for _, k := range keysOf(before, after) {
		b, inBefore := before[k]
		a, inAfter := after[k]
		if inBefore && inAfter && a == b {
			continue
		}
		e := edit{Path: k, Before: abbreviate(b), After: abbreviate(a)}
		if !inBefore {
			e.Before = "(absent)"
		}
		if !inAfter {
			e.After = "(absent)"
		}
		all = append(all, e)
	}
	return all
}

// flat maps every path of a property map to its scalar, without ignored properties. It shows the
// owner's own physical name, whose change replaces the owner, and logical names for everything else.
func flat(v *view, owner *plan.Resource, m resource.PropertyMap, ignored []string) map[string]string {
	into := map[string]string{}
	for k, value := range m {
		switch {
		case slices.Contains(ignored, string(k)):
		case owner != nil && value.IsString() && (k == "name" || v.byID[value.StringValue()] == owner):
			into[string(k)] = value.StringValue()
		default:
			flatten(v, into, string(k), value)
		}
	}
	return into
}

// flatten adds every scalar below a path. It parses JSON in strings, such as policy documents, so that a review shows only
// the statement that changed.
func flatten(v *view, into map[string]string, path string, value resource.PropertyValue) {
	switch {
	case value.IsObject() && len(value.ObjectValue()) > 0:
		for k, e := range value.ObjectValue() {
			flatten(v, into, path+"."+string(k), e)
		}
	case value.IsArray() && len(value.ArrayValue()) > 0:
		if scalars(value.ArrayValue()) {
			into[path] = v.readable(render(value))
			return
		}
		for i, e := range value.ArrayValue() {
			flatten(v, into, path+"["+v.readable(element(i, e))+"]", e)
		}
	case value.IsString():
		s := value.StringValue()
		if strings.HasPrefix(s, "{") {
			var inner map[string]any
			if json.Unmarshal([]byte(s), &inner) == nil {
				flatten(v, into, path, resource.NewPropertyValue(inner))
				return
			}
		}
		into[path] = v.readable(s)
	default:
		into[path] = v.readable(render(value))
	}
}

func scalars(list []resource.PropertyValue) bool {
	return !slices.ContainsFunc(list, func(v resource.PropertyValue) bool { return v.IsObject() || v.IsArray() })
}

// element identifies a list's element by its own name where it has one: its index changes when an earlier one is removed.
func element(i int, v resource.PropertyValue) string {
	if v.IsObject() {
		for _, key := range []resource.PropertyKey{"Sid", "id", "key", "name", "ruleNo", "resourceType"} {
			if s, ok := v.ObjectValue()[key]; ok && (s.IsString() || s.IsNumber()) {
				return render(s)
			}
		}
	}
	return fmt.Sprint(i)
}

// maxValue is the length of the longest value that is shown in full, in characters.
const maxValue = 120

// abbreviate shortens a long value to its beginning, its length and a digest that distinguishes it from others.
func abbreviate(s string) string {
	r := []rune(s)
	if len(r) <= maxValue {
		return s
	}
	return fmt.Sprintf("%s… (%s bytes, SHA-256 %.6x…)", string(r[:maxValue/2]), amount(float64(len(s))), sha256.Sum256([]byte(s)))
}

func (c *changes) costs(before, after estimate) {
	c.Before, c.After = before.USD, after.USD
	sum := func(e estimate) map[string]float64 {
		m := map[string]float64{}
		for _, l := range e.Lines {
			m[l.What] += l.USD
		}
		return m
	}
	b, a := sum(before), sum(after)
	for _, k := range keysOf(b, a) {
		if d := a[k] - b[k]; d > 0.005 || d < -0.005 {
			c.Cost = append(c.Cost, costEdit{k, b[k], a[k]})
		}
	}
	slices.SortStableFunc(c.Cost, func(x, y costEdit) int { return cmp.Compare(y.After-y.Before, x.After-x.Before) })
}

// keysOf lists the keys of both maps, sorted, each once.
func keysOf[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}
