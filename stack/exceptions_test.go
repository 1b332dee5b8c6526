package stack

import "slices"

// exception is a control that a resource does not keep, on purpose.
type exception struct {
	control, resource string
	// stacks where it holds; all where empty.
	stacks []string
	reason string
}

// exceptions are all of them. One that no longer applies fails TestPolicies.
var exceptions = []exception{
	{"EC2.9", "bastion-host", nil, "operators come in through it: Session Manager is reached through the internet gateway, which takes a public address; its security group lets nobody in by default"},
	{"CKV_AWS_88", "bastion-host", nil, "the same public address as EC2.9"},
	{"ELB.6", "api-lb", []string{"dev", "full"}, "cinema:protect is off: the stack is made and destroyed in one go"},
	{"S3.2", "storage-site", nil, "the client is a public page; nothing else is ever put into this bucket"},
	{"S3.8", "storage-site", nil, "S3 website hosting answers only where the bucket's policy may be public; ACLs stay blocked"},
	{"S3.5", "storage-site", nil, "S3 website endpoints speak plain HTTP only"},
	{"S3.9", "storage-logs", nil, "a bucket that logs its own access would log the delivery of each log, for ever"},
	{"S3.9", "replica-images", []string{"full"}, "access logs cannot leave their region, and nobody reads the copies in the ordinary course"},
	{"KMS.1", "deployer-boundary", []string{"full"}, "a boundary grants nothing: the key's own policy names who decrypts, and through S3 only"},
	{"KMS.1", "deployer-data", []string{"full"}, "AWS Backup makes a vault with the account's key for it, in the caller's name and through that service only"},
	{"CKV_AWS_116", "mirror-function", nil, "invoked synchronously only: a failure ends the deployment that called it, and no event is left over for a queue"},
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
