package config

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"cinema-database/internal/problem"
)

// parse returns the value of a config key. Pulumi passes lists, maps and everything in them as JSON, and a number or a
// boolean of the top level as its text.
func parse(text string) any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return text
	}
	if _, err := decoder.Token(); err != io.EOF {
		return text
	}
	return v
}

// shortened is a map that has a short form in text, or a text that may be a number.
type shortened interface{ SetText(string) }

// defaulted is an element of a map that has defaults of its own.
type defaulted interface{ SetDefaults() }

// decoder sets Go values from parsed ones, and adds a problem for each that has another kind, by its path.
type decoder struct {
	problems *problem.List
}

func (d decoder) decode(path string, v any, into reflect.Value) {
	if into.Kind() == reflect.Pointer {
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		d.decode(path, v, into.Elem())
		return
	}
	if short, ok := into.Addr().Interface().(shortened); ok {
		switch v := v.(type) {
		case string:
			short.SetText(v)
			return
		case json.Number:
			if into.Kind() == reflect.String {
				short.SetText(v.String())
				return
			}
		}
	}
	switch v := v.(type) {
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return
		}
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(v)
			return
		}
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil && into.Kind() == reflect.Int {
			into.SetInt(int64(n))
			return
		}
	case []any:
		if into.Kind() == reflect.Slice {
			into.Set(reflect.MakeSlice(into.Type(), len(v), len(v)))
			for i, element := range v {
				d.decode(fmt.Sprintf("%s[%d]", path, i), element, into.Index(i))
			}
			return
		}
	case map[string]any:
		switch into.Kind() {
		case reflect.Map:
			into.Set(reflect.MakeMap(into.Type()))
			for _, key := range slices.Sorted(maps.Keys(v)) {
				value := reflect.New(into.Type().Elem()).Elem()
				if element, ok := value.Addr().Interface().(defaulted); ok {
					element.SetDefaults()
				}
				d.decode(path+"."+key, v[key], value)
				into.SetMapIndex(reflect.ValueOf(key), value)
			}
			return
		case reflect.Struct:
			d.decodeFields(path, v, into)
			return
		}
	}
	d.refuse(path, v, into.Type())
}

func (d decoder) decodeFields(path string, v map[string]any, into reflect.Value) {
	names := fieldNames(into.Type())
	for _, name := range slices.Sorted(maps.Keys(v)) {
		at := path + "." + name
		if i := slices.Index(names, name); i >= 0 {
			d.decode(at, v[name], into.Field(i))
			continue
		}
		fix := "remove it"
		if near, ok := nearest(name, names); ok {
			fix = "did you mean " + near + "? Correct or remove it"
		}
		d.problems.Add(at, shown(v[name]), "is a field that nothing reads", fix)
	}
}

func fieldNames(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("json"); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// refuse adds a problem for a value of another kind than t.
func (d decoder) refuse(path string, v any, t reflect.Type) {
	fix := "write " + shape(t)
	switch v := v.(type) {
	case nil:
		fix = fixSwitch(t)
	case string:
		if fix = fixText(v, t); v == "" {
			fix = fixSwitch(t)
		}
	case json.Number:
		switch {
		case t.Kind() == reflect.Int && strings.ContainsAny(v.String(), ".eE"):
			d.problems.AddUnread(path, problem.Literal(v), "is not a whole number", "write it without a fraction or an exponent")
			return
		case t.Kind() == reflect.Int:
			d.problems.AddUnread(path, problem.Literal(v), "is a number too large to read", "write a smaller one")
			return
		case t.Kind() == reflect.String:
			fix = fmt.Sprintf("write text, in quotes: %q", v)
		}
	case bool:
		if fix = fixSwitch(t); t.Kind() == reflect.String {
			fix = fmt.Sprintf("write text, in quotes: %q", strconv.FormatBool(v))
		}
	}
	d.problems.AddUnread(path, shown(v), "is "+kindOf(v), fix)
}

// fixSwitch says what to write instead of nothing, or of true or false.
func fixSwitch(t reflect.Type) string {
	if t.Kind() == reflect.Struct {
		return "write " + shape(t) + ", {} for its defaults, or remove it"
	}
	return "write " + shape(t) + ", or remove it"
}

// fixText says what to write instead of a text.
func fixText(text string, t reflect.Type) string {
	_, isNumber := parse(text).(json.Number)
	_, isBool := parse(text).(bool)
	switch {
	case t.Kind() == reflect.Int && isNumber, t.Kind() == reflect.Bool && isBool:
		return "write " + shape(t) + ", without quotes"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String && !strings.ContainsAny(text, `[]{}"`):
		var elements []string
		for _, element := range strings.Split(text, ",") {
			elements = append(elements, strconv.Quote(strings.TrimSpace(element)))
		}
		return "write a list: [" + strings.Join(elements, ", ") + "]"
	}
	return "write " + shape(t)
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "an empty value"
	case string:
		if v == "" {
			return "an empty value"
		}
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			return "text that is not one JSON value"
		}
		return "text"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "a map"
	}
}

// shownMax is how many characters of a value a problem shows.
const shownMax = 80

// shown returns a parsed value for a problem.
func shown(v any) problem.Literal {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // it was JSON before
	}
	text := []rune(strings.TrimSuffix(b.String(), "\n"))
	if len(text) > shownMax {
		return problem.Literal(text[:shownMax]) + "…"
	}
	return problem.Literal(text)
}

// shape describes what to write for a value of type t, in YAML's flow style.
func shape(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return shape(t.Elem())
	case reflect.Slice:
		return "a list: [" + element(t.Elem()) + ", …]"
	case reflect.Map:
		return "a map: {name: " + element(t.Elem()) + ", …}"
	case reflect.Struct:
		if reflect.PointerTo(t).Implements(reflect.TypeFor[shortened]()) {
			return "text, or a map: " + element(t)
		}
		return "a map: " + element(t)
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	default:
		return "text"
	}
}

// element describes a value inside another.
func element(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "[" + element(t.Elem()) + ", …]"
	case reflect.Map:
		return "{name: " + element(t.Elem()) + ", …}"
	case reflect.Struct:
		var fields []string
		for i, name := range fieldNames(t) {
			fields = append(fields, name+": "+element(t.Field(i).Type))
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
