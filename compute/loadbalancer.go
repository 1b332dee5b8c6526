package compute

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/edge"
	"cinema-database/internal/component"
	"cinema-database/network"
)

// drainSeconds is the time that a deregistered instance has to finish its requests. It is longer than the API's own
// shutdown timeout.
const drainSeconds = 30

// balancerName is the logical name of the load balancer and of what belongs to it. AWS cannot make a public load balancer
// internal, and a target group belongs to one load balancer: so each kind has resources of its own, and both exist while
// a stack changes from one to the other.
func (b *apiBuilder) balancerName(parts ...string) string {
	if b.args.Internal {
		parts = append([]string{"origin"}, parts...)
	}
	return b.Name(parts...)
}

// createLoadBalancer registers the load balancer, its target groups and its listeners: the only way to the API.
func (b *apiBuilder) createLoadBalancer() error {
	name, tier, subnets := b.balancerName("lb"), network.Public, b.args.PublicSubnetIDs
	var internal pulumi.BoolPtrInput // not set where it is public: a value that is set for the first time would replace it
	if b.args.Internal {
		tier, subnets, internal = network.Private, b.args.PrivateSubnetIDs, pulumi.Bool(true)
	}
	balancer, err := lb.NewLoadBalancer(b.Ctx, name, &lb.LoadBalancerArgs{
		LoadBalancerType:        pulumi.String("application"),
		Internal:                internal,
		Subnets:                 subnets,
		SecurityGroups:          pulumi.StringArray{b.args.LoadBalancerSecurityGroupID},
		DropInvalidHeaderFields: pulumi.Bool(true),
		// Refuses ambiguous requests, which enable request smuggling.
		DesyncMitigationMode: pulumi.String("strictest"),
		// The API reads the client's address at the end of X-Forwarded-For.
		XffHeaderProcessingMode: pulumi.String("append"),
		// Deleting the load balancer is an outage.
		EnableDeletionProtection: pulumi.Bool(b.Env.Protect),
		AccessLogs: lb.LoadBalancerAccessLogsArgs{
			Bucket:  b.args.LogsBucket,
			Prefix:  pulumi.String(b.args.LogsPrefix),
			Enabled: pulumi.Bool(true),
		},
		Tags: b.Tags(name, map[string]string{edge.TierTag: string(tier)}),
	}, b.Child())
	if err != nil {
		return err
	}
	b.balancer = balancer
	if err := b.createTargetGroups(); err != nil {
		return err
	}
	if err := b.createListeners(); err != nil {
		return err
	}
	b.out.Origin = edge.LoadBalancer{
		// CloudFront finds no origin before the load balancer listens, and makes no VPC origin in a VPC without an internet
		// gateway, to which each public subnet has a route. One subnet is enough: a new one is unknown in a preview.
		ARN: pulumi.All(component.After(balancer.Arn, b.attached...), b.args.PublicSubnetIDs[0]).ApplyT(func(v []any) string {
			return v[0].(string)
		}).(pulumi.StringOutput),
		DNSName: balancer.DnsName,
		ZoneID:  balancer.ZoneId,
	}
	return nil
}

// createTargetGroups registers a target group for each service.
func (b *apiBuilder) createTargetGroups() error {
	name := b.balancerName("targets")
	targets, err := lb.NewTargetGroup(b.Ctx, name, &lb.TargetGroupArgs{
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
		Tags: b.Tags(name),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.LoadBalancer, b.out.TargetGroup = b.balancer.ArnSuffix, targets.ArnSuffix
	b.targets = map[string]*lb.TargetGroup{edge.ServiceAPI: targets}
	return nil
}
