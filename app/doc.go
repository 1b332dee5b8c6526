// Package app embeds the application's built binaries, for the program that deploys them.
//
// `make app` (go run ./app/cmd/build) fills app/bin with the compressed binaries and a manifest. The package compiles,
// and its tests pass, without them; the error of [Find] then says how to build them. Package contract lists the
// binaries.
//
// # Artifacts
//
// A binary is identified by the SHA-256 digest of its uncompressed bytes, which is part of its artifact's key. So a
// new binary never overwrites an older one, and a rollback only points at the old key.
//
// Give s3.BucketObjectv2 a pulumi.NewFileAsset of [Binary.ObjectFile]: the stack's state then holds the asset's hash,
// where ContentBase64 would put megabytes into it. Pulumi compares assets by content, so the folder may differ
// between machines. Give lambda.Function the bucket and [Binary.ObjectKey]: the key changes exactly when the code does.
//
// Lambda's zip file holds one stored (uncompressed) entry, bootstrap, with mode 0755 and a fixed time. Its bytes
// depend on the binary alone and not on a compressor's version.
package app
