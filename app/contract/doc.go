// Package contract holds everything that the application and the stack around it must agree on: the binaries and
// their object keys, the images bucket's prefixes, ports, paths, the names of environment variables, the metric that
// the API publishes, and the mirror's request and answer. Both sides import it, and nothing else spells these
// values: a change is one edit here.
//
// It imports nothing but the standard library.
package contract
