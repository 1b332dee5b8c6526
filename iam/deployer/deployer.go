// Package deployer is the identity with which GitHub previews and deploys the stack: an OIDC provider, two roles, and
// the boundary of the roles that the deploy role creates.
package deployer

import (
	"fmt"
	"slices"
	"strings"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

const (
	githubHost = "token.actions.githubusercontent.com"
	// githubAudience is the audience of the tokens that aws-actions/configure-aws-credentials requests.
	githubAudience = "sts.amazonaws.com"
	// maxPolicyLength is in characters, of a customer managed policy; maxRolePolicies can be attached to a role (IAM user
	// guide, "IAM and AWS STS quotas").
	maxPolicyLength = 6144
	maxRolePolicies = 10
	// deploySeconds is how long a deployment's credentials are valid: an instance refresh and a new database host can take
	// more than an hour, IAM's default, which a preview keeps.
	deploySeconds = 2 * 60 * 60
)

// The two roles, by the ends of their logical names.
const (
	previewRole = "preview"
	deployRole  = "deploy"
)

var roleKinds = []string{previewRole, deployRole}

// Args are the stack that is deployed, and the repository that deploys it.
type Args struct {
	environment.Environment
	*Settings
	// RecordNames are IAM patterns of the names of the stack's DNS records, in lower case and without the last dot.
	RecordNames []string
	// Containers are the services in containers; nil for none.
	Containers *Containers
}

// Deployer is how a GitHub repository previews and deploys the stack, without long-lived keys.
type Deployer struct {
	pulumi.ResourceState

	// ProviderARN is GitHub's OIDC provider in the account.
	ProviderARN pulumi.StringOutput
	// PreviewRoleARN may only read; pull requests and the branch assume it.
	PreviewRoleARN pulumi.StringOutput
	// DeployRoleARN may change the stack's resources; the branch assumes it, in the environment.
	DeployRoleARN pulumi.StringOutput
	// BoundaryARN is the permissions boundary of the roles that the deploy role creates.
	BoundaryARN pulumi.StringOutput
	// PushRoleARN may push images to the stack's repositories; tags assume it. It is nil without services.
	PushRoleARN pulumi.StringInput

	// containerBoundary is the boundary of the roles of services and of their hosts; nil without services.
	containerBoundary pulumi.StringInput
}

type builder struct {
	*component.Scope
	args  *Args
	names names
	out   *Deployer
}

// New registers the provider, the two roles and their policies. The table in table.go is what the deploy role may do; it
// may not change anything that New registers.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Deployer, error) {
	problems := problem.In("deployer: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	env := args.Environment
	env.Tags = nil // a change of the stack's tags must not touch what only an administrator may change
	n := names{Environment: env, component: name, records: args.RecordNames, containers: args.Containers}
	policies, err := renderPolicies(n, args.Settings)
	if err != nil {
		return nil, err
	}
	trusts, err := renderTrusts(n, args.Settings)
	if err != nil {
		return nil, err
	}
	if err := checkDeployed(ctx, n, policies, trusts); err != nil {
		return nil, err
	}
	d := &Deployer{}
	err = component.New(ctx, env, "cinema:iam:Deployer", name, d, func(s *component.Scope) error {
		b := &builder{Scope: s, args: args, names: n, out: d}
		if err := b.findProvider(); err != nil {
			return err
		}
		boundary, err := b.createPolicy(policies.boundary)
		if err != nil {
			return err
		}
		read, err := b.createPolicies(policies.read)
		if err != nil {
			return err
		}
		change, err := b.createPolicies(policies.change)
		if err != nil {
			return err
		}
		preview, err := b.createRole(previewRole, roleArgs{
			description: "Previews the stack: reads, and no secret",
			trust:       previewTrust(args.Settings), policies: read, inline: policies.inline[previewRole],
		})
		if err != nil {
			return err
		}
		deploy, err := b.createRole(deployRole, roleArgs{
			description: "Deploys the stack from its branch, in its environment",
			trust:       deployTrust(args.Settings), policies: slices.Concat(read, change), inline: policies.inline[deployRole],
			maxSession: pulumi.Int(deploySeconds),
		})
		if err != nil {
			return err
		}
		d.PreviewRoleARN, d.DeployRoleARN, d.BoundaryARN = preview, deploy, boundary.Arn
		if !args.Containers.On() {
			return nil
		}
		containers, err := b.createPolicy(*policies.containerBoundary)
		if err != nil {
			return err
		}
		d.containerBoundary = containers.Arn
		d.PushRoleARN, err = b.createRole(pushRole, roleArgs{
			description: "Pushes images from tags of the repository",
			trust:       pushTrust(args.Settings), inline: policies.inline[pushRole],
		})
		return err
	}, opts...)
	return d, err
}

// Bound sets the deployer's boundary on every role that is registered after it, so that the deploy role cannot create a
// role that may do more than the stack's own. The roles of services and of their hosts have one of their own.
func (d *Deployer) Bound(ctx *pulumi.Context) error {
	return ctx.RegisterStackTransformation(func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		role, ok := args.Props.(*awsiam.RoleArgs)
		if !ok {
			return nil
		}
		bounded := *role
		bounded.PermissionsBoundary = d.BoundaryARN
		if d.containerBoundary != nil && (strings.HasPrefix(args.Name, "iam-service-") || args.Name == "iam-container-hosts") {
			bounded.PermissionsBoundary = d.containerBoundary.ToStringOutput()
		}
		return &pulumi.ResourceTransformationResult{Props: &bounded, Opts: args.Opts}
	})
}

