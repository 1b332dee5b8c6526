// Package api is the HTTP API of cinema: accounts, movies and images, as openapi.json describes them.
//
// Every error is a problem document (RFC 9457) of this package's own words: no text of the driver, of S3 or of
// a panic reaches a client. Nothing a client sends becomes part of a query, a storage key or an unescaped log line.
//
// Who is asking comes from a bearer token, never from the path or the body: a path that names an account is
// refused unless it is the token's own.
package api
