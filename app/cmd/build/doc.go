// Command build compiles the release binaries and puts them, compressed, where package app embeds them.
//
//	go run ./app/cmd/build [-arch arm64,amd64] [-o app/bin]
//
// Run it inside the module. Each binary is static and reproducible: the same sources, modules and Go version give
// the same bytes in any folder, on any machine. What is already there and unchanged is not written again; files
// of binaries or architectures that were not asked for are removed, so that the folder holds one coherent release.
//
// A binary that cannot be built does not stop the others; its error is printed and the exit status is 1.
package main
