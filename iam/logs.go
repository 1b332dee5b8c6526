package iam

import (
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// writeStreams allows writing into one log group.
func writeStreams(logGroupARN pulumi.StringInput) Statement {
	return Statement{
		Sid: "WriteStreams", Effect: Allow,
		Actions:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
		Resources: []pulumi.StringInput{pulumi.Sprintf("%s:*", logGroupARN)},
	}
}

// NewLogWriter lets a role, by name, write into one log group.
func NewLogWriter(s *component.Scope, role, logGroupARN pulumi.StringInput) (*awsiam.RolePolicy, error) {
	return awsiam.NewRolePolicy(s.Ctx, s.Name("logs"), &awsiam.RolePolicyArgs{
		Role:   role,
		Policy: Document(writeStreams(logGroupARN)),
	}, s.Child())
}
