package deployer

import (
	"fmt"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

const (
	githubHost = "token.actions.githubusercontent.com"
	// githubAudience is what aws-actions/configure-aws-credentials asks tokens for.
	githubAudience = "sts.amazonaws.com"
	// maxPolicyLength of a customer managed policy, characters, and maxRolePolicies that a role takes (IAM
	// user guide, "IAM and AWS STS quotas").
	maxPolicyLength = 6144
	maxRolePolicies = 10
	// deploySeconds that a deployment's credentials last: an instance refresh and a database host take a
	// while. A preview keeps IAM's default of an hour.
	deploySeconds = 2 * 60 * 60
)

// Args are the surroundings of the stack that is deployed, and who deploys it.
type Args struct {
	environment.Environment
	*Settings
}

// Deployer is how a GitHub repository previews and deploys the stack, without long-lived keys.
type Deployer struct {
	pulumi.ResourceState

	// ProviderARN is GitHub's OIDC provider in the account.
	ProviderARN pulumi.StringOutput
	// PreviewRoleARN may look; pull requests and the branch take it on.
	PreviewRoleARN pulumi.StringOutput
	// DeployRoleARN may change what the stack holds; the branch takes it on, in the environment.
	DeployRoleARN pulumi.StringOutput
	// BoundaryARN is the most that a role which the deploy role makes may do.
	BoundaryARN pulumi.StringOutput
}

type builder struct {
	*component.Scope
	args  *Args
	names names
	out   *Deployer
}

// New registers the provider, the two roles and their policies. What the deploy role may do is the
// table in table.go; it may not change anything that New registers.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Deployer, error) {
	problems := problem.In("iam: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	n := names{Environment: args.Environment, component: name}
	policies, err := renderPolicies(n, args.Settings)
	if err != nil {
		return nil, err
	}
	d := &Deployer{}
	err = component.New(ctx, args.Environment, "cinema:iam:Deployer", name, d, func(s *component.Scope) error {
		b := &builder{Scope: s, args: args, names: n, out: d}
		if err := b.findProvider(); err != nil {
			return err
		}
		boundary, err := b.createPolicy(policies.boundary)
		if err != nil {
			return err
		}
		var read, change []*awsiam.Policy
		for _, of := range []struct {
			documents []managedPolicy
			into      *[]*awsiam.Policy
		}{{policies.read, &read}, {policies.change, &change}} {
			for _, document := range of.documents {
				policy, err := b.createPolicy(document)
				if err != nil {
					return err
				}
				*of.into = append(*of.into, policy)
			}
		}
		preview, err := b.createRole("preview", "Previews the stack: reads, and no secret", 0, b.previewTrust(), policies.read, read)
		if err != nil {
			return err
		}
		deploy, err := b.createRole("deploy", "Deploys the stack from its branch, in its environment", deploySeconds, b.deployTrust(),
			append(policies.read[:len(policies.read):len(policies.read)], policies.change...),
			append(read[:len(read):len(read)], change...))
		if err != nil {
			return err
		}
		d.PreviewRoleARN, d.DeployRoleARN, d.BoundaryARN = preview, deploy, boundary.Arn
		return nil
	}, opts...)
	return d, err
}

// Bound makes the deployer's boundary the limit of every role that is registered from here on, so that
// who may make roles cannot make one that does more than the stack's own do.
func (d *Deployer) Bound(ctx *pulumi.Context) error {
	return ctx.RegisterStackTransformation(func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		role, ok := args.Props.(*awsiam.RoleArgs)
		if !ok || unboundedRoles[args.Name] {
			return nil
		}
		bounded := *role
		bounded.PermissionsBoundary = d.BoundaryARN
		return &pulumi.ResourceTransformationResult{Props: &bounded, Opts: args.Opts}
	})
}

// unbounded are the roles that carry an AWS managed policy and nothing else: the deploy role may attach
// that one policy to them, and write none.
var unboundedRoles = map[string]bool{"backup-role": true}

