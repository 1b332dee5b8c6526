package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// NewFlowLogsRole lets VPC Flow Logs write streams into one log group (VPC user guide, "IAM role for publishing flow
// logs to CloudWatch Logs", without creating groups), and returns the role's ARN.
func NewFlowLogsRole(s *component.Scope, logGroupARN pulumi.StringInput) (pulumi.StringOutput, error) {
	role, err := newRole(s, "flow-logs", roleArgs{
		Service:     "vpc-flow-logs.amazonaws.com",
		Description: "VPC Flow Logs: writes its own log group",
		Policies: []policy{{"write", []Statement{
			writeStreams(logGroupARN),
			{
				Sid: "FindGroup", Effect: Allow,
				Actions:   []string{"logs:DescribeLogGroups"}, // takes no resource
				Resources: Strings("*"),
			},
		}}},
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return role.Arn, nil
}
