package edge

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
)

// ServiceRoute is the way to a service in containers: its own host name, or a path on the stack's.
type ServiceRoute struct {
	Name string
	// Host is a host name in the hosted zone, Path the pattern of the paths. One of them is empty.
	Host, Path string
}

// behaviors is CloudFront's quota of cache behaviors of a distribution (CloudFront developer guide, "Quotas").
const behaviors = 75

// MaxPaths is how many services can have a path: each has two behaviors, and the client and the API one each.
const MaxPaths = (behaviors - 2) / 2

// PathPatterns returns the patterns of a service's path: for /demo/* also /demo, which neither CloudFront nor the load
// balancer matches with it.
func PathPatterns(path string) []string {
	if folder, ok := strings.CutSuffix(path, "/*"); ok && folder != "" {
		return []string{folder, path}
	}
	return []string{path}
}

// ServiceHosts returns the host names of services, in their order.
func ServiceHosts(routes []ServiceRoute) (hosts []string) {
	for _, r := range routes {
		if r.Host != "" {
			hosts = append(hosts, r.Host)
		}
	}
	return hosts
}

// servicePatterns returns the patterns of all services' paths, sorted: none covers another, so their order means nothing.
func servicePatterns(routes []ServiceRoute) (patterns []string) {
	for _, r := range routes {
		if r.Path != "" {
			patterns = append(patterns, PathPatterns(r.Path)...)
		}
	}
	slices.Sort(patterns)
	return patterns
}

// checkServices refuses routes that there is no way for.
func (a *Args) checkServices(l *problem.List) {
	for _, r := range a.Services {
		at := "services." + r.Name
		switch {
		case (r.Host == "") == (r.Path == ""):
			l.Add(at, r.Name, "has not exactly one of host and path", "set one of them")
		case r.Host != "" && a.Domain == nil:
			l.Add(at+".host", r.Host, "has no certificate in a stack without a domain", "set domain, or use a path")
		}
	}
}

// serviceName is the logical name of a service's resources.
func (b *builder) serviceName(r ServiceRoute) string { return b.Name("service", r.Name) }

// createServiceDistributions registers a distribution for each service with a host name of its own: everything there goes to
// the load balancer, whose rule for the name knows the service.
func (b *builder) createServiceDistributions() error {
	if !b.args.On() {
		return nil
	}
	for _, r := range b.args.Services {
		if r.Host == "" {
			continue
		}
		name := b.serviceName(r)
		args := b.distributionArgs(name, []string{r.Host})
		args.Origins = cloudfront.DistributionOriginArray{b.apiOrigin()}
		args.DefaultCacheBehavior = cloudfront.DistributionDefaultCacheBehaviorArgs{
			TargetOriginId:          pulumi.String(apiOrigin),
			ViewerProtocolPolicy:    pulumi.String("redirect-to-https"),
			AllowedMethods:          pulumi.ToStringArray(allMethods),
			CachedMethods:           pulumi.ToStringArray([]string{"GET", "HEAD"}),
			Compress:                pulumi.Bool(true),
			CachePolicyId:           pulumi.String(useOriginCacheControl),
			OriginRequestPolicyId:   pulumi.String(allViewer),
			ResponseHeadersPolicyId: b.headers.ID(),
		}
		distribution, err := cloudfront.NewDistribution(b.Ctx, name, args, b.Child())
		if err != nil {
			return err
		}
		b.services[r.Name] = distribution
	}
	return nil
}

// setServiceURLs registers the records of the services' host names, and sets the services' URLs.
func (b *builder) setServiceURLs() error {
	for _, r := range b.args.Services {
		if b.out.ServiceURLs == nil {
			b.out.ServiceURLs = map[string]pulumi.StringOutput{}
		}
		if r.Host == "" {
			start, _, _ := strings.Cut(r.Path, "*")
			b.out.ServiceURLs[r.Name] = pulumi.Sprintf("%s%s", b.out.Address, start)
			continue
		}
		records, err := b.createAliases(r.Host, b.services[r.Name])
		if err != nil {
			return err
		}
		b.out.ServiceURLs[r.Name] = component.After(pulumi.Sprintf("https://%s", r.Host), records...)
	}
	return nil
}
