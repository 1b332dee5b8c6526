package deployer

// part is one of the deploy role's policies.
type part string

// The parts, in the order in which they are attached.
const (
	network  part = "network"
	firewall part = "firewall"
	hosts    part = "hosts"
	fleet    part = "fleet"
	data     part = "data"
	services part = "services"
	identity part = "identity"
)

var parts = []part{network, firewall, hosts, fleet, data, services, identity}

// when is the condition under which a grant holds.
type when int

const (
	// always: the resource's name, or nothing, is the limit.
	always when = iota
	// asOwn: the request tags the new resource as this stack's.
	asOwn
	// ofOwn: the resource is tagged as this stack's.
	ofOwn
	// claiming: the request tags as this stack's what nobody else has tagged.
	claiming
	// bounded: the role is within the deployer's boundary, and its name is the stack's.
	bounded
	// boundedNew is bounded for a role that is made, and tagged as this stack's.
	boundedNew
	// onlyBackups: the policy that is attached is AWS Backup's own.
	onlyBackups
	// onCreation: tags are given by the call that makes the resource.
	onCreation
	// throughS3: a key is used by S3, on the caller's behalf.
	throughS3
	// forBackups: a key is used by AWS Backup, on the caller's behalf.
	forBackups
)

// grant is actions on resources. Resources are ARNs after "arn:<partition>:", with {region}, {account},
// {project} and {stack}; "*" where the actions take none.
type grant struct {
	when    when
	on      []string
	actions []string
}

// access is what a deployment does with one resource type: what terraform-provider-aws 5.100 calls to read,
// create, update, delete and tag it.
type access struct {
	part part
	// read takes no tag condition: what a plan compares must be found even where its tags were lost.
	read []grant
	// change is everything else.
	change []grant
	// byHand says why the deploy role changes nothing of this type.
	byHand string
}

func on(resources ...string) []string { return resources }

func do(actions ...string) []string { return actions }

// everywhere grants reads that take no resource.
func everywhere(actions ...string) grant { return grant{always, on("*"), actions} }

const (
	ec2Prefix   = "ec2:{region}:{account}:"
	elbPrefix   = "elasticloadbalancing:{region}:{account}:"
	groupARN    = "autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/api-group-*"
	functionARN = "lambda:{region}:{account}:function:{project}-{stack}-*"
	vaultARN    = "backup:{region}:{account}:backup-vault:backup-vault-*"
	alarmARN    = "cloudwatch:{region}:{account}:alarm:monitoring-*"
	topicARN    = "sns:{region}:{account}:monitoring-alarms-*"
	queueARN    = "sqs:{region}:{account}:thumbnailer-failures-*"
	keyARN      = "kms:{region}:{account}:key/*"
)

// ownEC2 is every kind of EC2's that the stack tags as its own.
var ownEC2 = on(ec2Prefix+"elastic-ip/*", ec2Prefix+"instance/*", ec2Prefix+"internet-gateway/*", ec2Prefix+"natgateway/*", ec2Prefix+"network-acl/*",
	ec2Prefix+"route-table/*", ec2Prefix+"security-group/*", ec2Prefix+"subnet/*", ec2Prefix+"volume/*", ec2Prefix+"vpc-endpoint/*",
	ec2Prefix+"vpc-flow-log/*", ec2Prefix+"vpc/*")

// The stack's buckets, and the objects in them that a deployment writes: never the credentials object, nor
// anybody's pictures.
var (
	buckets         = on("s3:::storage-*", "s3:::replica-*")
	deployedObjects = on("s3:::storage-artifacts-*/releases/*", "s3:::storage-site-*/*")
)

// balancers are the load balancer, its listeners and rules, and the target groups.
var balancers = on(elbPrefix+"loadbalancer/app/api-lb-*", elbPrefix+"listener/app/api-lb-*", elbPrefix+"listener-rule/app/api-lb-*",
	elbPrefix+"targetgroup/api-targets-*")

