package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/texttheater/golang-levenshtein/levenshtein"

	"cinema-database/internal/problem"
)

// reader reads keys of the project's namespace and collects problems. The default of an absent key is the table's; so is
// that of a malformed one, which is a problem too.
type reader struct {
	ctx      *pulumi.Context
	problems *problem.List
	defaults map[string]any
	// objects are the Go types of the objects that were read.
	objects map[string]reflect.Type
}

func newReader(ctx *pulumi.Context, problems *problem.List) *reader {
	r := &reader{ctx: ctx, problems: problems, defaults: map[string]any{}, objects: map[string]reflect.Type{}}
	for _, k := range keys {
		r.defaults[k.Name] = k.Default
	}
	return r
}

// useFamily replaces the family of the default instance types.
func (r *reader) useFamily(family string) {
	for name, value := range r.defaults {
		if strings.HasSuffix(name, ".instanceType") {
			_, size, _ := strings.Cut(value.(string), ".")
			r.defaults[name] = family + "." + size
		}
	}
}

func (r *reader) get(key string) (string, bool) {
	return r.ctx.GetConfig(r.ctx.Project() + ":" + key)
}

func (r *reader) text(key string, into *string) {
	*into = r.defaults[key].(string)
	if v, ok := r.get(key); ok {
		*into = v
	}
}

func (r *reader) enum(key string, into *string, values ...string) {
	r.text(key, into)
	if !slices.Contains(values, *into) {
		r.problems.Add(key, *into, "is none of "+strings.Join(values, ", "), "use one of them")
		*into = r.defaults[key].(string)
	}
}

func (r *reader) boolean(key string, into *bool) {
	*into = r.defaults[key].(bool)
	switch v, ok := r.get(key); {
	case !ok:
	case v == "true" || v == "false":
		*into = v == "true"
	default:
		r.problems.Add(key, v, "is not a boolean", "use true or false")
	}
}

func (r *reader) integer(key string, into *int) {
	*into = r.defaults[key].(int)
	if v, ok := r.get(key); ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			r.problems.Add(key, v, "is not a whole number", fmt.Sprintf("write it like %d", *into))
			return
		}
		*into = n
	}
}

// durationText is a duration in config: text like 45m, or the number 0.
type durationText string

// UnmarshalJSON accepts a text or a number.
func (d *durationText) UnmarshalJSON(data []byte) error {
	*d = durationText(strings.Trim(string(data), `"`))
	return nil
}

// duration parses the value of a field.
func (r *reader) duration(key string, value durationText) time.Duration {
	d, err := time.ParseDuration(string(value))
	if err != nil {
		r.problems.Add(key, string(value), "is not a duration", "write it like "+r.defaults[key].(string)+", or 0")
	}
	return d
}

// object decodes a list or map into *into. Fields that config leaves out get their defaults. Where the key is absent, *into
// gets all defaults, or stays nil if it is a pointer.
func (r *reader) object(key string, into any) {
	target := reflect.TypeOf(into).Elem()
	r.objects[key] = target
	v, ok := r.get(key)
	if !ok && target.Kind() == reflect.Pointer {
		return
	}
	if defaults := map[string]any{}; target.Kind() == reflect.Pointer || target.Kind() == reflect.Struct {
		for _, k := range fields(key) {
			defaults[strings.TrimPrefix(k.Name, key+".")] = r.defaults[k.Name]
		}
		text, err := json.Marshal(defaults)
		if err == nil {
			err = decode(string(text), into)
		}
		if err != nil {
			panic(fmt.Sprintf("the defaults of %s are not its own: %v", key, err))
		}
	}
	if !ok {
		return
	}
	if _, ok := into.(json.Unmarshaler); ok && !json.Valid([]byte(v)) {
		v = strconv.Quote(v) // a type with a short form takes it as text
	}
	if err := decode(v, into); err != nil {
		reason := strings.TrimPrefix(err.Error(), "json: ")
		r.problems.Add(key, compact(v), "cannot be read: "+reason, "write it as "+shape(target))
	}
}

func decode(text string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

func compact(v string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(v)) != nil {
		return v
	}
	return b.String()
}

// shape describes a value of type t in YAML's flow style.
func shape(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "[" + shape(t.Elem()) + ", …]"
	case reflect.Map:
		return "{name: " + shape(t.Elem()) + ", …}"
	case reflect.Pointer:
		return shape(t.Elem())
	case reflect.Struct:
		var fields []string
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			fields = append(fields, name+": "+shape(t.Field(i).Type))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case reflect.Int:
		return "number"
	case reflect.Bool:
		return "true|false"
	default:
		return "text"
	}
}

// refuseUnknown adds a problem for each key of the namespace that is not in the table.
func (r *reader) refuseUnknown() {
	namespace, known := r.ctx.Project()+":", topLevel()
	for _, key := range configKeys(r.ctx) {
		name, ours := strings.CutPrefix(key, namespace)
		if !ours || slices.Contains(known, name) {
			continue
		}
		value, _ := r.ctx.GetConfig(key)
		r.problems.Add(name, compact(value), "is a key that nothing reads", "did you mean "+namespace+nearest(name, known)+"? Correct or remove it")
	}
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

// nearest returns the name with the fewest edits from s, ignoring case.
func nearest(s string, names []string) string {
	distance := func(name string) int {
		return levenshtein.DistanceForStrings([]rune(strings.ToLower(s)), []rune(strings.ToLower(name)), levenshtein.DefaultOptionsWithSub)
	}
	return slices.MinFunc(slices.Sorted(slices.Values(names)), func(a, b string) int { return distance(a) - distance(b) })
}
