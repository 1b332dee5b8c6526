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
	assert.Equal(t, []string{"orig/aaaa.jpg", "orig/bbbb.jpeg", "thumb/aaaa.jpg", "thumb/bbbb.jpg"}, b.keys(t))
	object, err := b.s3.Client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("thumb/aaaa.jpg")})
	require.NoError(t, err)
	assert.Equal(t, "image/jpeg", aws.ToString(object.ContentType))
	config := must.OK(jpeg.DecodeConfig(object.Body))(t)
	assert.Equal(t, [2]int{480, 320}, [2]int{config.Width, config.Height})

	// A repeated event changes nothing.
	require.NoError(t, b.Handle(t.Context(), event(put, "orig/aaaa.jpg")))
	assert.Len(t, b.keys(t), 4)
}

func TestIgnores(t *testing.T) {
	for name, raw := range map[string]json.RawMessage{
		"its own output":    event(put, "thumb/aaaa.jpg"),
		"another folder":    event(put, "other/aaaa.jpg", "original/a.jpg", "/orig/a.jpg", "orig"),
		"a removal":         event("ObjectRemoved:Delete", "orig/aaaa.jpg"),
		"a deleted image":   event(put, "orig/gone.jpg"),
		"S3's test message": json.RawMessage(`{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"images"}`),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			require.NoError(t, b.Handle(t.Context(), raw))
			assert.Empty(t, b.keys(t))
		})
	}
}

func TestReportsAllFailures(t *testing.T) {
	b := newBench(t)
	b.put(t, "orig/zip.jpg", []byte("PK\x03\x04 not an image"))
	b.put(t, "orig/good.jpg", testimage.JPEG(960, 640))
	b.put(t, "orig/large.png", make([]byte, thumbnail.MaxBytes+1))
	err := b.Handle(t.Context(), event(put, "orig/zip.jpg", "orig/a/b.jpg", "orig/..%2Fx.jpg", "orig/good.jpg", "orig/large.png"))
	require.ErrorIs(t, err, thumbnail.ErrNotImage)
	require.ErrorIs(t, err, thumbnail.ErrTooManyBytes)
	assert.ErrorContains(t, err, "orig/zip.jpg")
	assert.ErrorContains(t, err, `Records[1].s3.object.key "orig/a/b.jpg"`)
	assert.ErrorContains(t, err, `Records[2].s3.object.key "orig/../x.jpg"`)
	assert.Contains(t, b.keys(t), "thumb/good.jpg", "a failure does not stop the others")
	assert.Contains(t, b.log.String(), `"permanent":true`)

	for _, raw := range []string{``, `[]`, `"x"`, `{"Records":{}}`, `{"Records":[{"s3":{"object":{"key":"%zz"}}}]}`} {
		require.Error(t, b.Handle(t.Context(), json.RawMessage(raw)), raw)
	}
	require.Error(t, b.Handle(t.Context(), json.RawMessage(strings.ReplaceAll(string(event(put, "orig/a.jpg")), `"name":"images"`, `"name":""`))))
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
			assert.Contains(t, b.log.String(), `"permanent":false`)
			b.s3.Intercept = nil
			require.NoError(t, b.Handle(t.Context(), event(put, "orig/aaaa.jpg")))
			assert.Contains(t, b.keys(t), "thumb/aaaa.jpg")
		})
	}
}

// TestDeletedMeanwhile: an image that is deleted while its thumbnail is made leaves no thumbnail.
func TestDeletedMeanwhile(t *testing.T) {
	b := newBench(t)
	b.put(t, "orig/aaaa.jpg", testimage.JPEG(960, 640))
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
			assert.NotEmpty(t, o.bucket)
			assert.True(t, strings.HasPrefix(o.key, "orig/"+o.id+"."), "%q", o.key)
			assert.Equal(t, "thumb/"+o.id+".jpg", contract.ThumbnailKey(o.id))
			assert.NotContains(t, o.id, "/")
			assert.NotContains(t, contract.ThumbnailKey(o.id), "..")
			assert.Equal(t, url.PathEscape(o.id), o.id, "an id needs no escaping")
		}
	})
}
