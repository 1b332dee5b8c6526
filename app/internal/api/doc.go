// Package api is the application's HTTP API: accounts, movies and images. openapi.json describes it.
//
// Every error is a problem document (RFC 9457) with a text of this package: clients never receive an error text of the
// database driver, of S3 or of a panic. A client's input never becomes part of a query, an object key or an unescaped log
// line.
//
// The bearer token identifies the account, never the path or the body. A path with an account's name is refused unless
// it is the token's own.
package api
