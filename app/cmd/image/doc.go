// Command image makes a container image of a Go program, without a Docker daemon, and pushes it to a repository.
//
//	go run ./app/cmd/image build                              the API, into a folder
//	go run ./app/cmd/image push --service demo --tag v1       the API, to the repository of the stack's service demo
//	go run ./app/cmd/image push --service demo --tag v1 --package ./app/cmd/demo
//
// Run it inside the module. The image has the program, which is linked statically, the certificates of the public
// authorities, a user without rights, and no shell. The same sources, modules and Go version result in the same digest in any
// folder, on any machine: no file in it has a time, an owner or the name of a folder of the machine.
//
// A tag is never moved to another image. Pushing the same image again is no error, so a job in CI may be run again.
package main
