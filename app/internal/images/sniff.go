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
	// MaxBytes is the maximum size of an image, enough for the largest photos of phones.
	MaxBytes = 16 << 20
	// MaxPixels is the maximum number of pixels, as counted by Pixels.
	MaxPixels = 40_000_000
)

var (
	// ErrNotImage means that the bytes are not an image in a supported format.
	ErrNotImage = errors.New("images: not a JPEG, PNG, GIF or WebP image")
	// ErrAnimated means that the image is an animated WebP, which the decoder does not support.
	ErrAnimated = errors.New("images: animated WebP")
	// ErrTooManyPixels means that the header specifies more than MaxPixels pixels.
	ErrTooManyPixels = fmt.Errorf("images: more than %d pixels", MaxPixels)
)

// Kind is an image's format and size.
type Kind struct {
	// ContentType is the media type, e.g. image/jpeg.
	ContentType string
	// Extension is the object key's, e.g. jpg.
	Extension string
	// Width and Height in pixels.
	Width, Height int
}

// Format is a supported image format.
type Format struct {
	// ContentType is the media type, e.g. image/jpeg.
	ContentType string
	// Extension is the object key's, e.g. jpg.
	Extension string
	// Config decodes an image's header.
	Config func(io.Reader) (image.Config, error)

	magic string // '?' matches any byte
}

// formats is not the image package's registry, because any import can add a format to that.
var formats = []Format{
	{"image/jpeg", "jpg", jpeg.DecodeConfig, "\xff\xd8\xff"},
	{"image/png", "png", png.DecodeConfig, "\x89PNG\r\n\x1a\n"},
	{"image/gif", "gif", gif.DecodeConfig, "GIF8?a"},
	{"image/webp", "webp", webp.DecodeConfig, "RIFF????WEBP"},
}

// FormatOf returns an image's format according to its first bytes, or nil.
func FormatOf(data []byte) *Format {
	for i := range formats {
		if matches(data, formats[i].magic) {
			return &formats[i]
		}
	}
	return nil
}

// Pixels returns width × height, or twice that for CMYK: decoding a progressive JPEG needs 28 bytes per pixel in CMYK
// and 15 in YCbCr.
func Pixels(c image.Config) int64 {
	n := int64(c.Width) * int64(c.Height)
	if c.ColorModel == color.CMYKModel {
		n *= 2
	}
	return n
}

// animated reports whether a WebP has the animation flag (RFC 9649, section 2.7.1: the VP8X chunk, which comes first).
func animated(data []byte) bool {
	return len(data) > 20 && matches(data, "RIFF????WEBPVP8X") && data[20]&0x02 != 0
}

// Sniff determines an image's kind from its header, without decoding pixels. The thumbnailer accepts the same images,
// unless their pixels are damaged.
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
