package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/iam/deployer"
	"cinema-database/internal/component"
	"cinema-database/internal/testutil/pulumitest"
)

var onEC2 = map[string]string{"cinema:containers": `{"capacity":"ec2"}`}

// permissionsOf are the statements of a role's managed and inline policies.
func permissionsOf(t *testing.T, r *pulumitest.Recording, role string) []statement {
	t.Helper()
	id := the(t, r, roleType, role).ID
	policies := map[string]bool{}
	for _, a := range r.ByType(attachmentType) {
		if a.Text("role") == id {
			policies[a.Text("policyArn")] = true
		}
	}
	return slices.DeleteFunc((&audit{Recording: r}).documents(), func(st statement) bool {
		inline := st.on.Type == rolePolicy && st.on.Text("role") == id
		return !inline && (st.on.Type != managedPolicyType || !policies[as[string](st.on.State["arn"])])
	})
}

// arnsOf gives the ARNs of stack full's resources.
type arnsOf struct{ *testing.T }

func (a arnsOf) regional(service, id string) string {
	return "arn:aws:" + service + ":us-east-1:123456789012:" + id
}
func (a arnsOf) role(logical string) string {
	return "arn:aws:iam::123456789012:role/" + fullName(roleType, logical)
}
func (a arnsOf) repository(service string) string {
	return a.regional("ecr", "repository/"+fullName(repositoryType, "containers-"+service))
}
func (a arnsOf) cluster(logical string) string {
	return a.regional("ecs", "cluster/"+fullName(clusterType, logical))
}
func (a arnsOf) service(name string) string {
	return a.regional("ecs", "service/"+fullName(clusterType, "containers-fargate")+"/"+fullName(serviceType, "services-"+name))
}
func (a arnsOf) definition(name string) string {
	return a.regional("ecs", "task-definition/"+fullName(definitionType, "containers-"+name)+":7")
}
func (a arnsOf) log(service string) string {
	return a.regional("logs", "log-group:"+fullName("aws:cloudwatch/logGroup:LogGroup", "containers-"+service)+":log-stream:x")
}

