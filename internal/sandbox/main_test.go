package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cinema-database/internal/pulumicli"
	"cinema-database/internal/sandbox"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inProject changes to the directory of a new project, with the CLI on the PATH.
func inProject(t *testing.T, config string) {
	t.Helper()
	cli, err := pulumicli.Find(".")
	if errors.Is(err, pulumicli.ErrNotFound) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Setenv("PATH", filepath.Dir(cli.Path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("Pulumi.yaml", []byte(`name: cinema
requiredPulumiVersion: ">=3.0.0"
runtime: {name: go, options: {buildTarget: bin/cinema}}
config:
  cidr: {type: string}
  zones: {type: array, items: {type: string}, default: []}
  host: {type: object, default: {}}
  cores: {type: integer, default: 2}
  protect: {type: boolean, default: false}
`), 0o600))
	require.NoError(t, os.WriteFile("Pulumi.dev.yaml", []byte(config), 0o600))
}

// run runs a command line and returns its exit code and output.
func run(t *testing.T, program shop, args string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = sandbox.Main(t.Context(), strings.Fields(args), alone(program.program), reviewed, &o, &e)
	return code, o.String(), e.String()
}

// reviewed is a review command that writes its arguments into the page.
func reviewed(_ context.Context, args []string, _, _ io.Writer) int {
	if os.WriteFile(args[slices.Index(args, "-o")+1], []byte(strings.Join(args, " ")), 0o600) != nil {
		return 1
	}
	return 0
}

func TestMainLifecycle(t *testing.T) {
	config := "config:\n  aws:region: us-east-1\n  cidr: 10.0.0.0/16\n"
	inProject(t, config)
	program := shop{userData: "one", ami: "ami-1"}

	code, out, errOut := run(t, program, "up --fail aws:ec2/subnet:Subnet")
	assert.Equal(t, 1, code, errOut)
	assert.Contains(t, out, "failed once because of --fail")
	assert.Contains(t, out, "run `up` again")

	code, out, errOut = run(t, program, `up --skip-preview -c zones=["a"] -c host.type=t4g.small -c cores=4 -c cinema:protect=true`)
	require.Equal(t, 0, code, out+errOut)
	assert.Contains(t, out, "the account holds 5 resources: 5 ec2")
	assert.NotContains(t, out, "\x1b[", "colors only on a terminal")
	assert.Contains(t, out, "sandbox: up: 2 create, 4 same")
	assert.NotContains(t, out, "creating", "one line for each resource only on a terminal")
	assert.Equal(t, 1, strings.Count(out+errOut, "the shop is open"), "once:\n%s", out)
	assert.Contains(t, out, "go run . sandbox destroy --stack dev")
	assert.Contains(t, out, `go run . sandbox preview --stack dev -c cinema:protect=true -c cores=4 -c host.type=t4g.small -c 'zones=["a"]' -c cinema:logRetentionDays=3`)
	page, err := os.ReadFile(".sandbox/dev/review.html")
	require.NoError(t, err)
	assert.Equal(t, `--stack dev -o .sandbox/dev/review.html -c cinema:protect=true -c cores=4 -c host.type=t4g.small -c zones=["a"]`, string(page))

	code, out, errOut = run(t, program, "preview --expect-no-changes")
	assert.Equal(t, 0, code, out+errOut)
	program.userData = "two"
	code, _, errOut = run(t, program, "preview --expect-no-changes")
	assert.Equal(t, 1, code)
	assert.Contains(t, errOut, "2 update")

	code, out, errOut = run(t, program, "output")
	require.Equal(t, 0, code, errOut)
	var outputs map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &outputs), out)
	assert.Equal(t, "us-east-1b", outputs["zone"])
	assert.Equal(t, "[secret]", outputs["userData"])
	_, out, _ = run(t, program, "output --show-secrets")
	assert.Contains(t, out, `"userData": "password"`)
	code, out, errOut = run(t, program, "resources")
	require.Equal(t, 0, code, errOut)
	assert.Len(t, strings.Split(strings.TrimSpace(out), "\n"), resources)

	code, out, errOut = run(t, program, "up")
	require.Equal(t, 0, code, out+errOut)
	assert.Contains(t, out, "sandbox: preview: 2 update, 4 same\n  update template  userData\n  update host  tags\n")
	assert.Equal(t, 1, strings.Count(out+errOut, "the shop is open"), "once:\n%s", out)
	code, out, errOut = run(t, program, "refresh")
	require.Equal(t, 0, code, out+errOut)

	code, out, errOut = run(t, program, "destroy")
	require.Equal(t, 0, code, out+errOut)
	assert.Contains(t, out, "the account is empty")
	assert.NoDirExists(t, ".sandbox")
	kept, err := os.ReadFile("Pulumi.dev.yaml")
	require.NoError(t, err)
	assert.Equal(t, config, string(kept), "the project's files do not change")
}

func TestMainFailures(t *testing.T) {
	inProject(t, "config:\n  cidr: 10.0.0.0/16\n  cinema:key:\n    nested: {secure: v1:abc}\n")
	program := shop{userData: "one", ami: "ami-1"}
	for _, c := range []struct{ args, want string }{
		{"up --stack prod", "Pulumi.prod.yaml"},
		{"up", "cinema:key.nested is encrypted"},
		{"up -c key=plain", `no AWS region is set; set "aws:region"`},
		{"up --skip-preview -c key.nested=plain -c aws:region=us-east-1 -c cinema:cidr=10.9.0.0/16", "InvalidSubnet.Range"},
	} {
		code, out, errOut := run(t, program, c.args)
		assert.Equal(t, 1, code, c.args)
		assert.Contains(t, out+errOut, c.want, c.args)
	}
}

func TestNothingIsLeftForAStackThatIsNotUp(t *testing.T) {
	inProject(t, "config:\n  aws:region: us-east-1\n  cidr: 10.0.0.0/16\n")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"up --stack nowhere", 1, "Pulumi.nowhere.yaml"},
		{"output", 1, "sandbox: stack dev is not up; run `go run . sandbox up --stack dev` first"},
		{"resources --stack nowhere", 1, "stack nowhere is not up"},
		{"refresh", 1, "stack dev is not up"},
		{"destroy", 0, "there is nothing to destroy"},
		{"reset", 0, ".sandbox/dev is removed"},
	} {
		code, out, errOut := run(t, shop{}, c.args)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, out+errOut, c.want, c.args)
		assert.NoDirExists(t, ".sandbox", c.args)
	}
}

func TestDestroyRemovesProtection(t *testing.T) {
	inProject(t, "config:\n  aws:region: us-east-1\n  cidr: 10.0.0.0/16\n  protect: true\n")
	program := shop{userData: "one", ami: "ami-1"}
	code, out, errOut := run(t, program, "up --skip-preview")
	require.Equal(t, 0, code, out+errOut)
	code, out, errOut = run(t, program, "destroy")
	require.Equal(t, 0, code, out+errOut)
	assert.Contains(t, out, "protection is on (3 resources)")
	assert.Contains(t, out, "the account is empty")
	assert.NoDirExists(t, ".sandbox")
}
