package deployer

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// names are what the table's ARNs are filled in with.
type names struct {
	environment.Environment
	// component is the deployer's logical name, the prefix of all its resources' logical names.
	component string
	// records are patterns of the names of the stack's DNS records.
	records []string
	// containers are the services in containers; nil for none.
	containers *Containers
}

// namePlaceholder stands for a physical name in an ARN of the table: {kind:logical name}, or {kind:prefix*} for a pattern, whose prefix may be empty.
var namePlaceholder = regexp.MustCompile(`\{(\w+):([a-z0-9-]*)(\*?)\}`)

// arns completes the table's ARNs.
func (n names) arns(short []string) []pulumi.StringInput {
	fixed := strings.NewReplacer("{region}", n.Region, "{account}", n.Account, "{component}", n.component)
	all := make([]pulumi.StringInput, len(short))
	for i, s := range short {
		if s != "*" {
			s = "arn:" + n.Partition + ":" + namePlaceholder.ReplaceAllStringFunc(fixed.Replace(s), func(name string) string {
				m := namePlaceholder.FindStringSubmatch(name)
				if typ, logical := namedTypes[m[1]], m[2]; m[3] == "" {
					return component.PhysicalName(n.Environment, typ, logical)
				} else {
					return component.PhysicalPattern(n.Environment, typ, logical)
				}
			})
		}
		all[i] = pulumi.String(s)
	}
	return all
}

// tags requires this stack's project and name of a kind of tag: aws:RequestTag or aws:ResourceTag.
func (n names) tags(kind string) map[string][]pulumi.StringInput {
	return map[string][]pulumi.StringInput{kind + "/Project": iam.Strings(n.Project), kind + "/Stack": iam.Strings(n.Stack)}
}

// conditions is a grant's condition block.
func (n names) conditions(c condition) iam.Conditions {
	switch c {
	case always:
		return nil
	case requestTagged:
		return iam.Conditions{"StringEquals": n.tags("aws:RequestTag")}
	case resourceTagged:
		return n.own()
	case untaggedOrOwn:
		return n.claim()
	case newCertificate:
		return and(n.claim(), "StringEquals", "aws:RequestTag/Name", n.nameTags(certificateNames)...)
	case newEdge:
		return and(n.claim(), "StringEquals", "aws:RequestTag/Name", n.nameTags(edgeNames)...)
	case newPlan:
		return and(n.claim(), "StringEquals", "aws:RequestTag/Name", n.nameTag(planName))
	case newDefaultGroup:
		return and(n.claim(), "StringEquals", "aws:RequestTag/Name", n.nameTag(defaultGroupName))
	case newKey:
		return and(n.claim(), "Null", "kms:ResourceAliases", "true")
	case ownDefaultGroup:
		own := and(n.own(), "StringEquals", "aws:ResourceTag/Name", n.nameTag(defaultGroupName))
		return and(own, "StringEqualsIfExists", "aws:RequestTag/Name", n.nameTag(defaultGroupName))
	case ownGroup:
		own := and(n.own(), "StringNotEquals", "aws:ResourceTag/Name", n.nameTag(defaultGroupName))
		return and(own, "Null", "aws:ResourceTag/Name", "false") // StringNotEquals holds without the tag too
	case ownVersion:
		own := and(n.own(), "BoolIfExists", "autoscaling:LaunchTemplateVersionSpecified", "true")
		return and(own, "Null", "autoscaling:LaunchConfigurationName", "true")
	case newVersion:
		return and(iam.Conditions{"StringEquals": n.tags("aws:RequestTag")}, "Bool", "autoscaling:LaunchTemplateVersionSpecified", "true")
	case ownRecords:
		return iam.Conditions{"ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": iam.Strings(n.records...)}}
	case withinBoundary:
		return iam.Conditions{"ArnEquals": {"iam:PermissionsBoundary": n.arns(resources(boundaryARN))}, "StringEquals": n.tags("aws:ResourceTag")}
	case createdWithinBoundary:
		return iam.Conditions{"ArnEquals": {"iam:PermissionsBoundary": n.arns(resources(boundaryARN))}, "StringEquals": n.tags("aws:RequestTag")}
	case backupPolicyOnly:
		return iam.Conditions{
			"ArnEquals": {
				"iam:PolicyARN":           iam.Strings(iam.BackupPolicyARN(n.Environment)),
				"iam:PermissionsBoundary": n.arns(resources(boundaryARN)),
			},
			"StringEquals": n.tags("aws:ResourceTag"),
		}
	case taggedOnCreation:
		equal := n.tags("aws:RequestTag")
		equal["ec2:CreateAction"] = iam.Strings(createActions()...)
		return iam.Conditions{"StringEquals": equal}
	case ownAccount:
		// IfExists: S3's documentation does not say that a request to create a bucket has the key.
		return iam.Conditions{"StringEqualsIfExists": {"aws:ResourceAccount": iam.Strings(n.Account)}}
	case ownLogin:
		return and(n.own(), "StringEquals", "ec2:osuser", iam.LoginUser)
	case noOthers:
		return iam.Conditions{"StringEqualsIfExists": n.tags("aws:ResourceTag")}
	case backedUp:
		return and(iam.Conditions{"StringEqualsIfExists": n.tags("aws:ResourceTag")}, "Null", "aws:ResourceTag/aws:backup:source-resource", "false")
	case ownCluster:
		return iam.Conditions{"ArnLike": {"ecs:cluster": n.arns(resources(clusterARN))}}
	case ownDefinition:
		return iam.Conditions{"ArnLikeIfExists": {"ecs:task-definition": n.arns(resources(definitionARN))}}
	case ecsTarget:
		return iam.Conditions{"StringEquals": {"application-autoscaling:service-namespace": iam.Strings("ecs")}}
	case newTargetGroup:
		return and(iam.Conditions{"StringEquals": n.tags("aws:RequestTag")}, "StringEquals", "elasticloadbalancing:CreateAction", "CreateTargetGroup")
	case newServiceEdge:
		return and(n.claim(), "StringLike", "aws:RequestTag/Name", n.nameTag("edge-service-*"))
	case withinContainerBoundary:
		return iam.Conditions{"ArnEquals": {"iam:PermissionsBoundary": n.arns(resources(containerBoundaryARN))}, "StringEquals": n.tags("aws:ResourceTag")}
	case createdWithinContainerBoundary:
		return iam.Conditions{"ArnEquals": {"iam:PermissionsBoundary": n.arns(resources(containerBoundaryARN))}, "StringEquals": n.tags("aws:RequestTag")}
	case viaBackup:
		return iam.Conditions{"StringLike": {"kms:ViaService": iam.Strings("backup.*." + n.DNSSuffix)}}
	case viaEC2:
		return iam.Conditions{"StringLike": {"kms:ViaService": iam.Strings("ec2.*." + n.DNSSuffix)}}
	case viaS3:
		return iam.Conditions{"StringEquals": {"kms:ViaService": iam.Strings(n.Endpoint("s3"))}}
	default:
		panic("deployer: unknown condition of a grant")
	}
}

