package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
)

// apiRole reads its binary and the credentials object, and stores the images. A role that only reads images would have
// the first of the two image policies alone.
func apiRole(args *Args) roleArgs {
	return roleArgs{
		Description: "API instances: their binary, the credentials object, the images",
		Policies: []policy{
			sessionManager(),
			{"release", []Statement{
				{
					Sid: "ReadRelease", Effect: Allow,
					Actions:   []string{"s3:GetObject"},
					Resources: []pulumi.StringInput{object(args.ArtifactsARN, contract.ExecutableKey(contract.Cinema, "*"))},
				},
				{
					Sid: "ReadCredentials", Effect: Allow,
					Actions:   []string{"s3:GetObject"},
					Resources: []pulumi.StringInput{object(args.ArtifactsARN, contract.CredentialsKey)},
				},
				allowNotFound(args.ArtifactsARN),
			}},
			{"read-images", []Statement{
				{
					Sid: "ReadImages", Effect: Allow,
					Actions:   []string{"s3:GetObject"},
					Resources: []pulumi.StringInput{objects(args.ImagesARN, contract.OriginalsPrefix), objects(args.ImagesARN, contract.ThumbnailsPrefix)},
				},
				allowNotFound(args.ImagesARN),
			}},
			{"write-images", []Statement{
				{
					Sid: "PutOriginals", Effect: Allow,
					Actions:   []string{"s3:PutObject"},
					Resources: []pulumi.StringInput{objects(args.ImagesARN, contract.OriginalsPrefix)},
				},
				{
					Sid: "DeleteImages", Effect: Allow,
					Actions:   []string{"s3:DeleteObject"},
					Resources: []pulumi.StringInput{objects(args.ImagesARN, contract.OriginalsPrefix), objects(args.ImagesARN, contract.ThumbnailsPrefix)},
				},
			}},
		},
	}
}

// allowNotFound lets S3 answer 404 for an object that does not exist. Without permission to list it answers 403, and
// "does not exist yet" looks like "not allowed".
func allowNotFound(bucketARN pulumi.StringInput) Statement {
	return Statement{
		Sid: "AllowNotFound", Effect: Allow,
		Actions:   []string{"s3:ListBucket"},
		Resources: []pulumi.StringInput{bucketARN},
	}
}
