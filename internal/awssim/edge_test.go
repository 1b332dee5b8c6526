package awssim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	certificateType  = "aws:acm/certificate:Certificate"
	validationType   = "aws:acm/certificateValidation:CertificateValidation"
	subscriptionType = "aws:cloudfront/monitoringSubscription:MonitoringSubscription"
	webLogsType      = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
	logGroupType     = "aws:cloudwatch/logGroup:LogGroup"
	deliveryType     = "aws:cloudwatch/logDelivery:LogDelivery"
	accessBlockType  = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	listenerRuleType = "aws:lb/listenerRule:ListenerRule"
	asgAttachment    = "aws:autoscaling/attachment:Attachment"
)

// edge makes a load balancer in eu-west-1 with its VPC origin, and in us-east-1 what a distribution uses.
func (s *site) edge() {
	s.SetRegion("eu-west-1")
	s.network()
	s.make(balancerType, "balancer", map[string]any{"internal": true, "subnets": []any{"$a", "$b"}})
	s.make(vpcOrigin, "origin", endpoint("$balancer"))
	s.make(accessControl, "control", map[string]any{})
	s.make(headersPolicy, "headers", map[string]any{})
	s.make(certificateType, "european", map[string]any{"domainName": "example.com"})
	s.make(webACL, "regional", map[string]any{"scope": "REGIONAL"})
	s.SetRegion("us-east-1")
	s.make(certificateType, "certificate", map[string]any{"domainName": "example.com", "subjectAlternativeNames": []any{"*.example.com"}})
	s.make(validationType, "validation", map[string]any{"certificateArn": "$certificate"})
	s.make(webACL, "acl", map[string]any{"scope": "CLOUDFRONT"})
}

func endpoint(arn string) map[string]any {
	return map[string]any{"vpcOriginEndpointConfig": map[string]any{"name": "origin", "arn": arn, "httpPort": 80.0, "httpsPort": 443.0,
		"originProtocolPolicy": "http-only"}}
}

// distributed returns the inputs of a distribution that uses everything that edge makes, with changes.
func distributed(change func(map[string]any)) map[string]any {
	in := map[string]any{
		"enabled": true, "aliases": []any{"www.example.com"}, "webAclId": "$acl.arn",
		"origins": []any{
			map[string]any{"originId": "web", "domainName": "balancer", "vpcOriginConfig": map[string]any{"vpcOriginId": "$origin"}},
			map[string]any{"originId": "images", "domainName": "bucket", "originAccessControlId": "$control"},
		},
		"defaultCacheBehavior":  map[string]any{"targetOriginId": "web", "responseHeadersPolicyId": "$headers"},
		"orderedCacheBehaviors": []any{map[string]any{"targetOriginId": "images", "responseHeadersPolicyId": managedHeadersPolicies[2]}},
		"viewerCertificate":     map[string]any{"acmCertificateArn": "$certificate", "sslSupportMethod": "sni-only"},
	}
	if change != nil {
		change(in)
	}
	return in
}

func (s *site) distribution() {
	s.edge()
	s.make(distribution, "cdn", distributed(nil))
}

// delivery makes a distribution whose log goes to a bucket.
func (s *site) delivery() {
	s.distribution()
	s.make(bucketType, "logs", map[string]any{})
	s.make(deliverySource, "source", map[string]any{"resourceArn": "$cdn.arn", "logType": "ACCESS_LOGS"})
	s.make(deliveryDestination, "destination", destined("$logs.arn", "json"))
	s.make(deliveryType, "delivery", map[string]any{"deliverySourceName": "$source", "deliveryDestinationArn": "$destination.arn"})
}

func destined(arn, format string) map[string]any {
	return map[string]any{"outputFormat": format, "deliveryDestinationConfiguration": map[string]any{"destinationResourceArn": arn}}
}

func (s *site) balancers() {
	s.network()
	s.make(targetType, "web", map[string]any{"vpcId": "$vpc"})
	for _, name := range []string{"one", "two"} {
		s.make(balancerType, name, map[string]any{"subnets": []any{"$a", "$b"}})
	}
	s.make(listenerType, "http", map[string]any{"loadBalancerArn": "$one", "port": 80.0, "defaultActions": []any{map[string]any{"targetGroupArn": "$web"}}})
	s.make(listenerType, "other", map[string]any{"loadBalancerArn": "$two", "port": 80.0})
}

