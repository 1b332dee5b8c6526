package pulumicli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// ErrNoLogin means that the user has chosen no state backend.
var ErrNoLogin = errors.New("no state backend is chosen: run `pulumi login`, or `pulumi login s3://BUCKET` for a bucket of your own")

// Query runs the CLI in the project's directory dir and decodes its answer, which is JSON. The error wraps ErrNoLogin if the
// user is not logged in.
func Query(ctx context.Context, dir string, answer any, args ...string) error {
	pulumi, err := Find(dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, pulumi.Path, args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	text, err := cmd.Output()
	switch {
	case err == nil:
		return json.Unmarshal(text, answer)
	case strings.Contains(stderr.String(), "PULUMI_ACCESS_TOKEN must be set for login"):
		return ErrNoLogin
	default:
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
}
