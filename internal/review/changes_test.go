package review

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadPlanRefusesOtherFiles(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"":                    "unexpected end of JSON input",
		"Previewing update":   "invalid character 'P'",
		`{"steps": "many"}`:   "cannot unmarshal string",
		`{"version": 3}`:      "it has neither steps nor messages",
		`{"manifest":{}}{"x"`: "invalid character '{'",
	} {
		file := filepath.Join(dir, "plan.json")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, err := readPlan(file)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "review: --plan "+file)
		assert.ErrorContains(t, err, "write the file with `pulumi preview --json --show-sames`")
	}
	_, err := readPlan(filepath.Join(dir, "missing.json"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestVerbs(t *testing.T) {
	for want, actions := range map[string][]string{
		"read, list":                       {"s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion"},
		"everything":                       {"s3:*"},
		"read, inspect":                    {"s3:Get*"},
		"list, create, remove, configure":  {"s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucketPolicy", "s3:ListBucketVersions"},
		"invoke, configure, inspect":       {"lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:GetFunction"},
		"read, write, delete":              {"s3:*Object"},
		"all actions except s3:GetObject":  {"all actions except s3:GetObject"},
		"encrypt, decrypt":                 {"kms:Decrypt", "kms:GenerateDataKey*"},
		"assume, autoscaling:StartRefresh": {"autoscaling:StartRefresh", "sts:AssumeRole"},
	} {
		assert.Equal(t, want, strings.Join(verbs(actions), ", "))
	}
}

// The patterns of policies name the stack's own resources, whatever the part of the name that they leave open.
func TestAccessFollowsPatterns(t *testing.T) {
	program := func(actions, resources string) *view {
		return newView(run(t, func(ctx *pulumi.Context) {
			must(s3.NewBucketV2(ctx, "films", &s3.BucketV2Args{Bucket: pulumi.String("cinema-dev-films-1234567")}))
			must(s3.NewBucketV2(ctx, "other", &s3.BucketV2Args{Bucket: pulumi.String("another-bucket")}))
			role := must(iam.NewRole(ctx, "deploy", &iam.RoleArgs{Name: pulumi.String("cinema-deploy"), AssumeRolePolicy: pulumi.String(`{"Statement":[]}`)}))
			must(iam.NewRolePolicy(ctx, "deploy", &iam.RolePolicyArgs{Role: role.Name, Policy: pulumi.String(
				`{"Statement":[{"Effect":"Allow","Action":[` + actions + `],"Resource":[` + resources + `]}]}`)}))
		}))
	}
	for resources, want := range map[string]map[string][]string{
		`"arn:aws:s3:::cinema-*/*"`:                      {"films": {"*"}},
		`"arn:aws:s3:::cinema-dev-f?lms-*"`:              {"films": {"the bucket itself"}},
		`"arn:aws:s3:::*"`:                               {"films": {"the bucket itself"}, "other": {"the bucket itself"}},
		`"arn:aws:s3:::*/thumb/*"`:                       {"films": {"thumb/*"}, "other": {"thumb/*"}},
		`"*"`:                                            {"films": {"the bucket itself"}, "other": {"the bucket itself"}},
		`"arn:aws:s3:::elsewhere-*/*"`:                   {},
		`"arn:aws:s3:::cinema-dev-films-1234567/orig/*"`: {"films": {"orig/*"}},
	} {
		got := map[string][]string{}
		cards, _, _ := program(`"s3:DeleteObject"`, resources).access()
		for _, c := range cards {
			for _, g := range c.Grants {
				got[c.Name] = append(got[c.Name], g.Paths...)
				assert.Equal(t, []string{"delete"}, g.Verbs)
			}
		}
		assert.Equal(t, want, got, resources)
	}
	cards, _, _ := program(`"kms:Decrypt","ec2:RunInstances"`, `"*"`).access()
	assert.Empty(t, cards, "actions of other services say nothing of buckets")

	rows := compareAccess(program(`"s3:GetObject"`, `"arn:aws:s3:::cinema-*/*"`), program(`"s3:GetObject","s3:DeleteObject"`, `"arn:aws:s3:::cinema-*/*"`),
		func(grant) bool { return true })
	assert.Equal(t, []rowEdit{{true, []string{"deploy", "allow", "s3:DeleteObject", "films/*", ""}}}, rows)
}

// A policy that still names a bucket that is gone allows no more than before.
func TestAccessOfWhatIsGone(t *testing.T) {
	program := func(bucket bool) *view {
		return newView(run(t, func(ctx *pulumi.Context) {
			if bucket {
				must(s3.NewBucketV2(ctx, "films", &s3.BucketV2Args{Bucket: pulumi.String("cinema-dev-films-1234567")}))
			}
			role := must(iam.NewRole(ctx, "deploy", &iam.RoleArgs{Name: pulumi.String("cinema-deploy"), AssumeRolePolicy: pulumi.String(`{"Statement":[]}`)}))
			must(iam.NewRolePolicy(ctx, "deploy", &iam.RolePolicyArgs{Role: role.Name, Policy: pulumi.String(
				`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::cinema-dev-films-1234567/*"}]}`)}))
		}))
	}
	assert.Empty(t, compareAccess(program(true), program(false), func(grant) bool { return true }))
	assert.Empty(t, compareAccess(program(false), program(true), func(grant) bool { return true }))
}

func TestCostPairsOldWithNew(t *testing.T) {
	program := func(typ string, size int) func(*pulumi.Context) {
		return func(ctx *pulumi.Context) {
			must(ec2.NewInstance(ctx, "host", &ec2.InstanceArgs{InstanceType: pulumi.String(typ)}))
			must(ebs.NewVolume(ctx, "data", &ebs.VolumeArgs{AvailabilityZone: pulumi.String("us-east-1a"), Size: pulumi.Int(size)}))
		}
	}
	c := changesOf(run(t, program("t4g.medium", 20)), run(t, program("t4g.large", 30)))
	require.Len(t, c.Cost, 2)
	assert.Equal(t, "host: 1 × t4g.medium → host: 1 × t4g.large", c.Cost[0].What())
	assert.InDelta(t, 730*(0.0672-0.0336), c.Cost[0].Difference(), 1e-9)
	assert.Equal(t, "data: volume", c.Cost[1].What())
	assert.InDelta(t, c.Difference(), c.Cost[0].Difference()+c.Cost[1].Difference(), 1e-9)
}

func TestReplicaCostsWhatItCopies(t *testing.T) {
	e := newView(run(t, func(ctx *pulumi.Context) {
		images := must(s3.NewBucketV2(ctx, "images", &s3.BucketV2Args{Bucket: pulumi.String("cinema-images")}))
		copies := must(s3.NewBucketV2(ctx, "copies", &s3.BucketV2Args{Bucket: pulumi.String("cinema-copies")}))
		must(s3.NewBucketNotification(ctx, "images", &s3.BucketNotificationArgs{Bucket: images.ID(),
			LambdaFunctions: s3.BucketNotificationLambdaFunctionArray{s3.BucketNotificationLambdaFunctionArgs{
				LambdaFunctionArn: pulumi.String("arn:aws:lambda:us-east-1:1:function:f"), Events: pulumi.ToStringArray([]string{"s3:ObjectCreated:*"})}}}))
		must(s3.NewBucketReplicationConfig(ctx, "images", &s3.BucketReplicationConfigArgs{Bucket: images.ID(), Role: pulumi.String("role"),
			Rules: s3.BucketReplicationConfigRuleArray{s3.BucketReplicationConfigRuleArgs{Status: pulumi.String("Enabled"),
				Destination: s3.BucketReplicationConfigRuleDestinationArgs{Bucket: copies.Arn}}}}))
		data := must(ebs.NewVolume(ctx, "data", &ebs.VolumeArgs{AvailabilityZone: pulumi.String("us-east-1a"), Size: pulumi.Int(100)}))
		must(ebs.NewVolume(ctx, "copy", &ebs.VolumeArgs{AvailabilityZone: pulumi.String("us-east-1b"), Size: pulumi.Int(100)}))
		plan := must(backup.NewPlan(ctx, "daily", &backup.PlanArgs{Rules: backup.PlanRuleArray{backup.PlanRuleArgs{
			RuleName: pulumi.String("daily"), TargetVaultName: pulumi.String("vault"),
			CopyActions: backup.PlanRuleCopyActionArray{backup.PlanRuleCopyActionArgs{DestinationVaultArn: pulumi.String("arn")}}}}}))
		must(backup.NewSelection(ctx, "data", &backup.SelectionArgs{PlanId: plan.ID(), IamRoleArn: pulumi.String("role"), Resources: pulumi.StringArray{data.Arn}}))
	})).estimate()
	usd := map[string]float64{}
	for _, l := range e.Lines {
		usd[l.What] = l.USD
	}
	assert.InDelta(t, usd["images"], usd["copies"], 1e-9, "the copy stores what the images' bucket does")
	assert.InDelta(t, 0.2, usd["copies: transfer between regions"], 1e-9)
	assert.InDelta(t, 0.1, usd["copies: write requests"], 1e-9)
	assert.InDelta(t, 5, usd["data: backups"], 1e-9)
	assert.InDelta(t, usd["data: backups"], usd["data: backups in another region"], 1e-9)
	assert.NotContains(t, usd, "copy: backups", "only what the plan selects")
}

func TestDifferenceNamesWidgets(t *testing.T) {
	program := func(widgets ...string) func(*pulumi.Context) {
		return func(ctx *pulumi.Context) {
			var all []string
			for _, w := range widgets {
				all = append(all, fmt.Sprintf(`{"type":"metric","properties":{"title":%q,"metrics":[["a","b"]]}}`, w))
			}
			must(cloudwatch.NewDashboard(ctx, "board", &cloudwatch.DashboardArgs{DashboardName: pulumi.String("board"),
				DashboardBody: pulumi.String(`{"widgets":[` + strings.Join(all, ",") + `]}`)}))
		}
	}
	c := changesOf(run(t, program("CPU", "Memory")), run(t, program("Latency", "CPU", "Memory")))
	require.Len(t, c.Steps, 1)
	assert.Equal(t, []edit{{"dashboardBody.widgets[Latency]", absent, "properties.metrics[0]: [a, b], properties.title: Latency, type: metric"}}, c.Steps[0].Edits)
}

// A comment holds 65,536 characters, whatever changes.
func TestCommentFitsOnGitHub(t *testing.T) {
	long := strings.Repeat("<longer|than any name> ", 40)
	c := &changes{Verdict: "Data is at risk", comparison: comparison{Compared: true}, Ref: long}
	for i := range 3000 {
		name := fmt.Sprint("resource-", i)
		c.Steps = append(c.Steps, step{Op: opReplace, Name: name, Type: bucketType, Edits: []edit{{long[:100], long[:120], long[:120]}}})
		c.Effects = append(c.Effects, effect{losesData, long})
		c.Cost = append(c.Cost, costEdit{Was: name, Is: name, After: 1})
		row := rowEdit{true, []string{long, long, long, long, long}}
		c.Ways, c.Traffic, c.Access = append(c.Ways, row), append(c.Traffic, row), append(c.Access, row)
		c.Outputs = append(c.Outputs, edit{name, long[:120], long[:120]})
	}
	p := newPage("cinema", "dev", run(t, func(*pulumi.Context) {}), run(t, func(*pulumi.Context) {}))
	p.Changes = c
	text := string(p.markdown())
	assert.LessOrEqual(t, len(text), maxComment)
	assert.Contains(t, text, "**Data is at risk.**")
	assert.Contains(t, text, "And 2980 more effects.")
	assert.Contains(t, text, "3000 steps: 3000 replaced")
	assert.Contains(t, text, "Left out, as a comment holds no more: ")
	assert.Contains(t, text, "The HTML page has the whole review.")
	assert.Equal(t, strings.Count(text, "<details>"), strings.Count(text, "</details>"))
}

// database is a database with members in zones: the hosts host-ZONE with the volumes data-ZONE.
func database(ctx *pulumi.Context, zones ...string) {
	c := &struct{ pulumi.ResourceState }{}
	must(c, ctx.RegisterComponentResource("cinema:compute:Database", "database", c))
	for _, zone := range zones {
		host := must(ec2.NewInstance(ctx, "host-"+zone, &ec2.InstanceArgs{InstanceType: pulumi.String("t4g.medium")}, pulumi.Parent(c)))
		data := must(ebs.NewVolume(ctx, "data-"+zone, &ebs.VolumeArgs{AvailabilityZone: pulumi.String(zone), Size: pulumi.Int(20)}, pulumi.Parent(c)))
		must(ec2.NewVolumeAttachment(ctx, "data-"+zone, &ec2.VolumeAttachmentArgs{
			InstanceId: host.ID(), VolumeId: data.ID(), DeviceName: pulumi.String("/dev/sdf")}, pulumi.Parent(c)))
		must(cloudwatch.NewMetricAlarm(ctx, "cpu-"+zone, &cloudwatch.MetricAlarmArgs{
			ComparisonOperator: pulumi.String("GreaterThanThreshold"), EvaluationPeriods: pulumi.Int(1), Dimensions: pulumi.StringMap{"InstanceId": host.ID()}}))
	}
}

// m is a property map of keys and values in turn.
func m(pairs ...any) resource.PropertyMap {
	values := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i].(string)] = pairs[i+1]
	}
	return resource.NewPropertyMapFromMap(values)
}

