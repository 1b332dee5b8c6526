package iam

import (
	"slices"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// roleArgs describes a role that one AWS service assumes.
type roleArgs struct {
	// Service is the principal that assumes the role, e.g. ec2.amazonaws.com.
	Service string
	// SourceARN is the pattern of the ARNs for which the service assumes the role; any of the account where empty.
	SourceARN string
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

// childName is a child's logical name. A role without a name has its component's.
func childName(s *component.Scope, parts ...string) string {
	return s.Name(slices.DeleteFunc(parts, func(p string) bool { return p == "" })...)
}

// newRole registers a role and its policies. Each inline policy is a resource, so that a review shows which one changes.
func newRole(s *component.Scope, name string, args roleArgs) (role, error) {
	// Not every service sends the keys; where one does, it must act for this account (IAM user guide, "The confused deputy
	// problem").
	conditions := Conditions{"StringEqualsIfExists": {"aws:SourceAccount": Strings(s.Env.Account)}}
	if args.SourceARN != "" {
		conditions["ArnLikeIfExists"] = map[string][]pulumi.StringInput{"aws:SourceArn": Strings(args.SourceARN)}
	}
	created, err := awsiam.NewRole(s.Ctx, childName(s, name), &awsiam.RoleArgs{
		AssumeRolePolicy: Document(Statement{
			Effect:     Allow,
			Principals: Principals{"Service": Strings(args.Service)},
			Actions:    []string{"sts:AssumeRole"},
			Conditions: conditions,
		}),
		Description: pulumi.String(args.Description),
		Tags:        s.Tags(childName(s, name)),
	}, s.Child())
	if err != nil {
		return role{}, err
	}
	r := role{Role: created}
	for _, p := range args.Policies {
		if err := r.attach(s, name, p); err != nil {
			return role{}, err
		}
	}
	return r, nil
}

// attach registers an inline policy of the role with that name.
func (r *role) attach(s *component.Scope, name string, p policy) error {
	attached, err := awsiam.NewRolePolicy(s.Ctx, childName(s, name, p.name), &awsiam.RolePolicyArgs{
		Role:   r.Name,
		Policy: Document(p.statements...),
	}, s.Child())
	if err != nil {
		return err
	}
	r.attached = append(r.attached, attached)
	return nil
}

// newInstanceRole registers a role that EC2 assumes.
func newInstanceRole(s *component.Scope, name string, args roleArgs) (role, error) {
	args.Service = "ec2.amazonaws.com"
	return newRole(s, name, args)
}

// profile registers the role's instance profile. Its name resolves once the role's policies are attached: an instance must
// not boot before.
func (r *role) profile(s *component.Scope, name string) (pulumi.StringOutput, error) {
	profile, err := awsiam.NewInstanceProfile(s.Ctx, childName(s, name), &awsiam.InstanceProfileArgs{
		Role: r.Name,
		Tags: s.Tags(childName(s, name)),
	}, s.Child())
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return component.After(profile.Name, r.attached...), nil
}
