package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/place"
)

// NewFlowLogsRole lets VPC Flow Logs write streams into one log group (VPC user guide, "IAM role for publishing flow
// logs to CloudWatch Logs", less the making of groups), and returns the role's ARN.
func NewFlowLogsRole(ctx *pulumi.Context, s *component.Scope, here place.Place, logGroupARN pulumi.StringInput) (pulumi.StringOutput, error) {
	role, err := newRole(ctx, s, "flow-logs", roleArgs{
		Service:     "vpc-flow-logs.amazonaws.com",
		Description: "VPC Flow Logs: writes its own log group",
		Policies: []policy{{"write", []Statement{
			writeStreams(logGroupARN),
			{
				Sid: "FindGroup", Effect: Allow,
				Actions:   []string{"logs:DescribeLogGroups"}, // lists them all, or none
				Resources: Strings(here.ARN("logs", "log-group:*")),
			},
		}}},
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return role.Arn, nil
}
