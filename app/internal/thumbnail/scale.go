package thumbnail

import (
	"image"
	"image/color"
	"math"
)

// fit scales an image down so that its longest side is at most side pixels. Each pixel is the average of the area that it
// covers. Transparent parts are on white. The result is in 4:4:4, so that turn moves whole pixels.
func fit(img image.Image, side int) *image.YCbCr {
	bounds := img.Bounds()
	width, height := target(bounds.Dx(), bounds.Dy(), side)
	out := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio444)
	switch p := img.(type) {
	case *image.YCbCr:
		across, down := subsampling(p.SubsampleRatio)
		y, c := p.YOffset(bounds.Min.X, bounds.Min.Y), p.COffset(bounds.Min.X, bounds.Min.Y)
		luma := newArea(width, height, bounds.Dx(), bounds.Dy(), 1, 1)
		luma.average(plane(p.Y[y:], p.YStride, bounds.Dx()), out.Y)
		chroma := newArea(width, height, bounds.Dx(), bounds.Dy(), across, down)
		samples := (bounds.Dx() + across - 1) / across
		chroma.average(plane(p.Cb[c:], p.CStride, samples), out.Cb)
		chroma.average(plane(p.Cr[c:], p.CStride, samples), out.Cr)
	case *image.Gray:
		newArea(width, height, bounds.Dx(), bounds.Dy(), 1, 1).average(plane(p.Pix, p.Stride, bounds.Dx()), out.Y)
		for i := range out.Cb {
			out.Cb[i], out.Cr[i] = 128, 128
		}
	default:
		// The planes contain red, green and blue first.
		newArea(width, height, bounds.Dx(), bounds.Dy(), 1, 1).average(flat(img), out.Y, out.Cb, out.Cr)
		for i := range out.Y {
			out.Y[i], out.Cb[i], out.Cr[i] = color.RGBToYCbCr(out.Y[i], out.Cb[i], out.Cr[i])
		}
	}
	return out
}

// halveChroma converts an image from 4:4:4 to 4:2:0. The luma is shared.
func halveChroma(in *image.YCbCr) *image.YCbCr {
	width, height := in.Rect.Dx(), in.Rect.Dy()
	out := image.NewYCbCr(in.Rect, image.YCbCrSubsampleRatio420)
	out.Y, out.YStride = in.Y, in.YStride
	for _, plane := range [2]struct{ from, to []uint8 }{{in.Cb, out.Cb}, {in.Cr, out.Cr}} {
		for y := range (height + 1) / 2 {
			upper := plane.from[2*y*in.CStride:][:width]
			lower := plane.from[min(2*y+1, height-1)*in.CStride:][:width]
			row := plane.to[y*out.CStride:][:(width+1)/2]
			for x := range row {
				left, right := 2*x, min(2*x+1, width-1)
				row[x] = uint8((int(upper[left]) + int(upper[right]) + int(lower[left]) + int(lower[right]) + 2) / 4)
			}
		}
	}
	return out
}