// guarded makes a security group that lets CloudFront in.
func (s *site) guarded() {
	s.network()
	s.make(groupType, "g", map[string]any{"vpcId": "$vpc"})
	s.make(ruleType, "cloudfront", map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "tcp", "fromPort": 80.0, "toPort": 80.0,
		"prefixListIds": []any{prefixListID("us-east-1", cloudFrontPrefixList)}})
}

func addresses(n int) (list []any) {
	for i := range n {
		list = append(list, fmt.Sprintf("192.0.2.%d/32", i))
	}
	return list
}

// managedRule is a rule with one of AWS's rule groups.
func managedRule(group string, priority float64) map[string]any {
	return map[string]any{"name": group, "priority": priority, "overrideAction": map[string]any{"none": map[string]any{}},
		"statement": map[string]any{"managedRuleGroupStatement": map[string]any{"vendorName": "AWS", "name": group}}}
}

func rateRule(priority float64) map[string]any {
	return map[string]any{"name": "rate", "priority": priority, "action": map[string]any{"block": map[string]any{}},
		"statement": map[string]any{"rateBasedStatement": map[string]any{"limit": 2000.0}}}
}

func TestRefusedEdgeCreations(t *testing.T) {
	const nobody = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/none/0123456789abcdef"
	in := func(change func(map[string]any)) map[string]any { return distributed(change) }
	origin := func(key string, value any) map[string]any {
		return in(func(m map[string]any) { m["origins"].([]any)[0].(map[string]any)[key] = value })
	}
	abroad := func(setUp func(*site)) func(*site) {
		return func(s *site) { setUp(s); s.SetRegion("eu-west-1") }
	}
	acl := func(rules ...any) map[string]any { return map[string]any{"scope": "CLOUDFRONT", "rules": rules} }
	logged := func(arns ...any) map[string]any {
		return map[string]any{"resourceArn": "$acl.arn", "logDestinationConfigs": arns}
	}
	public := `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`
	for name, c := range map[string]struct {
		setUp func(*site)
		typ   string
		in    map[string]any
		code  string
	}{
		"origin of no balancer": {(*site).edge, vpcOrigin, endpoint(nobody), "InvalidArgument"},
		"origin in a VPC without internet gateway": {func(s *site) {
			s.network()
			s.make(balancerType, "balancer", map[string]any{"internal": true, "subnets": []any{"$a", "$b"}})
			require.NoError(s.t, s.Forget(gatewayType, s.ids["gateway"]))
		}, vpcOrigin, endpoint("$balancer"), "InvalidArgument"},
		"alias of another distribution": {(*site).distribution, distribution,
			in(func(m map[string]any) { m["aliases"] = []any{"WWW.example.com"} }), "CNAMEAlreadyExists"},
		"alias without certificate": {(*site).edge, distribution,
			in(func(m map[string]any) { m["viewerCertificate"] = map[string]any{"cloudfrontDefaultCertificate": true} }), "InvalidViewerCertificate"},
		"alias that the certificate does not cover": {(*site).edge, distribution,
			in(func(m map[string]any) { m["aliases"] = []any{"a.b.example.com"} }), "InvalidViewerCertificate"},
		"certificate of another region": {(*site).edge, distribution,
			in(func(m map[string]any) { m["viewerCertificate"] = map[string]any{"acmCertificateArn": "$european"} }), "InvalidViewerCertificate"},
		"certificate that is not issued": {func(s *site) {
			s.edge()
			s.make(certificateType, "pending", map[string]any{"domainName": "www.example.com"})
		}, distribution, in(func(m map[string]any) { m["viewerCertificate"] = map[string]any{"acmCertificateArn": "$pending"} }), "InvalidViewerCertificate"},
		"no such certificate": {(*site).edge, distribution, in(func(m map[string]any) {
			m["viewerCertificate"] = map[string]any{"acmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none"}
		}), "InvalidViewerCertificate"},
		"no such access control":  {(*site).edge, distribution, origin("originAccessControlId", "E0123456789ABC"), "InvalidOriginAccessControl"},
		"no such VPC origin":      {(*site).edge, distribution, origin("vpcOriginConfig", map[string]any{"vpcOriginId": "vo_1"}), "EntityNotFound"},
		"behavior without origin": {(*site).edge, distribution, origin("originId", "renamed"), "NoSuchOrigin"},
		"no such web ACL":         {(*site).edge, distribution, in(func(m map[string]any) { m["webAclId"] = "arn:aws:wafv2:us-east-1:1:global/webacl/x/y" }), "InvalidWebACLId"},
		"regional web ACL":        {(*site).edge, distribution, in(func(m map[string]any) { m["webAclId"] = "$regional.arn" }), "InvalidWebACLId"},
		"no such headers policy":  {(*site).edge, distribution, in(func(m map[string]any) { m["defaultCacheBehavior"].(map[string]any)["responseHeadersPolicyId"] = "none" }), "NoSuchResponseHeadersPolicy"},
		"no such headers policy 2": {(*site).edge, distribution, in(func(m map[string]any) {
			m["orderedCacheBehaviors"].([]any)[0].(map[string]any)["responseHeadersPolicyId"] = "none"
		}), "NoSuchResponseHeadersPolicy"},
		"monitoring of nothing": {nil, subscriptionType, map[string]any{"distributionId": "E1"}, "NoSuchDistribution"},
		"monitoring twice": {func(s *site) {
			s.distribution()
			s.make(subscriptionType, "one", map[string]any{"distributionId": "$cdn"})
		},
			subscriptionType, map[string]any{"distributionId": "$cdn"}, "AlreadyExists"},
		"same access control":  {(*site).edge, accessControl, map[string]any{"name": "control"}, "AlreadyExists"},
		"same headers policy":  {(*site).edge, headersPolicy, map[string]any{"name": "headers"}, "AlreadyExists"},
		"same web ACL":         {(*site).edge, webACL, map[string]any{"name": "acl", "scope": "CLOUDFRONT"}, "AlreadyExists"},
		"web ACL abroad":       {abroad((*site).edge), webACL, acl(), "WAFInvalidParameterException"},
		"same priority":        {nil, webACL, acl(rateRule(1), managedRule("AWSManagedRulesCommonRuleSet", 1)), "WAFInvalidParameterException"},
		"rule without action":  {nil, webACL, acl(map[string]any{"name": "x", "priority": 1.0, "statement": rateRule(1)["statement"]}), "WAFInvalidParameterException"},
		"action of rule group": {nil, webACL, acl(map[string]any{"name": "x", "priority": 1.0, "action": map[string]any{}, "statement": managedRule("g", 1)["statement"]}), "WAFInvalidParameterException"},
		"capacity": {nil, webACL, acl(func() (rules []any) {
			for i := range 8 {
				rules = append(rules, managedRule("AWSManagedRulesCommonRuleSet", float64(i)))
			}
			return rules
		}()...), "WAFLimitsExceededException"},
		"log group of another name": {func(s *site) { s.edge(); s.make(logGroupType, "firewall", map[string]any{}) }, webLogsType, logged("$firewall.arn"), "WAFInvalidParameterException"},
		"topic as log":              {(*site).edge, webLogsType, logged("arn:aws:sns:us-east-1:123456789012:aws-waf-logs-x"), "WAFInvalidParameterException"},
		"two logs":                  {(*site).edge, webLogsType, logged("arn:aws:s3:::aws-waf-logs-a", "arn:aws:s3:::aws-waf-logs-b"), "WAFInvalidParameterException"},
		"no such log group":         {(*site).edge, webLogsType, logged("arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-x"), "WAFNonexistentItemException"},
		"no such log bucket":        {(*site).edge, webLogsType, logged("arn:aws:s3:::aws-waf-logs-x"), "WAFNonexistentItemException"},
		"log group abroad": {func(s *site) {
			s.edge()
			s.SetRegion("eu-west-1")
			s.make(logGroupType, "aws-waf-logs-x", map[string]any{})
		}, webLogsType, logged("$aws-waf-logs-x.arn"), "WAFInvalidParameterException"},
		"log of no web ACL":             {nil, webLogsType, map[string]any{"resourceArn": "arn:aws:wafv2:x", "logDestinationConfigs": []any{"arn:aws:s3:::aws-waf-logs-x"}}, "WAFNonexistentItemException"},
		"source abroad":                 {abroad((*site).distribution), deliverySource, map[string]any{"resourceArn": "$cdn.arn", "logType": "ACCESS_LOGS"}, "ValidationException"},
		"second source":                 {(*site).delivery, deliverySource, map[string]any{"resourceArn": "$cdn.arn", "logType": "ACCESS_LOGS"}, "ConflictException"},
		"source of nothing":             {nil, deliverySource, map[string]any{"resourceArn": "arn:aws:cloudfront::123456789012:distribution/E1", "logType": "ACCESS_LOGS"}, "ResourceNotFoundException"},
		"destination without bucket":    {nil, deliveryDestination, destined("arn:aws:s3:::none/prefix", "json"), "ResourceNotFoundException"},
		"destination without log group": {nil, deliveryDestination, destined("arn:aws:logs:us-east-1:123456789012:log-group:none", "json"), "ResourceNotFoundException"},
		"topic as destination":          {nil, deliveryDestination, destined("arn:aws:sns:us-east-1:123456789012:topic", "json"), "ValidationException"},
		"parquet to a log group":        {nil, deliveryDestination, destined("arn:aws:logs:us-east-1:123456789012:log-group:none", "parquet"), "ValidationException"},
		"second delivery to a bucket": {func(s *site) { s.delivery(); s.make(deliveryDestination, "again", destined("$logs.arn", "w3c")) },
			deliveryType, map[string]any{"deliverySourceName": "$source", "deliveryDestinationArn": "$again.arn"}, "ConflictException"},
		"delivery of nothing": {(*site).delivery, deliveryType, map[string]any{"deliverySourceName": "none", "deliveryDestinationArn": "$destination.arn"}, "ResourceNotFoundException"},
		"delivery abroad":     {abroad((*site).delivery), deliveryType, map[string]any{"deliverySourceName": "$source", "deliveryDestinationArn": "$destination.arn"}, "ResourceNotFoundException"},
		"destination abroad": {func(s *site) {
			s.delivery()
			s.SetRegion("eu-west-1")
			s.make(deliveryDestination, "abroad", destined("$logs.arn", "json"))
			s.SetRegion("us-east-1")
		}, deliveryType, map[string]any{"deliverySourceName": "$source", "deliveryDestinationArn": "$abroad.arn"}, "ValidationException"},
		"CloudFront twice": {(*site).guarded, ruleType, map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "tcp", "fromPort": 443.0,
			"toPort": 443.0, "prefixListIds": []any{prefixListID("us-east-1", cloudFrontPrefixList)}}, "RulesPerSecurityGroupLimitExceeded"},
		"CloudFront and six addresses": {(*site).guarded, ruleType, map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "tcp",
			"fromPort": 22.0, "toPort": 22.0, "cidrBlocks": addresses(6)}, "RulesPerSecurityGroupLimitExceeded"},
		"group with 61 addresses": {(*site).network, groupType, map[string]any{"vpcId": "$vpc", "egress": []any{map[string]any{"cidrBlocks": addresses(61)}}},
			"RulesPerSecurityGroupLimitExceeded"},
		"public policy, S3's own block": {func(s *site) { s.make(bucketType, "b", map[string]any{}) }, policyType, map[string]any{"bucket": "$b", "policy": public}, "AccessDenied"},
		"public policy, block": {func(s *site) {
			s.make(bucketType, "b", map[string]any{})
			s.make(accessBlockType, "block", map[string]any{"bucket": "$b", "blockPublicPolicy": true})
		}, policyType, map[string]any{"bucket": "$b", "policy": public}, "AccessDenied"},
		"public policy, account's block": {func(s *site) {
			s.make(bucketType, "b", map[string]any{})
			s.make(accessBlockType, "block", map[string]any{"bucket": "$b", "blockPublicPolicy": false})
			s.SetConditions(Conditions{NewAccount: true})
		}, policyType, map[string]any{"bucket": "$b", "policy": public}, "AccessDenied"},
		"target group of two balancers": {(*site).balancers, listenerType, map[string]any{"loadBalancerArn": "$two", "port": 81.0,
			"defaultActions": []any{map[string]any{"targetGroupArn": "$web"}}}, "TargetGroupAssociationLimit"},
		"rule of a second balancer": {(*site).balancers, listenerRuleType, map[string]any{"listenerArn": "$other", "priority": 1.0,
			"actions": []any{map[string]any{"forward": map[string]any{"targetGroups": []any{map[string]any{"arn": "$web"}}}}}}, "TargetGroupAssociationLimit"},
		"attachment of no group": {(*site).balancers, asgAttachment, map[string]any{"autoscalingGroupName": "none", "lbTargetGroupArn": "$web"}, "ValidationError"},
		"attachment to no target group": {func(s *site) { s.make(scalingType, "api", map[string]any{}) }, asgAttachment,
			map[string]any{"autoscalingGroupName": "$api", "lbTargetGroupArn": "arn:aws:x"}, "ValidationError"},
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