func TestRolesOfServicesReachWhatConfigNames(t *testing.T) {
	a := arnsOf{t}
	r := planned(t, "full", withServices(onEC2))
	artifacts, images := bucketOfFull("storage-artifacts"), bucketOfFull("storage-images")
	key := the(t, r, keyType, "iam-credentials").State["arn"].StringValue()
	viaS3 := map[string]string{"kms:ViaService": "s3.us-east-1.amazonaws.com"}
	parameter, secret := a.regional("ssm", "parameter/cinema/token"), ""
	cluster := fullName(clusterType, "containers-ec2")
	for _, st := range permissionsOf(t, r, "iam-service-preview-start") {
		if st.sid == "ReadSecrets" {
			secret = st.resources[0] // with the characters that the account has added
		}
	}
	require.Regexp(t, `:secret:cinema/key-[A-Za-z0-9]{6}$`, secret)

	assert.Empty(t, permissionsOf(t, r, "iam-service-demo-task"), "config names no permission")
	for _, c := range []struct {
		role     string
		needed   []request
		excluded []request
	}{
		{"iam-service-preview-task",
			[]request{
				{"s3:GetObject", artifacts + "/" + contract.CredentialsKey, nil}, {"kms:Decrypt", key, viaS3},
				{"s3:GetObject", images + "/orig/x", nil}, {"s3:GetObject", images + "/thumb/x", nil}, {"s3:ListBucket", images, nil},
			},
			[]request{
				{"s3:GetObject", artifacts + "/" + contract.SecretsKey, nil}, {"s3:GetObject", artifacts + "/" + contract.MembersKey, nil},
				{"s3:PutObject", artifacts + "/" + contract.CredentialsKey, nil}, {"s3:PutObject", images + "/orig/x", nil},
				{"s3:DeleteObject", images + "/orig/x", nil}, {"s3:GetObject", images + "/other/x", nil}, {"s3:GetObject", bucketOfFull("storage-site") + "/x", nil},
				{"kms:Decrypt", key, nil}, {"kms:Decrypt", a.regional("kms", "key/other"), viaS3}, {"kms:GenerateDataKey", key, viaS3},
				{"ssm:GetParameters", parameter, nil}, {"secretsmanager:GetSecretValue", secret, nil}, {"ecr:GetAuthorizationToken", "*", nil},
			}},
		{"iam-service-preview-start",
			[]request{
				{"ecr:GetAuthorizationToken", "*", nil}, {"ecr:BatchGetImage", a.repository("preview"), nil},
				{"ecr:GetDownloadUrlForLayer", a.repository("preview"), nil}, {"ecr:BatchCheckLayerAvailability", a.repository("preview"), nil},
				{"logs:CreateLogStream", a.log("preview"), nil}, {"logs:PutLogEvents", a.log("preview"), nil},
				{"ssm:GetParameters", parameter, nil}, {"secretsmanager:GetSecretValue", secret, nil},
			},
			[]request{
				{"ecr:BatchGetImage", a.repository("demo"), nil}, {"ecr:PutImage", a.repository("preview"), nil},
				{"logs:PutLogEvents", a.log("demo"), nil}, {"logs:CreateLogGroup", a.log("preview"), nil},
				{"ssm:GetParameters", parameter + "2", nil}, {"ssm:GetParametersByPath", a.regional("ssm", "parameter/cinema"), nil},
				{"secretsmanager:GetSecretValue", a.regional("secretsmanager", "secret:cinema/key2-a1B2c3"), nil},
				{"s3:GetObject", artifacts + "/" + contract.CredentialsKey, nil}, {"kms:Decrypt", key, viaS3},
			}},
		{"iam-service-demo-start",
			[]request{{"ecr:BatchGetImage", a.repository("demo"), nil}, {"logs:PutLogEvents", a.log("demo"), nil}},
			[]request{{"ecr:BatchGetImage", a.repository("preview"), nil}, {"ssm:GetParameters", parameter, nil}, {"secretsmanager:GetSecretValue", secret, nil}}},
		{"iam-container-hosts",
			[]request{
				{"ecs:RegisterContainerInstance", a.cluster("containers-ec2"), nil}, {"ecs:SubmitTaskStateChange", a.cluster("containers-ec2"), nil},
				{"ecs:Poll", a.regional("ecs", "container-instance/"+cluster+"/x"), nil}, {"ecs:StartTelemetrySession", a.regional("ecs", "container-instance/"+cluster+"/x"), nil},
				{"ecs:DiscoverPollEndpoint", "*", nil}, {"ssmmessages:OpenDataChannel", "*", nil},
			},
			[]request{
				{"ecs:RegisterContainerInstance", a.regional("ecs", "cluster/other"), nil}, {"ecs:Poll", a.regional("ecs", "container-instance/other/x"), nil},
				{"ecs:CreateCluster", "*", nil}, {"ecs:UpdateService", a.service("demo"), nil}, {"ecs:RunTask", a.definition("demo"), nil},
				{"ecr:GetAuthorizationToken", "*", nil}, {"ecr:BatchGetImage", a.repository("demo"), nil}, {"ssm:GetParameters", parameter, nil},
				{"s3:GetObject", images + "/orig/x", nil}, {"logs:PutLogEvents", a.log("demo"), nil},
			}},
	} {
		statements := permissionsOf(t, r, c.role)
		for _, n := range c.needed {
			assert.True(t, may(t, statements, n), "%s is refused %s", c.role, n)
		}
		for _, e := range c.excluded {
			assert.False(t, may(t, statements, e), "%s is allowed %s", c.role, e)
		}
	}
}

// A service with an image in a public registry has no permission to pull.
func TestPublicImagesNeedNoPermission(t *testing.T) {
	r := planned(t, "full", with(`"image": "v1", "path"`, `"image": "public.ecr.aws/nginx/nginx:1.29-alpine", "path"`))
	for _, st := range permissionsOf(t, r, "iam-service-demo-start") {
		for _, action := range st.actions {
			assert.False(t, strings.HasPrefix(action, "ecr:"), action)
		}
	}
}

