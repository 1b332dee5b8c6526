package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// Args are the surroundings and the buckets that the roles reach.
type Args struct {
	environment.Environment
	ArtifactsARN pulumi.StringInput
	ImagesARN    pulumi.StringInput
}

// Roles are the instances' roles, and the key of the object that two of them share. A function's role is made with the
// function, by New…Role, because it is bound to the function's log group.
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
	err := component.New(ctx, args.Environment, "cinema:iam:Roles", name, r, func(s *component.Scope) error {
		bastion, err := newInstanceRole(s, "bastion", bastionRole(args.Environment))
		if err != nil {
			return err
		}
		api, err := newInstanceRole(s, "api", apiRole(args))
		if err != nil {
			return err
		}
		database, err := newInstanceRole(s, "database", databaseRole(args))
		if err != nil {
			return err
		}
		key, err := newCredentialsKey(s, args, database.arn, api.arn)
		if err != nil {
			return err
		}
		r.BastionProfile, r.APIProfile, r.DatabaseProfile = bastion.profile, api.profile, database.profile
		r.APIRole, r.CredentialsKeyARN = api.name, key.Arn
		return nil
	}, opts...)
	return r, err
}
