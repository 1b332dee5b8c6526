package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/environment"
)

// S3EndpointPolicy limits a gateway endpoint to the given buckets and to reading Amazon Linux's packages; the caller's role
// limits it further. No other bucket can be reached, so stolen credentials cannot move data to another bucket. layers are
// ImageLayers, where tasks pull images.
func S3EndpointPolicy(bucketARNs []pulumi.StringInput, packages pulumi.StringInput, layers ...pulumi.StringInput) pulumi.StringOutput {
	var objects []pulumi.StringInput
	for _, arn := range bucketARNs {
		objects = append(objects, pulumi.Sprintf("%s/*", arn))
	}
	statements := []Statement{
		{
			Sid: "ListOwnBuckets", Effect: Allow, Principals: Anyone,
			Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resources: bucketARNs,
		},
		{
			Sid: "UseOwnObjects", Effect: Allow, Principals: Anyone,
			Actions: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"}, Resources: objects,
		},
		{
			Sid: "ReadPackages", Effect: Allow, Principals: Anyone,
			Actions: []string{"s3:GetObject"}, Resources: []pulumi.StringInput{packages},
		},
	}
	if len(layers) > 0 {
		statements = append(statements, Statement{
			Sid: "ReadImageLayers", Effect: Allow, Principals: Anyone,
			Actions: []string{"s3:GetObject"}, Resources: layers,
		})
	}
	return Document(statements...)
}

// ImageLayers are the objects in which ECR keeps the layers of images (ECR user guide, "Minimum Amazon S3 bucket permissions
// for Amazon ECR"). The addresses that ECR gives out are signed for one layer each.
func ImageLayers(env environment.Environment) pulumi.StringInput {
	return pulumi.String("arn:" + env.Partition + ":s3:::prod-" + env.Region + "-starport-layer-bucket/*")
}

// InterfaceEndpointPolicy limits an interface endpoint to the account's own identities, whose policies limit them further:
// credentials of another account cannot move data out.
func InterfaceEndpointPolicy(account string) pulumi.StringOutput {
	return Document(Statement{
		Sid: "OwnPrincipals", Effect: Allow, Principals: Anyone, Actions: []string{"*"}, Resources: Strings("*"),
		Conditions: Conditions{"StringEquals": {"aws:PrincipalAccount": Strings(account)}},
	})
}
