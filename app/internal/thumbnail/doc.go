// Package thumbnail makes the renditions of uploaded images: a thumbnail for the gallery, and a view, which is larger.
//
// [Make] is used by the Lambda function and by the server for a laptop. It reads JPEG, PNG, GIF (first frame) and WebP;
// decodes the image once; rotates it according to its EXIF orientation; and writes baseline JPEGs without metadata, so
// that a rendition never contains a photo's location or author. Large JPEGs are decoded at half, a quarter or an eighth
// of their size.
//
// It refuses images of more than [MaxBytes] bytes and, before decoding any pixel, what images.Prepare refuses. It ignores
// color profiles and treats pixels as sRGB.
//
// # Time
//
// Make stops when its context ends. PNG, GIF and lossless WebP are decoded from a reader that fails then. JPEG and lossy
// WebP are read in one piece, so that only the limits of images.Prepare bound their decoding, to about 2 s per core.
package thumbnail