func TestCredentialsKeyNamesTheServicesWithDatabase(t *testing.T) {
	statement := func(r *pulumitest.Recording) *statement {
		documents := (&audit{Recording: r}).documents()
		i := slices.IndexFunc(documents, func(st statement) bool { return st.on.Type == keyType && st.sid == "ServicesRead" })
		if i < 0 {
			return nil
		}
		return &documents[i]
	}
	r := planned(t, "full", twoServices())
	st := statement(r)
	require.NotNil(t, st)
	assert.Equal(t, []string{"kms:Decrypt"}, st.actions)
	assert.Equal(t, map[string]any{"aws:PrincipalArn": the(t, r, roleType, "iam-service-preview-task").State["arn"].StringValue()}, st.conditions["ArnEquals"])
	assert.Equal(t, map[string]any{
		"kms:ViaService":                   "s3.us-east-1.amazonaws.com",
		"kms:EncryptionContext:aws:s3:arn": bucketOfFull("storage-artifacts") + "/" + contract.CredentialsKey,
	}, st.conditions["StringEquals"])
	assert.Nil(t, statement(planned(t, "full", with(`"database": true, `, ""))), "no service reads the credentials")
}

func TestTasksAloneAssumeTheRolesOfServices(t *testing.T) {
	r := planned(t, "full", twoServices())
	checked := 0
	for _, role := range r.ByType(roleType) {
		if !strings.HasPrefix(role.Name, "iam-service-") {
			continue
		}
		checked++
		assert.Equal(t, map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "ecs-tasks.amazonaws.com"},
			"Condition": map[string]any{
				"StringEqualsIfExists": map[string]any{"aws:SourceAccount": "123456789012"},
				"ArnLikeIfExists":      map[string]any{"aws:SourceArn": "arn:aws:ecs:us-east-1:123456789012:*"},
			},
		}, trustOf(t, r, role.Name), role.Name)
	}
	assert.Equal(t, 4, checked)
}

func TestRolesOfServicesAreWithinTheirBoundary(t *testing.T) {
	r := planned(t, "full", withServices(onEC2))
	boundaries := map[string][]statement{}
	for _, name := range []string{"deployer-boundary", "deployer-container-boundary"} {
		boundary := the(t, r, managedPolicyType, name)
		boundaries[boundary.State["arn"].StringValue()] = slices.DeleteFunc((&audit{Recording: r}).documents(), func(st statement) bool { return st.on != boundary })
	}
	checked := 0
	for _, role := range r.ByType(roleType) {
		if strings.HasPrefix(role.Name, "deployer-") {
			assert.Empty(t, role.Text("permissionsBoundary"), role.Name)
			continue
		}
		of := "deployer-boundary"
		if strings.HasPrefix(role.Name, "iam-service-") || role.Name == "iam-container-hosts" {
			of = "deployer-container-boundary"
		}
		arn := the(t, r, managedPolicyType, of).State["arn"].StringValue()
		require.Equal(t, arn, role.Text("permissionsBoundary"), role.Name)
		for _, st := range permissionsOf(t, r, role.Name) {
			for _, action := range st.actions {
				for _, resource := range st.resources {
					checked++
					assert.True(t, slices.ContainsFunc(boundaries[arn], func(l statement) bool { return slices.Contains(l.actions, action) && l.reaches(resource) }),
						"%s: %s on %s is outside %s", role.Name, action, resource, of)
				}
			}
		}
	}
	assert.Greater(t, checked, 60)
	boundary := boundaries[the(t, r, managedPolicyType, "deployer-container-boundary").State["arn"].StringValue()]
	a := arnsOf{t}
	for _, e := range []request{
		{"ssm:GetParameters", a.regional("ssm", "parameter/payments/token"), nil},
		{"secretsmanager:GetSecretValue", a.regional("secretsmanager", "secret:payments/key-a1B2c3"), nil},
		{"s3:GetObject", bucketOfFull("storage-artifacts") + "/" + contract.SecretsKey, nil},
		{"s3:PutObject", bucketOfFull("storage-images") + "/orig/x", nil},
		{"ecr:PutImage", a.repository("demo"), nil},
		{"ecs:UpdateService", a.service("demo"), nil},
	} {
		assert.False(t, may(t, boundary, e), "allowed: %s", e)
	}
}

// bothTables holds the deployer's tables by type.
func bothTables() map[string]deployer.Deployment {
	table := deployTable()
	for _, d := range deployer.ContainerDeployments() {
		table[d.Type] = d
	}
	return table
}

