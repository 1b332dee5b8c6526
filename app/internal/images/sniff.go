package images

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

const (
	// MaxBytes is the largest image accepted: a phone's largest photographs fit.
	MaxBytes = 16 << 20
	// MaxPixels is the largest image accepted, in what Pixels counts.
	MaxPixels = 40_000_000
)

var (
	// ErrNotImage says that the bytes are not an image of a type that is taken.
	ErrNotImage = errors.New("images: not a JPEG, PNG, GIF or WebP image")
	// ErrAnimated says that the image is an animated WebP, of which nothing here decodes a frame.
	ErrAnimated = errors.New("images: animated WebP")
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

// Format is a type of image that is taken.
type Format struct {
	// ContentType is the media type, e.g. image/jpeg.
	ContentType string
	// Extension goes with the type, e.g. jpg.
	Extension string
	// Config reads an image's header.
	Config func(io.Reader) (image.Config, error)

	magic string // '?' stands for any byte
}

// formats is explicit rather than the image package's registry, which any import can widen.
var formats = []Format{
	{"image/jpeg", "jpg", jpeg.DecodeConfig, "\xff\xd8\xff"},
	{"image/png", "png", png.DecodeConfig, "\x89PNG\r\n\x1a\n"},
	{"image/gif", "gif", gif.DecodeConfig, "GIF8?a"},
	{"image/webp", "webp", webp.DecodeConfig, "RIFF????WEBP"},
}

// FormatOf tells an image's format from its first bytes, nil where it is of none.
func FormatOf(data []byte) *Format {
	for i := range formats {
		if matches(data, formats[i].magic) {
			return &formats[i]
		}
	}
	return nil
}

// Pixels counts an image's pixels, width × height. A CMYK pixel counts as two: as a progressive JPEG it takes 28 bytes
// while it is decoded, where one in colour takes 15.
func Pixels(c image.Config) int64 {
	n := int64(c.Width) * int64(c.Height)
	if c.ColorModel == color.CMYKModel {
		n *= 2
	}
	return n
}

// animated tells whether a WebP has more than one frame (RFC 9649, section 2.7.1: the flags of a VP8X chunk, which comes first).
func animated(data []byte) bool {
	return len(data) > 20 && matches(data, "RIFF????WEBPVP8X") && data[20]&0x02 != 0
}

// Sniff tells an image's kind from its bytes alone, reading its header and no pixel. What it takes, the thumbnailer
// takes too, unless the pixels are damaged.
func Sniff(data []byte) (Kind, error) {
	f := FormatOf(data)
	if f == nil {
		return Kind{}, ErrNotImage
	}
	if animated(data) {
		return Kind{}, ErrAnimated
	}
	c, err := f.Config(bytes.NewReader(data))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return Kind{}, ErrNotImage
	}
	if Pixels(c) > MaxPixels {
		return Kind{}, ErrTooManyPixels
	}
	return Kind{f.ContentType, f.Extension, c.Width, c.Height}, nil
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
