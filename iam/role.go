package iam

import (
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// roleArgs describes a role that one AWS service assumes.
type roleArgs struct {
	// Service is the principal that assumes the role, e.g. ec2.amazonaws.com.
	Service string
	// Description says what the role is for.
	Description string
	// Policies are inline policies, each a RolePolicy of its own.
	Policies []policy
}

type policy struct {
	name       string
	statements []Statement
}

// role is a registered role with the policies that are attached to it.
type role struct {
	*awsiam.Role
	attached []pulumi.Resource
}

// newRole registers a role and its policies. Each inline policy is a resource, so that a review shows which one changes.
func newRole(s *component.Scope, name string, args roleArgs) (role, error) {
	created, err := awsiam.NewRole(s.Ctx, s.Name(name), &awsiam.RoleArgs{
		AssumeRolePolicy: Document(Statement{
			Effect:     Allow,
			Principals: Principals{"Service": Strings(args.Service)},
			Actions:    []string{"sts:AssumeRole"},
		}),
		Description: pulumi.String(args.Description),
		Tags:        s.Tags(s.Name(name)),
	}, s.Child())
	if err != nil {
		return role{}, err
	}
	r := role{Role: created}
	for _, p := range args.Policies {
		attached, err := awsiam.NewRolePolicy(s.Ctx, s.Name(name, p.name), &awsiam.RolePolicyArgs{
			Role:   r.Name,
			Policy: Document(p.statements...),
		}, s.Child())
		if err != nil {
			return role{}, err
		}
		r.attached = append(r.attached, attached)
	}
	return r, nil
}

// newInstanceRole registers a role for EC2 and its instance profile.
func newInstanceRole(s *component.Scope, name string, args roleArgs) (instanceRole, error) {
	args.Service = "ec2.amazonaws.com"
	r, err := newRole(s, name, args)
	if err != nil {
		return instanceRole{}, err
	}
	profile, err := awsiam.NewInstanceProfile(s.Ctx, s.Name(name), &awsiam.InstanceProfileArgs{
		Role: r.Name,
		Tags: s.Tags(s.Name(name)),
	}, s.Child())
	if err != nil {
		return instanceRole{}, err
	}
	// An instance must not boot before its role has all its policies.
	return instanceRole{arn: r.Arn, name: r.Name, profile: component.After(profile.Name, r.attached...)}, nil
}

// instanceRole is a role of instances.
type instanceRole struct {
	arn, name pulumi.StringOutput
	// profile is the instance profile's name; it resolves once the role's policies are attached.
	profile pulumi.StringOutput
}
