package compute

import (
	"bytes"
	"compress/gzip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute/userdata"
	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/storage"
)

const (
	// rootDevice is Amazon Linux 2023's.
	rootDevice = "/dev/xvda"
	// apiRootGiB is the smallest that Amazon Linux 2023's image fits; an API instance keeps no data.
	apiRootGiB = 8
)

// createLaunchTemplate describes an API instance. The release is named in a tag, because a reviewer
// cannot read it in compressed user data.
func (b *apiBuilder) createLaunchTemplate() error {
	params := userdata.APIParams{
		Digest: b.args.Release.Digest,
		Region: b.args.Region,
		Port:   b.args.Port,
		Stack:  b.ctx.Stack(),
	}
	inline, err := small(b.args.Release)
	if err != nil {
		return err
	}
	params.Inline = inline
	logGroup, err := b.createLogs()
	if err != nil {
		return err
	}
	data, err := renderUserData(
		func() (userdata.Script, error) { return userdata.API(params.Longest()) },
		func(v []string) (userdata.Script, error) {
			p := params
			p.Artifacts, p.Credentials, p.Images, p.AllowedOrigin, p.LogGroup = v[0], v[1], v[2], v[3], v[4]
			return userdata.API(p)
		},
		b.args.ArtifactsBucket, b.args.CredentialsURI, b.args.ImagesBucket, b.args.AllowedOrigin, logGroup,
		b.args.Release.Key, // an instance boots only once its release is there
	)
	if err != nil {
		return err
	}
	b.out.UserDataBytes = data.Size
	name := b.Name("instance")
	release := map[string]string{"Release": b.args.Release.Short()}
	var specifications ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		specifications = append(specifications, ec2.LaunchTemplateTagSpecificationArgs{
			ResourceType: pulumi.String(kind), Tags: b.Tags(name, release),
		})
	}
	b.template, err = ec2.NewLaunchTemplate(b.ctx, name, &ec2.LaunchTemplateArgs{
		Description:          pulumi.String("cinema " + b.args.Release.Short()),
		ImageId:              pulumi.String(b.args.AMI),
		InstanceType:         pulumi.String(b.args.InstanceType),
		IamInstanceProfile:   ec2.LaunchTemplateIamInstanceProfileArgs{Name: b.args.InstanceProfile},
		UpdateDefaultVersion: pulumi.Bool(true),
		UserData:             data.Base64,
		Monitoring:           ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)},
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		NetworkInterfaces: ec2.LaunchTemplateNetworkInterfaceArray{ec2.LaunchTemplateNetworkInterfaceArgs{
			DeviceIndex:              pulumi.Int(0),
			AssociatePublicIpAddress: pulumi.String("false"),
			DeleteOnTermination:      pulumi.String("true"),
			SecurityGroups:           pulumi.StringArray{b.args.SecurityGroupID},
		}},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String(rootDevice),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(apiRootGiB),
				Encrypted: pulumi.String("true"), DeleteOnTermination: pulumi.String("true"),
			},
		}},
		// What starts from the template is tagged; the template costs nothing, and some readers of its data
		// take its own tags for its instances'.
		TagSpecifications: specifications,
	}, b.Child())
	return err
}

// small is a binary, compressed, that user data might carry whole; nil for one that cannot fit, which is
// not decompressed to find out.
func small(release storage.Object) ([]byte, error) {
	if release.Size > 4*userdata.MaxSize {
		return nil, nil
	}
	data, err := release.Bytes()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// createLogs makes the log group that the instances write to, and lets their role do so. It returns the
// group's name.
func (b *apiBuilder) createLogs() (pulumi.StringOutput, error) {
	name := b.Name("logs")
	group, err := cloudwatch.NewLogGroup(b.ctx, name, &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(b.args.LogRetentionDays),
		Tags:            b.Tags(name),
	}, b.Child())
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	b.out.LogGroup = group.Name
	policy, err := iam.NewLogWriter(b.ctx, b.Scope, b.args.Role, group.Arn)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return component.After(group.Name, policy), nil
}
