package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
)

// databaseRole gets its policy from databaseArtifacts, after the key.
func databaseRole() roleArgs {
	return roleArgs{Description: "MongoDB host: its binary and server package, the credentials object, its status"}
}

// databaseArtifacts reads what the host installs, and writes the credentials object that the API waits for, under its key
// only, and the host's status. The host cannot read either object back: it keeps the credentials on the data volume.
func databaseArtifacts(args *Args, keyARN pulumi.StringInput) policy {
	return policy{"artifacts", []Statement{
		{
			Sid: "ReadReleaseAndPackage", Effect: Allow,
			Actions: []string{"s3:GetObject"},
			Resources: []pulumi.StringInput{
				object(args.ArtifactsARN, contract.ExecutableKey(contract.CinemaDB, "*")),
				objects(args.ArtifactsARN, contract.PackagesPrefix),
			},
		},
		{
			Sid: "WriteCredentials", Effect: Allow,
			Actions:   []string{"s3:PutObject"},
			Resources: []pulumi.StringInput{object(args.ArtifactsARN, contract.CredentialsKey)},
			Conditions: Conditions{"StringEquals": {
				"s3:x-amz-server-side-encryption-aws-kms-key-id": {keyARN},
			}},
		},
		{
			Sid: "WriteStatus", Effect: Allow,
			Actions:   []string{"s3:PutObject"},
			Resources: []pulumi.StringInput{object(args.ArtifactsARN, contract.StatusKey(contract.RoleDatabase))},
		},
		allowNotFound(args.ArtifactsARN),
	}}
}
