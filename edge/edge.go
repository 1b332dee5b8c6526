package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

// Args are the settings and what the edge stands in front of.
type Args struct {
	environment.Environment
	Settings
	DomainSettings
	// Domain has the certificates of the host names, nil without a domain.
	Domain *Domain
	// Global is the provider of GlobalRegion, nil where the default provider is there.
	Global pulumi.ProviderResource

	// LoadBalancer is the API's.
	LoadBalancer LoadBalancer
	// Services in containers, sorted by name.
	Services []ServiceRoute
	// SiteBucketDomain is the regional domain name of the bucket with the client.
	SiteBucketDomain pulumi.StringInput
	// LogsBucketARN receives the distribution's access logs. LogRetentionDays is of the firewall's log group.
	LogsBucketARN    pulumi.StringInput
	LogRetentionDays int
}

// LoadBalancer is the origin of the API.
type LoadBalancer struct {
	ARN     pulumi.StringOutput
	DNSName pulumi.StringOutput
	// ZoneID is of the hosted zone that alias records name.
	ZoneID pulumi.StringOutput
}

// Edge is what users connect to.
type Edge struct {
	pulumi.ResourceState

	// Address is the scheme and the host that users connect to. It resolves once the host's name does.
	Address pulumi.StringOutput
	// URL of the client, without a trailing slash. It is empty in the mode none, where something else serves the client.
	URL pulumi.StringOutput
	// APIURL of the API, with its base path and without a trailing slash.
	APIURL pulumi.StringOutput
	// ClientAPIURL is APIURL as the client calls it: a path where both have one origin.
	ClientAPIURL pulumi.StringOutput
	// DistributionARN and DistributionID are not set in the mode none.
	DistributionARN pulumi.StringOutput
	DistributionID  pulumi.StringOutput
	// ServiceURLs are those of the services in containers by name, nil without services. The URL of a service with a path ends
	// with a slash.
	ServiceURLs map[string]pulumi.StringOutput
}

type builder struct {
	*component.Scope
	args *Args
	out  *Edge

	// distribution, its origin and headers, and firewall are nil where there is none.
	distribution *cloudfront.Distribution
	origin       *cloudfront.VpcOrigin
	headers      *cloudfront.ResponseHeadersPolicy
	firewall     *wafv2.WebAcl
	// services are the distributions of services with a host name, by the service's name.
	services map[string]*cloudfront.Distribution
	// records are the DNS records of the host names.
	records []pulumi.Resource
}

// New registers the distribution with its firewall and logs, or none of them, and the DNS records of the host names.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Edge, error) {
	problems := problem.In("edge: ")
	args.Settings.Check(problems)
	if args.On() && args.Partition != "aws" {
		problems.Add("mode", string(args.Mode), "needs CloudFront's VPC origins, which the partition "+args.Partition+" does not have", "set cinema:edge to none")
	}
	args.checkServices(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	edge := &Edge{}
	err := component.New(ctx, args.Environment, "cinema:edge:Edge", name, edge, func(s *component.Scope) error {
		b := &builder{Scope: s, args: args, out: edge, services: map[string]*cloudfront.Distribution{}}
		for _, step := range []func() error{
			b.createFirewall,
			b.createDistribution,
			b.createServiceDistributions,
			b.deliverLogs,
			b.createRecords,
			b.setURLs,
			b.setServiceURLs,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return edge, err
}

// On reports whether there is a distribution.
func (a *Args) On() bool { return a.Settings.On() }

// global is the option of what must be in GlobalRegion.
func (b *builder) global() pulumi.ResourceOption {
	if b.args.Global == nil {
		return b.Child()
	}
	return b.Child(pulumi.Provider(b.args.Global))
}

// setURLs sets the addresses that users and the client call.
func (b *builder) setURLs() error {
	var base pulumi.StringOutput
	switch {
	case b.args.Domain != nil:
		base = pulumi.Sprintf("https://%s", b.args.Hosts[0].Name)
	case b.args.On():
		base = pulumi.Sprintf("https://%s", b.distribution.DomainName)
	default:
		// A log entry about a resource would make the program wait for the resource.
		if err := b.Ctx.Log.Warn("the API is served over plain HTTP: passwords cross the internet in the clear; set cinema:edge to cloudfront, or cinema:domain for HTTPS", nil); err != nil {
			return err
		}
		base = pulumi.Sprintf("http://%s", b.args.LoadBalancer.DNSName)
	}
	base = component.After(base, b.records...)
	b.out.Address, b.out.APIURL = base, pulumi.Sprintf("%s%s", base, contract.BasePath)
	if b.args.On() {
		b.out.URL, b.out.ClientAPIURL = base, pulumi.String(contract.BasePath).ToStringOutput()
		b.out.DistributionARN, b.out.DistributionID = b.distribution.Arn, b.distribution.ID().ToStringOutput()
	} else {
		b.out.ClientAPIURL = b.out.APIURL
	}
	return nil
}
