package iam

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
)

// objects are the ARNs of a bucket's objects under prefix.
func objects(bucketARN pulumi.StringInput, prefix string) pulumi.StringInput {
	return object(bucketARN, prefix+"*")
}

// object is the ARN of the object with that key.
func object(bucketARN pulumi.StringInput, key string) pulumi.StringInput {
	return pulumi.Sprintf("%s/%s", bucketARN, key)
}

// refusedS3 is the service prefix of actions that a bucket policy refuses under a condition. IAM ignores the case of
// action names (IAM user guide, "IAM JSON policy elements: Action"). The emulator of the end-to-end runs ignores
// conditions and compares case, so it would refuse everything under the usual spelling.
const refusedS3 = "S3:"

// DenyPlainHTTP refuses every request to the bucket that is not TLS (Security Hub S3.5).
func DenyPlainHTTP(arn pulumi.StringInput) Statement {
	return Statement{
		Sid: "DenyPlainHTTP", Effect: Deny, Principals: Principals{"AWS": Strings("*")},
		Actions: []string{refusedS3 + "*"}, Resources: []pulumi.StringInput{arn, objects(arn, "")},
		Conditions: Conditions{"Bool": {"aws:SecureTransport": Strings("false")}},
	}
}

// PublicRead lets everyone read the bucket's objects, but not list them.
func PublicRead(arn pulumi.StringInput) Statement {
	return Statement{
		Sid: "PublicRead", Effect: Allow, Principals: Principals{"AWS": Strings("*")},
		Actions: []string{"s3:GetObject"}, Resources: []pulumi.StringInput{objects(arn, "")},
	}
}

// DenyUnencryptedCredentials refuses a credentials object that no KMS key encrypts.
func DenyUnencryptedCredentials(arn pulumi.StringInput) Statement {
	return Statement{
		Sid: "CredentialsUnderKMS", Effect: Deny, Principals: Principals{"AWS": Strings("*")},
		Actions: []string{refusedS3 + "PutObject"}, Resources: []pulumi.StringInput{object(arn, contract.CredentialsKey)},
		Conditions: Conditions{"StringNotEquals": {"s3:x-amz-server-side-encryption": Strings("aws:kms")}},
	}
}

// LoadBalancerLogs lets the account's load balancers write access logs under prefix, in the layout
// that Elastic Load Balancing appends to it.
func LoadBalancerLogs(arn pulumi.StringInput, prefix, account string) Statement {
	return Statement{
		Sid: "LoadBalancerLogs", Effect: Allow,
		Principals: Principals{"Service": Strings("logdelivery.elasticloadbalancing.amazonaws.com")},
		Actions:    []string{"s3:PutObject"},
		Resources:  []pulumi.StringInput{objects(arn, prefix+"/AWSLogs/"+account+"/")},
	}
}

// BucketLogs lets S3 write the access logs of the account's bucket of that kind under prefix.
func BucketLogs(arn pulumi.StringInput, kind, prefix, account string) Statement {
	return Statement{
		Sid: "AccessLogsOf" + strings.ToUpper(kind[:1]) + kind[1:], Effect: Allow,
		Principals: Principals{"Service": Strings("logging.s3.amazonaws.com")},
		Actions:    []string{"s3:PutObject"},
		Resources:  []pulumi.StringInput{objects(arn, prefix)},
		Conditions: Conditions{"StringEquals": {"aws:SourceAccount": Strings(account)}},
	}
}
