package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestLimiterMemoryIsBounded(t *testing.T) {
	l := newLimiter(Rate{Burst: 1, Every: time.Hour}, time.Now)
	_, ok := l.take("first")
	assert.True(t, ok)
	for n := range limiterKeys - 1 {
		l.take(fmt.Sprint(n))
	}
	_, ok = l.take("first")
	assert.False(t, ok, "the key is still known, and the most recently used one")
	for n := range 3 * limiterKeys {
		l.take(fmt.Sprint("other", n))
	}
	assert.Len(t, l.buckets, limiterKeys)
	assert.Equal(t, limiterKeys, l.order.Len())
}

// TestLimiterSaysHowLong: a bucket with almost a whole token still returns the remaining wait.
func TestLimiterSaysHowLong(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimiter(Rate{Burst: 1, Every: time.Second}, func() time.Time { return now })
	_, ok := l.take("key")
	assert.True(t, ok)
	for _, step := range []time.Duration{30, 282, 688} {
		now = now.Add(step * time.Millisecond)
		if wait, ok := l.take("key"); !ok {
			assert.Positive(t, wait)
		}
	}
}

// TestLimiterNeverAllowsMore: in any period, a limiter allows at most the burst and one attempt per interval.
func TestLimiterNeverAllowsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{Burst: rapid.IntRange(1, 10).Draw(t, "burst"), Every: time.Second}
		now := time.Unix(1_700_000_000, 0)
		var first, latest time.Time
		l := newLimiter(rate, func() time.Time { return now })
		taken := 0
		for _, step := range rapid.SliceOfN(rapid.IntRange(-500, 3000), 1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(step) * time.Millisecond)
			if first.IsZero() {
				first = now
			}
			if now.After(latest) {
				latest = now
			}
			wait, ok := l.take("key")
			switch {
			case ok && rapid.Bool().Draw(t, "put back"):
				l.putBack("key")
			case ok:
				taken++
			case wait <= 0 || wait > rate.Every:
				t.Fatalf("wait %v", wait)
			}
		}
		// A clock that goes back adds no tokens.
		if most := float64(rate.Burst) + latest.Sub(first).Seconds(); float64(taken) > most+1e-6 {
			t.Fatalf("%d taken, %v allowed", taken, most)
		}
	})
}
