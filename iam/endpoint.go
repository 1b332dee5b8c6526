package iam

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// S3EndpointPolicy lets whoever is behind a gateway endpoint use the given buckets, as their own role
// allows, and read Amazon Linux's packages. Everything else in S3 is out of reach, so that a stolen
// credential cannot carry data to a stranger's bucket.
func S3EndpointPolicy(bucketARNs []pulumi.StringInput, packages pulumi.StringInput) pulumi.StringOutput {
	everybody := Principals{"AWS": Strings("*")}
	var objects []pulumi.StringInput
	for _, arn := range bucketARNs {
		objects = append(objects, pulumi.Sprintf("%s/*", arn))
	}
	return Document(
		Statement{
			Sid: "ListOwnBuckets", Effect: Allow, Principals: everybody,
			Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resources: bucketARNs,
		},
		Statement{
			Sid: "UseOwnObjects", Effect: Allow, Principals: everybody,
			Actions: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"}, Resources: objects,
		},
		Statement{
			Sid: "ReadPackages", Effect: Allow, Principals: everybody,
			Actions: []string{"s3:GetObject"}, Resources: []pulumi.StringInput{packages},
		},
	)
}
