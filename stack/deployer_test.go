package stack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/iam/deployer"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/testutil/pulumitest"
)

const (
	managedPolicyType = "aws:iam/policy:Policy"
	attachmentType    = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
)

// environmentOf is where run deploys a stack.
func environmentOf(stack string) environment.Environment {
	e := pulumitest.Environment()
	e.Stack = stack
	return e
}

// fullName is a physical name in stack full.
func fullName(typ, logical string) string {
	return component.PhysicalName(environmentOf("full"), typ, logical)
}

func bucketOfFull(logical string) string { return "arn:aws:s3:::" + fullName(bucketType, logical) }

// attachedTo are the statements of the customer managed policies that are attached to a role of the deployer.
func attachedTo(t *testing.T, r *pulumitest.Recording, role string) []statement {
	t.Helper()
	policies := map[string]bool{}
	for _, a := range r.ByType(attachmentType) {
		if strings.HasPrefix(a.Name, role+"-") {
			policies[a.Text("policyArn")] = true
		}
	}
	require.NotEmpty(t, policies, "nothing is attached to %s", role)
	all := slices.DeleteFunc((&audit{Recording: r}).documents(), func(st statement) bool {
		return st.on.Type != managedPolicyType || !policies[st.on.State["arn"].StringValue()]
	})
	require.NotEmpty(t, all)
	return all
}

// deployTable holds the deployer's table by type.
func deployTable() map[string]deployer.Deployment {
	table := map[string]deployer.Deployment{}
	for _, d := range deployer.Deployments() {
		table[d.Type] = d
	}
	return table
}

// likeARN matches as IAM does: * is any characters, ? is one.
func likeARN(pattern, arn string) bool {
	quoted := regexp.QuoteMeta(pattern)
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted) + "$").MatchString(arn)
}

func (st statement) reaches(arn string) bool {
	return slices.ContainsFunc(st.resources, func(p string) bool { return likeARN(p, arn) })
}

// reads are the prefixes of the names of IAM actions that only read (Service Authorization Reference, access levels List
// and Read), and readExceptions the others.
var (
	reads          = []string{"Describe", "Get", "Head", "List"}
	readExceptions = map[string]string{"budgets:ViewBudget": "the Budgets API's only permission to read a budget"}
	// discloses are reads of data that the preview role must not have, with the resources where they are harmless: none
	// where nil.
	discloses = map[string]func(resource string) bool{
		"s3:GetObject": func(resource string) bool {
			return resource == bucketOfFull("storage-artifacts")+"/"+contract.ReleasesPrefix+"*" ||
				resource == bucketOfFull("storage-artifacts")+"/"+contract.MembersKey || resource == bucketOfFull("storage-artifacts")+"/"+contract.StatusPrefix+"*" ||
				resource == bucketOfFull("storage-site")+"/*" ||
				strings.Contains(resource, "/.pulumi/meta.yaml") || strings.Contains(resource, "/cinema/full") // the stack's own state, whose secrets are encrypted
		},
		"ssm:GetParameter": func(resource string) bool {
			return resource == "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/*" // AWS's own
		},
		"secretsmanager:GetSecretValue": nil, "sts:GetFederationToken": nil, "s3:GetObjectVersion": nil, "logs:GetLogEvents": nil,
		// User data is an attribute of an instance; TestPermissionsEndAtTheStack checks that only own ones are read. It is in
		// every version of a launch template too, and that action takes no resource (docs/security.md, "Known limits").
		"ec2:DescribeInstanceAttribute":      func(resource string) bool { return strings.HasSuffix(resource, ":instance/*") },
		"ec2:DescribeLaunchTemplateVersions": func(resource string) bool { return resource == "*" },
		"ec2:GetPasswordData":                nil, "ec2:GetConsoleOutput": nil, "ssm:GetParameters": nil, "ssm:GetParametersByPath": nil,
	}
)

