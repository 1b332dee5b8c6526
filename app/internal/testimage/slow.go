package testimage

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/gif"
	"math/rand/v2"
)

// Slow are images that are slow to decode for their sizes, by name: what an attacker would upload. Each function returns
// one of about that many pixels.
var Slow = map[string]func(pixels int) []byte{
	"progressive JPEG":   func(n int) []byte { return ScansJPEG(side(n), side(n), 3, 24) },
	"CMYK JPEG":          func(n int) []byte { return ScansJPEG(side(n), side(n), 4, 5) },
	"gray JPEG in scans": func(n int) []byte { return ScansJPEG(side(n), side(n), 1, 20) },
	"noisy JPEG":         func(n int) []byte { return JPEG(side(n), side(n)) },
	"PNG":                func(n int) []byte { return slowPNG(n, 8, false, 16) },
	"16-bit PNG":         func(n int) []byte { return slowPNG(n, 16, false, 64) },
	"interlaced PNG":     func(n int) []byte { return slowPNG(n, 8, true, 32) },
	"GIF":                slowGIF,
	"lossless WebP":      slowWebP,
}

// side returns the side of a square of n pixels.
func side(n int) int {
	s := 1
	for (s+1)*(s+1) <= n {
		s++
	}
	return s
}

// mostBits writes bits with the most significant first, with JPEG's byte stuffing.
type mostBits struct {
	out []byte
	acc byte
	n   int
}

func (b *mostBits) put(value, count int) {
	for count--; count >= 0; count-- {
		b.acc = b.acc<<1 | byte(value>>count&1)
		if b.n++; b.n == 8 {
			if b.out = append(b.out, b.acc); b.acc == 0xff {
				b.out = append(b.out, 0)
			}
			b.acc, b.n = 0, 0
		}
	}
}

// flush pads the last byte with ones.
func (b *mostBits) flush() []byte {
	for b.n != 0 {
		b.put(1, 1)
	}
	return b.out
}

// ScansJPEG returns a progressive JPEG of one color, with 1, 3 or 4 components, of a few bytes per scan. After the first, each scan refines all blocks of one
// component and changes none, so that a decoder visits every block.
func ScansJPEG(width, height, components, scans int) []byte {
	segment := func(b []byte, marker byte, content ...byte) []byte {
		return append(binary.BigEndian.AppendUint16(append(b, 0xff, marker), uint16(len(content)+2)), content...)
	}
	out := segment([]byte{0xff, 0xd8}, 0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), byte(components)}
	for c := range components {
		frame = append(frame, byte(c+1), 0x11, 0)
	}
	if components == 4 {
		out = segment(out, 0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...) // CMYK
	}
	out = segment(out, 0xc2, frame...)
	// Each table has one code, 0: no difference for the first coefficient, and a run of blocks without coefficients.
	table := func(class, value byte) []byte {
		return append(append([]byte{class, 1}, make([]byte, 15)...), value)
	}
	const endOfBand14 = 0xe0 // a run of 1<<14 blocks and what 14 more bits say
	out = segment(segment(out, 0xc4, table(0, 0)...), 0xc4, table(0x10, endOfBand14)...)

	blocks := ((width + 7) / 8) * ((height + 7) / 8)
	header := []byte{byte(components)}
	for c := range components {
		header = append(header, byte(c+1), 0)
	}
	out = segment(out, 0xda, append(header, 0, 0, 0)...)
	out = append(out, (&mostBits{}).zeros(blocks*components)...)
	for scan := range scans - 1 {
		out = segment(out, 0xda, 1, byte(scan%components+1), 0, 1, 63, 0x10)
		var b mostBits
		for left := blocks; left > 0; {
			run := max(1<<14, min(left, 1<<15-1))
			b.put(0, 1)
			b.put(run-1<<14, 14)
			left -= run
		}
		out = append(out, b.flush()...)
	}
	return append(out, 0xff, 0xd9)
}

func (b *mostBits) zeros(n int) []byte {
	for range n {
		b.put(0, 1)
	}
	return b.flush()
}

