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
}

// stackOutputs asks the Pulumi CLI, which knows where the stack's state is.
func stackOutputs(ctx context.Context, dir, stack string) (outputs, error) {
	var o outputs
	if err := pulumicli.Query(ctx, dir, &o, "stack", "output", "--json", "--non-interactive", "--stack", stack); err != nil {
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