// The roles that the stack makes, by auto-naming; AWS Backup's is apart, because only a policy of AWS's own
// is ever attached to it.
var (
	stackRoles = on("iam::{account}:role/iam-*", "iam::{account}:role/mirror-role-*", "iam::{account}:role/network-flow-logs-*",
		"iam::{account}:role/replica-role-*", "iam::{account}:role/thumbnailer-role-*")
	backupRole       = on("iam::{account}:role/backup-role-*")
	allRoles         = append(append([]string{}, stackRoles...), backupRole...)
	instanceProfiles = on("iam::{account}:instance-profile/iam-*")
)

const onlyAdministrators = "who deploys must not widen what it may do: an administrator changes the deployer"

// ec2Kind is the common case of EC2: made with tags, changed by them. in are the existing resources that
// making one touches.
func ec2Kind(p part, made, create string, read, change []string, in ...grant) access {
	return access{
		part: p,
		read: []grant{everywhere(read...), {always, on(ec2Prefix + made + "/*"), attributes[made]}},
		change: append([]grant{
			{asOwn, on(ec2Prefix + made + "/*"), do(create)},
			{ofOwn, ownEC2, change},
			{onCreation, on(ec2Prefix + made + "/*"), do("ec2:CreateTags")},
			{ofOwn, ownEC2, do("ec2:CreateTags", "ec2:DeleteTags")},
		}, in...),
	}
}

// attributes are the reads of EC2 that take an ARN, by what is read.
var attributes = map[string][]string{
	"instance": {"ec2:DescribeInstanceAttribute"},
	"vpc":      {"ec2:DescribeVpcAttribute"},
}

// inOwn lets an EC2 action touch what the stack has already.
func inOwn(actions ...string) grant { return grant{ofOwn, ownEC2, actions} }

// bucketPart is a property of a bucket that the provider treats as a resource.
func bucketPart(read []string, change ...string) access {
	return access{part: data, read: []grant{{always, buckets, read}}, change: []grant{{always, buckets, change}}}
}

