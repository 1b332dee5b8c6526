// Package sandbox runs a Pulumi program with the real Pulumi CLI and engine on a simulated AWS account.
//
// The engine plans, orders, saves state and prints as usual. Only the aws provider is simulated: this process serves
// it, and the engine connects to it through PULUMI_DEBUG_PROVIDERS. One directory holds the stack's state in a file
// backend, the simulated account, and a copy of the stack's config. The sandbox needs no login and no download, and
// does not change the project's own files.
//
// The account (package awssim) refuses the requests that AWS refuses, and keeps its resources between runs, even if a
// run is killed. The behavior of resources is not simulated: no instance boots, no function runs.
package sandbox
