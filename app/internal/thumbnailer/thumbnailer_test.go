package thumbnailer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/s3test"
	"cinema-database/app/internal/testimage"
	"cinema-database/app/internal/thumbnail"
	"cinema-database/internal/testutil/must"
)

const bucket = "images"

// bench is a thumbnailer with an S3 server.
type bench struct {
	*Thumbnailer
	s3  *s3test.Server
	log bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{s3: s3test.Start(t, bucket)}
	b.Thumbnailer = &Thumbnailer{S3: b.s3.Client, Log: slog.New(slog.NewJSONHandler(&b.log, nil))}
	return b
}

func (b *bench) put(t *testing.T, key string, data []byte) {
	t.Helper()
	must.OK(b.s3.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(data)}))(t)
}

func (b *bench) get(t *testing.T, key string) *s3.GetObjectOutput {
	t.Helper()
	object := must.OK(b.s3.Client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key}))(t)
	t.Cleanup(func() { _ = object.Body.Close() })
	return object
}

func (b *bench) keys(t *testing.T) []string {
	t.Helper()
	list := must.OK(b.s3.Client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)}))(t)
	keys := []string{}
	for _, object := range list.Contents {
		keys = append(keys, *object.Key)
	}
	return keys
}

// event returns a notification like those of S3, with one record per key.
func event(name string, keys ...string) json.RawMessage {
	var records []string
	for _, key := range keys {
		records = append(records, fmt.Sprintf(`{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1",
			"eventTime":"2026-01-02T03:04:05.678Z","eventName":%q,"s3":{"s3SchemaVersion":"1.0","configurationId":"x",
			"bucket":{"name":%q,"arn":"arn:aws:s3:::images"},"object":{"key":%q,"size":1024,"eTag":"x","sequencer":"0A"}}}`, name, bucket, key))
	}
	return json.RawMessage(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

const put = "ObjectCreated:Put"

func TestMakesThumbnails(t *testing.T) {
	b := newBench(t)
	b.put(t, "orig/aaaa.jpg", testimage.JPEG(960, 640))
	b.put(t, "orig/bbbb.jpeg", testimage.JPEG(960, 640))
	b.s3.Intercept = func(r *http.Request) int { // the S3 server does not store this header
		if r.Method == http.MethodPut {
			assert.Equal(t, "private, max-age=31536000, immutable", r.Header.Get("Cache-Control"))
		}
		return 0
	}
	require.NoError(t, b.Handle(t.Context(), event(put, "orig/aaaa.jpg", "orig%2Fbbbb.jpeg")))
	want := []string{"orig/aaaa.jpg", "orig/bbbb.jpeg", "thumb/aaaa-view.jpg", "thumb/aaaa.jpg", "thumb/bbbb-view.jpg", "thumb/bbbb.jpg"}
	assert.Equal(t, want, b.keys(t))
	for key, size := range map[string][2]int{contract.ThumbnailKey("aaaa"): {480, 320}, contract.ViewKey("aaaa"): {960, 640}} {
		object := b.get(t, key)
		assert.Equal(t, "image/jpeg", aws.ToString(object.ContentType))
		config := must.OK(jpeg.DecodeConfig(object.Body))(t)
		assert.Equal(t, size, [2]int{config.Width, config.Height})
	}

	// A repeated event changes nothing.
	require.NoError(t, b.Handle(t.Context(), event(put, "orig/aaaa.jpg")))
	assert.Equal(t, want, b.keys(t))
}

func TestIgnores(t *testing.T) {
	for name, raw := range map[string]json.RawMessage{
		"its own output":    event(put, "thumb/aaaa.jpg"),
		"another folder":    event(put, "other/aaaa.jpg", "original/a.jpg", "/orig/a.jpg", "orig"),
		"a removal":         event("ObjectRemoved:Delete", "orig/aaaa.jpg"),
		"a deleted image":   event(put, "orig/gone.jpg"),
		"not the API's key": event(put, "orig/a/b.jpg", "orig/..%2Fx.jpg"),
		"no bucket":         json.RawMessage(strings.ReplaceAll(string(event(put, "orig/a.jpg")), `"name":"images"`, `"name":""`)),
		"S3's test message": json.RawMessage(`{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"images"}`),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			require.NoError(t, b.Handle(t.Context(), raw))
			assert.Empty(t, b.keys(t))
			assert.NotContains(t, b.log.String(), `"level":"ERROR"`)
		})
	}
}

// TestPermanentFailures: an image that can never have a thumbnail is recorded and logged, but is no error of the function.
func TestPermanentFailures(t *testing.T) {
	b := newBench(t)
	photo := testimage.JPEG(960, 640)
	b.put(t, "orig/zip.jpg", []byte("PK\x03\x04 not an image"))
	b.put(t, "orig/good.jpg", photo)
	b.put(t, "orig/cut.jpg", photo[:len(photo)/2])
	b.put(t, "orig/scans.jpg", testimage.ScansJPEG(4000, 3000, 1, 200))
	b.put(t, "orig/large.png", make([]byte, thumbnail.MaxBytes+1))
	require.NoError(t, b.Handle(t.Context(), event(put, "orig/zip.jpg", "orig/a/b.jpg", "orig/cut.jpg", "orig/scans.jpg", "orig/large.png", "orig/good.jpg")))
	for id, reason := range map[string]string{"zip": "not a JPEG", "cut": "damaged", "scans": "too complex", "large": "longer than"} {
		object := b.get(t, contract.ThumbnailErrorKey(id))
		assert.Equal(t, "application/json", aws.ToString(object.ContentType))
		var got struct{ Error string }
		require.NoError(t, json.NewDecoder(object.Body).Decode(&got))
		assert.Contains(t, got.Error, reason)
		assert.NotContains(t, b.keys(t), contract.ThumbnailKey(id))
		assert.NotContains(t, b.keys(t), contract.ViewKey(id))
	}
	assert.Contains(t, b.keys(t), "thumb/good.jpg")
	assert.NotContains(t, b.keys(t), contract.ThumbnailErrorKey("good"))
	assert.Contains(t, b.log.String(), `"level":"WARN"`)
	assert.NotContains(t, b.log.String(), `"level":"ERROR"`)
}

