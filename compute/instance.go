package compute

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/problem"
)

// metadataOptions require IMDSv2. A limit of one hop keeps its answers on the instance.
func metadataOptions() ec2.InstanceMetadataOptionsArgs {
	return ec2.InstanceMetadataOptionsArgs{
		HttpEndpoint:            pulumi.String("enabled"),
		HttpTokens:              pulumi.String("required"),
		HttpPutResponseHopLimit: pulumi.Int(1),
	}
}

// volumeTagsOnce keeps an instance's volume tags as they were at its start: AWS gives them to the root volume with the
// instance, in one call, and later reads show the tags of every volume that is attached.
var volumeTagsOnce = pulumi.IgnoreChanges([]string{"volumeTags"})

func rootVolume(gib int) ec2.InstanceRootBlockDeviceArgs {
	return ec2.InstanceRootBlockDeviceArgs{
		VolumeType:          pulumi.String("gp3"),
		VolumeSize:          pulumi.Int(gib),
		Encrypted:           pulumi.Bool(true),
		DeleteOnTermination: pulumi.Bool(true),
	}
}

// CheckInstanceType adds a problem for what is not an instance type of the architecture.
func CheckInstanceType(l *problem.List, field, typ string, arch Architecture) {
	got, ok := architectureOf(typ)
	switch {
	case !ok:
		l.Add(field, typ, "is not an EC2 instance type", "write it like t4g.small")
	case strings.HasPrefix(typ, "a1."):
		// AL2023 user guide, "AL2023 system requirements"; MongoDB requires ARMv8.2-A too.
		l.Add(field, typ, "has a processor of ARMv8.0, and Amazon Linux 2023 and MongoDB need ARMv8.2", "use a later generation, like t4g.small")
	case got != arch:
		l.Add(field, typ, fmt.Sprintf("runs %s, and the stack is built for %s", got, arch),
			fmt.Sprintf("use a type that runs %s, or set architecture to %s", arch, got))
	}
}
