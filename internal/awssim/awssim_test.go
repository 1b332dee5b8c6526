package awssim

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	vpcType        = "aws:ec2/vpc:Vpc"
	subnetType     = "aws:ec2/subnet:Subnet"
	gatewayType    = "aws:ec2/internetGateway:InternetGateway"
	natType        = "aws:ec2/natGateway:NatGateway"
	groupType      = "aws:ec2/securityGroup:SecurityGroup"
	ruleType       = "aws:ec2/securityGroupRule:SecurityGroupRule"
	tableType      = "aws:ec2/routeTable:RouteTable"
	routeType      = "aws:ec2/route:Route"
	templateType   = "aws:ec2/launchTemplate:LaunchTemplate"
	volumeType     = "aws:ebs/volume:Volume"
	attachmentType = "aws:ec2/volumeAttachment:VolumeAttachment"
	bucketType     = "aws:s3/bucketV2:BucketV2"
	policyType     = "aws:s3/bucketPolicy:BucketPolicy"
	notifyType     = "aws:s3/bucketNotification:BucketNotification"
	roleType       = "aws:iam/role:Role"
	rolePolicyType = "aws:iam/rolePolicy:RolePolicy"
	profileType    = "aws:iam/instanceProfile:InstanceProfile"
	functionType   = "aws:lambda/function:Function"
	permissionType = "aws:lambda/permission:Permission"
	balancerType   = "aws:lb/loadBalancer:LoadBalancer"
	targetType     = "aws:lb/targetGroup:TargetGroup"
	listenerType   = "aws:lb/listener:Listener"
	scalingType    = "aws:autoscaling/group:Group"
)

func props(m map[string]any) Properties { return resource.NewPropertyMapFromMap(m) }

func urn(typ, name string) string {
	return "urn:pulumi:dev::cinema::" + typ + "::" + name
}

// site is an account whose resources a test refers to by name.
type site struct {
	*Account
	t   *testing.T
	ids map[string]string
}

func newSite(t *testing.T) *site {
	a, err := OpenAccount(filepath.Join(t.TempDir(), "account.json"))
	require.NoError(t, err)
	return &site{Account: a, t: t, ids: map[string]string{}}
}

// try creates a resource. "$name" in its inputs is another one's id, "$name.output" a string of its state. Its own name is the default of a type that needs one.
func (s *site) try(typ, name string, in map[string]any) error {
	r := Request{Type: typ, Name: name, URN: urn(typ, name), Inputs: s.fill(in)}
	if p := resource.PropertyKey(kinds[typ].name.property); p != "" && !r.Inputs.HasValue(p) {
		r.Inputs[p] = resource.NewProperty(name)
	}
	id, _, err := s.Create(r)
	if err == nil {
		s.ids[name] = id
	}
	return err
}

