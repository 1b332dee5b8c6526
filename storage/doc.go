// Package storage builds the buckets — images, artifacts, logs and the client site — with their
// encryption, versions, lifecycles, policies and access logs, and publishes what the stack keeps in
// them: the release binaries and the site.
//
// It owns every bucket policy. Every bucket refuses public access and plain HTTP, except the site's:
// S3 website hosting is public and speaks no TLS.
package storage
