package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/problem"
)

// reader reads keys of the project's namespace and collects problems. The default of an absent key is the table's; so is
// that of a malformed one, which is a problem too.
type reader struct {
	ctx      *pulumi.Context
	problems *problem.List
	defaults map[string]any
	// targets are the Go types of the keys that were read.
	targets map[string]reflect.Type
}

func newReader(ctx *pulumi.Context, problems *problem.List) *reader {
	r := &reader{ctx: ctx, problems: problems, defaults: map[string]any{}, targets: map[string]reflect.Type{}}
	for _, k := range keys {
		r.defaults[k.Name] = k.Default
	}
	return r
}

// full returns a key with its namespace.
func (r *reader) full(key string) string { return r.ctx.Project() + ":" + key }

// useFamily replaces the family of the default instance types.
func (r *reader) useFamily(family string) {
	for name, value := range r.defaults {
		if strings.HasSuffix(name, ".instanceType") {
			_, size, _ := strings.Cut(value.(string), ".")
			r.defaults[name] = family + "." + size
		}
	}
}

// read sets *into to the key's value, and to its default where the key is absent. Fields that a map leaves out get their
// defaults. A pointer stays nil where the key is absent.
func (r *reader) read(key string, into any) {
	target := reflect.ValueOf(into).Elem()
	r.targets[key] = target.Type()
	text, given := r.ctx.GetConfig(r.full(key))
	if !given && target.Kind() == reflect.Pointer {
		return
	}
	r.setDefault(key, target)
	if !given {
		return
	}
	v := parse(text)
	switch v.(type) {
	case json.Number, bool:
		if target.Kind() == reflect.String {
			v = text // it may have had quotes
		}
	}
	decoder{r.problems}.decode(key, v, target)
}

func (r *reader) setDefault(key string, target reflect.Value) {
	value, ok := r.defaults[key]
	if of := fields(key); len(of) > 0 {
		all := map[string]any{}
		for _, k := range of {
			all[strings.TrimPrefix(k.Name, key+".")] = r.defaults[k.Name]
		}
		value, ok = all, true
	}
	if !ok || value == nil {
		return
	}
	text, err := json.Marshal(value)
	problems := problem.In("")
	if err == nil {
		decoder{problems}.decode(key, parse(string(text)), target)
		err = problems.Err()
	}
	if err != nil {
		panic(fmt.Sprintf("the defaults of %s are not its own: %v", key, err))
	}
}

// enum reads a text that is one of values.
func (r *reader) enum(key string, into *string, values ...string) {
	r.read(key, into)
	if !slices.Contains(values, *into) {
		r.problems.Add(key, *into, "is none of "+strings.Join(values, ", "), "use one of them")
		*into = r.defaults[key].(string)
	}
}

// durationText is a duration in config: text like 45m, or the number 0.
type durationText string

// SetText accepts a number too.
func (d *durationText) SetText(text string) { *d = durationText(text) }

// duration parses the value of a field.
func (r *reader) duration(key string, value durationText) time.Duration {
	d, err := time.ParseDuration(string(value))
	if err != nil {
		r.problems.AddUnread(key, string(value), "is not a duration", "write it like "+r.defaults[key].(string)+", or 0")
	}
	return d
}

// hideSecrets keeps the values that Pulumi has decrypted out of the problems.
func (r *reader) hideSecrets() {
	for _, key := range configKeys(r.ctx) {
		if name, ours := strings.CutPrefix(key, r.full("")); ours && r.ctx.IsConfigSecret(key) {
			text, _ := r.ctx.GetConfig(key)
			r.problems.Hide(name, texts(parse(text))...)
		}
	}
}

// texts returns every text in a value.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, element := range v {
			all = append(all, texts(element)...)
		}
	case map[string]any:
		for _, element := range v {
			all = append(all, texts(element)...)
		}
	}
	return all
}

// provider returns the settings of the aws namespace, by key without it, except the region.
func (r *reader) provider() map[string]string {
	settings := map[string]string{}
	for _, key := range configKeys(r.ctx) {
		if name, ok := strings.CutPrefix(key, "aws:"); ok && name != "region" {
			settings[name], _ = r.ctx.GetConfig(key)
		}
	}
	return settings
}

// configKeys lists the full keys of the stack's config, sorted. The SDK only reads single keys, so this reads the SDK's
// map by reflection; a test fails when an SDK release moves it.
func configKeys(ctx *pulumi.Context) []string {
	config := reflect.ValueOf(ctx).Elem().FieldByName("state").Elem().FieldByName("info").FieldByName("Config")
	var all []string
	for _, k := range config.MapKeys() {
		all = append(all, k.String())
	}
	slices.Sort(all)
	return all
}
