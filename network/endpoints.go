package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
)

// createEndpoints makes a gateway endpoint to S3 (free of charge) for the private and for the database tier, so that the
// policy of each names only the buckets that its tier needs.
func (b *builder) createEndpoints() error {
	// dnf on Amazon Linux 2023 reads its packages from one bucket in each region (AL2023 user guide, "Deterministic
	// upgrades through versioned repositories").
	packages := pulumi.Sprintf("arn:%s:s3:::al2023-repos-%s-de612dc2/*", b.args.Partition, b.args.Region)
	for _, e := range []struct {
		tier    Tier
		buckets []pulumi.StringInput
	}{
		{Private, []pulumi.StringInput{b.args.ArtifactsBucketARN, b.args.ImagesBucketARN}},
		{Database, []pulumi.StringInput{b.args.ArtifactsBucketARN}},
	} {
		name := b.Name("s3", string(e.tier))
		var tables pulumi.StringArray
		for _, t := range b.routeTables[e.tier] {
			tables = append(tables, t.ID().ToStringOutput())
		}
		endpoint, err := ec2.NewVpcEndpoint(b.Ctx, name, &ec2.VpcEndpointArgs{
			VpcId:           b.vpc.ID(),
			VpcEndpointType: pulumi.String("Gateway"),
			ServiceName:     pulumi.String(fmt.Sprintf("com.amazonaws.%s.s3", b.args.Region)),
			RouteTableIds:   tables,
			Policy:          iam.S3EndpointPolicy(e.buckets, packages),
			Tags:            b.Tags(name, map[string]string{"Tier": string(e.tier)}),
		}, b.Child())
		if err != nil {
			return err
		}
		b.s3PrefixIDs[e.tier] = endpoint.PrefixListId
		b.ready[e.tier] = append(b.ready[e.tier], endpoint)
	}
	return nil
}
