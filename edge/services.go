package edge

import "strings"

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
