// Package sandbox runs a Pulumi program with the real Pulumi CLI and engine against a simulated AWS account.
//
// The engine plans, orders, saves state and prints as it always does; only the aws provider is this process,
// attached through PULUMI_DEBUG_PROVIDERS. Everything is kept in one directory: the stack's state in a file
// backend, the simulated account, and a copy of the stack's config. Nothing is logged in to, downloaded, or
// written into the project's own files.
//
// The account (package awssim) refuses what AWS refuses and keeps what it holds between runs, however a run ends.
// What a resource does is not simulated: no instance boots, no function runs.
package sandbox
