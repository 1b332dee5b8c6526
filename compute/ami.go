package compute

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/problem"
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

// imageParameter is the public parameter with the id of the newest Amazon Linux 2023 image, without the architecture. It
// pins kernel 6.12: MongoDB 8.0 has known problems with 6.19 and later.
const imageParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-"

// ImageParameter is the Systems Manager parameter with the id of the newest image for the architecture.
func ImageParameter(arch Architecture) (string, error) {
	name, err := arch.ec2Name()
	return imageParameter + name, err
}

// ImageSettings are the settings of the hosts' image from stack config.
type ImageSettings struct {
	// ID is an AMI's, ami-…; empty for the newest.
	ID           string
	Architecture Architecture
}

var imageID = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)

// Pinned reports whether config names the image.
func (s ImageSettings) Pinned() bool { return s.ID != "" }

// Check adds a problem for an invalid id.
func (s ImageSettings) Check(l *problem.List) {
	if s.Pinned() && !imageID.MatchString(s.ID) {
		l.Add("ami", s.ID, "is not the id of an image", "write it like ami-0123456789abcdef0, or run `go run . image`")
	}
}

// Lookup returns the id of the pinned image, or of the newest one. It is a literal rather than an output, so that a preview
// shows a new image. A pinned image that does not exist in the region, or has another architecture, is an error.
func (s ImageSettings) Lookup(ctx *pulumi.Context) (string, error) {
	if s.Pinned() {
		return s.ID, s.checkPinned(ctx)
	}
	name, err := ImageParameter(s.Architecture)
	if err != nil {
		return "", err
	}
	parameter, err := ssm.LookupParameter(ctx, &ssm.LookupParameterArgs{Name: name})
	if err != nil {
		return "", fmt.Errorf("compute: newest image: %w", err)
	}
	return parameter.InsecureValue, nil
}

func (s ImageSettings) checkPinned(ctx *pulumi.Context) error {
	name, err := s.Architecture.ec2Name()
	if err != nil {
		return err
	}
	fix := fmt.Sprintf("run `go run . image --stack %s`, or remove it", ctx.Stack())
	image, err := ec2.LookupAmi(ctx, &ec2.LookupAmiArgs{
		Filters: []ec2.GetAmiFilter{{Name: "image-id", Values: []string{s.ID}}},
		// AWS deprecates an image of Amazon Linux after 90 days. Hosts still start from it.
		IncludeDeprecated: pulumi.BoolRef(true),
	})
	if err != nil {
		return fmt.Errorf("%s:ami: %q cannot be found in the region: %w; %s", ctx.Project(), s.ID, err, fix)
	}
	if image.Architecture != name {
		return fmt.Errorf("%s:ami: %q has architecture %s, and the stack's is %s; %s", ctx.Project(), s.ID, image.Architecture, name, fix)
	}
	return nil
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
