// Package release follows a release of the API onto a stack's instances, and shows what going back to an
// earlier one takes.
//
// It reads only: the stack's outputs through the Pulumi CLI, and the account through the credentials and
// endpoints of the environment (AWS_PROFILE, AWS_ENDPOINT_URL and the rest of the AWS SDK's). What it
// recommends is for people, or `pulumi up`, to do.
package release
