package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/plan"
)

func program(ctx *pulumi.Context) error {
	vpc, err := ec2.NewVpc(ctx, "one", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")}, pulumi.Protect(true))
	if err != nil {
		return err
	}
	host, err := ec2.NewInstance(ctx, "host", &ec2.InstanceArgs{
		SubnetId: vpc.ID().ToStringOutput(), UserData: pulumi.ToSecret(pulumi.String("hush")).(pulumi.StringOutput),
	})
	if err != nil {
		return err
	}
	_, err = s3.NewBucketObjectv2(ctx, "file", &s3.BucketObjectv2Args{
		Bucket: pulumi.String("b"), Source: pulumi.NewStringAsset("content"),
	})
	ctx.Export("address", host.PrivateIp)
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
		assert.Equal(t, r.Inventory(), back.Inventory())
		assert.Equal(t, preview, back.ByName("host").Input("subnetId").IsComputed())
		assert.True(t, back.ByName("file").Input("source").IsAsset())
		assert.True(t, back.ByName("one").Protect)
		assert.Equal(t, "hush", r.ByName("host").Text("userData"), "writing must not change the recording")
	}
}

func TestStackConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Pulumi.x.yaml")
	require.NoError(t, os.WriteFile(path, []byte("config:\n  aws:region: eu-west-1\n  bare: 1\n  cinema:list: [a, b]\n  cinema:hidden: {secure: v1:abc}\n  cinema:other: {secure: v1:def}\n"), 0o600))
	_, err := plan.StackConfig(path, map[string]string{"cinema:other": "mine"})
	require.ErrorContains(t, err, "cinema:hidden is encrypted")
	assert.NotContains(t, err.Error(), "cinema:other")
	values, err := plan.StackConfig(path, map[string]string{"other": "mine", "cinema:hidden": "known"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"aws:region": "eu-west-1", "cinema:bare": "1", "cinema:list": `["a","b"]`, "cinema:hidden": "known", "cinema:other": "mine",
	}, values)
}
