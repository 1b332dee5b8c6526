package deployer

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/environment"
)

// names are what the table's ARNs are made of.
type names struct {
	environment.Environment
	// component is the deployer's logical name, with which the names of all it registers begin.
	component string
}

// arns expands the table's short ARNs.
func (n names) arns(short []string) []pulumi.StringInput {
	all := make([]pulumi.StringInput, len(short))
	for i, s := range short {
		if s != "*" {
			s = "arn:" + n.Partition + ":" + strings.NewReplacer("{region}", n.Region, "{account}", n.Account,
				"{project}", n.Project, "{stack}", n.Stack, "{component}", n.component).Replace(s)
		}
		all[i] = pulumi.String(s)
	}
	return all
}

// tags is a condition that a tag key of the given kind (aws:RequestTag, aws:ResourceTag) bears this stack's
// project and name.
func (n names) tags(kind string) map[string][]pulumi.StringInput {
	return map[string][]pulumi.StringInput{kind + "/Project": iam.Strings(n.Project), kind + "/Stack": iam.Strings(n.Stack)}
}

func (n names) boundaryARN() []pulumi.StringInput {
	return n.arns(on("iam::{account}:policy/{component}-boundary-*"))
}

// condition is a grant's condition block.
func (n names) condition(w when) iam.Conditions {
	switch w {
	case always:
		return nil
	case asOwn:
		return iam.Conditions{"StringEquals": n.tags("aws:RequestTag")}
	case ofOwn:
		return iam.Conditions{"StringEquals": n.tags("aws:ResourceTag")}
	case claiming:
		return iam.Conditions{"StringEquals": n.tags("aws:RequestTag"), "StringEqualsIfExists": n.tags("aws:ResourceTag")}
	case bounded:
		return iam.Conditions{"ArnLike": {"iam:PermissionsBoundary": n.boundaryARN()}, "StringEquals": n.tags("aws:ResourceTag")}
	case boundedNew:
		return iam.Conditions{"ArnLike": {"iam:PermissionsBoundary": n.boundaryARN()}, "StringEquals": n.tags("aws:RequestTag")}
	case onlyBackups:
		return iam.Conditions{
			"ArnEquals":    {"iam:PolicyARN": iam.Strings(iam.BackupPolicyARN(n.Environment))},
			"StringEquals": n.tags("aws:ResourceTag"),
		}
	case onCreation:
		equal := n.tags("aws:RequestTag")
		equal["ec2:CreateAction"] = iam.Strings(creations()...)
		return iam.Conditions{"StringEquals": equal}
	case forBackups:
		return iam.Conditions{"StringEquals": {"kms:ViaService": iam.Strings(n.Endpoint("backup"))}}
	case throughS3:
		return iam.Conditions{"StringEquals": {"kms:ViaService": iam.Strings(n.Endpoint("s3"))}}
	default:
		panic("iam: deployer: a grant's condition is none of those defined")
	}
}

