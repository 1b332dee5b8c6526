// Package space publishes how full the database's volume is: the database host has no way to CloudWatch, so
// the API asks the database and writes the answer to its own log, as a metric that CloudWatch Logs extracts
// (CloudWatch user guide, "Embedded metric format").
package volumeusage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// The metric's name in CloudWatch; its dimension is Stack.
const (
	Namespace = "Cinema"
	Metric    = "DataVolumeUsedPercent"
)

// interval matches the alarm's period: a minute.
const interval = time.Minute

// Usage is the file system that holds the database's files, in bytes (dbStats: fsUsedSize, fsTotalSize).
type Usage struct{ Used, Total float64 }

// Publisher writes the metric until it is stopped.
type Publisher struct {
	// Usage asks the database. An error is logged, and asked again a minute later.
	Usage func(context.Context) (Usage, error)
	// Stack is the metric's dimension.
	Stack string
	Out   io.Writer
	Log   *slog.Logger
	// Tick is when to ask; nil for once a minute.
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
		return fmt.Errorf("space: the database says its volume holds %.0f bytes", u.Total)
	}
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{
			"Timestamp": now.UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace":  Namespace,
				"Dimensions": [][]string{{"Stack"}},
				"Metrics":    []any{map[string]string{"Name": Metric, "Unit": "Percent"}},
			}},
		},
		"Stack": p.Stack,
		Metric:  100 * u.Used / u.Total,
	})
	if err != nil {
		return err
	}
	_, err = p.Out.Write(append(line, '\n'))
	return err
}
