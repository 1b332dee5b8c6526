package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
)

// progress shows how far a transfer is: on a terminal one line that changes, else a line for each file.
type progress struct {
	p     *process
	verb  string
	files int
	total int64 // bytes of all files
	now   func() time.Time

	mu          sync.Mutex
	start, last time.Time
	completed   int
	transferred int64
	shown       bool
}

// progressInterval is the least time between two changes of the line.
const progressInterval = 200 * time.Millisecond

func newProgress(p *process, verb string, all []transfer) *progress {
	s := &progress{p: p, verb: verb, files: len(all), now: time.Now}
	for _, t := range all {
		s.total += t.bytes
	}
	s.start = s.now()
	return s
}

// fileProgress counts the bytes of one file. The transfer manager calls it.
type fileProgress struct {
	progress *progress
	counted  int64
}

var _ transfermanager.ObjectBytesTransferredListener = (*fileProgress)(nil)

// OnObjectBytesTransferred is called with the bytes of the file so far.
func (f *fileProgress) OnObjectBytesTransferred(_ context.Context, e *transfermanager.ObjectBytesTransferredEvent) {
	s := f.progress
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.BytesTransferred <= f.counted {
		return // parts run concurrently, so their events may come in another order
	}
	s.transferred += e.BytesTransferred - f.counted
	f.counted = e.BytesTransferred
	if now := s.now(); s.p.watches && now.Sub(s.last) >= progressInterval {
		s.last, s.shown = now, true
		fmt.Fprintf(s.p.errout, "\r\x1b[K%s", s.line(now))
	}
}

func (s *progress) line(now time.Time) string {
	percent := int64(100)
	if s.total > 0 {
		percent = min(100, s.transferred*100/s.total)
	}
	return fmt.Sprintf("%3d %%  %s of %s  %s/s  %d of %s", percent, size(s.transferred), size(s.total), size(s.rate(now)), s.completed, count(s.files, "file"))
}

// rate returns the bytes per second so far.
func (s *progress) rate(now time.Time) int64 {
	seconds := now.Sub(s.start).Seconds()
	if seconds <= 0 {
		return 0
	}
	return int64(float64(s.transferred) / seconds)
}

func (s *progress) done(t transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.completed++
	if !s.p.watches {
		fmt.Fprintf(s.p.out, "%s %s  %s\n", s.verb, t.location, size(t.bytes))
	}
}

// end ends the line, and sums up.
func (s *progress) end(succeeded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		fmt.Fprint(s.p.errout, "\r\x1b[K")
	}
	text := fmt.Sprintf("%s %s, %s", s.verb, count(s.completed, "file"), size(s.transferred))
	if !succeeded {
		text = fmt.Sprintf("%s %d of %s", s.verb, s.completed, count(s.files, "file"))
	}
	fmt.Fprintf(s.p.errout, "%s, %s/s\n", text, size(s.rate(s.now())))
}

// size returns a number of bytes for people: 999 B, 1.5 MB. 1 MB is 1,000,000 bytes.
func size(bytes int64) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	value := float64(bytes)
	for _, unit := range []string{"kB", "MB", "GB"} {
		if value /= 1000; value < 999.95 {
			return fmt.Sprintf("%.1f %s", value, unit)
		}
	}
	return fmt.Sprintf("%.1f TB", value/1000)
}
