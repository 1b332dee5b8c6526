package images

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/testimage"
)

// secret is in all metadata, profile in all color profiles.
const (
	secret  = "GPS 52.5200 N 13.4050 E, Ada Lovelace"
	profile = "a color profile"
)

// webpPixel is a lossless WebP of one pixel.
const webpPixel = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func gifOf(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, gif.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil))
	return b.Bytes()
}

// plain returns images without metadata, by extension.
func plain(t testing.TB) map[string][]byte {
	t.Helper()
	return map[string][]byte{"jpg": testimage.JPEG(7, 5), "png": testimage.PNG(7, 5), "gif": gifOf(t, 7, 5), "webp": []byte(webpPixel)}
}

// exif returns a TIFF block with a position and an orientation.
func exif(orientation int, position string) []byte {
	return append(orientationTIFF(orientation), position...)
}

func jpegSegment(marker byte, content string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2)), content...)
}

func gifExtensionOf(label byte, blocks ...string) []byte {
	out := []byte{gifExtension, label}
	for _, b := range blocks {
		out = append(append(out, byte(len(b))), b...)
	}
	return append(out, 0)
}

func webpOf(flags byte, chunks ...[]byte) []byte {
	out := append([]byte("RIFF\x00\x00\x00\x00WEBP"), testimage.WebPChunk("VP8X", append([]byte{flags}, make([]byte, 9)...))...)
	out = append(out, bytes.Join(chunks, nil)...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// laden returns images with every kind of metadata, a color profile, and a video after the end, by extension. A GIF
// limits the metadata to 255 bytes, at least one.
func laden(t testing.TB, orientation int, secret string) map[string][]byte {
	t.Helper()
	all := plain(t)
	video := []byte("\x00\x00\x00\x18ftypmp42" + secret)
	jpg, png, webp := all["jpg"], all["png"], all["webp"][12:]
	g := all["gif"]
	return map[string][]byte{
		"jpg": bytes.Join([][]byte{
			jpg[:2],
			jpegSegment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), jpegSegment(0xe0, "JFXX\x00"+secret),
			jpegSegment(0xe1, "Exif\x00\x00"+string(exif(orientation, secret))), jpegSegment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+secret),
			jpegSegment(0xe2, "ICC_PROFILE\x00\x01\x01"+profile), jpegSegment(0xe2, "MPF\x00"+secret),
			jpegSegment(0xed, "Photoshop 3.0\x008BIM\x04\x04"+secret), jpegSegment(0xfe, secret), []byte(strings.ReplaceAll(secret, "\xff", "")), jpg[2:], video,
		}, nil),
		"png": bytes.Join([][]byte{
			png[:8+25],
			testimage.PNGChunk(nil, "iCCP", []byte("icc\x00\x00"+profile)), testimage.PNGChunk(nil, "eXIf", exif(orientation, secret)),
			testimage.PNGChunk(nil, "tEXt", []byte("Author\x00"+secret)), testimage.PNGChunk(nil, "iTXt", []byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"+secret)),
			testimage.PNGChunk(nil, "prIv", []byte(secret)), png[8+25:], video,
		}, nil),
		"gif": bytes.Join([][]byte{
			g[:len(g)-1],
			gifExtensionOf(gifApplication, "NETSCAPE2.0", "\x01\x02\x00", secret), gifExtensionOf(gifApplication, "ICCRGBG1012", profile),
			gifExtensionOf(gifApplication, "XMP DataXMP", secret), gifExtensionOf(gifComment, secret),
			gifExtensionOf(gifGraphicControl, "\x00\x01\x00\x00"), gifExtensionOf(gifPlainText, strings.Repeat("\x00", 12), secret),
			{gifTrailer}, video,
		}, nil),
		"webp": append(webpOf(webpEXIF|webpXMP|webpICC, testimage.WebPChunk("ICCP", []byte(profile)), webp,
			testimage.WebPChunk("EXIF", exif(orientation, secret)), testimage.WebPChunk("XMP ", []byte(secret)), testimage.WebPChunk("PRIV", []byte(secret))), video...),
	}
}

func TestPrepareDropsMetadata(t *testing.T) {
	for orientation := upright; orientation <= lastOrientation; orientation++ {
		for extension, data := range laden(t, orientation, secret) {
			require.Contains(t, string(data), secret)
			kind, clean, err := Prepare(data)
			require.NoError(t, err, extension)
			assert.NotContains(t, string(clean), secret[:12], extension)
			assert.NotContains(t, string(clean), "ftyp", extension)
			assert.Contains(t, string(clean), profile, extension)
			again, same, err := Prepare(clean)
			require.NoError(t, err, extension)
			assert.Equal(t, kind, again, extension)
			assert.Equal(t, clean, same, extension)
			if extension != "gif" { // has none
				assert.Equal(t, orientation, kind.Orientation, extension)
			}
			if extension == "webp" {
				flags := byte(webpICC)
				if orientation != upright {
					flags |= webpEXIF
				}
				assert.Equal(t, flags, clean[20])
			}
			if extension == "gif" {
				assert.Contains(t, string(clean), "NETSCAPE2.0\x03\x01\x02\x00\x00")
			}
		}
	}
}

// TestPrepareKeepsPixels: what decoders read is the same, byte for byte.
func TestPrepareKeepsPixels(t *testing.T) {
	before := plain(t)
	for extension, data := range laden(t, 6, secret) {
		_, clean, err := Prepare(data)
		require.NoError(t, err)
		pixels := before[extension]
		switch extension {
		case "jpg":
			pixels = pixels[2:]
		case "png":
			pixels = pixels[8+25:]
		case "gif":
			pixels = pixels[:len(pixels)-1]
		case "webp":
			pixels = pixels[12:]
		}
		assert.Contains(t, string(clean), string(pixels), extension)
		_, clean, err = Prepare(before[extension])
		require.NoError(t, err)
		assert.Equal(t, before[extension], clean, extension)
	}
}

func TestPrepareKinds(t *testing.T) {
	for extension, contentType := range map[string]string{"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"} {
		kind, _, err := Prepare(plain(t)[extension])
		require.NoError(t, err, extension)
		want := Kind{contentType, extension, 7, 5, upright}
		if extension == "webp" {
			want.Width, want.Height = 1, 1
		}
		assert.Equal(t, want, kind)
	}
	// Writers of WebP disagree whether EXIF starts as in a JPEG.
	kind, _, err := Prepare(webpOf(webpEXIF, []byte(webpPixel[12:]), testimage.WebPChunk("EXIF", append([]byte(exifPrefix), exif(8, secret)...))))
	require.NoError(t, err)
	assert.Equal(t, 8, kind.Orientation)
}

func TestPrepareRefuses(t *testing.T) {
	jpg := testimage.JPEG(64, 64)
	lying := []byte(webpPixel)
	lying = webpOf(0, lying[12:])
	lying[24] = 99 // a canvas of 100 × 1 pixels
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"empty":         {"", ErrNotImage},
		"BMP":           {"BM6", ErrNotImage},
		"PDF":           {"%PDF-1.7", ErrNotImage},
		"ZIP":           {"PK\x03\x04", ErrNotImage},
		"SVG":           {"<svg/>", ErrNotImage},
		"WAVE":          {"RIFF\x00\x00\x00\x00WAVE", ErrNotImage},
		"lossless JPEG": {strings.Replace(string(jpg), "\xff\xc0", "\xff\xc3", 1), ErrNotImage},
		"private PNG":   {string(slices.Concat(testimage.PNG(2, 2)[:8+25], testimage.PNGChunk(nil, "CgBI", nil), testimage.PNG(2, 2)[8+25:])), ErrNotImage},

		"animated WebP":        {string(webpOf(webpAnimation, testimage.WebPChunk("ANIM", make([]byte, 6)))), ErrAnimated},
		"PNG of 40 MP and row": {string(testimage.PNGHeader(8000, 5001)), ErrTooManyPixels},

		"JPEG without EOI":       {string(jpg[:len(jpg)-2]), ErrDamaged},
		"JPEG without scan":      {string(jpg[:bytes.Index(jpg, []byte{0xff, 0xda})]) + "\xff\xd9", ErrDamaged},
		"JPEG of two frames":     {strings.Replace(string(jpg), "\xff\xda", string(jpegSegment(0xc0, "\x08\x00\x01\x00\x01\x01\x01\x11\x00"))+"\xff\xda", 1), ErrDamaged},
		"PNG without IEND":       {string(testimage.PNG(9, 9)[:len(testimage.PNG(9, 9))-12]), ErrDamaged},
		"PNG with a wrong sum":   {strings.Replace(string(testimage.PNG(9, 9)), "IDAT", "IDAT\x00", 1), ErrDamaged},
		"GIF without trailer":    {string(gifOf(t, 3, 3)[:len(gifOf(t, 3, 3))-1]), ErrDamaged},
		"GIF's header":           {"GIF89a", ErrDamaged},
		"WebP that ends earlier": {webpPixel[:len(webpPixel)-1], ErrDamaged},
		"WebP of two sizes":      {string(lying), ErrDamaged},

		"200 scans":            {string(testimage.ScansJPEG(4000, 3000, 1, 200)), ErrTooComplex},
		"thousands of scans":   {string(testimage.ScansJPEG(800, 600, 1, 8000)), ErrTooComplex},
		"thousands of tables":  {string(jpg[:2]) + strings.Repeat(string(jpegSegment(0xc4, "\x00\x01"+strings.Repeat("\x00", 16))), 20_000) + string(jpg[2:]), ErrTooComplex},
		"40 MP in CMYK":        {string(testimage.ScansJPEG(8000, 5000, 4, 2)), ErrTooComplex},
		"16-bit PNG of 40 MP":  {string(deepPNG(t)), ErrTooComplex},
		"lossless WebP, 40 MP": {string(largeWebP()), ErrTooComplex},
	} {
		t.Run(name, func(t *testing.T) {
			_, clean, err := Prepare([]byte(c.data))
			require.ErrorIs(t, err, c.want)
			assert.Nil(t, clean)
		})
	}
}

