// Package place tells where the stack is deployed.
package place

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Place is the account and region that ARNs and addresses are made of.
type Place struct{ Partition, DNSSuffix, Region, Account string }

// ARN of a resource of a service that has regions.
func (p Place) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.Partition, service, p.Region, p.Account, resource)
}

// Endpoint is the host name of a service in the region, which is also what kms:ViaService holds.
func (p Place) Endpoint(service string) string { return service + "." + p.Region + "." + p.DNSSuffix }

// Locate asks the provider.
func Locate(ctx *pulumi.Context) (Place, error) {
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{})
	if err != nil {
		return Place{}, fmt.Errorf("partition: %w", err)
	}
	region, err := aws.GetRegion(ctx, &aws.GetRegionArgs{})
	if err != nil {
		return Place{}, fmt.Errorf("region: %w", err)
	}
	identity, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
	if err != nil {
		return Place{}, fmt.Errorf("account: %w", err)
	}
	return Place{partition.Partition, partition.DnsSuffix, region.Name, identity.AccountId}, nil
}
