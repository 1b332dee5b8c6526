package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
)

// databaseRole reads what the host installs, and writes the credentials object that the API waits for and the host's
// status. It cannot read either object back: the host keeps the credentials on the data volume.
func databaseRole(args *Args) roleArgs {
	return roleArgs{
		Description: "MongoDB host: its binary and server package, the credentials object, its status",
		Policies: []policy{{"artifacts", []Statement{
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
			},
			{
				Sid: "WriteStatus", Effect: Allow,
				Actions:   []string{"s3:PutObject"},
				Resources: []pulumi.StringInput{object(args.ArtifactsARN, contract.StatusKey(contract.RoleDatabase))},
			},
			allowNotFound(args.ArtifactsARN),
		}}},
	}
}
