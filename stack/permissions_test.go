package stack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/testutil/pulumitest"
)

// request is one call as IAM evaluates it: an action, a resource's ARN, and the values of condition keys.
type request struct {
	action, resource string
	keys             map[string]string
}

// with returns the request with further condition keys.
func (r request) with(keys ...map[string]string) request {
	all := maps.Clone(r.keys)
	if all == nil {
		all = map[string]string{}
	}
	for _, k := range keys {
		maps.Copy(all, k)
	}
	return request{r.action, r.resource, all}
}

func (r request) String() string { return fmt.Sprint(r.action, " on ", r.resource, " ", r.keys) }

// tagKeys are the stack's two tags as condition keys: of the request ("Request") or of the resource ("Resource").
func tagKeys(of, stack string) map[string]string {
	return map[string]string{"aws:" + of + "Tag/Project": "cinema", "aws:" + of + "Tag/Stack": stack}
}

func nameKey(of, name string) map[string]string {
	return map[string]string{"aws:" + of + "Tag/Name": name}
}

// holds evaluates a condition block (IAM user guide, "IAM JSON policy elements: Condition operators"): every key of every
// operator must match one of its values. An operator that it does not know ends the test.
func holds(t *testing.T, conditions map[string]map[string]any, keys map[string]string) bool {
	t.Helper()
	for operator, block := range conditions {
		for key, values := range block {
			value, present := keys[key]
			some := func(match func(want, got string) bool) bool {
				return slices.ContainsFunc(words(values), func(want string) bool { return match(want, value) })
			}
			equal := func(a, b string) bool { return a == b }
			var ok bool
			switch operator {
			case "StringEquals", "ArnEquals", "Bool":
				ok = present && some(equal)
			case "StringEqualsIfExists", "BoolIfExists":
				ok = !present || some(equal)
			case "StringNotEquals":
				ok = !present || !some(equal)
			case "StringLike", "ArnLike":
				ok = present && some(likeARN)
			case "ArnLikeIfExists":
				ok = !present || some(likeARN)
			case "ForAllValues:StringLike": // of one value here
				ok = !present || some(likeARN)
			case "Null":
				ok = some(func(want, _ string) bool { return want == fmt.Sprint(!present) })
			default:
				t.Fatalf("unknown operator %s", operator)
			}
			if !ok {
				return false
			}
		}
	}
	return true
}

// may tells whether statements allow a request: one allows it, and none denies it.
func may(t *testing.T, statements []statement, r request) bool {
	t.Helper()
	applies := func(effect string) bool {
		return slices.ContainsFunc(statements, func(st statement) bool {
			return st.effect == effect && st.reaches(r.resource) &&
				slices.ContainsFunc(st.actions, func(p string) bool { return likeARN(p, r.action) }) && holds(t, st.conditions, r.keys)
		})
	}
	return applies("Allow") && !applies("Deny")
}

