// Package release follows the rollout of a release to a stack's API instances, and shows how to roll back to an
// earlier release.
//
// It only reads: the stack's outputs through the Pulumi CLI, and the account with the credentials and endpoints of
// the environment (AWS_PROFILE, AWS_ENDPOINT_URL and the AWS SDK's other variables). It changes nothing itself.
package release