func TestContainerTableCoversEveryTypeOfServices(t *testing.T) {
	table, types := bothTables(), map[string]bool{}
	for _, further := range []map[string]string{nil, onEC2, {"cinema:natGateways": "none"}} {
		r := plannedRunning(t, "full", withServices(further))
		deploy, preview := permissionsOf(t, r, "deployer-deploy"), permissionsOf(t, r, "deployer-preview")
		allows := func(statements []statement, action string) bool {
			return slices.ContainsFunc(statements, func(st statement) bool { return st.effect == "Allow" && slices.Contains(st.actions, action) })
		}
		for _, res := range r.Resources {
			if !strings.HasPrefix(res.Type, "aws:") || types[res.Type] {
				continue
			}
			types[res.Type] = true
			d, ok := table[res.Type]
			require.True(t, ok, "%s is in no table of the deployer", res.Type)
			for _, action := range d.Read {
				assert.True(t, allows(deploy, action) && allows(preview, action), "%s: %s", res.Type, action)
			}
			for _, action := range d.Change {
				assert.True(t, allows(deploy, action), "%s: %s", res.Type, action)
			}
		}
	}
	for _, d := range deployer.ContainerDeployments() {
		assert.True(t, types[d.Type], "%s: no service has it: remove it from containerTable", d.Type)
		assert.NotEmpty(t, d.Read, d.Type)
		assert.NotEmpty(t, d.Change, d.Type)
	}
}

// The table's names are those of the plan, also where a stack's name is long.
func TestDeployRoleReachesWhatServicesName(t *testing.T) {
	table := bothTables()
	longest := `{"abcdefghijklmnop": {"image": "v1", "path": "/demo/*"}, "qrstuvwxyzabcdef": {"image": "v1", "host": "preview.cinema.example.com", "secrets": {"KEY": "ssm:/x"}}}`
	for name, opts := range map[string][]pulumitest.Option{
		"short": nil, "long": {pulumitest.Stack("cinema", strings.Repeat("long-Name_", 8)), pulumitest.Config(map[string]string{"cinema:services": longest})},
	} {
		for _, further := range []map[string]string{nil, onEC2} {
			r := plannedRunning(t, "full", withServices(further), opts...)
			statements := permissionsOf(t, r, "deployer-deploy")
			checked := 0
			for _, res := range r.Resources {
				arn := as[string](res.State["arn"])
				if !res.Custom || arn == "" || slices.Contains([]string{
					"aws:autoscaling/policy:Policy", "aws:cloudwatch/eventTarget:EventTarget", "aws:sns/topicSubscription:TopicSubscription", // AWS checks another ARN
					"aws:appautoscaling/policy:Policy", "aws:appautoscaling/target:Target", // by an id
					"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders", "aws:ecr/lifecyclePolicy:LifecyclePolicy",
				}, res.Type) || table[res.Type].ByHand != "" || strings.HasPrefix(res.Name, "deployer-") {
					continue
				}
				service := strings.Split(arn, ":")[2]
				for kind, names := range map[string]*regexp.Regexp{
					"make":   regexp.MustCompile(`^(Create|Run|Allocate|Register|Request|Put|Modify|Subscribe|SetTopic)`),
					"delete": regexp.MustCompile(`^([A-Za-z]*Delet|Deregister|Terminate|Release|Unsubscribe|SetTopic|ModifyBudget$)`),
				} {
					checked++
					assert.True(t, slices.ContainsFunc(statements, func(st statement) bool {
						return st.effect == "Allow" && (st.reaches(arn) || res.Type == definitionType && st.reaches("*")) && slices.ContainsFunc(st.actions, func(action string) bool {
							of, call, _ := strings.Cut(action, ":")
							return of == service && names.MatchString(call) && slices.Contains(table[res.Type].Change, action)
						})
					}), "%s: the deploy role cannot %s %s", name, kind, arn)
				}
			}
			assert.Greater(t, checked, 100)
			// The tasks' roles are passed to ECS, and the hosts' to EC2.
			for _, role := range r.ByType(roleType) {
				to := "ecs-tasks.amazonaws.com"
				switch {
				case role.Name == "iam-container-hosts":
					to = "ec2.amazonaws.com"
				case !strings.HasPrefix(role.Name, "iam-service-"):
					continue
				}
				pass := request{"iam:PassRole", role.State["arn"].StringValue(), map[string]string{"iam:PassedToService": to}}
				assert.True(t, may(t, statements, pass), "%s: refused: %s", name, pass)
			}
		}
	}
}

