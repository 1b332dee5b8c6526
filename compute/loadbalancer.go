package compute

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
)

// drainSeconds is the time that a deregistered instance has to finish its requests. It is longer than the API's own
// shutdown timeout.
const drainSeconds = 30

// createLoadBalancer registers the load balancer, its target groups and its listeners: the only way from the internet to
// the API.
func (b *apiBuilder) createLoadBalancer() error {
	balancer, err := lb.NewLoadBalancer(b.Ctx, b.Name("lb"), &lb.LoadBalancerArgs{
		LoadBalancerType:        pulumi.String("application"),
		Subnets:                 b.args.PublicSubnetIDs,
		SecurityGroups:          pulumi.StringArray{b.args.LoadBalancerSecurityGroupID},
		DropInvalidHeaderFields: pulumi.Bool(true),
		// Refuses ambiguous requests, which enable request smuggling.
		DesyncMitigationMode: pulumi.String("strictest"),
		// Deleting the load balancer is an outage.
		EnableDeletionProtection: pulumi.Bool(b.Env.Protect),
		AccessLogs: lb.LoadBalancerAccessLogsArgs{
			Bucket:  b.args.LogsBucket,
			Prefix:  pulumi.String(b.args.LogsPrefix),
			Enabled: pulumi.Bool(true),
		},
		Tags: b.Tags(b.Name("lb")),
	}, b.Child())
	if err != nil {
		return err
	}
	b.balancer = balancer
	if err := b.createTargetGroups(); err != nil {
		return err
	}
	return b.createListeners()
}

// createTargetGroups registers a target group for each service.
func (b *apiBuilder) createTargetGroups() error {
	targets, err := lb.NewTargetGroup(b.Ctx, b.Name("targets"), &lb.TargetGroupArgs{
		VpcId:               b.args.VPCID,
		Port:                pulumi.Int(contract.APIPort),
		Protocol:            pulumi.String("HTTP"),
		TargetType:          pulumi.String("instance"),
		DeregistrationDelay: pulumi.Int(drainSeconds),
		HealthCheck: lb.TargetGroupHealthCheckArgs{
			// This path checks only the process: an outage of the database must not replace every instance.
			Path:    pulumi.String(contract.HealthPath),
			Matcher: pulumi.String("200"),
			// An instance is unhealthy after 20 s of failed checks, and healthy after 20 s of successful ones.
			Interval: pulumi.Int(10), Timeout: pulumi.Int(5),
			HealthyThreshold: pulumi.Int(2), UnhealthyThreshold: pulumi.Int(2),
		},
		Tags: b.Tags(b.Name("targets")),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.LoadBalancer, b.out.TargetGroup = b.balancer.ArnSuffix, targets.ArnSuffix
	b.targets = map[string]*lb.TargetGroup{ServiceAPI: targets}
	return nil
}
