package edge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cinema-database/internal/testutil/pulumitest"
)

const (
	distributionType = "aws:cloudfront/distribution:Distribution"
	recordType       = "aws:route53/record:Record"
)

// run registers the domain with the services' names, if there is a domain, and the edge.
func run(t *testing.T, mode Mode, domain DomainSettings, routes ...ServiceRoute) *pulumitest.Recording {
	t.Helper()
	return pulumitest.Run(t, func(ctx *pulumi.Context) error {
		args := &Args{
			Environment: pulumitest.Environment(), Settings: Settings{Mode: mode, WAF: FirewallOff}, DomainSettings: domain, Services: routes,
			LoadBalancer: LoadBalancer{
				ARN:     pulumi.String("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/1").ToStringOutput(),
				DNSName: pulumi.String("lb.us-east-1.elb.amazonaws.com").ToStringOutput(), ZoneID: pulumi.String("Z35SXDOTRQ7X7K").ToStringOutput(),
			},
			SiteBucketDomain: pulumi.String("site.s3.us-east-1.amazonaws.com"), LogsBucketARN: pulumi.String("arn:aws:s3:::logs"), LogRetentionDays: 7,
		}
		if mode == CloudFront {
			args.WAF = FirewallBlock
		}
		var err error
		if domain.On() {
			args.Domain, err = NewDomain(ctx, "domain", &DomainArgs{
				Environment: args.Environment, DomainSettings: domain, Services: routes, HostedZoneID: "Z1", Edge: mode == CloudFront,
			})
			if err != nil {
				return err
			}
		}
		e, err := New(ctx, "edge", args)
		if err != nil {
			return err
		}
		for name, url := range e.ServiceURLs {
			ctx.Export(name, url)
		}
		return nil
	})
}

// built is run without an error.
func built(t *testing.T, mode Mode, domain DomainSettings, routes ...ServiceRoute) *pulumitest.Recording {
	t.Helper()
	r := run(t, mode, domain, routes...)
	require.NoError(t, r.Err)
	return r
}

// named returns the resource of a type with a logical name.
func named(t *testing.T, r *pulumitest.Recording, typ, name string) *pulumitest.Resource {
	t.Helper()
	all := r.ByType(typ)
	i := slices.IndexFunc(all, func(res *pulumitest.Resource) bool { return res.Name == name })
	require.GreaterOrEqual(t, i, 0, "%s %s", typ, name)
	return all[i]
}

var (
	films  = DomainSettings{HostedZone: "example.com", Hosts: []Host{{"films.example.com", ServiceAPI}}}
	byPath = ServiceRoute{Name: "demo", Path: "/demo/*"}
	shop   = ServiceRoute{Name: "shop", Host: "a.shop.example.com"}
)

// patterns returns the path patterns of a distribution, in their order.
func patterns(d *pulumitest.Resource) (all []string) {
	for i := 0; !d.Input(fmt.Sprintf("orderedCacheBehaviors[%d]", i)).IsNull(); i++ {
		all = append(all, d.Text(fmt.Sprintf("orderedCacheBehaviors[%d].pathPattern", i)))
	}
	return all
}

// A service's path goes to the load balancer as the API's does, without and with the slash that ends it.
func TestPathsOfServices(t *testing.T) {
	other := ServiceRoute{Name: "a", Path: "/z/sub/*"}
	r := built(t, CloudFront, DomainSettings{}, other, byPath)
	d := named(t, r, distributionType, "edge-distribution")
	assert.Equal(t, []string{"/api/*", "/demo", "/demo/*", "/z/sub", "/z/sub/*"}, patterns(d))
	api := d.Input("orderedCacheBehaviors[0]").ObjectValue()
	for i := range patterns(d) {
		behavior := maps.Clone(d.Input(fmt.Sprintf("orderedCacheBehaviors[%d]", i)).ObjectValue())
		behavior["pathPattern"] = api["pathPattern"]
		assert.Equal(t, api, behavior)
	}
	assert.Len(t, r.ByType(distributionType), 1)
	host := "https://" + d.State["domainName"].StringValue()
	assert.Equal(t, host+"/demo/", r.Export("demo").StringValue())
	assert.Equal(t, host+"/z/sub/", r.Export("a").StringValue())

	renamed := built(t, CloudFront, DomainSettings{}, ServiceRoute{Name: "a", Path: "/demo/*"}, ServiceRoute{Name: "demo", Path: "/z/sub/*"})
	assert.Equal(t, patterns(d), patterns(named(t, renamed, distributionType, "edge-distribution")), "the names of services order nothing")
}

