package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/problem"
)

// LookupZones gives the zones to use, by name: the configured ones, or the region's first three, less those that need
// opting in. A zone that does not offer each of the instance types is refused and not passed over: what a zone offers
// changes, and subnets must not move.
func LookupZones(ctx *pulumi.Context, configured []string, instanceTypes ...string) ([]string, error) {
	available, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
		State:   pulumi.StringRef("available"),
		Filters: []aws.GetAvailabilityZonesFilter{{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}},
	})
	if err != nil {
		return nil, fmt.Errorf("network: availability zones: %w", err)
	}
	names := slices.Sorted(slices.Values(available.Names))
	zones := configured
	if len(zones) == 0 {
		if len(names) < DefaultZones {
			return nil, fmt.Errorf("network: availabilityZones: the region offers %v, fewer than %d; name %d to %d of them in cinema:availabilityZones",
				names, DefaultZones, MinZones, MaxZones)
		}
		zones = names[:DefaultZones]
	}
	lacking, err := lackingTypes(ctx, instanceTypes)
	if err != nil {
		return nil, err
	}
	return zones, refuseLacking(zones, names, lacking)
}

// refuseLacking refuses the zones that lack a type, and names those of the region that have all.
func refuseLacking(zones, region []string, lacking func(zone string) []string) error {
	var whole []string
	for _, z := range region {
		if len(lacking(z)) == 0 {
			whole = append(whole, z)
		}
	}
	fix := "use other instance types"
	if len(whole) >= MinZones {
		fix = fmt.Sprintf("name %d to %d of %s in cinema:availabilityZones", MinZones, MaxZones, strings.Join(whole, ", "))
	}
	problems := problem.In("network: ")
	for i, z := range zones {
		if types := lacking(z); len(types) > 0 {
			problems.Add(fmt.Sprintf("availabilityZones[%d]", i), z, "does not offer "+strings.Join(types, ", "), fix)
		}
	}
	return problems.Err()
}

// lackingTypes gives, for a zone, those of the instance types that it does not offer.
func lackingTypes(ctx *pulumi.Context, types []string) (func(zone string) []string, error) {
	offered, err := ec2.GetInstanceTypeOfferings(ctx, &ec2.GetInstanceTypeOfferingsArgs{
		LocationType: pulumi.StringRef("availability-zone"),
		Filters:      []ec2.GetInstanceTypeOfferingsFilter{{Name: "instance-type", Values: slices.Compact(slices.Sorted(slices.Values(types)))}},
	})
	if err != nil {
		return nil, fmt.Errorf("network: instance types: %w", err)
	}
	has := map[[2]string]bool{}
	for i, zone := range offered.Locations {
		has[[2]string{zone, offered.InstanceTypes[i]}] = true
	}
	return func(zone string) (lacking []string) {
		for _, t := range types {
			if !has[[2]string{zone, t}] && !slices.Contains(lacking, t) {
				lacking = append(lacking, t)
			}
		}
		return lacking
	}, nil
}