// own requires this stack's tags on the resource.
func (n names) own() iam.Conditions { return iam.Conditions{"StringEquals": n.tags("aws:ResourceTag")} }

// claim requires that the request tags as this stack's what no other stack has tagged.
func (n names) claim() iam.Conditions {
	return iam.Conditions{"StringEquals": n.tags("aws:RequestTag"), "StringEqualsIfExists": n.tags("aws:ResourceTag")}
}

// nameTag is the tag Name of the resource with that logical name.
func (n names) nameTag(logical string) string { return component.NameTag(n.Environment, logical) }

// nameTags are the tags Name of the resources with those logical names.
func (n names) nameTags(logical []string) (tags []string) {
	for _, l := range logical {
		tags = append(tags, n.nameTag(l))
	}
	return tags
}

// and adds a condition to c, which it changes and returns.
func and(c iam.Conditions, operator, key string, values ...string) iam.Conditions {
	if c[operator] == nil {
		c[operator] = map[string][]pulumi.StringInput{}
	}
	c[operator][key] = iam.Strings(values...)
	return c
}

// createActions are the values of ec2:CreateAction: the EC2 calls that tag what they create.
func createActions() []string {
	var all []string
	for _, typ := range slices.Sorted(maps.Keys(deployTable)) {
		for _, g := range deployTable[typ].change {
			for _, action := range g.actions {
				if name, ok := strings.CutPrefix(action, "ec2:"); ok && g.condition == requestTagged {
					all = append(all, name)
				}
			}
		}
	}
	return sorted(all)
}

// readPolicies lists the parts whose reads share one policy, by the part that names the policy: a role takes only
// maxRolePolicies.
var readPolicies = map[part][]part{
	networkPart: {networkPart, firewallPart, hostsPart, fleetPart, servicesPart},
	dataPart:    {dataPart, edgePart, identityPart},
}

