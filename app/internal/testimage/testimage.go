// Package testimage generates images for tests and benchmarks.
package testimage

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// JPEG returns a JPEG of the given size in pixels. Decoding it costs about as much as a camera's: gradients with noise,
// chroma at half resolution, about 4 bits per pixel. The same size always results in the same bytes.
func JPEG(width, height int) ([]byte, error) {
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
		return nil, fmt.Errorf("testimage: %w", err)
	}
	return out.Bytes(), nil
}
