package iam

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// databaseRole reads what the host installs and writes the one object that the API waits for. It
// cannot read that object back: the host's own copy is on its data volume.
func databaseRole(args *Args) roleArgs {
	return roleArgs{
		Description: "MongoDB host: its release and server package, the credentials object",
		Policies: []policy{{"artifacts", []Statement{
			{
				Sid: "ReadReleaseAndPackage", Effect: Allow,
				Actions: []string{"s3:GetObject"},
				Resources: []pulumi.StringInput{
					pulumi.Sprintf("%s/releases/*/cinema-db", args.ArtifactsARN),
					objects(args.ArtifactsARN, "packages/"),
				},
			},
			{
				Sid: "WriteCredentials", Effect: Allow,
				Actions:   []string{"s3:PutObject"},
				Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s", args.ArtifactsARN, args.CredentialsKey)},
			},
			tellMissing(args.ArtifactsARN),
		}}},
	}
}
