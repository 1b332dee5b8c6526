package thumbnail

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
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
	add16(0x0112) // orientation
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

func renditionsOf(t testing.TB, source []byte) (thumbnail, view image.Image) {
	t.Helper()
	made := must.OK(Make(t.Context(), bytes.NewReader(source)))(t)
	return must.OK(jpeg.Decode(bytes.NewReader(made.Thumbnail)))(t), must.OK(jpeg.Decode(bytes.NewReader(made.View)))(t)
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
		width, height   int
		encode          func(io.Writer, image.Image) error
		thumbnail, view image.Point
	}{
		"large JPEG":      {2048, 1536, asJPEG, image.Pt(480, 360), image.Pt(1600, 1200)},
		"JPEG in halves":  {3601, 2399, asJPEG, image.Pt(480, 320), image.Pt(1600, 1066)},
		"JPEG in eighths": {200, 13000, asJPEG, image.Pt(8, 480), image.Pt(25, 1600)},
		"large PNG":       {1600, 2000, png.Encode, image.Pt(384, 480), image.Pt(1280, 1600)},
		"large GIF":       {1000, 1000, asGIF, image.Pt(480, 480), image.Pt(1000, 1000)},
		"slightly larger": {482, 242, asJPEG, image.Pt(480, 241), image.Pt(482, 242)},
		"not a multiple":  {1030, 778, asJPEG, image.Pt(480, 363), image.Pt(1030, 778)},
		"keeps its size":  {64, 32, asJPEG, image.Pt(64, 32), image.Pt(64, 32)},
		"two by two":      {2, 2, png.Encode, image.Pt(2, 2), image.Pt(2, 2)},
		"very wide":       {20000, 2, png.Encode, image.Pt(480, 1), image.Pt(1600, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			thumbnail, view := renditionsOf(t, encoded(t, quarters(c.width, c.height), c.encode))
			assert.Equal(t, c.thumbnail, thumbnail.Bounds().Size())
			assert.Equal(t, c.view, view.Bounds().Size())
			for _, got := range []image.Image{thumbnail, view} {
				if min(got.Bounds().Dx(), got.Bounds().Dy()) > 20 {
					assertCorners(t, [4]color.RGBA{red, green, blue, white}, got)
				}
			}
		})
	}
}

// A lossless WebP of one transparent pixel.
const webpPixel = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func TestWebP(t *testing.T) {
	got, _ := renditionsOf(t, []byte(webpPixel))
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
				thumbnail, view := renditionsOf(t, source)
				for got, size := range map[image.Image]image.Point{thumbnail: image.Pt(480, 240), view: image.Pt(1200, 600)} {
					if o >= transposed && o <= rotated270 {
						size.X, size.Y = size.Y, size.X
					}
					assert.Equal(t, size, got.Bounds().Size(), "orientation %d", o)
					assertCorners(t, wanted, got)
				}
			}
		}
	}
}

func TestMetadataIsDropped(t *testing.T) {
	block := append(tiff(binary.BigEndian, 6), "GPS 52.5 13.4"...)
	made := must.OK(Make(t.Context(), bytes.NewReader(jpegWithExif(encoded(t, quarters(40, 40), asJPEG), block))))(t)
	for _, rendition := range [][]byte{made.Thumbnail, made.View} {
		assert.NotContains(t, string(rendition), "GPS")
		assert.NotContains(t, string(rendition), "Exif")
	}
}

func TestTransparencyIsWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2000, 2000))
	for i := range img.Pix {
		if i%4 != 3 { // hidden color of transparent pixels
			img.Pix[i] = uint8(i%4) * 90
		}
	}
	thumbnail, view := renditionsOf(t, encoded(t, img, png.Encode))
	assertCorners(t, [4]color.RGBA{white, white, white, white}, thumbnail)
	assertCorners(t, [4]color.RGBA{white, white, white, white}, view)
}

