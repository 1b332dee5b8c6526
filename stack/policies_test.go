package stack

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/deepcopy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

// control is one rule that every plan of the stack must keep.
type control struct {
	// id is Security Hub's (EC2.2) or Checkov's (CKV_AWS_46), or a word for one of the stack's own rules.
	id      string
	demands string
	check   func(*audit)
}

// audit is one control's check of one plan.
type audit struct {
	*pulumitest.Recording
	kinds    []string // the types that the control checks; the plan must have each
	findings []finding
}

type finding struct{ resource, problem string }

func (f finding) String() string { return f.resource + ": " + f.problem }

func (c control) audit(r *pulumitest.Recording) *audit {
	s := &audit{Recording: r}
	c.check(s)
	return s
}

// each checks every resource of a type. A plan without any is a finding: a control must not pass on nothing.
func (s *audit) each(typ string, check func(*pulumitest.Resource)) {
	s.kinds = append(s.kinds, typ)
	s.expect(len(s.ByType(typ)) > 0, typ, "the plan has none")
	s.any(check, typ)
}

// every is a control of a resource type, whose resources must all be ok.
func every(typ, problem string, ok func(*pulumitest.Resource) bool) func(*audit) {
	return func(s *audit) {
		s.each(typ, func(r *pulumitest.Resource) { s.require(ok(r), r, "%s", problem) })
	}
}

// has requires resources of these types.
func (s *audit) has(types ...string) {
	for _, typ := range types {
		s.each(typ, func(*pulumitest.Resource) {})
	}
}

// any checks resources of types that the stack need not have.
func (s *audit) any(check func(*pulumitest.Resource), types ...string) {
	for _, typ := range types {
		for _, r := range s.ByType(typ) {
			check(r)
		}
	}
}

func (s *audit) require(ok bool, r *pulumitest.Resource, format string, args ...any) {
	s.expect(ok, r.Name, format, args...)
}

func (s *audit) expect(ok bool, name, format string, args ...any) {
	if !ok {
		s.findings = append(s.findings, finding{name, fmt.Sprintf(format, args...)})
	}
}

// referring are the resources of a type with an input that is the id of another resource.
func (s *audit) referring(typ, input string, of *pulumitest.Resource) []*pulumitest.Resource {
	return slices.DeleteFunc(s.ByType(typ), func(r *pulumitest.Resource) bool { return of.ID == "" || r.Text(input) != of.ID })
}

func (s *audit) withID(typ string, ids ...string) []*pulumitest.Resource {
	return slices.DeleteFunc(s.ByType(typ), func(r *pulumitest.Resource) bool { return !slices.Contains(ids, r.ID) })
}

// auditedPlans are each stack's own config, which must need exactly the exceptions of exceptions_test.go, and variants
// of it.
var auditedPlans = []struct {
	name, stack string
	change      map[string]string
}{
	{"dev", "dev", nil},
	{"prod", "prod", nil},
	{"full", "full", nil},
	{"dev without NAT and with SSH for operators", "dev", map[string]string{
		"cinema:natGateways": "none", "cinema:bastion": `{"cidrs":["203.0.113.0/24"]}`,
	}},
}

func TestPolicies(t *testing.T) {
	for _, plan := range auditedPlans {
		t.Run(plan.name, func(t *testing.T) {
			r := planned(t, plan.stack, plan.change)
			used := map[*exception]bool{}
			for _, c := range controls {
				t.Run(c.id+" "+c.demands, func(t *testing.T) {
					s := c.audit(r)
					require.NotEmpty(t, s.kinds, "it checks nothing")
					for _, f := range s.findings {
						if e := excepted(c.id, f.resource, plan.stack); e != nil {
							used[e] = true
						} else {
							t.Error(f)
						}
					}
				})
			}
			if plan.change != nil {
				return
			}
			t.Run("exceptions", func(t *testing.T) {
				for i := range exceptions {
					e := &exceptions[i]
					if e.in(plan.stack) && !used[e] {
						t.Errorf("%s: %s meets it in %s: remove the exception", e.control, e.resource, plan.stack)
					}
				}
			})
		})
	}
}

func TestExceptionsAreForKnownControlsWithAReason(t *testing.T) {
	for _, e := range exceptions {
		assert.True(t, slices.ContainsFunc(controls, func(c control) bool { return c.id == e.control }), "%s is not a control", e.control)
		assert.NotEmpty(t, e.reason, "%s of %s", e.control, e.resource)
		for _, s := range e.stacks {
			assert.Contains(t, stacks, s)
		}
	}
}

// TestEveryControlCanFail breaks plans, one input at a time: each control must report what is broken.
func TestEveryControlCanFail(t *testing.T) {
	base := planned(t, "prod", map[string]string{
		"cinema:thumbnailer": `{"concurrency": 10}`,
		"cinema:domain":      `{"zone":"example.com","createZone":true,"hosts":[{"name":"films.example.com","service":"api"}]}`,
	})
	eachCanFail(t, base, controls, mutations)
}