// notARead returns why a statement allows more than reading, "" where it does not.
func notARead(st statement) string {
	if st.effect != "Allow" {
		return ""
	}
	if len(st.notActions) > 0 || len(st.notTargets) > 0 {
		return "it allows everything except something"
	}
	for _, action := range st.actions {
		service, name, ok := strings.Cut(action, ":")
		if !ok || service == "" || strings.ContainsAny(action, "*?") {
			return action + " is not a single action"
		}
		if readExceptions[action] == "" && !slices.ContainsFunc(reads, func(p string) bool { return strings.HasPrefix(name, p) }) {
			return action + " writes"
		}
		harmless, listed := discloses[action]
		for _, resource := range st.resources {
			if listed && (harmless == nil || !harmless(resource)) {
				return action + " on " + resource + " discloses"
			}
		}
	}
	return ""
}

func TestPreviewRoleOnlyReadsAndNoSecret(t *testing.T) {
	r := planned(t, "full", map[string]string{"cinema:deployer": `{"github":"example/cinema-database","stateBucket":"films-state"}`})
	for _, st := range attachedTo(t, r, "deployer-preview") {
		assert.Empty(t, notARead(st), "%s of %s", st.actions, st.on.Name)
	}
	for _, inline := range r.ByType(rolePolicy) {
		assert.False(t, strings.HasPrefix(inline.Name, "deployer-"), "%s is not checked", inline.Name)
	}
	for name, bad := range map[string]statement{
		"a write":         {effect: "Allow", actions: []string{"ec2:DescribeVpcs", "ec2:CreateVpc"}, resources: []string{"*"}},
		"a wildcard":      {effect: "Allow", actions: []string{"ec2:Describe*"}, resources: []string{"*"}},
		"everything":      {effect: "Allow", actions: []string{"*"}, resources: []string{"*"}},
		"all except":      {effect: "Allow", notActions: []string{"iam:PassRole"}, resources: []string{"*"}},
		"decrypting":      {effect: "Allow", actions: []string{"kms:Decrypt"}, resources: []string{"*"}},
		"the credentials": {effect: "Allow", actions: []string{"s3:GetObject"}, resources: []string{bucketOfFull("storage-artifacts") + "/*"}},
		"the images":      {effect: "Allow", actions: []string{"s3:GetObject"}, resources: []string{bucketOfFull("storage-images") + "/" + contract.OriginalsPrefix + "*"}},
		"a parameter":     {effect: "Allow", actions: []string{"ssm:GetParameter"}, resources: []string{"*"}},
		"invoking":        {effect: "Allow", actions: []string{"lambda:InvokeFunction"}, resources: []string{"*"}},
	} {
		assert.NotEmpty(t, notARead(bad), name)
	}
}

