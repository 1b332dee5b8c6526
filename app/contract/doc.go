// Package contract contains everything that the application and the stack must agree on: the binaries and their object
// keys, the images bucket's prefixes, ports, paths, the names of environment variables, the API's metric, and the mirror's
// request and answer. Both sides import it, and no other code spells these values (a test checks this), so a change is
// one edit.
//
// It imports only the standard library.
package contract
