package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// readmeTable returns the table of README.md.
func readmeTable() string {
	var b strings.Builder
	b.WriteString("| key | default | meaning |\n| --- | --- | --- |\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, k.shownDefault(), k.Meaning)
	}
	return b.String()
}

// shownDefault returns the default in Markdown.
func (k key) shownDefault() string {
	if k.Shown != "" {
		return k.Shown
	}
	value, err := json.Marshal(k.Default)
	if err != nil {
		panic(err)
	}
	switch v := strings.Trim(string(value), `"`); v {
	case "", "[]", "{}", "null":
		return "none"
	default:
		return "`" + v + "`"
	}
}

// projectSchema returns the config block of Pulumi.yaml.
//
// No key has a type there: Pulumi stops at the first value of another type, and its error has neither the value nor the
// others. Load reports all. The default of an object is empty, because Load fills in the fields that are left out.
func projectSchema() string {
	type schema struct {
		Description string `yaml:"description"`
		Default     any    `yaml:"default"`
	}
	block := &yaml.Node{Kind: yaml.MappingNode}
	for _, name := range topLevel() {
		if slices.Contains(switches, name) {
			continue
		}
		s := schema{Default: map[string]any{}}
		if i := slices.IndexFunc(keys, func(k key) bool { return k.Name == name }); i >= 0 {
			s = schema{Description: strings.Join(append([]string{fmt.Sprintf("%s (%s)", plain(keys[i].Meaning), keys[i].Type)}, described(name+".*")...), "\n"), Default: keys[i].Default}
		} else {
			s.Description = strings.Join(described(name), "\n")
		}
		var value yaml.Node
		if err := value.Encode(s); err != nil {
			panic(err)
		}
		block.Content = append(block.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &value)
	}
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(map[string]*yaml.Node{"config": block}); err != nil {
		panic(err)
	}
	return b.String()
}

// described returns a line about each field of an object.
func described(object string) (lines []string) {
	for _, k := range fields(object) {
		field := strings.TrimPrefix(k.Name, object+".")
		lines = append(lines, fmt.Sprintf("%s: %s (%s, default %s)", field, plain(k.Meaning), k.Type, plain(k.shownDefault())))
	}
	return lines
}

var link = regexp.MustCompile(`\[[^\]]*\]\(([^)]*)\)`)

// plain returns Markdown as plain text: links become their targets.
func plain(markdown string) string {
	return strings.ReplaceAll(link.ReplaceAllString(markdown, "$1"), "`", "")
}