func TestEdgeAcceptsWhatAWSDoes(t *testing.T) {
	s := newSite(t)
	s.delivery()
	s.make(distribution, "second", distributed(func(m map[string]any) { m["aliases"] = []any{"example.com"} }))
	s.make(distribution, "plain", distributed(func(m map[string]any) { delete(m, "aliases"); delete(m, "viewerCertificate") }))
	s.make(subscriptionType, "metrics", map[string]any{"distributionId": "$cdn"})
	s.make(webACL, "full", map[string]any{"scope": "CLOUDFRONT", "rules": []any{rateRule(0), managedRule("AWSManagedRulesCommonRuleSet", 1)}})
	s.make(logGroupType, "aws-waf-logs-full", map[string]any{})
	s.make(webLogsType, "logging", map[string]any{"resourceArn": "$full.arn", "logDestinationConfigs": []any{"$aws-waf-logs-full.arn"}})
	s.make(logGroupType, "edge", map[string]any{})
	s.make(deliveryDestination, "group", destined("$edge.arn", "json"))
	s.make(deliveryType, "to-group", map[string]any{"deliverySourceName": "$source", "deliveryDestinationArn": "$group.arn"})
	state, ok := s.find(s.ids["cdn"])
	require.True(t, ok)
	assert.Regexp(t, `^d[0-9a-f]{13}\.cloudfront\.net$`, text(state, "domainName"), "not the subscription with the same id")
	full, _ := s.find(s.ids["full"])
	assert.EqualValues(t, 702, full["capacity"].NumberValue())

	s.SetRegion("eu-west-1")
	s.make(logGroupType, "edge-in-europe", map[string]any{"name": "edge"})
	require.Error(t, s.try(logGroupType, "again", map[string]any{"name": "edge"}), "the name is in use in this region")

	s = newSite(t)
	s.guarded()
	s.make(ruleType, "five", map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "tcp", "cidrBlocks": addresses(5)})
	s.make(ruleType, "out", map[string]any{"type": "egress", "securityGroupId": "$g", "protocol": "tcp", "cidrBlocks": addresses(60)})
	s.make(ruleType, "ipv6", map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "tcp", "ipv6CidrBlocks": []any{"2001:db8::/32"}})
	require.ErrorContains(t, s.try(ruleType, "peer", map[string]any{"type": "ingress", "securityGroupId": "$g", "protocol": "udp", "sourceSecurityGroupId": "$g"}),
		"RulesPerSecurityGroupLimitExceeded")

	s = newSite(t)
	s.balancers()
	s.make(listenerType, "https", map[string]any{"loadBalancerArn": "$one", "port": 443.0, "defaultActions": []any{map[string]any{"targetGroupArn": "$web"}}})
	s.make(scalingType, "api", map[string]any{})
	s.make(asgAttachment, "attachment", map[string]any{"autoscalingGroupName": "$api", "lbTargetGroupArn": "$web"})
	require.NoError(t, s.Delete(scalingType, s.ids["api"], ""), "its attachments go with it")
}

