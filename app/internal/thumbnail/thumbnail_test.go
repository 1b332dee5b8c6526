package thumbnail

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/images"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

var (
	red   = color.RGBA{R: 220, A: 255}
	green = color.RGBA{G: 200, A: 255}
	blue  = color.RGBA{B: 220, A: 255}
	white = color.RGBA{R: 255, G: 255, B: 255, A: 255}
)

// quarters returns an image with one color in each quarter: top left, top right, bottom left, bottom right.
func quarters(width, height int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for i, c := range []color.Color{red, green, blue, white} {
		x, y := i%2*width/2, i/2*height/2
		draw.Draw(out, image.Rect(x, y, x+width/2, y+height/2), image.NewUniform(c), image.Point{}, draw.Src)
	}
	return out
}

func encoded(t testing.TB, img image.Image, encode func(io.Writer, image.Image) error) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, encode(&out, img))
	return out.Bytes()
}

func asJPEG(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 95}) }
func asGIF(w io.Writer, m image.Image) error  { return gif.Encode(w, m, nil) }

// tiff returns an EXIF block with one entry.
func tiff(order binary.ByteOrder, o uint16) []byte {
	header := "MM\x00*"
	if order == binary.LittleEndian {
		header = "II*\x00"
	}
	out := []byte(header)
	add32 := func(v uint32) { out = append(out, make([]byte, 4)...); order.PutUint32(out[len(out)-4:], v) }
	add16 := func(v uint16) { out = append(out, make([]byte, 2)...); order.PutUint16(out[len(out)-2:], v) }
	add32(8)
	add16(1)
	add16(orientationTag)
	add16(3)
	add32(1)
	add16(o)
	add16(0)
	add32(0)
	return out
}

func jpegWithExif(plain, block []byte) []byte {
	body := append([]byte("Exif\x00\x00"), block...)
	out := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(body)+2))
	return append(append(out, body...), plain[2:]...)
}

func pngWithChunk(plain []byte, name string, body []byte) []byte {
	afterHeader := 8 + 12 + 13
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, name...), body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return bytes.Join([][]byte{plain[:afterHeader], chunk, plain[afterHeader:]}, nil)
}

func thumbnailOf(t testing.TB, source []byte) image.Image {
	t.Helper()
	made := must.OK(Make(bytes.NewReader(source)))(t)
	return must.OK(jpeg.Decode(bytes.NewReader(made)))(t)
}

// assertCorners checks the color in the middle of each quarter.
func assertCorners(t *testing.T, want [4]color.RGBA, m image.Image) {
	t.Helper()
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	for i, got := range []color.Color{m.At(w/4, h/4), m.At(3*w/4, h/4), m.At(w/4, 3*h/4), m.At(3*w/4, 3*h/4)} {
		r, g, b, _ := got.RGBA()
		for channel, pair := range [3][2]uint32{{uint32(want[i].R), r >> 8}, {uint32(want[i].G), g >> 8}, {uint32(want[i].B), b >> 8}} {
			assert.InDelta(t, pair[0], pair[1], 8, "quarter %d channel %d", i, channel)
		}
	}
}

func TestFormatsAndSizes(t *testing.T) {
	for name, c := range map[string]struct {
		width, height         int
		encode                func(io.Writer, image.Image) error
		wantWidth, wantHeight int
	}{
		"large JPEG":      {2048, 1536, asJPEG, 480, 360},
		"large PNG":       {1600, 2000, png.Encode, 384, 480},
		"large GIF":       {1000, 1000, asGIF, 480, 480},
		"slightly larger": {482, 242, asJPEG, 480, 241},
		"not a multiple":  {1030, 778, asJPEG, 480, 363},
		"keeps its size":  {64, 32, asJPEG, 64, 32},
		"two by two":      {2, 2, png.Encode, 2, 2},
		"very wide":       {20000, 2, png.Encode, 480, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := thumbnailOf(t, encoded(t, quarters(c.width, c.height), c.encode))
			assert.Equal(t, image.Rect(0, 0, c.wantWidth, c.wantHeight), got.Bounds())
			if c.wantHeight > 8 {
				assertCorners(t, [4]color.RGBA{red, green, blue, white}, got)
			}
		})
	}
}

