package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/s3test"
	"cinema-database/internal/testutil/must"
)

const (
	bucket = "artifacts"
	key    = "packages/mongodb.tgz"
)

// content is a file of a little over two parts.
var content = func() []byte {
	data := make([]byte, 2*PartSize+12345)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	return data
}()

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// publisher is an HTTPS server whose answers a test can replace.
type publisher struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // "path range"
	handle   func(w http.ResponseWriter, r *http.Request, attempt int)
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests = append(p.requests, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
	attempt := len(p.requests)
	p.mu.Unlock()
	p.handle(w, r, attempt)
}

// serve answers like a publisher without faults.
func serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/mongodb.tgz":
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	case "/mongodb.tgz.sha256":
		fmt.Fprintf(w, "%s  mongodb.tgz\n", digestOf(content))
	default:
		http.NotFound(w, r)
	}
}

// breakOff sends the file from the requested byte and closes the connection after some bytes.
func breakOff(w http.ResponseWriter, r *http.Request, after int) {
	recorder := httptest.NewRecorder()
	serve(recorder, r)
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes()[:after])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// bench is a mirror between a publisher and an S3 server.
type bench struct {
	*Mirror
	publisher *publisher
	s3        *s3test.Server
	pauses    []time.Duration
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{s3: s3test.Start(t, bucket), publisher: &publisher{handle: func(w http.ResponseWriter, r *http.Request, _ int) { serve(w, r) }}}
	b.publisher.Server = httptest.NewTLSServer(b.publisher)
	t.Cleanup(b.publisher.Close)
	b.Mirror = New(b.s3.Client, []string{b.publisher.Listener.Addr().String()}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	b.HTTP = b.publisher.Client()
	b.Wait = func(ctx context.Context, d time.Duration) error {
		b.pauses = append(b.pauses, d)
		return context.Cause(ctx)
	}
	return b
}

func (b *bench) request() contract.MirrorRequest {
	return contract.MirrorRequest{Source: b.publisher.URL + "/mongodb.tgz", SHA256: digestOf(content), Bucket: bucket, Key: key}
}

// stored returns the object at the key, or nil.
func (b *bench) stored(t *testing.T) []byte {
	t.Helper()
	object, err := b.s3.Client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		require.ErrorContains(t, err, "NoSuchKey")
		return nil
	}
	data := must.OK(io.ReadAll(object.Body))(t)
	assert.Equal(t, "application/gzip", aws.ToString(object.ContentType))
	return data
}

// assertLeft checks the object at the key (nil for none), and that no upload is open.
func (b *bench) assertLeft(t *testing.T, want []byte) {
	t.Helper()
	b.s3.Intercept = nil
	assert.True(t, assert.ObjectsAreEqual(want, b.stored(t)), "the object at the key")
	uploads, err := b.s3.Client.ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	if err != nil { // the server's answer for a bucket that never had an upload
		require.ErrorContains(t, err, "NoSuchUpload")
		return
	}
	assert.Empty(t, uploads.Uploads)
}

func TestCopy(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	answer := must.OK(b.Copy(ctx, b.request()))(t)
	want := contract.MirrorAnswer{Bucket: bucket, Key: key, SHA256: digestOf(content), Size: int64(len(content)), Copied: true}
	assert.Equal(t, want, *answer)
	b.assertLeft(t, content)

	// The second copy requests nothing from the publisher.
	before := len(b.publisher.requests)
	want.Copied = false
	assert.Equal(t, want, *must.OK(b.Copy(ctx, b.request()))(t))
	assert.Len(t, b.publisher.requests, before)
}

func TestPublishersDigest(t *testing.T) {
	b := newBench(t)
	r := b.request()
	r.SHA256 = ""
	answer := must.OK(b.Copy(context.Background(), r))(t)
	assert.Equal(t, digestOf(content), answer.SHA256)
	assert.Equal(t, []string{"/mongodb.tgz.sha256", "/mongodb.tgz"}, b.publisher.requests)

	for name, body := range map[string]string{
		"empty": "", "a page": "<html>moved</html>", "another file": digestOf(content) + "  other.tgz", "too short": digestOf(content)[:63],
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.publisher.handle = func(w http.ResponseWriter, _ *http.Request, _ int) { _, _ = io.WriteString(w, body) }
			_, err := b.Copy(context.Background(), r)
			require.Error(t, err)
			assert.Nil(t, b.stored(t))
		})
	}
}