func TestRefusedEdgeUpdates(t *testing.T) {
	for name, c := range map[string]struct {
		setUp     func(*site)
		typ, what string
		in        map[string]any
		code      string // "" where AWS accepts it
	}{
		"VPC origin in use": {(*site).distribution, vpcOrigin, "origin", func() map[string]any {
			in := endpoint("$balancer")
			in["vpcOriginEndpointConfig"].(map[string]any)["httpPort"] = 8080.0
			return in
		}(), "CannotUpdateEntityWhileInUse"},
		"VPC origin, tags": {(*site).distribution, vpcOrigin, "origin", func() map[string]any {
			in := endpoint("$balancer")
			in["tags"] = map[string]any{"a": "b"}
			return in
		}(), ""},
		"distribution as it is": {(*site).distribution, distribution, "cdn", distributed(func(m map[string]any) { m["comment"] = "c" }), ""},
		"alias of another": {func(s *site) {
			s.distribution()
			s.make(distribution, "second", distributed(func(m map[string]any) { m["aliases"] = []any{"example.com"} }))
		}, distribution, "cdn", distributed(func(m map[string]any) { m["aliases"] = []any{"example.com"} }), "CNAMEAlreadyExists"},
		"distribution, European certificate": {(*site).distribution, distribution, "cdn",
			distributed(func(m map[string]any) { m["viewerCertificate"] = map[string]any{"acmCertificateArn": "$european"} }), "InvalidViewerCertificate"},
		"listener": {(*site).balancers, listenerType, "other", map[string]any{"loadBalancerArn": "$two", "port": 80.0,
			"defaultActions": []any{map[string]any{"targetGroupArn": "$web"}}}, "TargetGroupAssociationLimit"},
		"bucket policy": {func(s *site) {
			s.make(bucketType, "b", map[string]any{})
			s.make(policyType, "p", map[string]any{"bucket": "$b", "policy": "{}"})
		}, policyType, "p", map[string]any{"bucket": "$b", "policy": `{"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]}}}`}, "AccessDenied"},
		"rules of a group": {(*site).guarded, groupType, "g", map[string]any{"vpcId": "$vpc", "name": "g",
			"ingress": []any{map[string]any{"cidrBlocks": addresses(6)}}}, "RulesPerSecurityGroupLimitExceeded"},
		"destination": {(*site).delivery, deliveryDestination, "destination", func() map[string]any {
			in := destined("arn:aws:s3:::none", "json")
			in["name"] = "destination"
			return in
		}(), "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c.setUp(s)
			u := urn(c.typ, c.what)
			old, err := s.Read(c.typ, s.ids[c.what], u)
			require.NoError(t, err)
			news := s.fill(c.in)
			_, err = s.Update(c.typ, s.ids[c.what], u, old.State, news, Diff(c.typ, old.Inputs, news).Fields, false)
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.code)
			now, err := s.Read(c.typ, s.ids[c.what], u)
			require.NoError(t, err)
			assert.Equal(t, old, now)
		})
	}
}

