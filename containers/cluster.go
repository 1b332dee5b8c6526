package containers

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// fargateProvider is the capacity provider that every account has.
const fargateProvider = "FARGATE"

// createCluster registers the cluster with its capacity. A cluster that runs tasks cannot change its capacity providers
// (ECS API reference, PutClusterCapacityProviders), so each capacity has a cluster of its own.
func (b *builder) createCluster() error {
	name := b.Name(string(b.args.Capacity))
	cluster, err := ecs.NewCluster(b.Ctx, name, &ecs.ClusterArgs{
		Settings: ecs.ClusterSettingArray{ecs.ClusterSettingArgs{ // Security Hub ECS.12
			Name: pulumi.String("containerInsights"), Value: pulumi.String("enabled"),
		}},
		Tags: b.Tags(name),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.capacity = pulumi.String(fargateProvider)
	switch b.args.Capacity {
	case Fargate:
	case EC2:
		if b.out.capacity, err = b.createHosts(cluster); err != nil {
			return fmt.Errorf("hosts: %w", err)
		}
	default:
		return fmt.Errorf("containers: capacity %q is neither fargate nor ec2", b.args.Capacity)
	}
	providers, err := ecs.NewClusterCapacityProviders(b.Ctx, name, &ecs.ClusterCapacityProvidersArgs{
		ClusterName:       cluster.Name,
		CapacityProviders: pulumi.StringArray{b.out.capacity},
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.ClusterARN, b.out.ClusterName = component.After(cluster.Arn, providers), component.After(cluster.Name, providers)
	return nil
}
