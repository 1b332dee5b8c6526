package review

import (
	"bytes"
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/config"
)

// A renamed project's stack files still have the old namespace, which the program does not read.
func TestReviewReadsTheProjectAsPulumiDoes(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("Pulumi.yaml", []byte("name: films\nruntime: go\nconfig:\n  natGateways: {default: perAz}\n"), 0o600))
	var cfg *config.Config
	program := func(Finder) pulumi.RunFunc {
		return func(ctx *pulumi.Context) (err error) {
			cfg, err = config.Load(ctx)
			return err
		}
	}
	for _, c := range []struct{ file, problem string }{
		{"config: {aws:region: us-east-1, cinema:vpcCidr: 10.1.0.0/16}",
			"cinema:vpcCidr: \"10.1.0.0/16\" is a value of another project, and this one is films; rename the key to films:vpcCidr, or remove it\n"},
		{"config: {aws:region: us-east-1, protect: maybe, films:natGateways: two}",
			"films:protect: \"maybe\" is text; write true or false\nfilms:natGateways: \"two\" is not a NAT mode; use none, single or perAz\n"},
		{"config: {vpcCidr: 10.1.0.0/16}", "review: Pulumi.dev.yaml has no aws:region; set it there, or with -c aws:region=REGION\n"},
		{"config: {aws:region: us-east-1, alarms: {email: {secure: v1:abc}}}",
			"review: Pulumi.dev.yaml: films:alarms.email is encrypted, and nothing is decrypted here; set another value with -c films:alarms.email=VALUE\n"},
		{"config: {aws:region: us-east-1, vpcCidr: 10.1.0.0/16, protect: False, logRetentionDays: 036}", ""},
	} {
		require.NoError(t, os.WriteFile("Pulumi.dev.yaml", []byte(c.file), 0o600))
		var out, problems bytes.Buffer
		code := Main(t.Context(), []string{"-o", "-", "--format", "md", "-c", "api.minSize=4"}, program, nil, &out, &problems)
		assert.Equal(t, c.problem, problems.String())
		if c.problem == "" {
			assert.Equal(t, 0, code)
			assert.Contains(t, out.String(), "films")
		}
	}
	assert.Equal(t, "10.1.0.0/16", cfg.Network.CIDR.String())
	assert.Equal(t, "perAz", string(cfg.Network.NatGateways))
	assert.False(t, cfg.Protect)
	assert.Equal(t, 30, cfg.LogRetentionDays, "YAML's octal number")
	assert.Equal(t, 4, cfg.API.MinSize)
}