func TestRefusedEdgeDeletions(t *testing.T) {
	for name, c := range map[string]struct {
		setUp     func(*site)
		typ, what string
		code      string
	}{
		"balancer of an origin":      {(*site).edge, balancerType, "balancer", "ResourceInUse"},
		"origin of a distribution":   {(*site).distribution, vpcOrigin, "origin", "CannotDeleteEntityWhileInUse"},
		"control of a distribution":  {(*site).distribution, accessControl, "control", "OriginAccessControlInUse"},
		"headers of a distribution":  {(*site).distribution, headersPolicy, "headers", "ResponseHeadersPolicyInUse"},
		"web ACL of a distribution":  {(*site).distribution, webACL, "acl", "WAFAssociatedItemException"},
		"certificate":                {(*site).distribution, certificateType, "certificate", "ResourceInUseException"},
		"distribution of a source":   {(*site).delivery, distribution, "cdn", "ResourceInUse"},
		"source of a delivery":       {(*site).delivery, deliverySource, "source", "ConflictException"},
		"destination of a delivery":  {(*site).delivery, deliveryDestination, "destination", "ConflictException"},
		"target group of attachment": {attached, targetType, "web", "DependencyViolation"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c.setUp(s)
			s.refusesDeletion(c.typ, c.what, c.code)
		})
	}
}

