package pulumicli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// Query runs the CLI in the project's directory dir and decodes its answer, which is JSON.
func Query(ctx context.Context, dir string, answer any, args ...string) error {
	pulumi, err := Find(dir)
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