// findProvider sets the account's provider for GitHub, and creates it where config names none. AWS trusts GitHub's
// certificate by the authority that signed it, so no thumbprint is pinned (IAM user guide, "Obtain the thumbprint for an
// OIDC provider").
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

// previewTrust trusts the repository's pull requests and its branch. GitHub issues no token to a pull request from a
// fork.
func previewTrust(s *Settings) iam.Conditions {
	return iam.Conditions{"StringEquals": s.claims(map[string][]pulumi.StringInput{
		"sub": iam.Strings(s.subject("pull_request"), s.subject("ref:refs/heads/"+s.Branch)),
	})}
}

// deployTrust trusts the environment, and in it only the branch: a token's subject names one of the two, so a claim of
// its own is required for each (IAM user guide, "Available keys for AWS OIDC federation": GitHub's ref, environment,
// repository and repository_id).
func deployTrust(s *Settings) iam.Conditions {
	return iam.Conditions{"StringEquals": s.claims(map[string][]pulumi.StringInput{
		"sub":         iam.Strings(s.subject("environment:" + s.Environment)),
		"ref":         iam.Strings("refs/heads/" + s.Branch),
		"environment": iam.Strings(s.Environment),
	})}
}

func (s *Settings) subject(of string) string { return "repo:" + s.GitHub + ":" + of }

// claims are conditions on a token's claims, with those of both roles added.
func (s *Settings) claims(of map[string][]pulumi.StringInput) map[string][]pulumi.StringInput {
	of["aud"] = iam.Strings(githubAudience)
	of["repository"] = iam.Strings(s.repository())
	if id := s.repositoryID(); id != "" {
		of["repository_id"] = iam.Strings(id)
	}
	keyed := map[string][]pulumi.StringInput{}
	for claim, values := range of {
		keyed[githubHost+":"+claim] = values
	}
	return keyed
}

// trust lets GitHub's tokens with those claims assume a role.
func trust(provider pulumi.StringInput, claims iam.Conditions) iam.Statement {
	return iam.Statement{
		Effect:     iam.Allow,
		Principals: iam.Principals{"Federated": {provider}},
		Actions:    []string{"sts:AssumeRoleWithWebIdentity"},
		Conditions: claims,
	}
}

// renderTrusts renders the roles' trust policies by kind, with the provider's ARN as AWS makes it.
func renderTrusts(n names, s *Settings) (map[string]string, error) {
	provider := s.Provider
	if provider == "" {
		provider = "arn:" + n.Partition + ":iam::" + n.Account + ":oidc-provider/" + githubHost
	}
	trusts := map[string]string{}
	conditions := map[string]iam.Conditions{previewRole: previewTrust(s), deployRole: deployTrust(s)}
	if n.containers.On() {
		conditions[pushRole] = pushTrust(s)
	}
	for kind, claims := range conditions {
		document, err := iam.Literal(trust(pulumi.String(provider), claims))
		if err != nil {
			return nil, err
		}
		trusts[kind] = document
	}
	return trusts, nil
}

func (b *builder) createPolicy(p managedPolicy) (*awsiam.Policy, error) {
	name := b.Name(p.name)
	return awsiam.NewPolicy(b.Ctx, name, &awsiam.PolicyArgs{
		Description: pulumi.String(p.description),
		Policy:      pulumi.String(p.document),
		Tags:        b.Tags(name),
	}, b.Child())
}