func attached(s *site) {
	s.make(targetType, "web", map[string]any{})
	s.make(scalingType, "api", map[string]any{})
	s.make(asgAttachment, "attachment", map[string]any{"autoscalingGroupName": "$api", "lbTargetGroupArn": "$web"})
}

func TestEdgeIsDeletedInOrder(t *testing.T) {
	s := newSite(t)
	s.delivery()
	s.make(subscriptionType, "metrics", map[string]any{"distributionId": "$cdn"})
	s.make(logGroupType, "aws-waf-logs-x", map[string]any{})
	s.make(webLogsType, "logging", map[string]any{"resourceArn": "$acl.arn", "logDestinationConfigs": []any{"$aws-waf-logs-x.arn"}})
	before := len(s.Resources())
	for _, r := range []struct{ typ, name string }{
		{deliveryType, "delivery"}, {deliverySource, "source"}, {deliveryDestination, "destination"}, {distribution, "cdn"},
		{webACL, "acl"}, {vpcOrigin, "origin"}, {accessControl, "control"}, {headersPolicy, "headers"}, {balancerType, "balancer"},
	} {
		require.NoError(t, s.Delete(r.typ, s.ids[r.name], urn(r.typ, r.name)), r.name)
	}
	assert.Len(t, s.Resources(), before-11, "the monitoring goes with the distribution, the logging with the web ACL")
}