// inventoryTypes are the resource types of every stack's golden inventory.
func inventoryTypes(t *testing.T) []string {
	t.Helper()
	var types []string
	for _, name := range stacks {
		types = append(types, regexp.MustCompile(`(?m)^aws:\S+`).FindAllString(read(t, "stack/testdata/inventory."+name+".golden"), -1)...)
	}
	require.NotEmpty(t, types)
	// The budget is in no stack's config.
	r := planned(t, "full", map[string]string{"cinema:alarms": `{"monthlyBudget":300}`})
	for _, res := range r.Resources {
		if strings.HasPrefix(res.Type, "aws:") {
			types = append(types, res.Type)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

func TestDeployTableCoversEveryTypeOfEveryStack(t *testing.T) {
	types, table := inventoryTypes(t), deployTable()
	for _, typ := range types {
		d, ok := table[typ]
		if !assert.True(t, ok, "%s is in an inventory and not in deployTable: add what a deployment of it needs", typ) {
			continue
		}
		assert.True(t, len(d.Change) > 0 != (d.ByHand != ""), "%s: deployTable needs actions that change it, or the reason why it is changed by hand", typ)
		assert.True(t, len(d.Read) > 0 || typ == "aws:lambda/invocation:Invocation", "%s: no action reads it", typ)
	}
	for typ := range table {
		assert.Contains(t, types, typ, "%s: no stack has it: remove it from deployTable", typ)
	}
}

func TestEveryActionOfTheTableReachesTheDeployRole(t *testing.T) {
	r := planned(t, "full", nil)
	allowed := func(role string) (actions []string) {
		for _, st := range attachedTo(t, r, role) {
			if st.effect == "Allow" {
				actions = append(actions, st.actions...)
			}
		}
		return actions
	}
	deploy, preview := allowed("deployer-deploy"), allowed("deployer-preview")
	for _, d := range deployer.Deployments() {
		assert.Subset(t, deploy, slices.Concat(d.Read, d.Change), "the deploy role lacks actions on %s", d.Type)
		assert.Subset(t, preview, d.Read, "the preview role lacks actions on %s", d.Type)
	}
}

// TestDeployRoleReachesWhatTheStackNames compares the table's names with the names in the plan: the role cannot reach a
// component that is renamed.
func TestDeployRoleReachesWhatTheStackNames(t *testing.T) {
	table := deployTable()
	for name, opts := range map[string][]pulumitest.Option{
		"dev": nil, "prod": nil, "full": {pulumitest.Stack("cinema", strings.Repeat("long-Name_", 8))},
	} {
		r := planned(t, name, map[string]string{"cinema:deployer": `{"github":"example/cinema-database"}`, "cinema:alarms": `{"monthlyBudget":300}`}, opts...)
		statements := attachedTo(t, r, "deployer-deploy")
		checked := 0
		for _, res := range r.Resources {
			arn := as[string](res.State["arn"])
			if !res.Custom || arn == "" || res.Type == "aws:autoscaling/policy:Policy" || // AWS checks the group's ARN
				res.Type == "aws:cloudwatch/eventTarget:EventTarget" || // its ARN is the topic's
				table[res.Type].ByHand != "" || strings.HasPrefix(res.Name, "deployer-") {
				continue
			}
			service := strings.Split(arn, ":")[2]
			for kind, names := range map[string]*regexp.Regexp{
				"make":   regexp.MustCompile(`^(Create|Run|Allocate|Request|Put|Modify|Subscribe|SetTopic)`),
				"delete": regexp.MustCompile(`^([A-Za-z]*Delet|Terminate|Release|Unsubscribe|SetTopic|ModifyBudget$)`),
			} {
				checked++
				assert.True(t, slices.ContainsFunc(statements, func(st statement) bool {
					return st.effect == "Allow" && st.reaches(arn) && slices.ContainsFunc(st.actions, func(a string) bool {
						of, action, _ := strings.Cut(a, ":")
						return of == service && names.MatchString(action) && slices.Contains(table[res.Type].Change, a)
					})
				}), "%s: the deploy role cannot %s %s", name, kind, arn)
			}
		}
		assert.Greater(t, checked, 60)
	}
}

// Setting a group's launch template takes permission to tag what starts from it.
func TestDeployRoleMayTagWhatTheLaunchTemplateTags(t *testing.T) {
	r := planned(t, "full", nil)
	statements := attachedTo(t, r, "deployer-deploy")
	checked := 0
	for _, template := range r.ByType(templateType) {
		for _, spec := range template.Input("tagSpecifications").ArrayValue() {
			checked++
			kind := spec.ObjectValue()["resourceType"].StringValue()
			assert.True(t, slices.ContainsFunc(statements, func(st statement) bool {
				return st.effect == "Allow" && slices.Contains(st.actions, "ec2:CreateTags") &&
					strings.Contains(fmt.Sprint(st.conditions), "ec2:CreateAction") && strings.Contains(fmt.Sprint(st.conditions), "RunInstances") &&
					st.reaches("arn:aws:ec2:us-east-1:123456789012:"+kind+"/x-0123abc")
			}), "the deploy role cannot tag a new %s", kind)
		}
	}
	assert.GreaterOrEqual(t, checked, 3)
}

// TestDeployerReachesNoOtherStack holds the deployer's policies against the plan of a stack with almost the same name.
func TestDeployerReachesNoOtherStack(t *testing.T) {
	own := planned(t, "full", nil, pulumitest.Stack("cinema", "dev"))
	other := planned(t, "full", map[string]string{"cinema:alarms": `{"monthlyBudget":300}`}, pulumitest.Stack("cinema", "dev-2"))
	var patterns []string
	for _, st := range (&audit{Recording: own}).documents() {
		listsAll := !slices.ContainsFunc(st.actions, func(a string) bool { return !slices.Contains(accountWide, a) })
		if st.on.Type == managedPolicyType && st.effect == "Allow" && !listsAll {
			patterns = append(patterns, slices.DeleteFunc(slices.Clone(st.resources), func(p string) bool { return p == "*" })...)
		}
	}
	named := map[string]bool{}
	for _, res := range other.Resources {
		arn := as[string](res.State["arn"])
		if !strings.Contains(arn, environmentOf("dev-2").Suffix()) {
			continue
		}
		named[res.Type] = true
		for _, suffix := range []string{"", ":*", "/x"} {
			for _, p := range patterns {
				assert.False(t, likeARN(p, arn+suffix), "%s reaches %s", p, arn+suffix)
			}
		}
	}
	for _, typ := range []string{roleType, managedPolicyType, bucketType, functionType, scalingType, balancerType} {
		assert.True(t, named[typ], "no ARN of a %s names its stack", typ)
	}
	assert.Greater(t, len(named), 12)
}

func TestDeployRoleCannotExtendItself(t *testing.T) {
	r := planned(t, "full", nil)
	statements := attachedTo(t, r, "deployer-deploy")
	arn := func(kind, name string) string { return "arn:aws:iam::123456789012:" + kind + "/" + name }
	role := func(logical string) string { return arn("role", fullName(roleType, logical)) }
	policy := func(logical string) string { return arn("policy", fullName(managedPolicyType, logical)) }
	for _, c := range []struct{ action, resource string }{
		{"iam:PutRolePolicy", role("deployer-deploy")},
		{"iam:AttachRolePolicy", role("deployer-deploy")},
		{"iam:UpdateAssumeRolePolicy", role("deployer-preview")},
		{"iam:TagRole", role("deployer-deploy")},
		{"iam:CreatePolicyVersion", policy("deployer-boundary")},
		{"iam:SetDefaultPolicyVersion", policy("deployer-network")},
		{"iam:DeleteRolePermissionsBoundary", role("iam-api")},
		{"iam:CreateOpenIDConnectProvider", arn("oidc-provider", "evil.example")},
		{"iam:UpdateOpenIDConnectProviderThumbprint", arn("oidc-provider", "token.actions.githubusercontent.com")},
	} {
		assert.True(t, slices.ContainsFunc(statements, func(st statement) bool {
			return st.effect == "Deny" && len(st.conditions) == 0 && st.reaches(c.resource) &&
				slices.ContainsFunc(st.actions, func(p string) bool { return likeARN(p, c.action) })
		}), "nothing denies %s on %s", c.action, c.resource)
	}
	boundary, backupRole := policy("deployer-boundary"), []string{role("backup-role")}
	passable := append(backupRole, role("mirror-role"), role("thumbnailer-role"), role("network-flow-logs"), role("replica-role"),
		arn("role", component.PhysicalPattern(environmentOf("full"), roleType, "iam-")))
	for _, st := range statements {
		if st.effect != "Allow" {
			continue
		}
		for _, a := range st.actions {
			assert.NotContains(t, a, "*", "%s", st.on.Name)
			switch a {
			case "iam:PassRole":
				assert.NotEmpty(t, st.conditions["StringEquals"]["iam:PassedToService"], "%s can be passed to any service", st.resources)
				assert.Subset(t, passable, st.resources)
			case "iam:CreateRole", "iam:PutRolePolicy":
				assert.Equal(t, boundary, st.conditions["ArnEquals"]["iam:PermissionsBoundary"], "%s on roles without the boundary", a)
			case "iam:AttachRolePolicy":
				assert.Equal(t, boundary, st.conditions["ArnEquals"]["iam:PermissionsBoundary"], "%s on roles without the boundary", a)
				assert.Equal(t, backupRole, st.resources)
				assert.Equal(t, "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup", st.conditions["ArnEquals"]["iam:PolicyARN"])
			case "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateUser", "iam:CreateAccessKey", "iam:UpdateAssumeRolePolicy", "sts:AssumeRole":
				t.Errorf("%s is allowed", a)
			}
		}
	}
}

func TestRolesAreWithinTheBoundary(t *testing.T) {
	r := planned(t, "full", nil)
	boundary := the(t, r, managedPolicyType, "deployer-boundary")
	roles := map[string]bool{} // by physical name
	for _, role := range r.ByType(roleType) {
		if strings.HasPrefix(role.Name, "deployer-") {
			assert.Empty(t, role.Text("permissionsBoundary"), role.Name)
			continue
		}
		assert.Equal(t, boundary.State["arn"].StringValue(), role.Text("permissionsBoundary"), role.Name)
		roles[role.ID] = true
	}
	require.NotEmpty(t, roles)
	limit := slices.DeleteFunc((&audit{Recording: r}).documents(), func(st statement) bool { return st.on != boundary })
	for _, st := range (&audit{Recording: r}).documents() {
		uses := st.on.Type == rolePolicy && roles[st.on.Text("role")] || // or what a key allows a role
			st.on.Type == keyType && slices.ContainsFunc(st.principals, func(p string) bool { return strings.Contains(p, ":role/") })
		if !uses || st.effect != "Allow" {
			continue
		}
		for _, action := range st.actions {
			for _, resource := range st.resources {
				if st.on.Type == keyType { // in a key's policy, * is the key
					resource = st.on.State["arn"].StringValue()
				}
				assert.True(t, slices.ContainsFunc(limit, func(l statement) bool { return slices.Contains(l.actions, action) && l.reaches(resource) }),
					"%s: %s on %s is outside the boundary: add it to boundaryGrants", st.on.Name, action, resource)
			}
		}
	}
	for _, name := range []string{"dev", "prod"} { // without a deployer
		r := planned(t, name, nil)
		for _, role := range r.ByType(roleType) {
			assert.Empty(t, role.Text("permissionsBoundary"), role.Name)
		}
	}
}

func trustOf(t *testing.T, r *pulumitest.Recording, role string) map[string]any {
	t.Helper()
	var d struct{ Statement []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(the(t, r, roleType, role).Text("assumeRolePolicy")), &d))
	require.Len(t, d.Statement, 1)
	return d.Statement[0]
}

func TestDeployerTrustsTheRepositoryOnly(t *testing.T) {
	const host = "token.actions.githubusercontent.com:"
	r := planned(t, "full", map[string]string{
		"cinema:deployer": `{"github":"octocat@12/films@34","branch":"release/1","environment":"live"}`,
	})
	assert.Equal(t, map[string]any{
		"Effect":    "Allow",
		"Principal": map[string]any{"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
		"Action":    "sts:AssumeRoleWithWebIdentity",
		"Condition": map[string]any{"StringEquals": map[string]any{
			host + "aud": "sts.amazonaws.com", host + "repository": "octocat/films", host + "repository_id": "34",
			host + "sub": "repo:octocat@12/films@34:environment:live",
			host + "ref": "refs/heads/release/1", host + "environment": "live",
		}},
	}, trustOf(t, r, "deployer-deploy"))
	assert.Equal(t, map[string]any{"StringEquals": map[string]any{
		host + "aud": "sts.amazonaws.com", host + "repository": "octocat/films", host + "repository_id": "34",
		host + "sub": []any{"repo:octocat@12/films@34:pull_request", "repo:octocat@12/films@34:ref:refs/heads/release/1"},
	}}, trustOf(t, r, "deployer-preview")["Condition"])

	r = planned(t, "full", map[string]string{
		"cinema:deployer": `{"github":"octocat/films","provider":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}`,
	})
	assert.Empty(t, r.ByType("aws:iam/openIdConnectProvider:OpenIdConnectProvider"), "the account has a provider")
	trust := trustOf(t, r, "deployer-deploy")
	assert.Equal(t, map[string]any{"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}, trust["Principal"])
	assert.NotContains(t, trust["Condition"].(map[string]any)["StringEquals"], host+"repository_id")
	for export, role := range map[string]string{"previewRole": "deployer-preview", "deployRole": "deployer-deploy"} {
		assert.Contains(t, fmt.Sprint(r.Export(export)), ":role/"+fullName(roleType, role))
	}
}

func TestRefusesAnInvalidDeployer(t *testing.T) {
	r := run(t, "full", map[string]string{
		"cinema:deployer": `{"github":"owner","branch":"feature/*","environment":"*","provider":"token.actions","stateBucket":"s3://state"}`,
	})
	pulumitest.Refused(t, r,
		`cinema:deployer.github: "owner" is not a GitHub repository; write it as owner/name, or owner@id/name@id`,
		`cinema:deployer.branch: "feature/*" is not the name of one branch; write it like main, without refs/heads/ and without wildcards`,
		`cinema:deployer.environment: "*" is not an environment's name that a token can be matched by; write it like production`,
		`cinema:deployer.provider: "token.actions" is not the ARN of GitHub's OIDC provider; write it like arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com, or leave it out`,
		`cinema:deployer.stateBucket: "s3://state" is not a bucket's name; write the name alone, without s3:// and path`,
	)
	for _, github := range []string{"", "a/b/c", "owner/*", "-owner/name", "owner/name@12", "owner@12/name", "owner/..", "o:x/name"} {
		pulumitest.Refused(t, run(t, "full", map[string]string{"cinema:deployer": fmt.Sprintf(`{"github":%q}`, github)}), "cinema:deployer.github: ")
	}
}

// accountWide are the deployer's actions that take no resource; withoutARN are those of the running stack's roles.
var accountWide = []string{
	"acm:RequestCertificate", "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies", "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes",
	"autoscaling:DescribePolicies", "autoscaling:DescribeScalingActivities",
	"backup-storage:MountCapsule", "cloudfront:CreateDistribution", "cloudfront:CreateMonitoringSubscription", "cloudfront:CreateOriginAccessControl",
	"cloudfront:CreateResponseHeadersPolicy", "cloudfront:CreateVpcOrigin", "cloudfront:DeleteMonitoringSubscription", "cloudfront:GetMonitoringSubscription",
	"backup:CopyFromBackupVault", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricData", "ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute", "ec2:DescribeAvailabilityZones",
	"ec2:DescribeFlowLogs", "ec2:DescribeImages", "ec2:DescribeInstanceCreditSpecifications",
	"ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes", "ec2:DescribeInternetGateways", "ec2:DescribeLaunchTemplateVersions",
	"ec2:DescribeLaunchTemplates", "ec2:DescribeManagedPrefixLists", "ec2:DescribeNatGateways", "ec2:DescribeNetworkAcls", "ec2:DescribeNetworkInterfaces",
	"ec2:DescribePrefixLists", "ec2:DescribeRegions", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups",
	"ec2:DescribeSnapshots", "ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVolumes", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs",
	"ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListTasks", // the last on a condition
	"elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
	"elasticloadbalancing:DescribeListeners",
	"elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
	"elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
	"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth", "kms:CreateKey", "kms:ListAliases",
	"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy",
	"route53:CreateHostedZone", "route53:ListHostedZones", "route53:ListHostedZonesByName",
	"servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota", "tag:GetResources",
}
