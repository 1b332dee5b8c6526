package deployer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/iam"
	"cinema-database/internal/problem"
)

// Containers are the services in containers, as far as the deployer's policies depend on them. While there are none, it is
// nil and no policy mentions them. Whatever changes here is changed by an administrator.
type Containers struct {
	// Parameters and Secrets are the names of SSM parameters, with their slash, and of secrets of Secrets Manager whose values
	// tasks may start with.
	Parameters, Secrets []string
}

// On reports whether there is a service.
func (c *Containers) On() bool { return c != nil }

// A role takes no more managed policies than the deployer has without services, so that what services need is in inline
// policies of the roles.
const (
	// maxInlineLength is in characters, of all inline policies of a role (IAM user guide, "IAM and AWS STS quotas").
	maxInlineLength = 10240
	// inlineTag of a role is the digest of its inline policies: the AWS provider has no look-up for one.
	inlineTag = "InlinePolicies"
)

// pushRole is the end of the logical name of the role that pushes images.
const pushRole = "push"

const (
	containerBoundaryARN = "iam::{account}:policy/{policy:{component}-" + containerBoundaryName + "}"

	containerBoundaryName = "container-boundary"

	ecsPrefix             = "ecs:{region}:{account}:"
	clusterARN            = ecsPrefix + "cluster/{cluster:containers-*}"
	serviceARN            = ecsPrefix + "service/{cluster:containers-*}/{service:services-*}"
	serviceDeploymentARN  = ecsPrefix + "service-deployment/{cluster:containers-*}/{service:services-*}/*"
	taskARN               = ecsPrefix + "task/{cluster:containers-*}/*"
	containerInstanceARN  = ecsPrefix + "container-instance/{cluster:containers-*}/*"
	definitionARN         = ecsPrefix + "task-definition/{taskDefinition:containers-*}:*"
	capacityProviderARN   = ecsPrefix + "capacity-provider/{capacityProvider:containers-hosts}"
	repositoryARN         = "ecr:{region}:{account}:repository/{repository:containers-*}"
	scalableTargetARN     = "application-autoscaling:{region}:{account}:scalable-target/*"
	trackingAlarmARN      = "cloudwatch:{region}:{account}:alarm:TargetTracking-service/{cluster:containers-*}/*"
	containerLogGroupARN  = logGroupPrefix + "{logGroup:containers-*}*"
	anyGroupARN           = "autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{group:*}"
	anyLogSourceARN       = globalLogs + "delivery-source:{deliverySource:edge-*}"
	targetGroupARN        = elbPrefix + "targetgroup/*"
	serviceRoleARN        = rolePrefix + "{role:iam-service-*}"
	serviceLinkedRolePath = rolePrefix + "aws-service-role/"
)

// containerRoleARNs are the roles with the boundary of containers.
var containerRoleARNs = resources(serviceRoleARN, rolePrefix+"{role:iam-container-hosts}")

