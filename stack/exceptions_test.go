package stack

import "slices"

// exception is a control that a resource does not meet, on purpose.
type exception struct {
	control, resource string
	// stacks where it applies; all where empty.
	stacks []string
	reason string
}

// exceptions are all of them. One that no longer applies fails TestPolicies.
var exceptions = []exception{
	{"EC2.9", "bastion-host", nil, "operators connect through it: it reaches Session Manager through the internet gateway, which needs a public address; its security group admits no address by default"},
	{"CKV_AWS_88", "bastion-host", nil, "the same public address as EC2.9"},
	{"ELB.6", "api-origin-lb", []string{"dev", "full"}, "cinema:protect is off: the stack is created and destroyed in one go"},
	{"ELB.1", "api-origin-http", []string{"dev", "prod"}, "without cinema:domain there is no certificate; only CloudFront calls this listener, on AWS's network, and it redirects viewers to HTTPS"},
	{"ELB.18", "api-origin-http", []string{"dev", "prod"}, "as for ELB.1"},
	{"CloudFront.4", "edge-distribution", nil, "each origin is the only one of its kind: a failover would need a second region"},
	{"CloudFront.6", "edge-distribution", []string{"dev"}, "cinema:edge.waf is off: a firewall costs more than the rest of a small stack's edge"},
	{"CloudFront.7", "edge-distribution", []string{"dev", "prod"}, "without cinema:domain the distribution has CloudFront's own certificate"},
	{"CloudFront.9", "edge-distribution", []string{"dev", "prod"}, "as for ELB.1"},
	{"S3.9", "storage-logs", nil, "a bucket that logs its own access would log the delivery of each log, without end"},
	{"S3.9", "replica-images", []string{"full"}, "access logs cannot leave their region, and nobody reads the copies regularly"},
	{"KMS.1", "deployer-boundary", []string{"full"}, "a boundary grants nothing: the key's own policy names the roles that decrypt, through S3 only"},
	{"KMS.1", "deployer-data", []string{"full"}, "AWS Backup creates a vault with the account's key for backups, on the caller's behalf and through that service only"},
	{"CKV_AWS_115", "thumbnailer-function", []string{"dev", "prod"}, "a new account's quota allows no reservation; cinema:thumbnailer.concurrency makes one"},
	{"CKV_AWS_115", "mirror-function", []string{"dev", "prod"}, "as for the thumbnailer"},
	{"CKV_AWS_116", "mirror-function", nil, "invoked synchronously only: a failure ends the deployment that called it, and leaves no event for a queue"},
}

func (e exception) in(stack string) bool {
	return len(e.stacks) == 0 || slices.Contains(e.stacks, stack)
}

func excepted(control, resource, stack string) *exception {
	for i, e := range exceptions {
		if e.control == control && e.resource == resource && e.in(stack) {
			return &exceptions[i]
		}
	}
	return nil
}
