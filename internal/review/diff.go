package review

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/awssim"
	"cinema-database/internal/plan"
)

// changes is what an update does: by the engine's plan, by a comparison with another commit, or by both.
type changes struct {
	Ref, Commit, Subject string   // of the commit that is compared, "" for none
	Planned              bool     // the steps are the engine's
	Problems             []string // the errors of the engine's preview
	StandIns             bool     // the commit's review command records stand-ins for its binaries

	Steps    []step // worst first
	Outputs  []edit
	Releases []release
	Effects  []effect
	Verdict  string

	comparison
}

// comparison is what two sides allow and cost.
type comparison struct {
	Compared      bool  // the fields are known
	then          *view // what is there before
	Cost          []costEdit
	Before, After float64
	Ways          []rowEdit // rows of "What is public"
	Traffic       []rowEdit
	Access        []rowEdit
}

// With begins the sentence that names the commit.
func (c *changes) With() string {
	if c.Planned {
		return "Releases and outputs are compared"
	}
	return "Compared"
}

func (c *changes) None() bool { return len(c.Steps)+len(c.Outputs)+len(c.Problems) == 0 }

// Count counts the steps of an operation.
func (c *changes) Count(op string) int {
	n := 0
	for _, s := range c.Steps {
		if s.Op == op {
			n++
		}
	}
	return n
}

// Difference is the change of the monthly cost, in US dollars.
func (c *changes) Difference() float64 { return c.After - c.Before }

type edit struct{ Path, Before, After string }

// costEdit is a line of the estimate that both sides have, or one side has. What is the line's text on each side.
type costEdit struct {
	Was, Is       string
	Before, After float64
}

// What is the line's text: both texts where they differ.
func (e costEdit) What() string {
	switch {
	case e.Was == e.Is || e.Was == "":
		return e.Is
	case e.Is == "":
		return e.Was
	}
	return e.Was + " → " + e.Is
}

func (e costEdit) Difference() float64 { return e.After - e.Before }

// rowEdit is a row of a table that only one side has.
type rowEdit struct {
	Added bool
	Cells []string
}

// Sign is + or −.
func (r rowEdit) Sign() string {
	if r.Added {
		return "+"
	}
	return "−"
}

// rowTable is a table of rows that only one side has.
type rowTable struct {
	Title string
	Heads []string
	Rows  []rowEdit
}

// Tables lists what the two sides allow differently, without the tables that have no rows.
func (c *changes) Tables() []rowTable {
	return slices.DeleteFunc([]rowTable{
		{"Ways in", []string{"Resource", "Kind", "Access", "Reason and protection"}, c.Ways},
		{"Traffic", []string{"From", "To", "Port", "Reason"}, c.Traffic},
		{"Permissions", []string{"Principal", "Effect", "Actions", "Resource", "Condition"}, c.Access},
	}, func(t rowTable) bool { return len(t.Rows) == 0 })
}

// compareRows lists the rows that only one side has: removed ones first, each side in its order.
func compareRows(before, after [][]string) (all []rowEdit) {
	side := func(rows, others [][]string, added bool) {
		for _, r := range rows {
			if !slices.ContainsFunc(others, func(o []string) bool { return slices.Equal(r, o) }) {
				all = append(all, rowEdit{added, r})
			}
		}
	}
	side(before, after, false)
	side(after, before, true)
	return all
}

// only are the elements of a list that keep keeps.
func only[T any](list []T, keep func(T) bool) (kept []T) {
	for _, e := range list {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// difference compares two sides by URN and alias, as the engine does.
func difference(old, now *view) *changes {
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
			c.Steps = append(c.Steps, step{Op: opDelete, Name: r.Name, Type: r.Type, Protected: r.Protect, Retained: r.RetainOnDelete, was: r.Inputs, state: r.State})
		}
	}
	for _, r := range now.Resources {
		was := previous[r]
		if was == nil {
			c.Steps = append(c.Steps, step{Op: opCreate, Name: r.Name, Type: r.Type, is: r.Inputs})
			continue
		}
		if s := compare(old, now, was, r); len(s.Edits) > 0 {
			c.Steps = append(c.Steps, s)
		}
	}
	slices.SortStableFunc(c.Steps, byHarm)
	c.Outputs = edits(flat(old, nil, old.Exports, nil), flat(now, nil, now.Exports, nil))
	c.compared(old, now, func(grant) bool { return true })
	return c
}

// compared fills in what the two sides allow and cost. Of the grants it compares those that keep keeps.
func (c *changes) compared(old, now *view, keep func(grant) bool) {
	c.then, c.Compared = old, true
	c.costs(old.estimate(), now.estimate())
	c.Ways = compareRows(old.ways(), now.ways())
	c.Traffic = compareRows(old.trafficRows(), now.trafficRows())
	c.Access = compareAccess(old, now, keep)
}

