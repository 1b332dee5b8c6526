// Command build compiles the application's binaries and writes them, compressed, to the folder that package app embeds.
//
//	go run ./app/cmd/build [-arch arm64,amd64] [-o app/bin]
//
// Run it inside the module. Each binary is static and reproducible: the same sources, modules and Go version result in
// the same bytes in any folder, on any machine. An unchanged file is not written again. Compressed binaries of other
// names or architectures are removed, so that all binaries in the folder come from the same sources.
//
// A binary that cannot be built does not stop the others. Its error is printed, and the exit status is 1.
package main
