package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/compute/userdata"
	"cinema-database/iam"
	"cinema-database/internal/component"
)

const (
	// rootDevice is the root device of the Amazon Linux 2023 AMI.
	rootDevice = "/dev/xvda"
	// apiRootGiB is the smallest root volume for the Amazon Linux 2023 AMI. An API instance stores no data.
	apiRootGiB = 8
)

// createLaunchTemplate registers the launch template of the API instances. Its tags Release and Script have
// the digests of the binary and of the script, because nobody can read them in compressed user data.
func (b *apiBuilder) createLaunchTemplate() error {
	params := userdata.APIParams{
		Digest: b.args.Binary.Digest, Region: b.Env.Region, Port: contract.APIPort, Stack: b.Env.Stack,
		AllowedOrigins: b.args.AllowedOrigins, Proxies: b.proxies(),
	}
	if _, err := userdata.API(params.Longest()); err != nil {
		return fmt.Errorf("user data: %w", err)
	}
	logGroup, err := b.createLogs()
	if err != nil {
		return err
	}
	data, err := renderUserData(pulumi.StringMap{
		"artifacts":   b.args.ArtifactsBucket,
		"credentials": b.args.CredentialsURI,
		"images":      b.args.ImagesBucket,
		"logGroup":    logGroup,
		"binary":      b.args.Binary.Key, // an instance boots only once its binary is uploaded
	}, func(known map[string]string) (userdata.Script, error) {
		p := params
		p.Artifacts, p.Credentials, p.Images = known["artifacts"], known["credentials"], known["images"]
		p.LogGroup = known["logGroup"]
		return userdata.API(p)
	})
	if err != nil {
		return err
	}
	b.out.UserDataBytes = data.Size
	name := b.Name("instance")
	script, err := scriptDigest(userdata.API(userdata.APIParams{Port: contract.APIPort, Proxies: 1}.Longest()))
	if err != nil {
		return err
	}
	release := map[string]string{"Release": b.args.Binary.Short(), scriptTag: script}
	var specifications ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		specifications = append(specifications, ec2.LaunchTemplateTagSpecificationArgs{
			ResourceType: pulumi.String(kind), Tags: b.Tags(name, release),
		})
	}
	args := &ec2.LaunchTemplateArgs{
		Description:          pulumi.String("cinema " + b.args.Binary.Short() + ", script " + script),
		ImageId:              pulumi.String(b.args.AMI),
		InstanceType:         pulumi.String(b.args.InstanceType),
		IamInstanceProfile:   ec2.LaunchTemplateIamInstanceProfileArgs{Name: b.args.InstanceProfile},
		UpdateDefaultVersion: pulumi.Bool(true),
		UserData:             data.Base64,
		Monitoring:           ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)},
		TagSpecifications:    specifications,
		Tags:                 b.Tags(name), // the deployer may change own templates only
	}
	SecureTemplate(args, b.args.SecurityGroupID, apiRootGiB)
	b.template, err = ec2.NewLaunchTemplate(b.Ctx, name, args, b.Child())
	return err
}

// SecureTemplate sets what every launch template of the stack has: IMDSv2 for the instance itself, no public address, and an
// encrypted root volume of that many GiB.
func SecureTemplate(args *ec2.LaunchTemplateArgs, securityGroupID pulumi.StringInput, rootGiB int) {
	args.MetadataOptions = ec2.LaunchTemplateMetadataOptionsArgs{
		HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
	}
	args.NetworkInterfaces = ec2.LaunchTemplateNetworkInterfaceArray{ec2.LaunchTemplateNetworkInterfaceArgs{
		DeviceIndex:              pulumi.Int(0),
		AssociatePublicIpAddress: pulumi.String("false"),
		DeleteOnTermination:      pulumi.String("true"),
		SecurityGroups:           pulumi.StringArray{securityGroupID},
	}}
	args.BlockDeviceMappings = ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
		DeviceName: pulumi.String(rootDevice),
		Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
			VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(rootGiB),
			Encrypted: pulumi.String("true"), DeleteOnTermination: pulumi.String("true"),
		},
	}}
}

// proxies is how many proxies every request comes through: the load balancer, and the distribution before it.
func (b *apiBuilder) proxies() int {
	if b.args.Internal {
		return 2
	}
	return 1
}

// createLogs registers the log group of the instances and allows their role to write to it. It returns the group's name.
func (b *apiBuilder) createLogs() (pulumi.StringOutput, error) {
	name := b.Name("logs")
	group, err := cloudwatch.NewLogGroup(b.Ctx, name, &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(b.args.LogRetentionDays),
		Tags:            b.Tags(name),
	}, b.Child())
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	b.out.LogGroup = group.Name
	policy, err := iam.NewLogWriter(b.Scope, b.args.Role, group.Arn)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return component.After(group.Name, policy), nil
}