func TestEdgeReplacements(t *testing.T) {
	type m = map[string]any
	to := func(arn string) m { return destined(arn, "json") }
	for name, c := range map[string]struct {
		typ        string
		olds, news m
		replaces   []string
	}{
		"VPC origin":           {vpcOrigin, endpoint("a"), endpoint("b"), nil},
		"distribution":         {distribution, m{"comment": "a", "aliases": []any{"a"}}, m{"comment": "b", "aliases": []any{"b"}}, nil},
		"staging":              {distribution, m{"staging": false}, m{"staging": true}, []string{"staging"}},
		"access control":       {accessControl, m{"name": "a", "signingBehavior": "always"}, m{"name": "b", "signingBehavior": "never"}, nil},
		"headers policy":       {headersPolicy, m{"name": "a"}, m{"name": "b"}, nil},
		"monitoring":           {subscriptionType, m{"distributionId": "a"}, m{"distributionId": "b"}, []string{"distributionId"}},
		"web ACL":              {webACL, m{"name": "a", "scope": "x"}, m{"name": "b", "scope": "y"}, []string{"name", "scope"}},
		"web ACL rules":        {webACL, m{"rules": []any{rateRule(1)}}, m{"rules": []any{rateRule(2)}}, nil},
		"web ACL logging":      {webLogsType, m{"resourceArn": "a", "logDestinationConfigs": []any{"a"}}, m{"resourceArn": "b", "logDestinationConfigs": []any{"b"}}, []string{"logDestinationConfigs[0]", "resourceArn"}},
		"redacted fields":      {webLogsType, m{"redactedFields": []any{m{"method": m{}}}}, m{"redactedFields": []any{m{"uriPath": m{}}}}, nil},
		"source":               {deliverySource, m{"name": "a", "logType": "a", "resourceArn": "a"}, m{"name": "b", "logType": "b", "resourceArn": "b"}, []string{"logType", "name", "resourceArn"}},
		"destination":          {deliveryDestination, m{"name": "a", "outputFormat": "a"}, m{"name": "b", "outputFormat": "b"}, []string{"name", "outputFormat"}},
		"other bucket":         {deliveryDestination, to("arn:aws:s3:::a"), to("arn:aws:s3:::b"), nil},
		"bucket and log group": {deliveryDestination, to("arn:aws:s3:::a"), to("arn:aws:logs:us-east-1:1:log-group:a"), []string{"deliveryDestinationConfiguration.destinationResourceArn"}},
		"delivery":             {deliveryType, m{"deliverySourceName": "a", "deliveryDestinationArn": "a"}, m{"deliverySourceName": "b", "deliveryDestinationArn": "b"}, []string{"deliveryDestinationArn", "deliverySourceName"}},
		"delivery fields":      {deliveryType, m{"recordFields": []any{"date"}}, m{"recordFields": []any{"time"}}, nil},
		"attachment":           {asgAttachment, m{"autoscalingGroupName": "a", "lbTargetGroupArn": "a"}, m{"autoscalingGroupName": "b", "lbTargetGroupArn": "b"}, []string{"autoscalingGroupName", "lbTargetGroupArn"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := Diff(c.typ, props(c.olds), props(c.news))
			assert.NotEmpty(t, d.Fields)
			assert.Equal(t, c.replaces, d.Replaces)
		})
	}
	unknown := props(to("arn:aws:s3:::a"))
	unknown["deliveryDestinationConfiguration"] = resource.NewProperty(Properties{"destinationResourceArn": resource.MakeComputed(resource.NewProperty(""))})
	assert.NotEmpty(t, Diff(deliveryDestination, props(to("arn:aws:s3:::a")), unknown).Replaces)
}

