package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/place"
)

// Args are what New needs.
type Args struct {
	place.Place
	ArtifactsARN pulumi.StringInput
	ImagesARN    pulumi.StringInput
	// CredentialsKey is the credentials object's key in the artifacts bucket.
	CredentialsKey string
	// Protect keeps the encryption key from being destroyed.
	Protect bool
	// Tags go on everything that takes them.
	Tags map[string]string
}

// Roles are the instances' roles, and the key that two of them share an object through. A function's
// role is made with the function, by New…Role, because it is bound to the function's own log group.
type Roles struct {
	pulumi.ResourceState

	// The names of the instance profiles.
	BastionProfile  pulumi.StringOutput
	APIProfile      pulumi.StringOutput
	DatabaseProfile pulumi.StringOutput
	// APIRole is the name of the API instances' role.
	APIRole pulumi.StringOutput
	// CredentialsKeyARN is the KMS key of the credentials object.
	CredentialsKeyARN pulumi.StringOutput
}

// New registers the roles.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Roles, error) {
	r := &Roles{}
	err := component.New(ctx, "cinema:iam:Roles", name, r, args.Tags, func(s *component.Scope) error {
		bastion, err := newInstanceRole(ctx, s, "bastion", bastionRole(ctx, args.Place))
		if err != nil {
			return err
		}
		api, err := newInstanceRole(ctx, s, "api", apiRole(args))
		if err != nil {
			return err
		}
		database, err := newInstanceRole(ctx, s, "database", databaseRole(args))
		if err != nil {
			return err
		}
		key, err := newCredentialsKey(ctx, s, args, database.arn, api.arn)
		if err != nil {
			return err
		}
		r.BastionProfile, r.APIProfile, r.DatabaseProfile = bastion.profile, api.profile, database.profile
		r.APIRole, r.CredentialsKeyARN = api.name, key.Arn
		return nil
	}, opts...)
	return r, err
}