func TestMissingDigestFile(t *testing.T) {
	b := newBench(t)
	b.publisher.handle = func(w http.ResponseWriter, r *http.Request, _ int) { http.NotFound(w, r) }
	r := b.request()
	r.SHA256 = ""
	_, err := b.Copy(context.Background(), r)
	require.ErrorContains(t, err, "404 Not Found")
	assert.ErrorContains(t, err, "set sha256")
	assert.Len(t, b.publisher.requests, 1, "a 404 is permanent")
	assert.Nil(t, b.stored(t))
}

func TestWrongDigestKeepsTheOldObject(t *testing.T) {
	b := newBench(t)
	_, err := b.s3.Client.PutObject(context.Background(), &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader("old"), ContentType: aws.String("application/gzip"),
	})
	require.NoError(t, err)
	r := b.request()
	r.SHA256 = strings.Repeat("ab", 32)
	_, err = b.Copy(context.Background(), r)
	require.ErrorIs(t, err, ErrDigest)
	assert.ErrorContains(t, err, digestOf(content))
	b.assertLeft(t, []byte("old"))
}

func TestResume(t *testing.T) {
	resumable := func(w http.ResponseWriter, r *http.Request, attempt int) {
		switch attempt {
		case 1:
			breakOff(w, r, 1_000_000)
		case 2:
			http.Error(w, "later", http.StatusServiceUnavailable)
		case 3:
			breakOff(w, r, PartSize)
		default:
			serve(w, r)
		}
	}
	withoutRange := func(w http.ResponseWriter, r *http.Request, attempt int) {
		r.Header.Del("Range")
		resumable(w, r, attempt)
	}
	for name, c := range map[string]struct {
		handle func(http.ResponseWriter, *http.Request, int)
		last   string
	}{
		"with ranges":    {resumable, "bytes=9388608-"},
		"without ranges": {withoutRange, "bytes=8388608-"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.publisher.handle = c.handle
			must.OK(b.Copy(context.Background(), b.request()))(t)
			assert.True(t, bytes.Equal(content, b.stored(t)))
			second := "/mongodb.tgz bytes=1000000-"
			assert.Equal(t, []string{"/mongodb.tgz", second, second, "/mongodb.tgz " + c.last}, b.publisher.requests)
			assert.Equal(t, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, b.pauses)
		})
	}
}

// The request is repeated if a source stops sending, before its answer or in the middle of it.
func TestStall(t *testing.T) {
	b := newBench(t)
	b.Stall = 500 * time.Millisecond
	b.publisher.handle = func(w http.ResponseWriter, r *http.Request, attempt int) {
		switch {
		case attempt == 1:
			<-r.Context().Done()
		case r.Header.Get("Range") == "": // also repeated if the first part did not arrive completely
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, _ = w.Write(content[:1000])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		default:
			serve(w, r)
		}
	}
	var log bytes.Buffer
	b.Log = slog.New(slog.NewTextHandler(&log, nil))
	must.OK(b.Copy(context.Background(), b.request()))(t)
	assert.True(t, bytes.Equal(content, b.stored(t)))
	assert.Contains(t, b.publisher.requests, "/mongodb.tgz bytes=1000-")
	assert.GreaterOrEqual(t, strings.Count(log.String(), "no data for 500ms"), 2, log.String())
}

// lateAnswer is a transport whose first answer comes after the attempt has ended, as net/http's can.
type lateAnswer struct {
	http.RoundTripper
	requests int
}

func (l *lateAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.requests++; l.requests > 1 {
		return l.RoundTripper.RoundTrip(r)
	}
	<-r.Context().Done()
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// An answer to an attempt that has ended is not used as the file.
func TestAnswerAfterAStall(t *testing.T) {
	b := newBench(t)
	b.Stall = 500 * time.Millisecond
	late := &lateAnswer{RoundTripper: b.HTTP.Transport}
	b.HTTP.Transport = late
	must.OK(b.Copy(context.Background(), b.request()))(t)
	assert.True(t, bytes.Equal(content, b.stored(t)))
	assert.GreaterOrEqual(t, late.requests, 2)
}

func TestSourceThatStaysBroken(t *testing.T) {
	for name, c := range map[string]struct {
		handle   func(http.ResponseWriter, *http.Request, int)
		requests int
		want     string
	}{
		"breaks off": {func(w http.ResponseWriter, r *http.Request, _ int) { breakOff(w, r, 10) }, attempts, "gave up after 6 attempts at byte 60"},
		"always 500": {func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(500) }, attempts, "500"},
		"forbidden":  {func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(403) }, 1, "403"},
		"empty":      {func(http.ResponseWriter, *http.Request, int) {}, 1, "wrong SHA-256"},
		"other host": {func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, "https://localhost:1/", http.StatusFound)
		}, 1, "host is not allowed"},
		"plain http": {func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, "http://"+r.Host+"/", http.StatusFound)
		}, 1, "not https"},
		"other length": {otherLength, 2, `got Content-Range "bytes 10-99/100"`},
		"changed":      {changed, 2, "wrong SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.publisher.handle = c.handle
			_, err := b.Copy(context.Background(), b.request())
			require.ErrorContains(t, err, c.want)
			assert.Len(t, b.publisher.requests, c.requests)
			b.assertLeft(t, nil)
		})
	}
}

