package plan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/plan"
	"cinema-database/internal/pulumicli"
)

// hosts is the number of instances: enough for concurrent registrations.
const hosts = 30

type host struct {
	pulumi.CustomResourceState
	PrivateIp pulumi.StringOutput `pulumi:"privateIp"`
}

func program(ctx *pulumi.Context) error {
	// The AWS SDK's own types would take most of the time that the race detector's build takes.
	var vpc, file pulumi.CustomResourceState
	if err := ctx.RegisterResource("aws:ec2/vpc:Vpc", "one", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")}, &vpc, pulumi.Protect(true)); err != nil {
		return err
	}
	var first *host
	for i := range hosts {
		var h host
		if err := ctx.RegisterResource("aws:ec2/instance:Instance", fmt.Sprintf("host-%02d", i), pulumi.Map{
			"subnetId": vpc.ID().ToStringOutput(), "userData": pulumi.ToSecret(pulumi.String("hush")).(pulumi.StringOutput),
		}, &h); err != nil {
			return err
		}
		if first == nil {
			first = &h
		}
	}
	err := ctx.RegisterResource("aws:s3/bucketObjectv2:BucketObjectv2", "file", pulumi.Map{
		"bucket": pulumi.String("b"), "source": pulumi.NewStringAsset("content"),
	}, &file)
	ctx.Export("address", first.PrivateIp)
	ctx.Export("password", pulumi.ToSecret(pulumi.String("hush")))
	return err
}

func TestRecordingSurvivesJSONWithoutItsSecrets(t *testing.T) {
	for _, preview := range []bool{false, true} {
		r, err := plan.Record(program, plan.Options{Project: "p", Stack: "s", Preview: preview})
		require.NoError(t, err)
		require.NoError(t, r.Err)
		data, err := json.Marshal(r)
		require.NoError(t, err)
		assert.NotContains(t, string(data), "hush")
		assert.Equal(t, []string{"password"}, r.SecretExports)

		var back plan.Recording
		require.NoError(t, json.Unmarshal(data, &back))
		again, err := json.Marshal(&back)
		require.NoError(t, err)
		assert.Equal(t, string(data), string(again))
		assert.Len(t, r.Resources, hosts+2)
		assert.Equal(t, r.Inventory(), back.Inventory())
		assert.Equal(t, preview, back.ByName("host-00").Input("subnetId").IsComputed())
		assert.True(t, back.ByName("file").Input("source").IsAsset())
		assert.True(t, back.ByName("one").Protect)
		assert.Equal(t, "hush", r.ByName("host-00").Text("userData"), "writing does not change the recording")
	}
}

// project writes a project's files into a new directory.
func project(t *testing.T, project, stack string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte(project), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.x.yaml"), []byte(stack), 0o600))
	return dir
}

