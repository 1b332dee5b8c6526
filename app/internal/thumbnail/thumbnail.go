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
	// MaxSide is the longest side of a thumbnail in pixels. Smaller pictures keep their size.
	MaxSide = 480
	// MaxBytes is the largest picture that is read, in bytes.
	MaxBytes = 32 << 20
	// MaxPixels is the largest picture that is decoded, in what images.Pixels counts.
	MaxPixels = images.MaxPixels
	// ContentType is the type of what Make returns.
	ContentType = "image/jpeg"

	// quality is where a photograph of this size stops looking better to the eye.
	quality = 82
)

// Errors that another attempt on the same bytes meets again. Test with errors.Is, or all at once with [Permanent].
var (
	// ErrNotImage: the bytes are no picture in a known format, or are damaged.
	ErrNotImage = errors.New("not a JPEG, PNG, GIF or WebP picture")
	// ErrTooManyBytes: the picture is longer than MaxBytes.
	ErrTooManyBytes = fmt.Errorf("picture is longer than %d bytes", MaxBytes)
	// ErrTooManyPixels: the picture has more than MaxPixels pixels.
	ErrTooManyPixels = fmt.Errorf("picture has more than %d pixels", MaxPixels)
)

// Permanent tells whether err comes from the picture itself, so that trying again cannot help.
func Permanent(err error) bool {
	return errors.Is(err, ErrNotImage) || errors.Is(err, ErrTooManyBytes) || errors.Is(err, ErrTooManyPixels)
}

// decoders are those of the formats in package images, by content type.
var decoders = map[string]struct {
	decode func(io.Reader) (image.Image, error)
	exif   func([]byte) []byte // the TIFF block that holds the orientation; nil where there is none
}{
	"image/jpeg": {jpeg.Decode, jpegExif},
	"image/png":  {png.Decode, pngExif},
	"image/gif":  {gif.Decode, nil},
	"image/webp": {webp.Decode, webpExif},
}

// Make reads a picture and returns its thumbnail: an upright JPEG that fits in MaxSide × MaxSide pixels,
// transparent parts on white.
//
// Errors of src are returned as they are, so that the caller can try again; errors of the picture itself
// are those that [Permanent] knows.
func Make(src io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(src, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("thumbnail: read picture: %w", err)
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
	picture, err := decoder.decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("thumbnail: %w: %s: %w", ErrNotImage, name, err)
	}
	if picture.Bounds().Empty() {
		return nil, fmt.Errorf("thumbnail: %w: %s with an empty frame", ErrNotImage, name)
	}
	turn := upright
	if decoder.exif != nil {
		turn = orientationOf(decoder.exif(data))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turn.apply(fit(picture)), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("thumbnail: write: %w", err)
	}
	return out.Bytes(), nil
}

// fit scales a picture down to MaxSide, on white. A box filter brings a large one to at least twice the final
// size first, which touches each source pixel once and never holds a full-size RGBA copy; Catmull-Rom does the rest.
func fit(picture image.Image) *image.RGBA {
	bounds := picture.Bounds()
	width, height := target(bounds.Dx(), bounds.Dy())
	small := reduce(picture, block{max(1, bounds.Dx()/(2*width)), max(1, bounds.Dy()/(2*height))})
	thumb := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(thumb, thumb.Rect, image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(thumb, thumb.Rect, small, small.Bounds(), draw.Over, nil)
	return thumb
}

// target gives the size in which a picture of that size fits MaxSide, at least one pixel each way.
func target(width, height int) (int, int) {
	long := max(width, height)
	if long <= MaxSide {
		return width, height
	}
	scale := func(side int) int { return max(1, (side*MaxSide+long/2)/long) }
	return scale(width), scale(height)
}
