package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/plan"
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

func TestStackConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Pulumi.x.yaml")
	require.NoError(t, os.WriteFile(path, []byte("config:\n  aws:region: eu-west-1\n  bare: 1\n  cinema:list: [a, b]\n  cinema:hidden: {secure: v1:abc}\n  cinema:other: {secure: v1:def}\n"), 0o600))
	_, err := plan.StackConfig(path, "cinema", map[string]string{"cinema:other": "mine"})
	require.ErrorContains(t, err, "cinema:hidden is encrypted")
	assert.NotContains(t, err.Error(), "cinema:other")
	values, err := plan.StackConfig(path, "cinema", map[string]string{"other": "mine", "cinema:hidden": "known"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"aws:region": "eu-west-1", "cinema:bare": "1", "cinema:list": `["a","b"]`, "cinema:hidden": "known", "cinema:other": "mine",
	}, values)
}
