package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
)

// createFlowLogs records accepted and refused traffic of the whole VPC (Security Hub EC2.6).
func (b *builder) createFlowLogs() error {
	name := b.Name("flow-logs")
	group, err := cloudwatch.NewLogGroup(b.Ctx, name, &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(b.args.LogRetentionDays),
		Tags:            b.Tags(name),
	}, b.Child())
	if err != nil {
		return err
	}
	role, err := iam.NewFlowLogsRole(b.Scope, group.Arn)
	if err != nil {
		return err
	}
	_, err = ec2.NewFlowLog(b.Ctx, name, &ec2.FlowLogArgs{
		VpcId:              b.vpc.ID(),
		TrafficType:        pulumi.String("ALL"),
		LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination:     group.Arn,
		IamRoleArn:         role,
		// 60 s, not 600: the logs must be recent enough to help while an operator looks into a problem.
		MaxAggregationInterval: pulumi.Int(60),
		Tags:                   b.Tags(name),
	}, b.Child())
	return err
}