// eachCanFail breaks a plan with each mutation, and takes each kind of resource from it: a control must report that.
func eachCanFail(t *testing.T, base *pulumitest.Recording, controls []control, mutations []mutation) {
	t.Helper()
	broken := map[string]bool{}
	for _, m := range mutations {
		t.Run(m.control+" "+m.name, func(t *testing.T) {
			i := slices.IndexFunc(controls, func(c control) bool { return c.id == m.control })
			require.GreaterOrEqual(t, i, 0, "no such control")
			c := controls[i]
			broken[c.id] = true
			before := c.audit(base).findings
			r := copied(base)
			m.change(t, r)
			var reported []string
			for _, f := range c.audit(r).findings {
				if !slices.Contains(before, f) {
					reported = append(reported, f.resource)
				}
			}
			assert.Contains(t, reported, m.reports)
		})
	}
	for _, c := range controls {
		assert.True(t, broken[c.id], "no mutation breaks %s", c.id)
		for _, kind := range c.audit(base).kinds {
			r := copied(base)
			r.Resources = slices.DeleteFunc(r.Resources, func(r *pulumitest.Resource) bool { return r.Type == kind })
			assert.Contains(t, c.audit(r).findings, finding{kind, "the plan has none"}, "%s passes without any %s", c.id, kind)
		}
	}
}

// copied returns a recording whose resources and inputs can be changed.
func copied(r *pulumitest.Recording) *pulumitest.Recording {
	c := *r
	c.Resources = nil
	for _, res := range r.Resources {
		clone := *res
		clone.Inputs = deepcopy.Copy(res.Inputs).(resource.PropertyMap)
		c.Resources = append(c.Resources, &clone)
	}
	return &c
}

// as returns a value of a type, the zero value where it has another.
func as[T any](v resource.PropertyValue) T {
	typed, _ := v.V.(T)
	return typed
}

// list returns an input's elements, none where it is absent.
func list(r *pulumitest.Resource, path string) []resource.PropertyValue {
	return as[[]resource.PropertyValue](r.Input(path))
}

func texts(values []resource.PropertyValue) []string {
	var all []string
	for _, v := range values {
		if v.IsString() {
			all = append(all, v.StringValue())
		}
	}
	return all
}

// leaf is a string anywhere in a resource's inputs.
type leaf struct{ path, text string }

func leaves(path string, v resource.PropertyValue) []leaf {
	var all []leaf
	switch {
	case v.IsString():
		all = append(all, leaf{path, v.StringValue()})
	case v.IsArray():
		for i, e := range v.ArrayValue() {
			all = append(all, leaves(fmt.Sprintf("%s[%d]", path, i), e)...)
		}
	case v.IsObject():
		for _, k := range v.ObjectValue().StableKeys() {
			all = append(all, leaves(path+"."+string(k), v.ObjectValue()[k])...)
		}
	}
	return all
}

func inputs(r *pulumitest.Resource) []leaf {
	var all []leaf
	for _, k := range r.Inputs.StableKeys() {
		all = append(all, leaves(string(k), r.Inputs[k])...)
	}
	return all
}

// script returns what an instance runs at its first boot, the user data without base64 and gzip, and its size in bytes as
// EC2 counts them.
func script(r *pulumitest.Resource) (text string, size int, err error) {
	var data []byte
	for _, input := range []string{"userDataBase64", "userData"} {
		given := r.Text(input)
		if given == "" {
			continue
		}
		if data, err = base64.StdEncoding.DecodeString(given); err != nil {
			if input == "userDataBase64" || r.Type == "aws:ec2/launchTemplate:LaunchTemplate" {
				return "", 0, err
			}
			data = []byte(given) // an instance accepts plain text
		}
		break
	}
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return string(data), len(data), nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", 0, err
	}
	plain, err := io.ReadAll(z)
	return string(plain), len(data), err
}

// statement is a statement of a policy document.
type statement struct {
	on                     *pulumitest.Resource
	sid, effect            string
	actions, resources     []string
	notActions, notTargets []string
	principals             []string
	conditions             map[string]map[string]any
	// identity marks a statement of an identity policy, as opposed to a resource policy.
	identity bool
}

// documents finds policy documents in all text inputs.
func (s *audit) documents() []statement {
	var all []statement
	for _, r := range s.Resources {
		for _, l := range inputs(r) {
			if !strings.HasPrefix(strings.TrimSpace(l.text), "{") {
				continue
			}
			var d struct{ Statement json.RawMessage }
			if json.Unmarshal([]byte(l.text), &d) != nil || d.Statement == nil {
				continue
			}
			var list []map[string]any
			if json.Unmarshal(d.Statement, &list) != nil {
				var one map[string]any
				err := json.Unmarshal(d.Statement, &one)
				s.require(err == nil, r, "%s: %v", l.path, err)
				list = []map[string]any{one}
			}
			for _, m := range list {
				st := statement{
					on: r, actions: words(m["Action"]), resources: words(m["Resource"]),
					notActions: words(m["NotAction"]), notTargets: words(m["NotResource"]), principals: principals(m),
					identity: strings.HasPrefix(r.Type, "aws:iam/") && l.path != "assumeRolePolicy",
				}
				st.sid, _ = m["Sid"].(string)
				st.effect, _ = m["Effect"].(string)
				if c, ok := m["Condition"].(map[string]any); ok {
					st.conditions = map[string]map[string]any{}
					for operator, keys := range c {
						st.conditions[operator], _ = keys.(map[string]any)
					}
				}
				all = append(all, st)
			}
		}
	}
	return all
}

// allowed are the statements that allow something. The plan must have resources of each type.
func (s *audit) allowed(types ...string) []statement {
	s.has(types...)
	return slices.DeleteFunc(s.documents(), func(st statement) bool { return st.effect != "Allow" })
}

func (st statement) String() string { return fmt.Sprintf("statement %q", st.sid) }

func principals(m map[string]any) []string {
	var all []string
	if m["NotPrincipal"] != nil {
		all = append(all, "*")
	}
	byKind, _ := m["Principal"].(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(byKind)) {
		all = append(all, words(byKind[k])...)
	}
	return append(all, words(m["Principal"])...)
}

func words(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, fmt.Sprint(e))
		}
		return all
	}
	return nil
}
