// Package thumbnail makes thumbnails of uploaded images.
//
// [Make] is a pure function, used by the Lambda function and by the server for a laptop. It reads JPEG, PNG, GIF (first
// frame) and WebP; rotates the image according to its EXIF orientation; and writes a baseline JPEG without metadata, so
// that a thumbnail never contains a photo's location or author.
//
// It refuses images of more than [MaxBytes] bytes and, before decoding any pixel, of more than [MaxPixels] pixels. It
// ignores color profiles and treats pixels as sRGB.
package thumbnail
