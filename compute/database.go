package compute

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/format"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

const (
	// databaseRootGiB is enough for the system and the unpacked server package.
	databaseRootGiB = 12
	// dataDevice is required, but has no effect on Nitro: the host finds the volume by its id.
	dataDevice = "/dev/sdf"
	// recordSeconds is short, because a new host has another address.
	recordSeconds = 30

	// minDataGiB is enough for MongoDB to start; maxDataGiB is the largest gp3 volume (EBS user guide, "General Purpose
	// SSD volumes").
	minDataGiB = 10
	maxDataGiB = 16384

	// oldestPatch of 8.0 has the fix for CVE-2025-14847. Before it, every client that can connect can read the server's
	// memory.
	oldestPatch = 17
)

const membersField = "database.members"

// The numbers of members that a replica set may have. Two would not survive the loss of one: an election needs a majority.
const (
	oneMember    = 1
	threeMembers = 3
)

// DatabaseSettings are the settings of the database hosts from stack config.
type DatabaseSettings struct {
	// InstanceType runs Architecture.
	InstanceType string
	Architecture Architecture
	// Members of the replica set, 1 or 3.
	Members int
	// VolumeSize is that of each member's data volume, in GiB.
	VolumeSize int
	// Version of the MongoDB server, 8.0.x.
	Version string
	// SHA256 of its package, 64 hex digits; empty to use the digest that MongoDB publishes.
	SHA256 string
	// RestoreFrom is the snapshot that the first member's data volume is created from, snap-…; empty for a blank volume.
	RestoreFrom string
}

var (
	mongoVersion = regexp.MustCompile(`^8\.0\.(\d+)$`)
	snapshotID   = regexp.MustCompile(`^snap-[0-9a-f]{8,17}$`)
)

// Check adds a problem for each invalid value.
func (s DatabaseSettings) Check(l *problem.List) {
	CheckInstanceType(l, "database.instanceType", s.InstanceType, s.Architecture)
	if s.Members != oneMember && s.Members != threeMembers {
		l.Add(membersField, s.Members, "is not a number of members that survives the loss of one, or the single member",
			fmt.Sprintf("use %d, or %d for one", threeMembers, oneMember))
	}
	if s.VolumeSize < minDataGiB || s.VolumeSize > maxDataGiB {
		l.Add("database.volumeSize", s.VolumeSize, "is not a valid size of the data volume in GiB", fmt.Sprintf("use %d to %d", minDataGiB, maxDataGiB))
	}
	fix := fmt.Sprintf("use 8.0.%d or a later patch", oldestPatch)
	if m := mongoVersion.FindStringSubmatch(s.Version); m == nil {
		l.Add("database.version", s.Version, "is not a version of MongoDB 8.0", fix)
	} else if patch, err := strconv.Atoi(m[1]); err != nil || patch < oldestPatch {
		l.Add("database.version", s.Version, "has a vulnerability: every client that can connect can read its memory (CVE-2025-14847)", fix)
	}
	if s.SHA256 != "" && !format.SHA256(s.SHA256) {
		l.Add("database.sha256", s.SHA256, "is not a SHA-256 digest", "write 64 lower-case hex digits, or remove it to use the digest that MongoDB publishes")
	}
	if s.RestoreFrom != "" && !snapshotID.MatchString(s.RestoreFrom) {
		l.Add("database.restoreFrom", s.RestoreFrom, "is not a snapshot id", "write the snapshot of a recovery point, like snap-0123456789abcdef0")
	}
}

// CheckZones adds a problem if there are fewer availability zones than members.
func (s DatabaseSettings) CheckZones(l *problem.List, zones int) {
	if s.Members > zones && !l.Has(membersField) {
		l.Add(membersField, s.Members, fmt.Sprintf("needs as many availability zones, and there are %d", zones),
			fmt.Sprintf("name another zone in availabilityZones, or use %d", oneMember))
	}
}