func TestEdgeOutputs(t *testing.T) {
	for _, c := range []struct {
		typ, property, want string
		in                  map[string]any
	}{
		{distribution, "arn", `^arn:aws:cloudfront::123456789012:distribution/E[0-9A-F]{13}$`, nil},
		{distribution, "hostedZoneId", `^Z2FDTNDATAQYW2$`, nil},
		{distribution, "status", `^Deployed$`, nil},
		{vpcOrigin, "arn", `^arn:aws:cloudfront::123456789012:vpcorigin/vo_[0-9a-f]{22}$`, nil},
		{webACL, "arn", `^arn:aws:wafv2:us-east-1:123456789012:global/webacl/web/[0-9a-f-]{36}$`, map[string]any{"name": "web", "scope": "CLOUDFRONT"}},
		{webACL, "arn", `^arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/web/[0-9a-f-]{36}$`, map[string]any{"name": "web", "scope": "REGIONAL"}},
		{deliverySource, "service", `^cloudfront$`, map[string]any{"resourceArn": "arn:aws:cloudfront::1:distribution/E1"}},
		{deliveryDestination, "deliveryDestinationType", `^S3$`, destined("arn:aws:s3:::b/prefix", "json")},
		{deliveryDestination, "arn", `^arn:aws:logs:eu-west-1:123456789012:delivery-destination:d$`, map[string]any{"name": "d"}},
	} {
		_, state := Cloud{Region: "eu-west-1"}.Outputs(Request{Type: c.typ, Name: "x", URN: "u", Inputs: props(c.in)})
		assert.Regexp(t, c.want, text(state, c.property), "%s %s", c.typ, c.property)
	}

	s := newSite(t)
	s.distribution()
	old, err := s.Read(distribution, s.ids["cdn"], "")
	require.NoError(t, err)
	for _, c := range []struct {
		key   string
		moves bool
	}{{"comment", true}, {"tags", false}} {
		news := old.Inputs.Copy()
		news[resource.PropertyKey(c.key)] = resource.NewProperty(props(map[string]any{"a": "b"}))
		state, err := s.Update(distribution, old.ID, old.URN, old.State, news, []string{c.key}, true)
		require.NoError(t, err)
		assert.Equal(t, c.moves, state["etag"].IsComputed(), c.key)
	}
}

func TestPublicPolicies(t *testing.T) {
	statement := func(principal, condition string) string {
		return `{"Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:*","Resource":"*","Condition":{` + condition + `}}]}`
	}
	for policy, want := range map[string]bool{
		statement(`"*"`, ``): true,
		statement(`{"AWS":"*"}`, `"Bool":{"aws:SecureTransport":"true"}`):                             true,
		statement(`"*"`, `"StringNotEquals":{"aws:SourceVpce":"vpce-1"}`):                             true,
		statement(`"*"`, `"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}`):                        true,
		statement(`"*"`, `"StringLike":{"aws:SourceArn":"arn:aws:cloudfront::*:*"}`):                  true,
		statement(`"*"`, `"IpAddress":{"aws:SourceIp":["192.0.2.0/24","0.0.0.0/1"]}`):                 true,
		statement(`"*"`, `"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}`):                               false,
		statement(`"*"`, `"StringEquals":{"aws:sourcevpce":"vpce-1"}`):                                false,
		statement(`"*"`, `"StringEquals":{"aws:PrincipalOrgID":["o-1"]}`):                             false,
		statement(`"*"`, `"ArnEquals":{"aws:SourceArn":"arn:aws:cloudfront::1:distribution/E1"}`):     false,
		statement(`{"AWS":"arn:aws:iam::123456789012:root"}`, ``):                                     false,
		statement(`{"Service":"cloudfront.amazonaws.com"}`, ``):                                       false,
		strings.Replace(statement(`"*"`, ``), "Allow", "Deny", 1):                                     false,
		`{"Statement":{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","*"]}}}`: true,
		``: false,
	} {
		assert.Equal(t, want, public(policy), policy)
	}
}

func TestCloudFrontPrefixList(t *testing.T) {
	look := func(region string, args map[string]any) Properties {
		out, err := Cloud{Region: region}.Lookup("aws:ec2/getManagedPrefixList:getManagedPrefixList", props(args))
		require.NoError(t, err)
		return out
	}
	name := map[string]any{"name": cloudFrontPrefixList}
	list := look("eu-west-1", name)
	assert.EqualValues(t, 55, list["maxEntries"].NumberValue())
	assert.Regexp(t, `^pl-[0-9a-f]{8}$`, text(list, "id"))
	assert.Equal(t, list, look("eu-west-1", name))
	assert.NotEqual(t, text(list, "id"), text(look("us-east-1", name), "id"))
	assert.Equal(t, cloudFrontPrefixList, text(look("eu-west-1", map[string]any{"id": text(list, "id")}), "name"))
	assert.EqualValues(t, 0, look("eu-west-1", map[string]any{"name": "com.amazonaws.eu-west-1.s3"})["maxEntries"].NumberValue())
	_, err := Cloud{}.Lookup("aws:ec2/getManagedPrefixList:getManagedPrefixList", props(map[string]any{"name": "com.amazonaws.global.cloudfront"}))
	require.ErrorContains(t, err, "no matching EC2 Managed Prefix List found")
}
