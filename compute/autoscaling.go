package compute

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// bootSeconds from launch to the first healthy answer, with room: user data fetches one binary.
	bootSeconds = 180
	// targetCPUPercent leaves room for one zone of three to fail.
	targetCPUPercent = 60
	// targetRequestsPerMinute and instance, well under what one small instance serves.
	targetRequestsPerMinute = 6000
)

// createGroup keeps the instances: spread over the private subnets, replaced by an instance refresh
// when the launch template gets a new version.
func (b *apiBuilder) createGroup() error {
	name := b.Name("group")
	var tags autoscaling.GroupTagArray
	all := b.TagValues(name)
	for _, key := range sortedKeys(all) {
		tags = append(tags, autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(all[key]),
			// The launch template names each instance itself.
			PropagateAtLaunch: pulumi.Bool(key != "Name"),
		})
	}
	group, err := autoscaling.NewGroup(b.ctx, name, &autoscaling.GroupArgs{
		VpcZoneIdentifiers: b.args.PrivateSubnetIDs,
		MinSize:            pulumi.Int(b.args.MinSize),
		MaxSize:            pulumi.Int(b.args.MaxSize),
		DesiredCapacity:    pulumi.Int(b.args.MinSize),
		LaunchTemplate: autoscaling.GroupLaunchTemplateArgs{
			Id: b.template.ID(),
			// A number, never $Latest: what is previewed is what starts, and going back is possible.
			Version: b.template.LatestVersion.ApplyT(strconv.Itoa).(pulumi.StringOutput),
		},
		TargetGroupArns:        pulumi.StringArray{b.targets[ServiceAPI].Arn},
		HealthCheckType:        pulumi.String("ELB"),
		HealthCheckGracePeriod: pulumi.Int(bootSeconds),
		EnabledMetrics: pulumi.ToStringArray([]string{
			"GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances", "GroupTotalInstances",
		}),
		InstanceRefresh: autoscaling.GroupInstanceRefreshArgs{
			Strategy: pulumi.String("Rolling"),
			Preferences: autoscaling.GroupInstanceRefreshPreferencesArgs{
				// New instances come before old ones go, a third at a time.
				MinHealthyPercentage: pulumi.Int(100), MaxHealthyPercentage: pulumi.Int(134),
				InstanceWarmup: pulumi.String(strconv.Itoa(bootSeconds)),
				AutoRollback:   pulumi.Bool(true),
			},
		},
		Tags: tags,
		// The scaling policies move the desired capacity; a deployment must not move it back.
	}, b.Child(pulumi.IgnoreChanges([]string{"desiredCapacity"}), pulumi.DependsOn(b.attached)))
	if err != nil {
		return err
	}
	b.out.GroupName = group.Name
	for _, policy := range []struct {
		name, metric string
		label        pulumi.StringPtrInput
		target       float64
	}{
		{"cpu", "ASGAverageCPUUtilization", nil, targetCPUPercent},
		{
			"requests", "ALBRequestCountPerTarget",
			pulumi.Sprintf("%s/%s", b.balancer.ArnSuffix, b.targets[ServiceAPI].ArnSuffix), targetRequestsPerMinute,
		},
	} {
		if _, err := autoscaling.NewPolicy(b.ctx, b.Name("scale-on", policy.name), &autoscaling.PolicyArgs{
			AutoscalingGroupName: group.Name,
			PolicyType:           pulumi.String("TargetTrackingScaling"),
			TargetTrackingConfiguration: autoscaling.PolicyTargetTrackingConfigurationArgs{
				PredefinedMetricSpecification: autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String(policy.metric), ResourceLabel: policy.label,
				},
				TargetValue: pulumi.Float64(policy.target),
			},
			// Who pauses scaling by hand while something is wrong is not undone by the next deployment; the other
			// kind of policy's settings are nobody's here.
		}, b.Child(pulumi.IgnoreChanges([]string{"enabled", "predictiveScalingConfiguration"}))); err != nil {
			return err
		}
	}
	return nil
}
