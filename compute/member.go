package compute

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/compute/userdata"
	"cinema-database/internal/component"
)

const (
	// databaseKind is the tag Component of everything in the component.
	databaseKind = "Database"
	// restoredTag names the snapshot from which a restored cluster has its data. On a host it tells a restore from a later
	// change, on a volume that is not the snapshot's it makes the restore replace the volume.
	restoredTag = "RestoredFrom"
)

// member is one member of the replica set: a host, its data volume and its DNS name.
type member struct {
	*component.Scope
	args *DatabaseArgs
	contract.Member
	subnet pulumi.StringInput
	// first is whether this is the member in the first zone, which once was the only one.
	first bool

	host          *ec2.Instance
	volume        *ebs.Volume
	userDataBytes pulumi.IntOutput
	// gate opens once the member is healthy.
	gate pulumi.Resource
}

// newMember registers the member in a zone. A host that changes waits for the gates in after.
func newMember(s *component.Scope, args *DatabaseArgs, zone string, list pulumi.Resource, hostedZone *route53.Zone, after []pulumi.Resource) (*member, error) {
	i := slices.IndexFunc(args.Placements, func(p Placement) bool { return p.Zone == zone })
	if i < 0 {
		return nil, fmt.Errorf("no subnet is given")
	}
	m := &member{Scope: s, args: args, Member: args.members()[i], subnet: args.Placements[i].SubnetID, first: i == 0}
	var err error
	if m.volume, err = m.newVolume(); err != nil {
		return nil, err
	}
	data, err := m.userData()
	if err != nil {
		return nil, err
	}
	m.userDataBytes = data.Size
	if args.Members > oneMember {
		turn, err := m.newTurn(data, after)
		if err != nil {
			return nil, err
		}
		after = []pulumi.Resource{turn}
	}
	if m.host, err = m.newHost(data, append(slices.Clip(after), list)); err != nil {
		return nil, err
	}
	attachment, err := ec2.NewVolumeAttachment(s.Ctx, m.name("data"), &ec2.VolumeAttachmentArgs{
		DeviceName: pulumi.String(dataDevice),
		InstanceId: m.host.ID(),
		VolumeId:   m.volume.ID(),
		// Detaching a mounted volume loses writes.
		StopInstanceBeforeDetaching: pulumi.Bool(true),
		// A volume attaches to one instance at a time.
	}, m.child("data", pulumi.DeleteBeforeReplace(true)))
	if err != nil {
		return nil, err
	}
	record, err := route53.NewRecord(s.Ctx, m.name("record"), &route53.RecordArgs{
		ZoneId:  hostedZone.ZoneId,
		Name:    pulumi.String(m.Host),
		Type:    pulumi.String("A"),
		Ttl:     pulumi.Int(recordSeconds),
		Records: pulumi.StringArray{m.host.PrivateIp},
	}, m.child("record"))
	if err != nil {
		return nil, err
	}
	m.gate, err = m.newGate(attachment, record)
	return m, err
}

// name is the logical name of a child.
func (m *member) name(part string) string { return m.Scope.Name(part, m.Zone) }

// child are the options of the child with that name. A child of the first member had a name without the zone.
func (m *member) child(part string, opts ...pulumi.ResourceOption) pulumi.ResourceOption {
	if m.first {
		opts = append(opts, pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String(m.Scope.Name(part))}}))
	}
	return m.Child(opts...)
}