// TestFitAgreesAcrossLayouts: the specialized loops have the same results as averaging what At returns.
func TestFitAgreesAcrossLayouts(t *testing.T) {
	size := image.Rect(0, 0, 101, 67)
	source := image.NewRGBA(size)
	for i := range source.Pix {
		source.Pix[i] = uint8(i * 7)
		if i%4 == 3 {
			source.Pix[i] = 255
		}
	}
	transparent := image.NewNRGBA(size)
	for i := range transparent.Pix {
		transparent.Pix[i] = uint8(i * 13)
	}
	layouts := []image.Image{source, transparent, image.NewPaletted(size, palette.WebSafe)}
	for _, layout := range []draw.Image{
		image.NewGray(size), image.NewGray16(size), image.NewNRGBA(size), image.NewNRGBA64(size), image.NewRGBA64(size), image.NewCMYK(size),
		layouts[2].(draw.Image),
	} {
		draw.Draw(layout, size, source, image.Point{}, draw.Src)
		layouts = append(layouts, layout)
	}
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
		layouts = append(layouts, layout, layout.SubImage(image.Rect(8, 4, 88, 60)))
	}
	for _, layout := range layouts {
		for _, side := range []int{101, 100, 64, 50, 33, 7, 1} {
			got := fit(layout, side)
			want := averages(layout, got.Rect.Dx(), got.Rect.Dy())
			for i, pixel := range want {
				r, g, b, _ := got.At(i%got.Rect.Dx(), i/got.Rect.Dx()).RGBA()
				for c, v := range [3]uint32{r, g, b} {
					require.InDelta(t, pixel[c], float64(v>>8), 5, "%T to %v at %d", layout, got.Rect, i)
				}
			}
		}
	}
}

// averages returns the average colors of the areas of width × height pixels, on white.
func averages(img image.Image, width, height int) [][3]float64 {
	out := make([][3]float64, width*height)
	bounds := img.Bounds()
	scaleX, scaleY := float64(bounds.Dx())/float64(width), float64(bounds.Dy())/float64(height)
	overlap := func(sample, pixel int, scale float64) float64 {
		return max(0, min(float64(sample+1), float64(pixel+1)*scale)-max(float64(sample), float64(pixel)*scale)) / scale
	}
	for i := range out {
		x, y := i%width, i/width
		for v := int(float64(y) * scaleY); v < min(bounds.Dy(), int(float64(y+1)*scaleY)+1); v++ {
			for u := int(float64(x) * scaleX); u < min(bounds.Dx(), int(float64(x+1)*scaleX)+1); u++ {
				weight := overlap(u, x, scaleX) * overlap(v, y, scaleY)
				r, g, b, a := img.At(bounds.Min.X+u, bounds.Min.Y+v).RGBA()
				for c, value := range [3]uint32{r, g, b} {
					out[i][c] += weight * float64(value+0xffff-a) / 0x101
				}
			}
		}
	}
	return out
}

func TestRefusals(t *testing.T) {
	whole := encoded(t, quarters(600, 600), asJPEG)
	hugeGIF := encoded(t, quarters(2, 2), asGIF)
	binary.LittleEndian.PutUint16(hugeGIF[6:], 65_535)
	binary.LittleEndian.PutUint16(hugeGIF[8:], 65_535)
	// More codes than a Huffman table can have: only decoding shows that.
	wrongTable := bytes.Replace(whole, []byte("\xff\xc4\x01\xa2\x00\x00"), []byte("\xff\xc4\x01\xa2\x00\xff"), 1)
	wrongPNG := pngWithChunk(encoded(t, quarters(2, 2), png.Encode), "IDAT", []byte("not compressed"))
	for name, c := range map[string]struct {
		source []byte
		want   error
	}{
		"empty":                   {nil, images.ErrNotImage},
		"text":                    {[]byte("hello, world"), images.ErrNotImage},
		"zip named .jpg":          {[]byte("PK\x03\x04 and so on"), images.ErrNotImage},
		"SVG":                     {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), images.ErrNotImage},
		"JPEG magic only":         {whole[:3], images.ErrDamaged},
		"cut JPEG":                {whole[:len(whole)/2], images.ErrDamaged},
		"JPEG with a wrong table": {wrongTable, images.ErrDamaged},
		"PNG with wrong pixels":   {wrongPNG, images.ErrDamaged},
		"JPEG with 200 scans":     {testimage.ScansJPEG(4000, 3000, 1, 200), images.ErrTooComplex},
		"PNG with a large header": {testimage.PNGHeader(60_000, 60_000), images.ErrTooManyPixels},
		"GIF with a large header": {hugeGIF, images.ErrTooManyPixels},
		"too many bytes":          {append(whole, make([]byte, MaxBytes)...), ErrTooManyBytes},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := Make(t.Context(), bytes.NewReader(c.source))
			require.ErrorIs(t, err, c.want)
			assert.True(t, Permanent(err))
			assert.Empty(t, made)
		})
	}
}