// TestPermissionsEndAtTheStack has pairs of requests for each way to get further than the stack: one that a deployment
// needs, and the same one just outside, which only one protection refuses.
func TestPermissionsEndAtTheStack(t *testing.T) {
	r := planned(t, "full", map[string]string{
		"cinema:deployer": `{"github":"example/cinema-database","stateBucket":"films-state"}`,
		"cinema:domain":   `{"zone":"example.com","hosts":[{"name":"cinema.example.com","service":"api"}]}`,
	})
	deploy, preview := attachedTo(t, r, "deployer-deploy"), attachedTo(t, r, "deployer-preview")
	statements := func(logical string) []statement {
		of := slices.DeleteFunc((&audit{Recording: r}).documents(), func(st statement) bool { return st.on.Name != logical })
		require.NotEmpty(t, of, logical)
		return of
	}
	boundary, database := statements("deployer-boundary"), statements("iam-database-artifacts")
	// Names are the plan's, so that the policies follow a resource that is renamed.
	nameOf := func(typ, logical string) string { return the(t, r, typ, logical).Text("tags.Name") }
	certificate, plan := nameOf("aws:acm/certificate:Certificate", "domain-certificate"), nameOf("aws:backup/plan:Plan", "backup-daily")
	defaultGroup, apiGroup := nameOf("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "network-default"), nameOf("aws:ec2/securityGroup:SecurityGroup", "network-api")

	const distribution = "arn:aws:cloudfront::123456789012:distribution/E0"
	edgeName := nameOf(distributionType, "edge-distribution")
	own, asked, foreign := tagKeys("Resource", "full"), tagKeys("Request", "full"), tagKeys("Resource", "full-2")
	keys := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	role := func(logical string) string { return "arn:aws:iam::123456789012:role/" + fullName(roleType, logical) }
	ec2 := func(kind string) string { return "arn:aws:ec2:us-east-1:123456789012:" + kind + "/x-0123abc" }
	regional := func(service, id string) string { return "arn:aws:" + service + ":us-east-1:123456789012:" + id }
	group := regional("autoscaling", "autoScalingGroup:id:autoScalingGroupName/"+fullName(scalingType, "api-group"))
	bounded := keys("iam:PermissionsBoundary", "arn:aws:iam::123456789012:policy/"+fullName(managedPolicyType, "deployer-boundary"))
	backupPolicy := keys("iam:PolicyARN", "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup")
	claimed, other := nameKey("Resource", defaultGroup), nameKey("Resource", apiGroup)
	snapshot, key, zone := "arn:aws:ec2:us-east-1::snapshot/snap-0123abc", regional("kms", "key/x"), "arn:aws:route53:::hostedzone/Z0"
	records := func(name string) map[string]string {
		return keys("route53:ChangeResourceRecordSetsNormalizedRecordNames", name)
	}
	here, elsewhere := keys("aws:ResourceAccount", "123456789012"), keys("aws:ResourceAccount", "999999999999")
	state := func(path string) string { return "arn:aws:s3:::films-state/.pulumi/" + path }
	credentials := bucketOfFull("storage-artifacts") + "/" + contract.CredentialsKey
	credentialsKey := the(t, r, keyType, "iam-credentials").State["arn"].StringValue()

	for _, c := range []struct {
		kind     string
		of       []statement
		needed   request
		excluded []request
	}{
		{"a role without the boundary", deploy, request{"iam:CreateRole", role("iam-api"), asked}.with(bounded),
			[]request{{"iam:CreateRole", role("iam-api"), asked}, {"iam:CreateRole", role("backup-role"), asked}}},
		{"an inline policy on a role without the boundary", deploy, request{"iam:PutRolePolicy", role("backup-role"), own}.with(bounded),
			[]request{{"iam:PutRolePolicy", role("backup-role"), own}}},
		{"a managed policy on a role without the boundary", deploy, request{"iam:AttachRolePolicy", role("backup-role"), own}.with(bounded, backupPolicy),
			[]request{request{"iam:AttachRolePolicy", role("backup-role"), own}.with(backupPolicy), request{"iam:AttachRolePolicy", role("iam-api"), own}.with(bounded, backupPolicy)}},
		{"a trust that is rewritten", deploy, request{"iam:UpdateRoleDescription", role("iam-api"), own},
			[]request{request{"iam:UpdateAssumeRolePolicy", role("iam-api"), own}.with(bounded)}},
		{"a group on the latest version", deploy, request{"autoscaling:UpdateAutoScalingGroup", group, own}.with(keys("autoscaling:LaunchTemplateVersionSpecified", "true")),
			[]request{request{"autoscaling:UpdateAutoScalingGroup", group, own}.with(keys("autoscaling:LaunchTemplateVersionSpecified", "false")),
				request{"autoscaling:UpdateAutoScalingGroup", group, own}.with(keys("autoscaling:LaunchConfigurationName", "x"))}},
		{"a new group on the latest version", deploy, request{"autoscaling:CreateAutoScalingGroup", group, asked}.with(keys("autoscaling:LaunchTemplateVersionSpecified", "true")),
			[]request{request{"autoscaling:CreateAutoScalingGroup", group, asked}.with(keys("autoscaling:LaunchTemplateVersionSpecified", "false")),
				{"autoscaling:CreateAutoScalingGroup", group, asked}}},
		{"a group without a template in the request", deploy, request{"autoscaling:UpdateAutoScalingGroup", group, own}, nil},
		{"a version of another's launch template", deploy, request{"ec2:CreateLaunchTemplateVersion", ec2("launch-template"), own},
			[]request{{"ec2:CreateLaunchTemplateVersion", ec2("launch-template"), foreign}, {"ec2:CreateLaunchTemplateVersion", ec2("launch-template"), nil}}},
		{"another's launch template", deploy, request{"ec2:DeleteLaunchTemplate", ec2("launch-template"), own},
			[]request{{"ec2:DeleteLaunchTemplate", ec2("launch-template"), nil}, {"ec2:ModifyLaunchTemplate", ec2("launch-template"), foreign}}},
		{"a key that is claimed", deploy, request{"kms:TagResource", key, asked},
			[]request{request{"kms:TagResource", key, asked}.with(keys("kms:ResourceAliases", "alias/payments")), request{"kms:TagResource", key, asked}.with(foreign)}},
		{"a volume that is claimed", deploy, request{"ec2:CreateTags", ec2("volume"), asked}.with(keys("ec2:CreateAction", "RunInstances")),
			[]request{{"ec2:CreateTags", ec2("volume"), asked}}},
		{"a certificate that is claimed", deploy, request{"acm:AddTagsToCertificate", regional("acm", "certificate/x"), asked}.with(nameKey("Request", certificate)),
			[]request{{"acm:AddTagsToCertificate", regional("acm", "certificate/x"), asked},
				request{"acm:AddTagsToCertificate", regional("acm", "certificate/x"), asked}.with(nameKey("Request", certificate), foreign)}},
		{"a distribution that is claimed", deploy, request{"cloudfront:TagResource", distribution, asked}.with(nameKey("Request", edgeName)),
			[]request{{"cloudfront:TagResource", distribution, asked}, request{"cloudfront:TagResource", distribution, asked}.with(nameKey("Request", edgeName), foreign)}},
		{"another's distribution", deploy, request{"cloudfront:UpdateDistribution", distribution, own},
			[]request{{"cloudfront:UpdateDistribution", distribution, foreign}, {"cloudfront:DeleteDistribution", distribution, nil}, {"cloudfront:AllowVendedLogDeliveryForResource", distribution, foreign}}},
		{"a distribution that nobody's tags name", deploy, request{"cloudfront:CreateDistribution", "*", asked}, []request{{"cloudfront:CreateDistribution", "*", nil}}},
		{"another's VPC origin", deploy, request{"cloudfront:DeleteVpcOrigin", "arn:aws:cloudfront::123456789012:vpcorigin/vo_x", own},
			[]request{{"cloudfront:DeleteVpcOrigin", "arn:aws:cloudfront::123456789012:vpcorigin/vo_x", foreign}}},
		{"another's access control and headers", deploy, request{"cloudfront:DeleteOriginAccessControl", "arn:aws:cloudfront::123456789012:origin-access-control/E0", nil},
			[]request{{"cloudfront:UpdateOriginAccessControl", "arn:aws:cloudfront::123456789012:origin-access-control/E0", nil},
				{"cloudfront:UpdateResponseHeadersPolicy", "arn:aws:cloudfront::123456789012:response-headers-policy/x", nil}}},
		{"another's log delivery", deploy, request{"logs:DeleteDelivery", regional("logs", "delivery:x"), own}, []request{{"logs:DeleteDelivery", regional("logs", "delivery:x"), foreign}}},
		{"another's firewall", deploy, request{"wafv2:UpdateWebACL", regional("wafv2", "global/webacl/"+fullName("aws:wafv2/webAcl:WebAcl", "edge-firewall")+"/x"), nil},
			[]request{{"wafv2:UpdateWebACL", regional("wafv2", "global/webacl/other/x"), nil}}},
		{"what another's distribution sends to its origins", preview, request{"cloudfront:GetDistribution", distribution, own}, []request{{"cloudfront:GetDistribution", distribution, foreign}}},
		{"a backup plan that is claimed", deploy, request{"backup:TagResource", regional("backup", "backup-plan:x"), asked}.with(nameKey("Request", plan)),
			[]request{{"backup:TagResource", regional("backup", "backup-plan:x"), asked}}},
		{"a security group that is claimed", deploy, request{"ec2:CreateTags", ec2("security-group"), asked}.with(nameKey("Request", defaultGroup)),
			[]request{{"ec2:CreateTags", ec2("security-group"), asked},
				request{"ec2:CreateTags", ec2("security-group"), asked}.with(nameKey("Request", defaultGroup), foreign)}},
		{"a claimed security group that gets another name", deploy, request{"ec2:CreateTags", ec2("security-group"), own}.with(claimed, keys("aws:RequestTag/team", "films")),
			[]request{request{"ec2:CreateTags", ec2("security-group"), own}.with(claimed, nameKey("Request", apiGroup))}},
		{"a claimed security group that is opened", deploy, request{"ec2:AuthorizeSecurityGroupIngress", ec2("security-group"), own}.with(other),
			[]request{request{"ec2:AuthorizeSecurityGroupIngress", ec2("security-group"), own}.with(claimed), {"ec2:AuthorizeSecurityGroupIngress", ec2("security-group"), own}}},
		{"a claimed security group that is deleted", deploy, request{"ec2:DeleteSecurityGroup", ec2("security-group"), own}.with(other),
			[]request{request{"ec2:DeleteSecurityGroup", ec2("security-group"), own}.with(claimed)}},
		{"a claimed security group for an instance", deploy, request{"ec2:RunInstances", ec2("security-group"), own}.with(other),
			[]request{request{"ec2:RunInstances", ec2("security-group"), own}.with(claimed)}},
		{"a new volume that nobody's tags name", deploy, request{"ec2:CreateVolume", ec2("volume"), asked},
			[]request{{"ec2:CreateVolume", ec2("volume"), nil}, {"ec2:CreateVolume", ec2("volume"), tagKeys("Request", "full-2")}}},
		{"a role that another stack has tagged", deploy, request{"iam:TagRole", role("iam-api"), asked}, []request{request{"iam:TagRole", role("iam-api"), asked}.with(foreign)}},
		{"a host on another's network interface", deploy, request{"ec2:RunInstances", ec2("network-interface"), nil}, []request{{"ec2:RunInstances", ec2("network-interface"), foreign}}},
		{"the bastion's address on another's network interface", deploy, request{"ec2:AssociateAddress", ec2("network-interface"), nil},
			[]request{{"ec2:AssociateAddress", ec2("network-interface"), foreign}}},
		{"a key for any user of any host", boundary, request{"ec2-instance-connect:SendSSHPublicKey", ec2("instance"), own}.with(keys("ec2:osuser", "ec2-user")),
			[]request{request{"ec2-instance-connect:SendSSHPublicKey", ec2("instance"), own}.with(keys("ec2:osuser", "root")),
				request{"ec2-instance-connect:SendSSHPublicKey", ec2("instance"), foreign}.with(keys("ec2:osuser", "ec2-user"))}},
		{"a bucket of another account, by a role", boundary, request{"s3:PutObject", bucketOfFull("storage-images") + "/orig/x", here},
			[]request{{"s3:PutObject", bucketOfFull("storage-images") + "/orig/x", elsewhere}}},
		{"copies in a bucket of another account", boundary, request{"s3:ReplicateObject", bucketOfFull("replica-images") + "/orig/x", here},
			[]request{{"s3:ReplicateObject", bucketOfFull("replica-images") + "/orig/x", elsewhere}}},
		{"a bucket of another account, by the deploy role", deploy, request{"s3:PutObject", bucketOfFull("storage-site") + "/index.html", here},
			[]request{{"s3:PutObject", bucketOfFull("storage-site") + "/index.html", elsewhere}}},
		{"another's snapshots, by a role", boundary, request{"ec2:DeleteSnapshot", snapshot, own}.with(keys("aws:ResourceTag/aws:backup:source-resource", "x")),
			[]request{request{"ec2:DeleteSnapshot", snapshot, foreign}.with(keys("aws:ResourceTag/aws:backup:source-resource", "x")), {"ec2:DeleteSnapshot", snapshot, own},
				{"ec2:CopySnapshot", snapshot, foreign}, {"ec2:CreateTags", snapshot, foreign}}},
		{"a snapshot of another's volume", boundary, request{"ec2:CreateSnapshot", ec2("volume"), own}, []request{{"ec2:CreateSnapshot", ec2("volume"), nil}}},
		{"records of other names", deploy, request{"route53:ChangeResourceRecordSets", zone, records("cinema.example.com")},
			[]request{{"route53:ChangeResourceRecordSets", zone, records("www.bank.example")}, {"route53:ChangeResourceRecordSets", zone, records("x.cinema.example.com")}}},
		{"the record that proves a name", deploy, request{"route53:ChangeResourceRecordSets", zone, records("_0a1b.cinema.example.com")}, nil},
		{"the database's record", deploy, request{"route53:ChangeResourceRecordSets", zone, records(the(t, r, "aws:route53/record:Record", "database-record-us-east-1a").Text("name"))}, nil},
		{"the record of an earlier release's database", deploy, request{"route53:ChangeResourceRecordSets", zone, records("mongo.cinema.internal")}, nil},
		{"the cluster's secrets, by a deployment", deploy, request{"s3:PutObject", bucketOfFull("storage-artifacts") + "/" + contract.MembersKey, here},
			[]request{{"s3:PutObject", bucketOfFull("storage-artifacts") + "/" + contract.SecretsKey, here}, {"s3:GetObject", bucketOfFull("storage-artifacts") + "/" + contract.SecretsKey, here}}},
		{"the cluster's secrets, by a preview", preview, request{"s3:GetObject", bucketOfFull("storage-artifacts") + "/" + contract.ReportKey("us-east-1b"), nil},
			[]request{{"s3:GetObject", bucketOfFull("storage-artifacts") + "/" + contract.SecretsKey, nil}, {"s3:GetObject", credentials, nil}}},
		{"secrets under another key", database, request{"s3:PutObject", bucketOfFull("storage-artifacts") + "/" + contract.SecretsKey, keys("s3:x-amz-server-side-encryption-aws-kms-key-id", credentialsKey)},
			[]request{{"s3:PutObject", bucketOfFull("storage-artifacts") + "/" + contract.SecretsKey, nil}, {"s3:DeleteObject", bucketOfFull("storage-artifacts") + "/" + contract.SecretsKey, nil},
				{"s3:PutObject", bucketOfFull("storage-artifacts") + "/" + contract.MembersKey, keys("s3:x-amz-server-side-encryption-aws-kms-key-id", credentialsKey)}}},
		{"recovery points of other vaults", deploy, request{"backup:DeleteRecoveryPoint", snapshot, own}, []request{{"backup:DeleteRecoveryPoint", snapshot, foreign}, {"backup:DeleteRecoveryPoint", snapshot, nil}}},
		{"a volume of another's snapshot", deploy, request{"ec2:CreateVolume", snapshot, own}, []request{{"ec2:CreateVolume", snapshot, nil}, {"ec2:RunInstances", snapshot, nil}}},
		{"the state of another stack, changed", deploy, request{"s3:PutObject", state("stacks/cinema/full.json.bak"), nil},
			[]request{{"s3:PutObject", state("stacks/cinema/full-2.json"), nil}, {"s3:PutObject", state("stacks/payments/full.json"), nil}, {"s3:DeleteObject", state("locks/organization/cinema/full-2/x.json"), nil}}},
		{"the state of another stack, read", preview, request{"s3:GetObject", state("stacks/cinema/full.json"), nil},
			[]request{{"s3:GetObject", state("stacks/payments/prod.json"), nil}, {"s3:GetObject", state("history/cinema/full-2/x"), nil}}},
		{"a function of a stack whose name continues", deploy, request{"lambda:UpdateFunctionCode", regional("lambda", "function:"+fullName(functionType, "mirror-function")), nil},
			[]request{{"lambda:UpdateFunctionCode", regional("lambda", "function:"+strings.Replace(fullName(functionType, "mirror-function"), "full-", "full-2-", 1)), nil}}},
		{"user data of other instances", preview, request{"ec2:DescribeInstanceAttribute", ec2("instance"), own},
			[]request{{"ec2:DescribeInstanceAttribute", ec2("instance"), foreign}, {"ec2:DescribeInstanceAttribute", ec2("instance"), nil}}},
		{"credentials under another key", database, request{"s3:PutObject", credentials, keys("s3:x-amz-server-side-encryption-aws-kms-key-id", credentialsKey)},
			[]request{{"s3:PutObject", credentials, keys("s3:x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:us-east-1:999999999999:key/x")}, {"s3:PutObject", credentials, nil}}},
	} {
		t.Run(c.kind, func(t *testing.T) {
			assert.True(t, may(t, c.of, c.needed), "refused: %s", c.needed)
			for _, e := range c.excluded {
				assert.False(t, may(t, c.of, e), "allowed: %s", e)
			}
		})
	}
}

func TestTrustsAndEndpointsNameTheAccount(t *testing.T) {
	r := planned(t, "full", nil)
	for _, st := range (&audit{Recording: r}).documents() {
		switch {
		case st.on.Type == roleType && !strings.HasPrefix(st.on.Name, "deployer-"):
			assert.Equal(t, map[string]any{"aws:SourceAccount": "123456789012"}, st.conditions["StringEqualsIfExists"], st.on.Name)
		case st.on.Type == "aws:ec2/vpcEndpoint:VpcEndpoint":
			assert.Contains(t, st.on.Text("policy"), `"Principal":"*"`, st.on.Name)
		}
	}
}

// The deploy role cannot change the deployer: a deployment that would is refused before anything is registered.
func TestOnlyAnAdministratorChangesTheDeployer(t *testing.T) {
	deployed := planned(t, "full", nil)
	by := func(role string, change map[string]string, opts ...pulumitest.Option) *pulumitest.Recording {
		return run(t, "full", change, append(opts, pulumitest.As(fullName(roleType, role), deployed))...)
	}
	require.NoError(t, by("deployer-deploy", nil).Err)
	require.NoError(t, by("deployer-deploy", map[string]string{"cinema:tags": `{"team":"films"}`}).Err, "the deployer has no such tags")
	for _, c := range []struct {
		want    string
		change  map[string]string
		removed []pulumitest.Option
	}{
		{"this commit changes trust of role preview, trust of role deploy", map[string]string{
			"cinema:deployer": `{"github":"example/cinema-database","branch":"release"}`}, nil},
		{"this commit changes policy services", map[string]string{
			"cinema:domain": `{"zone":"example.com","createZone":true,"hosts":[{"name":"films.example.com","service":"api"}]}`}, nil},
		{"this commit removes cinema:deployer", nil, []pulumitest.Option{pulumitest.Without("cinema:deployer")}},
	} {
		want := "deployer: " + c.want + ", and only an administrator may change the deployer; an administrator runs `pulumi up` on it first"
		pulumitest.Refused(t, by("deployer-deploy", c.change, c.removed...), want)
		r := by("deployer-preview", c.change, c.removed...)
		require.NoError(t, r.Err)
		assert.Contains(t, r.Logs, pulumitest.Log{Severity: "warning", Message: want})
		require.NoError(t, run(t, "full", c.change, c.removed...).Err, "an administrator's")
	}
}
