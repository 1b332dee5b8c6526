package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"gopkg.in/yaml.v3"
)

// Stack is what the Pulumi CLI reads from a project's directory for one stack.
type Stack struct {
	// Project is the project's name, the namespace of keys without one.
	Project string
	// Config values by full key, as the program gets them: objects and lists as JSON.
	Config map[string]string
}

// ReadStack reads Pulumi.yaml and Pulumi.<name>.yaml in dir with Pulumi's own reader, and adds the values and defaults of
// the project's config. over is as for StackConfig. Where there is no Pulumi.<name>.yaml, the error is os.ErrNotExist.
func ReadStack(dir, name string, over map[string]string) (*Stack, error) {
	project, err := workspace.LoadProject(filepath.Join(dir, "Pulumi.yaml"))
	if err != nil {
		return nil, err
	}
	values, err := StackConfig(filepath.Join(dir, "Pulumi."+name+".yaml"), project.Name.String(), over)
	if err != nil {
		return nil, err
	}
	if err := addProjectConfig(values, project); err != nil {
		return nil, fmt.Errorf("the project file Pulumi.yaml: %w", err)
	}
	texts, err := Texts(values)
	if err != nil {
		return nil, err
	}
	return &Stack{Project: project.Name.String(), Config: texts}, nil
}

// Texts returns config values as the program gets them.
func Texts(values config.Map) (map[string]string, error) {
	texts := map[string]string{}
	for key, value := range values {
		text, err := value.Value(config.NopDecrypter) // nothing is encrypted
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		texts[key.String()] = text
	}
	return texts, nil
}

// addProjectConfig adds what Pulumi.yaml has for keys that the stack's file leaves out. The CLI's own function for this is
// not part of the SDK.
func addProjectConfig(values config.Map, project *workspace.Project) error {
	for _, name := range slices.Sorted(maps.Keys(project.Config)) {
		declared := project.Config[name]
		value := declared.Value
		if value == nil {
			value = declared.Default
		}
		key, err := parseKey(name, project.Name.String())
		if err != nil {
			return err
		}
		if _, ok := values[key]; ok || value == nil {
			continue
		}
		if values[key], err = newValue(value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// StackConfig reads the config of a Pulumi.<stack>.yaml with Pulumi's own reader. A value in over replaces the file's. Its key
// may be a path, as in `pulumi config set --path`: api.minSize sets one field. Keys without a namespace get the project's. An
// encrypted value, which cannot be read without its passphrase, is an error unless over replaces it.
func StackConfig(file, project string, over map[string]string) (config.Map, error) {
	if _, err := os.Stat(file); err != nil { // an absent file is an empty one for Pulumi
		return nil, err
	}
	stack, err := workspace.LoadProjectStack(nil, &workspace.Project{Name: tokens.PackageName(project)}, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := SetConfig(stack.Config, project, over); err != nil {
		return nil, err
	}
	if err := refuseEncrypted(stack.Config, file); err != nil {
		return nil, err
	}
	return stack.Config, nil
}

// SetConfig sets the values of a command line, by key or path. Lists, maps and quoted text are YAML.
func SetConfig(values config.Map, project string, over map[string]string) error {
	// Sorted, a key comes before the paths into it.
	for _, name := range slices.Sorted(maps.Keys(over)) {
		key, err := parseKey(name, project)
		if err != nil {
			return err
		}
		value, err := parseValue(over[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		isPath := strings.ContainsAny(key.Name(), ".[")
		if root, ok := values[rootKey(key)]; ok && isPath && !root.Secure() {
			// `pulumi config set cinema:api '{…}'` stores text.
			text, err := root.Value(config.NopDecrypter)
			if err == nil {
				root, err = parseValue(text)
			}
			if err == nil {
				values[rootKey(key)] = root
			}
		}
		if err := values.Set(key, value, isPath); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func parseKey(name, project string) (config.Key, error) {
	if !strings.Contains(name, ":") {
		name = project + ":" + name
	}
	return config.ParseKey(name)
}

// rootKey is the key that a path starts with.
func rootKey(path config.Key) config.Key {
	name := path.Name()
	if i := strings.IndexAny(name, ".["); i >= 0 {
		name = name[:i]
	}
	return config.MustMakeKey(path.Namespace(), name)
}

// parseValue returns a value as the stack's file would have it.
func parseValue(text string) (config.Value, error) {
	if text == "" || !strings.Contains(`[{"'`, text[:1]) {
		return config.NewValue(text), nil
	}
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return config.NewValue(text), nil // the program reports it
	}
	if s, ok := v.(string); ok {
		return config.NewTypedValue(s, config.TypeString), nil
	}
	return newValue(v)
}

func newValue(v any) (config.Value, error) {
	switch v.(type) {
	case string, int, bool:
		return config.NewValue(fmt.Sprint(v)), nil
	}
	simple, err := workspace.SimplifyMarshalledValue(v)
	if err != nil {
		return config.Value{}, err
	}
	data, err := json.Marshal(simple)
	return config.NewObjectValue(string(data)), err
}

// refuseEncrypted names each encrypted value by its path.
func refuseEncrypted(values config.Map, file string) error {
	var paths []string
	for key, value := range values {
		if !value.Secure() {
			continue
		}
		var v any = map[string]any{secure: ""}
		if value.Object() {
			var err error
			if v, err = value.ToObject(); err != nil {
				return fmt.Errorf("%s: %s: %w", file, key, err)
			}
		}
		paths = append(paths, encrypted(key.String(), v)...)
	}
	slices.Sort(paths)
	var problems []error
	for _, path := range paths {
		problems = append(problems, fmt.Errorf("%s: %s is encrypted, and nothing is decrypted here; set another value with -c %s=VALUE", file, path, path))
	}
	return errors.Join(problems...)
}

// secure is the only key of the map that stands for an encrypted value.
const secure = "secure"

func encrypted(path string, v any) (paths []string) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v[secure].(string); ok && len(v) == 1 {
			return []string{path}
		}
		for name, field := range v {
			paths = append(paths, encrypted(path+"."+name, field)...)
		}
	case []any:
		for i, element := range v {
			paths = append(paths, encrypted(fmt.Sprintf("%s[%d]", path, i), element)...)
		}
	}
	return paths
}
