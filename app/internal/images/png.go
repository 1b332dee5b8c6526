package images

import (
	"encoding/binary"
	"hash/crc32"
	"time"
)

// Costs of decoding a PNG, measured with images that consist of little else.
const (
	pngByte      = 45 * time.Nanosecond // of compressed data
	pngRaw       = 5 * time.Nanosecond  // per byte of the rows
	pngPixel     = 8 * time.Nanosecond
	pngDeep      = 20 * time.Nanosecond // more per pixel of 16 bits per channel
	pngInterlace = 15 * time.Nanosecond // more per pixel, if interlaced
)

const (
	pngSignature = 8  // bytes before the first chunk
	pngOverhead  = 12 // length, type and checksum of a chunk
	pngHeader    = 13 // length of IHDR's content
)

// pngKept are the chunks that an image keeps (PNG third edition, 11): pixels, colors, transparency and animation.
var pngKept = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true,
	"cHRM": true, "gAMA": true, "iCCP": true, "sBIT": true, "sRGB": true, "cICP": true, "mDCV": true, "cLLI": true,
	"acTL": true, "fcTL": true, "fdAT": true,
}

// parsePNG keeps the chunks in pngKept and the orientation. Everything after IEND is dropped.
func parsePNG(data []byte) (parsed, error) {
	p := parsed{orientation: upright}
	var (
		header           []byte // IHDR
		body             = make([]byte, 0, len(data))
		pixels, seenExif bool
	)
	for rest, name := data[pngSignature:], ""; name != "IEND"; {
		if len(rest) < pngOverhead {
			return parsed{}, ErrDamaged
		}
		length := uint64(binary.BigEndian.Uint32(rest))
		if length+pngOverhead > uint64(len(rest)) {
			return parsed{}, ErrDamaged
		}
		name = string(rest[4:8])
		chunk, content := rest[:length+pngOverhead], rest[8:8+length]
		rest = rest[len(chunk):]
		if (header == nil) != (name == "IHDR") {
			return parsed{}, ErrDamaged
		}
		if pngKept[name] && crc32.ChecksumIEEE(chunk[4:8+length]) != binary.BigEndian.Uint32(chunk[8+length:]) {
			return parsed{}, ErrDamaged
		}
		switch {
		case name == "IHDR":
			if length != pngHeader {
				return parsed{}, ErrDamaged
			}
			header = chunk
			p.work += pngWork(content)
		case name == "eXIf":
			if !seenExif {
				p.orientation, seenExif = orientationOf(content), true
			}
		case pngKept[name]:
			pixels = pixels || name == "IDAT"
			p.work += time.Duration(length) * pngByte
			body = append(body, chunk...)
		case name[0]&0x20 == 0:
			return parsed{}, ErrNotImage // a critical chunk of a private format
		}
	}
	if !pixels {
		return parsed{}, ErrDamaged
	}
	p.clean = append(make([]byte, 0, len(body)+len(data[:pngSignature])+len(header)+64), data[:pngSignature]...)
	p.clean = append(p.clean, header...)
	if p.orientation != upright {
		p.clean = appendPNGChunk(p.clean, "eXIf", orientationTIFF(p.orientation))
	}
	p.clean = append(p.clean, body...)
	return p, nil
}

// pngWork returns the work of the rows that IHDR specifies.
func pngWork(header []byte) time.Duration {
	pixels := int64(binary.BigEndian.Uint32(header)) * int64(binary.BigEndian.Uint32(header[4:]))
	if pixels > MaxPixels {
		return 0 // refused anyway; a product with it could overflow
	}
	channels := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header[9]]
	raw := pixels * channels * int64(header[8]) / 8
	work := time.Duration(raw)*pngRaw + time.Duration(pixels)*pngPixel
	if header[8] == 16 {
		work += time.Duration(pixels) * pngDeep
	}
	if header[12] != 0 {
		work += time.Duration(pixels) * pngInterlace
	}
	return work
}

func appendPNGChunk(b []byte, name string, content []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
	start := len(b)
	b = append(append(b, name...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}
