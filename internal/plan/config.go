package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// StackConfig reads a Pulumi.<stack>.yaml into config values by full key, objects and lists as JSON. A key without a namespace
// gets the project's ("cinema:"). A value in over replaces the file's. An encrypted value, which cannot be read without its
// passphrase, is an error unless over replaces it.
func StackConfig(path string, over map[string]string) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values, err := parseStackConfig(data, over)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return values, nil
}

func parseStackConfig(data []byte, over map[string]string) (map[string]string, error) {
	var file struct {
		Config map[string]yaml.Node `yaml:"config"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	full := func(key string) string {
		if strings.Contains(key, ":") {
			return key
		}
		return "cinema:" + key
	}
	values := map[string]string{}
	for key, value := range over {
		values[full(key)] = value
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(file.Config)) {
		key, node := full(name), file.Config[name]
		if _, given := values[key]; given {
			continue
		}
		if node.Kind == yaml.ScalarNode {
			values[key] = node.Value // unparsed: Pulumi's config values are text
			continue
		}
		var v any
		if err := node.Decode(&v); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
			continue
		}
		if m, ok := v.(map[string]any); ok && len(m) == 1 && m["secure"] != nil {
			problems = append(problems, fmt.Errorf("%s is encrypted; give it another value", key))
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
			continue
		}
		values[key] = string(text)
	}
	return values, errors.Join(problems...)
}
