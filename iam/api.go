package iam

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// apiRole reads its release and the credentials object, and keeps the pictures. Who only reads pictures
// would take the first of the two image policies alone.
func apiRole(args *Args) roleArgs {
	return roleArgs{
		Description: "API instances: their release, the credentials object, the pictures",
		Policies: []policy{
			sessionManager(),
			{"release", []Statement{
				{
					Sid: "ReadRelease", Effect: Allow,
					Actions:   []string{"s3:GetObject"},
					Resources: []pulumi.StringInput{pulumi.Sprintf("%s/releases/*/cinema", args.ArtifactsARN)},
				},
				{
					Sid: "ReadCredentials", Effect: Allow,
					Actions:   []string{"s3:GetObject"},
					Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s", args.ArtifactsARN, args.CredentialsKey)},
				},
				tellMissing(args.ArtifactsARN),
			}},
			{"read-images", []Statement{
				{
					Sid: "ReadPictures", Effect: Allow,
					Actions:   []string{"s3:GetObject"},
					Resources: []pulumi.StringInput{objects(args.ImagesARN, "orig/"), objects(args.ImagesARN, "thumb/")},
				},
				tellMissing(args.ImagesARN),
			}},
			{"write-images", []Statement{
				{
					Sid: "PutOriginals", Effect: Allow,
					Actions:   []string{"s3:PutObject"},
					Resources: []pulumi.StringInput{objects(args.ImagesARN, "orig/")},
				},
				{
					Sid: "DeletePictures", Effect: Allow,
					Actions:   []string{"s3:DeleteObject"},
					Resources: []pulumi.StringInput{objects(args.ImagesARN, "orig/"), objects(args.ImagesARN, "thumb/")},
				},
			}},
		},
	}
}

// tellMissing lets S3 answer 404 for an object that is not there: without leave to list, it answers 403,
// and "not there yet" cannot be told from "not allowed".
func tellMissing(bucketARN pulumi.StringInput) Statement {
	return Statement{
		Sid: "TellMissing", Effect: Allow,
		Actions:   []string{"s3:ListBucket"},
		Resources: []pulumi.StringInput{bucketARN},
	}
}
