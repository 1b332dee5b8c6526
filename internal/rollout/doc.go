// Package rollout brings a release to the instances of the API's Auto Scaling group and a task definition to an ECS service,
// and waits until the stack serves.
//
// `pulumi up` uses it through the gates of package compute, `go run . release` directly. In the sandbox the same code
// works on the simulated account.
package rollout
