package review

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
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

func changesOf(before, after *pulumitest.Recording) *changes {
	return difference(newView(before), newView(after))
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
	assert.True(t, changesOf(before, before).None())

	c := changesOf(before, after)
	require.Len(t, c.Steps, 3)
	gone, replaced := c.Steps[0], c.Steps[1]
	assert.Equal(t, []string{"delete", "table", "stays on AWS, unmanaged"}, []string{gone.Op, gone.Name, gone.Note()}, "what goes comes first")
	assert.Equal(t, []string{"replace", "vpc", "cidrBlock cannot change in place"}, []string{replaced.Op, replaced.Name, replaced.Reason()})
	assert.Equal(t, []edit{{"cidrBlock", "10.0.0.0/16", "10.1.0.0/16"}}, replaced.Edits)
	var policy []edit
	for _, e := range c.Steps[2].Edits {
		if strings.HasPrefix(e.Path, "assumeRolePolicy") {
			policy = append(policy, e)
		} else {
			assert.Regexp(t, `^long .*… \(211 bytes, SHA-256 [0-9a-f]{12}…\)$`, e.Before)
			assert.NotEqual(t, e.Before, e.After, "the digests of two long values differ")
		}
	}
	assert.Equal(t, []edit{
		{"assumeRolePolicy.Statement[A]", "Action: x, Sid: A", "(absent)"},
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
	c := changesOf(before, run(t, program("cinema:new:Files", "2222222", pulumi.Alias{Type: pulumi.String("cinema:old:Files")})))
	require.Len(t, c.Steps, 1)
	assert.Equal(t, []string{"replace", "files-data", bucketType, "bucket"}, []string{c.Steps[0].Op, c.Steps[0].Name, c.Steps[0].Type, c.Steps[0].Replaces[0]})
	assert.Equal(t, []edit{{"bucket", "cinema-data-1111111", "cinema-data-2222222"}}, c.Steps[0].Edits)
	assert.Equal(t, []edit{{"key", "files-data cinema-data-1111111-new", "files-data cinema-data-2222222-new"}}, c.Outputs, "whole names only")

	host := func(name string, aliases ...pulumi.Alias) func(*pulumi.Context) {
		return func(ctx *pulumi.Context) {
			must(ec2.NewInstance(ctx, name, &ec2.InstanceArgs{InstanceType: pulumi.String("t4g.medium")}, pulumi.Aliases(aliases)))
		}
	}
	assert.Empty(t, changesOf(run(t, host("host")), run(t, host("host-us-east-1a", pulumi.Alias{Name: pulumi.String("host")}))).Steps, "another name")

	c = changesOf(before, run(t, program("cinema:new:Files", "1111111")))
	assert.Equal(t, []int{3, 3}, []int{c.Count(opCreate), c.Count(opDelete)})
}

func TestDollars(t *testing.T) {
	for amount, want := range map[float64]string{0: "$0.00", 0.001: "< $0.01", 1234567.891: "$1,234,567.89", -2.5: "−$2.50"} {
		assert.Equal(t, want, dollars(amount))
	}
	assert.Equal(t, "$0.50", unitPrice(0.5))
	assert.Equal(t, "$0.0000133334", unitPrice(0.0000133334))
}

func TestPublicFindsRulesWithoutAPublicAddress(t *testing.T) {
	v := newView(run(t, func(ctx *pulumi.Context) {
		inner := must(ec2.NewSecurityGroup(ctx, "inner", &ec2.SecurityGroupArgs{VpcId: pulumi.String("vpc-1")}))
		for name, cidr := range map[string]string{"everyone": "0.0.0.0/0", "one": "203.0.113.7/32", "inside": "10.0.0.0/8", "ipv6": "::/0", "inside6": "fd00::/8"} {
			cidrs := pulumi.ToStringArray([]string{cidr})
			args := &ec2.SecurityGroupRuleArgs{
				Type: pulumi.String("ingress"), SecurityGroupId: inner.ID(), Protocol: pulumi.String("tcp"), Description: pulumi.String("for " + name),
				FromPort: pulumi.Int(100 + len(name)), ToPort: pulumi.Int(100 + len(name)),
			}
			if args.CidrBlocks = cidrs; strings.Contains(cidr, ":") {
				args.CidrBlocks, args.Ipv6CidrBlocks = nil, cidrs
			}
			must(ec2.NewSecurityGroupRule(ctx, name, args))
		}
	}))
	var open []string
	for _, e := range v.public() {
		assert.Equal(t, "inner", e.Name)
		open = append(open, e.Open+": "+e.Why)
	}
	assert.Equal(t, []string{"port 104: for ipv6; rule ipv6", "port 108: for everyone; rule everyone", "port 103 from 203.0.113.7/32: for one; rule one"}, open)
}

// front registers a distribution before a bucket and an internal load balancer, which its group opens to CloudFront.
func front(ctx *pulumi.Context, change func(*cloudfront.DistributionArgs)) {
	bucket := must(s3.NewBucketV2(ctx, "site", &s3.BucketV2Args{Bucket: pulumi.String("cinema-site")}))
	vpc := must(ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")}))
	subnet := must(ec2.NewSubnet(ctx, "inner", &ec2.SubnetArgs{VpcId: vpc.ID(), AvailabilityZone: pulumi.String("us-east-1a"), CidrBlock: pulumi.String("10.0.0.0/24")}))
	group := must(ec2.NewSecurityGroup(ctx, "balancer", &ec2.SecurityGroupArgs{VpcId: vpc.ID()}))
	name := "com.amazonaws.global.cloudfront.origin-facing"
	list := must(ec2.LookupManagedPrefixList(ctx, &ec2.LookupManagedPrefixListArgs{Name: &name}))
	must(ec2.NewSecurityGroupRule(ctx, "from-cloudfront", &ec2.SecurityGroupRuleArgs{
		Type: pulumi.String("ingress"), SecurityGroupId: group.ID(), PrefixListIds: pulumi.ToStringArray([]string{list.Id}),
		Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(80), ToPort: pulumi.Int(80),
	}))
	balancer := must(lb.NewLoadBalancer(ctx, "balancer", &lb.LoadBalancerArgs{
		Internal: pulumi.Bool(true), Subnets: pulumi.StringArray{subnet.ID()}, SecurityGroups: pulumi.StringArray{group.ID()}}))
	vpcOrigin := must(cloudfront.NewVpcOrigin(ctx, "origin", &cloudfront.VpcOriginArgs{VpcOriginEndpointConfig: cloudfront.VpcOriginVpcOriginEndpointConfigArgs{
		Name: pulumi.String("origin"), Arn: balancer.Arn, HttpPort: pulumi.Int(80), HttpsPort: pulumi.Int(443), OriginProtocolPolicy: pulumi.String("http-only"),
		OriginSslProtocols: cloudfront.VpcOriginVpcOriginEndpointConfigOriginSslProtocolsArgs{Items: pulumi.ToStringArray([]string{"TLSv1.2"}), Quantity: pulumi.Int(1)},
	}}))
	args := &cloudfront.DistributionArgs{
		Enabled: pulumi.Bool(true),
		Origins: cloudfront.DistributionOriginArray{
			cloudfront.DistributionOriginArgs{OriginId: pulumi.String("site"), DomainName: bucket.BucketRegionalDomainName},
			cloudfront.DistributionOriginArgs{OriginId: pulumi.String("api"), DomainName: balancer.DnsName,
				VpcOriginConfig: cloudfront.DistributionOriginVpcOriginConfigArgs{VpcOriginId: vpcOrigin.ID()}},
		},
		DefaultCacheBehavior: cloudfront.DistributionDefaultCacheBehaviorArgs{
			TargetOriginId: pulumi.String("site"), ViewerProtocolPolicy: pulumi.String("https-only"),
			AllowedMethods: pulumi.ToStringArray([]string{"GET", "HEAD"}), CachedMethods: pulumi.ToStringArray([]string{"GET", "HEAD"})},
		OrderedCacheBehaviors: cloudfront.DistributionOrderedCacheBehaviorArray{cloudfront.DistributionOrderedCacheBehaviorArgs{
			PathPattern: pulumi.String("/api/*"), TargetOriginId: pulumi.String("api"), ViewerProtocolPolicy: pulumi.String("https-only"),
			AllowedMethods: pulumi.ToStringArray([]string{"GET", "HEAD"}), CachedMethods: pulumi.ToStringArray([]string{"GET", "HEAD"})}},
		Restrictions: cloudfront.DistributionRestrictionsArgs{
			GeoRestriction: cloudfront.DistributionRestrictionsGeoRestrictionArgs{RestrictionType: pulumi.String("none")}},
		ViewerCertificate: cloudfront.DistributionViewerCertificateArgs{CloudfrontDefaultCertificate: pulumi.Bool(true)},
	}
	if change != nil {
		change(args)
	}
	must(cloudfront.NewDistribution(ctx, "front", args))
}

func TestDistributionIsTheOnlyPublicResource(t *testing.T) {
	v := newView(run(t, func(ctx *pulumi.Context) { front(ctx, nil) }))
	assert.Equal(t, []publicResource{{
		Name: "front", Kind: "CloudFront distribution", Open: "HTTPS at the name that CloudFront assigns",
		Why:        "serves /api/* from balancer, other paths from site",
		Protection: []string{"TLS 1.0 or later: CloudFront's own certificate sets no other minimum", "no firewall", "no security headers"},
	}}, v.public())

	all := v.connections()
	require.Len(t, all, 1)
	assert.Equal(t, cloudFront, all[0].From.Name)
	assert.Equal(t, []flow{
		{"cloudfront Distribution front", "lb LoadBalancer balancer", "80", "request"},
		{"cloudfront Distribution front", "s3 Bucket site", "443", "request"},
		{internetID, "cloudfront Distribution front", "443", "request"},
	}, v.topology().Flows)
}

func TestPublicStatesTheProtectionOfADistribution(t *testing.T) {
	shown := func(change func(*pulumi.Context, *cloudfront.DistributionArgs)) publicResource {
		v := newView(run(t, func(ctx *pulumi.Context) {
			front(ctx, func(args *cloudfront.DistributionArgs) { change(ctx, args) })
		}))
		require.Len(t, v.public(), 1)
		return v.public()[0]
	}
	firewall := func(actions ...string) string {
		return shown(func(ctx *pulumi.Context, args *cloudfront.DistributionArgs) {
			args.WebAclId = must(wafv2.NewWebAcl(ctx, "wall", webACL(actions...))).Arn
		}).Protection[1]
	}
	assert.Equal(t, "firewall wall only counts (rule-0, rule-1)", firewall("count", "count"))
	assert.Equal(t, "firewall wall blocks (rule-0)", firewall("block"))
	assert.Equal(t, "firewall wall blocks (rule-1), only counts (rule-0)", firewall("count", "block"))
	assert.Equal(t, "firewall wall has no rules", firewall())

	e := shown(func(ctx *pulumi.Context, args *cloudfront.DistributionArgs) {
		headers := must(cloudfront.NewResponseHeadersPolicy(ctx, "headers", &cloudfront.ResponseHeadersPolicyArgs{
			SecurityHeadersConfig: cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
				FrameOptions: cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs{FrameOption: pulumi.String("DENY"), Override: pulumi.Bool(true)},
			}}))
		behavior := args.DefaultCacheBehavior.(cloudfront.DistributionDefaultCacheBehaviorArgs)
		behavior.ResponseHeadersPolicyId, behavior.ViewerProtocolPolicy = headers.ID(), pulumi.String("allow-all")
		args.DefaultCacheBehavior = behavior
		args.ViewerCertificate = cloudfront.DistributionViewerCertificateArgs{
			AcmCertificateArn: must(acm.NewCertificate(ctx, "names", &acm.CertificateArgs{
				DomainName: pulumi.String("a.example.com"), SubjectAlternativeNames: pulumi.ToStringArray([]string{"b.example.com"})})).Arn,
			MinimumProtocolVersion: pulumi.String("TLSv1.2_2021"), SslSupportMethod: pulumi.String("sni-only")}
		args.Aliases = pulumi.ToStringArray([]string{"a.example.com", "b.example.com"})
	})
	assert.Equal(t, "HTTPS and plain HTTP at a.example.com, b.example.com", e.Open)
	assert.Equal(t, []string{"TLS 1.2 or later (TLSv1.2_2021)", "no firewall", "no security headers on /api/*", "headers X-Frame-Options on other paths"}, e.Protection)

	e = shown(func(_ *pulumi.Context, args *cloudfront.DistributionArgs) { args.Enabled = pulumi.Bool(false) })
	assert.True(t, e.Closed)
}

// webACL has a rule for each action, count or block.
func webACL(actions ...string) *wafv2.WebAclArgs {
	visible := func(name string) wafv2.WebAclRuleVisibilityConfigArgs {
		return wafv2.WebAclRuleVisibilityConfigArgs{CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(true), MetricName: pulumi.String(name)}
	}
	args := &wafv2.WebAclArgs{
		Scope: pulumi.String("CLOUDFRONT"), DefaultAction: wafv2.WebAclDefaultActionArgs{Allow: wafv2.WebAclDefaultActionAllowArgs{}},
		VisibilityConfig: wafv2.WebAclVisibilityConfigArgs{CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(true), MetricName: pulumi.String("wall")},
	}
	rules := wafv2.WebAclRuleArray{}
	for i, a := range actions {
		action := wafv2.WebAclRuleActionArgs{Count: wafv2.WebAclRuleActionCountArgs{}}
		if a == "block" {
			action = wafv2.WebAclRuleActionArgs{Block: wafv2.WebAclRuleActionBlockArgs{}}
		}
		name := fmt.Sprintf("rule-%d", i)
		rules = append(rules, wafv2.WebAclRuleArgs{Name: pulumi.String(name), Priority: pulumi.Int(i), Action: action, VisibilityConfig: visible(name),
			Statement: wafv2.WebAclRuleStatementArgs{RateBasedStatement: wafv2.WebAclRuleStatementRateBasedStatementArgs{Limit: pulumi.Int(100), AggregateKeyType: pulumi.String("IP")}}})
	}
	args.Rules = rules
	return args
}

func TestEstimateOfTheEdge(t *testing.T) {
	amounts := func(change func(*pulumi.Context, *cloudfront.DistributionArgs)) (map[string]float64, estimate) {
		e := newView(run(t, func(ctx *pulumi.Context) {
			front(ctx, func(args *cloudfront.DistributionArgs) { change(ctx, args) })
		})).estimate()
		lines := map[string]float64{}
		for _, l := range e.Lines {
			lines[l.What] = l.USD
		}
		return lines, e
	}
	without, e := amounts(func(*pulumi.Context, *cloudfront.DistributionArgs) {})
	assert.Empty(t, e.Unknown)
	assert.InDelta(t, 0.0225*730, e.Fixed, 1e-9, "only the load balancer costs without usage: an internal one has no public addresses")
	assert.Zero(t, without["front: data to viewers"])
	assert.InDelta(t, (4*3600*730-10e6)/10e3*0.01, without["front: requests"], 1e-9)
	assert.NotContains(t, without, "Data to the internet")

	with, e := amounts(func(ctx *pulumi.Context, args *cloudfront.DistributionArgs) {
		args.WebAclId = must(wafv2.NewWebAcl(ctx, "wall", webACL("count", "block", "count"))).Arn
	})
	assert.Empty(t, e.Unknown)
	assert.Equal(t, 5.0, with["wall: web ACL"])
	assert.Equal(t, 3.0, with["wall: 3 rules"])
	assert.InDelta(t, 0.60*4*3600*730/1e6, with["wall: requests"], 1e-9)

	e = newView(run(t, func(ctx *pulumi.Context) {
		must(cloudfront.NewMonitoringSubscription(ctx, "metrics", &cloudfront.MonitoringSubscriptionArgs{
			DistributionId: pulumi.String("E1234567890123"),
			MonitoringSubscription: cloudfront.MonitoringSubscriptionMonitoringSubscriptionArgs{
				RealtimeMetricsSubscriptionConfig: cloudfront.MonitoringSubscriptionMonitoringSubscriptionRealtimeMetricsSubscriptionConfigArgs{
					RealtimeMetricsSubscriptionStatus: pulumi.String("Enabled")}},
		}))
		must(lb.NewLoadBalancer(ctx, "open", &lb.LoadBalancerArgs{Subnets: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"})}))
	})).estimate()
	assert.InDelta(t, 8*0.30+(0.0225+2*0.005)*730, e.Fixed, 1e-9)
	assert.Empty(t, e.Unknown)
}

func TestProvidersAreNotResources(t *testing.T) {
	program := func(region string) func(*pulumi.Context) {
		return func(ctx *pulumi.Context) {
			elsewhere := must(aws.NewProvider(ctx, "elsewhere", &aws.ProviderArgs{Region: pulumi.String(region)}))
			must(ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")}, pulumi.Provider(elsewhere)))
		}
	}
	r := run(t, program("us-west-2"))
	_, types, total := newView(r).counts()
	assert.Equal(t, 1, total)
	assert.Equal(t, []count{{vpcType, 1}}, types)
	assert.Empty(t, newView(r).estimate().Unknown)
	assert.Len(t, r.Resources, 2, "the recording is not changed")
	assert.True(t, changesOf(r, run(t, program("eu-west-1"))).None())
}
