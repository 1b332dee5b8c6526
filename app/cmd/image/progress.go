package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/term"
)

// screen prints lines, and on a terminal one line below them that changes.
type screen struct {
	stdout, stderr io.Writer
	terminal       bool
	now            func() time.Time

	mu    sync.Mutex
	last  time.Time
	shown bool
}

// progressInterval is the least time between two changes of the line.
const progressInterval = 200 * time.Millisecond

func newScreen(stdout, stderr io.Writer) *screen {
	s := &screen{stdout: stdout, stderr: stderr, now: time.Now}
	if f, ok := stderr.(*os.File); ok {
		s.terminal = term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	}
	return s
}

func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.stdout, format+"\n", args...)
}

// update changes the line on a terminal.
func (s *screen) update(line func() string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !s.terminal || now.Sub(s.last) < progressInterval {
		return
	}
	s.last, s.shown = now, true
	fmt.Fprintf(s.stderr, "\r\x1b[K%s", line())
}

// end removes the line.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

func (s *screen) clear() {
	if s.shown {
		fmt.Fprint(s.stderr, "\r\x1b[K")
		s.shown = false
	}
}

// upload watches the requests of a push: it counts bytes, and says what becomes of each part of the image.
type upload struct {
	http.RoundTripper
	out   *screen
	blobs map[v1.Hash]blob
	total int64

	mu    sync.Mutex
	sent  int64
	start time.Time
}

func newUpload(next http.RoundTripper, i *image, out *screen) *upload {
	return &upload{RoundTripper: next, out: out, blobs: i.blobs, total: i.bytes(), start: out.now()}
}

// RoundTrip sends a request of the distribution protocol: HEAD asks for a blob, PATCH uploads one, and PUT completes it.
func (u *upload) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch && r.Body != nil {
		return u.patch(r)
	}
	response, err := u.RoundTripper.RoundTrip(r)
	ok := err == nil && response.StatusCode < 300
	switch r.Method {
	case http.MethodHead:
		if b, known := u.blob(path.Base(r.URL.Path)); known && ok && strings.Contains(r.URL.Path, "/blobs/") {
			u.add(b.size)
			u.out.say("%s: the repository has it, %s", b.name, size(b.size))
		}
	case http.MethodPut:
		if b, known := u.blob(r.URL.Query().Get("digest")); known && ok {
			u.out.say("%s: pushed, %s", b.name, size(b.size))
		} else if known {
			u.add(-b.size) // what PATCH has counted
		}
	}
	return response, err
}

func (u *upload) patch(r *http.Request) (*http.Response, error) {
	body := &countedBody{ReadCloser: r.Body, upload: u}
	counted := r.Clone(r.Context())
	counted.Body = body
	if r.GetBody != nil {
		// The transport sends the body again where it had chosen a connection that the server was about to close.
		counted.GetBody = func() (io.ReadCloser, error) {
			again, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			body.forget()
			body = &countedBody{ReadCloser: again, upload: u}
			return body, nil
		}
	}
	response, err := u.RoundTripper.RoundTrip(counted)
	if err != nil || response.StatusCode >= 300 {
		lost := body.forget()
		reason := fmt.Sprint(err)
		if err == nil {
			reason = response.Status
		}
		if r.Context().Err() == nil {
			u.out.say("an upload broke off after %s: %s", size(lost), reason)
		}
	}
	return response, err
}

// blob returns the part of the image with a digest.
func (u *upload) blob(digest string) (blob, bool) {
	hash, err := v1.NewHash(digest)
	if err != nil {
		return blob{}, false
	}
	b, ok := u.blobs[hash]
	return b, ok
}

func (u *upload) add(bytes int64) {
	u.mu.Lock()
	u.sent += bytes
	u.mu.Unlock()
	u.out.update(u.line)
}

func (u *upload) line() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	percent, rate := int64(100), int64(0)
	if u.total > 0 {
		percent = min(100, u.sent*100/u.total)
	}
	if seconds := u.out.now().Sub(u.start).Seconds(); seconds > 0 {
		rate = int64(float64(u.sent) / seconds)
	}
	return fmt.Sprintf("%3d %%  %s of %s  %s/s", percent, size(u.sent), size(u.total), size(rate))
}

// countedBody counts what is read of a body until it is forgotten: the transport may read on for a while after a failure.
type countedBody struct {
	io.ReadCloser
	upload *upload

	mu        sync.Mutex
	count     int64
	forgotten bool
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.forgotten {
		b.count += int64(n)
		b.upload.add(int64(n))
	}
	return n, err
}

// forget takes the bytes out of the sum, and returns them.
func (b *countedBody) forget() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.forgotten {
		b.forgotten = true
		b.upload.add(-b.count)
	}
	return b.count
}

// size returns a number of bytes for people: 999 B, 1.5 MB. 1 MB is 1,000,000 bytes.
func size(bytes int64) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	value := float64(bytes)
	for _, unit := range []string{"kB", "MB"} {
		if value /= 1000; value < 999.95 {
			return fmt.Sprintf("%.1f %s", value, unit)
		}
	}
	return fmt.Sprintf("%.1f GB", value/1000)
}
