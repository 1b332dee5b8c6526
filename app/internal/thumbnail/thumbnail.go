package thumbnail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"

	"github.com/gen2brain/jpegn"
	"golang.org/x/image/webp"

	"cinema-database/app/internal/images"
)

const (
	// MaxSide is the maximum width and height of a thumbnail in pixels. Smaller images keep their size.
	MaxSide = 480
	// MaxViewSide is the maximum width and height of a view in pixels. Smaller images keep their size.
	MaxViewSide = 1600
	// MaxBytes is the maximum size of an image in bytes, more than the API accepts.
	MaxBytes = 2 * images.MaxBytes
	// ContentType is the media type of a rendition.
	ContentType = "image/jpeg"

	// quality is JPEG's, 1 to 100. Higher values show no visible difference at these sizes.
	quality = 82
)

// ErrTooManyBytes means that the image is longer than MaxBytes.
var ErrTooManyBytes = fmt.Errorf("image is longer than %d bytes", MaxBytes)

// Permanent reports whether err comes from the image itself, so that a retry with the same bytes cannot help.
func Permanent(err error) bool {
	for _, permanent := range []error{
		ErrTooManyBytes, images.ErrNotImage, images.ErrAnimated, images.ErrTooManyPixels, images.ErrDamaged, images.ErrTooComplex,
	} {
		if errors.Is(err, permanent) {
			return true
		}
	}
	return false
}

// Renditions are upright JPEGs of one image, with transparent parts on white.
type Renditions struct {
	// Thumbnail fits in MaxSide × MaxSide pixels, View in MaxViewSide × MaxViewSide.
	Thumbnail, View []byte
}

// Make reads an image and returns its renditions.
//
// An error of src or the context is wrapped, so that the caller can retry. [Permanent] recognizes errors of the image
// itself.
func Make(ctx context.Context, src io.Reader) (Renditions, error) {
	data, err := io.ReadAll(io.LimitReader(reader{ctx, src}, MaxBytes+1))
	if err != nil {
		return Renditions{}, fmt.Errorf("thumbnail: read image: %w", err)
	}
	if len(data) > MaxBytes {
		return Renditions{}, fmt.Errorf("thumbnail: %w", ErrTooManyBytes)
	}
	kind, data, err := images.Prepare(data)
	if err != nil {
		return Renditions{}, fmt.Errorf("thumbnail: %w", err)
	}
	img, err := decode(ctx, kind, data)
	if ctx.Err() != nil {
		return Renditions{}, fmt.Errorf("thumbnail: %w", context.Cause(ctx))
	}
	if err != nil {
		return Renditions{}, fmt.Errorf("thumbnail: %w: %s: %w", images.ErrDamaged, kind.Extension, err)
	}
	view := fit(img, MaxViewSide)
	thumbnail := turn(fit(view, MaxSide), kind.Orientation)
	view = turn(view, kind.Orientation)
	var r Renditions
	if r.View, err = encode(view); err != nil {
		return Renditions{}, err
	}
	r.Thumbnail, err = encode(thumbnail)
	return r, err
}

// decode decodes an image, a large JPEG at a fraction of its size that is no smaller than a view.
func decode(ctx context.Context, kind images.Kind, data []byte) (img image.Image, err error) {
	// A fault of a decoder would end the process, and with it every other image. The same bytes would do it again.
	defer func() {
		if fault := recover(); fault != nil {
			img, err = nil, fmt.Errorf("decoder: %v", fault)
		}
	}()
	src := reader{ctx, bytes.NewReader(data)}
	switch kind.ContentType {
	case "image/jpeg":
		fraction := 1
		for fraction < 8 && max(kind.Width, kind.Height) >= 2*fraction*MaxViewSide {
			fraction *= 2
		}
		img, err = jpegn.Decode(src, &jpegn.Options{ScaleDenom: fraction})
	case "image/png":
		img, err = png.Decode(src)
	case "image/gif":
		img, err = gif.Decode(src)
	case "image/webp":
		img, err = webp.Decode(src)
	default:
		return nil, fmt.Errorf("no decoder of %s", kind.ContentType)
	}
	if err == nil && img.Bounds().Empty() {
		err = errors.New("empty frame")
	}
	return img, err
}

// encode writes an image in 4:4:4 as a JPEG in 4:2:0.
func encode(img *image.YCbCr) ([]byte, error) {
	var out bytes.Buffer
	if err := jpegn.Encode(&out, halveChroma(img), &jpegn.EncodeOptions{Quality: quality}); err != nil {
		return nil, fmt.Errorf("thumbnail: write: %w", err)
	}
	return out.Bytes(), nil
}

// reader is a reader that fails when its context has ended.
type reader struct {
	ctx context.Context
	src io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.src.Read(p)
}
