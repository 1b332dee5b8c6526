package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"

	"cinema-database/internal/awsaccess"
	"cinema-database/internal/pulumicli"
)

// outputs are the stack outputs that the command needs.
type outputs struct {
	Region   string            `json:"region"`
	Group    string            `json:"apiGroup"`        // name of the API's Auto Scaling group
	Bucket   string            `json:"artifactsBucket"` // holds the binaries of every release
	Releases map[string]string `json:"releases"`        // SHA-256 digests of the release's binaries, by name
}

// stackOutputs asks the Pulumi CLI, which knows where the stack's state is.
func stackOutputs(ctx context.Context, dir, stack string) (outputs, error) {
	var o outputs
	if err := ask(ctx, dir, &o, "stack", "output", "--json", "--non-interactive", "--stack", stack); err != nil {
		return outputs{}, fmt.Errorf("outputs of stack %s: %w", stack, err)
	}
	var missing []error
	for _, f := range []struct{ name, value string }{
		{"region", o.Region}, {"apiGroup", o.Group}, {"artifactsBucket", o.Bucket}, {"releases.cinema", o.Releases["cinema"]},
	} {
		if f.value == "" {
			missing = append(missing, fmt.Errorf("stack %s has no output %s; run `pulumi up --stack %s` first", stack, f.name, stack))
		}
	}
	return o, errors.Join(missing...)
}

// providerSettings returns the settings of the stack's AWS provider. Secrets are decrypted only if the provider has some.
func providerSettings(ctx context.Context, dir, stack string) (awsaccess.Settings, error) {
	type value struct {
		Value  string `json:"value"` // lists and objects in JSON
		Secret bool   `json:"secret"`
	}
	read := func(flags ...string) (map[string]value, error) {
		var all map[string]value
		err := ask(ctx, dir, &all, append([]string{"config", "--json", "--non-interactive", "--stack", stack}, flags...)...)
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
	settings := awsaccess.Settings{}
	for key, v := range all {
		settings[strings.TrimPrefix(key, "aws:")] = v.Value
	}
	return settings, err
}

// ask runs the Pulumi CLI and decodes its answer.
func ask(ctx context.Context, dir string, answer any, args ...string) error {
	pulumi, err := pulumicli.Find(dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, pulumi.Path, args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return json.Unmarshal(text, answer)
}
