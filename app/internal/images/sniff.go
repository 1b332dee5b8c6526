package images

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

const (
	// MaxBytes is the largest image accepted: a phone's largest photographs fit.
	MaxBytes = 16 << 20
	// MaxPixels is the largest image accepted in pixels, width × height, the same that the thumbnailer decodes.
	MaxPixels = 40_000_000
)

var (
	// ErrNotImage says that the bytes are not an image of a type that is taken.
	ErrNotImage = errors.New("images: not a JPEG, PNG, GIF or WebP image")
	// ErrTooManyPixels says that the image has, or claims, more than MaxPixels pixels.
	ErrTooManyPixels = fmt.Errorf("images: more than %d pixels", MaxPixels)
)

// Kind is what an image's bytes say of it.
type Kind struct {
	// ContentType is the media type, e.g. image/jpeg.
	ContentType string
	// Extension goes with the type, e.g. jpg.
	Extension string
	// Width and Height in pixels.
	Width, Height int
}

// formats is explicit rather than the image package's registry, which any import can widen.
var formats = []struct {
	contentType, extension string
	magic                  string // '?' stands for any byte
	config                 func(io.Reader) (image.Config, error)
}{
	{"image/jpeg", "jpg", "\xff\xd8\xff", jpeg.DecodeConfig},
	{"image/png", "png", "\x89PNG\r\n\x1a\n", png.DecodeConfig},
	{"image/gif", "gif", "GIF8?a", gif.DecodeConfig},
	{"image/webp", "webp", "RIFF????WEBP", webp.DecodeConfig},
}

// Sniff tells an image's kind from its bytes alone, reading its header and no pixel.
func Sniff(data []byte) (Kind, error) {
	for _, f := range formats {
		if !matches(data, f.magic) {
			continue
		}
		c, err := f.config(bytes.NewReader(data))
		if err != nil || c.Width < 1 || c.Height < 1 {
			return Kind{}, ErrNotImage
		}
		if int64(c.Width)*int64(c.Height) > MaxPixels {
			return Kind{}, ErrTooManyPixels
		}
		return Kind{f.contentType, f.extension, c.Width, c.Height}, nil
	}
	return Kind{}, ErrNotImage
}

func matches(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}