// deployTable is everything that deploying takes, by resource type. Actions and the conditions that AWS
// evaluates for them: Service Authorization Reference, each service's page.
var deployTable = map[string]access{
	"aws:ec2/vpc:Vpc": ec2Kind(network, "vpc", "ec2:CreateVpc",
		do("ec2:DescribeVpcs", "ec2:DescribeNetworkAcls", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups"),
		do("ec2:ModifyVpcAttribute", "ec2:ModifyVpcTenancy", "ec2:DeleteVpc")),
	"aws:ec2/subnet:Subnet": ec2Kind(network, "subnet", "ec2:CreateSubnet",
		do("ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces"),
		do("ec2:ModifySubnetAttribute", "ec2:DeleteSubnet"), inOwn("ec2:CreateSubnet")),
	"aws:ec2/internetGateway:InternetGateway": ec2Kind(network, "internet-gateway", "ec2:CreateInternetGateway",
		do("ec2:DescribeInternetGateways"),
		do("ec2:AttachInternetGateway", "ec2:DetachInternetGateway", "ec2:DeleteInternetGateway")),
	"aws:ec2/natGateway:NatGateway": ec2Kind(network, "natgateway", "ec2:CreateNatGateway",
		do("ec2:DescribeNatGateways"),
		do("ec2:DeleteNatGateway"), inOwn("ec2:CreateNatGateway")),
	"aws:ec2/eip:Eip": ec2Kind(network, "elastic-ip", "ec2:AllocateAddress",
		do("ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute"),
		do("ec2:AssociateAddress", "ec2:DisassociateAddress", "ec2:ReleaseAddress"),
		// An instance's first network interface has no tags of its own.
		grant{always, on(ec2Prefix + "network-interface/*"), do("ec2:AssociateAddress", "ec2:DisassociateAddress")}),
	"aws:ec2/routeTable:RouteTable": ec2Kind(network, "route-table", "ec2:CreateRouteTable",
		do("ec2:DescribeRouteTables"),
		do("ec2:DeleteRouteTable"), inOwn("ec2:CreateRouteTable")),
	"aws:ec2/route:Route": {part: network,
		read:   []grant{everywhere("ec2:DescribeRouteTables")},
		change: []grant{inOwn("ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute")}},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {part: network,
		read:   []grant{everywhere("ec2:DescribeRouteTables")},
		change: []grant{inOwn("ec2:AssociateRouteTable", "ec2:ReplaceRouteTableAssociation", "ec2:DisassociateRouteTable")}},
	"aws:ec2/networkAcl:NetworkAcl": ec2Kind(firewall, "network-acl", "ec2:CreateNetworkAcl",
		do("ec2:DescribeNetworkAcls"),
		do("ec2:CreateNetworkAclEntry", "ec2:ReplaceNetworkAclEntry", "ec2:DeleteNetworkAclEntry", "ec2:ReplaceNetworkAclAssociation", "ec2:DeleteNetworkAcl"),
		inOwn("ec2:CreateNetworkAcl"),
		// A subnet that leaves goes back to the VPC's default list, which has no tags; the subnet has.
		grant{always, on(ec2Prefix + "network-acl/*"), do("ec2:ReplaceNetworkAclAssociation")}),
	"aws:ec2/securityGroup:SecurityGroup": ec2Kind(firewall, "security-group", "ec2:CreateSecurityGroup",
		do("ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"),
		// A group comes with a rule that lets everything out, which the provider takes away.
		do("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup"), inOwn("ec2:CreateSecurityGroup")),
	"aws:ec2/securityGroupRule:SecurityGroupRule": {part: firewall,
		read: []grant{everywhere("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules")},
		change: []grant{
			inOwn("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress",
				"ec2:UpdateSecurityGroupRuleDescriptionsIngress", "ec2:UpdateSecurityGroupRuleDescriptionsEgress"),
			// The rule that is made has no tags; its group has.
			{always, on(ec2Prefix + "security-group-rule/*"), do("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress")},
		}},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {part: firewall,
		read: []grant{everywhere("ec2:DescribeSecurityGroups")},
		change: []grant{
			// AWS makes it with the VPC, without tags.
			{claiming, on(ec2Prefix + "security-group/*"), do("ec2:CreateTags")},
			inOwn("ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:CreateTags", "ec2:DeleteTags"),
		}},
	"aws:ec2/flowLog:FlowLog": ec2Kind(network, "vpc-flow-log", "ec2:CreateFlowLogs",
		do("ec2:DescribeFlowLogs"), do("ec2:DeleteFlowLogs"), inOwn("ec2:CreateFlowLogs")),
	"aws:ec2/vpcEndpoint:VpcEndpoint": ec2Kind(network, "vpc-endpoint", "ec2:CreateVpcEndpoint",
		do("ec2:DescribeVpcEndpoints", "ec2:DescribePrefixLists"),
		do("ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints"), inOwn("ec2:CreateVpcEndpoint")),

	"aws:ec2/instance:Instance": ec2Kind(hosts, "instance", "ec2:RunInstances",
		do("ec2:DescribeInstances", "ec2:DescribeInstanceCreditSpecifications", "ec2:DescribeInstanceTypes",
			"ec2:DescribeVolumes", "ec2:DescribeImages", "ec2:DescribeIamInstanceProfileAssociations", "ec2:DescribeTags", "ec2:DescribeNetworkInterfaces"),
		do("ec2:ModifyInstanceAttribute", "ec2:ModifyInstanceMetadataOptions", "ec2:ModifyInstanceMaintenanceOptions", "ec2:ModifyInstanceCreditSpecification",
			"ec2:MonitorInstances", "ec2:UnmonitorInstances", "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances",
			"ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation", "ec2:DisassociateIamInstanceProfile"),
		inOwn("ec2:RunInstances", "ec2:ModifyVolume"),
		// What an instance starts from, and what AWS makes with it before it is tagged.
		grant{always, on("ec2:{region}::image/*", "ec2:{region}::snapshot/*", ec2Prefix+"volume/*", ec2Prefix+"network-interface/*", ec2Prefix+"launch-template/*"), do("ec2:RunInstances")},
		grant{claiming, on(ec2Prefix + "volume/*"), do("ec2:CreateTags")}),
	"aws:ec2/launchTemplate:LaunchTemplate": {part: hosts,
		read: []grant{everywhere("ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions")},
		change: []grant{
			// The template has no tags: those in it are for what starts from it.
			{always, on(ec2Prefix + "launch-template/*"),
				do("ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", "ec2:DeleteLaunchTemplate", "ec2:DeleteLaunchTemplateVersions")},
			// Whoever hands a template to a group must be allowed to start, and to tag, what is in it (EC2 Auto Scaling
			// user guide, "Launch template support"); instances and volumes are granted with their own types.
			{onCreation, on(ec2Prefix + "network-interface/*"), do("ec2:CreateTags")},
		}},
	"aws:ebs/volume:Volume": ec2Kind(hosts, "volume", "ec2:CreateVolume",
		do("ec2:DescribeVolumes"), do("ec2:ModifyVolume", "ec2:DeleteVolume"),
		// A restore makes the volume of a snapshot.
		grant{always, on("ec2:{region}::snapshot/*"), do("ec2:CreateVolume")}),
	"aws:ec2/volumeAttachment:VolumeAttachment": {part: hosts,
		read:   []grant{everywhere("ec2:DescribeVolumes", "ec2:DescribeInstances")},
		change: []grant{inOwn("ec2:AttachVolume", "ec2:DetachVolume", "ec2:StopInstances")}},
	"aws:autoscaling/group:Group": {part: fleet,
		read: []grant{everywhere("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeScalingActivities", "autoscaling:DescribeInstanceRefreshes",
			"autoscaling:DescribeWarmPool", "autoscaling:DescribeTags", "autoscaling:DescribeLoadBalancerTargetGroups",
			"autoscaling:DescribeTrafficSources", "elasticloadbalancing:DescribeTargetHealth")},
		change: []grant{
			{asOwn, on(groupARN), do("autoscaling:CreateAutoScalingGroup")},
			{claiming, on(groupARN), do("autoscaling:CreateOrUpdateTags")},
			{ofOwn, on(groupARN), do("autoscaling:UpdateAutoScalingGroup", "autoscaling:DeleteAutoScalingGroup", "autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags",
				"autoscaling:EnableMetricsCollection", "autoscaling:DisableMetricsCollection", "autoscaling:StartInstanceRefresh", "autoscaling:CancelInstanceRefresh",
				"autoscaling:RollbackInstanceRefresh", "autoscaling:SetInstanceProtection", "autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses",
				"autoscaling:AttachLoadBalancerTargetGroups", "autoscaling:DetachLoadBalancerTargetGroups",
				"autoscaling:AttachTrafficSources", "autoscaling:DetachTrafficSources")},
			// The account's first group, load balancer, plan, or alarm that acts on an instance makes the service's own role.
			{always, on("iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/*", "iam::{account}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*",
				"iam::{account}:role/aws-service-role/backup.amazonaws.com/*", "iam::{account}:role/aws-service-role/events.amazonaws.com/*"),
				do("iam:CreateServiceLinkedRole")},
		}},
	"aws:autoscaling/policy:Policy": {part: fleet,
		read:   []grant{everywhere("autoscaling:DescribePolicies")},
		change: []grant{{ofOwn, on(groupARN), do("autoscaling:PutScalingPolicy", "autoscaling:DeletePolicy")}}},
	"aws:lb/loadBalancer:LoadBalancer": {part: fleet,
		read: []grant{everywhere("elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeTags",
			"elasticloadbalancing:DescribeCapacityReservation")},
		change: balancing("elasticloadbalancing:CreateLoadBalancer",
			"elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
			"elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:DeleteLoadBalancer")},
	"aws:lb/targetGroup:TargetGroup": {part: fleet,
		read: []grant{everywhere("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTags")},
		change: balancing("elasticloadbalancing:CreateTargetGroup",
			"elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:DeleteTargetGroup")},
	"aws:lb/listener:Listener": {part: fleet,
		read: []grant{everywhere("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeListenerAttributes", "elasticloadbalancing:DescribeListenerCertificates",
			"elasticloadbalancing:DescribeTags")},
		change: balancing("",
			"elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:AddListenerCertificates",
			"elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:DeleteListener", "elasticloadbalancing:CreateListener")},
	"aws:lb/listenerRule:ListenerRule": {part: fleet,
		read: []grant{everywhere("elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags")},
		change: balancing("",
			"elasticloadbalancing:ModifyRule", "elasticloadbalancing:SetRulePriorities", "elasticloadbalancing:DeleteRule", "elasticloadbalancing:CreateRule")},
	"aws:acm/certificate:Certificate": {part: services,
		read: []grant{{always, on("acm:{region}:{account}:certificate/*"), do("acm:DescribeCertificate", "acm:GetCertificate", "acm:ListTagsForCertificate")}},
		change: []grant{
			{asOwn, on("*"), do("acm:RequestCertificate")}, // takes no resource
			{claiming, on("acm:{region}:{account}:certificate/*"), do("acm:AddTagsToCertificate")},
			{ofOwn, on("acm:{region}:{account}:certificate/*"), do("acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate", "acm:UpdateCertificateOptions",
				"acm:RenewCertificate", "acm:DeleteCertificate")},
		}},
	"aws:acm/certificateValidation:CertificateValidation": {part: services,
		read:   []grant{{always, on("acm:{region}:{account}:certificate/*"), do("acm:DescribeCertificate")}},
		byHand: "it only waits for the certificate"},

	"aws:s3/bucketV2:BucketV2": {part: data,
		// The provider reads every property of a bucket, set or not.
		read: []grant{{always, buckets, do("s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketTagging", "s3:ListTagsForResource", "s3:GetBucketAcl", "s3:GetBucketCORS",
			"s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy", "s3:GetBucketRequestPayment", "s3:GetBucketVersioning",
			"s3:GetBucketWebsite", "s3:GetAccelerateConfiguration", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration")}},
		change: []grant{
			{always, buckets, do("s3:CreateBucket", "s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource", "s3:DeleteBucket", "s3:ListBucketVersions")},
			// With cinema:protect off, destroying a bucket empties it.
			{always, on("s3:::storage-*/*", "s3:::replica-*/*"), do("s3:DeleteObject", "s3:DeleteObjectVersion")},
		}},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       bucketPart(do("s3:GetLifecycleConfiguration"), "s3:PutLifecycleConfiguration"),
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     bucketPart(do("s3:GetBucketLogging"), "s3:PutBucketLogging"),
	"aws:s3/bucketNotification:BucketNotification":                                               bucketPart(do("s3:GetBucketNotification"), "s3:PutBucketNotification"),
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     bucketPart(do("s3:GetBucketOwnershipControls"), "s3:PutBucketOwnershipControls"),
	"aws:s3/bucketPolicy:BucketPolicy":                                                           bucketPart(do("s3:GetBucketPolicy"), "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     bucketPart(do("s3:GetBucketPublicAccessBlock"), "s3:PutBucketPublicAccessBlock"),
	"aws:s3/bucketReplicationConfig:BucketReplicationConfig":                                     bucketPart(do("s3:GetReplicationConfiguration"), "s3:PutReplicationConfiguration"),
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": bucketPart(do("s3:GetEncryptionConfiguration"), "s3:PutEncryptionConfiguration"),
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               bucketPart(do("s3:GetBucketVersioning"), "s3:PutBucketVersioning"),
	"aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2":                           bucketPart(do("s3:GetBucketWebsite"), "s3:PutBucketWebsite", "s3:DeleteBucketWebsite"),
	"aws:s3/bucketObjectv2:BucketObjectv2": {part: data,
		read:   []grant{{always, deployedObjects, do("s3:GetObject", "s3:GetObjectTagging")}},
		change: []grant{{always, deployedObjects, do("s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject", "s3:DeleteObjectVersion")}}},
	"aws:kms/key:Key": {part: data,
		read: []grant{{always, on(keyARN), do("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags")}},
		change: []grant{
			{asOwn, on("*"), do("kms:CreateKey")}, // takes no resource
			{claiming, on(keyARN), do("kms:TagResource")},
			{ofOwn, on(keyARN), do("kms:TagResource", "kms:UntagResource", "kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:EnableKey", "kms:DisableKey",
				"kms:UpdateKeyDescription", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion")},
		}},
	"aws:kms/alias:Alias": {part: data,
		read: []grant{everywhere("kms:ListAliases")},
		change: []grant{
			{always, on("kms:{region}:{account}:alias/{project}-{stack}-*"), do("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias")},
			{ofOwn, on(keyARN), do("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias")},
		}},
	"aws:backup/vault:Vault": {part: data,
		read: []grant{{always, on(vaultARN), do("backup:DescribeBackupVault", "backup:ListTags", "backup:ListRecoveryPointsByBackupVault")}},
		change: []grant{
			{always, on(vaultARN), do("backup:CreateBackupVault", "backup:TagResource", "backup:UntagResource", "backup:DeleteBackupVault")},
			// With cinema:protect off, destroying the vault empties it; a recovery point of a volume is a snapshot.
			{always, on(vaultARN, "ec2:{region}::snapshot/*"), do("backup:DeleteRecoveryPoint", "backup:DescribeRecoveryPoint")},
			{always, on("*"), do("backup-storage:MountCapsule")}, // takes no resource
			{forBackups, on(keyARN), do("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant")},
		}},
	"aws:backup/plan:Plan": {part: data,
		read: []grant{{always, on("backup:{region}:{account}:backup-plan:*"), do("backup:GetBackupPlan", "backup:ListTags")}},
		change: []grant{
			{asOwn, on("backup:{region}:{account}:backup-plan:*"), do("backup:CreateBackupPlan")},
			{claiming, on("backup:{region}:{account}:backup-plan:*"), do("backup:TagResource")},
			{ofOwn, on("backup:{region}:{account}:backup-plan:*"), do("backup:UpdateBackupPlan", "backup:DeleteBackupPlan", "backup:TagResource", "backup:UntagResource")},
		}},
	"aws:backup/selection:Selection": {part: data,
		read:   []grant{{always, on("backup:{region}:{account}:backup-plan:*"), do("backup:GetBackupSelection")}},
		change: []grant{{ofOwn, on("backup:{region}:{account}:backup-plan:*"), do("backup:CreateBackupSelection", "backup:DeleteBackupSelection")}}},

	"aws:lambda/function:Function": {part: services,
		read: []grant{{always, on(functionARN), do("lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency", "lambda:GetFunctionCodeSigningConfig",
			"lambda:ListVersionsByFunction", "lambda:ListTags", "lambda:GetRuntimeManagementConfig", "lambda:GetFunctionRecursionConfig")}},
		change: []grant{{always, on(functionARN), do("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PutFunctionConcurrency",
			"lambda:DeleteFunctionConcurrency", "lambda:TagResource", "lambda:UntagResource", "lambda:DeleteFunction")}}},
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {part: services,
		read: []grant{{always, on(functionARN), do("lambda:GetFunctionEventInvokeConfig")}},
		change: []grant{{always, on(functionARN), do("lambda:PutFunctionEventInvokeConfig", "lambda:UpdateFunctionEventInvokeConfig",
			"lambda:DeleteFunctionEventInvokeConfig")}}},
	"aws:lambda/invocation:Invocation": {part: services,
		change: []grant{{always, on("lambda:{region}:{account}:function:{project}-{stack}-mirror"), do("lambda:InvokeFunction")}}},
	"aws:lambda/permission:Permission": {part: services,
		read:   []grant{{always, on(functionARN), do("lambda:GetPolicy")}},
		change: []grant{{always, on(functionARN), do("lambda:AddPermission", "lambda:RemovePermission")}}},
	"aws:cloudwatch/logGroup:LogGroup": {part: services,
		read: []grant{everywhere("logs:DescribeLogGroups"), {always, logGroups(), do("logs:ListTagsForResource")}},
		change: []grant{{always, logGroups(), do("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy", "logs:TagResource", "logs:UntagResource",
			"logs:DeleteLogGroup")}}},
	"aws:sqs/queue:Queue": {part: services,
		read:   []grant{{always, on(queueARN), do("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags")}},
		change: []grant{{always, on(queueARN), do("sqs:CreateQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue", "sqs:DeleteQueue")}}},
	"aws:sns/topic:Topic": {part: services,
		read:   []grant{{always, on(topicARN), do("sns:GetTopicAttributes", "sns:ListTagsForResource")}},
		change: []grant{{always, on(topicARN), do("sns:CreateTopic", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource", "sns:DeleteTopic")}}},
	"aws:sns/topicPolicy:TopicPolicy": {part: services,
		read:   []grant{{always, on(topicARN), do("sns:GetTopicAttributes")}},
		change: []grant{{always, on(topicARN), do("sns:SetTopicAttributes")}}},
	"aws:sns/topicSubscription:TopicSubscription": {part: services,
		read:   []grant{{always, on(topicARN), do("sns:GetSubscriptionAttributes", "sns:ListSubscriptionsByTopic")}},
		change: []grant{{always, on(topicARN), do("sns:Subscribe", "sns:SetSubscriptionAttributes", "sns:Unsubscribe")}}},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {part: services,
		read: []grant{{always, on(alarmARN), do("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource")}},
		change: []grant{{always, on(alarmARN), do("cloudwatch:PutMetricAlarm", "cloudwatch:EnableAlarmActions", "cloudwatch:DisableAlarmActions", "cloudwatch:TagResource",
			"cloudwatch:UntagResource", "cloudwatch:DeleteAlarms")}}},
	"aws:cloudwatch/dashboard:Dashboard": {part: services,
		read:   []grant{{always, on("cloudwatch::{account}:dashboard/{project}-{stack}*"), do("cloudwatch:GetDashboard")}},
		change: []grant{{always, on("cloudwatch::{account}:dashboard/{project}-{stack}*"), do("cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards")}}},
	"aws:budgets/budget:Budget": {part: services,
		read:   []grant{{always, on("budgets::{account}:budget/monitoring-budget-*"), do("budgets:ViewBudget", "budgets:ListTagsForResource")}},
		change: []grant{{always, on("budgets::{account}:budget/monitoring-budget-*"), do("budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource")}}},
	"aws:route53/zone:Zone": {part: services,
		read: []grant{
			everywhere("route53:ListHostedZones", "route53:ListHostedZonesByName"),
			{always, on("route53:::hostedzone/*"), do("route53:GetHostedZone", "route53:ListTagsForResource", "route53:ListResourceRecordSets", "route53:GetDNSSEC")},
			{always, on("route53:::change/*"), do("route53:GetChange")},
		},
		change: []grant{
			{always, on("*"), do("route53:CreateHostedZone")}, // takes no resource
			{always, on("route53:::hostedzone/*"), do("route53:UpdateHostedZoneComment", "route53:ChangeTagsForResource", "route53:DeleteHostedZone")},
			// The database's private zone is bound to the VPC.
			{ofOwn, on(ec2Prefix + "vpc/*"), do("route53:AssociateVPCWithHostedZone", "route53:DisassociateVPCFromHostedZone")},
			{always, on("route53:::hostedzone/*"), do("route53:AssociateVPCWithHostedZone", "route53:DisassociateVPCFromHostedZone")},
		}},
	"aws:route53/record:Record": {part: services,
		read: []grant{
			{always, on("route53:::hostedzone/*"), do("route53:GetHostedZone", "route53:ListResourceRecordSets")},
			{always, on("route53:::change/*"), do("route53:GetChange")},
		},
		change: []grant{{always, on("route53:::hostedzone/*"), do("route53:ChangeResourceRecordSets")}}},

	"aws:iam/role:Role": {part: identity,
		read: []grant{{always, append(on("iam::{account}:role/{component}-*"), allRoles...),
			do("iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListRoleTags")}},
		change: []grant{
			{boundedNew, stackRoles, do("iam:CreateRole")},
			{asOwn, backupRole, do("iam:CreateRole")},
			{bounded, stackRoles, do("iam:PutRolePermissionsBoundary")},
			{claiming, allRoles, do("iam:TagRole")},
			{ofOwn, allRoles, do("iam:TagRole", "iam:UntagRole", "iam:UpdateRole", "iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy",
				// Before a role goes, the provider looks for what still carries it.
				"iam:ListInstanceProfilesForRole", "iam:DeleteRole")},
		}},
	"aws:iam/rolePolicy:RolePolicy": {part: identity,
		read:   []grant{{always, stackRoles, do("iam:GetRolePolicy")}},
		change: []grant{{bounded, stackRoles, do("iam:PutRolePolicy")}, {ofOwn, stackRoles, do("iam:DeleteRolePolicy")}}},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {part: identity,
		read:   []grant{{always, append(on("iam::{account}:role/{component}-*"), allRoles...), do("iam:ListAttachedRolePolicies")}},
		change: []grant{{onlyBackups, backupRole, do("iam:AttachRolePolicy", "iam:DetachRolePolicy")}}},
	"aws:iam/instanceProfile:InstanceProfile": {part: hosts,
		read: []grant{{always, instanceProfiles, do("iam:GetInstanceProfile", "iam:ListInstanceProfileTags")}},
		change: []grant{
			{asOwn, instanceProfiles, do("iam:CreateInstanceProfile")},
			{claiming, instanceProfiles, do("iam:TagInstanceProfile")},
			{ofOwn, instanceProfiles, do("iam:TagInstanceProfile", "iam:UntagInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile",
				"iam:DeleteInstanceProfile")},
		}},
	"aws:iam/policy:Policy": {part: identity,
		read: []grant{{always, on("iam::{account}:policy/{component}-*"), do("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions",
			"iam:ListPolicyTags")}},
		byHand: onlyAdministrators},
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider": {part: identity,
		read:   []grant{{always, on("iam::{account}:oidc-provider/" + githubHost), do("iam:GetOpenIDConnectProvider", "iam:ListOpenIDConnectProviderTags")}},
		byHand: onlyAdministrators},
}

// lookups are what the program reads beside its own resources.
var lookups = map[part][]grant{
	network: {everywhere("ec2:DescribeAvailabilityZones", "ec2:DescribeInstanceTypeOfferings")},
	// The image's id; no other parameter.
	hosts: {{always, on("ssm:{region}::parameter/aws/service/ami-amazon-linux-latest/*"), do("ssm:GetParameter")}},
}

// balancing makes, changes and tags something of Elastic Load Balancing. IAM's * reaches over slashes.
func balancing(create string, change ...string) []grant {
	all := []grant{
		{claiming, balancers, do("elasticloadbalancing:AddTags")},
		{ofOwn, balancers, append(do("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"), change...)},
	}
	if create != "" {
		all = append(all, grant{asOwn, balancers, do(create)})
	}
	return all
}

func logGroups() []string {
	return on("logs:{region}:{account}:log-group:/aws/lambda/{project}-{stack}-*", "logs:{region}:{account}:log-group:network-flow-logs-*",
		"logs:{region}:{account}:log-group:api-logs-*")
}
