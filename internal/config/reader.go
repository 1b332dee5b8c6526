package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/texttheater/golang-levenshtein/levenshtein"

	"cinema-database/internal/problem"
)

// reader takes keys of the project's namespace, remembers which, and collects problems. Where a key is
// absent its default stands; where it is malformed, the default stands and a problem is added.
type reader struct {
	ctx      *pulumi.Context
	problems *problem.List
	known    []string
}

func (r *reader) get(key string) (string, bool) {
	r.known = append(r.known, key)
	return r.ctx.GetConfig(r.ctx.Project() + ":" + key)
}

func (r *reader) text(key string, into *string, otherwise string) {
	*into = otherwise
	if v, ok := r.get(key); ok {
		*into = v
	}
}

func (r *reader) enum(key string, into *string, otherwise string, values ...string) {
	r.text(key, into, otherwise)
	if !slices.Contains(values, *into) {
		r.problems.Add(key, *into, "is none of "+strings.Join(values, ", "), "use one of them")
		*into = otherwise
	}
}

func (r *reader) boolean(key string, into *bool, otherwise bool) {
	*into = otherwise
	switch v, ok := r.get(key); {
	case !ok:
	case v == "true" || v == "false":
		*into = v == "true"
	default:
		r.problems.Add(key, v, "is not a boolean", "use true or false")
	}
}

func (r *reader) integer(key string, into *int, otherwise int) {
	*into = otherwise
	if v, ok := r.get(key); ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			r.problems.Add(key, v, "is not a whole number", fmt.Sprintf("write it like %d", otherwise))
			return
		}
		*into = n
	}
}

// object decodes a list or map onto into, whose present content are the defaults.
func (r *reader) object(key string, into any) {
	v, ok := r.get(key)
	if !ok {
		return
	}
	decoder := json.NewDecoder(strings.NewReader(v))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			return
		}
		err = fmt.Errorf("more than one value")
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	r.problems.Add(key, compact(v), "cannot be read: "+reason, "write it as "+shape(reflect.TypeOf(into).Elem()))
}

func compact(v string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(v)) != nil {
		return v
	}
	return b.String()
}

// shape tells what a value of type t looks like in YAML's flow style.
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

// refuseUnknown adds a problem for each key of the namespace that nothing has read.
func (r *reader) refuseUnknown() {
	namespace := r.ctx.Project() + ":"
	for _, key := range keys(r.ctx) {
		name, ours := strings.CutPrefix(key, namespace)
		if !ours || slices.Contains(r.known, name) {
			continue
		}
		value, _ := r.ctx.GetConfig(key)
		r.problems.Add(name, compact(value), "is a key that nothing reads", "did you mean "+namespace+nearest(name, r.known)+"? Correct or remove it")
	}
}

// provider are the keys of the aws namespace, without it, less the region.
func (r *reader) provider() map[string]string {
	settings := map[string]string{}
	for _, key := range keys(r.ctx) {
		if name, ok := strings.CutPrefix(key, "aws:"); ok && name != "region" {
			settings[name], _ = r.ctx.GetConfig(key)
		}
	}
	return settings
}

// keys lists the config's keys, sorted. The SDK reads single keys only, so the map behind it is read by
// reflection; a test fails where an SDK release moves it.
func keys(ctx *pulumi.Context) []string {
	config := reflect.ValueOf(ctx).Elem().FieldByName("state").Elem().FieldByName("info").FieldByName("Config")
	var all []string
	for _, k := range config.MapKeys() {
		all = append(all, k.String())
	}
	slices.Sort(all)
	return all
}

// nearest is the name with the fewest edits from s, ignoring case.
func nearest(s string, names []string) string {
	distance := func(name string) int {
		return levenshtein.DistanceForStrings([]rune(strings.ToLower(s)), []rune(strings.ToLower(name)), levenshtein.DefaultOptionsWithSub)
	}
	return slices.MinFunc(slices.Sorted(slices.Values(names)), func(a, b string) int { return distance(a) - distance(b) })
}
