package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
)

// databaseRole gets its policy from databaseArtifacts, after the key.
func databaseRole() roleArgs {
	return roleArgs{Description: "MongoDB host: its binary and server package, the credentials object, its status"}
}

// databaseArtifacts reads what a host installs and the list of members, reads and writes the cluster's secrets, and writes
// the credentials object that the API waits for, both under their key only, and the host's own reports. It cannot read the
// credentials or a report back.
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
			Sid: "ReadMembersAndSecrets", Effect: Allow,
			Actions: []string{"s3:GetObject"},
			Resources: []pulumi.StringInput{
				object(args.ArtifactsARN, contract.MembersKey),
				object(args.ArtifactsARN, contract.SecretsKey),
			},
		},
		{
			Sid: "WriteCredentials", Effect: Allow,
			Actions: []string{"s3:PutObject"},
			Resources: []pulumi.StringInput{
				object(args.ArtifactsARN, contract.CredentialsKey),
				object(args.ArtifactsARN, contract.SecretsKey),
			},
			Conditions: Conditions{"StringEquals": {
				"s3:x-amz-server-side-encryption-aws-kms-key-id": {keyARN},
			}},
		},
		{
			Sid: "WriteStatus", Effect: Allow,
			Actions:   []string{"s3:PutObject"},
			Resources: []pulumi.StringInput{object(args.ArtifactsARN, contract.StatusKey(contract.DatabaseRole("*")))},
		},
		allowNotFound(args.ArtifactsARN),
	}}
}
