// Package dev runs the whole application in one process: client and API on one origin, as the edge publishes them, on an
// embedded database (FerretDB on SQLite) and an embedded S3 server (gofakes3), with thumbnails made in the same process. It
// contains only the substitutes for AWS. The client, the API, the store and the thumbnails are the same code as on AWS.
package dev
