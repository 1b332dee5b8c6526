package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"cinema-database/internal/sandbox"
)

// outputs are those of the stack's that a release is followed by.
type outputs struct {
	// Region that the stack is in.
	Region string `json:"region"`
	// Group is the name of the API's Auto Scaling group.
	Group string `json:"apiGroup"`
	// Bucket holds the releases.
	Bucket string `json:"artifactsBucket"`
	// Releases are the binaries' digests, by name.
	Releases map[string]string `json:"releases"`
}

// stackOutputs asks the Pulumi CLI, which knows where the stack's state is.
func stackOutputs(ctx context.Context, dir, stack string) (outputs, error) {
	path, err := sandbox.FindCLI(dir)
	if err != nil {
		return outputs{}, err
	}
	cmd := exec.CommandContext(ctx, path, "stack", "output", "--json", "--non-interactive", "--stack", stack)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	answer, err := cmd.Output()
	if err != nil {
		return outputs{}, fmt.Errorf("outputs of stack %s: %w: %s", stack, err, strings.TrimSpace(stderr.String()))
	}
	var o outputs
	if err := json.Unmarshal(answer, &o); err != nil {
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
