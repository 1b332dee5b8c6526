package deployer

import (
	"cinema-database/app/contract"
	"cinema-database/edge"
)

// part is one of the deploy role's policies.
type part string

// The parts, in the order in which they are attached.
const (
	networkPart  part = "network"
	firewallPart part = "firewall"
	hostsPart    part = "hosts"
	fleetPart    part = "fleet"
	edgePart     part = "edge"
	dataPart     part = "data"
	servicesPart part = "services"
	identityPart part = "identity"
)

var policyParts = []part{networkPart, firewallPart, hostsPart, fleetPart, edgePart, dataPart, servicesPart, identityPart}

// condition is when a grant holds.
type condition int

const (
	// always: only the resource's name limits the grant.
	always condition = iota
	// requestTagged: the request tags the new resource as this stack's.
	requestTagged
	// resourceTagged: the resource is tagged as this stack's.
	resourceTagged
	// untaggedOrOwn: the request tags a resource as this stack's that no other stack has tagged. Alone it claims whatever has
	// no tags, so it is only for ARNs that name the stack.
	untaggedOrOwn
	// newCertificate, newEdge, newPlan, newKey and newDefaultGroup are untaggedOrOwn for resources whose ARNs name no stack, and whose
	// creation AWS does not tell from a claim. The request also gives the resource the name of the stack's own; a key has
	// no alias yet.
	newCertificate
	newEdge
	newPlan
	newKey
	newDefaultGroup
	// ownDefaultGroup: the resource is the default security group of the stack's VPC, and keeps its name.
	ownDefaultGroup
	// ownGroup: the resource is another security group of the stack. Whatever untagged group is claimed as the default one
	// cannot be opened, attached or deleted.
	ownGroup
	// ownVersion: the resource is tagged as this stack's, and the request names the number of its launch template's version.
	// With $Latest, a later version could bring another role, and nothing would check who may pass it.
	ownVersion
	// newVersion: requestTagged, and the request names the number of its launch template's version.
	newVersion
	// ownRecords: the request changes records of the stack's names only.
	ownRecords
	// withinBoundary: the role has the deployer's boundary, and is tagged as this stack's.
	withinBoundary
	// createdWithinBoundary: the new role gets the deployer's boundary, and the request tags it as this stack's.
	createdWithinBoundary
	// backupPolicyOnly: the policy is the AWS managed policy for AWS Backup, and the role has the boundary.
	backupPolicyOnly
	// taggedOnCreation: the call that creates the resource also tags it.
	taggedOnCreation
	// ownAccount: the resource is in the stack's account. A bucket's ARN does not say so.
	ownAccount
	// ownLogin: the instance is tagged as this stack's, and the key is for the operators' user.
	ownLogin
	// noOthers: the resource has no tags of another stack's. For what AWS makes with something else, and tags later or never.
	noOthers
	// backedUp: noOthers, for a snapshot that AWS Backup has made.
	backedUp
	// viaS3: S3 uses the key on the caller's behalf.
	viaS3
	// viaEC2: EBS uses the key on the caller's behalf.
	viaEC2
	// viaBackup: AWS Backup uses the key on the caller's behalf.
	viaBackup
	// ownCluster: the request names a cluster of the stack.
	ownCluster
	// ownDefinition: the request names no task definition, or one of the stack.
	ownDefinition
	// ecsTarget: what scales is an ECS service.
	ecsTarget
	// newTargetGroup: the call that creates the target group also tags it as this stack's.
	newTargetGroup
	// newServiceEdge is newEdge for the distributions of services.
	newServiceEdge
	// withinContainerBoundary and createdWithinContainerBoundary are withinBoundary and createdWithinBoundary with the boundary of
	// services in containers.
	withinContainerBoundary
	createdWithinContainerBoundary
)

// grant allows actions on resources under a condition. Resources are ARNs without "arn:<partition>:"; "*" where the
// actions take none. An ARN may hold {region}, {account}, {component} (the deployer's logical name) and physical names:
// {role:mirror-role} is the name of the role with that logical name, {role:iam-*} the pattern for all roles whose
// logical names start with iam-.
type grant struct {
	condition condition
	resources []string
	actions   []string
}

// namedTypes are the resource types whose physical names ARNs hold.
var namedTypes = map[string]string{
	"alarm":               "aws:cloudwatch/metricAlarm:MetricAlarm",
	"alias":               "aws:kms/alias:Alias",
	"bucket":              "aws:s3/bucketV2:BucketV2",
	"deliveryDestination": "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination",
	"deliverySource":      "aws:cloudwatch/logDeliverySource:LogDeliverySource",
	"firewall":            "aws:wafv2/webAcl:WebAcl",
	"budget":              "aws:budgets/budget:Budget",
	"dashboard":           "aws:cloudwatch/dashboard:Dashboard",
	"function":            "aws:lambda/function:Function",
	"group":               "aws:autoscaling/group:Group",
	"instanceProfile":     "aws:iam/instanceProfile:InstanceProfile",
	"loadBalancer":        "aws:lb/loadBalancer:LoadBalancer",
	"logGroup":            "aws:cloudwatch/logGroup:LogGroup",
	"policy":              "aws:iam/policy:Policy",
	"queue":               "aws:sqs/queue:Queue",
	"role":                "aws:iam/role:Role",
	"targetGroup":         "aws:lb/targetGroup:TargetGroup",
	"rule":                "aws:cloudwatch/eventRule:EventRule",
	"topic":               "aws:sns/topic:Topic",
	"vault":               "aws:backup/vault:Vault",

	"capacityProvider": "aws:ecs/capacityProvider:CapacityProvider",
	"cluster":          "aws:ecs/cluster:Cluster",
	"repository":       "aws:ecr/repository:Repository",
	"service":          "aws:ecs/service:Service",
	"taskDefinition":   "aws:ecs/taskDefinition:TaskDefinition",
}