func (s *site) fill(in map[string]any) Properties {
	var one func(v any) any
	one = func(v any) any {
		switch v := v.(type) {
		case string:
			if name, ok := strings.CutPrefix(v, "$"); ok {
				name, property, output := strings.Cut(name, ".")
				if state, _ := s.find(s.ids[name]); output {
					return text(state, property)
				}
				return s.ids[name]
			}
		case []any:
			for i := range v {
				v[i] = one(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = one(v[k])
			}
		}
		return v
	}
	return props(one(in).(map[string]any))
}

func (s *site) make(typ, name string, in map[string]any) {
	s.t.Helper()
	require.NoError(s.t, s.try(typ, name, in))
}

// refusesCreation requires that a creation fails with a code and changes nothing.
func (s *site) refusesCreation(typ string, in map[string]any, code string) {
	s.t.Helper()
	before := len(s.Resources())
	err := s.try(typ, "refused", in)
	require.ErrorContains(s.t, err, code)
	assert.Len(s.t, s.Resources(), before)
	var r *Refusal
	assert.True(s.t, errors.As(err, &r))
}

// refusesDeletion requires that the deletion of a resource fails with a code and changes nothing.
func (s *site) refusesDeletion(typ, what, code string) {
	s.t.Helper()
	before := len(s.Resources())
	require.ErrorContains(s.t, s.Delete(typ, s.ids[what], urn(typ, what)), code)
	assert.Len(s.t, s.Resources(), before)
}

// network makes a VPC with two subnets in two zones, and an internet gateway.
func (s *site) network() {
	s.make(vpcType, "vpc", map[string]any{"cidrBlock": "10.0.0.0/16"})
	s.make(subnetType, "a", map[string]any{"vpcId": "$vpc", "cidrBlock": "10.0.0.0/24", "availabilityZone": "us-east-1a"})
	s.make(subnetType, "b", map[string]any{"vpcId": "$vpc", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1b"})
	s.make(gatewayType, "gateway", map[string]any{"vpcId": "$vpc"})
}

func TestEveryTypeHasStableOutputs(t *testing.T) {
	for _, typ := range Types() {
		r := Request{Type: typ, Name: "thing", URN: urn(typ, "thing")}
		id, state := Cloud{}.Outputs(r)
		again, same := Cloud{}.Outputs(r)
		if kinds[typ].prefix != "" {
			assert.Regexp(t, `^`+kinds[typ].prefix+`-0[0-9a-f]{16}$`, id)
		}
		assert.Equal(t, id, again, typ)
		assert.Equal(t, state, same, typ)
		for k, v := range state {
			if v.IsString() {
				assert.NotRegexp(t, `\{(id|name|region|account|partition)\}`, v.StringValue(), "%s %s", typ, k)
			}
		}
		for _, k := range (Cloud{}).Computed(r) {
			assert.NotContains(t, r.Inputs, k, typ)
		}
	}
}

func TestOutputs(t *testing.T) {
	for _, c := range []struct {
		typ, property, want string
		in                  map[string]any
	}{
		{vpcType, "arn", `^arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0[0-9a-f]{16}$`, nil},
		{bucketType, "arn", `^arn:aws:s3:::images$`, map[string]any{"bucket": "images"}},
		{bucketType, "bucketRegionalDomainName", `^images\.s3\.eu-west-1\.amazonaws\.com$`, map[string]any{"bucket": "images"}},
		{roleType, "arn", `^arn:aws:iam::123456789012:role/ops/reader$`, map[string]any{"name": "reader", "path": "/ops/"}},
		{balancerType, "arnSuffix", `^app/web/[0-9a-f]{16}$`, map[string]any{"name": "web"}},
		{balancerType, "dnsName", `^web-\d+\.eu-west-1\.elb\.amazonaws\.com$`, map[string]any{"name": "web"}},
		{"aws:sqs/queue:Queue", "url", `^https://sqs\.eu-west-1\.amazonaws\.com/123456789012/letters$`, map[string]any{"name": "letters"}},
		{"aws:route53/record:Record", "fqdn", `^mongo$`, map[string]any{"name": "mongo", "zoneId": "Z1", "type": "A"}},
		{"aws:kms/key:Key", "keyId", `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, nil},
		{"aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2", "websiteEndpoint",
			`^site\.s3-website-eu-west-1\.amazonaws\.com$`, map[string]any{"bucket": "site"}},
	} {
		_, state := Cloud{Region: "eu-west-1"}.Outputs(Request{Type: c.typ, Name: "x", URN: "u", Inputs: props(c.in)})
		assert.Regexp(t, c.want, state[resource.PropertyKey(c.property)].StringValue(), "%s %s", c.typ, c.property)
	}
}

func TestUnknownTypeEchoesItsInputs(t *testing.T) {
	id, state := Cloud{}.Outputs(Request{Type: "aws:new/thing:Thing", Name: "x", URN: "u", Inputs: props(map[string]any{"a": 1.0})})
	assert.NotEmpty(t, id)
	assert.Equal(t, props(map[string]any{"a": 1.0}), state)
}

func TestNames(t *testing.T) {
	for typ, k := range kinds {
		property := k.name.property
		if property == "" {
			continue
		}
		name := func(s string) Properties { return props(map[string]any{property: s}) }
		assert.NotEqual(t, k.unique(name("one")), k.unique(name("two")), "%s: two may not have the same name", typ)
		require.NoError(t, k.name.check(name(strings.Repeat("x", k.name.limit))), typ)
		assert.ErrorContains(t, k.name.check(name(strings.Repeat("x", k.name.limit+1))), "Member must have length less than or equal to", typ)
		assert.ErrorContains(t, k.name.check(Properties{}), "Value null at '"+property+"' failed to satisfy constraint: Member must not be null", typ)
	}
}

func TestDiff(t *testing.T) {
	device := func(encrypted bool, size float64) map[string]any {
		return map[string]any{"rootBlockDevice": map[string]any{"encrypted": encrypted, "volumeSize": size}}
	}
	for _, c := range []struct {
		name, typ  string
		olds, news map[string]any
		fields     []string
		replaces   []string
	}{
		{"nothing", vpcType, map[string]any{"cidrBlock": "a"}, map[string]any{"cidrBlock": "a"}, nil, nil},
		{"update", vpcType, map[string]any{"enableDnsSupport": false}, map[string]any{"enableDnsSupport": true}, []string{"enableDnsSupport"}, nil},
		{"replacement", vpcType, map[string]any{"cidrBlock": "a"}, map[string]any{"cidrBlock": "b"}, []string{"cidrBlock"}, []string{"cidrBlock"}},
		{"removal", subnetType, map[string]any{"outpostArn": "a"}, map[string]any{}, []string{"outpostArn"}, []string{"outpostArn"}},
		{"nested update", instanceType, device(true, 8), device(true, 9), []string{"rootBlockDevice"}, nil},
		{"nested replacement", instanceType, device(false, 8), device(true, 8), []string{"rootBlockDevice"}, []string{"rootBlockDevice.encrypted"}},
		{"list element", "aws:backup/selection:Selection", map[string]any{"resources": []any{"a"}}, map[string]any{"resources": []any{"b"}},
			[]string{"resources"}, []string{"resources[0]"}},
		{"unknown type", "aws:new/thing:Thing", map[string]any{"a": 1.0}, map[string]any{"a": 2.0}, []string{"a"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Diff(c.typ, props(c.olds), props(c.news))
			assert.Equal(t, c.fields, d.Fields)
			assert.Equal(t, c.replaces, d.Replaces)
			assert.Equal(t, len(c.fields) == 0, d.None())
			assert.True(t, d.Without(c.fields).None(), "ignored")
		})
	}
}

func TestResourceIsDeletedBeforeAReplacementWithItsName(t *testing.T) {
	olds, news := props(map[string]any{"name": "n", "port": 1.0}), props(map[string]any{"name": "n", "port": 2.0})
	assert.True(t, Diff(targetType, olds, news).DeleteBefore)
	news["name"] = resource.NewProperty("other")
	assert.False(t, Diff(targetType, olds, news).DeleteBefore, "both names can exist")
}

func TestRefusedCreations(t *testing.T) {
	type want struct {
		typ  string
		in   map[string]any
		code string
	}
	for name, c := range map[string]struct {
		setUp func(*site)
		want
	}{
		"missing VPC":          {nil, want{subnetType, map[string]any{"vpcId": "vpc-00123456789abcdef", "cidrBlock": "10.0.0.0/24"}, "InvalidVpcID.NotFound"}},
		"subnet outside VPC":   {(*site).network, want{subnetType, map[string]any{"vpcId": "$vpc", "cidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range"}},
		"subnet over another":  {(*site).network, want{subnetType, map[string]any{"vpcId": "$vpc", "cidrBlock": "10.0.0.128/25"}, "InvalidSubnet.Conflict"}},
		"second gateway":       {(*site).network, want{gatewayType, map[string]any{"vpcId": "$vpc"}, "AlreadyExists"}},
		"same bucket":          {func(s *site) { s.make(bucketType, "one", map[string]any{"bucket": "films"}) }, want{bucketType, map[string]any{"bucket": "films"}, "AlreadyExists"}},
		"bucket without name":  {nil, want{bucketType, map[string]any{"bucket": ""}, "ValidationException"}},
		"policy of no bucket":  {nil, want{policyType, map[string]any{"bucket": "films"}, "NotFound"}},
		"policy of no role":    {nil, want{rolePolicyType, map[string]any{"role": "reader"}, "NotFound"}},
		"instance, no profile": {(*site).network, want{instanceType, map[string]any{"subnetId": "$a", "iamInstanceProfile": "p"}, "NotFound"}},
		"NAT without gateway": {func(s *site) {
			s.make(vpcType, "vpc", map[string]any{"cidrBlock": "10.0.0.0/16"})
			s.make(subnetType, "a", map[string]any{"vpcId": "$vpc", "cidrBlock": "10.0.0.0/24"})
		}, want{natType, map[string]any{"subnetId": "$a"}, "Gateway.NotAttached"}},
		"balancer in a single zone": {(*site).network, want{balancerType, map[string]any{"subnets": []any{"$a"}}, "ValidationError"}},
		"logs without policy": {func(s *site) { s.network(); s.make(bucketType, "logs", map[string]any{}) },
			want{balancerType, map[string]any{"subnets": []any{"$a", "$b"}, "accessLogs": map[string]any{"enabled": true, "bucket": "$logs"}}, "InvalidConfigurationRequest"}},
		"same rule twice": {func(s *site) {
			s.network()
			s.make(groupType, "g", map[string]any{"vpcId": "$vpc"})
			s.make(ruleType, "r", map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "description": "one"})
		}, want{ruleType, map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "description": "two"}, "AlreadyExists"}},
		"volume in another zone": {func(s *site) {
			s.network()
			s.make(instanceType, "i", map[string]any{"subnetId": "$a"})
			s.make(volumeType, "v", map[string]any{"availabilityZone": "us-east-1b"})
		}, want{attachmentType, map[string]any{"instanceId": "$i", "volumeId": "$v"}, "InvalidVolume.ZoneMismatch"}},
		"no such template version": {func(s *site) { s.make(templateType, "t", map[string]any{}) },
			want{scalingType, map[string]any{"launchTemplate": map[string]any{"id": "$t", "version": "2"}}, "ValidationError"}},
		"event without permission": {func(s *site) {
			s.make(bucketType, "b", map[string]any{})
			s.make(roleType, "r", map[string]any{})
			s.make(functionType, "f", map[string]any{"name": "thumb", "role": "$r"})
		}, want{notifyType, map[string]any{"bucket": "$b", "lambdaFunctions": []any{map[string]any{
			"lambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:thumb"}}}, "InvalidArgument"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if c.setUp != nil {
				c.setUp(s)
			}
			s.refusesCreation(c.typ, c.in, c.code)
		})
	}
}

func TestRefusedDeletions(t *testing.T) {
	for name, c := range map[string]struct {
		setUp     func(*site)
		typ, what string
		code      string
	}{
		"VPC with subnets": {(*site).network, vpcType, "vpc", "DependencyViolation"},
		"gateway with addresses": {func(s *site) { s.network(); s.make(natType, "nat", map[string]any{"subnetId": "$a"}) },
			gatewayType, "gateway", "DependencyViolation"},
		"bucket with objects": {func(s *site) {
			s.make(bucketType, "b", map[string]any{})
			s.make(objectType, "o", map[string]any{"bucket": "$b", "key": "k"})
		}, bucketType, "b", "BucketNotEmpty"},
		"protected instance": {func(s *site) { s.make(instanceType, "i", map[string]any{"disableApiTermination": true}) },
			instanceType, "i", "OperationNotPermitted"},
		"protected balancer": {func(s *site) {
			s.network()
			s.make(balancerType, "l", map[string]any{"subnets": []any{"$a", "$b"}, "enableDeletionProtection": true})
		}, balancerType, "l", "OperationNotPermitted"},
		"group in a rule": {func(s *site) {
			s.network()
			s.make(groupType, "g", map[string]any{"vpcId": "$vpc"})
			s.make(groupType, "h", map[string]any{"vpcId": "$vpc"})
			s.make(ruleType, "r", map[string]any{"type": "ingress", "securityGroupId": "$g", "sourceSecurityGroupId": "$h", "protocol": "-1"})
		}, groupType, "h", "DependencyViolation"},
		"attached volume": {func(s *site) {
			s.network()
			s.make(instanceType, "i", map[string]any{"subnetId": "$a"})
			s.make(volumeType, "v", map[string]any{"availabilityZone": "us-east-1a"})
			s.make(attachmentType, "at", map[string]any{"instanceId": "$i", "volumeId": "$v"})
		}, volumeType, "v", "DependencyViolation"},
		"role in a profile": {func(s *site) {
			s.make(roleType, "r", map[string]any{})
			s.make(profileType, "p", map[string]any{"role": "$r"})
		}, roleType, "r", "DependencyViolation"},
		"target group in use": {func(s *site) {
			s.network()
			s.make(balancerType, "l", map[string]any{"subnets": []any{"$a", "$b"}})
			s.make(targetType, "t", map[string]any{"vpcId": "$vpc"})
			s.make(listenerType, "li", map[string]any{"loadBalancerArn": "$l", "defaultActions": []any{map[string]any{"targetGroupArn": "$t"}}})
		}, targetType, "t", "ResourceInUse"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c.setUp(s)
			s.refusesDeletion(c.typ, c.what, c.code)
		})
	}
}

func TestPartsAreDeletedWithTheWhole(t *testing.T) {
	s := newSite(t)
	s.network()
	s.make(tableType, "t", map[string]any{"vpcId": "$vpc"})
	s.make(routeType, "r", map[string]any{"routeTableId": "$t", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "$gateway"})
	s.make(bucketType, "b", map[string]any{"forceDestroy": true})
	s.make(policyType, "p", map[string]any{"bucket": "$b"})
	s.make(objectType, "o", map[string]any{"bucket": "$b", "key": "k"})
	before := len(s.Resources())
	require.NoError(t, s.Delete(tableType, s.ids["t"], ""))
	assert.Len(t, s.Resources(), before-2)
	require.NoError(t, s.Delete(bucketType, s.ids["b"], ""))
	assert.Len(t, s.Resources(), before-5)
	require.NoError(t, s.Delete(bucketType, s.ids["b"], ""), "deleting twice is not an error")
}

func TestSameKeyInTwoBuckets(t *testing.T) {
	s := newSite(t)
	for _, b := range []string{"one", "two"} {
		s.make(bucketType, b, map[string]any{"bucket": b})
		s.make(objectType, b+"-index", map[string]any{"bucket": b, "key": "index.html"})
	}
	require.NoError(t, s.Delete(objectType, s.ids["one-index"], urn(objectType, "one-index")))
	_, err := s.Read(objectType, s.ids["two-index"], urn(objectType, "two-index"))
	require.NoError(t, err)
}

func TestTemplateVersionsCountUp(t *testing.T) {
	s := newSite(t)
	s.make(templateType, "t", map[string]any{"userData": "one"})
	id, u := s.ids["t"], urn(templateType, "t")
	r, err := s.Read(templateType, id, u)
	require.NoError(t, err)
	olds, news := r.Inputs, props(map[string]any{"userData": "two", "name": text(r.Inputs, "name")})

	plan, err := s.Update(templateType, id, u, r.State, news, []string{"userData"}, true)
	require.NoError(t, err)
	assert.True(t, plan["latestVersion"].IsComputed(), "unknown in a preview")
	state, err := s.Update(templateType, id, u, r.State, news, Diff(templateType, olds, news).Fields, false)
	require.NoError(t, err)
	assert.EqualValues(t, 2, state["latestVersion"].NumberValue())
	assert.EqualValues(t, 1, state["defaultVersion"].NumberValue())
	tagged := news.Copy()
	tagged["tags"] = resource.NewProperty(props(map[string]any{"a": "b"}))
	state, err = s.Update(templateType, id, u, state, tagged, Diff(templateType, news, tagged).Fields, false)
	require.NoError(t, err)
	assert.EqualValues(t, 2, state["latestVersion"].NumberValue(), "the template's own tags are not in its versions")
}

func TestAccountSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "account.json")
	a, err := OpenAccount(path)
	require.NoError(t, err)
	s := &site{Account: a, t: t, ids: map[string]string{}}
	s.network()
	long := strings.Repeat("x", 3*largest)
	s.make(bucketType, "b", map[string]any{})
	s.make(objectType, "o", map[string]any{"bucket": "$b", "key": "k", "contentBase64": long})

	again, err := OpenAccount(path)
	require.NoError(t, err)
	assert.Equal(t, a.Resources(), again.Resources())
	assert.Equal(t, 1, again.created[urn(vpcType, "vpc")])
	r, err := again.Read(objectType, s.ids["o"], "")
	require.NoError(t, err)
	assert.Less(t, len(text(r.State, "contentBase64")), 100, "the account keeps a digest of contents")
	known := props(map[string]any{"contentBase64": long})
	assert.Equal(t, long, text(Restore(r.State, known), "contentBase64"))
	_, err = again.Read(objectType, "nowhere", "")
	require.ErrorIs(t, err, ErrNotFound)
}

func TestLookups(t *testing.T) {
	c := Cloud{Region: "eu-central-1"}
	look := func(token string, args map[string]any) Properties {
		t.Helper()
		out, err := c.Lookup(token, props(args))
		require.NoError(t, err)
		return out
	}
	assert.Equal(t, strs("eu-central-1a", "eu-central-1b", "eu-central-1c"),
		look("aws:index/getAvailabilityZones:getAvailabilityZones", nil)["names"])
	assert.Equal(t, strs("eu-central-1b", "eu-central-1c"),
		look("aws:index/getAvailabilityZones:getAvailabilityZones", map[string]any{"excludeNames": []any{"eu-central-1a"}})["names"])
	image := "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-"
	arm := text(look("aws:ssm/getParameter:getParameter", map[string]any{"name": image + "arm64"}), "value")
	assert.Regexp(t, `^ami-0[0-9a-f]{16}$`, arm)
	assert.NotEqual(t, arm, text(look("aws:ssm/getParameter:getParameter", map[string]any{"name": image + "x86_64"}), "value"))
	assert.Equal(t, "arm64", look("aws:ec2/getInstanceType:getInstanceType", map[string]any{"instanceType": "m7gd.large"})["supportedArchitectures"].ArrayValue()[0].StringValue())
	assert.Equal(t, "x86_64", look("aws:ec2/getInstanceType:getInstanceType", map[string]any{"instanceType": "g5.large"})["supportedArchitectures"].ArrayValue()[0].StringValue())
	assert.Equal(t, "054676820928", text(look("aws:elb/getServiceAccount:getServiceAccount", nil), "id"))
	assert.Equal(t, AccountID, text(look("aws:index/getCallerIdentity:getCallerIdentity", nil), "accountId"))

	for token, args := range map[string]map[string]any{
		"aws:ssm/getParameter:getParameter":       {"name": image + "riscv"},
		"aws:kms/getAlias:getAlias":               {"name": "alias/mine"},
		"aws:new/getThing:getThing":               nil,
		"aws:ec2/getInstanceType:getInstanceType": nil,
	} {
		_, err := c.Lookup(token, props(args))
		assert.Error(t, err, fmt.Sprint(token, args))
	}
}
