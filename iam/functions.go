package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// ThumbnailerArgs are what the thumbnailer's role is bound to.
type ThumbnailerArgs struct {
	ImagesARN, LogGroupARN, FailuresARN pulumi.StringInput
}

// NewThumbnailerRole reads originals, writes thumbnails, and reports what it could not do. It returns
// the role's ARN.
func NewThumbnailerRole(ctx *pulumi.Context, s *component.Scope, args ThumbnailerArgs) (pulumi.StringOutput, error) {
	return newFunctionRole(ctx, s, "Thumbnailer function: originals in, thumbnails out", args.LogGroupARN,
		policy{"pictures", []Statement{
			{
				Sid: "ReadOriginals", Effect: Allow,
				Actions:   []string{"s3:GetObject"},
				Resources: []pulumi.StringInput{objects(args.ImagesARN, "orig/")},
			},
			{
				Sid: "KeepThumbnails", Effect: Allow,
				Actions:   []string{"s3:DeleteObject", "s3:PutObject"},
				Resources: []pulumi.StringInput{objects(args.ImagesARN, "thumb/")},
			},
			tellMissing(args.ImagesARN),
		}},
		policy{"failures", []Statement{{
			Sid: "ReportFailures", Effect: Allow,
			Actions:   []string{"sqs:SendMessage"},
			Resources: []pulumi.StringInput{args.FailuresARN},
		}}},
	)
}

// MirrorArgs are what the mirror's role is bound to.
type MirrorArgs struct {
	ArtifactsARN, LogGroupARN pulumi.StringInput
}

// NewMirrorRole keeps server packages in the artifacts bucket. It returns the role's ARN.
func NewMirrorRole(ctx *pulumi.Context, s *component.Scope, args MirrorArgs) (pulumi.StringOutput, error) {
	return newFunctionRole(ctx, s, "Mirror function: the MongoDB server package into the artifacts bucket", args.LogGroupARN,
		policy{"packages", []Statement{
			{
				Sid: "KeepPackages", Effect: Allow,
				Actions:   []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
				Resources: []pulumi.StringInput{objects(args.ArtifactsARN, "packages/")},
			},
			tellMissing(args.ArtifactsARN),
		}},
	)
}

func newFunctionRole(ctx *pulumi.Context, s *component.Scope, description string, logGroupARN pulumi.StringInput,
	policies ...policy,
) (pulumi.StringOutput, error) {
	role, err := newRole(ctx, s, "role", roleArgs{
		Service:     "lambda.amazonaws.com",
		Description: description,
		Policies: append(policies,
			policy{"logs", []Statement{writeStreams(logGroupARN)}},
			policy{"tracing", []Statement{{
				Sid: "SendTraces", Effect: Allow,
				Actions:   []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, // take no resource
				Resources: Strings("*"),
			}}},
		),
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	// AWS refuses a function, or its first call fails, while its role's policies are not there yet.
	return component.After(role.Arn, role.attached...), nil
}
