package compute

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

// bastionRootGiB is the smallest root volume for the Amazon Linux 2023 AMI.
const bastionRootGiB = 8

// BastionAddresses is how many Elastic IPs the bastion has.
const BastionAddresses = 1

// BastionSettings are the settings of the bastion from stack config.
type BastionSettings struct {
	// InstanceType runs Architecture.
	InstanceType string
	Architecture Architecture
}

// Check adds a problem for an invalid instance type, or one of another architecture.
func (s BastionSettings) Check(l *problem.List) {
	CheckInstanceType(l, "bastion.instanceType", s.InstanceType, s.Architecture)
}

// BastionArgs are the bastion's network and role.
type BastionArgs struct {
	environment.Environment
	BastionSettings
	// AMI is a literal id.
	AMI             string
	SubnetID        pulumi.StringInput
	SecurityGroupID pulumi.StringInput
	// InstanceProfile is a name.
	InstanceProfile pulumi.StringInput
}

// Bastion is the host that operators reach the other hosts through.
type Bastion struct {
	pulumi.ResourceState

	InstanceID pulumi.IDOutput
	PublicIP   pulumi.StringOutput
}

// NewBastion registers the host and its address.
func NewBastion(ctx *pulumi.Context, name string, args *BastionArgs, opts ...pulumi.ResourceOption) (*Bastion, error) {
	problems := problem.In("compute: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	b := &Bastion{}
	err := component.New(ctx, args.Environment, "cinema:compute:Bastion", name, b, func(s *component.Scope) error {
		host, err := ec2.NewInstance(s.Ctx, s.Name("host"), &ec2.InstanceArgs{
			Ami:                 pulumi.String(args.AMI),
			InstanceType:        pulumi.String(args.InstanceType),
			SubnetId:            args.SubnetID,
			VpcSecurityGroupIds: pulumi.StringArray{args.SecurityGroupID},
			IamInstanceProfile:  args.InstanceProfile,
			MetadataOptions:     metadataOptions(),
			RootBlockDevice:     rootVolume(bastionRootGiB),
			VolumeTags:          s.Tags(s.Name("root")),
			Tags:                s.Tags(s.Name("host")),
		}, s.Child(volumeTagsOnce))
		if err != nil {
			return err
		}
		// The bastion reaches Session Manager and the AWS APIs through the internet gateway, which requires a public address.
		// An Elastic IP outlives the host.
		address, err := ec2.NewEip(s.Ctx, s.Name("host"), &ec2.EipArgs{
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