// target returns the size of a rendition with the given longest side, at least one pixel each way. Smaller images keep
// their size.
func target(width, height, side int) (int, int) {
	long := max(width, height)
	if long <= side {
		return width, height
	}
	scale := func(n int) int { return max(1, (n*side+long/2)/long) }
	return scale(width), scale(height)
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

// rows returns a row of an image, one slice per channel, valid until the next call.
type rows func(y int) [][]uint8

// plane returns the rows of one channel.
func plane(pix []uint8, stride, width int) rows {
	row := make([][]uint8, 1)
	return func(y int) [][]uint8 {
		row[0] = pix[y*stride:][:width]
		return row
	}
}

// flat returns the rows of an image on white in red, green and blue.
func flat(img image.Image) rows {
	bounds := img.Bounds()
	width := bounds.Dx()
	channels := [][]uint8{make([]uint8, width), make([]uint8, width), make([]uint8, width)}
	red, green, blue := channels[0], channels[1], channels[2]
	switch p := img.(type) {
	case *image.RGBA: // premultiplied
		return func(y int) [][]uint8 {
			pix := p.Pix[p.PixOffset(bounds.Min.X, bounds.Min.Y+y):][:4*width]
			for x := range red {
				s := pix[4*x:][:4]
				paper := 255 - s[3]
				red[x], green[x], blue[x] = s[0]+paper, s[1]+paper, s[2]+paper
			}
			return channels
		}
	case *image.NRGBA:
		return func(y int) [][]uint8 {
			pix := p.Pix[p.PixOffset(bounds.Min.X, bounds.Min.Y+y):][:4*width]
			for x := range red {
				s := pix[4*x:][:4]
				if s[3] == 255 {
					red[x], green[x], blue[x] = s[0], s[1], s[2]
					continue
				}
				alpha := uint32(s[3])
				over := func(v uint8) uint8 { return uint8((uint32(v)*alpha + 255*(255-alpha) + 127) / 255) }
				red[x], green[x], blue[x] = over(s[0]), over(s[1]), over(s[2])
			}
			return channels
		}
	case *image.Paletted:
		var palette [256][3]uint8
		for i, c := range p.Palette[:min(len(p.Palette), len(palette))] {
			r, g, b, a := c.RGBA()
			palette[i] = onWhite(r, g, b, a)
		}
		return func(y int) [][]uint8 {
			for x, index := range p.Pix[p.PixOffset(bounds.Min.X, bounds.Min.Y+y):][:width] {
				c := &palette[index]
				red[x], green[x], blue[x] = c[0], c[1], c[2]
			}
			return channels
		}
	case image.RGBA64Image: // every other layout of the image package: 16 bit, CMYK, YCbCr with transparency
		return func(y int) [][]uint8 {
			for x := range red {
				s := p.RGBA64At(bounds.Min.X+x, bounds.Min.Y+y)
				c := onWhite(uint32(s.R), uint32(s.G), uint32(s.B), uint32(s.A))
				red[x], green[x], blue[x] = c[0], c[1], c[2]
			}
			return channels
		}
	default:
		return func(y int) [][]uint8 {
			for x := range red {
				c := onWhite(img.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA())
				red[x], green[x], blue[x] = c[0], c[1], c[2]
			}
			return channels
		}
	}
}

// onWhite puts a premultiplied color of 16 bits per channel on white.
func onWhite(r, g, b, a uint32) [3]uint8 {
	paper := 0xffff - a
	return [3]uint8{uint8((r + paper) >> 8), uint8((g + paper) >> 8), uint8((b + paper) >> 8)}
}

// unit is the sum of a span's weights. A sum of samples with weights in both directions fits in 32 bits.
const unit = 1 << 12

// spans says which samples each pixel averages in one direction: taps samples from first, with weights.
type spans struct {
	taps    int
	first   []int
	weights []uint32 // taps per pixel
}

// newSpans divides size samples between n pixels. Each sample stands for share units of size, as chroma does for several
// pixels.
func newSpans(n, size, share int) spans {
	samples := (size + share - 1) / share
	scale := float64(size) / float64(n*share)
	s := spans{taps: min(samples, int(math.Ceil(scale))+1), first: make([]int, n)}
	s.weights = make([]uint32, n*s.taps)
	for i := range n {
		from, to := float64(i)*scale, float64(i+1)*scale
		s.first[i] = min(int(from), samples-s.taps)
		weights := s.weights[i*s.taps:][:s.taps]
		rest, largest := uint32(unit), 0
		for k := range weights {
			sample := float64(s.first[i] + k)
			covered := max(0, min(to, sample+1)-max(from, sample))
			weights[k] = min(rest, uint32(covered/scale*unit+0.5))
			rest -= weights[k]
			if weights[k] > weights[largest] {
				largest = k
			}
		}
		weights[largest] += rest // of rounding
	}
	return s
}

// area averages samples into pixels.
type area struct{ x, y spans }

// newArea scales a plane of an image of size fromWidth × fromHeight, whose samples each stand for across × down of its
// pixels.
func newArea(width, height, fromWidth, fromHeight, across, down int) area {
	return area{newSpans(width, fromWidth, across), newSpans(height, fromHeight, down)}
}

// average writes each channel of the rows to one plane, without gaps between its rows.
func (a area) average(source rows, planes ...[]uint8) {
	width := len(a.x.first)
	across, sums := make([][]uint32, len(planes)), make([][]uint32, len(planes))
	for c := range planes {
		across[c], sums[c] = make([]uint32, width), make([]uint32, width)
	}
	last := -1 // the row in across: two rows of pixels can share one of samples
	for j, first := range a.y.first {
		for k, weight := range a.y.weights[j*a.y.taps:][:a.y.taps] {
			if weight == 0 {
				continue
			}
			if y := first + k; y != last {
				last = y
				for c, samples := range source(y) {
					a.x.average(samples, across[c])
				}
			}
			for c := range planes {
				sum := sums[c]
				for i, v := range across[c][:len(sum)] {
					sum[i] += weight * v
				}
			}
		}
		for c, plane := range planes {
			row := plane[j*width:][:width]
			for i, sum := range sums[c][:len(row)] {
				row[i] = uint8((sum + unit*unit/2) / (unit * unit))
			}
			clear(sums[c])
		}
	}
}

// average averages one row, in units.
func (s spans) average(samples []uint8, out []uint32) {
	switch s.taps {
	case 1:
		for i, first := range s.first[:len(out)] {
			out[i] = uint32(samples[first]) * unit
		}
	case 2:
		for i, first := range s.first[:len(out)] {
			w, v := s.weights[2*i:][:2], samples[first:][:2]
			out[i] = uint32(v[0])*w[0] + uint32(v[1])*w[1]
		}
	case 3:
		for i, first := range s.first[:len(out)] {
			w, v := s.weights[3*i:][:3], samples[first:][:3]
			out[i] = uint32(v[0])*w[0] + uint32(v[1])*w[1] + uint32(v[2])*w[2]
		}
	default:
		for i, first := range s.first[:len(out)] {
			var sum uint32
			v := samples[first:][:s.taps]
			for k, w := range s.weights[i*s.taps:][:len(v)] {
				sum += uint32(v[k]) * w
			}
			out[i] = sum
		}
	}
}
