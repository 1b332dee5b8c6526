package monitoring

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// serviceAlarms are those of the services in containers. Two of them take a deployment back.
func (b *builder) serviceAlarms() (all []alarm) {
	const elb = "AWS/ApplicationELB"
	for _, service := range slices.Sorted(maps.Keys(b.args.ServiceTargets)) {
		name := "service-" + service
		targets := pulumi.StringMap{"LoadBalancer": b.args.LoadBalancer, "TargetGroup": b.args.ServiceTargets[service]}
		all = append(all, alarm{
			name: name + "-errors", description: "More than 5 % of requests to the service " + service + " fail: check the logs of its tasks",
			rate: "100 * FILL(errors, 0) / FILL(requests, 1)",
			queries: map[string]alarmMetric{
				"errors":   {elb, "HTTPCode_Target_5XX_Count", "Sum", targets},
				"requests": {elb, "RequestCount", "Sum", targets},
			},
			threshold: 5, minutes: 5, service: service,
		}, alarm{
			name: name + "-unhealthy", description: "A task of the service " + service + " fails its health check: check its logs, then its latest image",
			namespace: elb, metric: "UnHealthyHostCount", dimensions: targets, statistic: "Maximum", threshold: 0, minutes: 5,
			service: service,
		}, alarm{
			name: name + "-down", description: "The service " + service + " has no healthy task: run `go run . release status`",
			namespace: elb, metric: "HealthyHostCount", dimensions: targets, statistic: "Maximum", threshold: 1, below: true, minutes: 5,
			missing: "breaching",
		})
	}
	return all
}
