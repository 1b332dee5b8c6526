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
	"time"

	"golang.org/x/image/webp"
)

const (
	// MaxBytes is the maximum size of an image, enough for the largest photos of phones.
	MaxBytes = 16 << 20
	// MaxPixels is the maximum of width × height.
	MaxPixels = 40_000_000
	// maxWork is the maximum time that the renditions of an image may take, as estimated by its format's parser: a
	// little less than the 2 s that `go run ./app/cmd/bench` measures for the worst accepted images.
	maxWork = 1700 * time.Millisecond
)

var (
	// ErrNotImage means that the bytes are not an image in a supported format.
	ErrNotImage = errors.New("images: not a JPEG, PNG, GIF or WebP image")
	// ErrAnimated means that the image is an animated WebP, which the decoder does not support.
	ErrAnimated = errors.New("images: animated WebP")
	// ErrTooManyPixels means that the header specifies more than MaxPixels pixels.
	ErrTooManyPixels = fmt.Errorf("images: more than %d pixels", MaxPixels)
	// ErrDamaged means that the image is incomplete, or that its structure contradicts itself.
	ErrDamaged = errors.New("images: damaged")
	// ErrTooComplex means that decoding the image takes too long for its size, e.g. a JPEG with hundreds of scans.
	ErrTooComplex = errors.New("images: too complex")
)

// Kind is an image's format and size.
type Kind struct {
	// ContentType is the media type, e.g. image/jpeg.
	ContentType string
	// Extension is the object key's, e.g. jpg.
	Extension string
	// Width and Height in pixels, as stored: before the rotation that Orientation demands.
	Width, Height int
	// Orientation is EXIF's, 1 to 8 (CIPA DC-008, tag 0x0112); 1 if the image has none.
	Orientation int
}

// format is a supported image format.
type format struct {
	contentType, extension string
	magic                  string // '?' matches any byte
	// config decodes the header.
	config func(io.Reader) (image.Config, error)
	// parse walks the structure without decoding pixels.
	parse func(data []byte) (parsed, error)
}

// parsed is what the structure of an image says.
type parsed struct {
	// clean is the image without metadata, except the orientation.
	clean       []byte
	orientation int
	// work is an estimate, rather too high, of the time that the renditions take on one core of the kind that the
	// benchmarks run on (AMD EPYC).
	work time.Duration
}

// formats is not the image package's registry, because any import can add a format to that.
var formats = []format{
	{"image/jpeg", "jpg", "\xff\xd8\xff", jpeg.DecodeConfig, parseJPEG},
	{"image/png", "png", "\x89PNG\r\n\x1a\n", png.DecodeConfig, parsePNG},
	{"image/gif", "gif", "GIF8?a", gif.DecodeConfig, parseGIF},
	{"image/webp", "webp", "RIFF????WEBP", webp.DecodeConfig, parseWebP},
}

// Prepare determines an image's kind without decoding its pixels, and returns its bytes without metadata: no EXIF, XMP,
// IPTC, comments, previews, or data after the image. It keeps the color profile, the orientation, animation, and the
// pixel data byte for byte. Preparing the result again changes nothing.
//
// The errors are ErrNotImage, ErrAnimated, ErrTooManyPixels, ErrDamaged and ErrTooComplex. An accepted image can still
// have damaged pixels, which only decoding shows.
func Prepare(data []byte) (Kind, []byte, error) {
	for _, f := range formats {
		if matches(data, f.magic) {
			return f.prepare(data)
		}
	}
	return Kind{}, nil, ErrNotImage
}

func (f format) prepare(data []byte) (Kind, []byte, error) {
	c, configErr := f.config(bytes.NewReader(data))
	if configErr == nil && int64(c.Width)*int64(c.Height) > MaxPixels {
		return Kind{}, nil, ErrTooManyPixels
	}
	p, err := f.parse(data)
	switch {
	case err != nil:
		return Kind{}, nil, err
	case configErr != nil || c.Width < 1 || c.Height < 1:
		return Kind{}, nil, ErrNotImage // a variant that the decoder does not support
	case p.work > maxWork:
		return Kind{}, nil, ErrTooComplex
	}
	return Kind{f.contentType, f.extension, c.Width, c.Height, p.orientation}, p.clean, nil
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