// resourceAccess is what a deployment does with one resource type: what terraform-provider-aws 5.100 calls to read,
// create, update, delete and tag it.
type resourceAccess struct {
	part part
	// read takes no tag condition: a preview must find a resource even where its tags were lost.
	read []grant
	// change is everything else.
	change []grant
	// byHand says why the deploy role changes nothing of this type.
	byHand string
}

func resources(arns ...string) []string { return arns }

func actions(names ...string) []string { return names }

// anyResource allows actions that take no resource.
func anyResource(actions ...string) grant { return grant{always, resources("*"), actions} }

const (
	globalFirewall = "wafv2:" + edge.GlobalRegion + ":{account}:global/"
	globalLogs     = "logs:" + edge.GlobalRegion + ":{account}:"
	ec2Prefix      = "ec2:{region}:{account}:"
	elbPrefix      = "elasticloadbalancing:{region}:{account}:"
	functionPrefix = "lambda:{region}:{account}:function:"
	logGroupPrefix = "logs:{region}:{account}:log-group:"
	rolePrefix     = "iam::{account}:role/"

	// Alarms, rules, topics and certificates of the edge are in another region than the stack.
	alarmARN       = "cloudwatch:*:{account}:alarm:{alarm:monitoring-*}"
	aliasARN       = "kms:{region}:{account}:{alias:iam-credentials}"
	apiLogGroupARN = logGroupPrefix + "{logGroup:api-logs}*"
	certificateARN = "acm:*:{account}:certificate/*"
	budgetARN      = "budgets::{account}:budget/{budget:monitoring-budget}"
	dashboardARN   = "cloudwatch::{account}:dashboard/{dashboard:monitoring-dashboard}"
	groupARN       = "autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{group:api-group}" // after the group's id
	iamRoleARN     = rolePrefix + "{role:iam-*}"
	keyARN         = "kms:{region}:{account}:key/*"
	logSourceARN   = globalLogs + "delivery-source:{deliverySource:edge-logs}"
	mirrorARN      = functionPrefix + "{function:mirror-function}"
	queueARN       = "sqs:{region}:{account}:{queue:thumbnailer-failures}"
	ruleARN        = "events:*:{account}:rule/{rule:monitoring-on-*}"
	topicARN       = "sns:*:{account}:{topic:monitoring-*}"
	vaultARN       = "backup:*:{account}:backup-vault:{vault:backup-*}" // the copies' is in another region

	apiTargetGroupARN = elbPrefix + "targetgroup/{targetGroup:api-*}/*"
	boundaryARN       = "iam::{account}:policy/{policy:{component}-boundary}"
	deployerPolicyARN = "iam::{account}:policy/{policy:{component}-*}"
	deployerRoleARN   = rolePrefix + "{role:{component}-*}"

	storageBucketARN = "s3:::{bucket:storage-*}"
	replicaBucketARN = "s3:::{bucket:replica-images}"
)

// taggedEC2ARNs are the kinds of EC2 resources that the stack tags, except security groups.
var taggedEC2ARNs = resources(ec2Prefix+"elastic-ip/*", ec2Prefix+"instance/*", ec2Prefix+"internet-gateway/*", ec2Prefix+"launch-template/*", ec2Prefix+"natgateway/*", ec2Prefix+"network-acl/*",
	ec2Prefix+"route-table/*", ec2Prefix+"subnet/*", ec2Prefix+"volume/*", ec2Prefix+"vpc-endpoint/*",
	ec2Prefix+"vpc-flow-log/*", ec2Prefix+"vpc/*")

// The logical names of resources that are claimed by their tag Name.
const (
	defaultGroupName = "network-default"
	planName         = "backup-daily"
)

var (
	certificateNames = []string{"domain-certificate", "domain-edge-certificate"}
	edgeNames        = []string{"edge-api-http", "edge-api-https", "edge-distribution", "edge-logs"}
)

// securityGroupARNs are apart from the other EC2 resources: not every own group may be changed alike.
var securityGroupARNs = resources(ec2Prefix + "security-group/*")

// The stack's buckets, and the objects in them that a deployment writes: neither the credentials object nor images.
var (
	bucketARNs         = resources(storageBucketARN, replicaBucketARN)
	deployedObjectARNs = resources("s3:::{bucket:storage-artifacts}/"+contract.ReleasesPrefix+"*", "s3:::{bucket:storage-artifacts}/"+contract.MembersKey, "s3:::{bucket:storage-site}/*")
)

// loadBalancerARNs are the public and the internal load balancer, their listeners and rules, and their target groups. Ids
// follow the names; IAM's * also matches slashes.
var loadBalancerARNs = resources(elbPrefix+"loadbalancer/app/{loadBalancer:api-*}/*", elbPrefix+"listener/app/{loadBalancer:api-*}/*",
	elbPrefix+"listener-rule/app/{loadBalancer:api-*}/*", apiTargetGroupARN)

// What the edge has. The web ACL and the log's source and destination have names; a distribution, a VPC origin and a delivery
// have ids only, and tags.
var (
	edgeARNs     = resources("cloudfront::{account}:distribution/*", "cloudfront::{account}:vpcorigin/*", globalLogs+"delivery:*")
	firewallARN  = globalFirewall + "webacl/{firewall:edge-firewall}/*"
	logStreams   = resources(logSourceARN, globalLogs+"delivery-destination:{deliveryDestination:edge-logs}")
	firewallLogs = resources(globalLogs + "log-group:" + edge.FirewallLogGroup("{logGroup:edge-firewall}") + "*")
)

