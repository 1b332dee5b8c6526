// Package storage builds the buckets for images, artifacts, logs and the client site, with their encryption, versions,
// lifecycles, policies and access logs. It uploads the binaries and the site, copies images to another region, and backs
// up the data volume.
//
// It owns every bucket policy. Every bucket denies public access and plain HTTP; the site's is read by the edge's
// distribution only.
package storage