// A service's host name has a distribution of its own, on which nothing but the service is reachable.
func TestHostsOfServices(t *testing.T) {
	r := built(t, CloudFront, films, byPath, shop)
	require.Len(t, r.ByType(distributionType), 2)
	own, main := named(t, r, distributionType, "edge-service-shop"), named(t, r, distributionType, "edge-distribution")
	assert.Equal(t, []string{"/api/*", "/demo", "/demo/*"}, patterns(main))
	assert.Equal(t, "films.example.com", main.Text("aliases[0]"))
	assert.True(t, main.Input("aliases[1]").IsNull())
	assert.Equal(t, "a.shop.example.com", own.Text("aliases[0]"))
	assert.Empty(t, patterns(own))
	assert.True(t, own.Input("defaultRootObject").IsNull())
	assert.True(t, own.Input("origins[1]").IsNull(), "the client is not there")
	api := maps.Clone(main.Input("orderedCacheBehaviors[0]").ObjectValue())
	delete(api, "pathPattern")
	assert.Equal(t, api, own.Input("defaultCacheBehavior").ObjectValue())
	for _, same := range []string{"viewerCertificate", "webAclId", "customErrorResponses", "httpVersion", "restrictions"} {
		require.False(t, own.Input(same).IsNull(), same)
		assert.Equal(t, main.Input(same), own.Input(same), same)
	}
	assert.Equal(t, main.Input("origins[1]"), own.Input("origins[0]"))

	for _, prefix := range []string{"alias", "alias-ipv6"} {
		record := named(t, r, recordType, "edge-"+prefix+"-a.shop.example.com")
		assert.Equal(t, "a.shop.example.com", record.Text("name"))
		assert.Equal(t, own.State["domainName"].StringValue(), record.Text("aliases[0].name"))
		record = named(t, r, recordType, "edge-"+prefix+"-films.example.com")
		assert.Equal(t, main.State["domainName"].StringValue(), record.Text("aliases[0].name"))
	}
	source := named(t, r, "aws:cloudwatch/logDeliverySource:LogDeliverySource", "edge-service-shop")
	assert.Equal(t, own.State["arn"].StringValue(), source.Text("resourceArn"))
	log := named(t, r, "aws:cloudwatch/logDelivery:LogDelivery", "edge-service-shop")
	assert.Equal(t, source.Text("name"), log.Text("deliverySourceName"))
	assert.Equal(t, named(t, r, "aws:cloudwatch/logDelivery:LogDelivery", "edge-logs").Text("deliveryDestinationArn"), log.Text("deliveryDestinationArn"))
	assert.Equal(t, "https://a.shop.example.com", r.Export("shop").StringValue())
	assert.Equal(t, "https://films.example.com/demo/", r.Export("demo").StringValue())
}

// The certificate proves every name, and nothing else of the API's changes.
func TestCertificateOfServices(t *testing.T) {
	for _, mode := range []Mode{CloudFront, None} {
		r := built(t, mode, films, byPath, shop)
		certificate := named(t, r, "aws:acm/certificate:Certificate", "domain-certificate")
		assert.Equal(t, "a.shop.example.com", certificate.Text("domainName"))
		assert.Equal(t, "films.example.com", certificate.Text("subjectAlternativeNames[1]"))
		for _, host := range []string{"a.shop.example.com", "films.example.com"} {
			named(t, r, recordType, "domain-proof-"+host)
		}
	}
	assert.Equal(t, []string{"a.shop.example.com", "_*.a.shop.example.com", "films.example.com", "_*.films.example.com"}, films.RecordNames(byPath, shop))
	assert.Equal(t, []string{"films.example.com"}, films.Names())
}

