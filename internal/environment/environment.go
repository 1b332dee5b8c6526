// Package environment describes the surroundings of a stack: where it is deployed, what it is called, and the two
// settings that every component follows. It travels as one value to each component.
package environment

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/sync/errgroup"
)

// Environment is what every component needs to know of its surroundings.
type Environment struct {
	// Project and Stack are Pulumi's names.
	Project, Stack string
	// Partition (aws, aws-cn …), its DNSSuffix, Region and the number of the Account, from the default provider.
	Partition, DNSSuffix, Region, Account string
	// Caller is the ARN of the identity that runs the program.
	Caller string
	// Protect guards what holds data: it is protected in the engine, and kept on AWS when it leaves the stack.
	Protect bool
	// Tags come from config and go on every resource that takes tags, except S3 objects.
	Tags map[string]string
}

// AssumedRole is the name of the role that the identity with an ARN is a session of, "" for any other identity.
func AssumedRole(callerARN string) string {
	_, session, _ := strings.Cut(callerARN, ":assumed-role/")
	role, _, _ := strings.Cut(session, "/")
	return role
}

// In is the environment with another region, for ARNs. Physical names are those of the stack's own region.
func (e Environment) In(region string) Environment {
	e.Region = region
	return e
}

// ARN of a resource of a service that has regions.
func (e Environment) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", e.Partition, service, e.Region, e.Account, resource)
}

// Endpoint is the host name of a service in the region, which is also the value of kms:ViaService.
func (e Environment) Endpoint(service string) string {
	return service + "." + e.Region + "." + e.DNSSuffix
}

// Lookup asks the default provider where the stack is.
func Lookup(ctx *pulumi.Context) (Environment, error) {
	e := Environment{Project: ctx.Project(), Stack: ctx.Stack()}
	var group errgroup.Group
	group.Go(func() error {
		partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{})
		if err != nil {
			return fmt.Errorf("partition: %w", err)
		}
		e.Partition, e.DNSSuffix = partition.Partition, partition.DnsSuffix
		return nil
	})
	group.Go(func() error {
		region, err := aws.GetRegion(ctx, &aws.GetRegionArgs{})
		if err != nil {
			return fmt.Errorf("region: %w", err)
		}
		e.Region = region.Name
		return nil
	})
	group.Go(func() error {
		identity, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
		if err != nil {
			return fmt.Errorf("account: %w", err)
		}
		e.Account, e.Caller = identity.AccountId, identity.Arn
		return nil
	})
	return e, group.Wait()
}
