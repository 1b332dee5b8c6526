// Package volumeusage publishes whether the API reaches the database, and how full the database's data volume is. The database host has no network path to
// CloudWatch, so the API queries the database and writes the metric to its own log, where CloudWatch Logs extracts it
// (CloudWatch user guide, "Embedded metric format").
package volumeusage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"cinema-database/app/contract"
)

// interval is the period of the alarms. A query that takes half of it counts as a database that cannot be reached.
const interval = time.Minute

// Usage is the used and total size of the database's file system, in bytes (dbStats: fsUsedSize, fsTotalSize).
type Usage struct{ Used, Total float64 }

// Publisher writes the metrics once a minute.
type Publisher struct {
	// Usage queries the database. Its errors are logged.
	Usage func(context.Context) (Usage, error)
	// Stack is the value of the metrics' dimension.
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

// publish writes the reachability in any case, and the usage if the database reports it.
func (p *Publisher) publish(ctx context.Context, now time.Time) error {
	asking, cancel := context.WithTimeout(ctx, interval/2)
	defer cancel()
	u, err := p.Usage(asking)
	if err != nil && ctx.Err() != nil {
		return err // the API stops: that says nothing about the database
	}
	metrics := []any{map[string]string{"Name": contract.DatabaseReachable, "Unit": "None"}}
	values := map[string]any{contract.StackDimension: p.Stack, contract.DatabaseReachable: 1}
	switch {
	case err != nil:
		values[contract.DatabaseReachable] = 0
	case u.Total <= 0:
		err = fmt.Errorf("volumeusage: the database reports a volume of %.0f bytes", u.Total)
	default:
		metrics = append(metrics, map[string]string{"Name": contract.DataVolumeUsedPercent, "Unit": "Percent"})
		values[contract.DataVolumeUsedPercent] = 100 * u.Used / u.Total
	}
	values["_aws"] = map[string]any{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": contract.MetricNamespace, "Dimensions": [][]string{{contract.StackDimension}}, "Metrics": metrics,
		}},
	}
	line, failed := json.Marshal(values)
	if failed != nil {
		return errors.Join(err, failed)
	}
	_, failed = p.Out.Write(append(line, '\n'))
	return errors.Join(err, failed)
}