// TestPermissionsForServicesEndAtTheStack has pairs of requests like TestPermissionsEndAtTheStack.
func TestPermissionsForServicesEndAtTheStack(t *testing.T) {
	a := arnsOf{t}
	r := planned(t, "full", withServices(onEC2))
	deploy, preview, push := permissionsOf(t, r, "deployer-deploy"), permissionsOf(t, r, "deployer-preview"), permissionsOf(t, r, "deployer-push")
	keys := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	own, asked, foreign := tagKeys("Resource", "full"), tagKeys("Request", "full"), tagKeys("Resource", "full-2")
	policy := func(logical string) string {
		return "arn:aws:iam::123456789012:policy/" + fullName(managedPolicyType, logical)
	}
	bounded, wide := keys("iam:PermissionsBoundary", policy("deployer-container-boundary")), keys("iam:PermissionsBoundary", policy("deployer-preview"))
	ecsTasks := keys("iam:PassedToService", "ecs-tasks.amazonaws.com")
	targets, made := a.regional("elasticloadbalancing", "targetgroup/c-containers-demo-0000000/1"), keys("elasticloadbalancing:CreateAction", "CreateTargetGroup")
	scalable, ecs := a.regional("application-autoscaling", "scalable-target/x"), keys("application-autoscaling:service-namespace", "ecs")
	group := a.regional("autoscaling", "autoScalingGroup:id:autoScalingGroupName/"+fullName(scalingType, "containers-hosts"))
	numbered := keys("autoscaling:LaunchTemplateVersionSpecified", "true")
	const distribution = "arn:aws:cloudfront::123456789012:distribution/E0"
	// The same in a stack whose name continues.
	neighbour := func(arn string) string {
		return strings.NewReplacer("full-", "full-2-", environmentOf("full").Suffix(), environmentOf("full-2").Suffix()).Replace(arn)
	}
	tracking := func(cluster string) string {
		return a.regional("cloudwatch", "alarm:TargetTracking-service/"+cluster+"/"+fullName(serviceType, "services-demo")+"-AlarmHigh-x")
	}
	secret := a.regional("secretsmanager", "secret:cinema/key-a1B2c3")

	for _, c := range []struct {
		kind     string
		of       []statement
		needed   request
		excluded []request
	}{
		{"another's repository", deploy, request{"ecr:PutImage", a.repository("demo"), nil},
			[]request{{"ecr:PutImage", neighbour(a.repository("demo")), nil}, {"ecr:DeleteRepository", a.regional("ecr", "repository/payments"), nil},
				{"ecr:SetRepositoryPolicy", a.repository("demo"), nil}}},
		{"another's repository, from a tag", push, request{"ecr:PutImage", a.repository("demo"), nil},
			[]request{{"ecr:PutImage", neighbour(a.repository("demo")), nil}, {"ecr:BatchDeleteImage", a.repository("demo"), nil},
				{"ecr:PutImageTagMutability", a.repository("demo"), nil}, {"ecs:UpdateService", a.service("demo"), nil}, {"iam:PassRole", a.role("iam-service-demo-task"), ecsTasks}}},
		{"another's cluster", deploy, request{"ecs:DeleteCluster", a.cluster("containers-fargate"), nil},
			[]request{{"ecs:DeleteCluster", neighbour(a.cluster("containers-fargate")), nil}, {"ecs:ExecuteCommand", a.cluster("containers-fargate"), nil}}},
		{"another's service", deploy, request{"ecs:UpdateService", a.service("demo"), nil},
			[]request{{"ecs:UpdateService", neighbour(a.service("demo")), nil}, {"ecs:DeleteService", a.regional("ecs", "service/payments/payments"), nil}}},
		{"another's task definition in a service", deploy, request{"ecs:UpdateService", a.service("demo"), keys("ecs:task-definition", a.definition("demo"))},
			[]request{{"ecs:UpdateService", a.service("demo"), keys("ecs:task-definition", a.regional("ecs", "task-definition/payments:1"))},
				{"ecs:CreateService", a.service("demo"), keys("ecs:task-definition", a.regional("ecs", "task-definition/payments:1"))}}},
		{"a task outside the services", deploy, request{"ecs:RegisterTaskDefinition", a.definition("demo"), nil},
			[]request{{"ecs:RunTask", a.definition("demo"), nil}, {"ecs:StartTask", a.definition("demo"), nil}, {"ecs:RegisterTaskDefinition", a.regional("ecs", "task-definition/payments:1"), nil}}},
		{"a task role that is not a service's", deploy, request{"iam:PassRole", a.role("iam-service-demo-task"), ecsTasks},
			[]request{{"iam:PassRole", a.role("iam-api"), ecsTasks}, {"iam:PassRole", a.role("iam-database"), ecsTasks}, {"iam:PassRole", a.role("deployer-deploy"), ecsTasks},
				{"iam:PassRole", "arn:aws:iam::123456789012:role/admin", ecsTasks}, {"iam:PassRole", a.role("iam-service-demo-task"), keys("iam:PassedToService", "lambda.amazonaws.com")}}},
		{"a service's role without the boundary", deploy, request{"iam:CreateRole", a.role("iam-service-demo-task"), asked}.with(bounded),
			[]request{{"iam:CreateRole", a.role("iam-service-demo-task"), asked}, request{"iam:CreateRole", a.role("iam-service-demo-task"), asked}.with(wide),
				request{"iam:CreateRole", a.role("mirror-role"), asked}.with(bounded)}},
		{"a policy on a service's role without the boundary", deploy, request{"iam:PutRolePolicy", a.role("iam-service-demo-start"), own}.with(bounded),
			[]request{{"iam:PutRolePolicy", a.role("iam-service-demo-start"), own}, request{"iam:PutRolePolicy", a.role("iam-service-demo-start"), foreign}.with(bounded)}},
		{"the role that pushes", deploy, request{"iam:DeleteRole", a.role("iam-service-demo-start"), own},
			[]request{request{"iam:PutRolePolicy", a.role("deployer-push"), own}.with(bounded), {"iam:DeleteRole", a.role("deployer-push"), own}, {"iam:TagRole", a.role("deployer-push"), own},
				{"iam:UpdateAssumeRolePolicy", a.role("deployer-push"), own}, {"iam:CreatePolicyVersion", policy("deployer-container-boundary"), nil}}},
		{"another's target group", deploy, request{"elasticloadbalancing:ModifyTargetGroup", targets, own},
			[]request{{"elasticloadbalancing:ModifyTargetGroup", targets, nil}, {"elasticloadbalancing:DeleteTargetGroup", targets, foreign}}},
		{"a target group that is claimed", deploy, request{"elasticloadbalancing:AddTags", targets, asked}.with(made),
			[]request{{"elasticloadbalancing:AddTags", targets, asked}, request{"elasticloadbalancing:AddTags", targets, tagKeys("Request", "full-2")}.with(made)}},
		{"another's hosts", deploy, request{"autoscaling:CreateAutoScalingGroup", group, asked}.with(numbered),
			[]request{request{"autoscaling:CreateAutoScalingGroup", neighbour(group), asked}.with(numbered), {"autoscaling:CreateAutoScalingGroup", group, asked}}},
		{"the hosts that another stack has tagged", deploy, request{"autoscaling:DeleteAutoScalingGroup", group, own}, []request{{"autoscaling:DeleteAutoScalingGroup", group, foreign}}},
		{"the scaling of something else", deploy, request{"application-autoscaling:RegisterScalableTarget", scalable, ecs},
			[]request{{"application-autoscaling:RegisterScalableTarget", scalable, keys("application-autoscaling:service-namespace", "dynamodb")}}},
		{"another's alarms", deploy, request{"cloudwatch:DeleteAlarms", tracking(fullName(clusterType, "containers-fargate")), nil},
			[]request{{"cloudwatch:DeleteAlarms", tracking("payments"), nil}}},
		{"a service's distribution that is claimed", deploy, request{"cloudfront:TagResource", distribution, asked}.with(nameKey("Request", component.NameTag(environmentOf("full"), "edge-service-preview"))),
			[]request{{"cloudfront:TagResource", distribution, asked}, request{"cloudfront:TagResource", distribution, asked}.with(nameKey("Request", "payments")),
				request{"cloudfront:TagResource", distribution, asked}.with(foreign, nameKey("Request", component.NameTag(environmentOf("full"), "edge-service-preview")))}},
		{"an endpoint with another's security group", deploy,
			request{"ec2:CreateVpcEndpoint", a.regional("ec2", "security-group/sg-1"), own}.with(nameKey("Resource", component.NameTag(environmentOf("full"), "network-endpoints"))),
			[]request{{"ec2:CreateVpcEndpoint", a.regional("ec2", "security-group/sg-1"), foreign}, {"ec2:CreateVpcEndpoint", a.regional("ec2", "security-group/sg-1"), nil}}},
		{"other service-linked roles", deploy, request{"iam:CreateServiceLinkedRole", "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", nil},
			[]request{{"iam:CreateServiceLinkedRole", "arn:aws:iam::123456789012:role/aws-service-role/organizations.amazonaws.com/x", nil}}},
		{"the value of a secret, by a preview", preview, request{"secretsmanager:DescribeSecret", secret, nil},
			[]request{{"secretsmanager:GetSecretValue", secret, nil}, {"secretsmanager:DescribeSecret", a.regional("secretsmanager", "secret:payments/key-a1B2c3"), nil}}},
		{"the value of a secret, by a deployment", deploy, request{"secretsmanager:DescribeSecret", secret, nil},
			[]request{{"secretsmanager:GetSecretValue", secret, nil}, {"ssm:GetParameters", a.regional("ssm", "parameter/cinema/token"), nil}}},
		{"an image, by a preview", preview, request{"ecr:DescribeImages", a.repository("demo"), nil},
			[]request{{"ecr:BatchGetImage", a.repository("demo"), nil}, {"ecr:PutImage", a.repository("demo"), nil}, {"ecr:GetAuthorizationToken", "*", nil}, {"ecr:DescribeImages", neighbour(a.repository("demo")), nil}}},
		{"another's tasks, by a preview", preview, request{"ecs:ListTasks", "*", keys("ecs:cluster", a.cluster("containers-fargate"))},
			[]request{{"ecs:ListTasks", "*", keys("ecs:cluster", a.regional("ecs", "cluster/payments"))}, {"ecs:UpdateService", a.service("demo"), nil}}},
	} {
		t.Run(c.kind, func(t *testing.T) {
			assert.True(t, may(t, c.of, c.needed), "refused: %s", c.needed)
			for _, e := range c.excluded {
				assert.False(t, may(t, c.of, e), "allowed: %s", e)
			}
		})
	}
}