func TestReportsInvalidEvents(t *testing.T) {
	for _, raw := range []string{``, `[]`, `"x"`, `{"Records":{}}`, `{"Records":[{"s3":{"object":{"key":"%zz"}}}]}`} {
		b := newBench(t)
		require.Error(t, b.Handle(t.Context(), json.RawMessage(raw)), raw)
		assert.Contains(t, b.log.String(), `"level":"ERROR"`)
	}
}

// TestTimeLimit: each image has its own time, so that one that takes too long does not take the others'.
func TestTimeLimit(t *testing.T) {
	b := newBench(t)
	b.put(t, "orig/slow.jpg", testimage.JPEG(64, 64))
	b.put(t, "orig/good.jpg", testimage.JPEG(64, 64))
	b.s3.Intercept = func(r *http.Request) int {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "slow.jpg") {
			<-r.Context().Done() // until the client gives up
			return http.StatusServiceUnavailable
		}
		return 0
	}
	// The limit is short only where the answer never comes.
	b.Limit = 100 * time.Millisecond
	err := b.Handle(t.Context(), event(put, "orig/slow.jpg"))
	require.ErrorContains(t, err, "orig/slow.jpg")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Contains(t, b.log.String(), `"level":"ERROR"`)
	b.Limit = 0
	require.NoError(t, b.Handle(t.Context(), event(put, "orig/good.jpg")))
	assert.Equal(t, []string{"orig/good.jpg", "orig/slow.jpg", "thumb/good-view.jpg", "thumb/good.jpg"}, b.keys(t))
}

func TestStorageFails(t *testing.T) {
	for name, when := range map[string]func(*http.Request) bool{
		"reading":       func(r *http.Request) bool { return r.Method == http.MethodGet },
		"writing":       func(r *http.Request) bool { return r.Method == http.MethodPut },
		"looking again": func(r *http.Request) bool { return r.Method == http.MethodHead },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.put(t, "orig/aaaa.jpg", testimage.JPEG(960, 640))
			b.s3.Intercept = func(r *http.Request) int {
				if when(r) {
					return http.StatusServiceUnavailable
				}
				return 0
			}
			err := b.Handle(t.Context(), event(put, "orig/aaaa.jpg"))
			require.ErrorContains(t, err, "503")
			assert.False(t, thumbnail.Permanent(err), "a retry can help")
			b.s3.Intercept = nil
			assert.NotContains(t, b.keys(t), contract.ThumbnailErrorKey("aaaa"))
			require.NoError(t, b.Handle(t.Context(), event(put, "orig/aaaa.jpg")))
			assert.Contains(t, b.keys(t), "thumb/aaaa.jpg")
		})
	}
}

// TestDeletedMeanwhile: an image that is deleted while its renditions are made leaves neither them nor an error.
func TestDeletedMeanwhile(t *testing.T) {
	for name, data := range map[string][]byte{"photo": testimage.JPEG(960, 640), "text": []byte("text")} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.put(t, "orig/aaaa.jpg", data)
			b.s3.Intercept = func(r *http.Request) int {
				if r.Method == http.MethodPut {
					b.s3.Intercept = nil
					_, err := b.s3.Client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("orig/aaaa.jpg")})
					assert.NoError(t, err)
				}
				return 0
			}
			require.NoError(t, b.Handle(t.Context(), event(put, "orig/aaaa.jpg")))
			assert.Empty(t, b.keys(t))
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(event(put, "orig/aaaa.jpg", "orig/with+space%20and%2Fslash.jpg")))
	f.Add([]byte(event("s3:ObjectCreated:CompleteMultipartUpload", "orig/..%2f..%2fthumb/x.jpg", "thumb/x.jpg")))
	f.Add([]byte(event("ObjectRemoved:Delete", "orig/a.jpg\n", "orig/%00.jpg")))
	f.Add([]byte(`{"Event":"s3:TestEvent"}`))
	f.Add([]byte(`{"Records":[null,{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		originals, _, _ := parse(raw)
		for _, o := range originals {
			assert.NotEmpty(t, o.Bucket)
			assert.True(t, strings.HasPrefix(o.Key, "orig/"+o.ID+"."), "%q", o.Key)
			assert.Equal(t, "thumb/"+o.ID+".jpg", contract.ThumbnailKey(o.ID))
			assert.NotContains(t, o.ID, "/")
			assert.NotContains(t, contract.ThumbnailKey(o.ID), "..")
			assert.Equal(t, url.PathEscape(o.ID), o.ID, "an id needs no escaping")
		}
	})
}
