package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// connections is the number of concurrent callers.
const connections = 64

// load is the result of calls from all connections for some time.
type load struct {
	calls   int
	elapsed time.Duration
	// latencies are unsorted.
	latencies []time.Duration
}

func (l load) perSecond() float64 { return float64(l.calls) / l.elapsed.Seconds() }

// p99 returns the time within which 99% of the calls were answered, in milliseconds.
func (l load) p99() float64 {
	if len(l.latencies) == 0 {
		return 0
	}
	slices.Sort(l.latencies)
	return float64(l.latencies[(len(l.latencies)*99-1)/100].Microseconds()) / 1000
}

func (l load) plus(other load) load {
	return load{l.calls + other.calls, l.elapsed + other.elapsed, append(l.latencies, other.latencies...)}
}

// drive calls f from all connections for the given time. It returns the first error of a call.
func drive(ctx context.Context, length time.Duration, f func(ctx context.Context) error) (load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		total   load
	)
	start := time.Now()
	end := start.Add(length)
	for range connections {
		workers.Go(func() {
			var own []time.Duration
			for ctx.Err() == nil {
				before := time.Now()
				if before.After(end) {
					break
				}
				if err := f(ctx); err != nil {
					cancel(err)
					break
				}
				own = append(own, time.Since(before))
			}
			mu.Lock()
			defer mu.Unlock()
			total.calls += len(own)
			total.latencies = append(total.latencies, own...)
		})
	}
	workers.Wait()
	total.elapsed = time.Since(start)
	return total, context.Cause(ctx)
}
