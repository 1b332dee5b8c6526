package stack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/client"
	"cinema-database/app/contract"
	"cinema-database/edge"
	"cinema-database/internal/testutil/pulumitest"
	"cinema-database/network"
)

const (
	filmsDomain  = `{"zone":"example.com","createZone":true,"hosts":[{"name":"films.example.com","service":"api"}]}`
	recordType   = "aws:route53/record:Record"
	certType     = "aws:acm/certificate:Certificate"
	delivery     = "aws:cloudwatch/logDelivery:LogDelivery"
	firewallType = "aws:wafv2/webAcl:WebAcl"
	topicType    = "aws:sns/topic:Topic"
	alarmType    = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

// One distribution serves client and API: the client from its bucket, the API through the internal load balancer.
func TestOneOrigin(t *testing.T) {
	r := planned(t, "dev", nil)
	d := the(t, r, distributionType, "edge-distribution")
	assert.Equal(t, "https://"+d.State["domainName"].StringValue(), r.Export("url").StringValue())
	assert.Equal(t, r.Export("url").StringValue()+"/api", r.Export("apiUrl").StringValue())
	assert.Equal(t, "/api/*", d.Text("orderedCacheBehaviors[0].pathPattern"))
	assert.Equal(t, "api", d.Text("orderedCacheBehaviors[0].targetOriginId"))
	assert.Equal(t, "site", d.Text("defaultCacheBehavior.targetOriginId"))
	assert.Contains(t, d.Text("origins[0].domainName"), ".s3.us-east-1.amazonaws.com")
	for _, b := range []string{"defaultCacheBehavior", "orderedCacheBehaviors[0]"} {
		assert.Equal(t, "true", d.Text(b+".compress"))
		assert.Equal(t, the(t, r, "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", "edge-headers").ID, d.Text(b+".responseHeadersPolicyId"))
	}
	assert.Equal(t, "http2and3", d.Text("httpVersion"))
	assert.Equal(t, "index.html", d.Text("defaultRootObject"))

	balancer := the(t, r, balancerType, "api-origin-lb")
	assert.Equal(t, "true", balancer.Text("internal"))
	assert.Equal(t, "append", balancer.Text("xffHeaderProcessingMode"), "the API reads the client's address there")
	assert.Equal(t, the(t, r, subnetType, "network-private-us-east-1a").ID, balancer.Text("subnets[0]"))
	origin := the(t, r, vpcOriginType, "edge-api-http")
	assert.Equal(t, balancer.State["arn"].StringValue(), origin.Text("vpcOriginEndpointConfig.arn"))
	assert.Equal(t, origin.ID, d.Text("origins[1].vpcOriginConfig.vpcOriginId"))

	config := the(t, r, objectType, "site-config.js")
	assert.Equal(t, client.Config(contract.BasePath), config.Text("content"), "the client calls its own origin")
	assert.Contains(t, userData(t, r), contract.EnvProxies+`="2"`)
}

// The headers of the page are the contract's, so that they are what the application is tested under.
func TestHeadersOfTheContract(t *testing.T) {
	r := planned(t, "dev", nil)
	headers := the(t, r, "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", "edge-headers")
	assert.Equal(t, contract.ContentSecurityPolicy, headers.Text("securityHeadersConfig.contentSecurityPolicy.contentSecurityPolicy"))
	assert.Contains(t, contract.ContentSecurityPolicy, "connect-src 'self'")
	assert.Contains(t, contract.ContentSecurityPolicy, "frame-ancestors 'none'")
	assert.EqualValues(t, contract.TransportSecurityMaxAge, headers.Input("securityHeadersConfig.strictTransportSecurity.accessControlMaxAgeSec").NumberValue())
	assert.Equal(t, "DENY", headers.Text("securityHeadersConfig.frameOptions.frameOption"))
	for _, header := range []string{"contentSecurityPolicy", "contentTypeOptions", "frameOptions", "referrerPolicy", "strictTransportSecurity"} {
		assert.Equal(t, "false", headers.Text("securityHeadersConfig."+header+".override"), "the API's own %s stays", header)
	}
}

// The client is published in a folder of its content, for as long as a browser likes, and index.html last.
func TestPublishedClient(t *testing.T) {
	r := planned(t, "dev", nil)
	script, index := the(t, r, objectType, "site-js/main.js"), the(t, r, objectType, "site-index.html")
	assert.Regexp(t, `^v-[0-9a-f]{12}/js/main\.js$`, script.Text("key"))
	assert.Contains(t, script.Text("cacheControl"), "immutable")
	assert.Equal(t, "index.html", index.Text("key"))
	assert.Equal(t, "no-cache", index.Text("cacheControl"))
	assert.Contains(t, index.Text("content"), script.Text("key"))
	for _, object := range r.ByType(objectType) {
		if strings.HasPrefix(object.Name, "site-") && object != index {
			assert.NotContains(t, r.Independent(object.URN), index.URN, object.Name)
		}
	}
	policy := the(t, r, bucketPolicy, "site-policy").Text("policy")
	assert.Contains(t, policy, `"aws:SourceArn":"`+the(t, r, distributionType, "edge-distribution").State["arn"].StringValue()+`"`)
}

// With a domain, the distribution has its names, a certificate from us-east-1 and records for IPv4 and IPv6, and calls the
// origin over HTTPS. In us-east-1 the load balancer has the same certificate.
func TestEdgeWithADomain(t *testing.T) {
	for region, certificates := range map[string][]string{
		"us-east-1": {"domain-certificate"}, "eu-west-1": {"domain-certificate", "domain-edge-certificate"},
	} {
		t.Run(region, func(t *testing.T) {
			r := planned(t, "dev", map[string]string{
				"aws:region": region, "cinema:availabilityZones": "[]", "cinema:domain": filmsDomain, "cinema:alarms": "{}", "cinema:edge": `{"waf":"block"}`,
			})
			d := the(t, r, distributionType, "edge-distribution")
			assert.Equal(t, "films.example.com", d.Text("aliases[0]"))
			var names []string
			for _, c := range r.ByType(certType) {
				names = append(names, c.Name)
			}
			slices.Sort(names)
			assert.Equal(t, certificates, names)
			edge := the(t, r, certType, certificates[len(certificates)-1])
			assert.Equal(t, edge.State["arn"].StringValue(), d.Text("viewerCertificate.acmCertificateArn"))
			assert.Equal(t, "TLSv1.2_2021", d.Text("viewerCertificate.minimumProtocolVersion"))
			assert.Equal(t, "https-only", the(t, r, vpcOriginType, "edge-api-https").Text("vpcOriginEndpointConfig.originProtocolPolicy"))
			kinds := map[string]string{}
			for _, record := range r.ByType(recordType) {
				if record.Text("name") == "films.example.com" {
					kinds[record.Text("type")] = record.Text("aliases[0].name")
				}
			}
			host := d.State["domainName"].StringValue()
			assert.Equal(t, map[string]string{"A": host, "AAAA": host}, kinds)
			assert.Equal(t, "https://films.example.com", r.Export("url").StringValue())

			// What must be in us-east-1 has that provider, and an alarm notifies a topic of its own region.
			global := []*pulumitest.Resource{the(t, r, firewallType, "edge-firewall"), the(t, r, delivery, "edge-logs"), the(t, r, alarmType, "monitoring-edge-5xx")}
			for _, res := range global {
				assert.Equal(t, region != "us-east-1", strings.Contains(res.Provider, "global-provider"), "%s: %s", res.Name, res.Provider)
			}
			topics := r.ByType(topicType)
			assert.Len(t, topics, len(certificates), "one for each region with alarms")
			alarm := the(t, r, alarmType, "monitoring-edge-5xx")
			topic := the(t, r, topicType, map[string]string{"us-east-1": "monitoring-alarms", "eu-west-1": "monitoring-global-alarms"}[region])
			assert.Equal(t, topic.State["arn"].StringValue(), alarm.Text("alarmActions[0]"))
		})
	}
}

// The firewall counts or blocks; uploads are not searched for text.
func TestFirewall(t *testing.T) {
	assert.Empty(t, planned(t, "dev", nil).ByType(firewallType))
	for mode, overridden := range map[string]string{"count": "count", "block": "none"} {
		r := planned(t, "dev", map[string]string{"cinema:edge": `{"waf":"` + mode + `"}`})
		f := the(t, r, firewallType, "edge-firewall")
		assert.Equal(t, f.State["arn"].StringValue(), the(t, r, distributionType, "edge-distribution").Text("webAclId"))
		groups, priorities := []string{}, map[string]bool{}
		for _, rule := range list(f, "rules") {
			object := rule.ObjectValue()
			text, err := json.Marshal(rule.Mappable())
			require.NoError(t, err)
			priorities[string(text[:0])+object["priority"].String()] = true
			if object["name"].StringValue() == "rate" {
				assert.Contains(t, string(text), `"action":{"`+mode+`":`)
				assert.Contains(t, string(text), `"aggregateKeyType":"IP"`)
				continue
			}
			assert.Contains(t, string(text), `"overrideAction":{"`+overridden+`":`)
			groups = append(groups, object["name"].StringValue())
			assert.Equal(t, object["name"].StringValue() == "common", strings.Contains(string(text), contract.UploadPath))
		}
		assert.Equal(t, []string{"reputation", "common", "bad-inputs"}, groups)
		assert.Len(t, priorities, 4)
		log := the(t, r, "aws:cloudwatch/logGroup:LogGroup", "edge-firewall")
		assert.True(t, strings.HasPrefix(log.Text("name"), "aws-waf-logs-"))
		assert.Equal(t, "authorization", the(t, r, "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "edge-firewall").Text("redactedFields[0].singleHeader.name"))
	}
}

// What other components had before is the same resource still: a hosted zone that is made again has other name servers, and
// the deletion of an old record or policy would remove the new one.
func TestMovedResources(t *testing.T) {
	r := planned(t, "full", nil)
	for _, c := range []struct{ typ, name, was, parent string }{
		{"aws:route53/zone:Zone", "domain-zone", "api-zone", "cinema:compute:API::api"},
		{certType, "domain-certificate", "api-certificate", "cinema:compute:API::api"},
		{recordType, "domain-proof-films.cinema.example.com", "api-proof-films.cinema.example.com", "cinema:compute:API::api"},
		{recordType, "edge-alias-films.cinema.example.com", "api-alias-films.cinema.example.com", "cinema:compute:API::api"},
		{bucketPolicy, "site-policy", "storage-site", "cinema:storage:Storage::storage"},
	} {
		aliases := strings.Join(the(t, r, c.typ, c.name).Aliases, " ")
		assert.Contains(t, aliases, "name="+c.was+" type="+c.typ+" ", c.name)
		assert.Contains(t, aliases, "parent=urn:pulumi:full::cinema::"+c.parent+" ", c.name)
	}
}

// Without the edge, the load balancer is public, and the client is published for something else to serve.
func TestEdgeNone(t *testing.T) {
	r := planned(t, "dev", map[string]string{"cinema:edge": "none", "cinema:api": `{"allowedOrigins":["https://films.example.com"]}`})
	for _, typ := range []string{distributionType, vpcOriginType, delivery, firewallType} {
		assert.Empty(t, r.ByType(typ))
	}
	assert.Empty(t, the(t, r, balancerType, "api-lb").Text("internal"), "it is public")
	apiURL := r.Export("apiUrl").StringValue()
	assert.Regexp(t, `^http://.*\.elb\.amazonaws\.com/api$`, apiURL)
	assert.False(t, r.Exports.HasValue("url"), "nothing serves the client")
	assert.Equal(t, client.Config(apiURL), the(t, r, objectType, "site-config.js").Text("content"))
	assert.NotContains(t, the(t, r, bucketPolicy, "site-policy").Text("policy"), "Allow")
	data := userData(t, r)
	assert.Contains(t, data, contract.EnvProxies+`="1"`)
	assert.Contains(t, data, "https://films.example.com")
}

// userData is the API's, decompressed.
func userData(t *testing.T, r *pulumitest.Recording) string {
	t.Helper()
	plain, _, err := script(the(t, r, templateType, "api-instance"))
	require.NoError(t, err)
	return plain
}

func TestEdgeRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		config map[string]string
		want   []string
	}{
		"mode":   {map[string]string{"cinema:edge": "cloudflare"}, []string{`cinema:edge.mode: "cloudflare" is not a mode of the edge; use cloudfront or none`}},
		"waf":    {map[string]string{"cinema:edge": `{"waf":"on"}`}, []string{`cinema:edge.waf: "on" is not a setting of the firewall; use off, count or block`}},
		"both":   {map[string]string{"cinema:edge": `{"mode":"none","waf":"block"}`}, []string{`cinema:edge.waf: "block" has no distribution to protect; set edge.mode to cloudfront, or remove edge.waf`}},
		"origin": {map[string]string{"cinema:api": `{"allowedOrigins":["films.example.com/x"]}`}, []string{`cinema:api.allowedOrigins[0]: "films.example.com/x" is not an origin; write only a scheme and a host`}},
		"zone": {map[string]string{"cinema:availabilityZones": `["us-east-1a","us-east-1e"]`, "cinema:architecture": "amd64"},
			[]string{`availabilityZones[1]: "us-east-1e" does not offer`, "CloudFront's VPC origins"}},
	} {
		t.Run(name, func(t *testing.T) {
			pulumitest.Refused(t, run(t, "dev", c.config), c.want...)
		})
	}
}

// CloudFront's prefix list counts as 55 of the 60 rules that a security group may have: there is one row with it.
func TestOneRuleForCloudFront(t *testing.T) {
	for _, config := range []map[string]string{nil, {"cinema:domain": filmsDomain}} {
		r := planned(t, "dev", config)
		rule := the(t, r, ruleType, "network-load-balancer-from-"+string(network.CloudFront))
		assert.True(t, rule.DeleteBeforeReplace, "both ports at once would be 110 rules")
		assert.Equal(t, map[bool]string{true: "80", false: "443"}[config == nil], rule.Text("fromPort"))
		assert.NotEmpty(t, rule.Text("prefixListIds[0]"))
		assert.Empty(t, rule.Text("cidrBlocks[0]"))
	}
}

// Names and texts that CloudFront limits fit, also those of a stack with the longest name that Pulumi accepts.
func TestTheLongestStackNameFitsTheEdge(t *testing.T) {
	r := planned(t, "dev", map[string]string{"cinema:domain": filmsDomain}, pulumitest.Stack("cinema", strings.Repeat("s", 100)))
	assert.LessOrEqual(t, len(the(t, r, distributionType, "edge-distribution").Text("comment")), 128)
	assert.LessOrEqual(t, len(the(t, r, vpcOriginType, "edge-api-https").Text("vpcOriginEndpointConfig.name")), 64)
}

// A stack changes between the modes, both ways: the names move, and neither a bucket, the database nor the group is replaced.
func TestChangedEdge(t *testing.T) {
	for name, config := range map[string]map[string]string{
		"without a domain": {"cinema:edge": "none"},
		"with a domain":    {"cinema:edge": "none", "cinema:domain": filmsDomain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openChanging(t, config)
			kept := func() map[string]string {
				ids := map[string]string{}
				for _, r := range c.Account().Resources() {
					if slices.Contains([]string{bucketType, volumeType, instanceType, scalingType, "aws:route53/zone:Zone", certType}, r.Type) {
						ids[r.URN] = r.ID
					}
				}
				return ids
			}
			before := kept()
			there := c.works("edge", `{"waf":"count"}`)
			assert.Contains(t, there, "edge-distribution")
			assert.Equal(t, before, kept())
			back := c.works("edge", "none")
			assert.Contains(t, back, "edge-distribution")
			assert.Equal(t, before, kept())
			for _, r := range c.Account().Resources() {
				assert.NotContains(t, r.Type, "cloudfront")
			}
		})
	}
}

