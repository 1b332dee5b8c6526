package review

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

func run(t *testing.T, program func(*pulumi.Context)) *pulumitest.Recording {
	t.Helper()
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		program(ctx)
		return nil
	})
	require.NoError(t, r.Err)
	return r
}

func must[T any](registered T, err error) T {
	if err != nil {
		panic(err)
	}
	return registered
}

func TestConnectionWithoutIngressRuleIsBlocked(t *testing.T) {
	v := newView(run(t, func(ctx *pulumi.Context) {
		web := must(ec2.NewSecurityGroup(ctx, "web", &ec2.SecurityGroupArgs{VpcId: pulumi.String("vpc-1")}))
		data := must(ec2.NewSecurityGroup(ctx, "data", &ec2.SecurityGroupArgs{VpcId: pulumi.String("vpc-1")}))
		must(ec2.NewSecurityGroupRule(ctx, "web-to-data", &ec2.SecurityGroupRuleArgs{
			Type: pulumi.String("egress"), SecurityGroupId: web.ID(), SourceSecurityGroupId: data.ID(),
			Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(5432), ToPort: pulumi.Int(5433),
		}))
	}))
	all := v.connections()
	require.Len(t, all, 1)
	assert.Equal(t, "5432–5433", all[0].Port)
	assert.Equal(t, "blocked: data has no ingress rule for it", all[0].Blocked)
	assert.Equal(t, [][]string{{""}}, v.matrix(all).Cells, "a blocked connection is not in the matrix")
}

