package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// deliverLogs has the distribution's access logs written to the logs bucket: standard logging (v2), whose sources are in
// GlobalRegion and whose bucket may be in another region (CloudFront developer guide, "Configure standard logging (v2)").
func (b *builder) deliverLogs() error {
	if !b.args.On() {
		return nil
	}
	name := b.Name("logs")
	source, err := cloudwatch.NewLogDeliverySource(b.Ctx, name, &cloudwatch.LogDeliverySourceArgs{
		LogType:     pulumi.String("ACCESS_LOGS"),
		ResourceArn: b.distribution.Arn,
		Tags:        b.Tags(name),
	}, b.global())
	if err != nil {
		return err
	}
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
	_, err = cloudwatch.NewLogDelivery(b.Ctx, name, &cloudwatch.LogDeliveryArgs{
		DeliverySourceName:     source.Name,
		DeliveryDestinationArn: destination.Arn,
		Tags:                   b.Tags(name),
	}, b.global())
	return err
}
