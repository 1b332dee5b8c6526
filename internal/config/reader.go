package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
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
	full := r.ctx.Project() + ":" + key
	text, given := r.ctx.GetConfig(full)
	if !given && target.Kind() == reflect.Pointer {
		return
	}
	r.setDefault(key, target)
	if !given {
		return
	}
	v := parse(text)
	if target.Kind() == reflect.String && v != nil {
		switch v.(type) {
		case []any, map[string]any:
		default:
			v = text // the text "10" has lost its quotes
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
		if name, ours := strings.CutPrefix(key, r.ctx.Project()+":"); ours && r.ctx.IsConfigSecret(key) {
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

// refuseUnknown adds a problem for each key that is not in the table: of the project's namespace, and of another one if it
// has the name of a key, which a renamed project leaves behind.
func (r *reader) refuseUnknown() {
	for _, key := range configKeys(r.ctx) {
		namespace, name, _ := strings.Cut(key, ":")
		text, _ := r.ctx.GetConfig(key)
		value, isKey := shown(parse(text)), slices.Contains(topLevel(), name)
		switch {
		case namespace == r.ctx.Project() && !isKey:
			r.problems.Add(name, value, "is a key that nothing reads", r.fixKey(name, parse(text)))
		case namespace != r.ctx.Project() && namespace != "aws" && isKey:
			if r.ctx.IsConfigSecret(key) {
				value = problem.Hidden
			}
			r.problems.AddError(fmt.Errorf("%s: %s is a value of another project, and this one is %s; rename the key to %s:%s, or remove it",
				key, value, r.ctx.Project(), r.ctx.Project(), name))
		}
	}
}

// fixKey says what to write instead of a key that is not in the table.
func (r *reader) fixKey(name string, value any) string {
	if object, _, ok := cutPath(name); ok && slices.Contains(topLevel(), object) {
		return "write it in " + r.full(object) + r.orRun(name, name, value)
	}
	var paths []string
	for _, k := range keys {
		if _, field, ok := strings.Cut(k.Name, "."); ok && field == name {
			paths = append(paths, k.Name)
		}
	}
	if len(paths) == 1 {
		return "did you mean " + r.full(paths[0]) + "? Write it in " + r.full(strings.TrimSuffix(paths[0], "."+name)) + r.orRun(name, paths[0], value)
	}
	if len(paths) > 1 {
		return "did you mean " + r.full(strings.Join(paths, " or "+r.full(""))) + "? Correct or remove it"
	}
	if near, ok := nearest(name, topLevel()); ok {
		return "did you mean " + r.full(near) + "? Correct or remove it"
	}
	return "remove it; README.md lists the keys"
}

func (r *reader) full(name string) string { return r.ctx.Project() + ":" + name }

// cutPath cuts a path after its key.
func cutPath(path string) (key, rest string, ok bool) {
	if i := strings.IndexAny(path, ".["); i > 0 {
		return path[:i], path[i:], true
	}
	return path, "", false
}

// orRun returns the commands that move a value from a key to a path. A list or a map has none.
func (r *reader) orRun(key, path string, value any) string {
	text := "--secret" // the command asks for the value
	if !r.ctx.IsConfigSecret(r.full(key)) {
		switch v := value.(type) {
		case string:
			text = quoted(v)
		case json.Number, bool:
			text = fmt.Sprint(v)
		default:
			return ""
		}
	}
	stack := "--stack " + r.ctx.Stack()
	remove, words := "pulumi config rm "+quoted(r.full(key))+" "+stack, text+" "+stack
	if _, ok := value.(json.Number); ok && strings.HasPrefix(text, "-") {
		words = stack + " -- " + text // no flag
	}
	return ", or run: " + remove + " && pulumi config set --path " + quoted(r.full(path)) + " " + words
}

// quoted returns a word of a shell command.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

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

// nearest returns the name with the fewest edits from s, ignoring case. It reports false where a name differs in more than
// half of its letters.
func nearest(s string, names []string) (string, bool) {
	distance := func(name string) int {
		return levenshtein.DistanceForStrings([]rune(strings.ToLower(s)), []rune(strings.ToLower(name)), levenshtein.DefaultOptionsWithSub)
	}
	near := slices.MinFunc(slices.Sorted(slices.Values(names)), func(a, b string) int { return distance(a) - distance(b) })
	return near, 2*distance(near) <= len(near)
}
