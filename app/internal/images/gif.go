package images

import (
	"encoding/binary"
	"time"
)

// Costs of decoding a GIF's first frame, measured with images that consist of little else.
const (
	gifByte  = 30 * time.Nanosecond
	gifPixel = 15 * time.Nanosecond
)

// Blocks of GIF89a (sections 18 to 27).
const (
	gifHeader         = 13 // bytes up to the global color table
	gifImage          = 0x2c
	gifExtension      = 0x21
	gifTrailer        = 0x3b
	gifPlainText      = 0x01
	gifGraphicControl = 0xf9
	gifComment        = 0xfe
	gifApplication    = 0xff
)

// gifScanner reads a GIF block by block.
type gifScanner struct {
	data []byte
	at   int
}

// take returns the next n bytes, or nil if there are fewer.
func (s *gifScanner) take(n int) []byte {
	if n > len(s.data)-s.at {
		return nil
	}
	s.at += n
	return s.data[s.at-n : s.at]
}

// blocks skips data sub-blocks up to their terminator (section 15) and calls each with their contents.
func (s *gifScanner) blocks(each func([]byte)) bool {
	for {
		size := s.take(1)
		if size == nil {
			return false
		}
		if size[0] == 0 {
			return true
		}
		block := s.take(int(size[0]))
		if block == nil {
			return false
		}
		if each != nil {
			each(block)
		}
	}
}

// colorTable skips the table that the flags announce.
func (s *gifScanner) colorTable(flags byte) bool {
	return flags&0x80 == 0 || s.take(3<<(1+flags&7)) != nil
}

// parseGIF keeps the frames, the number of loops and the color profile. Comments, texts, other applications' data, and
// everything after the trailer are dropped.
func parseGIF(data []byte) (parsed, error) {
	s := &gifScanner{data: data}
	p := parsed{orientation: upright, clean: make([]byte, 0, len(data))}
	header := s.take(gifHeader)
	if header == nil || !s.colorTable(header[10]) {
		return parsed{}, ErrDamaged
	}
	p.work = time.Duration(binary.LittleEndian.Uint16(header[6:]))*time.Duration(binary.LittleEndian.Uint16(header[8:]))*gifPixel +
		time.Duration(len(data))*gifByte
	p.clean = append(p.clean, data[:s.at]...)
	frames := 0
	var control []byte // of the next frame
	for {
		start := s.at
		block := s.take(1)
		if block == nil {
			return parsed{}, ErrDamaged
		}
		switch block[0] {
		case gifTrailer:
			if frames == 0 {
				return parsed{}, ErrDamaged
			}
			p.clean = append(p.clean, gifTrailer)
			return p, nil
		case gifImage:
			// Position, size and flags; then the code size of LZW and the pixels.
			if frame := s.take(9); frame == nil || !s.colorTable(frame[8]) || s.take(1) == nil || !s.blocks(nil) {
				return parsed{}, ErrDamaged
			}
			p.clean = append(append(p.clean, control...), data[start:s.at]...)
			control = nil
			frames++
		case gifExtension:
			label := s.take(1)
			if label == nil {
				return parsed{}, ErrDamaged
			}
			switch label[0] {
			case gifGraphicControl:
				const size = 8
				if s.blocks(nil); s.at-start != size {
					return parsed{}, ErrDamaged
				}
				control = data[start:s.at]
			case gifApplication:
				kept, ok := s.application()
				if !ok {
					return parsed{}, ErrDamaged
				}
				p.clean = append(p.clean, kept...)
			case gifPlainText, gifComment:
				if !s.blocks(nil) {
					return parsed{}, ErrDamaged
				}
				if label[0] == gifPlainText {
					control = nil // was the text's
				}
			default:
				return parsed{}, ErrNotImage
			}
		default:
			return parsed{}, ErrDamaged
		}
	}
}

// application reads an application extension after its label, and returns it if the image keeps it: the number of loops
// (NETSCAPE2.0, sub-block 1) or the color profile (ICCRGBG1012).
func (s *gifScanner) application() (kept []byte, ok bool) {
	start := s.at - 2
	var name string
	var loops []byte
	first := true
	ok = s.blocks(func(block []byte) {
		switch {
		case first:
			name, first = string(block), false
		case loops == nil && len(block) == 3 && block[0] == 1:
			loops = block
		}
	})
	switch {
	case !ok:
		return nil, false
	case name == "ICCRGBG1012":
		return s.data[start:s.at], true
	case name == "NETSCAPE2.0" && loops != nil:
		kept = append([]byte{gifExtension, gifApplication, byte(len(name))}, name...)
		return append(append(append(kept, byte(len(loops))), loops...), 0), true
	default:
		return nil, true
	}
}
