package containers

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute"
	"cinema-database/iam"
)

const (
	// hostRootGiB is the root volume of the ECS-optimized image (ECS developer guide, "Amazon ECS-optimized Linux AMIs").
	hostRootGiB = 30
	// targetCapacityPercent keeps instances full: ECS starts one where a task finds no room.
	targetCapacityPercent = 100
)

// hostImage is resolved at each launch of an instance, so that newer images alone change nothing in a preview (EC2 user
// guide, "Use a Systems Manager parameter instead of an AMI ID").
var hostImage = map[compute.Architecture]string{
	compute.ARM64: "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
	compute.AMD64: "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
}

// hostUserData joins an instance to the cluster and keeps the tasks from its instance metadata (ECS developer guide,
// "Amazon ECS container agent configuration").
const hostUserData = `#!/bin/bash
cat >>/etc/ecs/ecs.config <<'END'
ECS_CLUSTER=%s
ECS_AWSVPC_BLOCK_IMDS=true
ECS_ENABLE_TASK_IAM_ROLE=true
ECS_IMAGE_PULL_BEHAVIOR=prefer-cached
END
`

// createHosts registers the instances of the capacity ec2, as many as the tasks need, and returns the name of their
// capacity provider.
func (b *builder) createHosts(cluster *ecs.Cluster) (pulumi.StringOutput, error) {
	none := pulumi.StringOutput{}
	name := b.Name("hosts")
	profile, err := iam.NewContainerHostRole(b.Ctx, "iam-container-hosts", b.Env, cluster.Arn)
	if err != nil {
		return none, err
	}
	var specifications ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		specifications = append(specifications, ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String(kind), Tags: b.Tags(name)})
	}
	args := &ec2.LaunchTemplateArgs{
		Description:          pulumi.String("Instances that run the tasks of services"),
		ImageId:              pulumi.String(hostImage[b.args.Architecture]),
		InstanceType:         pulumi.String(b.args.InstanceType),
		IamInstanceProfile:   ec2.LaunchTemplateIamInstanceProfileArgs{Name: profile},
		UpdateDefaultVersion: pulumi.Bool(true),
		UserData: cluster.Name.ApplyT(func(cluster string) string {
			return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf(hostUserData, cluster)))
		}).(pulumi.StringOutput),
		TagSpecifications: specifications,
		Tags:              b.Tags(name),
	}
	compute.SecureTemplate(args, b.args.HostsSecurityGroupID, hostRootGiB)
	template, err := ec2.NewLaunchTemplate(b.Ctx, name, args, b.Child())
	if err != nil {
		return none, err
	}
	group, err := b.createGroup(name, template)
	if err != nil {
		return none, err
	}
	provider, err := ecs.NewCapacityProvider(b.Ctx, name, &ecs.CapacityProviderArgs{
		AutoScalingGroupProvider: ecs.CapacityProviderAutoScalingGroupProviderArgs{
			AutoScalingGroupArn: group.Arn,
			ManagedDraining:     pulumi.String("ENABLED"),
			ManagedScaling: ecs.CapacityProviderAutoScalingGroupProviderManagedScalingArgs{
				Status: pulumi.String("ENABLED"), TargetCapacity: pulumi.Int(targetCapacityPercent),
			},
			ManagedTerminationProtection: pulumi.String("ENABLED"),
		},
		Tags: b.Tags(name),
	}, b.Child())
	if err != nil {
		return none, err
	}
	return provider.Name, nil
}

// createGroup registers the Auto Scaling group. ECS sets its size and decides which instance may stop.
func (b *builder) createGroup(name string, template *ec2.LaunchTemplate) (*autoscaling.Group, error) {
	all := b.TagValues(name)
	all["AmazonECSManaged"] = "true" // ECS sets it with managed scaling
	var tags autoscaling.GroupTagArray
	for _, key := range slices.Sorted(maps.Keys(all)) {
		tags = append(tags, autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(all[key]),
			PropagateAtLaunch: pulumi.Bool(key != "Name"), // the launch template names each instance itself
		})
	}
	return autoscaling.NewGroup(b.Ctx, name, &autoscaling.GroupArgs{
		VpcZoneIdentifiers: b.args.PrivateSubnetIDs,
		MinSize:            pulumi.Int(0),
		MaxSize:            pulumi.Int(b.args.MaxSize),
		LaunchTemplate: autoscaling.GroupLaunchTemplateArgs{
			Id: template.ID(), Version: template.LatestVersion.ApplyT(strconv.Itoa).(pulumi.StringOutput),
		},
		// Managed termination protection needs it (ECS API reference, AutoScalingGroupProvider).
		ProtectFromScaleIn: pulumi.Bool(true),
		// Protected instances would keep the group from being deleted.
		ForceDelete: pulumi.Bool(true),
		// Another launch template replaces the instances one after the other. ECS moves their tasks first (managed draining).
		InstanceRefresh: autoscaling.GroupInstanceRefreshArgs{
			Strategy: pulumi.String("Rolling"),
			Preferences: autoscaling.GroupInstanceRefreshPreferencesArgs{
				MinHealthyPercentage: pulumi.Int(100), MaxHealthyPercentage: pulumi.Int(200),
				ScaleInProtectedInstances: pulumi.String("Refresh"),
			},
		},
		WaitForCapacityTimeout: pulumi.String("0"),
		Tags:                   tags,
	}, b.Child(pulumi.IgnoreChanges([]string{"desiredCapacity"})))
}
