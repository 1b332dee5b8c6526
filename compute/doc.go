// Package compute builds what runs: the bastion, the database host, the API tier behind its load
// balancer, the Lambda functions, and their user data.
//
// Every instance requires IMDSv2, has encrypted volumes, no key pair, and only what its role allows.
// Only the bastion has a public address.
package compute
