package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	// attempts is how often a file is requested, including the first time.
	attempts = 6
	// maxDigestFile is how much of a .sha256 file is read, in bytes.
	maxDigestFile = 4 << 10
)

// client returns the mirror's HTTP client, limited to redirects that the mirror's rules allow.
func (m *Mirror) client() *http.Client {
	c := *m.HTTP
	c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) >= 5 {
			return permanentError{errors.New("too many redirects")}
		}
		if reason := m.forbidden(r.URL); reason != "" {
			return permanentError{fmt.Errorf("redirected to %q: %s", r.URL.Redacted(), reason)}
		}
		return nil
	}
	return &c
}

// permanentError is an error that a repeated request would meet again.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// download reads one file and resumes it where the source breaks off.
type download struct {
	ctx    context.Context
	client *http.Client
	url    string
	wait   func(context.Context, time.Duration) error
	stall  time.Duration
	log    func(msg string, args ...any)

	body     io.ReadCloser
	attempt  context.Context // ends when the source stalls
	cancel   context.CancelFunc
	watchdog *time.Timer
	offset   int64  // bytes returned by Read
	size     int64  // the file's, -1 while unknown
	etag     string // strong validator for If-Range, so that a resumed file is the same file
	failures int
}

// Read implements io.Reader. It returns an error only if the error is permanent or no attempt is left.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.body == nil {
			if err := d.open(); err != nil {
				if err := d.failed(err); err != nil {
					return 0, err
				}
				continue
			}
		}
		d.watchdog.Reset(d.stall)
		n, err := d.body.Read(p)
		d.watchdog.Stop()
		d.offset += int64(n)
		if err == io.EOF && d.size >= 0 && d.offset < d.size {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			err = d.failed(d.cause(err))
			d.close()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// failed counts a failed attempt and waits before the next one. It returns an error if there is no next one.
func (d *download) failed(err error) error {
	d.failures++
	var permanent permanentError
	switch {
	case d.ctx.Err() != nil:
		return fmt.Errorf("mirror: %s: %w", d.url, context.Cause(d.ctx))
	case errors.As(err, &permanent):
		return fmt.Errorf("mirror: %s: %w", d.url, err)
	case d.failures >= attempts:
		return fmt.Errorf("mirror: %s: gave up after %d attempts at byte %d: %w", d.url, d.failures, d.offset, err)
	}
	d.log("source broke off", "url", d.url, "byte", d.offset, "attempt", d.failures, "error", err)
	return d.wait(d.ctx, time.Second<<(d.failures-1))
}

// cause replaces "context canceled" with the reason if the watchdog ended an attempt.
func (d *download) cause(err error) error {
	if stalled := context.Cause(d.attempt); stalled != nil && d.ctx.Err() == nil {
		return stalled
	}
	return err
}

// open requests the rest of the file.
func (d *download) open() error {
	attempt, cancel := context.WithCancelCause(d.ctx)
	d.attempt, d.cancel = attempt, func() { cancel(nil) }
	d.watchdog = time.AfterFunc(d.stall, func() { cancel(fmt.Errorf("no data for %s", d.stall)) })
	response, err := d.request(attempt)
	d.watchdog.Stop()
	if err == nil && attempt.Err() != nil {
		// net/http can return a response although the request's context has ended.
		response.Body.Close()
		err = attempt.Err()
	}
	if err != nil {
		err = d.cause(err)
		d.cancel()
		return err
	}
	d.body = response.Body
	return nil
}

func (d *download) request(ctx context.Context) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, permanentError{err}
	}
	// The digest is that of the file as published, so the transport must not decompress it.
	request.Header.Set("Accept-Encoding", "identity")
	if d.offset > 0 {
		request.Header.Set("Range", "bytes="+strconv.FormatInt(d.offset, 10)+"-")
		if d.etag != "" {
			request.Header.Set("If-Range", d.etag)
		}
	}
	response, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	if err := d.accept(response); err != nil {
		response.Body.Close()
		return nil, err
	}
	return response, nil
}

// accept checks that a response continues the file at the offset.
func (d *download) accept(response *http.Response) error {
	switch code := response.StatusCode; {
	case code == http.StatusOK && d.offset == 0:
		d.size = response.ContentLength
		if etag := response.Header.Get("ETag"); !strings.HasPrefix(etag, "W/") {
			d.etag = etag
		}
		return nil
	case code == http.StatusOK:
		// The source cannot resume: skip the bytes that Read returned already. If the file has changed since, the
		// digest of all returned bytes is wrong.
		_, err := io.CopyN(io.Discard, response.Body, d.offset)
		return err
	case code == http.StatusPartialContent && d.offset > 0:
		var first, last, size int64
		value := response.Header.Get("Content-Range")
		if _, err := fmt.Sscanf(value, "bytes %d-%d/%d", &first, &last, &size); err != nil || first != d.offset || (d.size >= 0 && size != d.size) {
			return permanentError{fmt.Errorf("requested bytes from %d of %d, got Content-Range %q", d.offset, d.size, value)}
		}
		return nil
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return fmt.Errorf("answered %s", response.Status)
	default:
		return permanentError{fmt.Errorf("answered %s", response.Status)}
	}
}

func (d *download) close() {
	if d.body != nil {
		d.watchdog.Stop()
		d.cancel()
		d.body.Close()
		d.body = nil
	}
}

func (m *Mirror) open(ctx context.Context, url string) *download {
	return &download{ctx: ctx, client: m.client(), url: url, wait: m.Wait, stall: m.Stall, log: m.Log.Warn, size: -1}
}

// publishedDigest reads the digest from the publisher's .sha256 file: "<hex>", or "<hex>  <file name>" as sha256sum
// prints it.
func (m *Mirror) publishedDigest(ctx context.Context, source string) (string, error) {
	file := m.open(ctx, source+".sha256")
	defer file.close()
	data, err := io.ReadAll(io.LimitReader(file, maxDigestFile))
	if err != nil {
		return "", fmt.Errorf("%w; if the publisher has no .sha256 file, set sha256", err)
	}
	fields := strings.Fields(string(data))
	if len(fields) == 0 || len(fields) > 2 || !isDigest(fields[0]) {
		return "", fmt.Errorf("mirror: %s.sha256: not a digest as sha256sum prints it; set sha256", source)
	}
	if u, err := url.Parse(source); err == nil && len(fields) == 2 && path.Base(strings.TrimPrefix(fields[1], "*")) != path.Base(u.Path) {
		return "", fmt.Errorf("mirror: %s.sha256: names another file, %q; set sha256", source, fields[1])
	}
	return strings.ToLower(fields[0]), nil
}