// readStatements are the statements of the read policy that p names, none where p names none.
func readStatements(n names, p part, s *Settings) []iam.Statement {
	var grants []grant
	for _, member := range readPolicies[p] {
		for _, typ := range slices.Sorted(maps.Keys(deployTable)) {
			if deployTable[typ].part == member {
				grants = append(grants, deployTable[typ].read...)
			}
		}
		grants = append(grants, lookupGrants[member]...)
	}
	grants = n.widened(grants)
	if p == dataPart && s.StateBucket != "" {
		grants = append(grants,
			grant{always, resources("s3:::" + s.StateBucket), actions("s3:ListBucket")},
			grant{always, n.stateARNs(s), actions("s3:GetObject")})
	}
	return mergeGrants(n, grants)
}

// widened are grants, with what services have where there are any.
func (n names) widened(grants []grant) []grant {
	if !n.containers.On() {
		return grants
	}
	all := make([]grant, len(grants))
	for i, g := range grants {
		all[i] = withServices(g)
	}
	return all
}

// stateARNs are the objects of this stack's state in Pulumi's S3 backend, and the one that tells the backend's version.
func (n names) stateARNs(s *Settings) []string {
	of := n.Project + "/" + n.Stack
	var all []string
	for _, key := range []string{"meta.yaml", "stacks/" + of + ".json*", "backups/" + of + "/*", "history/" + of + "/*", "locks/organization/" + of + "/*"} {
		all = append(all, "s3:::"+s.StateBucket+"/.pulumi/"+key)
	}
	return all
}

// changeStatements allow the changes to p's types.
func changeStatements(n names, p part, s *Settings) []iam.Statement {
	var grants []grant
	for _, typ := range slices.Sorted(maps.Keys(deployTable)) {
		if deployTable[typ].part == p {
			grants = append(grants, deployTable[typ].change...)
		}
	}
	if n.containers.On() {
		grants = append(grants, partGrants[p]...)
	}
	grants = n.widened(grants)
	if p == dataPart && s.StateBucket != "" {
		grants = append(grants, grant{always, n.stateARNs(s), actions("s3:PutObject", "s3:DeleteObject")})
	}
	statements := mergeGrants(n, grants)
	switch p {
	case firewallPart: // it has room
		statements = append(statements, allowPassRole(n)...)
	case identityPart:
		statements = append(statements, denySelfChanges(n)...)
	}
	return statements
}

// passableRoles are the roles that the deploy role may pass, by service.
var passableRoles = []struct {
	service string
	roles   []string
}{
	{"backup.amazonaws.com", backupRoleARNs},
	{"ec2.amazonaws.com", resources(rolePrefix + "{role:iam-*}")},
	{"lambda.amazonaws.com", resources(rolePrefix+"{role:mirror-role}", rolePrefix+"{role:thumbnailer-role}")},
	{"s3.amazonaws.com", resources(rolePrefix + "{role:replica-role}")},
	{"vpc-flow-logs.amazonaws.com", resources(rolePrefix + "{role:network-flow-logs}")},
}

// allowPassRole lets the deploy role pass each role of the stack to its own service only.
func allowPassRole(n names) []iam.Statement {
	var all []iam.Statement
	for _, p := range passableRoles {
		all = append(all, passRole(n, p.service, p.roles))
	}
	return all
}

// passRole lets the deploy role pass roles to one service.
func passRole(n names, service string, roles []string) iam.Statement {
	name, _, _ := strings.Cut(service, ".")
	return iam.Statement{
		Sid: "Pass" + strings.ReplaceAll(name, "-", ""), Effect: iam.Allow,
		Actions:    actions("iam:PassRole"),
		Resources:  n.arns(roles),
		Conditions: iam.Conditions{"StringEquals": {"iam:PassedToService": iam.Strings(service)}},
	}
}

// denySelfChanges denies every change of the deployer's own roles, policies (the boundary among them) and provider, and
// the removal of the boundary from a role. A denial overrides every other policy.
func denySelfChanges(n names) []iam.Statement {
	return []iam.Statement{
		{
			Sid: "KeepDeployer", Effect: iam.Deny, // every verb of IAM's, except those that read
			Actions: actions("iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*", "iam:Remove*", "iam:Set*",
				"iam:Tag*", "iam:Untag*", "iam:Update*"),
			Resources: n.arns(resources(deployerRoleARN, deployerPolicyARN, "iam::{account}:oidc-provider/*")),
		},
		{
			Sid: "KeepBoundary", Effect: iam.Deny,
			Actions:   actions("iam:DeleteRolePermissionsBoundary"),
			Resources: n.arns(resources(rolePrefix + "*")),
		},
	}
}

