package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
)

// ThumbnailerArgs are the resources that the thumbnailer reaches.
type ThumbnailerArgs struct {
	ImagesARN, LogGroupARN, FailuresARN pulumi.StringInput
}

// NewThumbnailerRole lets the function read originals, write thumbnails and report failures. It returns the role's ARN.
func NewThumbnailerRole(s *component.Scope, args ThumbnailerArgs) (pulumi.StringOutput, error) {
	return newFunctionRole(s, "Thumbnailer function: originals in, thumbnails out", args.LogGroupARN,
		policy{"pictures", []Statement{ // part of a logical name
			{
				Sid: "ReadOriginals", Effect: Allow,
				Actions:   []string{"s3:GetObject"},
				Resources: []pulumi.StringInput{objects(args.ImagesARN, contract.OriginalsPrefix)},
			},
			{
				Sid: "KeepThumbnails", Effect: Allow,
				Actions:   []string{"s3:DeleteObject", "s3:PutObject"},
				Resources: []pulumi.StringInput{objects(args.ImagesARN, contract.ThumbnailsPrefix)},
			},
			allowNotFound(args.ImagesARN),
		}},
		policy{"failures", []Statement{{
			Sid: "ReportFailures", Effect: Allow,
			Actions:   []string{"sqs:SendMessage"},
			Resources: []pulumi.StringInput{args.FailuresARN},
		}}},
	)
}

// MirrorArgs are the resources that the mirror reaches.
type MirrorArgs struct {
	ArtifactsARN, LogGroupARN pulumi.StringInput
}

// NewMirrorRole lets the function store server packages in the artifacts bucket. It returns the role's ARN.
func NewMirrorRole(s *component.Scope, args MirrorArgs) (pulumi.StringOutput, error) {
	return newFunctionRole(s, "Mirror function: the MongoDB server package into the artifacts bucket", args.LogGroupARN,
		policy{"packages", []Statement{
			{
				Sid: "KeepPackages", Effect: Allow,
				Actions:   []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
				Resources: []pulumi.StringInput{objects(args.ArtifactsARN, contract.PackagesPrefix)},
			},
			allowNotFound(args.ArtifactsARN),
		}},
	)
}

func newFunctionRole(s *component.Scope, description string, logGroupARN pulumi.StringInput,
	policies ...policy,
) (pulumi.StringOutput, error) {
	role, err := newRole(s, "role", roleArgs{
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
	// Without its policies, AWS refuses the function or its first call fails.
	return component.After(role.Arn, role.attached...), nil
}
