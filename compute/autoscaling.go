package compute

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/edge"
	"cinema-database/internal/component"
	"cinema-database/internal/rollout"
)

const (
	// bootSeconds is the time from launch to the first healthy answer, with a margin.
	bootSeconds = int(rollout.WarmUp / time.Second)
	// targetCPUPercent leaves capacity for the loss of one of three zones.
	targetCPUPercent = 60
	// targetRequestsPerMinute is for each instance, well below the capacity of a small one.
	targetRequestsPerMinute = 6000
)

// createGroup registers the Auto Scaling group in the private subnets. It starts with the present version of the launch
// template; the gate brings later ones.
func (b *apiBuilder) createGroup() error {
	b.out.templateID = b.template.ID().ToStringOutput()
	b.out.templateVersion = b.template.LatestVersion.ApplyT(strconv.Itoa).(pulumi.StringOutput)
	name := b.Name("group")
	var tags autoscaling.GroupTagArray
	all := b.TagValues(name)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		tags = append(tags, autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(all[key]),
			// The launch template names each instance itself.
			PropagateAtLaunch: pulumi.Bool(key != "Name"),
		})
	}
	group, err := autoscaling.NewGroup(b.Ctx, name, &autoscaling.GroupArgs{
		VpcZoneIdentifiers: b.args.PrivateSubnetIDs,
		MinSize:            pulumi.Int(b.args.MinSize),
		MaxSize:            pulumi.Int(b.args.MaxSize),
		DesiredCapacity:    pulumi.Int(b.args.MinSize),
		LaunchTemplate: autoscaling.GroupLaunchTemplateArgs{
			Id: b.template.ID(),
			// A number rather than $Latest: only then can AWS roll back.
			Version: b.out.templateVersion,
		},
		HealthCheckType:        pulumi.String("ELB"),
		HealthCheckGracePeriod: pulumi.Int(bootSeconds),
		DefaultInstanceWarmup:  pulumi.Int(bootSeconds),
		// An unhealthy instance is replaced before it is terminated.
		InstanceMaintenancePolicy: autoscaling.GroupInstanceMaintenancePolicyArgs{
			MinHealthyPercentage: pulumi.Int(rollout.MinHealthyPercent), MaxHealthyPercentage: pulumi.Int(rollout.MaxHealthyPercent),
		},
		// The gate waits for the instances, and says what it waits for.
		WaitForCapacityTimeout: pulumi.String("0"),
		EnabledMetrics: pulumi.ToStringArray([]string{
			"GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances", "GroupTotalInstances",
		}),
		Tags: tags,
		// The scaling policies change the desired capacity; a deployment must not reset it. AWS writes the launch template's
		// version to the group when a rollout has succeeded: one that was there before could not be taken back. With the whole
		// launchTemplate ignored, the provider's bridge finds a change in every preview.
	}, b.Child(pulumi.IgnoreChanges([]string{"desiredCapacity", "launchTemplate.version"})))
	if err != nil {
		return err
	}
	targets := b.targets[edge.ServiceAPI]
	// A resource of its own: while the load balancer changes, the instances are the targets of both.
	attachment, err := autoscaling.NewAttachment(b.Ctx, b.balancerName("targets"), &autoscaling.AttachmentArgs{
		AutoscalingGroupName: group.Name,
		LbTargetGroupArn:     targets.Arn,
	}, b.Child(pulumi.DependsOn(b.attached)))
	if err != nil {
		return err
	}
	b.out.GroupName = component.After(group.Name, attachment)
	for _, policy := range []struct {
		name, metric string
		label        pulumi.StringPtrInput
		target       float64
	}{
		{b.Name("scale-on", "cpu"), "ASGAverageCPUUtilization", nil, targetCPUPercent},
		{
			b.balancerName("scale-on", "requests"), "ALBRequestCountPerTarget",
			pulumi.Sprintf("%s/%s", b.balancer.ArnSuffix, targets.ArnSuffix), targetRequestsPerMinute,
		},
	} {
		if _, err := autoscaling.NewPolicy(b.Ctx, policy.name, &autoscaling.PolicyArgs{
			AutoscalingGroupName: b.out.GroupName,
			PolicyType:           pulumi.String("TargetTrackingScaling"),
			TargetTrackingConfiguration: autoscaling.PolicyTargetTrackingConfigurationArgs{
				PredefinedMetricSpecification: autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String(policy.metric), ResourceLabel: policy.label,
				},
				TargetValue: pulumi.Float64(policy.target),
			},
			// A deployment does not resume scaling that an operator has paused. Predictive settings belong to another kind of
			// policy.
		}, b.Child(pulumi.IgnoreChanges([]string{"enabled", "predictiveScalingConfiguration"}))); err != nil {
			return err
		}
	}
	return nil
}
