package images

import (
	"bytes"
	"encoding/binary"
	"image"
	"time"
)

// Costs of decoding a WebP, measured with images that consist of little else.
const (
	webpByte          = 60 * time.Nanosecond
	webpLossyPixel    = 45 * time.Nanosecond
	webpLosslessPixel = 55 * time.Nanosecond // also of the alpha channel of a lossy image
)

// Flags of the VP8X chunk (RFC 9649, section 2.7.1).
const (
	webpAnimation = 0x02
	webpXMP       = 0x04
	webpEXIF      = 0x08
	webpICC       = 0x20
)

const (
	riffHeader  = 12 // "RIFF", size, "WEBP"
	chunkHeader = 8  // type and size
)

// parseWebP keeps the image data, transparency, color profile and orientation. All other chunks, and everything after
// the RIFF container, are dropped. A file without VP8X has no metadata (section 2.5).
func parseWebP(data []byte) (parsed, error) {
	size := uint64(binary.LittleEndian.Uint32(data[4:])) + chunkHeader
	if size < riffHeader || size > uint64(len(data)) {
		return parsed{}, ErrDamaged
	}
	p := parsed{orientation: upright, clean: append(make([]byte, 0, len(data)+64), data[:riffHeader]...)}
	extended := 0 // where the flags of VP8X are in clean
	var canvas image.Point
	var pixels, alpha, profile, seenExif bool
	for rest := data[riffHeader:size]; len(rest) > 0; {
		if len(rest) < chunkHeader {
			return parsed{}, ErrDamaged
		}
		name, length := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:]))
		if chunkHeader+length > uint64(len(rest)) {
			return parsed{}, ErrDamaged
		}
		chunk, content := rest[:chunkHeader+length], rest[chunkHeader:chunkHeader+length]
		// Chunks are padded to an even length.
		rest = rest[min(chunkHeader+length+length%2, uint64(len(rest))):]
		switch {
		case name == "VP8X":
			if extended != 0 || pixels || length != 10 {
				return parsed{}, ErrDamaged
			}
			if content[0]&webpAnimation != 0 {
				return parsed{}, ErrAnimated
			}
			extended = len(p.clean) + chunkHeader
			canvas.X = 1 + (int(content[4]) | int(content[5])<<8 | int(content[6])<<16)
			canvas.Y = 1 + (int(content[7]) | int(content[8])<<8 | int(content[9])<<16)
		case name == "ALPH" && extended != 0 && !pixels && !alpha:
			alpha = true
			p.work += time.Duration(canvas.X*canvas.Y)*webpLosslessPixel + time.Duration(length)*webpByte
		case (name == "VP8 " || name == "VP8L") && !pixels:
			pixels = true
			size, perPixel := webpSize(name, content)
			// The decoder allocates what the pixels' own header says.
			if size == (image.Point{}) || extended != 0 && size != canvas {
				return parsed{}, ErrDamaged
			}
			p.work += time.Duration(size.X*size.Y)*perPixel + time.Duration(length)*webpByte
		case name == "ICCP" && extended != 0 && !pixels && !profile:
			profile = true
		case name == "EXIF" && extended != 0 && !seenExif:
			p.orientation, seenExif = orientationOf(bytes.TrimPrefix(content, []byte(exifPrefix))), true
			continue
		default:
			continue
		}
		p.clean = append(p.clean, chunk...)
		p.clean = append(p.clean, make([]byte, length%2)...)
	}
	if !pixels {
		return parsed{}, ErrDamaged
	}
	if extended != 0 {
		flags := p.clean[extended] &^ (webpEXIF | webpXMP | webpICC)
		if profile {
			flags |= webpICC
		}
		if p.orientation != upright {
			block := orientationTIFF(p.orientation)
			p.clean = binary.LittleEndian.AppendUint32(append(p.clean, "EXIF"...), uint32(len(block)))
			p.clean = append(p.clean, block...)
			flags |= webpEXIF
		}
		p.clean[extended] = flags
	}
	binary.LittleEndian.PutUint32(p.clean[4:], uint32(len(p.clean)-chunkHeader))
	return p, nil
}

// webpSize returns the size in the header of the pixels (RFC 6386, section 9.1; RFC 9649, section 3.4), or zero if there is
// none, and their cost.
func webpSize(name string, content []byte) (image.Point, time.Duration) {
	const mask = 1<<14 - 1
	switch {
	case name == "VP8 " && len(content) >= 10:
		return image.Pt(int(binary.LittleEndian.Uint16(content[6:])&mask), int(binary.LittleEndian.Uint16(content[8:])&mask)), webpLossyPixel
	case name == "VP8L" && len(content) >= 5:
		bits := binary.LittleEndian.Uint32(content[1:])
		return image.Pt(1+int(bits&mask), 1+int(bits>>14&mask)), webpLosslessPixel
	default:
		return image.Point{}, 0
	}
}