// pullActions read an image, pushActions also write one and tell which there are.
var (
	pullActions = actions("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
	pushActions = append(actions("ecr:CompleteLayerUpload", "ecr:DescribeImages", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"), pullActions...)
)

// pushGrants let a role push images to the stack's repositories. A tag in them cannot be moved.
var pushGrants = []grant{
	anyResource("ecr:GetAuthorizationToken"),
	{always, resources(repositoryARN), pushActions},
}

// containerTable is deployTable for the types that only services have.
var containerTable = map[string]resourceAccess{
	"aws:ecr/repository:Repository": {
		read: []grant{{always, resources(repositoryARN), actions("ecr:DescribeRepositories", "ecr:ListTagsForResource",
			"ecr:DescribeImages")}}, // a preview asks for the image that config names
		change: append(slices.Clone(pushGrants), grant{always, resources(repositoryARN), actions("ecr:CreateRepository", "ecr:TagResource", "ecr:UntagResource",
			"ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability", "ecr:DeleteRepository")})},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy": {
		read:   []grant{{always, resources(repositoryARN), actions("ecr:GetLifecyclePolicy")}},
		change: []grant{{always, resources(repositoryARN), actions("ecr:PutLifecyclePolicy", "ecr:DeleteLifecyclePolicy")}}},
	"aws:ecs/cluster:Cluster": {
		read: []grant{{always, resources(clusterARN), actions("ecs:DescribeClusters")}},
		change: []grant{
			{always, resources(clusterARN), actions("ecs:CreateCluster", "ecs:UpdateCluster", "ecs:UpdateClusterSettings", "ecs:TagResource", "ecs:UntagResource", "ecs:DeleteCluster")},
			// The account's first cluster, and its first service that scales.
			{always, resources(serviceLinkedRolePath+"ecs.amazonaws.com/*", serviceLinkedRolePath+"ecs.application-autoscaling.amazonaws.com/*"),
				actions("iam:CreateServiceLinkedRole")},
		}},
	"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {
		read:   []grant{{always, resources(clusterARN), actions("ecs:DescribeClusters")}},
		change: []grant{{always, resources(clusterARN), actions("ecs:PutClusterCapacityProviders")}}},
	"aws:ecs/capacityProvider:CapacityProvider": {
		read: []grant{{always, resources(capacityProviderARN), actions("ecs:DescribeCapacityProviders")}},
		change: []grant{{always, resources(capacityProviderARN), actions("ecs:CreateCapacityProvider", "ecs:UpdateCapacityProvider", "ecs:TagResource", "ecs:UntagResource",
			"ecs:DeleteCapacityProvider")}}},
	"aws:ecs/taskDefinition:TaskDefinition": {
		read: []grant{anyResource("ecs:DescribeTaskDefinition")},
		change: []grant{
			{always, resources(definitionARN), actions("ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UntagResource")},
			anyResource("ecs:DeregisterTaskDefinition"),
		}},
	"aws:ecs/service:Service": {
		read: []grant{
			{always, resources(serviceARN), actions("ecs:DescribeServices")},
			// The reasons of tasks that stopped.
			{ownCluster, resources("*"), actions("ecs:ListTasks")},
			{always, resources(taskARN), actions("ecs:DescribeTasks")},
		},
		change: []grant{
			{ownDefinition, resources(serviceARN), actions("ecs:CreateService", "ecs:UpdateService")},
			{always, resources(serviceARN), actions("ecs:TagResource", "ecs:UntagResource", "ecs:DeleteService")},
			// `release rollback`
			{always, resources(serviceARN), actions("ecs:ListServiceDeployments")},
			{always, resources(serviceDeploymentARN), actions("ecs:StopServiceDeployment")},
		}},
	// AWS checks no tags of a scalable target. For a new one and for a policy, it asks whether the caller may change the ECS
	// service and the alarms (Application Auto Scaling user guide, "Permissions validation for API calls on target resources").
	"aws:appautoscaling/target:Target": {
		read: []grant{anyResource("application-autoscaling:DescribeScalableTargets"), {always, resources(scalableTargetARN), actions("application-autoscaling:ListTagsForResource")}},
		change: []grant{
			{ecsTarget, resources(scalableTargetARN), actions("application-autoscaling:RegisterScalableTarget", "application-autoscaling:DeregisterScalableTarget")},
			{requestTagged, resources(scalableTargetARN), actions("application-autoscaling:TagResource")},
			{always, resources(scalableTargetARN), actions("application-autoscaling:UntagResource")},
		}},
	"aws:appautoscaling/policy:Policy": {
		read: []grant{anyResource("application-autoscaling:DescribeScalingPolicies")},
		change: []grant{
			{ecsTarget, resources(scalableTargetARN), actions("application-autoscaling:PutScalingPolicy", "application-autoscaling:DeleteScalingPolicy")},
			{always, resources(trackingAlarmARN), actions("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms")},
		}},
}

// containerGrants are what services need besides their own types: they are in inline policies too.
var containerGrants = []grant{
	{newTargetGroup, resources(targetGroupARN), actions("elasticloadbalancing:AddTags")},
	{createdWithinContainerBoundary, containerRoleARNs, actions("iam:CreateRole")},
	{withinContainerBoundary, containerRoleARNs, actions("iam:PutRolePolicy")},
	// The image in the launch template is a parameter, which EC2 reads for the caller.
	{always, resources("ssm:{region}::parameter/aws/service/ecs/optimized-ami/*"), actions("ssm:GetParameters")},
}

// partGrants are what services need of types in deployTable, by part.
var partGrants = map[part][]grant{
	// Interface endpoints have a security group, gateway endpoints have none.
	hostsPart: {{ownGroup, securityGroupARNs, actions("ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint")}},
	// The first service gives the API's rules other priorities.
	fleetPart: {{resourceTagged, loadBalancerARNs, actions("elasticloadbalancing:SetRulePriorities")},
		{resourceTagged, resources(groupARN), actions("autoscaling:SetInstanceProtection")}},
	edgePart: {{newServiceEdge, edgeARNs, actions("cloudfront:TagResource", "logs:TagResource")}},
}

// withServices extends a grant of deployTable to what services have of its type: the group of their hosts, log groups, sources
// of access logs, roles, and target groups, whose names are too short for the stack's. Those are limited by their tags alone, so
// none is claimed.
func withServices(g grant) grant {
	widened := grant{condition: g.condition, actions: g.actions}
	for _, arn := range g.resources {
		switch {
		case arn == groupARN:
			arn = anyGroupARN
		case arn == logSourceARN:
			arn = anyLogSourceARN
		case arn == apiTargetGroupARN && (g.condition == requestTagged || g.condition == resourceTagged):
			arn = targetGroupARN
		case arn == apiLogGroupARN:
			widened.resources = append(widened.resources, containerLogGroupARN)
		case arn == iamRoleARN && g.condition != withinBoundary && g.condition != createdWithinBoundary:
			widened.resources = append(widened.resources, serviceRoleARN)
		}
		widened.resources = append(widened.resources, arn)
	}
	return widened
}

// containerBoundaryGrants are everything that the roles of services and of their hosts do.
var containerBoundaryGrants = []grant{
	anyResource("ecr:GetAuthorizationToken", "ecs:DiscoverPollEndpoint", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
		"ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"),
	{always, resources(repositoryARN), pullActions},
	{always, resources(containerLogGroupARN), actions("logs:CreateLogStream", "logs:PutLogEvents")},
	{always, resources(clusterARN), actions("ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
		"ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange")},
	{always, resources(containerInstanceARN), actions("ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState")},
	{viaS3, resources(keyARN), actions("kms:Decrypt")},
	{ownAccount, resources("s3:::{bucket:storage-artifacts}/"+contract.CredentialsKey, "s3:::{bucket:storage-images}/*"), actions("s3:GetObject")},
	{ownAccount, resources("s3:::{bucket:storage-artifacts}", "s3:::{bucket:storage-images}"), actions("s3:ListBucket")},
}

// parameterARNs and secretARNs are what config names. Secrets Manager adds six characters to a secret's name.
func (c *Containers) parameterARNs() (arns []string) {
	for _, name := range c.Parameters {
		arns = append(arns, "ssm:{region}:{account}:parameter"+name)
	}
	return arns
}

func (c *Containers) secretARNs() (arns []string) {
	for _, name := range c.Secrets {
		arns = append(arns, "secretsmanager:{region}:{account}:secret:"+name+"-??????")
	}
	return arns
}

// on returns a grant on what config names, none where it names nothing.
func on(arns []string, names ...string) []grant {
	if len(arns) == 0 {
		return nil
	}
	return []grant{{always, arns, names}}
}

// inlinePolicies are the inline policies of the deployer's roles, by kind. Without services there are none.
func inlinePolicies(n names, problems *problem.List) map[string][]managedPolicy {
	if !n.containers.On() {
		return nil
	}
	var read, change []grant
	for _, typ := range slices.Sorted(maps.Keys(containerTable)) {
		read, change = append(read, containerTable[typ].read...), append(change, containerTable[typ].change...)
	}
	// A preview looks up each secret's ARN. Neither action tells its value.
	read = append(read, on(n.containers.secretARNs(), "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy")...)
	readPolicy := renderPolicy(problems, "read-containers", "", mergeGrants(n, read), maxInlineLength)
	changes := append(mergeGrants(n, append(change, containerGrants...)), passRole(n, "ecs-tasks.amazonaws.com", resources(serviceRoleARN)))
	inline := map[string][]managedPolicy{
		previewRole: {readPolicy},
		deployRole:  {readPolicy, renderPolicy(problems, "containers", "", changes, maxInlineLength)},
		pushRole:    {renderPolicy(problems, "images", "", mergeGrants(n, pushGrants), maxInlineLength)},
	}
	for _, kind := range slices.Sorted(maps.Keys(inline)) {
		length := 0
		for _, policy := range inline[kind] {
			length += len(policy.document)
		}
		if length > maxInlineLength {
			problems.Add("policies of role", kind, fmt.Sprintf("are %d characters long, and IAM takes %d", length, maxInlineLength), fewerSecrets)
		}
	}
	return inline
}

const fewerSecrets = "name fewer secrets in cinema:services"

// containerBoundary is the boundary of the roles of services and of their hosts: it names each secret.
func containerBoundary(n names, problems *problem.List) *managedPolicy {
	c := n.containers
	if !c.On() {
		return nil
	}
	grants := slices.Concat(containerBoundaryGrants, on(c.parameterARNs(), "ssm:GetParameters"), on(c.secretARNs(), "secretsmanager:GetSecretValue"))
	policy := renderPolicy(problems, containerBoundaryName, "The permissions boundary of the roles of services in containers", mergeGrants(n, grants), maxPolicyLength)
	return &policy
}

// inlineDigest identifies inline policies; "" for none.
func inlineDigest(inline []managedPolicy) string {
	if len(inline) == 0 {
		return ""
	}
	hash := sha256.New()
	for _, policy := range inline {
		fmt.Fprintf(hash, "%s\x00%s\x00", policy.name, policy.document) // never fails
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// pushTrust trusts the repository's tags.
func pushTrust(s *Settings) iam.Conditions {
	trust := iam.Conditions{"StringEquals": s.claims(map[string][]pulumi.StringInput{})}
	and(trust, "StringLike", githubHost+":sub", s.subject("ref:refs/tags/*"))
	return and(trust, "StringLike", githubHost+":ref", "refs/tags/*")
}

// ContainerDeployments is the deploy role's table of the types that only services have, sorted by type.
func ContainerDeployments() []Deployment { return deployments(containerTable) }
