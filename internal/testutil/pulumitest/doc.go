// Package pulumitest runs a Pulumi program in the test's process, returns the recording of package plan, and compares
// it with golden files.
package pulumitest
