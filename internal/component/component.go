// Package component is what every component of the stack shares: its registration, and its children's names, options
// and tags.
package component

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/environment"
)

// Scope makes the children of one component.
type Scope struct {
	// Ctx is the program's.
	Ctx *pulumi.Context
	// Env is where the component is deployed.
	Env environment.Environment

	self pulumi.Resource
	name string
	kind string
}

// New registers c as a component of type cinema:<pkg>:<Kind>, lets build make its children, and registers every
// exported output field of c, so that none can be forgotten. Children get their physical names here. Errors are wrapped
// with the component's name.
func New(ctx *pulumi.Context, env environment.Environment, typ, name string, c pulumi.ComponentResource,
	build func(*Scope) error, opts ...pulumi.ResourceOption,
) error {
	opts = append(opts, pulumi.Transformations([]pulumi.ResourceTransformation{physicalNames(env)}))
	if err := ctx.RegisterComponentResource(typ, name, c, opts...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s := &Scope{Ctx: ctx, Env: env, self: c, name: name, kind: typ[strings.LastIndex(typ, ":")+1:]}
	if err := build(s); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return ctx.RegisterResourceOutputs(c, outputs(c))
}

// Name is a child's logical name: the component's, then what the child means.
func (s *Scope) Name(parts ...string) string {
	return strings.Join(append([]string{s.name}, parts...), "-")
}

// Child is the option that every child carries, with further ones after it.
func (s *Scope) Child(opts ...pulumi.ResourceOption) pulumi.ResourceOption {
	return pulumi.Composite(append([]pulumi.ResourceOption{pulumi.Parent(s.self)}, opts...)...)
}

// ID is a component's type and logical name.
type ID struct{ Type, Name string }

// Moved is the alias of a child that the component former, directly under the stack, had before under that logical name.
func (s *Scope) Moved(former ID, typ, name string) pulumi.ResourceOption {
	parent := pulumi.CreateURN(pulumi.String(former.Name), pulumi.String(former.Type), nil, pulumi.String(s.Env.Project), pulumi.String(s.Env.Stack))
	return pulumi.Aliases([]pulumi.Alias{{Type: pulumi.String(typ), Name: pulumi.String(name), ParentURN: parent}})
}

// NewProvider registers a provider for another region. An explicit provider does not inherit the settings of the default
// one, so they are copied: by name, without the region.
func (s *Scope) NewProvider(name, region string, settings map[string]string) (*aws.Provider, error) {
	inputs := pulumi.Map{}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		inputs[key] = pulumi.String(settings[key])
	}
	inputs["region"] = pulumi.String(region)
	var provider aws.Provider
	if err := s.Ctx.RegisterResource("pulumi:providers:aws", s.Name(name), inputs, &provider, s.Child(pulumi.Version(ProviderVersion()))); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	return &provider, nil
}

// Tags of the child with that logical name: the stack config's, then Project, Stack, Component and Name, then extra.
// Later ones win.
func (s *Scope) Tags(name string, extra ...map[string]string) pulumi.StringMap {
	return pulumi.ToStringMap(s.TagValues(name, extra...))
}

// NameTag is the tag Name of the resource with that logical name.
func NameTag(env environment.Environment, logical string) string {
	return strings.Join([]string{env.Project, env.Stack, logical}, "-")
}

// TagValues are Tags for resources that take them in another form.
func (s *Scope) TagValues(name string, extra ...map[string]string) map[string]string {
	return s.tags(s.Env.Tags, name, extra)
}

// ObjectTags are Tags without the stack config's: an S3 object takes ten tags (S3 user guide, "Categorizing your objects
// using tags").
func (s *Scope) ObjectTags(name string, extra ...map[string]string) pulumi.StringMap {
	return pulumi.ToStringMap(s.tags(nil, name, extra))
}

func (s *Scope) tags(configured map[string]string, name string, extra []map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, configured)
	maps.Copy(all, map[string]string{
		"Project":   s.Env.Project,
		"Stack":     s.Env.Stack,
		"Component": s.kind,
		"Name":      NameTag(s.Env, name),
	})
	for _, e := range extra {
		maps.Copy(all, e)
	}
	return all
}

// Reserved are the tag keys that the stack sets itself.
var Reserved = []string{"Component", "MongoDB", "Name", "Project", "Release", "RestoredFrom", "Script", "Stack", "Tier"}

// After resolves to value once every resource of done exists.
func After(value pulumi.StringOutput, done ...pulumi.Resource) pulumi.StringOutput {
	all := []any{value}
	for _, r := range done {
		all = append(all, r.URN())
	}
	return pulumi.All(all...).ApplyT(func(v []any) string { return v[0].(string) }).(pulumi.StringOutput)
}

// outputs maps each exported field of c that holds an output, or a map or list of them, to its
// lower-camel name.
func outputs(c pulumi.ComponentResource) pulumi.Map {
	out := pulumi.Map{}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Anonymous {
			continue
		}
		if in := input(v.Field(i)); in != nil {
			out[lowerCamel(field.Name)] = in
		}
	}
	return out
}

func input(v reflect.Value) pulumi.Input {
	switch in := v.Interface().(type) {
	case pulumi.Resource: // a resource is reached through its own outputs
		return nil
	case pulumi.Input:
		return in
	}
	switch v.Kind() {
	case reflect.Map:
		if v.IsNil() { // what the stack does not have
			return nil
		}
		m := pulumi.Map{}
		for _, k := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int {
			return strings.Compare(a.String(), b.String())
		}) {
			if in := input(v.MapIndex(k)); in != nil {
				m[k.String()] = in
			}
		}
		return m
	case reflect.Slice:
		a := pulumi.Array{}
		for i := range v.Len() {
			if in := input(v.Index(i)); in != nil {
				a = append(a, in)
			}
		}
		return a
	}
	return nil
}

// lowerCamel turns VPCID into vpcId's form: leading capitals go down up to the last one before a
// lower-case letter.
func lowerCamel(s string) string {
	r := []rune(s)
	for i := range r {
		if i > 0 && i+1 < len(r) && unicode.IsLower(r[i+1]) {
			break
		}
		r[i] = unicode.ToLower(r[i])
	}
	return string(r)
}
