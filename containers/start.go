package containers

import (
	"context"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/rollout"
)

const (
	// startSeconds is how long failed health checks of a new task do not count.
	startSeconds = 60
	// targetCPUPercent leaves capacity for the loss of one of three zones.
	targetCPUPercent = 60
)

// StartArgs are the services that start, and what they start with.
type StartArgs struct {
	environment.Environment
	compute.Rollouts
	Settings
	// Services that start: each has an image.
	Services
	Containers *Containers
	// SubnetIDs are private. SecurityGroupIDs are by service.
	SubnetIDs        pulumi.StringArray
	SecurityGroupIDs map[string]pulumi.StringInput
	// Alarms are the names, by service, of the alarms that take a deployment back.
	Alarms map[string]pulumi.StringArray
}

// Started is the services that run.
type Started struct {
	pulumi.ResourceState

	// ServiceNames on AWS, by service.
	ServiceNames map[string]pulumi.StringOutput
}

// Start registers the services and waits until each runs its image. A deployment that does not become steady is taken back
// by ECS, and the update fails.
func Start(ctx *pulumi.Context, name string, args *StartArgs, opts ...pulumi.ResourceOption) (*Started, error) {
	started := &Started{ServiceNames: map[string]pulumi.StringOutput{}}
	err := component.New(ctx, args.Environment, "cinema:containers:Started", name, started, func(s *component.Scope) error {
		b := &starter{Scope: s, args: args, out: started}
		for _, name := range args.Services.Names() {
			if err := b.start(name, args.Services[name]); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return started, err
}

type starter struct {
	*component.Scope
	args *StartArgs
	out  *Started
}

// start registers a service, its scaling and its gate.
func (b *starter) start(name string, service Service) error {
	logical, in := b.Name(name), b.args.Containers
	args := &ecs.ServiceArgs{
		Cluster:        in.ClusterARN,
		TaskDefinition: in.definitions[name].Arn,
		DesiredCount:   pulumi.Int(service.Count.Min),
		CapacityProviderStrategies: ecs.ServiceCapacityProviderStrategyArray{ecs.ServiceCapacityProviderStrategyArgs{
			CapacityProvider: in.capacity, Weight: pulumi.Int(1),
		}},
		NetworkConfiguration: ecs.ServiceNetworkConfigurationArgs{
			Subnets:        b.args.SubnetIDs,
			SecurityGroups: pulumi.StringArray{b.args.SecurityGroupIDs[name]},
			AssignPublicIp: pulumi.Bool(false), // Security Hub ECS.2
		},
		LoadBalancers: ecs.ServiceLoadBalancerArray{ecs.ServiceLoadBalancerArgs{
			TargetGroupArn: in.targets[name], ContainerName: pulumi.String(name), ContainerPort: pulumi.Int(service.Port),
		}},
		HealthCheckGracePeriodSeconds: pulumi.Int(startSeconds),
		// New tasks are healthy before old ones stop.
		DeploymentMinimumHealthyPercent: pulumi.Int(100), DeploymentMaximumPercent: pulumi.Int(200),
		DeploymentCircuitBreaker: ecs.ServiceDeploymentCircuitBreakerArgs{Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true)},
		EnableEcsManagedTags:     pulumi.Bool(true),
		PropagateTags:            pulumi.String("SERVICE"),
		// The gate waits for the tasks, and says what it waits for.
		WaitForSteadyState: pulumi.Bool(false),
		Tags:               b.Tags(logical),
	}
	if b.args.Capacity == Fargate {
		args.PlatformVersion = pulumi.String("LATEST") // Security Hub ECS.10
	}
	if alarms := b.args.Alarms[name]; len(alarms) > 0 {
		args.Alarms = ecs.ServiceAlarmsArgs{AlarmNames: alarms, Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true)}
	}
	running, err := ecs.NewService(b.Ctx, logical, args, b.Child(
		// ECS takes no target group without a load balancer.
		pulumi.DependsOn([]pulumi.Resource{in.routes[name]}),
		// Scaling changes the number of tasks. The gate brings the other two: a definition that was there before could not be
		// taken back.
		pulumi.IgnoreChanges([]string{"desiredCount", "taskDefinition", "loadBalancers"}),
	))
	if err != nil {
		return err
	}
	b.out.ServiceNames[name] = running.Name
	if err := b.scale(name, service, running); err != nil {
		return err
	}
	return b.gate(name, service, running)
}

// scale registers the scaling of a service by the CPU of its tasks.
func (b *starter) scale(name string, service Service, running *ecs.Service) error {
	logical := b.Name(name)
	target, err := appautoscaling.NewTarget(b.Ctx, logical, &appautoscaling.TargetArgs{
		ServiceNamespace:  pulumi.String("ecs"),
		ScalableDimension: pulumi.String("ecs:service:DesiredCount"),
		ResourceId:        pulumi.Sprintf("service/%s/%s", b.args.Containers.ClusterName, running.Name),
		MinCapacity:       pulumi.Int(service.Count.Min),
		MaxCapacity:       pulumi.Int(service.Count.Max),
		Tags:              b.Tags(logical),
	}, b.Child())
	if err != nil {
		return err
	}
	_, err = appautoscaling.NewPolicy(b.Ctx, b.Name(name, "cpu"), &appautoscaling.PolicyArgs{
		ServiceNamespace:  target.ServiceNamespace,
		ScalableDimension: target.ScalableDimension,
		ResourceId:        target.ResourceId,
		PolicyType:        pulumi.String("TargetTrackingScaling"),
		TargetTrackingScalingPolicyConfiguration: appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs{
			PredefinedMetricSpecification: appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs{
				PredefinedMetricType: pulumi.String("ECSServiceAverageCPUUtilization"),
			},
			TargetValue: pulumi.Float64(targetCPUPercent),
		},
	}, b.Child())
	return err
}

// gate registers the gate that brings a definition to a service's tasks, and opens once they run it.
func (b *starter) gate(name string, service Service, running *ecs.Service) error {
	in := b.args.Containers
	_, err := b.args.Gate(b.Ctx, b.Name(name, "gate"), pulumi.StringMap{
		"cluster":    in.ClusterName,
		"service":    running.Name,
		"definition": in.definitions[name].Arn,
		"targets":    in.targets[name],
		"container":  pulumi.String(name),
		"port":       pulumi.String(strconv.Itoa(service.Port)),
		"image":      pulumi.String(service.Reference(b.Env, name)),
	}, func(ctx context.Context, r rollout.Rollout, given map[string]string, _ bool) error {
		port, err := strconv.Atoi(given["port"])
		if err != nil {
			return err
		}
		return r.RunService(ctx, rollout.ServiceTarget{
			Cluster: given["cluster"], Service: given["service"], Definition: given["definition"],
			Targets: given["targets"], Container: given["container"], Port: port, Image: given["image"],
		})
	}, b.Child(pulumi.DependsOn([]pulumi.Resource{running})))
	return err
}
