// Package compute builds the instances and the functions: the bastion, the members of the database, each a host
// with a data volume, the API behind its load balancer, and the Lambda functions, which copy the MongoDB package and make
// thumbnails. Its gates let the members change one at a time.
//
// It owns the load balancer, the private hosted zone, and the log groups of functions and API instances.
// compute/userdata writes the boot scripts.
//
// Every instance requires IMDSv2 and has encrypted volumes, no key pair, and a role of its own. Only the bastion, and
// the load balancer where there is no edge, have public addresses. Settings that AWS or the stack cannot use are refused before anything is
// registered.
package compute