// deepPNG returns a PNG whose header specifies 40 megapixels in RGBA with 16 bits.
func deepPNG(t *testing.T) []byte {
	t.Helper()
	data := testimage.PNGHeader(8000, 5000)
	header := append([]byte(nil), data[16:16+pngHeader]...)
	header[8], header[9] = 16, 6
	return slices.Concat(data[:8], testimage.PNGChunk(nil, "IHDR", header), data[8+25:])
}

// largeWebP returns the start of a lossless WebP of 8000 × 5000 pixels.
func largeWebP() []byte {
	bits := binary.LittleEndian.AppendUint32([]byte{0x2f}, 7999|4999<<14)
	return testimage.WebP("VP8L", append(bits, make([]byte, 20)...))
}

// TestOrdinaryImagesAreAccepted: the limits do not concern what cameras and editors write.
func TestOrdinaryImagesAreAccepted(t *testing.T) {
	for name, data := range map[string][]byte{
		"10 scans, 40 MP":     testimage.ScansJPEG(8000, 5000, 3, 10),
		"PNG header of 40 MP": testimage.PNGHeader(8000, 5000),
	} {
		_, _, err := Prepare(data)
		assert.NoError(t, err, name)
	}
}

// FuzzPrepareMetadata: metadata of any content leaves no trace.
func FuzzPrepareMetadata(f *testing.F) {
	f.Add([]byte(secret), uint8(6))
	f.Add([]byte("\xff\xd9\x00\x3bIEND\xff\xda"), uint8(1))
	f.Fuzz(func(t *testing.T, metadata []byte, orientation uint8) {
		if len(metadata) == 0 || len(metadata) > 255 {
			t.Skip()
		}
		want := laden(t, int(orientation), secret)
		for extension, data := range laden(t, int(orientation), string(metadata)) {
			_, clean, err := Prepare(data)
			require.NoError(t, err, extension)
			_, same, err := Prepare(want[extension])
			require.NoError(t, err, extension)
			require.Equal(t, same, clean, extension)
		}
	})
}

