// Package pulumitest runs a Pulumi program in the test's own process and gives what internal/plan records of it,
// and holds the golden files that tests compare recordings with.
package pulumitest
