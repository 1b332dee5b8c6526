// Package testimage generates images for tests and benchmarks. The same arguments always result in the same bytes.
package testimage

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
)

// JPEG returns a JPEG of the given size in pixels. Decoding it costs about as much as a camera's: gradients with noise,
// chroma at half resolution, about 4 bits per pixel.
func JPEG(width, height int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for y := range height {
		for x := range width {
			img.Y[y*img.YStride+x] = uint8((x/9+y/7)%200) + uint8(random.Uint32()%24)
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 110+uint8(i/911%40), 110+uint8(i/577%40)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		panic(err) // the size is too large for a JPEG
	}
	return out.Bytes()
}

// PNG returns a PNG of the given size in pixels, a gradient.
func PNG(width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), 90, 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // the size is too large for a PNG
	}
	return out.Bytes()
}

// PNGHeader returns a PNG of one pixel whose header specifies another size.
func PNGHeader(width, height uint32) []byte {
	data := PNG(1, 1)
	header := data[12:29] // type and content of IHDR
	binary.BigEndian.PutUint32(header[4:], width)
	binary.BigEndian.PutUint32(header[8:], height)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(header))
	return data
}