// FuzzPrepare: an accepted image has a size within the limits and the format of its first bytes. Preparing it again
// changes nothing.
func FuzzPrepare(f *testing.F) {
	for _, images := range []map[string][]byte{plain(f), laden(f, upright, secret), laden(f, 6, secret)} {
		for _, data := range images {
			f.Add(data)
			f.Add(data[:len(data)/2])
		}
	}
	f.Add(testimage.ScansJPEG(30, 20, 3, 7))
	f.Add(webpOf(webpAnimation, testimage.WebPChunk("ANIM", make([]byte, 6))))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, clean, err := Prepare(data)
		if err != nil {
			known := false
			for _, e := range []error{ErrNotImage, ErrAnimated, ErrTooManyPixels, ErrDamaged, ErrTooComplex} {
				known = known || errors.Is(err, e)
			}
			require.True(t, known, "%v", err)
			return
		}
		require.True(t, kind.Width > 0 && kind.Height > 0 && kind.Width*kind.Height <= MaxPixels, "%+v", kind)
		require.True(t, kind.Orientation >= upright && kind.Orientation <= lastOrientation, "%+v", kind)
		require.True(t, slices.ContainsFunc(formats, func(f format) bool {
			return f.contentType == kind.ContentType && f.extension == kind.Extension && matches(data, f.magic) && matches(clean, f.magic)
		}), "%+v", kind)
		again, same, err := Prepare(clean)
		require.NoError(t, err)
		require.Equal(t, kind, again)
		require.True(t, bytes.Equal(clean, same), "%s", fmt.Sprintf("%x\n%x", clean, same))
	})
}