func TestReadStackReadsAsPulumiDoes(t *testing.T) {
	dir := project(t, `name: films
runtime: go
config:
  short: 3
  aws:profile: shop
  typed: {type: boolean, default: false}
  list: {default: [a]}
  given: {default: from the project}
  map: {default: {}}
`, `config:
  aws:region: eu-west-1
  given: from the stack
  films:yes: True
  films:no: off
  films:empty:
  films:octal: 010
  films:exponent: 1e3
  films:fraction: 2.50
  films:text: "007"
  films:date: 2026-01-02
  films:list: [a, 0x10, True, null, "3"]
  films:config:old: one
  cinema:other: left by a rename
`)
	got, err := plan.ReadStack(dir, "x", nil)
	require.NoError(t, err)
	assert.Equal(t, &plan.Stack{Project: "films", Config: map[string]string{
		"aws:region": "eu-west-1", "aws:profile": "shop", "films:short": "3", "films:typed": "false", "films:map": "{}",
		"films:given": "from the stack", "films:yes": "true", "films:no": "off", "films:empty": "", "films:octal": "8",
		"films:exponent": "1000", "films:fraction": "2.5", "films:text": "007", "films:date": "2026-01-02 00:00:00 +0000 UTC",
		"films:list": `["a",16,true,null,"3"]`, "films:old": "one", "cinema:other": "left by a rename",
	}}, got)
	requireSameAsCLI(t, dir, "x", got.Config)

	_, err = plan.ReadStack(dir, "y", nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = plan.ReadStack(t.TempDir(), "x", nil)
	require.ErrorContains(t, err, "Pulumi.yaml")
}

// requireSameAsCLI compares config values with those of `pulumi config`, where there is a CLI.
func requireSameAsCLI(t *testing.T, dir, stack string, want map[string]string) {
	t.Helper()
	found, err := pulumicli.Find(".")
	if errors.Is(err, pulumicli.ErrNotFound) {
		t.Log("not compared with the CLI: ", err)
		return
	}
	require.NoError(t, err)
	env := pulumicli.Environment("PULUMI_HOME="+t.TempDir(), "PULUMI_BACKEND_URL=file://"+t.TempDir(), "PULUMI_CONFIG_PASSPHRASE=x")
	var out []byte
	for _, args := range [][]string{{"stack", "init", stack}, {"config", "--json", "--stack", stack}} {
		cmd := exec.Command(found.Path, append(args, "--non-interactive")...)
		cmd.Dir, cmd.Env = dir, env
		out, err = cmd.Output()
		require.NoError(t, err)
	}
	var values map[string]struct{ Value string }
	require.NoError(t, json.Unmarshal(out, &values))
	got := map[string]string{}
	for key, v := range values {
		got[key] = v.Value
	}
	assert.Equal(t, want, got)
}

func TestValuesOfTheCommandLine(t *testing.T) {
	const stack = `config:
  cinema:api: {minSize: 3, allowedOrigins: ["https://a.example"]}
  cinema:stored: '{"kept": 1}'
  cinema:edge: none
  cinema:alarms: {email: {secure: v1:abc}}
`
	for _, c := range []struct{ key, value, of, want string }{
		{"api.minSize", "4", "cinema:api", `{"allowedOrigins":["https://a.example"],"minSize":4}`},
		{"cinema:api.minSize", "007", "cinema:api", `{"allowedOrigins":["https://a.example"],"minSize":"007"}`},
		{"api.allowedOrigins[1]", "https://b.example", "cinema:api", `{"allowedOrigins":["https://a.example","https://b.example"],"minSize":3}`},
		{"api.allowedOrigins", `["https://b.example"]`, "cinema:api", `{"allowedOrigins":["https://b.example"],"minSize":3}`},
		{"api", `{minSize: 5}`, "cinema:api", `{"minSize":5}`},
		{"api", `{broken`, "cinema:api", `{broken`},
		{"stored.added", "true", "cinema:stored", `{"added":true,"kept":1}`},
		{"edge.waf", "count", "cinema:edge", `{"waf":"count"}`},
		{"tags.Owner", "films", "cinema:tags", `{"Owner":"films"}`},
		{"tags.Number", `"42"`, "cinema:tags", `{"Number":"42"}`},
		{"protect", "yes", "cinema:protect", "yes"},
		{"aws:region", "eu-west-1", "aws:region", "eu-west-1"},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			got, err := plan.ReadStack(project(t, "{name: cinema, runtime: go}", stack), "x", map[string]string{"alarms.email": "a@b.example", c.key: c.value})
			require.NoError(t, err)
			assert.Equal(t, c.want, got.Config[c.of])
			assert.Equal(t, `{"email":"a@b.example"}`, got.Config["cinema:alarms"])
		})
	}
}

func TestEncryptedValuesAreNamedByTheirPaths(t *testing.T) {
	dir := project(t, "{name: cinema, runtime: go}", `config:
  cinema:hidden: {secure: v1:abc}
  cinema:list: [{secure: v1:abc}, plain, {deep: {secure: v1:abc}}]
  cinema:other: {secure: v1:abc}
`)
	file := filepath.Join(dir, "Pulumi.x.yaml")
	_, err := plan.ReadStack(dir, "x", map[string]string{"other": "mine"})
	const want = "%s: %s is encrypted, and nothing is decrypted here; set another value with -c %[2]s=VALUE"
	assert.EqualError(t, err, fmt.Sprintf(want, file, "cinema:hidden")+"\n"+fmt.Sprintf(want, file, "cinema:list[0]")+"\n"+
		fmt.Sprintf(want, file, "cinema:list[2].deep"))
	_, err = plan.ReadStack(dir, "x", map[string]string{"other": "mine", "list[0]": "a", "list[2].deep": "b", "hidden": "c"})
	require.NoError(t, err)
}