// A lossless WebP of one transparent pixel.
const webpPixel = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func TestWebP(t *testing.T) {
	got := thumbnailOf(t, []byte(webpPixel))
	assert.Equal(t, image.Rect(0, 0, 1, 1), got.Bounds())
	r, _, _, _ := got.At(0, 0).RGBA()
	assert.GreaterOrEqual(t, r>>8, uint32(250), "transparent parts are white")
}

func TestOrientation(t *testing.T) {
	R, G, B, W := red, green, blue, white
	// The upright form of the stored image (R G / B W).
	want := map[uint16][4]color.RGBA{
		1: {R, G, B, W}, 2: {G, R, W, B}, 3: {W, B, G, R}, 4: {B, W, R, G},
		5: {R, B, G, W}, 6: {B, R, W, G}, 7: {W, G, B, R}, 8: {G, W, R, B},
		0: {R, G, B, W}, 9: {R, G, B, W}, 0xffff: {R, G, B, W},
	}
	img := quarters(1200, 600)
	plainJPEG, plainPNG := encoded(t, img, asJPEG), encoded(t, img, png.Encode)
	for o, wanted := range want {
		for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
			for _, source := range [][]byte{jpegWithExif(plainJPEG, tiff(order, o)), pngWithChunk(plainPNG, "eXIf", tiff(order, o))} {
				got := thumbnailOf(t, source)
				size := image.Rect(0, 0, 480, 240)
				if o >= 5 && o <= 8 {
					size = image.Rect(0, 0, 240, 480)
				}
				assert.Equal(t, size, got.Bounds(), "orientation %d", o)
				assertCorners(t, wanted, got)
			}
		}
	}
}

func TestWebPOrientation(t *testing.T) {
	block := tiff(binary.LittleEndian, 6)
	for _, body := range [][]byte{block, append([]byte("Exif\x00\x00"), block...)} {
		chunk := binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(body)))
		source := append([]byte("RIFF\x00\x00\x00\x00WEBPODD \x01\x00\x00\x00!\x00"), append(chunk, body...)...)
		assert.Equal(t, rotated90, orientationOf(webpExif(source)))
	}
}

func TestMetadataIsDropped(t *testing.T) {
	block := append(tiff(binary.BigEndian, 1), "GPS 52.5 13.4"...)
	made := must.OK(Make(bytes.NewReader(jpegWithExif(encoded(t, quarters(40, 40), asJPEG), block))))(t)
	assert.NotContains(t, string(made), "GPS")
	assert.NotContains(t, string(made), "Exif")
}

func TestTransparencyIsWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2000, 2000))
	for i := range img.Pix {
		if i%4 != 3 { // hidden color of transparent pixels
			img.Pix[i] = uint8(i%4) * 90
		}
	}
	assertCorners(t, [4]color.RGBA{white, white, white, white}, thumbnailOf(t, encoded(t, img, png.Encode)))
}

