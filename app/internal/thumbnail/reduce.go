package thumbnail

import (
	"image"
	"image/color"
)

// block is the size of the blocks that reduce averages into one pixel, in pixels. The sides are equal except for
// rounding, and for an image so narrow that one side of its thumbnail is a single pixel.
type block struct{ width, height int }

func (b block) count() uint64 { return uint64(b.width) * uint64(b.height) }

// reduce averages each block of pixels into one pixel. It drops incomplete blocks at the right and bottom edges, less
// than half a pixel of the thumbnail. For blocks of one pixel it returns the image itself.
func reduce(img image.Image, b block) image.Image {
	if b.width == 1 && b.height == 1 {
		return img
	}
	switch p := img.(type) {
	case *image.YCbCr:
		return reduceYCbCr(p, b)
	case *image.Gray:
		return reduceGray(p, b)
	case *image.RGBA:
		return reduceRGBA(p, b)
	case *image.NRGBA:
		if p.Opaque() {
			// Without transparency, both layouts have the same bytes.
			return reduceRGBA(&image.RGBA{Pix: p.Pix, Stride: p.Stride, Rect: p.Rect}, b)
		}
		return reduceAny(p, b)
	case image.RGBA64Image: // every layout of the image package
		return reduceAny(p, b)
	default:
		return img
	}
}

// plane is one channel of samples, one byte each, with stride bytes per row.
type plane struct {
	pix    []uint8
	stride int
}

// average returns the average of the samples [x0,x1) × [y0,y1).
func (p plane) average(x0, x1, y0, y1 int) uint8 {
	var sum uint64
	for y := y0; y < y1; y++ {
		for _, v := range p.pix[y*p.stride+x0 : y*p.stride+x1] {
			sum += uint64(v)
		}
	}
	count := uint64((x1 - x0) * (y1 - y0))
	return uint8((sum + count/2) / count)
}

// reduceYCbCr averages luma and chroma separately, chroma at its own resolution.
func reduceYCbCr(p *image.YCbCr, b block) *image.YCbCr {
	width, height := p.Rect.Dx()/b.width, p.Rect.Dy()/b.height
	out := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio444)
	across, down := subsampling(p.SubsampleRatio)
	luma := plane{p.Y[p.YOffset(p.Rect.Min.X, p.Rect.Min.Y):], p.YStride}
	offset := p.COffset(p.Rect.Min.X, p.Rect.Min.Y)
	blue, red := plane{p.Cb[offset:], p.CStride}, plane{p.Cr[offset:], p.CStride}
	for y := range height {
		y0, y1 := y*b.height, (y+1)*b.height
		// The rows and columns of chroma that this block covers, at least one.
		v0, v1 := y0/down, max(y0/down+1, y1/down)
		for x := range width {
			x0, x1 := x*b.width, (x+1)*b.width
			u0, u1 := x0/across, max(x0/across+1, x1/across)
			out.Y[y*out.YStride+x] = luma.average(x0, x1, y0, y1)
			out.Cb[y*out.CStride+x] = blue.average(u0, u1, v0, v1)
			out.Cr[y*out.CStride+x] = red.average(u0, u1, v0, v1)
		}
	}
	return out
}

// subsampling returns how many luma samples share a chroma sample, across and down.
func subsampling(ratio image.YCbCrSubsampleRatio) (across, down int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	default:
		return 1, 1
	}
}

func reduceGray(p *image.Gray, b block) *image.Gray {
	width, height := p.Rect.Dx()/b.width, p.Rect.Dy()/b.height
	out := image.NewGray(image.Rect(0, 0, width, height))
	source := plane{p.Pix, p.Stride}
	for y := range height {
		for x := range width {
			out.Pix[y*out.Stride+x] = source.average(x*b.width, (x+1)*b.width, y*b.height, (y+1)*b.height)
		}
	}
	return out
}

func reduceRGBA(p *image.RGBA, b block) *image.RGBA {
	width, height := p.Rect.Dx()/b.width, p.Rect.Dy()/b.height
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	count := b.count()
	for y := range height {
		for x := range width {
			var red, green, blue, alpha uint64
			for row := y * b.height; row < (y+1)*b.height; row++ {
				line := p.Pix[row*p.Stride+x*b.width*4 : row*p.Stride+(x+1)*b.width*4]
				for i := 0; i+3 < len(line); i += 4 {
					red += uint64(line[i])
					green += uint64(line[i+1])
					blue += uint64(line[i+2])
					alpha += uint64(line[i+3])
				}
			}
			to := out.Pix[y*out.Stride+x*4:][:4]
			for i, sum := range [4]uint64{red, green, blue, alpha} {
				to[i] = uint8((sum + count/2) / count)
			}
		}
	}
	return out
}

// reduceAny handles every other layout (palette, 16 bit, CMYK, transparency). RGBA64At returns premultiplied colors, so
// the hidden color of a transparent pixel does not affect its neighbors.
func reduceAny(p image.RGBA64Image, b block) *image.RGBA64 {
	origin := p.Bounds().Min
	width, height := p.Bounds().Dx()/b.width, p.Bounds().Dy()/b.height
	out := image.NewRGBA64(image.Rect(0, 0, width, height))
	count := b.count()
	for y := range height {
		for x := range width {
			var red, green, blue, alpha uint64
			for row := y * b.height; row < (y+1)*b.height; row++ {
				for column := x * b.width; column < (x+1)*b.width; column++ {
					c := p.RGBA64At(origin.X+column, origin.Y+row)
					red += uint64(c.R)
					green += uint64(c.G)
					blue += uint64(c.B)
					alpha += uint64(c.A)
				}
			}
			out.SetRGBA64(x, y, color.RGBA64{
				R: uint16(red / count), G: uint16(green / count), B: uint16(blue / count), A: uint16(alpha / count),
			})
		}
	}
	return out
}
