package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// deliverLogs has the distributions' access logs written to the logs bucket: standard logging (v2), whose sources are in
// GlobalRegion and whose bucket may be in another region (CloudFront developer guide, "Configure standard logging (v2)").
func (b *builder) deliverLogs() error {
	if !b.args.On() {
		return nil
	}
	name := b.Name("logs")
	destination, err := cloudwatch.NewLogDeliveryDestination(b.Ctx, name, &cloudwatch.LogDeliveryDestinationArgs{
		OutputFormat: pulumi.String("json"),
		DeliveryDestinationConfiguration: cloudwatch.LogDeliveryDestinationDeliveryDestinationConfigurationArgs{
			DestinationResourceArn: b.args.LogsBucketARN,
		},
		Tags: b.Tags(name),
	}, b.global())
	if err != nil {
		return err
	}
	if err := b.deliverLogsOf(name, b.distribution, destination); err != nil {
		return err
	}
	for _, r := range b.args.Services {
		if distribution := b.services[r.Name]; distribution != nil {
			if err := b.deliverLogsOf(b.serviceName(r), distribution, destination); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliverLogsOf registers the delivery of one distribution's access logs.
func (b *builder) deliverLogsOf(name string, distribution *cloudfront.Distribution, destination *cloudwatch.LogDeliveryDestination) error {
	source, err := cloudwatch.NewLogDeliverySource(b.Ctx, name, &cloudwatch.LogDeliverySourceArgs{
		LogType:     pulumi.String("ACCESS_LOGS"),
		ResourceArn: distribution.Arn,
		Tags:        b.Tags(name),
	}, b.global())
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewLogDelivery(b.Ctx, name, &cloudwatch.LogDeliveryArgs{
		DeliverySourceName:     source.Name,
		DeliveryDestinationArn: destination.Arn,
		Tags:                   b.Tags(name),
	}, b.global())
	return err
}
