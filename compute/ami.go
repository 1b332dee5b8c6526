package compute

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Architecture of instances and functions, in Go's words.
type Architecture string

// The architectures. ARM64 (Graviton) costs about a fifth less for the same work.
const (
	ARM64 Architecture = "arm64"
	AMD64 Architecture = "amd64"
)

// ec2Name returns the name that EC2 and Lambda use for the architecture.
func (a Architecture) ec2Name() (string, error) {
	switch a {
	case ARM64:
		return "arm64", nil
	case AMD64:
		return "x86_64", nil
	default:
		return "", fmt.Errorf("compute: architecture: %q is neither arm64 nor amd64", string(a))
	}
}

// amiParameter is the public parameter with the id of the current Amazon Linux 2023 AMI, without the architecture. It
// pins kernel 6.12: MongoDB 8.0 has known problems with 6.19 and later.
const amiParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-"

// LookupAMI returns the id of the current Amazon Linux 2023 AMI for the architecture. It is a literal rather than an
// output, so that a preview shows a new AMI.
func LookupAMI(ctx *pulumi.Context, arch Architecture) (string, error) {
	name, err := arch.ec2Name()
	if err != nil {
		return "", err
	}
	parameter, err := ssm.LookupParameter(ctx, &ssm.LookupParameterArgs{Name: amiParameter + name})
	if err != nil {
		return "", fmt.Errorf("compute: AMI: %w", err)
	}
	return parameter.InsecureValue, nil
}

// instanceType splits m7gd.2xlarge into its series, generation and attributes.
var instanceType = regexp.MustCompile(`^([a-z]+)(\d+)([a-z-]*)\.(nano|micro|small|medium|large|xlarge|\d+xlarge|metal(-\d+xl)?)$`)

// architectureOf returns the architecture of an instance type, false for an invalid one. A g among the attributes means
// Graviton, and so does the series a1.
func architectureOf(typ string) (Architecture, bool) {
	m := instanceType.FindStringSubmatch(typ)
	if m == nil {
		return "", false
	}
	if m[1]+m[2] == "a1" || strings.Contains(m[3], "g") {
		return ARM64, true
	}
	return AMD64, true
}