// The effects on a replica set, from the steps of a plan.
func TestEffectsOfMembers(t *testing.T) {
	replicaSet := func(zones ...string) *view {
		return newView(run(t, func(ctx *pulumi.Context) { database(ctx, zones...) }))
	}
	one, three := replicaSet("a"), replicaSet("a", "b", "c")
	replaced := func(zone string) step {
		return step{Op: opReplace, Name: "host-" + zone, Type: instanceType, Replaces: []string{"userDataBase64"}}
	}
	resized := func(zone string) step {
		return step{Op: opUpdate, Name: "host-" + zone, Type: instanceType, was: m("instanceType", "x"), is: m("instanceType", "y")}
	}
	restored := func(zone string) step {
		s := replaced(zone)
		s.was, s.is = m("tags", m()), m("tags", m("RestoredFrom", "snap-1"))
		return s
	}
	volume := func(op, zone string) step {
		return step{Op: op, Name: "data-" + zone, Type: volumeType, state: m(), was: m("size", 20), is: m("size", 40)}
	}
	version := func(from, to string) resource.PropertyMap { return m("input", m("version", from, "binary", to)) }
	added := func(zones ...string) (all []step) {
		for _, zone := range zones {
			all = append(all, step{Op: opCreate, Name: "host-" + zone, Type: instanceType}, step{Op: opCreate, Name: "data-" + zone, Type: volumeType})
		}
		return all
	}
	gone := func(zones ...string) (all []step) {
		for _, s := range difference(three, one).Steps {
			if s.Op == opDelete {
				for _, zone := range zones {
					if strings.HasSuffix(s.Name, "-"+zone) {
						all = append(all, s)
					}
				}
			}
		}
		return all
	}
	const (
		oneAtATime = ", one at a time: each once the one before is healthy, the primary last. Users notice one election: the primary hands over before it stops, and writes wait for some seconds."
		oneOfThem  = " while the other members serve: one election if it is the primary, which hands over before it stops. Writes wait for some seconds meanwhile."
		added2     = "The replica set gets the members host-b, host-c: each copies the data to a volume of its own, and votes once it has caught up."
		left2      = "The members host-b, host-c leave the replica set, with one election at most. Their hosts and their data volumes data-b, data-c go only once the members that stay have all the data."
		alone      = " From then on, every failure or change of the last host is an outage."
	)
	for name, c := range map[string]struct {
		was, is *view
		steps   []step
		want    []effect
	}{
		"all replaced":       {three, three, []step{replaced("a"), replaced("b"), replaced("c")}, []effect{{rolls, "The database hosts host-a, host-b, host-c are replaced (userDataBase64)" + oneAtATime}}},
		"one replaced":       {three, three, []step{replaced("b")}, []effect{{rolls, "The database host host-b is replaced (userDataBase64)" + oneOfThem}}},
		"all resized":        {three, three, []step{resized("a"), resized("b")}, []effect{{rolls, "The database hosts host-a, host-b are stopped and started (x → y)" + oneAtATime}}},
		"without the others": {nil, three, []step{resized("a")}, []effect{{rolls, "The database host host-a is stopped and started (x → y)" + oneOfThem}}},
		"volume lost":        {three, three, []step{volume(opReplace, "b")}, []effect{{rolls, "The data volume data-b goes with everything on it, and its member copies the data from the others."}}},
		"two volumes lost": {three, three, []step{volume(opReplace, "a"), volume(opReplace, "b")}, []effect{
			{losesData, "The data volume data-a goes with everything on it; its snapshots stay."}, {losesData, "The data volume data-b goes with everything on it; its snapshots stay."}}},
		"volumes grow": {three, three, []step{volume(opUpdate, "a"), volume(opUpdate, "b")}, []effect{
			{changesIt, "The data volumes data-a, data-b grow from 20 to 40 GiB while they are in use. They cannot shrink again, and AWS takes the next change of each after six hours at the earliest."}}},
		"restored": {three, three, []step{restored("a"), restored("b"), restored("c")}, []effect{
			{stops, "The database is restored from snap-1: the API answers 503 until the first member has the snapshot's data. What was written after the snapshot is gone. Other members copy the data from the first."}}},
		"one to three": {one, three, added("b", "c"), []effect{{changesIt, added2 + " No host or data volume that runs is replaced."}}},
		"one to three, replaced": {one, three, append(added("b", "c"), replaced("a")), []effect{
			{stops, "The database host host-a is replaced (userDataBase64): it goes first, and the API answers 503 from then until the new host has booted and mounted the data volume, some minutes. The data stays on its volume."},
			{changesIt, added2}}},
		"first deployment": {nil, three, added("a", "b", "c"), []effect{{changesIt, "Nothing that a user notices: 6 created."}}},
		"three to one":     {three, one, gone("b", "c"), []effect{{weakens, left2 + alone}}},
		"gates": {three, three, []step{{Op: opUpdate, Name: "turn", Type: gateType, was: version("8.0.17", "a"), is: version("8.0.18", "b")}},
			[]effect{{changesIt, "Nothing that a user notices: 1 changed in place."}}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := &changes{Planned: true, Steps: c.steps, comparison: comparison{then: c.was}}
			changed.judge(c.is)
			assert.Equal(t, c.want, changed.Effects)
		})
	}
	require.Len(t, gone("b", "c"), 8, "hosts, volumes, attachments and alarms")

	lines := map[string]float64{}
	for _, l := range three.estimate().Lines {
		lines[l.What] = l.USD
	}
	for _, zone := range []string{"a", "b", "c"} {
		assert.InDelta(t, 0.0336*hoursPerMonth, lines["host-"+zone+": 1 × t4g.medium"], 1e-9)
		assert.InDelta(t, 1.6, lines["data-"+zone+": volume"], 1e-9)
	}
	assert.InDelta(t, 2*assumedWritesGB*0.02, lines["database: replication between zones"], 1e-9)
	for _, l := range one.estimate().Lines {
		assert.NotContains(t, l.What, "replication between zones")
	}
}

