package containers

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/edge"
)

const (
	// drainSeconds is the time that a task has to finish its requests: ECS stops it 30 seconds after SIGTERM (ECS developer
	// guide, "stopTimeout").
	drainSeconds = 30
	// nominalPort is the target group's own. ECS registers every task with its container's port, so that another port in
	// config needs no other target group.
	nominalPort = 80
)

// routeName is the logical name of a service's target group and rule. A target group belongs to one load balancer, and both
// exist while a stack changes from an internal one to a public one.
func (b *builder) routeName(service string) string {
	if b.args.Internal {
		return b.Name("origin", service)
	}
	return b.Name(service)
}

// createRoute registers the target group of a service and the rule that sends its requests there.
func (b *builder) createRoute(name string, service Service) error {
	logical := b.routeName(name)
	targets, err := lb.NewTargetGroup(b.Ctx, logical, &lb.TargetGroupArgs{
		VpcId:               b.args.VPCID,
		Port:                pulumi.Int(nominalPort),
		Protocol:            pulumi.String("HTTP"),
		TargetType:          pulumi.String("ip"),
		DeregistrationDelay: pulumi.Int(drainSeconds),
		HealthCheck: lb.TargetGroupHealthCheckArgs{
			Path: pulumi.String(service.HealthPath), Matcher: pulumi.String("200"),
			// A task is unhealthy after 30 s of failed checks, and healthy after 20 s of successful ones.
			Interval: pulumi.Int(10), Timeout: pulumi.Int(5),
			HealthyThreshold: pulumi.Int(2), UnhealthyThreshold: pulumi.Int(3),
		},
		Tags: b.Tags(logical),
	}, b.Child())
	if err != nil {
		return err
	}
	condition, priority := lb.ListenerRuleConditionArgs{}, edge.PathPriority(service.Path)
	if service.Host != "" {
		condition.HostHeader = lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.ToStringArray([]string{service.Host})}
		priority = edge.HostPriority(service.Host)
	} else {
		condition.PathPattern = lb.ListenerRuleConditionPathPatternArgs{
			Values: pulumi.ToStringArray(edge.PathPatterns(service.Path)),
		}
	}
	rule, err := lb.NewListenerRule(b.Ctx, logical, &lb.ListenerRuleArgs{
		ListenerArn: b.args.ListenerARN,
		Priority:    pulumi.Int(priority),
		Conditions:  lb.ListenerRuleConditionArray{condition},
		Actions: lb.ListenerRuleActionArray{lb.ListenerRuleActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: targets.Arn,
		}},
		Tags: b.Tags(logical),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.TargetGroups[name], b.out.targets[name], b.out.routes[name] = targets.ArnSuffix, targets.Arn, rule
	return nil
}