func TestPreviewRoleOnlyReadsServices(t *testing.T) {
	r := planned(t, "full", withServices(onEC2))
	for _, st := range permissionsOf(t, r, "deployer-preview") {
		assert.Empty(t, notARead(st), "%s of %s", st.actions, st.on.Name)
	}
}

func TestPushRoleTrustsTagsOnly(t *testing.T) {
	const host = "token.actions.githubusercontent.com:"
	r := planned(t, "full", withServices(map[string]string{"cinema:deployer": `{"github":"octocat@12/films@34"}`}))
	assert.Equal(t, map[string]any{
		"StringEquals": map[string]any{host + "aud": "sts.amazonaws.com", host + "repository": "octocat/films", host + "repository_id": "34"},
		"StringLike":   map[string]any{host + "sub": "repo:octocat@12/films@34:ref:refs/tags/*", host + "ref": "refs/tags/*"},
	}, trustOf(t, r, "deployer-push")["Condition"])
	assert.Contains(t, fmt.Sprint(r.Export("pushRole")), ":role/"+fullName(roleType, "deployer-push"))

	token := func(sub, ref string) map[string]string {
		return map[string]string{host + "aud": "sts.amazonaws.com", host + "repository": "octocat/films", host + "repository_id": "34", host + "sub": "repo:octocat@12/films@34:" + sub, host + "ref": ref}
	}
	trusted := func(role string, claims map[string]string) bool {
		var conditions map[string]map[string]any
		text, err := json.Marshal(trustOf(t, r, role)["Condition"])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &conditions))
		return holds(t, conditions, claims)
	}
	tag := token("ref:refs/tags/v1", "refs/tags/v1")
	assert.True(t, trusted("deployer-push", tag))
	for _, role := range []string{"deployer-preview", "deployer-deploy"} {
		assert.False(t, trusted(role, tag), role)
	}
	for what, other := range map[string]map[string]string{
		"the branch": token("ref:refs/heads/main", "refs/heads/main"), "a pull request": token("pull_request", "refs/pull/1/merge"),
		"the environment": token("environment:production", "refs/heads/main"), "a tag in an environment": token("environment:production", "refs/tags/v1"),
	} {
		assert.False(t, trusted("deployer-push", other), what)
	}
	fork := maps.Clone(tag)
	fork[host+"sub"], fork[host+"repository"], fork[host+"repository_id"] = "repo:mallory/films:ref:refs/tags/v1", "mallory/films", "35"
	assert.False(t, trusted("deployer-push", fork), "another repository")
}

