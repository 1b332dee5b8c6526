package awsaccess

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"cinema-database/internal/pulumicli"
)

// StackSettings returns the settings of the stack's AWS provider. The Pulumi CLI reads them, in the project's
// directory dir. Secrets are decrypted only if the provider has some.
func StackSettings(ctx context.Context, dir, stack string) (Settings, error) {
	type value struct {
		Value  string `json:"value"` // lists and objects in JSON
		Secret bool   `json:"secret"`
	}
	read := func(flags ...string) (map[string]value, error) {
		var all map[string]value
		err := pulumicli.Query(ctx, dir, &all, append([]string{"config", "--json", "--non-interactive", "--stack", stack}, flags...)...)
		if err != nil {
			return nil, fmt.Errorf("config of stack %s: %w", stack, err)
		}
		maps.DeleteFunc(all, func(key string, _ value) bool { return !strings.HasPrefix(key, "aws:") })
		return all, nil
	}
	all, err := read()
	for _, v := range all {
		if v.Secret {
			all, err = read("--show-secrets")
			break
		}
	}
	settings := Settings{}
	for key, v := range all {
		settings[strings.TrimPrefix(key, "aws:")] = v.Value
	}
	return settings, err
}