// otherLength breaks off, then continues with a file of another length.
func otherLength(w http.ResponseWriter, r *http.Request, attempt int) {
	if attempt == 1 {
		breakOff(w, r, 10)
	}
	w.Header().Set("Content-Range", "bytes 10-99/100")
	w.WriteHeader(http.StatusPartialContent)
}

// changed breaks off, then sends all of another file with another ETag, as If-Range demands.
func changed(w http.ResponseWriter, r *http.Request, attempt int) {
	if attempt == 1 {
		breakOff(w, r, 10)
	}
	w.Header().Set("ETag", `"v2"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(bytes.Repeat([]byte("n"), len(content))))
}

func TestStorageFails(t *testing.T) {
	for name, c := range map[string]struct {
		when func(*http.Request) bool
		want []string
	}{
		"at the first look": {func(r *http.Request) bool { return r.Method == http.MethodHead }, []string{"403"}},
		"at the start":      {func(r *http.Request) bool { return r.URL.Query().Has("uploads") }, []string{"start upload"}},
		"at a part":         {func(r *http.Request) bool { return r.URL.Query().Get("partNumber") == "2" }, []string{"part 2"}},
		"when aborting": {func(r *http.Request) bool {
			return r.Method == http.MethodDelete || r.URL.Query().Get("partNumber") == "1"
		}, []string{"part 1", "abort upload"}},
		"at the end": {func(r *http.Request) bool {
			return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
		}, []string{"complete upload"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.s3.Intercept = func(r *http.Request) int {
				if c.when(r) {
					return http.StatusForbidden
				}
				return 0
			}
			_, err := b.Copy(context.Background(), b.request())
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
			if name != "when aborting" {
				b.assertLeft(t, nil)
			}
		})
	}
}

// If the caller's time runs out in the middle of a copy, the upload is still aborted.
func TestTimeRunsOut(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	b.s3.Intercept = func(r *http.Request) int {
		if r.URL.Query().Get("partNumber") == "2" {
			cancel(errors.New("too late"))
		}
		return 0
	}
	_, err := b.Copy(ctx, b.request())
	require.Error(t, err)
	b.assertLeft(t, nil)

	deadline, cancelDeadline := context.WithTimeout(context.Background(), abortReserve)
	defer cancelDeadline()
	_, err = b.Copy(deadline, b.request())
	require.ErrorIs(t, err, context.DeadlineExceeded, "no copy starts in the time reserved for aborting")
}

func TestValidate(t *testing.T) {
	m := New(nil, []string{"fastdl.mongodb.org"}, slog.Default())
	good := contract.MirrorRequest{Source: "https://fastdl.mongodb.org/linux/mongodb-linux-aarch64-amazon2023-8.0.4.tgz", Bucket: "b", Key: "packages/8.0.4/mongodb.tgz"}
	require.NoError(t, m.validate(good))
	bad := contract.MirrorRequest{Source: "http://fastdl.mongodb.org/x", SHA256: "abc", Key: "packages/../credentials/api.json"}
	err := m.validate(bad)
	for _, field := range []string{"source", "sha256", "bucket", "key"} {
		assert.ErrorContains(t, err, "mirror: "+field)
	}
	for _, source := range []string{
		"", "file:///etc/passwd", "https://fastdl.mongodb.org.evil.test/x", "https://evil.test/fastdl.mongodb.org",
		"https://user@fastdl.mongodb.org/x", "https://fastdl.mongodb.org:8443/x", "https://169.254.169.254/", "https://fastdl.mongodb.org/x?y=1", "::",
	} {
		r := good
		r.Source = source
		assert.ErrorContains(t, m.validate(r), "mirror: source", source)
	}
	for _, k := range []string{"", "releases/x", "packages/", "packages//x", "/packages/x", "packages/.x", "packages/a b"} {
		r := good
		r.Key = k
		assert.ErrorContains(t, m.validate(r), "mirror: key", k)
	}
	_, err = m.Copy(context.Background(), bad)
	require.Error(t, err, "no request is made")
}