// boundaryGrants are everything that the stack's roles do. A test compares them with the roles' policies. What AWS Backup
// takes for snapshots of a volume and their copies is from its managed policy (AWS Backup developer guide, "Managed
// policies for AWS Backup"); it tags a snapshot after it has made it.
var boundaryGrants = []grant{
	anyResource(
		"backup:CopyFromBackupVault", "cloudwatch:PutMetricData", "ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeTags", "ec2:DescribeVolumes",
		"logs:DescribeLogGroups", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
		"ssmmessages:OpenDataChannel", "tag:GetResources", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
	{ownLogin, resources(ec2Prefix + "instance/*"), actions("ec2-instance-connect:SendSSHPublicKey")},
	{viaS3, resources(keyARN), actions("kms:Decrypt", "kms:GenerateDataKey")},
	{always, logGroupARNs, actions("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")},
	{ownAccount, resources(storageBucketARN, storageBucketARN+"/*"), actions("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
		"s3:GetReplicationConfiguration", "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging")},
	{ownAccount, resources(replicaBucketARN + "/*"), actions("s3:ReplicateObject", "s3:ReplicateTags")},
	{always, resources(queueARN), actions("sqs:SendMessage")},
	{resourceTagged, resources(ec2Prefix + "volume/*"), actions("ec2:CreateSnapshot")},
	{noOthers, resources("ec2:*::snapshot/*"), actions("ec2:CopySnapshot", "ec2:CreateSnapshot", "ec2:CreateTags")},
	{backedUp, resources("ec2:*::snapshot/*"), actions("ec2:DeleteSnapshot")},
	{always, resources(vaultARN), actions("backup:CopyIntoBackupVault", "backup:DescribeBackupVault")},
	{always, resources("kms:*:{account}:key/*"), actions("kms:DescribeKey")},
	{viaEC2, resources("kms:*:{account}:key/*"), actions("kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo")},
}

// mergeGrants returns as few statements as grant the same: grants of one condition and the same resources become one,
// then those of one condition and the same actions. Everything is sorted.
func mergeGrants(n names, grants []grant) []iam.Statement {
	byResources := func(g grant) string { return g.key(g.resources) }
	merged := fold(slices.DeleteFunc(slices.Clone(grants), func(g grant) bool { return len(g.actions) == 0 }), byResources)
	merged = fold(merged, func(g grant) string { return g.key(g.actions) })
	slices.SortFunc(merged, func(a, b grant) int { return strings.Compare(byResources(a), byResources(b)) })
	var statements []iam.Statement
	for _, g := range merged {
		statements = append(statements, iam.Statement{
			Effect: iam.Allow, Actions: g.actions, Resources: n.arns(g.resources), Conditions: n.conditions(g.condition),
		})
	}
	return statements
}

// key identifies grants of the same condition and the same list.
func (g grant) key(list []string) string {
	return string(rune('a'+int(g.condition))) + strings.Join(sorted(list), " ")
}

// fold makes one grant of those with the same key, in the order of the first of each.
func fold(grants []grant, key func(grant) string) []grant {
	indexes := map[string]int{}
	var folded []grant
	for _, g := range grants {
		i, seen := indexes[key(g)]
		if !seen {
			i = len(folded)
			indexes[key(g)], folded = i, append(folded, grant{condition: g.condition})
		}
		folded[i].resources = sorted(folded[i].resources, g.resources...)
		folded[i].actions = sorted(folded[i].actions, g.actions...)
	}
	return folded
}

// sorted returns the strings of both lists, each once, in order.
func sorted(list []string, further ...string) []string {
	all := slices.Concat(list, further)
	slices.Sort(all)
	return slices.Compact(all)
}

// Deployment is what a deployment of one resource type needs.
type Deployment struct {
	// Type is Pulumi's token, e.g. aws:ec2/vpc:Vpc.
	Type string
	// Read and Change are IAM actions, sorted. Change is empty where only administrators change the type.
	Read, Change []string
	// ByHand is the reason why Change is empty.
	ByHand string
}

// Deployments is the deploy role's table of the types that a stack has without services, sorted by type.
func Deployments() []Deployment { return deployments(deployTable) }

func deployments(table map[string]resourceAccess) []Deployment {
	var all []Deployment
	for _, typ := range slices.Sorted(maps.Keys(table)) {
		access := table[typ]
		all = append(all, Deployment{typ, actionsOf(access.read), actionsOf(access.change), access.byHand})
	}
	return all
}

func actionsOf(grants []grant) []string {
	var all []string
	for _, g := range grants {
		all = append(all, g.actions...)
	}
	return sorted(all)
}
