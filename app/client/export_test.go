package client

import "io/fs"

// Publish returns the published files of another client.
func Publish(source fs.FS) []File { return publish(source) }