// findProvider is the account's provider for GitHub. AWS trusts its certificate by the authority that
// signed it, so no thumbprint is pinned (IAM user guide, "Obtain the thumbprint for an OIDC provider").
func (b *builder) findProvider() error {
	if b.args.Provider != "" {
		b.out.ProviderARN = pulumi.String(b.args.Provider).ToStringOutput()
		return nil
	}
	name := b.Name("github")
	provider, err := awsiam.NewOpenIdConnectProvider(b.Ctx, name, &awsiam.OpenIdConnectProviderArgs{
		Url:           pulumi.String("https://" + githubHost),
		ClientIdLists: pulumi.ToStringArray([]string{githubAudience}),
		Tags:          b.Tags(name),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.ProviderARN = provider.Arn
	return nil
}

// mayPreview trusts the repository's pull requests and its branch. GitHub gives no token to a pull request
// from a fork.
func (b *builder) previewTrust() iam.Conditions {
	return iam.Conditions{"StringEquals": b.claims(map[string][]pulumi.StringInput{
		"sub": iam.Strings(b.subject("pull_request"), b.subject("ref:refs/heads/"+b.args.Branch)),
	})}
}

// mayDeploy trusts the environment, and in it only the branch: a token's subject names one of the two, so
// both are asked for by claims of their own (IAM user guide, "Available keys for AWS OIDC federation":
// GitHub's ref, environment, repository and repository_id).
func (b *builder) deployTrust() iam.Conditions {
	return iam.Conditions{"StringEquals": b.claims(map[string][]pulumi.StringInput{
		"sub":         iam.Strings(b.subject("environment:" + b.args.Settings.Environment)),
		"ref":         iam.Strings("refs/heads/" + b.args.Branch),
		"environment": iam.Strings(b.args.Settings.Environment),
	})}
}

func (b *builder) subject(of string) string { return "repo:" + b.args.GitHub + ":" + of }

// claims are conditions on a token's claims, with those that hold for both roles.
func (b *builder) claims(of map[string][]pulumi.StringInput) map[string][]pulumi.StringInput {
	of["aud"] = iam.Strings(githubAudience)
	of["repository"] = iam.Strings(b.args.repository())
	if id := b.args.repositoryID(); id != "" {
		of["repository_id"] = iam.Strings(id)
	}
	keyed := map[string][]pulumi.StringInput{}
	for claim, values := range of {
		keyed[githubHost+":"+claim] = values
	}
	return keyed
}

func (b *builder) createPolicy(p managedPolicy) (*awsiam.Policy, error) {
	name := b.Name(p.name)
	return awsiam.NewPolicy(b.Ctx, name, &awsiam.PolicyArgs{
		Description: pulumi.String(p.description),
		Policy:      pulumi.String(p.document),
		Tags:        b.Tags(name),
	}, b.Child())
}

// createRole returns the role's ARN once its policies are attached.
func (b *builder) createRole(kind, description string, seconds int, trust iam.Conditions, named []managedPolicy,
	policies []*awsiam.Policy,
) (pulumi.StringOutput, error) {
	name := b.Name(kind)
	args := &awsiam.RoleArgs{
		AssumeRolePolicy: iam.Document(iam.Statement{
			Effect:     iam.Allow,
			Principals: iam.Principals{"Federated": {b.out.ProviderARN}},
			Actions:    []string{"sts:AssumeRoleWithWebIdentity"},
			Conditions: trust,
		}),
		Description: pulumi.String(description),
		Tags:        b.Tags(name),
	}
	if seconds > 0 {
		args.MaxSessionDuration = pulumi.Int(seconds)
	}
	role, err := awsiam.NewRole(b.Ctx, name, args, b.Child())
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	var attached []pulumi.Resource
	for i, p := range policies {
		a, err := awsiam.NewRolePolicyAttachment(b.Ctx, b.Name(kind, named[i].name), &awsiam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: p.Arn,
		}, b.Child())
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		attached = append(attached, a)
	}
	return component.After(role.Arn, attached...), nil
}

// managedPolicy is a customer managed policy's name and document.
type managedPolicy struct{ name, description, document string }

// documents are the roles' policies: read for both, change for the deploy role, and the boundary
// of the roles that it makes.
type documents struct {
	read, change []managedPolicy
	boundary     managedPolicy
}

// renderPolicies renders every document, and refuses one that IAM would not take.
func renderPolicies(n names, s *Settings) (documents, error) {
	problems := problem.In("iam: deployer ")
	render := func(name, description string, statements []iam.Statement) managedPolicy {
		document, err := iam.Literal(statements...)
		if err != nil {
			problems.Add("policy", name, err.Error(), "correct table.go")
		}
		if len(document) > maxPolicyLength {
			problems.Add("policy", name, fmt.Sprintf("is %d characters long, and IAM takes %d", len(document), maxPolicyLength),
				"move some of its types to another part in table.go")
		}
		return managedPolicy{name, description, document}
	}
	var d documents
	for _, part := range policyParts {
		if statements := readStatements(n, part, s); len(statements) > 0 {
			d.read = append(d.read, render("read-"+string(part), "Reads what the stack holds: "+string(part), statements))
		}
		if statements := changeStatements(n, part, s); len(statements) > 0 {
			d.change = append(d.change, render(string(part), "Deploys the stack: "+string(part), statements))
		}
	}
	d.boundary = render("boundary", "The most that a role which the deploy role makes may do", mergeGrants(n, boundaryGrants))
	if count := len(d.read) + len(d.change); count > maxRolePolicies {
		problems.Add("policies", count, fmt.Sprintf("are more than the %d that a role takes", maxRolePolicies), "merge parts in table.go")
	}
	return d, problems.Err()
}
