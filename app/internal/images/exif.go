package images

import (
	"encoding/binary"
)

// The type, tag and range of the orientation (CIPA DC-008, 4.6.5.1.6).
const (
	orientationTag  = 0x0112
	short           = 3
	upright         = 1
	lastOrientation = 8
)

// exifPrefix precedes the TIFF block in a JPEG, and in the WebP files of some writers.
const exifPrefix = "Exif\x00\x00"

// orientationOf reads the orientation from a TIFF block. It returns upright for a missing, damaged or invalid value:
// damaged metadata does not make the image invalid.
func orientationOf(tiff []byte) int {
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
		if order.Uint16(directory) == orientationTag && order.Uint16(directory[2:]) == short && order.Uint32(directory[4:]) == 1 {
			if o := int(order.Uint16(directory[8:])); o >= upright && o <= lastOrientation {
				return o
			}
			return upright
		}
		directory = directory[12:]
	}
	return upright
}

// orientationTIFF returns a TIFF block that contains the orientation only.
func orientationTIFF(orientation int) []byte {
	const firstDirectory, entries, noNext = 8, 1, 0
	b := []byte("MM\x00*")
	b = binary.BigEndian.AppendUint32(b, firstDirectory)
	b = binary.BigEndian.AppendUint16(b, entries)
	b = binary.BigEndian.AppendUint16(b, orientationTag)
	b = binary.BigEndian.AppendUint16(b, short)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(orientation))
	b = binary.BigEndian.AppendUint16(b, 0) // fills the entry
	return binary.BigEndian.AppendUint32(b, noNext)
}
