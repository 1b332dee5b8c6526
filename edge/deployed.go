package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/lookup"
	"cinema-database/internal/problem"
)

// TierTag is the tag of a load balancer that says whether it is public. One without it is from before the group's attachment
// was a resource.
const TierTag = "Tier"

// deployedBalancer is what matters here of the look-up's answer. The SDK's own type for it is empty where any other part has
// another shape.
type deployedBalancer struct {
	Name                     string            `pulumi:"name"`
	Internal                 bool              `pulumi:"internal"`
	EnableDeletionProtection bool              `pulumi:"enableDeletionProtection"`
	Tags                     map[string]string `pulumi:"tags"`
}

// CheckDeployed refuses a change of the mode that would end badly: while the load balancer that it would delete is protected,
// because AWS refuses the deletion at the end of the update; and while nothing detaches its target group from the
// Auto Scaling group, because a group with a target group that does not exist launches no instance.
func (s Settings) CheckDeployed(ctx *pulumi.Context) error {
	found, err := lb.GetLbs(ctx, &lb.GetLbsArgs{Tags: map[string]string{"Project": ctx.Project(), "Stack": ctx.Stack()}})
	if err != nil {
		return fmt.Errorf("edge: deployed load balancers: %w", err)
	}
	balancers, err := lookup.Each(found.Arns, func(arn string) (balancer deployedBalancer, err error) {
		if err := ctx.Invoke("aws:lb/getLoadBalancer:getLoadBalancer", &lb.LookupLoadBalancerArgs{Arn: &arn}, &balancer); err != nil {
			return balancer, fmt.Errorf("edge: deployed load balancer %s: %w", arn, err)
		}
		return balancer, nil
	})
	if err != nil {
		return err
	}
	problems := problem.In("edge: ")
	for i, balancer := range balancers {
		if balancer.Internal == s.On() {
			continue
		}
		if balancer.Tags[TierTag] == "" {
			problems.Add("mode", string(s.Mode), "deletes the load balancer "+balancer.Name+", whose target group is part of the Auto Scaling group itself",
				"run `pulumi up` with cinema:edge "+string(other(s.Mode))+" once, which makes the attachment a resource; then change the mode")
		}
		if balancer.EnableDeletionProtection {
			problems.Add("mode", string(s.Mode), "deletes the load balancer "+balancer.Name+", which is protected from deletion",
				"keep the mode ("+string(other(s.Mode))+"), or turn its protection off first: aws elbv2 modify-load-balancer-attributes --load-balancer-arn "+
					found.Arns[i]+" --attributes Key=deletion_protection.enabled,Value=false")
		}
	}
	return problems.Err()
}

func other(m Mode) Mode {
	if m == CloudFront {
		return None
	}
	return CloudFront
}
