package compute

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/lookup"
	"cinema-database/storage"
)

// privateHostedZone is the domain of the names inside the VPC.
const privateHostedZone = "cinema.internal"

// MemberHosts is the IAM pattern of the names of all members.
const MemberHosts = "mongo*." + privateHostedZone

// memberHost is the DNS name of the member in a zone, mongo-a.cinema.internal in us-east-1a. It is on the member's
// certificate.
func memberHost(region, zone string) string {
	return "mongo-" + strings.TrimPrefix(strings.TrimPrefix(zone, region), "-") + "." + privateHostedZone
}

// Placement is where one member of the replica set is.
type Placement struct {
	Zone     string
	SubnetID pulumi.StringInput
}

// Members are the members in zones.
func Members(region string, zones []string) []contract.Member {
	all := make([]contract.Member, len(zones))
	for i, zone := range zones {
		all[i] = contract.Member{Zone: zone, Host: memberHost(region, zone)}
	}
	return all
}

// members are the members that the replica set is to have, in the order of the placements.
func (a *DatabaseArgs) members() []contract.Member {
	zones := make([]string, len(a.Placements))
	for i, p := range a.Placements {
		zones[i] = p.Zone
	}
	return Members(a.Region, zones)
}

// newMembersObject registers the list of the members, which the hosts read.
func newMembersObject(s *component.Scope, args *DatabaseArgs) (*s3.BucketObjectv2, error) {
	list := contract.Members{Members: args.members()}
	if args.RestoreFrom != "" {
		list.Seed, list.Snapshot = args.Placements[0].Zone, args.RestoreFrom
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	name := s.Name("members")
	return s3.NewBucketObjectv2(s.Ctx, name, &s3.BucketObjectv2Args{
		Bucket:      args.ArtifactsBucket,
		Key:         pulumi.String(contract.MembersKey),
		Content:     pulumi.String(text),
		ContentType: pulumi.String("application/json"),
		Tags:        s.ObjectTags(name),

		OverrideProvider: storage.WithoutDefaultTags(),
	}, s.Child())
}

// LiveMember is the host of a member that runs.
type LiveMember struct {
	Zone         string
	InstanceType string
	// RestoredFrom is the snapshot from which the data came when the host was made; empty if from none.
	RestoredFrom string
}

// LookupMembers returns the members whose hosts run, by zone. A host that is stopped or gone is not one of them.
func LookupMembers(ctx *pulumi.Context) ([]LiveMember, error) {
	hosts, err := ec2.GetInstances(ctx, &ec2.GetInstancesArgs{
		InstanceTags:       databaseTags(ctx),
		InstanceStateNames: []string{"pending", "running"},
	})
	if err != nil {
		return nil, err
	}
	found, err := lookup.Each(hosts.Ids, func(id string) (*ec2.LookupInstanceResult, error) {
		return ec2.LookupInstance(ctx, &ec2.LookupInstanceArgs{InstanceId: &id})
	})
	var live []LiveMember
	for _, host := range found {
		live = append(live, LiveMember{host.AvailabilityZone, host.InstanceType, host.Tags[restoredTag]})
	}
	slices.SortFunc(live, func(a, b LiveMember) int { return strings.Compare(a.Zone, b.Zone) })
	return live, err
}

// databaseTags are the tags of everything in the stack's database.
func databaseTags(ctx *pulumi.Context) map[string]string {
	return map[string]string{"Project": ctx.Project(), "Stack": ctx.Stack(), "Component": databaseKind}
}

// LookupData returns the zones of the data volumes, and the one whose volume's name has no zone: it is from a time with one
// member.
func LookupData(ctx *pulumi.Context) (zones []string, unkeyed string, err error) {
	found, err := ebs.GetEbsVolumes(ctx, &ebs.GetEbsVolumesArgs{Tags: databaseTags(ctx)})
	if err != nil {
		return nil, "", err
	}
	volumes, err := lookup.Each(found.Ids, func(id string) (*ebs.LookupVolumeResult, error) {
		return ebs.LookupVolume(ctx, &ebs.LookupVolumeArgs{Filters: []ebs.GetVolumeFilter{{Name: "volume-id", Values: []string{id}}}})
	})
	if err != nil {
		return nil, "", err
	}
	data := component.NameTag(environment.Environment{Project: ctx.Project(), Stack: ctx.Stack()}, "database-data")
	for _, volume := range volumes {
		switch name := volume.Tags["Name"]; {
		case name == data:
			unkeyed = volume.AvailabilityZone
		case !strings.HasPrefix(name, data+"-"):
			continue // a root volume
		}
		zones = append(zones, volume.AvailabilityZone)
	}
	slices.Sort(zones)
	return slices.Compact(zones), unkeyed, nil
}

// Zones are the zones of members whose hosts run.
func Zones(members []LiveMember) []string {
	zones := make([]string, len(members))
	for i, m := range members {
		zones[i] = m.Zone
	}
	return zones
}

// Order is in which order the hosts of the members change.
type Order struct {
	// Turns are steps, each of zones whose hosts change at the same time. A step waits until the members of the one before
	// are healthy. Members in none of the steps are new: they wait for nothing.
	Turns [][]string
	// Primary is the zone of the primary, which hands over before its host changes; empty if it is not known.
	Primary string
	// Restoring is whether this is a restore: the first member gets the data of the snapshot, then the others copy it.
	Restoring bool
}

// Order returns the order for the members in zones, of which live run, by LookupMembers. Members that are not healthy come
// first, as the change may mend them and the others wait for them; then the secondaries, in the reverse order of the
// zones; the primary last. If the primary is not known, the first zone counts as the primary's.
func (s DatabaseSettings) Order(zones []string, live []LiveMember, primary string, unhealthy []string) Order {
	if len(zones) < 2 {
		return Order{}
	}
	if s.RestoreFrom != "" && slices.ContainsFunc(live, func(m LiveMember) bool { return m.RestoredFrom != s.RestoreFrom }) {
		// The others would bring the data from before the restore back, so none has a copy when it meets the first member.
		return Order{Turns: [][]string{zones[:1], zones[1:]}, Restoring: true}
	}
	running := slices.DeleteFunc(slices.Clone(zones), func(zone string) bool { return !slices.Contains(Zones(live), zone) })
	slices.Reverse(running)
	if i := slices.Index(running, primary); i >= 0 {
		running = append(slices.Delete(running, i, i+1), primary)
	}
	slices.SortStableFunc(running, func(a, b string) int {
		switch first, second := slices.Contains(unhealthy, a), slices.Contains(unhealthy, b); {
		case first == second:
			return 0
		case first:
			return -1
		}
		return 1
	})
	order := Order{Primary: primary}
	for _, zone := range running {
		order.Turns = append(order.Turns, []string{zone})
	}
	return order
}

// String says the order in a sentence, empty if there is nothing to say: fewer than two hosts change.
func (o Order) String() string {
	if len(o.Turns) < 2 {
		return ""
	}
	if o.Restoring {
		return fmt.Sprintf("members are restored: %s from the snapshot, then %s copy it", o.Turns[0][0], strings.Join(o.Turns[1], " and "))
	}
	var zones []string
	for _, turn := range o.Turns {
		zones = append(zones, turn...)
	}
	before, last := strings.Join(zones[:len(zones)-1], ", "), zones[len(zones)-1]
	text := fmt.Sprintf("members change one at a time: %s, then %s", before, last)
	if last == o.Primary {
		text += ", the primary, which hands over first"
	}
	return text
}
