package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/sync/errgroup"

	"cinema-database/internal/problem"
)

// LookupZones returns the names of the availability zones to use: the configured ones, or the first three of the region
// that need no opt-in. It refuses a zone that does not offer each of the instance types, or of which missingIn lists what else
// the stack needs, by the zone's id. It does not skip such a zone: the offers change with time, and subnets must not move.
func LookupZones(ctx *pulumi.Context, configured []string, missingIn func(zoneID string) []string, instanceTypes ...string) ([]string, error) {
	var available *aws.GetAvailabilityZonesResult
	var types func(zone string) []string
	var group errgroup.Group
	group.Go(func() (err error) {
		// In any state: a zone in trouble must not move subnets.
		if available, err = aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
			Filters: []aws.GetAvailabilityZonesFilter{{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}},
		}); err != nil {
			return fmt.Errorf("network: availability zones: %w", err)
		}
		return nil
	})
	group.Go(func() (err error) { types, err = missingTypes(ctx, instanceTypes); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	names := slices.Sorted(slices.Values(available.Names))
	zones := configured
	if len(Named(zones)) == 0 {
		if len(names) < DefaultZones {
			return nil, fmt.Errorf("network: availabilityZones: the region offers %v, fewer than %d; name %d to %d of them in cinema:availabilityZones",
				names, DefaultZones, MinZones, MaxZones)
		}
		zones = names[:DefaultZones]
	}
	ids := map[string]string{}
	for i, name := range available.Names {
		ids[name] = available.ZoneIds[i]
	}
	return zones, checkOffers(zones, names, func(zone string) []string { return append(types(zone), missingIn(ids[zone])...) })
}

// checkOffers refuses the zones of another region, and those in which something is missing. Its error names the zones of
// the region that offer all.
func checkOffers(zones, region []string, missing func(zone string) []string) error {
	var complete []string
	for _, z := range region {
		if len(missing(z)) == 0 {
			complete = append(complete, z)
		}
	}
	fix := "use other instance types"
	if len(complete) >= MinZones {
		fix = fmt.Sprintf("name %d to %d of %s in cinema:availabilityZones", MinZones, MaxZones, strings.Join(complete, ", "))
	}
	problems := problem.In("network: ")
	var regionName string
	if len(region) > 0 {
		regionName = strings.TrimRight(region[0], "abcdefghijklmnopqrstuvwxyz")
	}
	for i, z := range zones {
		at := fmt.Sprintf("availabilityZones[%d]", i)
		switch types := missing(z); {
		case z == "":
		case !strings.HasPrefix(z, regionName):
			addOtherRegion(problems, at, z, regionName)
		case len(types) > 0:
			problems.Add(at, z, "does not offer "+strings.Join(types, ", "), fix)
		}
	}
	return problems.Err()
}

// missingTypes returns a function that lists those of the instance types that a zone does not offer.
func missingTypes(ctx *pulumi.Context, types []string) (func(zone string) []string, error) {
	offered, err := ec2.GetInstanceTypeOfferings(ctx, &ec2.GetInstanceTypeOfferingsArgs{
		LocationType: pulumi.StringRef("availability-zone"),
		Filters:      []ec2.GetInstanceTypeOfferingsFilter{{Name: "instance-type", Values: slices.Compact(slices.Sorted(slices.Values(types)))}},
	})
	if err != nil {
		return nil, fmt.Errorf("network: instance types: %w", err)
	}
	offers := map[[2]string]bool{}
	for i, zone := range offered.Locations {
		offers[[2]string{zone, offered.InstanceTypes[i]}] = true
	}
	return func(zone string) (missing []string) {
		for _, t := range types {
			if !offers[[2]string{zone, t}] && !slices.Contains(missing, t) {
				missing = append(missing, t)
			}
		}
		return missing
	}, nil
}
