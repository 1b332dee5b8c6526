package thumbnail

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"cinema-database/app/internal/images"
)

const (
	// MaxSide is the maximum width and height of a thumbnail in pixels. Smaller images keep their size.
	MaxSide = 480
	// MaxBytes is the maximum size of an image in bytes.
	MaxBytes = 32 << 20
	// MaxPixels is the maximum number of pixels of an image, as counted by images.Pixels.
	MaxPixels = images.MaxPixels
	// ContentType is the media type of a thumbnail.
	ContentType = "image/jpeg"

	// quality is JPEG's, 1 to 100. Higher values show no visible difference at this size.
	quality = 82
)

// Errors of the image itself, which a retry with the same bytes would meet again. [Permanent] reports whether an error
// wraps one of them.
var (
	// ErrNotImage means that the bytes are damaged, or not an image in a supported format.
	ErrNotImage = errors.New("not a JPEG, PNG, GIF or WebP image")
	// ErrTooManyBytes means that the image is longer than MaxBytes.
	ErrTooManyBytes = fmt.Errorf("image is longer than %d bytes", MaxBytes)
	// ErrTooManyPixels means that the image has more than MaxPixels pixels.
	ErrTooManyPixels = fmt.Errorf("image has more than %d pixels", MaxPixels)
)

// Permanent reports whether err comes from the image itself, so that a retry cannot help.
func Permanent(err error) bool {
	return errors.Is(err, ErrNotImage) || errors.Is(err, ErrTooManyBytes) || errors.Is(err, ErrTooManyPixels)
}

// decoders has the decoder of each format in package images, by content type.
var decoders = map[string]struct {
	decode func(io.Reader) (image.Image, error)
	exif   func([]byte) []byte // returns the TIFF block with the orientation; nil for formats without one
}{
	"image/jpeg": {jpeg.Decode, jpegExif},
	"image/png":  {png.Decode, pngExif},
	"image/gif":  {gif.Decode, nil},
	"image/webp": {webp.Decode, webpExif},
}

// Make reads an image and returns its thumbnail: an upright JPEG that fits in MaxSide × MaxSide pixels, with transparent
// parts on white.
//
// An error of src is wrapped, so that the caller can retry. [Permanent] recognizes errors of the image itself.
func Make(src io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(src, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("thumbnail: read image: %w", err)
	}
	return fromBytes(data)
}

func fromBytes(data []byte) ([]byte, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("thumbnail: %w", ErrTooManyBytes)
	}
	f := images.FormatOf(data)
	if f == nil {
		return nil, fmt.Errorf("thumbnail: %w", ErrNotImage)
	}
	name, decoder := strings.TrimPrefix(f.ContentType, "image/"), decoders[f.ContentType]
	config, err := f.Config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("thumbnail: %w: %s header: %w", ErrNotImage, name, err)
	}
	if config.Width < 1 || config.Height < 1 {
		return nil, fmt.Errorf("thumbnail: %w: %s of %d×%d pixels", ErrNotImage, name, config.Width, config.Height)
	}
	if images.Pixels(config) > MaxPixels {
		return nil, fmt.Errorf("thumbnail: %w: %s of %d×%d", ErrTooManyPixels, name, config.Width, config.Height)
	}
	img, err := decoder.decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("thumbnail: %w: %s: %w", ErrNotImage, name, err)
	}
	if img.Bounds().Empty() {
		return nil, fmt.Errorf("thumbnail: %w: %s with an empty frame", ErrNotImage, name)
	}
	turn := upright
	if decoder.exif != nil {
		turn = orientationOf(decoder.exif(data))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turn.apply(fit(img)), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("thumbnail: write: %w", err)
	}
	return out.Bytes(), nil
}

// fit scales an image down to MaxSide, on white. First a box filter reduces a large image to at least twice the final
// size: it reads each source pixel once and needs no full-size RGBA copy. Catmull-Rom does the rest.
func fit(img image.Image) *image.RGBA {
	bounds := img.Bounds()
	width, height := target(bounds.Dx(), bounds.Dy())
	reduced := reduce(img, block{max(1, bounds.Dx()/(2*width)), max(1, bounds.Dy()/(2*height))})
	thumb := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(thumb, thumb.Rect, image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(thumb, thumb.Rect, reduced, reduced.Bounds(), draw.Over, nil)
	return thumb
}

// target returns the thumbnail's size for an image of the given size, at least one pixel each way.
func target(width, height int) (int, int) {
	long := max(width, height)
	if long <= MaxSide {
		return width, height
	}
	scale := func(side int) int { return max(1, (side*MaxSide+long/2)/long) }
	return scale(width), scale(height)
}
