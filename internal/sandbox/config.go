package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"gopkg.in/yaml.v3"

	"cinema-database/internal/plan"
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

	values, err := s.readConfig()
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	stack := map[string]any{"config": values}
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

// readConfig reads the stack's config with the values of Options.Config. A stack that has only those needs no file.
func (s *Session) readConfig() (config.Map, error) {
	file := filepath.Join(s.options.ProjectDir, "Pulumi."+s.options.Stack+".yaml")
	values, err := plan.StackConfig(file, s.name(), s.options.Config)
	if !errors.Is(err, fs.ErrNotExist) {
		return values, err
	}
	if len(s.options.Config) == 0 {
		return nil, fmt.Errorf("stack %q: there is no %s; choose a stack that has one", s.options.Stack, file)
	}
	values = config.Map{}
	return values, plan.SetConfig(values, s.name(), s.options.Config)
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