// urns lists the URNs that the engine finds a resource by: its own, then those of its aliases and its parents' aliases.
func (v *view) urns(r *plan.Resource) []string {
	all, types, names := []string{r.URN}, []string{r.Type}, []string{r.Name}
	for _, alias := range r.Aliases {
		if strings.HasPrefix(alias, "urn:") {
			all = append(all, alias)
			continue
		}
		for part := range strings.FieldsSeq(alias) {
			if typ := strings.TrimPrefix(part, "type="); typ != part && typ != "" {
				types = append(types, typ)
			}
			if name := strings.TrimPrefix(part, "name="); name != part && name != "" {
				names = append(names, name)
			}
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
			for _, name := range names {
				all = append(all, strings.Join([]string{parts[0], parts[1], chain + typ, name}, "::"))
			}
		}
	}
	return all
}

func compare(old, now *view, was, is *plan.Resource) step {
	d := step{Op: opUpdate, Name: is.Name, Type: is.Type, Protected: was.Protect, Retained: was.RetainOnDelete, was: was.Inputs, is: is.Inputs, state: was.State}
	if is.Custom {
		d.Replaces = awssim.Diff(is.Type, was.Inputs, is.Inputs).Without(is.IgnoreChanges).Replaces
		d.Edits = edits(flat(old, was, was.Inputs, is.IgnoreChanges), flat(now, is, is.Inputs, is.IgnoreChanges))
	}
	if len(d.Replaces) > 0 {
		d.Op = opReplace
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

// edits lists the paths whose values differ. What is new or gone as a whole, such as an element of a list, is one edit.
func edits(before, after map[string]string) []edit {
	var all []edit
	whole := map[string][]string{}
	for _, k := range keysOf(before, after) {
		b, inBefore := before[k]
		a, inAfter := after[k]
		switch {
		case inBefore && inAfter && a != b:
			all = append(all, edit{Path: k, Before: abbreviate(b), After: abbreviate(a)})
		case inBefore && !inAfter:
			at := outermost(k, after)
			whole[at] = append(whole[at], relative(k, at)+b)
			if len(whole[at]) == 1 {
				all = append(all, edit{Path: at, After: absent})
			}
		case inAfter && !inBefore:
			at := outermost(k, before)
			whole[at] = append(whole[at], relative(k, at)+a)
			if len(whole[at]) == 1 {
				all = append(all, edit{Path: at, Before: absent})
			}
		}
	}
	for i, e := range all {
		switch content := abbreviate(strings.Join(whole[e.Path], ", ")); absent {
		case e.Before:
			all[i].After = content
		case e.After:
			all[i].Before = content
		}
	}
	return all
}

const absent = "(absent)"

// outermost is the shortest beginning of a path that no path of the other side has.
func outermost(path string, other map[string]string) string {
	for i := 1; i < len(path); i++ {
		if (path[i] == '.' || path[i] == '[') && !begins(other, path[:i]) {
			return path[:i]
		}
	}
	return path
}

func begins(paths map[string]string, with string) bool {
	for p := range paths {
		if rest, ok := strings.CutPrefix(p, with); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// relative is a path below another one, as the label of a value.
func relative(path, above string) string {
	if path == above {
		return ""
	}
	return strings.TrimPrefix(path[len(above):], ".") + ": "
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
		if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[{") { // the latter for containers
			var inner any
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
		if title := plan.At(v.ObjectValue(), "properties.title"); title.IsString() { // a dashboard's widget
			return title.StringValue()
		}
		for _, key := range []resource.PropertyKey{"Sid", "id", "key", "name", "ruleNo", "resourceType", "zone"} {
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

// costs pairs the lines of two estimates, the largest differences first.
func (c *changes) costs(before, after estimate) {
	c.Before, c.After = before.USD, after.USD
	lines := map[string]costEdit{}
	for _, l := range before.Lines {
		e := lines[l.Key]
		e.Was, e.Before = l.What, e.Before+l.USD
		lines[l.Key] = e
	}
	for _, l := range after.Lines {
		e := lines[l.Key]
		e.Is, e.After = l.What, e.After+l.USD
		lines[l.Key] = e
	}
	for _, k := range slices.Sorted(maps.Keys(lines)) {
		if d := lines[k].Difference(); d > 0.005 || d < -0.005 {
			c.Cost = append(c.Cost, lines[k])
		}
	}
	slices.SortStableFunc(c.Cost, func(x, y costEdit) int { return cmp.Compare(math.Abs(y.Difference()), math.Abs(x.Difference())) })
}

// keysOf lists the keys of both maps, sorted, each once.
func keysOf[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}