// slowPNG returns an RGBA PNG that is compressed as far as the maximum size of an upload demands: one of period rows is
// noise. Its filter is the slowest one, Paeth's.
func slowPNG(pixels, depth int, interlaced bool, period int) []byte {
	n := side(pixels)
	random := rand.New(rand.NewPCG(3, 4))
	var idat bytes.Buffer
	w, err := zlib.NewWriterLevel(&idat, zlib.BestSpeed)
	if err != nil {
		panic(err) // the level is valid
	}
	count := 0
	rows := func(width, height int) {
		if width == 0 || height == 0 {
			return
		}
		row := make([]byte, 1+width*4*depth/8)
		row[0] = 4
		for range height {
			if count++; count%period == 0 {
				for i := 1; i < len(row); i++ {
					row[i] = byte(random.Uint32() & 15)
				}
			} else if count%period == 1 {
				clear(row[1:])
			}
			_, _ = w.Write(row) // a buffer does not fail
		}
	}
	interlace := byte(0)
	if interlaced {
		interlace = 1
		for _, p := range [][4]int{{8, 8, 0, 0}, {8, 8, 4, 0}, {4, 8, 0, 4}, {4, 4, 2, 0}, {2, 4, 0, 2}, {2, 2, 1, 0}, {1, 2, 0, 1}} {
			rows((n-p[2]+p[0]-1)/p[0], (n-p[3]+p[1]-1)/p[1])
		}
	} else {
		rows(n, n)
	}
	_ = w.Close()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(n)), uint32(n))
	out := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range []struct {
		name    string
		content []byte
	}{{"IHDR", append(header, byte(depth), 6, 0, 0, interlace)}, {"IDAT", idat.Bytes()}, {"IEND", nil}} {
		out = PNGChunk(out, c.name, c.content)
	}
	return out
}

// PNGChunk appends a chunk.
func PNGChunk(b []byte, name string, content []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
	start := len(b)
	b = append(append(b, name...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

// slowGIF returns a GIF, of noise as far as the maximum size of an upload allows.
func slowGIF(pixels int) []byte {
	n := side(pixels)
	random := rand.New(rand.NewPCG(5, 6))
	img := image.NewPaletted(image.Rect(0, 0, n, n), palette.Plan9)
	for i := range img.Pix[:min(len(img.Pix), 10<<20)] {
		img.Pix[i] = uint8(random.Uint32())
	}
	var out bytes.Buffer
	if err := gif.Encode(&out, img, nil); err != nil {
		panic(err) // the size is too large for a GIF
	}
	return out.Bytes()
}

// leastBits writes bits with the least significant first.
type leastBits struct {
	out []byte
	acc uint64
	n   int
}

func (b *leastBits) put(value uint64, count int) {
	b.acc |= value << b.n
	for b.n += count; b.n >= 8; b.n -= 8 {
		b.out = append(b.out, byte(b.acc))
		b.acc >>= 8
	}
}

// slowWebP returns a lossless WebP with all transforms that apply to every pixel (RFC 9649, section 4), and pixels of 3
// bits.
func slowWebP(pixels int) []byte {
	n := side(pixels)
	random := rand.New(rand.NewPCG(7, 8))
	b := &leastBits{}
	b.put(0x2f, 8)
	b.put(uint64(n-1), 14)
	b.put(uint64(n-1), 14)
	b.put(0, 1+3) // no transparency; version
	// code writes a prefix code of one or two symbols.
	code := func(symbols ...uint64) {
		b.put(1, 1)
		b.put(uint64(len(symbols)-1), 1)
		b.put(1, 1)
		for _, s := range symbols {
			b.put(s, 8)
		}
	}
	const predictor, crossColor, subtractGreen = 0, 1, 2
	transform := func(kind, green uint64) {
		b.put(1, 1)
		b.put(kind, 2)
		if kind == subtractGreen {
			return
		}
		b.put(7, 3) // tiles of 512 × 512 pixels
		b.put(0, 1) // no color cache
		code(green)
		for range 4 {
			code(0)
		}
	}
	const clampAddSubtractHalf = 13
	transform(predictor, clampAddSubtractHalf)
	transform(crossColor, 77)
	transform(subtractGreen, 0)
	b.put(0, 1+1+1) // no more transforms, no color cache, one group of codes
	code(0, 1)
	code(0, 1)
	code(0, 1)
	code(255)
	code(0)
	for range n * n {
		b.put(random.Uint64()&7, 3)
	}
	b.put(0, 64-1)
	return WebP("VP8L", b.out)
}

// WebP returns a WebP file of one chunk.
func WebP(name string, content []byte) []byte {
	out := append([]byte("RIFF\x00\x00\x00\x00WEBP"), WebPChunk(name, content)...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// WebPChunk returns a chunk, padded to an even length.
func WebPChunk(name string, content []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(content)))
	out = append(out, content...)
	return append(out, make([]byte, len(content)%2)...)
}
