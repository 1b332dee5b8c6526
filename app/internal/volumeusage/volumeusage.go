// Package volumeusage publishes how full the database's data volume is. The database host has no network path to
// CloudWatch, so the API queries the database and writes the metric to its own log, where CloudWatch Logs extracts it
// (CloudWatch user guide, "Embedded metric format").
package volumeusage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"cinema-database/app/contract"
)

// interval is the alarm's period.
const interval = time.Minute

// Usage is the used and total size of the database's file system, in bytes (dbStats: fsUsedSize, fsTotalSize).
type Usage struct{ Used, Total float64 }

// Publisher writes the metric once a minute.
type Publisher struct {
	// Usage queries the database. Its errors are logged.
	Usage func(context.Context) (Usage, error)
	// Stack is the value of the metric's dimension.
	Stack string
	Out   io.Writer
	Log   *slog.Logger
	// Tick replaces the clock in tests; nil for once a minute.
	Tick <-chan time.Time
}

// Run publishes until ctx ends.
func (p *Publisher) Run(ctx context.Context) {
	tick := p.Tick
	if tick == nil {
		t := time.NewTicker(interval)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick:
			if err := p.publish(ctx, now); err != nil && ctx.Err() == nil {
				p.Log.Warn("data volume not measured", "error", err.Error())
			}
		}
	}
}

func (p *Publisher) publish(ctx context.Context, now time.Time) error {
	u, err := p.Usage(ctx)
	if err != nil {
		return err
	}
	if u.Total <= 0 {
		return fmt.Errorf("volumeusage: the database reports a volume of %.0f bytes", u.Total)
	}
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{
			"Timestamp": now.UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace":  contract.MetricNamespace,
				"Dimensions": [][]string{{contract.StackDimension}},
				"Metrics":    []any{map[string]string{"Name": contract.DataVolumeUsedPercent, "Unit": "Percent"}},
			}},
		},
		contract.StackDimension:        p.Stack,
		contract.DataVolumeUsedPercent: 100 * u.Used / u.Total,
	})
	if err != nil {
		return err
	}
	_, err = p.Out.Write(append(line, '\n'))
	return err
}
