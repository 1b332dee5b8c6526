package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"cinema-database/app/internal/databasemetrics"
)

func TestReplicaSetFromItsStatus(t *testing.T) {
	now := time.Unix(1700000000, 0)
	type member struct {
		state  string
		behind time.Duration
	}
	seconds := func(n int) *time.Duration { d := time.Duration(n) * time.Second; return &d }
	for name, c := range map[string]struct {
		members []member
		want    databasemetrics.ReplicaSet
	}{
		"healthy":         {[]member{{"PRIMARY", 0}, {"SECONDARY", time.Second}, {"SECONDARY", 9 * time.Second}}, databasemetrics.ReplicaSet{Members: 3, Healthy: 3, Primary: true, Lag: seconds(9)}},
		"no primary":      {[]member{{"SECONDARY", 0}, {"SECONDARY", time.Second}, {"(not reachable/healthy)", 0}}, databasemetrics.ReplicaSet{Members: 3, Healthy: 2}},
		"initial sync":    {[]member{{"PRIMARY", 0}, {"STARTUP2", time.Hour}}, databasemetrics.ReplicaSet{Members: 2, Healthy: 1, Primary: true}},
		"after election":  {[]member{{"SECONDARY", -time.Second}, {"PRIMARY", 0}}, databasemetrics.ReplicaSet{Members: 2, Healthy: 2, Primary: true, Lag: seconds(0)}},
		"stale primary":   {[]member{{"PRIMARY", time.Minute}, {"PRIMARY", 0}, {"SECONDARY", 2 * time.Second}}, databasemetrics.ReplicaSet{Members: 3, Healthy: 3, Primary: true, Lag: seconds(2)}},
		"only one member": {[]member{{"PRIMARY", 0}}, databasemetrics.ReplicaSet{Members: 1, Healthy: 1, Primary: true}},
	} {
		t.Run(name, func(t *testing.T) {
			members := bson.A{}
			for _, m := range c.members {
				members = append(members, bson.D{{Key: "stateStr", Value: m.state}, {Key: "optimeDate", Value: now.Add(-m.behind)}})
			}
			raw, err := bson.Marshal(bson.D{{Key: "members", Value: members}})
			require.NoError(t, err)
			var status setStatus
			require.NoError(t, bson.Unmarshal(raw, &status))
			assert.Equal(t, c.want, status.replicaSet())
		})
	}
}

func TestAMissingRoleIsToldApart(t *testing.T) {
	assert.ErrorIs(t, refusal(mongo.CommandError{Code: unauthorized}), databasemetrics.ErrNotPermitted)
	assert.ErrorIs(t, refusal(mongo.CommandError{Code: 11600}), ErrUnavailable)
	assert.NoError(t, refusal(nil))
}
