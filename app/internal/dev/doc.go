// Package dev runs all of cinema in one process: the API and the page on an embedded database (FerretDB on SQLite)
// and an embedded S3 (gofakes3), with thumbnails made in process. It owns what stands in for the cloud, and
// nothing else: the API, the store and the thumbnails are the same code as on AWS.
package dev
