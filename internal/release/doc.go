// Package release follows the rollout of a release to a stack's API instances and the deployments of its services, and takes one
// back.
//
// It knows the stack from the Pulumi CLI: the outputs, and the settings of the AWS provider, with which it opens the
// account as `pulumi up` does.
package release