// DatabaseArgs are the hosts' network, role and artifacts.
type DatabaseArgs struct {
	environment.Environment
	DatabaseSettings
	Rollouts
	// AMI is a literal id. An existing host keeps its own unless the id is pinned.
	AMI       string
	AMIPinned bool
	// Placements has one element for each member. The first member has the names of a time with one member as aliases.
	Placements []Placement
	// Order is in which the hosts that run already change.
	Order Order
	// Binary is contract.CinemaDB.
	Binary storage.Artifact

	VPCID           pulumi.StringInput
	SecurityGroupID pulumi.StringInput
	// InstanceProfile is a name.
	InstanceProfile pulumi.StringInput
	ArtifactsBucket pulumi.StringInput
	// CredentialsURI is the URI that the hosts write the API's credentials to, s3://bucket/key, encrypted with the KMS key
	// CredentialsKeyARN.
	CredentialsURI    pulumi.StringInput
	CredentialsKeyARN pulumi.StringInput
	// PackageKey and PackageDigest are the MongoDB server package's.
	PackageKey    pulumi.StringInput
	PackageDigest pulumi.StringInput
}

// Database is the replica set: its members, and the list of them.
type Database struct {
	pulumi.ResourceState

	// InstanceIDs of the hosts, by zone.
	InstanceIDs pulumi.IDMap
	// InstanceID, VolumeID and VolumeARN are the first member's.
	InstanceID pulumi.IDOutput
	VolumeID   pulumi.IDOutput
	VolumeARN  pulumi.StringOutput
	// UserDataBytes is the size of the user data. EC2 accepts 16,384 bytes.
	UserDataBytes pulumi.IntOutput

	gate pulumi.Resource
}

// NewDatabase registers the members of the replica set, in the order in which their hosts change.
func NewDatabase(ctx *pulumi.Context, name string, args *DatabaseArgs, opts ...pulumi.ResourceOption) (*Database, error) {
	problems := problem.In("compute: ")
	args.DatabaseSettings.Check(problems)
	args.CheckZones(problems, len(args.Placements))
	if err := problems.Err(); err != nil {
		return nil, err
	}
	d := &Database{InstanceIDs: pulumi.IDMap{}}
	err := component.New(ctx, args.Environment, "cinema:compute:Database", name, d, func(s *component.Scope) error {
		list, err := newMembersObject(s, args)
		if err != nil {
			return err
		}
		hostedZone, err := route53.NewZone(s.Ctx, s.Name("zone"), &route53.ZoneArgs{
			Name:    pulumi.String(privateHostedZone),
			Comment: pulumi.String("Names inside the VPC"),
			Vpcs:    route53.ZoneVpcArray{route53.ZoneVpcArgs{VpcId: args.VPCID}},
			Tags:    s.Tags(s.Name("zone")),
		}, s.Child())
		if err != nil {
			return err
		}
		all := map[string]*member{}
		var passed []pulumi.Resource // the gates of the turns so far
		for _, turn := range args.Order.Turns {
			var gates []pulumi.Resource
			for _, zone := range turn {
				if all[zone], err = newMember(s, args, zone, list, hostedZone, passed); err != nil {
					return fmt.Errorf("member in %s: %w", zone, err)
				}
				gates = append(gates, all[zone].gate)
			}
			passed = append(slices.Clip(passed), gates...)
		}
		for _, p := range args.Placements {
			if all[p.Zone] != nil {
				continue
			}
			if all[p.Zone], err = newMember(s, args, p.Zone, list, hostedZone, nil); err != nil {
				return fmt.Errorf("member in %s: %w", p.Zone, err)
			}
		}
		for zone, m := range all {
			d.InstanceIDs[zone] = m.host.ID()
		}
		first := all[args.Placements[0].Zone]
		d.InstanceID, d.VolumeID, d.VolumeARN, d.UserDataBytes = first.host.ID(), first.volume.ID(), first.volume.Arn, first.userDataBytes
		d.gate, err = newMembersGate(s, args, all)
		return err
	}, opts...)
	return d, err
}