// IAM's limits, of what a plan registers: IAM user guide, "IAM and AWS STS quotas".
func TestRolesKeepIAMsLimits(t *testing.T) {
	r := planned(t, "full", withServices(onEC2))
	for _, role := range r.ByType(roleType) {
		inline, attached := 0, 0
		for _, p := range r.ByType(rolePolicy) {
			if p.Text("role") == role.ID {
				inline += len(p.Text("policy"))
			}
		}
		for _, a := range r.ByType(attachmentType) {
			if a.Text("role") == role.ID {
				attached++
			}
		}
		assert.LessOrEqual(t, inline, 10240, role.Name)
		assert.LessOrEqual(t, attached, 10, role.Name)
		assert.LessOrEqual(t, len(role.Text("assumeRolePolicy")), 2048, role.Name)
	}
	for _, p := range r.ByType(managedPolicyType) {
		assert.LessOrEqual(t, len(p.Text("policy")), 6144, p.Name)
	}
}

// What a deployment may add by itself, and what an administrator must.
func TestOnlyAnAdministratorWidensWhatServicesReach(t *testing.T) {
	none := map[string]string{"cinema:domain": twoServices()["cinema:domain"], "cinema:services": "{}"}
	further := func(service string) map[string]string {
		return with(`"demo": {`, `"further": `+service+`, "demo": {`)
	}
	for _, c := range []struct {
		name      string
		from, to  map[string]string
		different string // "" where a deployment may
	}{
		{"a service by path", twoServices(), further(`{"image": "v1", "path": "/further/*", "permissions": {"database": true}}`), ""},
		{"another image", twoServices(), with(`"image": "v1"`, `"image": "v2"`), ""},
		{"a service leaves", twoServices(), map[string]string{"cinema:domain": twoServices()["cinema:domain"], "cinema:services": `{"preview": {
			"image": "v1", "host": "preview.cinema.example.com", "secrets": {"TOKEN": "ssm:/cinema/token", "KEY": "secretsmanager:cinema/key"}}}`}, ""},
		{"a secret", twoServices(), with(`"TOKEN": "ssm:/cinema/token"`, `"TOKEN": "ssm:/cinema/other"`), "policy container-boundary"},
		{"a secret to look up", twoServices(), with(`secretsmanager:cinema/key`, `secretsmanager:cinema/other`),
			"policy container-boundary, inline policies of role preview, inline policies of role deploy"},
		{"a host", twoServices(), further(`{"image": "v1", "host": "further.cinema.example.com"}`), "policy services"},
		{"the last service leaves", twoServices(), none, "inline policies of role preview, inline policies of role deploy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			deployed := planned(t, "full", c.from)
			by := func(role string) *pulumitest.Recording {
				return run(t, "full", c.to, pulumitest.As(fullName(roleType, role), deployed))
			}
			if c.different == "" {
				require.NoError(t, by("deployer-deploy").Err)
				return
			}
			r := by("deployer-deploy")
			require.Error(t, r.Err)
			assert.Contains(t, r.Err.Error(), c.different)
			assert.Contains(t, r.Err.Error(), "only an administrator may change the deployer")
			assert.NoError(t, by("deployer-preview").Err, "it warns")
			assert.NoError(t, run(t, "full", c.to).Err, "an administrator's")
		})
	}
	// The first service makes policies that are not there.
	deployed := planned(t, "full", none)
	r := run(t, "full", twoServices(), pulumitest.As(fullName(roleType, "deployer-deploy"), deployed))
	require.Error(t, r.Err)
	assert.Contains(t, r.Err.Error(), "policy container-boundary (not found")
	assert.Contains(t, r.Err.Error(), "trust of role push (not found")
}