// The roles that the stack creates, and the one to which an AWS managed policy is attached.
var (
	roleARNs = resources(rolePrefix+"{role:backup-role}", iamRoleARN, rolePrefix+"{role:mirror-role}", rolePrefix+"{role:network-flow-logs}",
		rolePrefix+"{role:replica-role}", rolePrefix+"{role:thumbnailer-role}")
	backupRoleARNs      = resources(rolePrefix + "{role:backup-role}")
	instanceProfileARNs = resources("iam::{account}:instance-profile/{instanceProfile:iam-*}")
)

var functionARNs = resources(mirrorARN, functionPrefix+"{function:thumbnailer-function}")

// logGroupARNs end in a wildcard, because some actions take a group's ARN with ":*" after it.
var logGroupARNs = resources(logGroupPrefix+"/aws/lambda/{function:mirror-function}*", logGroupPrefix+"/aws/lambda/{function:thumbnailer-function}*",
	logGroupPrefix+"{logGroup:network-flow-logs}*", apiLogGroupARN)

const onlyAdministrators = "the deploy role must not extend its own permissions: an administrator changes the deployer"

// taggedEC2 is the common case of EC2: created with tags, changed by them. further are grants for other resources that
// its actions touch.
func taggedEC2(p part, kind, create string, read, change []string, further ...grant) resourceAccess {
	return resourceAccess{
		part: p,
		read: []grant{anyResource(read...), attributeReads[kind]},
		change: append([]grant{
			{requestTagged, resources(ec2Prefix + kind + "/*"), actions(create)},
			{resourceTagged, taggedEC2ARNs, change},
			{taggedOnCreation, resources(ec2Prefix + kind + "/*"), actions("ec2:CreateTags")},
			{resourceTagged, taggedEC2ARNs, actions("ec2:CreateTags", "ec2:DeleteTags")},
		}, further...),
	}
}

// attributeReads are the reads of EC2 that take an ARN, by kind. An instance's user data is one of its attributes, so those
// of other stacks are not read.
var attributeReads = map[string]grant{
	"instance": {resourceTagged, resources(ec2Prefix + "instance/*"), actions("ec2:DescribeInstanceAttribute")},
	"vpc":      {always, resources(ec2Prefix + "vpc/*"), actions("ec2:DescribeVpcAttribute")},
}

// onOwnEC2 allows EC2 actions on what the stack already has.
func onOwnEC2(actions ...string) grant { return grant{resourceTagged, taggedEC2ARNs, actions} }

// bucketSetting is a property of a bucket that the provider treats as a resource.
func bucketSetting(read []string, change ...string) resourceAccess {
	return resourceAccess{part: dataPart, read: []grant{{always, bucketARNs, read}}, change: []grant{{ownAccount, bucketARNs, change}}}
}