// Each effect, from the steps of a plan.
func TestEffects(t *testing.T) {
	stack := newView(run(t, func(ctx *pulumi.Context) {
		database(ctx, "a")
		must(ec2.NewInstance(ctx, "bastion", &ec2.InstanceArgs{InstanceType: pulumi.String("t4g.nano")}))
	}))
	for name, c := range map[string]struct {
		step step
		kind string
		want string // the beginning of the effect
	}{
		"protected":               {step{Op: opDelete, Name: "data", Type: vpcType, Protected: true}, refuses, "Pulumi refuses the whole update: data would be deleted"},
		"volume replaced":         {step{Op: opReplace, Name: "data", Type: volumeType, Replaces: []string{"snapshotId"}}, losesData, "The data volume data (snapshotId) goes with everything on it"},
		"bucket kept":             {step{Op: opDelete, Name: "films", Type: bucketType, Retained: true}, changesIt, "films stays on AWS"},
		"key":                     {step{Op: opDelete, Name: "key", Type: keyType}, losesData, "The encryption key key goes"},
		"logs for less":           {step{Op: opUpdate, Name: "logs", Type: logGroupType, was: m("retentionInDays", 30), is: m("retentionInDays", 7)}, losesData, "logs keeps its logs for 7 days"},
		"logs no longer for ever": {step{Op: opUpdate, Name: "logs", Type: logGroupType, was: m("retentionInDays", 0), is: m("retentionInDays", 1)}, losesData, "logs keeps its logs for 1 day:"},
		"logs for ever":           {step{Op: opUpdate, Name: "logs", Type: logGroupType, was: m("retentionInDays", 7), is: m("retentionInDays", 0)}, changesIt, "Nothing that a user notices"},
		"volume grows":            {step{Op: opUpdate, Name: "data", Type: volumeType, was: m("size", 20), is: m("size", 40)}, changesIt, "The data volume data grows from 20 to 40 GiB"},
		"database replaced":       {step{Op: opReplace, Name: "host-a", Type: instanceType, Replaces: []string{"ami"}}, stops, "The database host host-a is replaced (ami): it goes first"},
		"database stopped":        {step{Op: opUpdate, Name: "host-a", Type: instanceType, was: m("instanceType", "a"), is: m("instanceType", "b")}, stops, "The database host host-a is stopped and started (a → b)"},
		"database's tags":         {step{Op: opUpdate, Name: "host-a", Type: instanceType, was: m("tags", m("a", "b")), is: m()}, changesIt, "Nothing that a user notices"},
		"bastion replaced":        {step{Op: opReplace, Name: "bastion", Type: instanceType, Replaces: []string{"ami"}}, rolls, "The host bastion is replaced (ami): sessions on it end"},
		"volume detached":         {step{Op: opDelete, Name: "data", Type: attachmentType}, stops, "The data volume is detached"},
		"release":                 {step{Op: opUpdate, Name: "gate", Type: gateType, was: m("input", m("release", "1")), is: m("input", m("release", "2"))}, rolls, "The API's instances are replaced, some at a time: release 1 → 2"},
		"other gate":              {step{Op: opUpdate, Name: "gate", Type: gateType, was: m("input", m("alarms", "1")), is: m("input", m("alarms", "2"))}, changesIt, "Nothing that a user notices"},
		"size of the group":       {step{Op: opUpdate, Name: "api", Type: scalingType, was: m("minSize", 3, "maxSize", 6), is: m("minSize", 4, "maxSize", 4)}, changesIt, "api runs 4 instances, before 3 to 6"},
		"group replaced":          {step{Op: opReplace, Name: "api", Type: scalingType}, stops, "The API's group api goes with its instances"},
		"load balancer":           {step{Op: opReplace, Name: "lb", Type: balancerType, Replaces: []string{"internal"}}, stops, "The load balancer lb goes (internal)"},
		"distribution":            {step{Op: opDelete, Name: "edge", Type: distributionType}, stops, "The distribution edge goes"},
		"VPC origin":              {step{Op: opReplace, Name: "way", Type: vpcOriginType}, stops, "CloudFront reaches the load balancer by another VPC origin"},
		"VPC":                     {step{Op: opReplace, Name: "vpc", Type: vpcType, Replaces: []string{"cidrBlock"}}, stops, "The VPC vpc goes, with everything in it (cidrBlock)"},
		"address":                 {step{Op: opDelete, Name: "nat", Type: addressType, state: m("publicIp", "192.0.2.1")}, addresses, "The public address 192.0.2.1 of nat is released"},
		"route moves":             {step{Op: opUpdate, Name: "out", Type: routeType, was: m("natGatewayId", "a"), is: m("natGatewayId", "b")}, addresses, "Outbound connections of the private subnets end once"},
		"route gone":              {step{Op: opDelete, Name: "out", Type: routeType, was: m("natGatewayId", "a")}, stops, "Private subnets lose their way to the internet: out"},
		"zone":                    {step{Op: opCreate, Name: "subnet", Type: subnetType, is: m("availabilityZone", "us-east-1d")}, changesIt, "Zone us-east-1d is added with 1 subnet"},
		"zone gone":               {step{Op: opDelete, Name: "subnet", Type: subnetType, was: m("availabilityZone", "us-east-1d")}, rolls, "Zone us-east-1d is given up"},
		"subnet replaced":         {step{Op: opReplace, Name: "subnet", Type: subnetType}, stops, "The subnet subnet is replaced"},
		"function":                {step{Op: opUpdate, Name: "thumbs", Type: functionType, was: m("s3Key", "a"), is: m("s3Key", "b")}, changesIt, "The function thumbs runs its new code"},
		"alarm gone":              {step{Op: opDelete, Name: "space", Type: alarmType}, unwatched, "Nobody hears of what these alarms watched: space"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := &changes{Planned: true, Steps: []step{c.step}}
			changed.judge(stack)
			require.NotEmpty(t, changed.Effects)
			assert.Equal(t, c.kind, changed.Effects[0].Kind)
			assert.True(t, strings.HasPrefix(changed.Effects[0].Text, c.want), changed.Effects[0].Text)
		})
	}
	none := &changes{}
	none.judge(stack)
	assert.Equal(t, "Nothing changes", none.Verdict)
}
