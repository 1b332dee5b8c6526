package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestGuardMemoryIsBounded(t *testing.T) {
	now := time.Now()
	g := newGuard(Limit{1, time.Hour})
	_, ok := g.take("first", now)
	assert.True(t, ok)
	for n := range guardKeys - 1 {
		g.take(fmt.Sprint(n), now)
	}
	wait, ok := g.take("first", now)
	assert.False(t, ok, "the address is still known")
	assert.InDelta(t, time.Hour, wait, float64(time.Second))
	for n := range 2 * guardKeys {
		g.take(fmt.Sprint("other", n), now)
	}
	assert.Equal(t, guardKeys, g.seen.Len())
}

// TestGuardNeverAllowsMore: in any period, a guard allows at most the attempts of one window and those that time adds.
func TestGuardNeverAllowsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{rapid.IntRange(1, 10).Draw(t, "attempts"), 10 * time.Second}
		now := time.Unix(1_700_000_000, 0)
		first := now
		g := newGuard(limit)
		taken := 0
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(step) * time.Millisecond)
			wait, ok := g.take("address", now)
			if ok {
				taken++
			} else if wait <= 0 || wait > limit.Window {
				t.Fatalf("wait %v", wait)
			}
		}
		if most := float64(limit.Attempts) * (1 + now.Sub(first).Seconds()/limit.Window.Seconds()); float64(taken) > most+1e-3 {
			t.Fatalf("%d taken, %v allowed", taken, most)
		}
	})
}
