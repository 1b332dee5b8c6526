package databasemetrics

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// measured is what the database answers at one tick.
type measured struct {
	usage  Usage
	err    error
	set    ReplicaSet
	setErr error
}

// publish runs a Publisher for one tick per answer.
func publish(t *testing.T, answers ...measured) (out, log string) {
	t.Helper()
	var o, l bytes.Buffer
	tick := make(chan time.Time)
	ctx, stop := context.WithCancel(context.Background())
	i := -1
	p := &Publisher{
		Stack: "dev", Out: &o, Log: slog.New(slog.NewTextHandler(&l, nil)), Tick: tick,
		Usage: func(ctx context.Context) (Usage, error) {
			if i++; i == len(answers) {
				<-ctx.Done()
				return Usage{}, ctx.Err()
			}
			return answers[i].usage, answers[i].err
		},
		ReplicaSet: func(context.Context) (ReplicaSet, error) {
			return answers[min(i, len(answers)-1)].set, answers[min(i, len(answers)-1)].setErr
		},
	}
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	for range len(answers) + 1 { // the last is received once the answers are published
		tick <- time.UnixMilli(1700000000000)
	}
	stop()
	<-done
	return o.String(), l.String()
}

func TestPublishesEmbeddedMetric(t *testing.T) {
	out, log := publish(t, measured{usage: Usage{Used: 5, Total: 20}})
	require.Empty(t, log)
	assert.JSONEq(t, `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Cinema","Dimensions":[["Stack"]],
		"Metrics":[{"Name":"DatabaseReachable","Unit":"None"},{"Name":"DataVolumeUsedPercent","Unit":"Percent"}]}]},
		"Stack":"dev","DatabaseReachable":1,"DataVolumeUsedPercent":25}`, out)
	assert.Equal(t, byte('\n'), out[len(out)-1])
}

func TestContinuesAfterAnError(t *testing.T) {
	out, log := publish(t,
		measured{err: errors.New("unreachable")},
		measured{},
		measured{usage: Usage{Used: 1, Total: 4}},
	)
	assert.Contains(t, log, "unreachable")
	assert.Contains(t, log, "a volume of 0 bytes")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	for i, reachable := range []string{"0", "1", "1"} {
		assert.Contains(t, lines[i], `"DatabaseReachable":`+reachable)
	}
	assert.Equal(t, 1, strings.Count(out, `"DataVolumeUsedPercent":`), "only measurements are published")
	assert.Contains(t, lines[2], `"DataVolumeUsedPercent":25`)
}

func TestPublishesTheReplicaSet(t *testing.T) {
	lag, window := 3*time.Second, 36*time.Hour
	full := Usage{Used: 5, Total: 20}
	out, log := publish(t,
		measured{usage: full, set: ReplicaSet{Members: 3, Healthy: 3, Primary: true, Lag: &lag, OplogWindow: &window}},
		measured{err: errors.New("no primary"), set: ReplicaSet{Members: 3, Healthy: 1}},
		measured{usage: full, set: ReplicaSet{Members: 1, Healthy: 1, Primary: true, OplogWindow: &window}},
	)
	assert.Equal(t, 1, strings.Count(log, "level=WARN"), log)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	assert.JSONEq(t, `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Cinema","Dimensions":[["Stack"]],
		"Metrics":[{"Name":"DatabaseReachable","Unit":"None"},{"Name":"DataVolumeUsedPercent","Unit":"Percent"},
		{"Name":"DatabasePrimary","Unit":"None"},{"Name":"DatabaseHealthyMembers","Unit":"Count"},
		{"Name":"ReplicationLagSeconds","Unit":"Seconds"},{"Name":"OplogWindowHours","Unit":"None"}]}]},
		"Stack":"dev","DatabaseReachable":1,"DataVolumeUsedPercent":25,
		"DatabasePrimary":1,"DatabaseHealthyMembers":3,"ReplicationLagSeconds":3,"OplogWindowHours":36}`, lines[0])
	assert.Contains(t, lines[1], `"DatabasePrimary":0`)
	assert.Contains(t, lines[1], `"DatabaseHealthyMembers":1`)
	assert.NotContains(t, lines[1], "ReplicationLagSeconds")
	assert.NotContains(t, lines[2], "DatabasePrimary", "one member has nothing to replicate to")
	assert.NotContains(t, lines[2], "OplogWindowHours")
}

func TestAMissingRoleIsLoggedOnce(t *testing.T) {
	refused := measured{usage: Usage{Used: 5, Total: 20}, setErr: ErrNotPermitted}
	out, log := publish(t, refused, refused, refused)
	assert.Equal(t, 1, strings.Count(log, "may not read the state of the replica set"), log)
	assert.Equal(t, 3, strings.Count(out, `"DataVolumeUsedPercent":25`))
	assert.NotContains(t, out, "DatabasePrimary")
}
