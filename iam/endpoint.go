package iam

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// S3EndpointPolicy limits a gateway endpoint to the given buckets and to reading Amazon Linux's packages; the caller's role
// limits it further. No other bucket can be reached, so stolen credentials cannot move data to another bucket.
func S3EndpointPolicy(bucketARNs []pulumi.StringInput, packages pulumi.StringInput) pulumi.StringOutput {
	var objects []pulumi.StringInput
	for _, arn := range bucketARNs {
		objects = append(objects, pulumi.Sprintf("%s/*", arn))
	}
	return Document(
		Statement{
			Sid: "ListOwnBuckets", Effect: Allow, Principals: Anyone,
			Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resources: bucketARNs,
		},
		Statement{
			Sid: "UseOwnObjects", Effect: Allow, Principals: Anyone,
			Actions: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"}, Resources: objects,
		},
		Statement{
			Sid: "ReadPackages", Effect: Allow, Principals: Anyone,
			Actions: []string{"s3:GetObject"}, Resources: []pulumi.StringInput{packages},
		},
	)
}
