package compute

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/storage"
)

const (
	// mirrorMemoryMiB: the copy streams in parts.
	mirrorMemoryMiB = 256
	// mirrorTimeoutSec is Lambda's longest; a package is some 200 MiB.
	mirrorTimeoutSec = 900
	// publisher is where MongoDB publishes server packages.
	publisher = "https://fastdl.mongodb.org/linux/"
)

// MirrorArgs are what NewMirror needs.
type MirrorArgs struct {
	FunctionSettings
	Release         storage.Object
	ArtifactsBucket pulumi.StringInput
	ArtifactsARN    pulumi.StringInput
	// Version of the MongoDB server, e.g. 8.0.21.
	Version string
	// SHA256 of the package, hex; empty to take the publisher's.
	SHA256 string
	Tags   map[string]string
}

// Mirror is the MongoDB server package in the artifacts bucket, for the host that has no way out.
type Mirror struct {
	pulumi.ResourceState

	// PackageKey in the artifacts bucket; PackageDigest is its SHA-256, hex. Both resolve once it is there.
	PackageKey    pulumi.StringOutput
	PackageDigest pulumi.StringOutput
}

// packageName of the server for Amazon Linux 2023.
func packageName(arch Architecture, version string) (string, error) {
	processor := map[Architecture]string{ARM64: "aarch64", AMD64: "x86_64"}[arch]
	if processor == "" {
		return "", fmt.Errorf("compute: architecture: %q is neither arm64 nor amd64", string(arch))
	}
	return fmt.Sprintf("mongodb-linux-%s-amazon2023-%s.tgz", processor, version), nil
}

// NewMirror registers the function and calls it, once for each version. A preview downloads nothing.
func NewMirror(ctx *pulumi.Context, name string, args *MirrorArgs, opts ...pulumi.ResourceOption) (*Mirror, error) {
	file, err := packageName(args.Architecture, args.Version)
	if err != nil {
		return nil, err
	}
	m := &Mirror{}
	err = component.New(ctx, "cinema:compute:Mirror", name, m, args.Tags, func(s *component.Scope) error {
		logs, err := newLogs(ctx, s, args.LogRetentionDays)
		if err != nil {
			return err
		}
		role, err := iam.NewMirrorRole(ctx, s, iam.MirrorArgs{ArtifactsARN: args.ArtifactsARN, LogGroupARN: logs.Arn})
		if err != nil {
			return err
		}
		concurrency := 1 // one copy at a time
		if args.ThumbnailerConcurrency == Unreserved {
			concurrency = Unreserved
		}
		fn, err := newFunction(ctx, s, args.Architecture, function{
			description: "Copies the MongoDB server package into the artifacts bucket",
			release:     args.Release, bucket: args.ArtifactsBucket, role: role, logs: logs,
			memoryMiB: mirrorMemoryMiB, timeoutSec: mirrorTimeoutSec, concurrency: concurrency,
		})
		if err != nil {
			return err
		}
		key := "packages/" + file
		request := args.ArtifactsBucket.ToStringOutput().ApplyT(func(bucket string) (string, error) {
			b, err := json.Marshal(map[string]string{"source": publisher + file, "sha256": args.SHA256, "bucket": bucket, "key": key})
			return string(b), err
		}).(pulumi.StringOutput)
		copied, err := lambda.NewInvocation(ctx, s.Name("package"), &lambda.InvocationArgs{
			FunctionName: fn.Name,
			Input:        request,
		}, s.Child())
		if err != nil {
			return err
		}
		m.PackageKey = component.After(pulumi.String(key).ToStringOutput(), copied)
		m.PackageDigest = copied.Result.ApplyT(packageDigest).(pulumi.StringOutput)
		return nil
	}, opts...)
	return m, err
}

// noDigest is the digest that no file has. A host that is given it installs nothing.
var noDigest = strings.Repeat("0", 64)

// packageDigest reads the function's answer. Without a digest in it nothing can be verified, so the host
// gets one that nothing matches.
func packageDigest(answer string) (string, error) {
	var a struct {
		SHA256 string `json:"sha256"`
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		return "", fmt.Errorf("mirror: answer %.80q: %w", answer, err)
	}
	if a.SHA256 == "" {
		return noDigest, nil
	}
	return strings.ToLower(a.SHA256), nil
}
