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

// DistributionRead lets one CloudFront distribution read the bucket's objects. It may list them, so that S3 answers 404
// rather than 403 for one that is missing; no request of a viewer becomes a listing.
func DistributionRead(arn, distributionARN pulumi.StringInput) Statement {
	return Statement{
		Sid: "DistributionRead", Effect: Allow, Principals: Principals{"Service": Strings("cloudfront.amazonaws.com")},
		Actions: []string{"s3:GetObject", "s3:ListBucket"}, Resources: []pulumi.StringInput{arn, objects(arn, "")},
		Conditions: Conditions{"StringEquals": {"aws:SourceArn": {distributionARN}}},
	}
}

// DenyUnencryptedCredentials refuses credentials and secrets of the cluster that no KMS key encrypts.
func DenyUnencryptedCredentials(arn pulumi.StringInput) Statement {
	return Statement{
		Sid: "CredentialsUnderKMS", Effect: Deny, Principals: Principals{"AWS": Strings("*")},
		Actions: []string{refusedS3 + "PutObject"}, Resources: []pulumi.StringInput{object(arn, contract.CredentialsKey), object(arn, contract.SecretsKey)},
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

// DeliveredLogs lets CloudWatch Logs write the access logs of the account's distributions, in the layout that it chooses
// itself. It has the form that AWS documents: AWS adds another statement to a policy without it (CloudWatch Logs user guide,
// "Logs sent to Amazon S3"). region is that of the logs' sources.
func DeliveredLogs(arn pulumi.StringInput, partition, region, account string) Statement {
	return Statement{
		Sid: "AWSLogDeliveryWrite1", Effect: Allow,
		Principals: Principals{"Service": Strings("delivery.logs.amazonaws.com")},
		Actions:    []string{"s3:PutObject"},
		Resources:  []pulumi.StringInput{objects(arn, "AWSLogs/"+account+"/")},
		Conditions: Conditions{
			"StringEquals": {"s3:x-amz-acl": Strings("bucket-owner-full-control"), "aws:SourceAccount": Strings(account)},
			"ArnLike":      {"aws:SourceArn": Strings("arn:" + partition + ":logs:" + region + ":" + account + ":delivery-source:*")},
		},
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
