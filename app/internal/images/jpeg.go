package images

import (
	"bytes"
	"encoding/binary"
	"time"
)

// Markers of ITU-T T.81, table B.1.
const (
	jpegSOF0  = 0xc0
	jpegSOF2  = 0xc2 // progressive
	jpegDHT   = 0xc4
	jpegRST0  = 0xd0
	jpegRST7  = 0xd7
	jpegSOI   = 0xd8
	jpegEOI   = 0xd9
	jpegSOS   = 0xda
	jpegDQT   = 0xdb
	jpegDRI   = 0xdd
	jpegAPP0  = 0xe0
	jpegAPP1  = 0xe1
	jpegAPP2  = 0xe2
	jpegAPP14 = 0xee
)

// Costs of decoding a JPEG, measured with images that consist of little else.
const (
	jpegByte  = 40 * time.Nanosecond  // of entropy-coded data
	jpegBlock = 260 * time.Nanosecond // of 8 × 8 samples, to the renditions
	// jpegScanBlock is per block that a scan visits. A scan of a few bytes visits every block of the image.
	jpegScanBlock = 80 * time.Nanosecond
	jpegTable     = 100 * time.Microsecond // per Huffman table
	jpegInk       = 3                      // factor of jpegBlock for CMYK
)

// jpegMaxBlocks limits the memory of a progressive JPEG, whose decoder keeps 256 bytes per block, to 512 MB: 40 megapixels
// in 4:4:4.
const jpegMaxBlocks = 2_000_000

// jpegFrame is what a frame header says about the blocks.
type jpegFrame struct {
	blocks map[byte]int // of each component
	all    int
}

// parseJPEG keeps tables, frame and scans, JFIF and Adobe headers, which determine the colors, and the color profile. All
// other segments, bytes between segments, and everything after the end of the image are dropped, e.g. the previews of
// MPF and the video of a motion photo.
func parseJPEG(data []byte) (parsed, error) {
	p := parsed{orientation: upright, clean: make([]byte, 2, len(data)+64)}
	copy(p.clean, data)
	var (
		frame    *jpegFrame
		body     []byte // everything after the orientation
		seenExif bool
		scans    int
	)
	body = make([]byte, 0, len(data))
	for at := 2; ; {
		// Up to the next marker, skip bytes that belong to no segment, as decoders do.
		for at+1 < len(data) && (data[at] != 0xff || data[at+1] == 0 || data[at+1] == 0xff) {
			at++
		}
		if at+1 >= len(data) {
			return parsed{}, ErrDamaged
		}
		marker := data[at+1]
		if marker == jpegEOI {
			break
		}
		if marker >= jpegRST0 && marker <= jpegRST7 || marker == 0x01 {
			at += 2
			continue
		}
		if marker == jpegSOI || at+4 > len(data) {
			return parsed{}, ErrDamaged
		}
		end := at + 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if end < at+4 || end > len(data) {
			return parsed{}, ErrDamaged
		}
		segment, content := data[at:end], data[at+4:end]
		at = end
		switch {
		case marker == jpegSOS:
			if frame == nil {
				return parsed{}, ErrDamaged
			}
			for end = at; end+1 < len(data); end++ {
				if next := data[end+1]; data[end] == 0xff && next != 0 && (next < jpegRST0 || next > jpegRST7) {
					break
				}
			}
			if end+1 >= len(data) {
				return parsed{}, ErrDamaged
			}
			scans++
			p.work += time.Duration(frame.visited(content))*jpegScanBlock + time.Duration(end-at)*jpegByte
			body = append(append(body, segment...), data[at:end]...)
			at = end
		case marker == jpegDHT:
			// The smallest table has 17 bytes.
			p.work += time.Duration(1+len(content)/17) * jpegTable
			body = append(body, segment...)
		case marker >= jpegSOF0 && marker <= jpegSOF2:
			if frame != nil {
				return parsed{}, ErrDamaged
			}
			if frame = newJPEGFrame(content); frame == nil {
				return parsed{}, ErrNotImage
			}
			if marker == jpegSOF2 && frame.all > jpegMaxBlocks {
				return parsed{}, ErrTooComplex
			}
			cost := jpegBlock
			if len(frame.blocks) == 4 {
				cost *= jpegInk
			}
			p.work += time.Duration(frame.all) * cost
			body = append(body, segment...)
		case marker == jpegDQT || marker == jpegDRI:
			body = append(body, segment...)
		case marker == jpegAPP0 && bytes.HasPrefix(content, []byte("JFIF\x00")) && len(content) >= 14:
			// Version, units and density, but not the preview that may follow.
			body = append(body, 0xff, jpegAPP0, 0, 16)
			body = append(append(body, content[:12]...), 0, 0)
		case marker == jpegAPP2 && bytes.HasPrefix(content, []byte("ICC_PROFILE\x00")):
			body = append(body, segment...)
		case marker == jpegAPP14 && bytes.HasPrefix(content, []byte("Adobe")) && len(content) >= 12:
			body = append(append(body, 0xff, jpegAPP14, 0, 14), content[:12]...)
		case marker == jpegAPP1 && bytes.HasPrefix(content, []byte(exifPrefix)):
			if !seenExif && scans == 0 {
				p.orientation, seenExif = orientationOf(content[len(exifPrefix):]), true
			}
		case marker >= jpegAPP0 && marker <= 0xef || marker == 0xfe: // other applications' data, and comments
		default:
			return parsed{}, ErrNotImage // lossless, hierarchical and arithmetic coding
		}
	}
	if scans == 0 {
		return parsed{}, ErrDamaged
	}
	if p.orientation != upright {
		block := append([]byte(exifPrefix), orientationTIFF(p.orientation)...)
		p.clean = append(p.clean, 0xff, jpegAPP1)
		p.clean = binary.BigEndian.AppendUint16(p.clean, uint16(2+len(block)))
		p.clean = append(p.clean, block...)
	}
	p.clean = append(append(p.clean, body...), 0xff, jpegEOI)
	return p, nil
}

// newJPEGFrame reads the content of a frame header (T.81, B.2.2), or returns nil if it is too short.
func newJPEGFrame(content []byte) *jpegFrame {
	if len(content) < 6 || len(content) < 6+3*int(content[5]) {
		return nil
	}
	components := content[6:][:3*int(content[5])]
	height, width := int(binary.BigEndian.Uint16(content[1:])), int(binary.BigEndian.Uint16(content[3:]))
	maxAcross, maxDown := 1, 1
	for c := components; len(c) > 0; c = c[3:] {
		maxAcross, maxDown = max(maxAcross, int(c[1]>>4)), max(maxDown, int(c[1]&15))
	}
	units := ((width + 8*maxAcross - 1) / (8 * maxAcross)) * ((height + 8*maxDown - 1) / (8 * maxDown))
	f := &jpegFrame{blocks: map[byte]int{}}
	for c := components; len(c) > 0; c = c[3:] {
		n := units * int(c[1]>>4) * int(c[1]&15)
		f.blocks[c[0]] = n
		f.all += n
	}
	return f
}

// visited returns the number of blocks of the components in a scan header (T.81, B.2.3).
func (f *jpegFrame) visited(header []byte) int {
	n := 0
	if len(header) > 0 {
		for i := range int(header[0]) {
			if at := 1 + 2*i; at < len(header) {
				n += f.blocks[header[at]]
			}
		}
	}
	return n
}