// Without the edge, a name leads to the load balancer.
func TestServicesWithoutTheEdge(t *testing.T) {
	r := built(t, None, films, byPath, shop)
	assert.Empty(t, r.ByType(distributionType))
	record := named(t, r, recordType, "edge-alias-a.shop.example.com")
	assert.Equal(t, "lb.us-east-1.elb.amazonaws.com", record.Text("aliases[0].name"))
	assert.Len(t, r.ByType(recordType), 4, "two proofs and two aliases")
	assert.Equal(t, "https://a.shop.example.com", r.Export("shop").StringValue())
	assert.Equal(t, "http://lb.us-east-1.elb.amazonaws.com/demo/", built(t, None, DomainSettings{}, byPath).Export("demo").StringValue())
}

func TestServiceRefusals(t *testing.T) {
	pulumitest.Refused(t, run(t, CloudFront, DomainSettings{}, ServiceRoute{Name: "both", Host: "a.example.com", Path: "/a/*"}, ServiceRoute{Name: "none"}, shop),
		`edge: services.both: "both" has not exactly one of host and path; set one of them`,
		`edge: services.none: "none" has not exactly one of host and path`,
		`edge: services.shop.host: "a.shop.example.com" has no certificate in a stack without a domain; set domain, or use a path`)
}

// Without services, the edge registers what it did before there were any.
func TestNoServices(t *testing.T) {
	for _, mode := range []Mode{CloudFront, None} {
		for _, domain := range []DomainSettings{films, {}} {
			r := built(t, mode, domain)
			assert.Contains(t, named(t, built(t, mode, domain, byPath), "cinema:edge:Edge", "edge").Outputs, resource.PropertyKey("serviceURLs"))
			for _, res := range r.Resources {
				assert.NotContains(t, res.Name, "service")
				assert.NotContains(t, res.Outputs, resource.PropertyKey("serviceURLs"))
			}
			for _, d := range r.ByType(distributionType) {
				assert.Equal(t, []string{"/api/*"}, patterns(d))
			}
		}
	}
}

// The ranges of rules do not overlap: a host name of a service comes first, then the paths, then the API's host names.
func TestPriorities(t *testing.T) {
	between := func(t *rapid.T, first, last, got int) {
		require.True(t, first <= got && got <= last, "%d is not in %d to %d", got, first, last)
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, name := range rapid.SliceOfNDistinct(rapid.String(), 100, 100, rapid.ID).Draw(t, "names") {
			h := Host{Name: name}
			between(t, 1, 50_000, h.Priority())
			between(t, 1, 5_000, HostPriority(name))
			between(t, 5_001, 10_000, PathPriority(name))
			between(t, 10_001, 50_000, h.PriorityBehind())
		}
	})
	// Deployed rules have these priorities: one that moves could meet another rule.
	assert.Equal(t, 21859, Host{Name: "films.cinema.example.com"}.Priority())
}

func TestMostPaths(t *testing.T) {
	var routes []ServiceRoute
	for i := range MaxPaths {
		routes = append(routes, ServiceRoute{Name: fmt.Sprintf("s%02d", i), Path: fmt.Sprintf("/s%02d/*", i)})
	}
	d := named(t, built(t, CloudFront, DomainSettings{}, routes...), distributionType, "edge-distribution")
	assert.LessOrEqual(t, len(patterns(d))+1, behaviors)
	assert.Equal(t, []string{"/a/b", "/a/b/*"}, PathPatterns("/a/b/*"))
	assert.Equal(t, []string{"/*"}, PathPatterns("/*"), "no pattern is empty")
	assert.True(t, slices.IsSortedFunc(patterns(d)[1:], strings.Compare))
}