// deployTable is what a deployment needs, by resource type. What a first deployment, an unchanged preview and a destroy do not
// use is for what docs/operations.md and README.md describe: a release, its roll-back and the gate's look (autoscaling, the
// launch template's versions, target health, lambda:Update…), another size, CIDR, limit or schedule (Modify…, Set…, Replace…,
// Update…), changed tags (…Tags, Untag…), a budget, a restore, the end of a backup vault (backup:…RecoveryPoint…), the
// account's quotas, and the first resource of its kind in an account (iam:CreateServiceLinkedRole).
//
// Actions, and the conditions that AWS evaluates for them: Service Authorization Reference, each service's page.
var deployTable = map[string]resourceAccess{
	"aws:ec2/vpc:Vpc": taggedEC2(networkPart, "vpc", "ec2:CreateVpc",
		actions("ec2:DescribeVpcs", "ec2:DescribeNetworkAcls", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups"),
		actions("ec2:ModifyVpcAttribute", "ec2:DeleteVpc")),
	"aws:ec2/subnet:Subnet": taggedEC2(networkPart, "subnet", "ec2:CreateSubnet",
		actions("ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces"),
		actions("ec2:DeleteSubnet"), onOwnEC2("ec2:CreateSubnet")),
	"aws:ec2/internetGateway:InternetGateway": taggedEC2(networkPart, "internet-gateway", "ec2:CreateInternetGateway",
		actions("ec2:DescribeInternetGateways"),
		actions("ec2:AttachInternetGateway", "ec2:DetachInternetGateway", "ec2:DeleteInternetGateway")),
	"aws:ec2/natGateway:NatGateway": taggedEC2(networkPart, "natgateway", "ec2:CreateNatGateway",
		actions("ec2:DescribeNatGateways"),
		actions("ec2:DeleteNatGateway"), onOwnEC2("ec2:CreateNatGateway")),
	"aws:ec2/eip:Eip": taggedEC2(networkPart, "elastic-ip", "ec2:AllocateAddress",
		actions("ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute"),
		actions("ec2:AssociateAddress", "ec2:DisassociateAddress", "ec2:ReleaseAddress"),
		// An instance's first network interface has no tags.
		grant{noOthers, resources(ec2Prefix + "network-interface/*"), actions("ec2:AssociateAddress", "ec2:DisassociateAddress")}),
	"aws:ec2/routeTable:RouteTable": taggedEC2(networkPart, "route-table", "ec2:CreateRouteTable",
		actions("ec2:DescribeRouteTables"),
		actions("ec2:DeleteRouteTable"), onOwnEC2("ec2:CreateRouteTable")),
	"aws:ec2/route:Route": {part: networkPart,
		read:   []grant{anyResource("ec2:DescribeRouteTables")},
		change: []grant{onOwnEC2("ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute")}},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {part: networkPart,
		read:   []grant{anyResource("ec2:DescribeRouteTables")},
		change: []grant{onOwnEC2("ec2:AssociateRouteTable", "ec2:DisassociateRouteTable")}},
	"aws:ec2/networkAcl:NetworkAcl": taggedEC2(firewallPart, "network-acl", "ec2:CreateNetworkAcl",
		actions("ec2:DescribeNetworkAcls"),
		actions("ec2:CreateNetworkAclEntry", "ec2:ReplaceNetworkAclEntry", "ec2:DeleteNetworkAclEntry", "ec2:ReplaceNetworkAclAssociation", "ec2:DeleteNetworkAcl"),
		onOwnEC2("ec2:CreateNetworkAcl"),
		// A removed subnet returns to the VPC's default ACL, which has no tags; the subnet has.
		grant{always, resources(ec2Prefix + "network-acl/*"), actions("ec2:ReplaceNetworkAclAssociation")}),
	"aws:ec2/securityGroup:SecurityGroup": {part: firewallPart,
		read: []grant{anyResource("ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces")},
		change: []grant{
			{requestTagged, securityGroupARNs, actions("ec2:CreateSecurityGroup")},
			onOwnEC2("ec2:CreateSecurityGroup"),
			{taggedOnCreation, securityGroupARNs, actions("ec2:CreateTags")},
			// AWS creates a group with a rule that allows all egress, which the provider removes.
			{ownGroup, securityGroupARNs, actions("ec2:RevokeSecurityGroupEgress", "ec2:DeleteSecurityGroup", "ec2:CreateTags", "ec2:DeleteTags")},
		}},
	"aws:ec2/securityGroupRule:SecurityGroupRule": {part: firewallPart,
		read: []grant{anyResource("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules")},
		change: []grant{
			{ownGroup, securityGroupARNs, actions("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
				"ec2:RevokeSecurityGroupEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress", "ec2:UpdateSecurityGroupRuleDescriptionsEgress")},
			// The new rule has no tags; its group has.
			{always, resources(ec2Prefix + "security-group-rule/*"), actions("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress")},
		}},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {part: firewallPart,
		read: []grant{anyResource("ec2:DescribeSecurityGroups")},
		change: []grant{
			// AWS creates it with the VPC, without tags.
			{newDefaultGroup, securityGroupARNs, actions("ec2:CreateTags")},
			{ownDefaultGroup, securityGroupARNs, actions("ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:CreateTags", "ec2:DeleteTags")},
		}},
	"aws:ec2/flowLog:FlowLog": taggedEC2(networkPart, "vpc-flow-log", "ec2:CreateFlowLogs",
		actions("ec2:DescribeFlowLogs"), actions("ec2:DeleteFlowLogs"), onOwnEC2("ec2:CreateFlowLogs")),
	"aws:ec2/vpcEndpoint:VpcEndpoint": taggedEC2(networkPart, "vpc-endpoint", "ec2:CreateVpcEndpoint",
		actions("ec2:DescribeVpcEndpoints", "ec2:DescribePrefixLists"),
		actions("ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints"), onOwnEC2("ec2:CreateVpcEndpoint")),

	"aws:ec2/instance:Instance": taggedEC2(hostsPart, "instance", "ec2:RunInstances",
		actions("ec2:DescribeInstances", "ec2:DescribeInstanceCreditSpecifications", "ec2:DescribeInstanceTypes",
			"ec2:DescribeVolumes", "ec2:DescribeImages", "ec2:DescribeTags", "ec2:DescribeNetworkInterfaces"),
		actions("ec2:ModifyInstanceAttribute", "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances"),
		onOwnEC2("ec2:RunInstances", "ec2:ModifyVolume"),
		grant{ownGroup, securityGroupARNs, actions("ec2:RunInstances", "ec2:ModifyInstanceAttribute")},
		// A volume that is started with an instance is tagged with it. No snapshot: a volume made of another stack's would
		// show its data.
		grant{always, resources("ec2:{region}::image/*", ec2Prefix+"volume/*"), actions("ec2:RunInstances")},
		grant{noOthers, resources(ec2Prefix + "network-interface/*"), actions("ec2:RunInstances")},
		grant{taggedOnCreation, resources(ec2Prefix + "volume/*"), actions("ec2:CreateTags")}),
	"aws:ec2/launchTemplate:LaunchTemplate": taggedEC2(hostsPart, "launch-template", "ec2:CreateLaunchTemplate",
		actions("ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"),
		actions("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", "ec2:DeleteLaunchTemplate"),
		// The caller that sets a group's template needs the permissions to start and tag what is in it (EC2 Auto Scaling
		// user guide, "Launch template support"); instances and volumes are granted with their own types.
		grant{taggedOnCreation, resources(ec2Prefix + "network-interface/*"), actions("ec2:CreateTags")}),
	"aws:ebs/volume:Volume": taggedEC2(hostsPart, "volume", "ec2:CreateVolume",
		actions("ec2:DescribeVolumes"), actions("ec2:ModifyVolume", "ec2:DeleteVolume"),
		// A restore creates the volume from a snapshot of the stack's backups.
		grant{resourceTagged, resources("ec2:{region}::snapshot/*"), actions("ec2:CreateVolume")}),
	"aws:ec2/volumeAttachment:VolumeAttachment": {part: hostsPart,
		read:   []grant{anyResource("ec2:DescribeVolumes", "ec2:DescribeInstances")},
		change: []grant{onOwnEC2("ec2:AttachVolume", "ec2:DetachVolume", "ec2:StopInstances")}},
	"aws:autoscaling/group:Group": {part: fleetPart,
		read: []grant{anyResource("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeScalingActivities", "autoscaling:DescribeInstanceRefreshes",
			"elasticloadbalancing:DescribeTargetHealth")},
		change: []grant{
			{newVersion, resources(groupARN), actions("autoscaling:CreateAutoScalingGroup")},
			{untaggedOrOwn, resources(groupARN), actions("autoscaling:CreateOrUpdateTags")},
			{ownVersion, resources(groupARN), actions("autoscaling:UpdateAutoScalingGroup")},
			{resourceTagged, resources(groupARN), actions("autoscaling:DeleteAutoScalingGroup", "autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags",
				"autoscaling:EnableMetricsCollection", "autoscaling:CancelInstanceRefresh",
				// AWS tells no policy which version a refresh is asked for (docs/security.md, "Known limits").
				"autoscaling:RollbackInstanceRefresh", "autoscaling:StartInstanceRefresh")},
			// The account's first group, load balancer, plan, or alarm that acts on an instance creates the service-linked role.
			{always, resources(rolePrefix+"aws-service-role/autoscaling.amazonaws.com/*", rolePrefix+"aws-service-role/elasticloadbalancing.amazonaws.com/*",
				rolePrefix+"aws-service-role/backup.amazonaws.com/*", rolePrefix+"aws-service-role/events.amazonaws.com/*"),
				actions("iam:CreateServiceLinkedRole")},
		}},
	"aws:autoscaling/policy:Policy": {part: fleetPart,
		read:   []grant{anyResource("autoscaling:DescribePolicies")},
		change: []grant{{resourceTagged, resources(groupARN), actions("autoscaling:PutScalingPolicy", "autoscaling:DeletePolicy")}}},
	"aws:autoscaling/attachment:Attachment": {part: fleetPart,
		read:   []grant{anyResource("autoscaling:DescribeAutoScalingGroups")},
		change: []grant{{resourceTagged, resources(groupARN), actions("autoscaling:AttachLoadBalancerTargetGroups", "autoscaling:DetachLoadBalancerTargetGroups")}}},
	"aws:lb/loadBalancer:LoadBalancer": {part: fleetPart,
		read: []grant{anyResource("elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeTags",
			"elasticloadbalancing:DescribeCapacityReservation")},
		change: loadBalancing("elasticloadbalancing:CreateLoadBalancer",
			"elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:SetSubnets", "elasticloadbalancing:DeleteLoadBalancer")},
	"aws:lb/targetGroup:TargetGroup": {part: fleetPart,
		read: []grant{anyResource("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTags")},
		change: loadBalancing("elasticloadbalancing:CreateTargetGroup",
			"elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:DeleteTargetGroup")},
	"aws:lb/listener:Listener": {part: fleetPart,
		read: []grant{anyResource("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeListenerAttributes", "elasticloadbalancing:DescribeTags")},
		change: loadBalancing("",
			"elasticloadbalancing:ModifyListener", "elasticloadbalancing:DeleteListener",
			"elasticloadbalancing:CreateListener")},
	"aws:lb/listenerRule:ListenerRule": {part: fleetPart,
		read: []grant{anyResource("elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags")},
		change: loadBalancing("",
			"elasticloadbalancing:ModifyRule", "elasticloadbalancing:DeleteRule", "elasticloadbalancing:CreateRule")},
	"aws:cloudfront/distribution:Distribution": {part: edgePart,
		// A distribution's headers to its origins can be secrets, so those of other stacks are not read.
		read: []grant{{resourceTagged, resources("cloudfront::{account}:distribution/*"), actions("cloudfront:GetDistribution")}, {always, edgeARNs, actions("cloudfront:ListTagsForResource")}},
		change: []grant{
			{requestTagged, resources("*"), actions("cloudfront:CreateDistribution")}, // takes no resource
			{newEdge, edgeARNs, actions("cloudfront:TagResource")},
			{resourceTagged, edgeARNs, actions("cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution", "cloudfront:TagResource", "cloudfront:UntagResource")},
		}},
	"aws:cloudfront/vpcOrigin:VpcOrigin": {part: edgePart,
		read: []grant{{always, edgeARNs, actions("cloudfront:GetVpcOrigin", "cloudfront:ListTagsForResource")}},
		change: []grant{
			{requestTagged, resources("*"), actions("cloudfront:CreateVpcOrigin")}, // takes no resource
			{newEdge, edgeARNs, actions("cloudfront:TagResource")},
			{resourceTagged, edgeARNs, actions("cloudfront:DeleteVpcOrigin")},
			// The account's first VPC origin, and its first logged web ACL.
			{always, resources(rolePrefix+"aws-service-role/vpcorigin.cloudfront.amazonaws.com/*", rolePrefix+"aws-service-role/wafv2.amazonaws.com/*"), actions("iam:CreateServiceLinkedRole")},
		}},
	// These two have ids only, and no tags. CloudFront deletes them only while nothing uses them; the program changes neither.
	"aws:cloudfront/originAccessControl:OriginAccessControl": {part: edgePart,
		read: []grant{{always, resources("cloudfront::{account}:origin-access-control/*"), actions("cloudfront:GetOriginAccessControl")}},
		change: []grant{
			{always, resources("*"), actions("cloudfront:CreateOriginAccessControl")}, // takes no resource
			{always, resources("cloudfront::{account}:origin-access-control/*"), actions("cloudfront:DeleteOriginAccessControl")},
		}},
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": {part: edgePart,
		read: []grant{{always, resources("cloudfront::{account}:response-headers-policy/*"), actions("cloudfront:GetResponseHeadersPolicy")}},
		change: []grant{
			{always, resources("*"), actions("cloudfront:CreateResponseHeadersPolicy")}, // takes no resource
			{always, resources("cloudfront::{account}:response-headers-policy/*"), actions("cloudfront:DeleteResponseHeadersPolicy")},
		}},
	"aws:cloudfront/monitoringSubscription:MonitoringSubscription": {part: edgePart,
		read:   []grant{anyResource("cloudfront:GetMonitoringSubscription")},
		change: []grant{anyResource("cloudfront:CreateMonitoringSubscription", "cloudfront:DeleteMonitoringSubscription")}},
	"aws:wafv2/webAcl:WebAcl": {part: edgePart,
		read: []grant{{always, resources(firewallARN), actions("wafv2:GetWebACL", "wafv2:ListTagsForResource")}},
		change: []grant{
			{always, resources(firewallARN), actions("wafv2:CreateWebACL", "wafv2:UpdateWebACL", "wafv2:DeleteWebACL", "wafv2:TagResource", "wafv2:UntagResource")},
			{always, resources(globalFirewall + "managedruleset/*"), actions("wafv2:CreateWebACL", "wafv2:UpdateWebACL")},
		}},
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {part: edgePart,
		read: []grant{{always, resources(firewallARN), actions("wafv2:GetLoggingConfiguration")}, {always, firewallLogs, actions("logs:ListTagsForResource")}},
		change: []grant{
			{always, resources(firewallARN), actions("wafv2:PutLoggingConfiguration", "wafv2:DeleteLoggingConfiguration")},
			// AWS WAF lets itself write to the log group on the caller's behalf (AWS WAF developer guide, "Permissions to publish logs
			// to CloudWatch Logs").
			anyResource("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"),
			{always, firewallLogs, actions("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource", "logs:DeleteLogGroup")},
		}},
	"aws:cloudwatch/logDeliverySource:LogDeliverySource": {part: edgePart,
		read: []grant{{always, logStreams, actions("logs:GetDeliverySource", "logs:ListTagsForResource")}},
		change: []grant{
			{always, logStreams, actions("logs:PutDeliverySource", "logs:DeleteDeliverySource", "logs:TagResource", "logs:UntagResource")},
			{resourceTagged, edgeARNs, actions("cloudfront:AllowVendedLogDeliveryForResource")},
		}},
	"aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": {part: edgePart,
		read:   []grant{{always, logStreams, actions("logs:GetDeliveryDestination", "logs:ListTagsForResource")}},
		change: []grant{{always, logStreams, actions("logs:PutDeliveryDestination", "logs:DeleteDeliveryDestination", "logs:TagResource", "logs:UntagResource")}}},
	"aws:cloudwatch/logDelivery:LogDelivery": {part: edgePart,
		read: []grant{{always, edgeARNs, actions("logs:GetDelivery", "logs:ListTagsForResource")}},
		change: []grant{
			{always, logStreams, actions("logs:CreateDelivery")},
			{requestTagged, edgeARNs, actions("logs:CreateDelivery")},
			{newEdge, edgeARNs, actions("logs:TagResource")},
			{resourceTagged, edgeARNs, actions("logs:DeleteDelivery", "logs:TagResource", "logs:UntagResource")},
		}},
	"aws:acm/certificate:Certificate": {part: servicesPart,
		read: []grant{{always, resources(certificateARN), actions("acm:DescribeCertificate", "acm:ListTagsForCertificate")}},
		change: []grant{
			{requestTagged, resources("*"), actions("acm:RequestCertificate")}, // takes no resource
			{newCertificate, resources(certificateARN), actions("acm:AddTagsToCertificate")},
			{resourceTagged, resources(certificateARN), actions("acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate", "acm:DeleteCertificate")},
		}},
	"aws:acm/certificateValidation:CertificateValidation": {part: servicesPart,
		read:   []grant{{always, resources(certificateARN), actions("acm:DescribeCertificate")}},
		byHand: "it only waits for the certificate"},

	"aws:s3/bucketV2:BucketV2": {part: dataPart,
		// The provider reads every property of a bucket, set or not.
		read: []grant{{always, bucketARNs, actions("s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketTagging", "s3:GetBucketAcl", "s3:GetBucketCORS",
			"s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy", "s3:GetBucketRequestPayment", "s3:GetBucketVersioning",
			"s3:GetBucketWebsite", "s3:GetAccelerateConfiguration", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration")}},
		change: []grant{
			{ownAccount, bucketARNs, actions("s3:CreateBucket", "s3:PutBucketTagging", "s3:DeleteBucket", "s3:ListBucketVersions")},
			// With cinema:protect off, destroying a bucket empties it.
			{ownAccount, resources(storageBucketARN+"/*", replicaBucketARN+"/*"), actions("s3:DeleteObject", "s3:DeleteObjectVersion")},
		}},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       bucketSetting(actions("s3:GetLifecycleConfiguration"), "s3:PutLifecycleConfiguration"),
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     bucketSetting(actions("s3:GetBucketLogging"), "s3:PutBucketLogging"),
	"aws:s3/bucketNotification:BucketNotification":                                               bucketSetting(actions("s3:GetBucketNotification"), "s3:PutBucketNotification"),
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     bucketSetting(actions("s3:GetBucketOwnershipControls"), "s3:PutBucketOwnershipControls"),
	"aws:s3/bucketPolicy:BucketPolicy":                                                           bucketSetting(actions("s3:GetBucketPolicy"), "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     bucketSetting(actions("s3:GetBucketPublicAccessBlock"), "s3:PutBucketPublicAccessBlock"),
	"aws:s3/bucketReplicationConfig:BucketReplicationConfig":                                     bucketSetting(actions("s3:GetReplicationConfiguration"), "s3:PutReplicationConfiguration"),
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": bucketSetting(actions("s3:GetEncryptionConfiguration"), "s3:PutEncryptionConfiguration"),
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               bucketSetting(actions("s3:GetBucketVersioning"), "s3:PutBucketVersioning"),
	"aws:s3/bucketObjectv2:BucketObjectv2": {part: dataPart,
		read: []grant{
			{always, deployedObjectARNs, actions("s3:GetObject", "s3:GetObjectTagging")},
			// What the database hosts report: the gates wait for it, and a preview says which member is the primary.
			{always, resources("s3:::{bucket:storage-artifacts}/" + contract.StatusPrefix + "*"), actions("s3:GetObject")},
		},
		change: []grant{
			{ownAccount, deployedObjectARNs, actions("s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject", "s3:DeleteObjectVersion")},
		}},
	"aws:kms/key:Key": {part: dataPart,
		read: []grant{{always, resources(keyARN), actions("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags")}},
		change: []grant{
			{requestTagged, resources("*"), actions("kms:CreateKey")}, // takes no resource
			{newKey, resources(keyARN), actions("kms:TagResource")},
			{resourceTagged, resources(keyARN), actions("kms:TagResource", "kms:UntagResource", "kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:UpdateKeyDescription",
				"kms:ScheduleKeyDeletion")},
		}},
	"aws:kms/alias:Alias": {part: dataPart,
		read: []grant{anyResource("kms:ListAliases")},
		change: []grant{
			{always, resources(aliasARN), actions("kms:CreateAlias", "kms:DeleteAlias")},
			{resourceTagged, resources(keyARN), actions("kms:CreateAlias", "kms:DeleteAlias")},
		}},
	"aws:backup/vault:Vault": {part: dataPart,
		read: []grant{{always, resources(vaultARN), actions("backup:DescribeBackupVault", "backup:ListTags", "backup:ListRecoveryPointsByBackupVault")}},
		change: []grant{
			{always, resources(vaultARN), actions("backup:CreateBackupVault", "backup:TagResource", "backup:UntagResource", "backup:DeleteBackupVault")},
			// With cinema:protect off, destroying the vault empties it; a recovery point of a volume is a snapshot.
			{resourceTagged, resources("ec2:*::snapshot/*"), actions("backup:DeleteRecoveryPoint", "backup:DescribeRecoveryPoint")},
			{always, resources("*"), actions("backup-storage:MountCapsule")}, // takes no resource
			{viaBackup, resources("kms:*:{account}:key/*"), actions("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant")},
		}},
	"aws:backup/plan:Plan": {part: dataPart,
		read: []grant{{always, resources("backup:{region}:{account}:backup-plan:*"), actions("backup:GetBackupPlan", "backup:ListTags")}},
		change: []grant{
			{requestTagged, resources("backup:{region}:{account}:backup-plan:*"), actions("backup:CreateBackupPlan")},
			{newPlan, resources("backup:{region}:{account}:backup-plan:*"), actions("backup:TagResource")},
			{resourceTagged, resources("backup:{region}:{account}:backup-plan:*"), actions("backup:UpdateBackupPlan", "backup:DeleteBackupPlan", "backup:TagResource", "backup:UntagResource")},
		}},
	"aws:backup/selection:Selection": {part: dataPart,
		read:   []grant{{always, resources("backup:{region}:{account}:backup-plan:*"), actions("backup:GetBackupSelection")}},
		change: []grant{{resourceTagged, resources("backup:{region}:{account}:backup-plan:*"), actions("backup:CreateBackupSelection", "backup:DeleteBackupSelection")}}},

	"aws:lambda/function:Function": {part: servicesPart,
		read: []grant{{always, functionARNs, actions("lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetFunctionCodeSigningConfig",
			"lambda:ListVersionsByFunction", "lambda:ListTags")}},
		change: []grant{{always, functionARNs, actions("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PutFunctionConcurrency",
			"lambda:DeleteFunctionConcurrency", "lambda:TagResource", "lambda:UntagResource", "lambda:DeleteFunction")}}},
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {part: servicesPart,
		read:   []grant{{always, functionARNs, actions("lambda:GetFunctionEventInvokeConfig")}},
		change: []grant{{always, functionARNs, actions("lambda:PutFunctionEventInvokeConfig", "lambda:DeleteFunctionEventInvokeConfig")}}},
	"aws:lambda/invocation:Invocation": {part: servicesPart,
		change: []grant{{always, resources(mirrorARN), actions("lambda:InvokeFunction")}}},
	"aws:lambda/permission:Permission": {part: servicesPart,
		read:   []grant{{always, functionARNs, actions("lambda:GetPolicy")}},
		change: []grant{{always, functionARNs, actions("lambda:AddPermission", "lambda:RemovePermission")}}},
	"aws:cloudwatch/logGroup:LogGroup": {part: servicesPart,
		read: []grant{anyResource("logs:DescribeLogGroups"), {always, logGroupARNs, actions("logs:ListTagsForResource")}},
		change: []grant{{always, logGroupARNs, actions("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
			"logs:DeleteLogGroup")}}},
	"aws:sqs/queue:Queue": {part: servicesPart,
		read:   []grant{{always, resources(queueARN), actions("sqs:GetQueueAttributes", "sqs:ListQueueTags")}},
		change: []grant{{always, resources(queueARN), actions("sqs:CreateQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue", "sqs:DeleteQueue")}}},
	"aws:sns/topic:Topic": {part: servicesPart,
		read:   []grant{{always, resources(topicARN), actions("sns:GetTopicAttributes", "sns:ListTagsForResource")}},
		change: []grant{{always, resources(topicARN), actions("sns:CreateTopic", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource", "sns:DeleteTopic")}}},
	"aws:sns/topicPolicy:TopicPolicy": {part: servicesPart,
		read:   []grant{{always, resources(topicARN), actions("sns:GetTopicAttributes")}},
		change: []grant{{always, resources(topicARN), actions("sns:SetTopicAttributes")}}},
	"aws:sns/topicSubscription:TopicSubscription": {part: servicesPart,
		read:   []grant{{always, resources(topicARN), actions("sns:GetSubscriptionAttributes")}},
		change: []grant{{always, resources(topicARN), actions("sns:Subscribe", "sns:Unsubscribe")}}},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {part: servicesPart,
		// Composite alarms are returned only with the scope * (CloudWatch API reference, DescribeAlarms).
		read: []grant{anyResource("cloudwatch:DescribeAlarms"), {always, resources(alarmARN), actions("cloudwatch:ListTagsForResource")}},
		change: []grant{{always, resources(alarmARN), actions("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource",
			"cloudwatch:DeleteAlarms")}}},
	"aws:cloudwatch/eventRule:EventRule": {part: servicesPart,
		read:   []grant{{always, resources(ruleARN), actions("events:DescribeRule", "events:ListTagsForResource")}},
		change: []grant{{always, resources(ruleARN), actions("events:PutRule", "events:TagResource", "events:UntagResource", "events:DeleteRule")}}},
	"aws:cloudwatch/eventTarget:EventTarget": {part: servicesPart,
		read:   []grant{{always, resources(ruleARN), actions("events:ListTargetsByRule")}},
		change: []grant{{always, resources(ruleARN), actions("events:PutTargets", "events:RemoveTargets")}}},
	"aws:cloudwatch/dashboard:Dashboard": {part: servicesPart,
		read:   []grant{{always, resources(dashboardARN), actions("cloudwatch:GetDashboard")}},
		change: []grant{{always, resources(dashboardARN), actions("cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards")}}},
	"aws:budgets/budget:Budget": {part: servicesPart,
		read:   []grant{{always, resources(budgetARN), actions("budgets:ViewBudget", "budgets:ListTagsForResource")}},
		change: []grant{{always, resources(budgetARN), actions("budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource")}}},
	"aws:route53/zone:Zone": {part: servicesPart,
		read: []grant{
			anyResource("route53:ListHostedZones", "route53:ListHostedZonesByName"),
			{always, resources("route53:::hostedzone/*"), actions("route53:GetHostedZone", "route53:ListTagsForResource", "route53:ListResourceRecordSets")},
			{always, resources("route53:::change/*"), actions("route53:GetChange")},
		},
		change: []grant{
			{always, resources("*"), actions("route53:CreateHostedZone")}, // takes no resource
			// Route 53 knows no tags of hosted zones. It deletes only those without records of their own.
			{always, resources("route53:::hostedzone/*"), actions("route53:ChangeTagsForResource", "route53:DeleteHostedZone")},
		}},
	"aws:route53/record:Record": {part: servicesPart,
		read: []grant{
			{always, resources("route53:::hostedzone/*"), actions("route53:GetHostedZone", "route53:ListResourceRecordSets")},
			{always, resources("route53:::change/*"), actions("route53:GetChange")},
		},
		change: []grant{{ownRecords, resources("route53:::hostedzone/*"), actions("route53:ChangeResourceRecordSets")}}},

	"aws:iam/role:Role": {part: identityPart,
		read: []grant{{always, append(resources(deployerRoleARN), roleARNs...),
			actions("iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies")}},
		change: []grant{
			{createdWithinBoundary, roleARNs, actions("iam:CreateRole")},
			{untaggedOrOwn, roleARNs, actions("iam:TagRole")},
			// A trust is never rewritten: an administrator does.
			{resourceTagged, roleARNs, actions("iam:TagRole", "iam:UntagRole", "iam:UpdateRoleDescription",
				// Before the provider deletes a role, it lists the instance profiles that use it.
				"iam:ListInstanceProfilesForRole", "iam:DeleteRole")},
		}},
	"aws:iam/rolePolicy:RolePolicy": {part: identityPart,
		read:   []grant{{always, append(resources(deployerRoleARN), roleARNs...), actions("iam:GetRolePolicy")}},
		change: []grant{{withinBoundary, roleARNs, actions("iam:PutRolePolicy")}, {resourceTagged, roleARNs, actions("iam:DeleteRolePolicy")}}},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {part: identityPart,
		read:   []grant{{always, append(resources(deployerRoleARN), roleARNs...), actions("iam:ListAttachedRolePolicies")}},
		change: []grant{{backupPolicyOnly, backupRoleARNs, actions("iam:AttachRolePolicy", "iam:DetachRolePolicy")}}},
	"aws:iam/instanceProfile:InstanceProfile": {part: hostsPart,
		read: []grant{{always, instanceProfileARNs, actions("iam:GetInstanceProfile")}},
		change: []grant{
			{requestTagged, instanceProfileARNs, actions("iam:CreateInstanceProfile")},
			{untaggedOrOwn, instanceProfileARNs, actions("iam:TagInstanceProfile")},
			{resourceTagged, instanceProfileARNs, actions("iam:TagInstanceProfile", "iam:UntagInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile",
				"iam:DeleteInstanceProfile")},
		}},
	"aws:iam/policy:Policy": {part: identityPart,
		read:   []grant{{always, resources(deployerPolicyARN), actions("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions")}},
		byHand: onlyAdministrators},
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider": {part: identityPart,
		read:   []grant{{always, resources("iam::{account}:oidc-provider/" + githubHost), actions("iam:GetOpenIDConnectProvider")}},
		byHand: onlyAdministrators},
}

// lookupGrants are what the program reads besides its own resources.
var lookupGrants = map[part][]grant{
	networkPart: {anyResource("ec2:DescribeAvailabilityZones", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeManagedPrefixLists"),
		{always, resources("ec2:{region}:*:prefix-list/*"), actions("ec2:GetManagedPrefixListEntries")}},
	// What the account must hold, compared before anything is made.
	servicesPart: {anyResource("ec2:DescribeRegions", "servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota")},
	// The image's id; no other parameter.
	hostsPart: {{always, resources("ssm:{region}::parameter/aws/service/ami-amazon-linux-latest/*"), actions("ssm:GetParameter")}},
}

// loadBalancing creates, changes and tags resources of Elastic Load Balancing.
func loadBalancing(create string, change ...string) []grant {
	all := []grant{
		{untaggedOrOwn, loadBalancerARNs, actions("elasticloadbalancing:AddTags")},
		{resourceTagged, loadBalancerARNs, append(actions("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"), change...)},
	}
	if create != "" {
		all = append(all, grant{requestTagged, loadBalancerARNs, actions(create)})
	}
	return all
}
