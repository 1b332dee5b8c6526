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
	// DatabaseServices are the names of the services whose tasks read the credentials object.
	DatabaseServices []string
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
	// CredentialsKeyARN is the KMS key of the credentials object and of the cluster's secrets.
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
		database, err := newInstanceRole(s, "database", databaseRole())
		if err != nil {
			return err
		}
		// The key's policy names the roles, and the database role's policy the key.
		key, err := newCredentialsKey(s, args, database.Arn, api.Arn)
		if err != nil {
			return err
		}
		if err := database.attach(s, "database", databaseArtifacts(args, key.Arn)); err != nil {
			return err
		}
		r.APIRole, r.CredentialsKeyARN = api.Name, key.Arn
		if r.BastionProfile, err = bastion.profile(s, "bastion"); err != nil {
			return err
		}
		if r.APIProfile, err = api.profile(s, "api"); err != nil {
			return err
		}
		if r.DatabaseProfile, err = database.profile(s, "database"); err != nil {
			return err
		}
		return nil
	}, opts...)
	return r, err
}