// newVolume registers the data volume, which outlives every host. The first member's is made from the snapshot, the others'
// are blank: their members copy the data.
func (m *member) newVolume() (*ebs.Volume, error) {
	volume := &ebs.VolumeArgs{
		AvailabilityZone: pulumi.String(m.Zone),
		Type:             pulumi.String("gp3"),
		Size:             pulumi.Int(m.args.VolumeSize),
		Encrypted:        pulumi.Bool(true),
	}
	// A copy of the data outside the backups.
	options := []pulumi.ResourceOption{pulumi.Protect(m.Env.Protect), pulumi.RetainOnDelete(m.Env.Protect)}
	tags := map[string]string{}
	switch {
	case m.args.RestoreFrom == "":
		// Removing restoreFrom from the config replaces no volume.
		options = append(options, pulumi.IgnoreChanges([]string{"snapshotId", "tags." + restoredTag}))
	case m.first:
		volume.SnapshotId = pulumi.String(m.args.RestoreFrom)
	default:
		// A volume with the data from before the restore would bring that data back.
		tags[restoredTag] = m.args.RestoreFrom
		options = append(options, pulumi.ReplaceOnChanges([]string{"tags." + restoredTag}))
	}
	volume.Tags = m.Tags(m.name("data"), tags)
	return ebs.NewVolume(m.Ctx, m.name("data"), volume, m.child("data", options...))
}

func (m *member) newHost(data renderedUserData, after []pulumi.Resource) (*ec2.Instance, error) {
	script, err := scriptDigest(userdata.Database(userdata.DatabaseParams{}.Longest()))
	if err != nil {
		return nil, err
	}
	options := []pulumi.ResourceOption{
		pulumi.DependsOn(after),
		// The data volume attaches to one instance at a time.
		pulumi.DeleteBeforeReplace(true),
		// The provider plans user data that is unknown in a preview as an update, and replaces the host once it is known.
		pulumi.ReplaceOnChanges([]string{"userDataBase64"}),
		volumeTagsOnce,
	}
	if !m.args.AMIPinned {
		// A newer image alone does not justify an outage of the database.
		options = append(options, pulumi.IgnoreChanges([]string{"ami"}))
	}
	tags := map[string]string{"Release": m.args.Binary.Short(), "MongoDB": m.args.Version, scriptTag: script}
	if m.args.RestoreFrom == "" {
		options = append(options, pulumi.IgnoreChanges([]string{"tags." + restoredTag}))
	} else {
		tags[restoredTag] = m.args.RestoreFrom
	}
	return ec2.NewInstance(m.Ctx, m.name("host"), &ec2.InstanceArgs{
		Ami:                     pulumi.String(m.args.AMI),
		InstanceType:            pulumi.String(m.args.InstanceType),
		SubnetId:                m.subnet,
		VpcSecurityGroupIds:     pulumi.StringArray{m.args.SecurityGroupID},
		IamInstanceProfile:      m.args.InstanceProfile,
		MetadataOptions:         metadataOptions(),
		RootBlockDevice:         rootVolume(databaseRootGiB),
		VolumeTags:              m.Tags(m.name("root")),
		UserDataBase64:          data.Base64,
		UserDataReplaceOnChange: pulumi.Bool(true), // a script runs only at the first boot
		Tags:                    m.Tags(m.name("host"), tags),
	}, m.child("host", options...))
}

func (m *member) userData() (renderedUserData, error) {
	params := userdata.DatabaseParams{Region: m.args.Region, Digest: m.args.Binary.Digest, Host: m.Host, Zone: m.Zone}
	if _, err := userdata.Database(params.Longest()); err != nil {
		return renderedUserData{}, fmt.Errorf("user data: %w", err)
	}
	return renderUserData(pulumi.StringMap{
		"artifacts":     m.args.ArtifactsBucket,
		"volume":        m.volume.ID().ToStringOutput(),
		"packageKey":    m.args.PackageKey,
		"packageDigest": m.args.PackageDigest,
		"credentials":   m.args.CredentialsURI,
		"key":           m.args.CredentialsKeyARN,
		"binary":        m.args.Binary.Key, // the host boots only once its binary is uploaded
	}, func(known map[string]string) (userdata.Script, error) {
		p := params
		p.Artifacts, p.Volume, p.Credentials, p.Key = known["artifacts"], known["volume"], known["credentials"], known["key"]
		p.PackageKey, p.PackageDigest = known["packageKey"], known["packageDigest"]
		return userdata.Database(p)
	})
}

// digest is a short digest of user data.
func (d renderedUserData) digest() pulumi.StringOutput {
	return d.Base64.ApplyT(func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:6])
	}).(pulumi.StringOutput)
}
