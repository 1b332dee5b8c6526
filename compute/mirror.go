package compute

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/storage"
)

const (
	// mirrorMemoryMiB is enough, because the function copies a package in parts.
	mirrorMemoryMiB = 256
	// mirrorTimeoutSec is Lambda's maximum. A package has about 200 MiB.
	mirrorTimeoutSec = 900
	// publisherURL is the folder of MongoDB's server packages.
	publisherURL = "https://fastdl.mongodb.org/linux/"
)

// MirrorArgs are the binary and the buckets of the function.
type MirrorArgs struct {
	environment.Environment
	FunctionSettings
	Binary          storage.Artifact
	ArtifactsBucket pulumi.StringInput
	ArtifactsARN    pulumi.StringInput
	// Version of the MongoDB server, e.g. 8.0.21.
	Version string
	// SHA256 of the package, 64 hex digits; empty to use the digest that MongoDB publishes.
	SHA256 string
}

// Mirror copies the MongoDB server package into the artifacts bucket, because the database hosts have no internet access.
type Mirror struct {
	pulumi.ResourceState

	// PackageKey in the artifacts bucket; PackageDigest is its SHA-256, hex. Both resolve once the object exists.
	PackageKey    pulumi.StringOutput
	PackageDigest pulumi.StringOutput
}

// packageName returns the name of the server package for Amazon Linux 2023.
func packageName(arch Architecture, version string) (string, error) {
	processor := map[Architecture]string{ARM64: "aarch64", AMD64: "x86_64"}[arch]
	if processor == "" {
		return "", fmt.Errorf("compute: architecture: %q is neither arm64 nor amd64", string(arch))
	}
	return fmt.Sprintf("mongodb-linux-%s-amazon2023-%s.tgz", processor, version), nil
}

// NewMirror registers the function, and an invocation of it for each version. A preview downloads nothing.
func NewMirror(ctx *pulumi.Context, name string, args *MirrorArgs, opts ...pulumi.ResourceOption) (*Mirror, error) {
	file, err := packageName(args.Architecture, args.Version)
	if err != nil {
		return nil, err
	}
	m := &Mirror{}
	err = component.New(ctx, args.Environment, "cinema:compute:Mirror", name, m, func(s *component.Scope) error {
		logs, err := newLogs(s, args.LogRetentionDays)
		if err != nil {
			return err
		}
		role, err := iam.NewMirrorRole(s, iam.MirrorArgs{ArtifactsARN: args.ArtifactsARN, LogGroupARN: logs.Arn})
		if err != nil {
			return err
		}
		fn, err := newFunction(s, args.Architecture, function{
			description: "Copies the MongoDB server package into the artifacts bucket",
			binary:      args.Binary, bucket: args.ArtifactsBucket, role: role, logs: logs,
			memoryMiB: mirrorMemoryMiB, timeoutSec: mirrorTimeoutSec, concurrency: args.mirrorConcurrency(),
		})
		if err != nil {
			return err
		}
		key := contract.PackagesPrefix + file
		request := args.ArtifactsBucket.ToStringOutput().ApplyT(func(bucket string) (string, error) {
			b, err := json.Marshal(contract.MirrorRequest{Source: publisherURL + file, SHA256: args.SHA256, Bucket: bucket, Key: key})
			return string(b), err
		}).(pulumi.StringOutput)
		copied, err := lambda.NewInvocation(s.Ctx, s.Name("package"), &lambda.InvocationArgs{
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

// noDigest matches no file, so a host that gets it installs nothing.
var noDigest = strings.Repeat("0", 64)

// packageDigest returns the digest in the function's answer, or noDigest if the answer has none.
func packageDigest(answer string) (string, error) {
	var a contract.MirrorAnswer
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		return "", fmt.Errorf("mirror: answer %.80q: %w", answer, err)
	}
	if a.SHA256 == "" {
		return noDigest, nil
	}
	return strings.ToLower(a.SHA256), nil
}
