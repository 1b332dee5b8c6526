// Package thumbnail makes small JPEG pictures of uploaded ones.
//
// [Make] is a pure function that the thumbnailer Lambda and the laptop server share. It reads JPEG, PNG, GIF
// (first frame) and WebP; turns the picture upright as its EXIF orientation says; and writes a baseline JPEG
// with no metadata, so that a thumbnail never carries where or by whom a photograph was taken.
//
// It refuses more than [MaxBytes] bytes and, before any pixel is decoded, more than [MaxPixels] pixels.
// Colour profiles are ignored: pixels are taken to be sRGB.
package thumbnail