func TestPublicFindsOpenBuckets(t *testing.T) {
	v := newView(run(t, func(ctx *pulumi.Context) {
		b := must(s3.NewBucketV2(ctx, "things", &s3.BucketV2Args{Bucket: pulumi.String("cinema-things")}))
		must(s3.NewBucketPolicy(ctx, "things", &s3.BucketPolicyArgs{
			Bucket: b.ID().ToStringOutput(),
			Policy: pulumi.Sprintf(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"%s/*"}}`, b.Arn),
		}))
	}))
	// IAM also accepts a single statement without a list.
	require.Len(t, v.public(), 1)
	assert.Equal(t, "everyone may read", v.public()[0].Open)
}

func TestAccessFindsTheResourcesOfGrants(t *testing.T) {
	v := newView(run(t, func(ctx *pulumi.Context) {
		b := must(s3.NewBucketV2(ctx, "things", &s3.BucketV2Args{Bucket: pulumi.String("cinema-things")}))
		r := must(iam.NewRole(ctx, "reader", &iam.RoleArgs{Name: pulumi.String("cinema-reader"), AssumeRolePolicy: pulumi.String(
			`{"Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::1:oidc-provider/x"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"x:sub":["a","b"]}}}]}`)}))
		must(iam.NewRolePolicy(ctx, "reader-things", &iam.RolePolicyArgs{Role: r.Name, Policy: pulumi.Sprintf(
			`{"Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["%s","%s/in/*","arn:aws:s3:::cinema-t*/out/*","arn:aws:s3:::other-*"]},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`, b.Arn, b.Arn)}))
	}))
	cards, m, roles := v.access()
	require.Len(t, cards, 1)
	assert.Equal(t, []string{"the bucket itself", "in/*", "out/*"}, cards[0].Grants[0].Paths)
	assert.Equal(t, "read, list", m.Cells[0][0])
	require.Len(t, roles, 1)
	assert.Equal(t, []string{"x:sub is like a or b"}, roles[0].Conditions)
	require.Len(t, roles[0].Other, 2)
	assert.Equal(t, []target{{Text: "other-*"}}, roles[0].Other[0].Targets)
	assert.True(t, roles[0].Other[1].Denied)
}

func TestEstimateListsUnknownCosts(t *testing.T) {
	e := newView(run(t, func(ctx *pulumi.Context) {
		must(ec2.NewInstance(ctx, "known", &ec2.InstanceArgs{InstanceType: pulumi.String("t4g.medium"), Monitoring: pulumi.Bool(true)}))
		must(ec2.NewInstance(ctx, "unknown", &ec2.InstanceArgs{InstanceType: pulumi.String("z9.mega"), Monitoring: pulumi.Bool(false)}))
		must(dynamodb.NewTable(ctx, "table", &dynamodb.TableArgs{HashKey: pulumi.String("k")}))
		must(cloudwatch.NewMetricAlarm(ctx, "alarm", &cloudwatch.MetricAlarmArgs{ComparisonOperator: pulumi.String("x"), EvaluationPeriods: pulumi.Int(1)}))
	})).estimate()
	assert.InDelta(t, 0.0336*730+7*0.30+0.10, e.USD, 1e-9)
	assert.InDelta(t, e.USD, e.Fixed, 1e-9)
	require.Len(t, e.Unknown, 2)
	assert.Contains(t, e.Unknown[0], "the price of z9.mega is not in the price list")
	assert.Contains(t, e.Unknown[1], "1 × aws:dynamodb/table:Table")
}

func TestDifference(t *testing.T) {
	program := func(policy, cidr string, table bool) func(*pulumi.Context) {
		return func(ctx *pulumi.Context) {
			vpc := must(ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String(cidr)}))
			if table {
				must(ec2.NewRouteTable(ctx, "table", &ec2.RouteTableArgs{VpcId: vpc.ID()}, pulumi.RetainOnDelete(true)))
			}
			description := pulumi.String(strings.Repeat("long ", 40) + cidr)
			must(iam.NewRole(ctx, "role", &iam.RoleArgs{AssumeRolePolicy: pulumi.String(policy), Description: description}, pulumi.IgnoreChanges([]string{"tags"})))
			ctx.Export("cidr", pulumi.String(cidr))
		}
	}
	before := run(t, program(`{"Statement":[{"Sid":"A","Action":"x"},{"Sid":"B","Action":"y"}]}`, "10.0.0.0/16", true))
	after := run(t, program(`{"Statement":[{"Sid":"B","Action":["y","z"]}]}`, "10.1.0.0/16", false))
	assert.True(t, difference(before, before).None())

	c := difference(before, after)
	assert.Empty(t, c.Added)
	assert.Equal(t, []named{{"table", "aws:ec2/routeTable:RouteTable", "stays on AWS, unmanaged"}}, c.Removed)
	require.Len(t, c.Changed, 2)
	assert.Equal(t, changed{"vpc", vpcType, []string{"cidrBlock"}, []edit{{"cidrBlock", "10.0.0.0/16", "10.1.0.0/16"}}}, c.Changed[0], "replacements come first")
	var policy []edit
	for _, e := range c.Changed[1].Edits {
		if strings.HasPrefix(e.Path, "assumeRolePolicy") {
			policy = append(policy, e)
		} else {
			assert.Regexp(t, `^long .*… \(211 bytes, SHA-256 [0-9a-f]{12}…\)$`, e.Before)
			assert.NotEqual(t, e.Before, e.After, "the digests of two long values differ")
		}
	}
	assert.Equal(t, []edit{
		{"assumeRolePolicy.Statement[A].Action", "x", "(absent)"}, {"assumeRolePolicy.Statement[A].Sid", "A", "(absent)"},
		{"assumeRolePolicy.Statement[B].Action", "y", "[y, z]"},
	}, policy)
	assert.Equal(t, []edit{{"cidr", "10.0.0.0/16", "10.1.0.0/16"}}, c.Outputs)
}

func TestDifferenceFollowsAliasesAndPhysicalNames(t *testing.T) {
	program := func(typ, suffix string, aliases ...pulumi.Alias) func(*pulumi.Context) {
		return func(ctx *pulumi.Context) {
			c := &struct{ pulumi.ResourceState }{}
			must(c, ctx.RegisterComponentResource(typ, "files", c, pulumi.Aliases(aliases)))
			b := must(s3.NewBucketV2(ctx, "files-data", &s3.BucketV2Args{Bucket: pulumi.String("cinema-data-" + suffix)}, pulumi.Parent(c)))
			must(s3.NewBucketVersioningV2(ctx, "files-data", &s3.BucketVersioningV2Args{
				Bucket: b.ID(), VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")}}, pulumi.Parent(c)))
			ctx.Export("key", pulumi.Sprintf("%s %s-new", b.Bucket, b.Bucket))
		}
	}
	before := run(t, program("cinema:old:Files", "1111111"))
	c := difference(before, run(t, program("cinema:new:Files", "2222222", pulumi.Alias{Type: pulumi.String("cinema:old:Files")})))
	assert.Empty(t, c.Added)
	assert.Empty(t, c.Removed)
	assert.Equal(t, []changed{{"files-data", bucketType, []string{"bucket"}, []edit{{"bucket", "cinema-data-1111111", "cinema-data-2222222"}}}}, c.Changed)
	assert.Equal(t, []edit{{"key", "files-data cinema-data-1111111-new", "files-data cinema-data-2222222-new"}}, c.Outputs, "whole names only")

	c = difference(before, run(t, program("cinema:new:Files", "1111111")))
	assert.Len(t, c.Added, 3)
	assert.Len(t, c.Removed, 3)
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"network-public-", "us-east-1a"}, wrap("network-public-us-east-1a", 15))
	assert.Equal(t, []string{"abcdefgh", "ijk"}, wrap("abcdefghijk", 8))
	assert.Empty(t, wrap("", 8))
}

func TestDollars(t *testing.T) {
	for amount, want := range map[float64]string{0: "$0.00", 0.001: "< $0.01", 1234567.891: "$1,234,567.89", -2.5: "−$2.50"} {
		assert.Equal(t, want, dollars(amount))
	}
	assert.Equal(t, "$0.50", unitPrice(0.5))
	assert.Equal(t, "$0.0000133334", unitPrice(0.0000133334))
}
