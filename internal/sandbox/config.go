package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// readProject reads a project's Pulumi.yaml. Without the file the result is a minimal project.
func readProject(dir string) (map[string]any, error) {
	project := map[string]any{}
	data, err := os.ReadFile(filepath.Join(dir, "Pulumi.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]any{"name": "cinema", "runtime": "go"}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := yaml.Unmarshal(data, &project); err != nil {
		return nil, fmt.Errorf("sandbox: %s: %w", filepath.Join(dir, "Pulumi.yaml"), err)
	}
	if n, ok := project["name"].(string); !ok || n == "" {
		return nil, fmt.Errorf("sandbox: %s: no project name", filepath.Join(dir, "Pulumi.yaml"))
	}
	return project, nil
}

// writeConfig writes the files of the workspace that the CLI runs in: a copy of Pulumi.yaml, with its config schema and
// requiredPulumiVersion, that points to the project's directory, and a copy of the stack's config with the values of
// Options.Config. Both are without the settings of the project's own backend.
func (s *Session) writeConfig() error {
	project := maps.Clone(s.project)
	delete(project, "backend")
	project["main"] = s.options.ProjectDir // relative paths are relative to it
	if err := writeYAML(filepath.Join(s.workDir(), "Pulumi.yaml"), project); err != nil {
		return err
	}

	stack := map[string]any{}
	source := s.options.ConfigFile
	if source == "" {
		source = filepath.Join(s.options.ProjectDir, "Pulumi."+s.options.Stack+".yaml")
	}
	data, err := os.ReadFile(source)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.options.ConfigFile == "" && len(s.options.Config) > 0:
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("sandbox: stack %q: there is no %s; choose a stack that has one", s.options.Stack, source)
	case err != nil:
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := yaml.Unmarshal(data, &stack); err != nil {
		return fmt.Errorf("sandbox: %s: %w", source, err)
	}
	for _, k := range []string{"encryptionsalt", "encryptedkey", "secretsprovider", "environment"} {
		delete(stack, k)
	}
	config, _ := stack["config"].(map[string]any)
	if config == nil {
		config = map[string]any{}
	}
	for k, v := range s.options.Config {
		if !strings.Contains(k, ":") {
			k = s.name() + ":" + k
		}
		delete(config, strings.TrimPrefix(k, s.name()+":"))
		config[k] = structured(v)
	}
	var sealed []error
	for _, k := range slices.Sorted(maps.Keys(config)) {
		if m, ok := config[k].(map[string]any); ok && len(m) == 1 && m["secure"] != nil {
			sealed = append(sealed, fmt.Errorf("sandbox: %s is encrypted in %s; set another value for the sandbox with -c %s=VALUE", k, source, k))
		}
	}
	if len(sealed) > 0 {
		return errors.Join(sealed...)
	}
	stack["config"] = config

	// Keep the sandbox's own salt: the state's secrets are encrypted with it.
	target := filepath.Join(s.workDir(), "Pulumi."+s.options.Stack+".yaml")
	if data, err := os.ReadFile(target); err == nil {
		var old map[string]any
		if yaml.Unmarshal(data, &old) == nil && old["encryptionsalt"] != nil {
			stack["encryptionsalt"] = old["encryptionsalt"]
		}
	}
	return writeYAML(target, stack)
}

// structured parses a list or an object in JSON: the project's config schema does not accept it as text.
func structured(value string) any {
	var parsed any
	if strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{") {
		if yaml.Unmarshal([]byte(value), &parsed) == nil { // JSON is YAML
			return parsed
		}
	}
	return value
}

func writeYAML(path string, v any) error {
	data, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}
