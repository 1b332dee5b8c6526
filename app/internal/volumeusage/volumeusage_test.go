package volumeusage

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

// publish runs a Publisher for one tick per answer.
func publish(t *testing.T, answers ...func() (Usage, error)) (out, log string) {
	t.Helper()
	var o, l bytes.Buffer
	tick := make(chan time.Time)
	ctx, stop := context.WithCancel(context.Background())
	i := 0
	p := &Publisher{
		Stack: "dev", Out: &o, Log: slog.New(slog.NewTextHandler(&l, nil)), Tick: tick,
		Usage: func(context.Context) (Usage, error) { i++; return answers[i-1]() },
	}
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	for range answers {
		tick <- time.UnixMilli(1700000000000)
	}
	stop()
	<-done
	return o.String(), l.String()
}

func TestPublishesEmbeddedMetric(t *testing.T) {
	out, log := publish(t, func() (Usage, error) { return Usage{Used: 5, Total: 20}, nil })
	require.Empty(t, log)
	assert.JSONEq(t, `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Cinema","Dimensions":[["Stack"]],
		"Metrics":[{"Name":"DatabaseReachable","Unit":"None"},{"Name":"DataVolumeUsedPercent","Unit":"Percent"}]}]},
		"Stack":"dev","DatabaseReachable":1,"DataVolumeUsedPercent":25}`, out)
	assert.Equal(t, byte('\n'), out[len(out)-1])
}

func TestContinuesAfterAnError(t *testing.T) {
	out, log := publish(t,
		func() (Usage, error) { return Usage{}, errors.New("unreachable") },
		func() (Usage, error) { return Usage{}, nil },
		func() (Usage, error) { return Usage{Used: 1, Total: 4}, nil },
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
