package api

import (
	"container/list"
	"math"
	"sync"
	"time"
)

// Rate allows Burst events at once, and then one per interval Every.
type Rate struct {
	Burst int
	Every time.Duration
}

func (r Rate) or(other Rate) Rate {
	if r == (Rate{}) {
		return other
	}
	return r
}

var (
	// userAttempts limits wrong passwords per name: ten thousand guesses take three and a half days. A lower rate would
	// protect better against guessing, but would let anyone lock out an account's owner for longer.
	userAttempts = Rate{Burst: 10, Every: 30 * time.Second}
	// addressAttempts limits wrong passwords and registrations per address, which a whole office may share.
	addressAttempts = Rate{Burst: 60, Every: 5 * time.Second}
)

// limiterKeys is the maximum number of keys of a limiter, which evicts the least recently used one. An attacker would need
// as many addresses to fill it, because each address is limited itself.
const limiterKeys = 20_000

// limiter is a token bucket for each key, in bounded memory.
type limiter struct {
	rate Rate
	now  func() time.Time
	mu   sync.Mutex
	// buckets maps keys to elements of order, whose values are *bucket, most recently used first.
	buckets map[string]*list.Element
	order   *list.List
}

type bucket struct {
	key    string
	tokens float64
	at     time.Time
}

func newLimiter(rate Rate, now func() time.Time) *limiter {
	return &limiter{rate: rate, now: now, buckets: map[string]*list.Element{}, order: list.New()}
}

// take takes a token. If there is none, it returns the time until there is one.
func (l *limiter) take(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key)
	if b.tokens < 1 {
		return time.Duration(math.Ceil((1 - b.tokens) * float64(l.rate.Every))), false
	}
	b.tokens--
	return 0, true
}

// putBack returns the token of an attempt that does not count.
func (l *limiter) putBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key)
	b.tokens = min(b.tokens+1, float64(l.rate.Burst))
}

func (l *limiter) bucket(key string) *bucket {
	now := l.now()
	if e, found := l.buckets[key]; found {
		l.order.MoveToFront(e)
		b := e.Value.(*bucket)
		if d := now.Sub(b.at); d > 0 {
			b.tokens = min(b.tokens+float64(d)/float64(l.rate.Every), float64(l.rate.Burst))
			b.at = now
		}
		return b
	}
	if l.order.Len() >= limiterKeys {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.buckets, oldest.Value.(*bucket).key)
	}
	b := &bucket{key: key, tokens: float64(l.rate.Burst), at: now}
	l.buckets[key] = l.order.PushFront(b)
	return b
}
