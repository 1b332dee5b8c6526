package storage

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

// The daily backups are copied to the replica's region by its provider; the hourly ones stay.
func TestHourlyBackupsAndCopies(t *testing.T) {
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		replica, err := NewReplica(ctx, "replica", &ReplicaArgs{
			Environment: pulumitest.Environment(), ReplicaSettings: ReplicaSettings{Region: "us-west-2"},
			ImagesBucket: pulumi.String("images"), ImagesARN: pulumi.String("arn:aws:s3:::images"),
		})
		if err != nil {
			return err
		}
		_, err = NewBackup(ctx, "backup", &BackupArgs{
			Environment: pulumitest.Environment(), BackupSettings: BackupSettings{RetentionDays: 7, Hourly: true},
			VolumeARN: pulumi.String("arn:aws:ec2:us-east-1:123456789012:volume/vol-1"), Replica: replica,
		})
		return err
	})
	require.NoError(t, r.Err)
	plan, copies, vault := r.ByName("backup-daily"), r.ByName("backup-copies"), r.ByName("backup-vault")
	require.NotNil(t, copies)
	require.Len(t, plan.Input("rules").ArrayValue(), 2)
	assert.Equal(t, "daily", plan.Text("rules[0].ruleName"))
	assert.Equal(t, copies.State["arn"].StringValue(), plan.Text("rules[0].copyActions[0].destinationVaultArn"))
	assert.Equal(t, 7.0, plan.Input("rules[0].copyActions[0].lifecycle.deleteAfter").NumberValue())
	assert.Equal(t, "hourly", plan.Text("rules[1].ruleName"))
	assert.Equal(t, 2.0, plan.Input("rules[1].lifecycle.deleteAfter").NumberValue())
	assert.False(t, plan.Input("rules[1].copyActions").IsArray())
	assert.Contains(t, copies.Provider, "replica-provider")
	assert.NotContains(t, vault.Provider, "replica-provider")
}
