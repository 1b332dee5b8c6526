package images

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/gif"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/testimage"
)

// encoded returns an image in several formats, by file name extension.
func encoded(t testing.TB, w, h int) map[string][]byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, gif.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil))
	return map[string][]byte{"png": testimage.PNG(w, h), "jpg": testimage.JPEG(w, h), "gif": b.Bytes()}
}

// webp1x1 is a lossless WebP of one pixel.
const webp1x1 = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

// animatedWebP is the start of a WebP of 100 × 100 pixels with several frames.
const animatedWebP = "RIFF\x2a\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x63\x00\x00\x63\x00\x00ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func TestSniff(t *testing.T) {
	for format, contentType := range map[string]string{"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"} {
		kind, err := Sniff(encoded(t, 7, 5)[format])
		require.NoError(t, err, format)
		assert.Equal(t, Kind{contentType, format, 7, 5}, kind)
	}
	kind, err := Sniff([]byte(webp1x1))
	require.NoError(t, err)
	assert.Equal(t, Kind{"image/webp", "webp", 1, 1}, kind)

	kind, err = Sniff(testimage.PNGHeader(8000, 5000))
	require.NoError(t, err, "exactly MaxPixels")
	assert.Equal(t, 8000, kind.Width)
	_, err = Sniff(testimage.PNGHeader(8000, 5001))
	assert.ErrorIs(t, err, ErrTooManyPixels)
	_, err = Sniff([]byte(animatedWebP))
	assert.ErrorIs(t, err, ErrAnimated)
	// The start of a JPEG in CMYK of 5000 × 5000 pixels: frame header with four components, then a scan.
	_, err = Sniff([]byte("\xff\xd8\xff\xc0\x00\x14\x08\x13\x88\x13\x88\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00\xff\xda\x00\x02"))
	assert.ErrorIs(t, err, ErrTooManyPixels, "a CMYK pixel counts as two")
	for _, text := range []string{"", "GIF89a", "BM6", "%PDF-1.7", "PK\x03\x04", "<svg/>", "RIFF\x00\x00\x00\x00WAVE"} {
		_, err := Sniff([]byte(text))
		assert.ErrorIs(t, err, ErrNotImage, text)
	}
}

// TestMessagesOfTheSDKAreLogged, in the form of all other lines.
func TestMessagesOfTheSDKAreLogged(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Checksum-Crc32", "AAAAAA==-2") // of an upload in two parts: the SDK warns that it cannot check it
		_, _ = w.Write([]byte("image"))
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_S3": server.URL, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_CONFIG_FILE": "/dev/null"} {
		t.Setenv(name, value)
	}
	var log bytes.Buffer
	client, err := NewClient(t.Context(), "us-east-1", true, slog.New(slog.NewJSONHandler(&log, nil)))
	require.NoError(t, err)
	out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("images"), Key: aws.String("x")})
	require.NoError(t, err)
	require.NoError(t, out.Body.Close())
	var line map[string]string
	require.NoError(t, json.Unmarshal(log.Bytes(), &line), log.String())
	assert.Equal(t, []string{"WARN", "AWS SDK"}, []string{line["level"], line["from"]})
	assert.Contains(t, line["msg"], "checksum")
}

// FuzzSniff: every accepted image has a size within the limits and the format of its first bytes.
func FuzzSniff(f *testing.F) {
	for _, data := range encoded(f, 3, 2) {
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte(webp1x1))
	f.Add([]byte(animatedWebP))
	f.Add([]byte("PK\x03\x04holiday.jpg"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, err := Sniff(data)
		if err != nil {
			if !errors.Is(err, ErrNotImage) && !errors.Is(err, ErrTooManyPixels) && !errors.Is(err, ErrAnimated) {
				t.Fatalf("unexpected error: %v", err)
			}
			return
		}
		if kind.Width < 1 || kind.Height < 1 || int64(kind.Width)*int64(kind.Height) > MaxPixels {
			t.Fatalf("accepted %d × %d pixels", kind.Width, kind.Height)
		}
		known := false
		for _, format := range formats {
			known = known || format.ContentType == kind.ContentType && format.Extension == kind.Extension && matches(data, format.magic)
		}
		if !known {
			t.Fatalf("%+v for % x", kind, data[:min(16, len(data))])
		}
	})
}

// FuzzValidID: an id needs no escaping in a key.
func FuzzValidID(f *testing.F) {
	f.Add(NewID())
	f.Add("../../etc/passwd")
	f.Add(strings.Repeat("a", 26) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		if ValidID(text) && (len(text) != 26 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") != "") {
			t.Fatalf("%q", text)
		}
	})
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		require.True(t, ValidID(id), id)
		require.False(t, seen[id])
		seen[id] = true
	}
}
