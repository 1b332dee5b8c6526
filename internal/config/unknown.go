package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"cinema-database/internal/problem"
)

// foreign are namespaces whose keys are not the program's, whatever their names.
var foreign = []string{"aws", "pulumi"}

// refuseUnknown adds a problem for each key that is not in the table: of the project's namespace, and of another one if it
// has the name of a key, which a renamed project leaves behind.
func (r *reader) refuseUnknown() {
	for _, key := range configKeys(r.ctx) {
		namespace, name, _ := strings.Cut(key, ":")
		text, _ := r.ctx.GetConfig(key)
		value, known := parse(text), slices.Contains(topLevel(), name)
		switch {
		case namespace == r.ctx.Project() && !known:
			r.problems.Add(name, shown(value), "is a key that nothing reads", r.fixKey(name, value))
		case namespace != r.ctx.Project() && known && !slices.Contains(foreign, namespace):
			value := shown(value)
			if r.ctx.IsConfigSecret(key) {
				value = problem.Hidden
			}
			r.problems.AddError(fmt.Errorf("%s: %s is a value of another project, and this one is %s; rename the key to %s, or remove it",
				key, value, r.ctx.Project(), r.full(name)))
		}
	}
}

// fixKey says what to write instead of a key that is not in the table.
func (r *reader) fixKey(name string, value any) string {
	if i := strings.IndexAny(name, ".["); i > 0 && slices.Contains(topLevel(), name[:i]) {
		return "write it in " + r.full(name[:i]) + r.orRun(name, name, value)
	}
	var paths []string
	for _, k := range keys {
		if _, field, ok := strings.Cut(k.Name, "."); ok && field == name {
			paths = append(paths, k.Name)
		}
	}
	near, ok := nearest(name, topLevel())
	switch {
	case len(paths) == 1:
		object, _, _ := strings.Cut(paths[0], ".")
		return "did you mean " + r.full(paths[0]) + "? Write it in " + r.full(object) + r.orRun(name, paths[0], value)
	case len(paths) > 1:
		return "did you mean " + r.full(strings.Join(paths, " or "+r.full(""))) + "? Correct or remove it"
	case ok:
		return "did you mean " + r.full(near) + "? Correct or remove it"
	default:
		return "remove it; README.md lists the keys"
	}
}

// orRun returns the commands that move a value from a key to a path. There are none for a list or a map.
func (r *reader) orRun(key, path string, value any) string {
	var word string
	switch v := value.(type) {
	case string:
		word = quoted(v)
	case json.Number, bool:
		word = fmt.Sprint(v)
	default:
		return ""
	}
	stack := "--stack " + r.ctx.Stack()
	arguments := word + " " + stack
	switch {
	case r.ctx.IsConfigSecret(r.full(key)):
		arguments = "--secret " + stack // it asks for the value
	case strings.HasPrefix(strings.Trim(word, "'"), "-"):
		arguments = stack + " -- " + word // it is no flag
	}
	return fmt.Sprintf(", or run: pulumi config set --path %s %s && pulumi config rm %s %s",
		quoted(r.full(path)), arguments, quoted(r.full(key)), stack)
}

// quoted returns a word of a shell command.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// nearest returns the name with the fewest edits from s, ignoring case. It reports false where a name differs in more than
// half of its letters.
func nearest(s string, names []string) (string, bool) {
	distance := func(name string) int { return problem.Edits(s, name) }
	near := slices.MinFunc(slices.Sorted(slices.Values(names)), func(a, b string) int { return distance(a) - distance(b) })
	return near, 2*distance(near) <= len(near)
}
