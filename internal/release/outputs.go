package release

import (
	"context"
	"errors"
	"fmt"

	"cinema-database/internal/pulumicli"
)

// outputs are the stack outputs that the command needs.
type outputs struct {
	Region   string            `json:"region"`
	Group    string            `json:"apiGroup"`        // name of the API's Auto Scaling group
	Bucket   string            `json:"artifactsBucket"` // holds the binaries of every release
	Releases map[string]string `json:"releases"`        // SHA-256 digests of the release's binaries, by name
	Database map[string]string `json:"databaseIds"`     // instance ids of the database hosts, by zone
	Cluster  string            `json:"cluster"`         // ECS cluster of the services, if there are any
	Services map[string]struct {
		Service string `json:"service"` // name of the ECS service
		Image   string `json:"image"`
	} `json:"services"`
}

// stackOutputs asks the Pulumi CLI, which knows where the stack's state is.
func stackOutputs(ctx context.Context, dir, stack string) (outputs, error) {
	var o outputs
	if err := pulumicli.Query(ctx, dir, &o, "stack", "output", "--json", "--non-interactive", "--stack", stack); err != nil {
		return outputs{}, fmt.Errorf("outputs of stack %s: %w", stack, err)
	}
	var missing []error
	needed := []struct{ name, value string }{
		{"region", o.Region}, {"apiGroup", o.Group}, {"artifactsBucket", o.Bucket}, {"releases.cinema", o.Releases["cinema"]},
	}
	if len(o.Services) > 0 {
		needed = append(needed, struct{ name, value string }{"cluster", o.Cluster})
	}
	for _, f := range needed {
		if f.value == "" {
			missing = append(missing, fmt.Errorf("stack %s has no output %s; run `pulumi up --stack %s` first", stack, f.name, stack))
		}
	}
	return o, errors.Join(missing...)
}