func TestReadErrorsAreNotPermanent(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := Make(t.Context(), io.MultiReader(bytes.NewReader(encoded(t, quarters(9, 9), asJPEG)), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	assert.False(t, Permanent(err))
}

func kindOf(t *testing.T, source []byte) images.Kind {
	t.Helper()
	kind, _, err := images.Prepare(source)
	require.NoError(t, err)
	return kind
}

// endingContext is a context that ends after some calls of Err: before a certain read.
type endingContext struct {
	context.Context
	reads int
}

func (c *endingContext) Err() error {
	if c.reads--; c.reads < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// TestDecodersStop: decoders that read an image in parts stop when the context ends between two of them.
func TestDecodersStop(t *testing.T) {
	for _, name := range []string{"PNG", "GIF", "lossless WebP"} {
		t.Run(name, func(t *testing.T) {
			source := testimage.Slow[name](1_000_000)
			kind := kindOf(t, source)
			_, err := decode(&endingContext{t.Context(), 3}, kind, source)
			require.ErrorContains(t, err, context.DeadlineExceeded.Error())
		})
	}
}

func TestMakeStops(t *testing.T) {
	timeout := errors.New("time limit")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(timeout)
	_, err := Make(ctx, bytes.NewReader(testimage.JPEG(64, 64)))
	require.ErrorIs(t, err, timeout)
	assert.False(t, Permanent(err))

	// The context ends while the image is decoded.
	_, err = Make(&endingContext{t.Context(), 5}, bytes.NewReader(testimage.PNG(640, 640)))
	require.Error(t, err)
	assert.False(t, Permanent(err), "%v", err)
}

func FuzzMake(f *testing.F) {
	img := quarters(24, 16)
	plain := encoded(f, img, asJPEG)
	f.Add(plain)
	f.Add(jpegWithExif(plain, tiff(binary.BigEndian, 6)))
	f.Add(pngWithChunk(encoded(f, img, png.Encode), "eXIf", tiff(binary.LittleEndian, 8)))
	f.Add(encoded(f, img, asGIF))
	f.Add([]byte(webpPixel))
	f.Add(testimage.ScansJPEG(40, 30, 3, 6))
	f.Fuzz(func(t *testing.T, source []byte) {
		// Only small images keep the fuzzer fast; TestRefusals tests the limit.
		if kind, _, err := images.Prepare(source); err == nil && kind.Width*kind.Height > 1<<18 {
			t.Skip()
		}
		made, err := Make(t.Context(), bytes.NewReader(source))
		if err != nil {
			assert.True(t, Permanent(err), "%v", err)
			assert.NotContains(t, err.Error(), "decoder: runtime error")
			return
		}
		for side, rendition := range map[int][]byte{MaxSide: made.Thumbnail, MaxViewSide: made.View} {
			config := must.OK(jpeg.DecodeConfig(bytes.NewReader(rendition)))(t)
			assert.LessOrEqual(t, max(config.Width, config.Height), side)
		}
	})
}

func BenchmarkMake12Megapixels(b *testing.B) {
	source := testimage.JPEG(4000, 3000)
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Make(b.Context(), bytes.NewReader(source)); err != nil {
			b.Fatal(err)
		}
	}
}
