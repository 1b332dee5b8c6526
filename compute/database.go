package compute

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute/userdata"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/format"
	"cinema-database/internal/problem"
	"cinema-database/storage"
)

const (
	privateHostedZone = "cinema.internal"
	// DatabaseHost is the name on the server's certificate.
	DatabaseHost = "mongo." + privateHostedZone
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

// DatabaseSettings are the settings of the database host from stack config.
type DatabaseSettings struct {
	// InstanceType runs Architecture.
	InstanceType string
	Architecture Architecture
	// VolumeSize is the data volume's, in GiB.
	VolumeSize int
	// Version of the MongoDB server, 8.0.x.
	Version string
	// SHA256 of its package, 64 hex digits; empty to use the digest that MongoDB publishes.
	SHA256 string
	// RestoreFrom is the snapshot that the data volume is created from, snap-…; empty for a blank volume.
	RestoreFrom string
}

var (
	mongoVersion = regexp.MustCompile(`^8\.0\.(\d+)$`)
	snapshotID   = regexp.MustCompile(`^snap-[0-9a-f]{8,17}$`)
)

// Check adds a problem for each invalid value.
func (s DatabaseSettings) Check(l *problem.List) {
	checkInstanceType(l, "database.instanceType", s.InstanceType, s.Architecture)
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

// DatabaseArgs are the host's network, role and artifacts.
type DatabaseArgs struct {
	environment.Environment
	DatabaseSettings
	Rollouts
	// AMI is a literal id. An existing host keeps its own unless the id is pinned.
	AMI       string
	AMIPinned bool
	// Zone is the subnet's availability zone, for the data volume.
	Zone string
	// Binary is contract.CinemaDB.
	Binary storage.Artifact

	VPCID           pulumi.StringInput
	SubnetID        pulumi.StringInput
	SecurityGroupID pulumi.StringInput
	// InstanceProfile is a name.
	InstanceProfile pulumi.StringInput
	ArtifactsBucket pulumi.StringInput
	// CredentialsURI is the URI that the host writes the API's credentials to, s3://bucket/key, encrypted with the KMS key
	// CredentialsKeyARN.
	CredentialsURI    pulumi.StringInput
	CredentialsKeyARN pulumi.StringInput
	// PackageKey and PackageDigest are the MongoDB server package's.
	PackageKey    pulumi.StringInput
	PackageDigest pulumi.StringInput
}

// Database is the MongoDB host, its data volume and its DNS name.
type Database struct {
	pulumi.ResourceState

	InstanceID pulumi.IDOutput
	VolumeID   pulumi.IDOutput
	VolumeARN  pulumi.StringOutput
	// Host is the name that the API connects to.
	Host pulumi.StringOutput
	// UserDataBytes is the size of the user data. EC2 accepts 16,384 bytes.
	UserDataBytes pulumi.IntOutput

	gate pulumi.Resource
}

// NewDatabase registers the host, its data volume and its DNS name.
func NewDatabase(ctx *pulumi.Context, name string, args *DatabaseArgs, opts ...pulumi.ResourceOption) (*Database, error) {
	problems := problem.In("compute: ")
	args.DatabaseSettings.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	d := &Database{}
	err := component.New(ctx, args.Environment, "cinema:compute:Database", name, d, func(s *component.Scope) error {
		volume, err := newDataVolume(s, args)
		if err != nil {
			return err
		}
		data, err := databaseUserData(args, volume)
		if err != nil {
			return err
		}
		script, err := scriptDigest(userdata.Database(userdata.DatabaseParams{}.Longest()))
		if err != nil {
			return err
		}
		options := []pulumi.ResourceOption{
			// The data volume attaches to one instance at a time.
			pulumi.DeleteBeforeReplace(true),
			// The provider plans user data that is unknown in a preview as an update, and replaces the host once it is known.
			pulumi.ReplaceOnChanges([]string{"userDataBase64"}),
			volumeTagsOnce,
		}
		if !args.AMIPinned {
			// A newer image alone does not justify an outage of the database.
			options = append(options, pulumi.IgnoreChanges([]string{"ami"}))
		}
		release := map[string]string{"Release": args.Binary.Short(), "MongoDB": args.Version, scriptTag: script}
		host, err := ec2.NewInstance(s.Ctx, s.Name("host"), &ec2.InstanceArgs{
			Ami:                     pulumi.String(args.AMI),
			InstanceType:            pulumi.String(args.InstanceType),
			SubnetId:                args.SubnetID,
			VpcSecurityGroupIds:     pulumi.StringArray{args.SecurityGroupID},
			IamInstanceProfile:      args.InstanceProfile,
			MetadataOptions:         metadataOptions(),
			RootBlockDevice:         rootVolume(databaseRootGiB),
			VolumeTags:              s.Tags(s.Name("root")),
			UserDataBase64:          data.Base64,
			UserDataReplaceOnChange: pulumi.Bool(true), // a script runs only at the first boot
			Tags:                    s.Tags(s.Name("host"), release),
		}, s.Child(options...))
		if err != nil {
			return err
		}
		attachment, err := ec2.NewVolumeAttachment(s.Ctx, s.Name("data"), &ec2.VolumeAttachmentArgs{
			DeviceName: pulumi.String(dataDevice),
			InstanceId: host.ID(),
			VolumeId:   volume.ID(),
			// Detaching a mounted volume loses writes.
			StopInstanceBeforeDetaching: pulumi.Bool(true),
			// A volume attaches to one instance at a time.
		}, s.Child(pulumi.DeleteBeforeReplace(true)))
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
		record, err := route53.NewRecord(s.Ctx, s.Name("record"), &route53.RecordArgs{
			ZoneId:  hostedZone.ZoneId,
			Name:    pulumi.String(DatabaseHost),
			Type:    pulumi.String("A"),
			Ttl:     pulumi.Int(recordSeconds),
			Records: pulumi.StringArray{host.PrivateIp},
		}, s.Child())
		if err != nil {
			return err
		}
		d.gate, err = newDatabaseGate(s.Ctx, s.Name("gate"), args.Rollouts, pulumi.StringMap{
			"bucket":   args.ArtifactsBucket,
			"instance": host.ID(),
			"version":  pulumi.String(args.Version),
			"binary":   pulumi.String(args.Binary.Short()),
		}, s.Child(pulumi.DependsOn([]pulumi.Resource{attachment, record})))
		if err != nil {
			return err
		}
		d.InstanceID, d.VolumeID, d.VolumeARN = host.ID(), volume.ID(), volume.Arn
		d.Host, d.UserDataBytes = record.Fqdn, data.Size
		return nil
	}, opts...)
	return d, err
}

// newDataVolume registers the data volume, which outlives every host.
func newDataVolume(s *component.Scope, args *DatabaseArgs) (*ebs.Volume, error) {
	volume := &ebs.VolumeArgs{
		AvailabilityZone: pulumi.String(args.Zone),
		Type:             pulumi.String("gp3"),
		Size:             pulumi.Int(args.VolumeSize),
		Encrypted:        pulumi.Bool(true),
		Tags:             s.Tags(s.Name("data")),
	}
	// The only copy of the data outside its backups.
	options := []pulumi.ResourceOption{pulumi.Protect(s.Env.Protect), pulumi.RetainOnDelete(s.Env.Protect)}
	if args.RestoreFrom != "" {
		volume.SnapshotId = pulumi.String(args.RestoreFrom)
	} else {
		// Removing restoreFrom from the config does not replace the volume.
		options = append(options, pulumi.IgnoreChanges([]string{"snapshotId"}))
	}
	return ebs.NewVolume(s.Ctx, s.Name("data"), volume, s.Child(options...))
}

func databaseUserData(args *DatabaseArgs, volume *ebs.Volume) (renderedUserData, error) {
	params := userdata.DatabaseParams{Region: args.Region, Digest: args.Binary.Digest, Host: DatabaseHost}
	if _, err := userdata.Database(params.Longest()); err != nil {
		return renderedUserData{}, fmt.Errorf("user data: %w", err)
	}
	return renderUserData(pulumi.StringMap{
		"artifacts":     args.ArtifactsBucket,
		"volume":        volume.ID().ToStringOutput(),
		"packageKey":    args.PackageKey,
		"packageDigest": args.PackageDigest,
		"credentials":   args.CredentialsURI,
		"key":           args.CredentialsKeyARN,
		"binary":        args.Binary.Key, // the host boots only once its binary is uploaded
	}, func(known map[string]string) (userdata.Script, error) {
		p := params
		p.Artifacts, p.Volume, p.Credentials, p.Key = known["artifacts"], known["volume"], known["credentials"], known["key"]
		p.PackageKey, p.PackageDigest = known["packageKey"], known["packageDigest"]
		return userdata.Database(p)
	})
}
