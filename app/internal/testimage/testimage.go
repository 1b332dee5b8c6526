// Package photograph makes pictures for measurements.
package testimage

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// JPEG gives a JPEG of that size in pixels that is about as costly to decode as a camera's: gradients with grain,
// chroma at half resolution, some 4 bits a pixel. The same size gives the same bytes.
func JPEG(width, height int) ([]byte, error) {
	random := rand.New(rand.NewPCG(1, 2))
	picture := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for y := range height {
		for x := range width {
			picture.Y[y*picture.YStride+x] = uint8((x/9+y/7)%200) + uint8(random.Uint32()%24)
		}
	}
	for i := range picture.Cb {
		picture.Cb[i], picture.Cr[i] = 110+uint8(i/911%40), 110+uint8(i/577%40)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 95}); err != nil {
		return nil, fmt.Errorf("photograph: %w", err)
	}
	return out.Bytes(), nil
}