// creations are EC2's calls that tag what they make, as ec2:CreateAction has them.
func creations() []string {
	var all []string
	for _, typ := range slices.Sorted(maps.Keys(deployTable)) {
		for _, g := range deployTable[typ].change {
			for _, action := range g.actions {
				if name, ok := strings.CutPrefix(action, "ec2:"); ok && g.when == asOwn {
					all = append(all, name)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// readGroups say which parts' reads are one policy, so that both roles keep within what a role takes.
var readGroups = map[part][]part{
	network: {network, firewall, hosts, fleet},
	data:    {data, services, identity},
}

// readStatements are the reads of p's group; none where p is not the first of one.
func readStatements(n names, p part, s *Settings) []iam.Statement {
	var grants []grant
	for _, member := range readGroups[p] {
		for _, typ := range slices.Sorted(maps.Keys(deployTable)) {
			if deployTable[typ].part == member {
				grants = append(grants, deployTable[typ].read...)
			}
		}
		grants = append(grants, lookups[member]...)
	}
	if p == data && s.StateBucket != "" {
		grants = append(grants,
			grant{always, on("s3:::" + s.StateBucket), do("s3:ListBucket")},
			grant{always, on("s3:::" + s.StateBucket + "/.pulumi/*"), do("s3:GetObject")})
	}
	return merged(n, grants)
}

// changeStatements are everything else that p's types take.
func changeStatements(n names, p part, s *Settings) []iam.Statement {
	var grants []grant
	for _, typ := range slices.Sorted(maps.Keys(deployTable)) {
		if deployTable[typ].part == p {
			grants = append(grants, deployTable[typ].change...)
		}
	}
	if p == data && s.StateBucket != "" {
		grants = append(grants, grant{always, on("s3:::" + s.StateBucket + "/.pulumi/*"), do("s3:PutObject", "s3:DeleteObject")})
	}
	statements := merged(n, grants)
	if p == identity {
		statements = append(append(statements, passRoles(n)...), guard(n)...)
	}
	return statements
}

// passed are the roles that a service is given, by service.
var passed = []struct {
	service string
	roles   []string
}{
	{"backup.amazonaws.com", backupRole},
	{"ec2.amazonaws.com", on("iam::{account}:role/iam-*")},
	{"lambda.amazonaws.com", on("iam::{account}:role/mirror-role-*", "iam::{account}:role/thumbnailer-role-*")},
	{"s3.amazonaws.com", on("iam::{account}:role/replica-role-*")},
	{"vpc-flow-logs.amazonaws.com", on("iam::{account}:role/network-flow-logs-*")},
}

// passRoles lets each service, and no other, be given the stack's roles that are made for it.
func passRoles(n names) []iam.Statement {
	var all []iam.Statement
	for _, p := range passed {
		service, _, _ := strings.Cut(p.service, ".")
		all = append(all, iam.Statement{
			Sid: "Pass" + strings.ReplaceAll(service, "-", ""), Effect: iam.Allow,
			Actions:    do("iam:PassRole"),
			Resources:  n.arns(p.roles),
			Conditions: iam.Conditions{"StringEquals": {"iam:PassedToService": iam.Strings(p.service)}},
		})
	}
	return all
}

// guard refuses whatever would widen the deployer: its roles, its policies (the boundary among them), its
// provider, and taking the boundary off a role. A denial holds whatever another policy allows.
func guard(n names) []iam.Statement {
	return []iam.Statement{
		{
			Sid: "KeepDeployer", Effect: iam.Deny, // every verb of IAM's but those that read
			Actions: do("iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*", "iam:Remove*", "iam:Set*",
				"iam:Tag*", "iam:Untag*", "iam:Update*"),
			Resources: n.arns(on("iam::{account}:role/{component}-*", "iam::{account}:policy/{component}-*", "iam::{account}:oidc-provider/*")),
		},
		{
			Sid: "KeepBoundary", Effect: iam.Deny,
			Actions:   do("iam:DeleteRolePermissionsBoundary"),
			Resources: n.arns(on("iam::{account}:role/*")),
		},
	}
}

// boundaryGrants are everything that the stack's roles do while it runs. A test keeps them in step with
// their policies.
var boundaryGrants = []grant{
	everywhere( // take no resource
		"cloudwatch:PutMetricData", "ec2:DescribeInstances", "ssm:UpdateInstanceInformation",
		"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		"xray:PutTelemetryRecords", "xray:PutTraceSegments"),
	{always, on(ec2Prefix + "instance/*"), do("ec2-instance-connect:SendSSHPublicKey")},
	{throughS3, on(keyARN), do("kms:Decrypt", "kms:GenerateDataKey")},
	{always, logGroups(), do("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")},
	{always, on("logs:{region}:{account}:log-group:*"), do("logs:DescribeLogGroups")},
	{always, on("s3:::storage-*"), do("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
		"s3:GetReplicationConfiguration", "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging")},
	{always, on("s3:::replica-*"), do("s3:ReplicateObject", "s3:ReplicateTags")},
	{always, on(queueARN), do("sqs:SendMessage")},
}

// merged makes as few statements as say the same: grants of one condition and the same resources become
// one, and then those of one condition and the same actions. Everything is sorted.
func merged(n names, grants []grant) []iam.Statement {
	type line struct {
		when        when
		on, actions []string
	}
	fold := func(lines []line, same func(line) string, into func(*line) *[]string, from func(line) []string) []line {
		at := map[string]int{}
		var out []line
		for _, l := range lines {
			k := same(l)
			i, seen := at[k]
			if !seen {
				i = len(out)
				at[k], out = i, append(out, l)
			}
			all := append(slices.Clone(*into(&out[i])), from(l)...)
			slices.Sort(all)
			*into(&out[i]) = slices.Compact(all)
		}
		return out
	}
	key := func(w when, list []string) string {
		sorted := slices.Sorted(slices.Values(list))
		return string(rune('a'+int(w))) + strings.Join(slices.Compact(sorted), " ")
	}
	var lines []line
	for _, g := range grants {
		if len(g.actions) > 0 {
			lines = append(lines, line(g))
		}
	}
	lines = fold(lines, func(l line) string { return key(l.when, l.on) },
		func(l *line) *[]string { return &l.actions }, func(l line) []string { return l.actions })
	lines = fold(lines, func(l line) string { return key(l.when, l.actions) },
		func(l *line) *[]string { return &l.on }, func(l line) []string { return l.on })
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(key(a.when, a.on), key(b.when, b.on)) })
	var statements []iam.Statement
	for _, l := range lines {
		statements = append(statements, iam.Statement{
			Effect: iam.Allow, Actions: l.actions, Resources: n.arns(l.on), Conditions: n.condition(l.when),
		})
	}
	return statements
}

// Deployment is what deploying one resource type takes, as the roles are given it.
type Deployment struct {
	// Type is Pulumi's token, e.g. aws:ec2/vpc:Vpc.
	Type string
	// Read and Change are IAM actions, sorted. Change is empty where only people change the type.
	Read, Change []string
	// ByHand is the reason for that.
	ByHand string
}

// Deployments is the deploy role's table, sorted by type.
func Deployments() []Deployment {
	var all []Deployment
	for _, typ := range slices.Sorted(maps.Keys(deployTable)) {
		a := deployTable[typ]
		d := Deployment{Type: typ, ByHand: a.byHand}
		note := func(grants []grant, into *[]string) {
			for _, g := range grants {
				*into = append(*into, g.actions...)
			}
			slices.Sort(*into)
			*into = slices.Compact(*into)
		}
		note(a.read, &d.Read)
		note(a.change, &d.Change)
		all = append(all, d)
	}
	return all
}
