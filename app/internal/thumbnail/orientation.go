package thumbnail

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is the EXIF orientation, 1 to 8 (CIPA DC-008, tag 0x0112).
type orientation uint16

const (
	upright        orientation = 1
	flipped        orientation = 2 // mirrored left to right
	rotated180     orientation = 3
	flipped180     orientation = 4 // mirrored top to bottom
	transposed     orientation = 5
	rotated90      orientation = 6 // upright after a rotation by 90° clockwise
	transversed    orientation = 7
	rotated270     orientation = 8 // upright after a rotation by 90° counterclockwise
	orientationTag             = 0x0112
)

// apply rotates and mirrors an image so that it is upright.
func (o orientation) apply(in *image.RGBA) *image.RGBA {
	if o == upright {
		return in
	}
	width, height := in.Rect.Dx(), in.Rect.Dy()
	size := image.Rect(0, 0, width, height)
	if o >= transposed {
		size = image.Rect(0, 0, height, width)
	}
	out := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			var fromX, fromY int
			switch o {
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
			copy(out.Pix[out.PixOffset(x, y):][:4], in.Pix[in.PixOffset(fromX, fromY):][:4])
		}
	}
	return out
}

// orientationOf reads the orientation from a TIFF block. It returns upright for a missing, damaged or invalid value:
// damaged metadata does not make the image invalid.
func orientationOf(tiff []byte) orientation {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return upright
	}
	entries := int(order.Uint16(tiff[at:]))
	directory := tiff[at+2:]
	// An entry is 12 bytes: tag, type, count, value.
	for range entries {
		if len(directory) < 12 {
			return upright
		}
		const short = 3
		if order.Uint16(directory) == orientationTag && order.Uint16(directory[2:]) == short && order.Uint32(directory[4:]) == 1 {
			if o := orientation(order.Uint16(directory[8:])); o >= upright && o <= rotated270 {
				return o
			}
			return upright
		}
		directory = directory[12:]
	}
	return upright
}

// jpegExif returns the EXIF block from the segments before the first scan.
func jpegExif(data []byte) []byte {
	const (
		app1        = 0xe1
		startOfScan = 0xda
	)
	data = data[2:]
	for len(data) >= 4 && data[0] == 0xff {
		if data[1] == 0xff { // fill byte
			data = data[1:]
			continue
		}
		length := int(binary.BigEndian.Uint16(data[2:]))
		if data[1] == startOfScan || length < 2 || 2+length > len(data) {
			return nil
		}
		if body := data[4 : 2+length]; data[1] == app1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return body[6:]
		}
		data = data[2+length:]
	}
	return nil
}

// pngExif returns the eXIf chunk (PNG third edition, 11.3.3.5).
func pngExif(data []byte) []byte {
	data = data[8:]
	for len(data) >= 12 {
		length := uint64(binary.BigEndian.Uint32(data))
		if length+12 > uint64(len(data)) {
			return nil
		}
		if string(data[4:8]) == "eXIf" {
			return data[8 : 8+length]
		}
		data = data[length+12:]
	}
	return nil
}

// webpExif returns the EXIF chunk of the RIFF container, without the "Exif\0\0" that some writers prepend as in JPEG.
func webpExif(data []byte) []byte {
	data = data[12:]
	for len(data) >= 8 {
		length := uint64(binary.LittleEndian.Uint32(data[4:]))
		if length+8 > uint64(len(data)) {
			return nil
		}
		if string(data[:4]) == "EXIF" {
			return bytes.TrimPrefix(data[8:8+length], []byte("Exif\x00\x00"))
		}
		// Chunks are padded to an even length.
		data = data[min(8+length+length%2, uint64(len(data))):]
	}
	return nil
}
