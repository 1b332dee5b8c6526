// Package databasemetrics publishes whether the API reaches the database, how full its data volume is, and the state of its
// replica set. The database hosts have no network path to CloudWatch, so the API queries the database and writes the metrics
// to its own log, where CloudWatch Logs extracts them (CloudWatch user guide, "Embedded metric format").
package databasemetrics

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

// ErrNotPermitted means that the database user lacks the role for the replica set's state.
var ErrNotPermitted = errors.New("databasemetrics: the database user may not read the state of the replica set")

// Usage is the used and total size of the database's file system, in bytes (dbStats: fsUsedSize, fsTotalSize).
type Usage struct{ Used, Total float64 }

// ReplicaSet is the state of a replica set.
type ReplicaSet struct {
	// Members is how many there are, Healthy how many of them are primary or secondary.
	Members, Healthy int
	Primary          bool
	// Lag is that of the last secondary, nil if there is no primary or no healthy secondary.
	Lag *time.Duration
	// OplogWindow is as contract.OplogWindowHours, nil if unknown.
	OplogWindow *time.Duration
}

// Publisher writes the metrics once a minute.
type Publisher struct {
	// Usage queries the database. Its errors are logged.
	Usage func(context.Context) (Usage, error)
	// ReplicaSet queries the state of the replica set: the zero value where there is none. What it returns with
	// an error is published too. Its errors are logged, ErrNotPermitted only once.
	ReplicaSet func(context.Context) (ReplicaSet, error)
	// Stack is the value of the metrics' dimension.
	Stack string
	Out   io.Writer
	Log   *slog.Logger
	// Tick replaces the clock in tests; nil for once a minute.
	Tick <-chan time.Time

	// notPermitted means that ErrNotPermitted has been logged.
	notPermitted bool
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
				p.Log.Warn("database not measured", "error", err.Error())
			}
		}
	}
}

// publish writes the reachability in any case, and the rest if the database reports it.
func (p *Publisher) publish(ctx context.Context, now time.Time) error {
	asking, cancel := context.WithTimeout(ctx, interval/2)
	defer cancel()
	u, err := p.Usage(asking)
	set, setErr := p.ReplicaSet(asking)
	if err != nil && ctx.Err() != nil {
		return err // the API stops: that says nothing about the database
	}
	line := embedded{values: map[string]any{contract.StackDimension: p.Stack}}
	line.add(contract.DatabaseReachable, "None", number(err == nil))
	switch {
	case err != nil:
	case u.Total <= 0:
		err = fmt.Errorf("databasemetrics: the database reports a volume of %.0f bytes", u.Total)
	default:
		line.add(contract.DataVolumeUsedPercent, "Percent", 100*u.Used/u.Total)
	}
	if set.Members > 1 {
		line.add(contract.DatabasePrimary, "None", number(set.Primary))
		line.add(contract.DatabaseHealthyMembers, "Count", float64(set.Healthy))
		if set.Lag != nil {
			line.add(contract.ReplicationLagSeconds, "Seconds", set.Lag.Seconds())
		}
		if set.OplogWindow != nil {
			line.add(contract.OplogWindowHours, "None", set.OplogWindow.Hours())
		}
	}
	if errors.Is(setErr, ErrNotPermitted) {
		if p.notPermitted {
			setErr = nil
		}
		p.notPermitted = true
	}
	return errors.Join(err, setErr, line.write(p.Out, now))
}

// embedded is one line of the embedded metric format.
type embedded struct {
	metrics []map[string]string
	values  map[string]any
}

func (e *embedded) add(name, unit string, value float64) {
	e.metrics = append(e.metrics, map[string]string{"Name": name, "Unit": unit})
	e.values[name] = value
}

func (e *embedded) write(out io.Writer, now time.Time) error {
	e.values["_aws"] = map[string]any{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": contract.MetricNamespace, "Dimensions": [][]string{{contract.StackDimension}}, "Metrics": e.metrics,
		}},
	}
	line, err := json.Marshal(e.values)
	if err != nil {
		return err
	}
	_, err = out.Write(append(line, '\n'))
	return err
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
