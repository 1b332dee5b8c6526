package thumbnail

import "image"

// The values of EXIF's orientation (CIPA DC-008, tag 0x0112).
const (
	upright     = 1
	flipped     = 2 // mirrored left to right
	rotated180  = 3
	flipped180  = 4 // mirrored top to bottom
	transposed  = 5
	rotated90   = 6 // upright after a rotation by 90° clockwise
	transversed = 7
	rotated270  = 8 // upright after a rotation by 90° counterclockwise
)

// turn rotates and mirrors an image in 4:4:4 so that it is upright.
func turn(in *image.YCbCr, orientation int) *image.YCbCr {
	if orientation == upright {
		return in
	}
	width, height := in.Rect.Dx(), in.Rect.Dy()
	size := image.Rect(0, 0, width, height)
	if orientation >= transposed {
		size = image.Rect(0, 0, height, width)
	}
	out := image.NewYCbCr(size, image.YCbCrSubsampleRatio444)
	for y := range size.Dy() {
		for x := range size.Dx() {
			var fromX, fromY int
			switch orientation {
			case flipped:
				fromX, fromY = width-1-x, y
			case rotated180:
				fromX, fromY = width-1-x, height-1-y
			case flipped180:
				fromX, fromY = x, height-1-y
			case transposed:
				fromX, fromY = y, x
			case rotated90:
				fromX, fromY = y, height-1-x
			case transversed:
				fromX, fromY = width-1-y, height-1-x
			case rotated270:
				fromX, fromY = width-1-y, x
			}
			to, from := out.YOffset(x, y), in.YOffset(fromX, fromY)
			out.Y[to], out.Cb[to], out.Cr[to] = in.Y[from], in.Cb[from], in.Cr[from]
		}
	}
	return out
}
