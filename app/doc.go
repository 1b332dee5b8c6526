// Package app embeds the application's built binaries, for the program that deploys them.
//
// `make app` (go run ./app/cmd/build) fills app/bin with the binaries, compressed, and a manifest. The package
// compiles and its tests run without them; [Find] then says what to do.
//
// Names: cinema (the API), cinema-db (prepares the database host), thumbnailer and mirror (Lambda functions).
//
// # Publishing
//
// A binary's identity is the SHA-256 digest of its uncompressed bytes. Objects live under content-addressed keys,
// so an object is never overwritten by another release, and going back is pointing at the old key:
//
//	cinema, cinema-db     Release.Key()        releases/<sha256>/<name>       Release.File(dir)
//	thumbnailer, mirror   Release.LambdaKey()  releases/<sha256>/<name>.zip   Release.LambdaFile(dir)
//
// Give s3.BucketObjectv2 a pulumi.NewFileAsset of the file: the asset's state is its hash, while ContentBase64
// would put megabytes into the stack's state. Pulumi compares assets by content, so the folder may differ between
// machines. Give lambda.Function the bucket and LambdaKey(): the key changes exactly when the code does. The zip
// file holds one stored (uncompressed) entry, `bootstrap`, mode 0755, with a fixed time; so its bytes follow from
// the binary alone and not from a compressor's version.
package app