// namedPolicy is a registered policy, with its name below the deployer's.
type namedPolicy struct {
	*awsiam.Policy
	name string
}

func (b *builder) createPolicies(documents []managedPolicy) ([]namedPolicy, error) {
	var created []namedPolicy
	for _, document := range documents {
		policy, err := b.createPolicy(document)
		if err != nil {
			return nil, err
		}
		created = append(created, namedPolicy{policy, document.name})
	}
	return created, nil
}

type roleArgs struct {
	description string
	trust       iam.Conditions
	policies    []namedPolicy
	// inline policies; none without services.
	inline []managedPolicy
	// maxSession is how long credentials are valid, in seconds; nil for IAM's default.
	maxSession pulumi.IntPtrInput
}

// createRole returns the role's ARN, which resolves once its policies are attached.
func (b *builder) createRole(kind string, args roleArgs) (pulumi.StringOutput, error) {
	name := b.Name(kind)
	tags := map[string]string{}
	if digest := inlineDigest(args.inline); digest != "" {
		tags[inlineTag] = digest
	}
	role, err := awsiam.NewRole(b.Ctx, name, &awsiam.RoleArgs{
		AssumeRolePolicy:   iam.Document(trust(b.out.ProviderARN, args.trust)),
		Description:        pulumi.String(args.description),
		MaxSessionDuration: args.maxSession,
		Tags:               b.Tags(name, tags),
	}, b.Child())
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	var attached []pulumi.Resource
	for _, policy := range args.policies {
		attachment, err := awsiam.NewRolePolicyAttachment(b.Ctx, b.Name(kind, policy.name), &awsiam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: policy.Arn,
		}, b.Child())
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		attached = append(attached, attachment)
	}
	for _, policy := range args.inline {
		inline, err := awsiam.NewRolePolicy(b.Ctx, b.Name(kind, policy.name), &awsiam.RolePolicyArgs{
			Role:   role.Name,
			Policy: pulumi.String(policy.document),
		}, b.Child())
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		attached = append(attached, inline)
	}
	return component.After(role.Arn, attached...), nil
}

// managedPolicy is a customer managed policy, or an inline policy of a role.
type managedPolicy struct{ name, description, document string }

// policies are the roles' policies: read for both, change for the deploy role, and the boundary of the roles that it
// creates. What services need is inline, by the kind of role; containerBoundary is nil without services.
type policies struct {
	read, change      []managedPolicy
	boundary          managedPolicy
	inline            map[string][]managedPolicy
	containerBoundary *managedPolicy
}

// renderPolicy renders a document, and adds a problem where IAM would refuse it.
func renderPolicy(problems *problem.List, name, description string, statements []iam.Statement, limit int) managedPolicy {
	document, err := iam.Literal(statements...)
	if err != nil {
		problems.Add("policy", name, err.Error(), "correct table.go")
	}
	if len(document) > limit {
		fix := "move some of its types to another part in table.go"
		if name == containerBoundaryName {
			fix = fewerSecrets
		}
		problems.Add("policy", name, fmt.Sprintf("is %d characters long, and IAM takes %d", len(document), limit), fix)
	}
	return managedPolicy{name, description, document}
}

// renderPolicies renders every document, and returns an error for those that IAM would refuse.
func renderPolicies(n names, s *Settings) (policies, error) {
	problems := problem.In("deployer: ")
	render := func(name, description string, statements []iam.Statement) managedPolicy {
		return renderPolicy(problems, name, description, statements, maxPolicyLength)
	}
	var p policies
	for _, part := range policyParts {
		if statements := readStatements(n, part, s); len(statements) > 0 {
			p.read = append(p.read, render("read-"+string(part), "Reads the stack: "+string(part), statements))
		}
		if statements := changeStatements(n, part, s); len(statements) > 0 {
			p.change = append(p.change, render(string(part), "Deploys the stack: "+string(part), statements))
		}
	}
	p.boundary = render("boundary", "The permissions boundary of the roles that the deploy role creates", mergeGrants(n, boundaryGrants))
	if count := len(p.read) + len(p.change); count > maxRolePolicies {
		problems.Add("policies", count, fmt.Sprintf("are more than the %d that a role takes", maxRolePolicies), "merge parts in table.go")
	}
	p.inline, p.containerBoundary = inlinePolicies(n, problems), containerBoundary(n, problems)
	return p, problems.Err()
}