// TestReduceAgreesAcrossLayouts: the specialized loops have the same results as the general one.
func TestReduceAgreesAcrossLayouts(t *testing.T) {
	size := image.Rect(0, 0, 101, 67)
	source := image.NewRGBA(size)
	for i := range source.Pix {
		source.Pix[i] = uint8(i * 7)
		if i%4 == 3 {
			source.Pix[i] = 255
		}
	}
	gray, opaque := image.NewGray(size), image.NewNRGBA(size)
	draw.Draw(gray, size, source, image.Point{}, draw.Src)
	draw.Draw(opaque, size, source, image.Point{}, draw.Src)
	layouts := []image.Image{source, gray, opaque}
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		layout := image.NewYCbCr(size, ratio)
		for i := range layout.Y {
			layout.Y[i] = 60 + uint8(i%120) // no clipping in RGB
		}
		for i := range layout.Cb {
			layout.Cb[i], layout.Cr[i] = 100+uint8(i%3), 140-uint8(i%3)
		}
		layouts = append(layouts, layout)
	}
	for _, layout := range layouts {
		for _, b := range []block{{2, 2}, {3, 3}, {8, 8}, {5, 1}, {1, 7}} {
			got, want := reduce(layout, b), reduceAny(layout.(image.RGBA64Image), b)
			require.Equal(t, want.Bounds(), got.Bounds())
			for y := range want.Rect.Dy() {
				for x := range want.Rect.Dx() {
					gotR, gotG, gotB, _ := got.At(x, y).RGBA()
					wantR, wantG, wantB, _ := want.At(x, y).RGBA()
					for _, pair := range [][2]uint32{{gotR, wantR}, {gotG, wantG}, {gotB, wantB}} {
						require.InDelta(t, pair[1]>>8, pair[0]>>8, 4, "%T %v at %d,%d", layout, b, x, y)
					}
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	whole := encoded(t, quarters(600, 600), asJPEG)
	hugeGIF := encoded(t, quarters(2, 2), asGIF)
	binary.LittleEndian.PutUint16(hugeGIF[6:], 65_535)
	binary.LittleEndian.PutUint16(hugeGIF[8:], 65_535)
	// The start of a JPEG in CMYK of 5000 × 5000 pixels: frame header with four components, then a scan.
	largeCMYK := []byte("\xff\xd8\xff\xc0\x00\x14\x08\x13\x88\x13\x88\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00\xff\xda\x00\x02")
	for name, c := range map[string]struct {
		source []byte
		want   error
	}{
		"empty":                   {nil, ErrNotImage},
		"text":                    {[]byte("hello, world"), ErrNotImage},
		"zip named .jpg":          {[]byte("PK\x03\x04 and so on"), ErrNotImage},
		"SVG":                     {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), ErrNotImage},
		"JPEG magic only":         {whole[:3], ErrNotImage},
		"cut JPEG":                {whole[:len(whole)/2], ErrNotImage},
		"PNG with a large header": {testimage.PNGHeader(60_000, 60_000), ErrTooManyPixels},
		"GIF with a large header": {hugeGIF, ErrTooManyPixels},
		"large JPEG in CMYK":      {largeCMYK, ErrTooManyPixels},
		"too many bytes":          {append(whole, make([]byte, MaxBytes)...), ErrTooManyBytes},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := Make(bytes.NewReader(c.source))
			require.ErrorIs(t, err, c.want)
			assert.True(t, Permanent(err))
			assert.Nil(t, made)
		})
	}
}

func TestReadErrorsAreNotPermanent(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := Make(io.MultiReader(bytes.NewReader(encoded(t, quarters(9, 9), asJPEG)), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	assert.False(t, Permanent(err))
}

func FuzzMake(f *testing.F) {
	img := quarters(24, 16)
	plain := encoded(f, img, asJPEG)
	f.Add(plain)
	f.Add(jpegWithExif(plain, tiff(binary.BigEndian, 6)))
	f.Add(jpegWithExif(plain, tiff(binary.LittleEndian, 3)[:20]))
	f.Add(pngWithChunk(encoded(f, img, png.Encode), "eXIf", tiff(binary.LittleEndian, 8)))
	f.Add(encoded(f, img, asGIF))
	f.Add([]byte(webpPixel))
	f.Fuzz(func(t *testing.T, source []byte) {
		// Only small images keep the fuzzer fast; TestRefusals tests the limit.
		if kind := images.FormatOf(source); kind != nil {
			if config, err := kind.Config(bytes.NewReader(source)); err == nil && config.Width*config.Height > 1<<20 {
				t.Skip()
			}
		}
		made, err := Make(bytes.NewReader(source))
		if err != nil {
			assert.True(t, Permanent(err), "%v", err)
			return
		}
		config := must.OK(jpeg.DecodeConfig(bytes.NewReader(made)))(t)
		assert.LessOrEqual(t, max(config.Width, config.Height), MaxSide)
	})
}

func BenchmarkMake12Megapixels(b *testing.B) {
	source := testimage.JPEG(4000, 3000)
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Make(bytes.NewReader(source)); err != nil {
			b.Fatal(err)
		}
	}
}