// A protected load balancer is not deleted: the change is refused before it starts, with the way out.
func TestAProtectedLoadBalancerKeepsTheMode(t *testing.T) {
	c := openChanging(t, map[string]string{"cinema:protect": "true"})
	c.refused("edge", "none", "cloudfront", "deletes the load balancer", "Key=deletion_protection.enabled,Value=false")
	_, err := c.Preview(t.Context(), true)
	require.NoError(t, err)
	require.NoError(t, c.SetConfig(map[string]string{"cinema:protect": "false"}))
	_, err = c.Up(t.Context())
	require.NoError(t, err)
	c.works("edge", "none")
}

// A load balancer from before the attachment was a resource goes in two steps: nothing would detach its target group.
func TestAnOldLoadBalancerGetsItsAttachmentFirst(t *testing.T) {
	deployed := planned(t, "dev", map[string]string{"cinema:edge": "none"})
	same := map[string]string{"cinema:edge": "none"}
	require.NoError(t, run(t, "dev", nil, pulumitest.As("administrator", deployed)).Err)
	tags := the(t, deployed, balancerType, "api-lb").State["tagsAll"].ObjectValue()
	delete(tags, edge.TierTag)
	pulumitest.Refused(t, run(t, "dev", nil, pulumitest.As("administrator", deployed)),
		"is part of the Auto Scaling group itself; run `pulumi up` with cinema:edge none once")
	require.NoError(t, run(t, "dev", same, pulumitest.As("administrator", deployed)).Err)
}
