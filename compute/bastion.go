package compute

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
)

// bastionRootGiB is the smallest root volume that Amazon Linux 2023's image fits.
const bastionRootGiB = 8

// BastionSettings is the bastion's shape, as stack config gives it.
type BastionSettings struct {
	// InstanceType, of Architecture.
	InstanceType string
	Architecture Architecture
}

// Check adds what is wrong with s to l.
func (s BastionSettings) Check(l *problem.List) {
	checkInstanceType(l, "bastion.instanceType", s.InstanceType, s.Architecture)
}

// BastionArgs are what NewBastion needs.
type BastionArgs struct {
	BastionSettings
	// AMI is a literal image id.
	AMI             string
	SubnetID        pulumi.StringInput
	SecurityGroupID pulumi.StringInput
	// InstanceProfile by name.
	InstanceProfile pulumi.StringInput
	Tags            map[string]string
}

// Bastion is the operators' way in.
type Bastion struct {
	pulumi.ResourceState

	InstanceID pulumi.IDOutput
	PublicIP   pulumi.StringOutput
}

// NewBastion registers the bastion.
func NewBastion(ctx *pulumi.Context, name string, args *BastionArgs, opts ...pulumi.ResourceOption) (*Bastion, error) {
	problems := problem.In("compute: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	b := &Bastion{}
	err := component.New(ctx, "cinema:compute:Bastion", name, b, args.Tags, func(s *component.Scope) error {
		host, err := ec2.NewInstance(ctx, s.Name("host"), &ec2.InstanceArgs{
			Ami:                 pulumi.String(args.AMI),
			InstanceType:        pulumi.String(args.InstanceType),
			SubnetId:            args.SubnetID,
			VpcSecurityGroupIds: pulumi.StringArray{args.SecurityGroupID},
			IamInstanceProfile:  args.InstanceProfile,
			MetadataOptions:     metadataOptions(),
			RootBlockDevice:     rootVolume(bastionRootGiB, s.Tags(s.Name("root"))),
			Tags:                s.Tags(s.Name("host")),
		}, s.Child())
		if err != nil {
			return err
		}
		// Session Manager and the AWS APIs are reached through the internet gateway, which takes a
		// public address; this one stays when the host is replaced.
		address, err := ec2.NewEip(ctx, s.Name("host"), &ec2.EipArgs{
			Domain:   pulumi.String("vpc"),
			Instance: host.ID(),
			Tags:     s.Tags(s.Name("host")),
		}, s.Child())
		if err != nil {
			return err
		}
		b.InstanceID, b.PublicIP = host.ID(), address.PublicIp
		return nil
	}, opts...)
	return b, err
}
