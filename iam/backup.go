package iam

import (
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// BackupPolicyARN is the AWS managed policy for AWS Backup.
func BackupPolicyARN(env environment.Environment) string {
	return "arn:" + env.Partition + ":iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}

// NewBackupRole lets AWS Backup take snapshots of the volumes that a plan selects. AWS keeps its managed policy in step
// with the service's needs. It returns the role's ARN.
func NewBackupRole(s *component.Scope) (pulumi.StringOutput, error) {
	r, err := newRole(s, "role", roleArgs{
		Service:     "backup.amazonaws.com",
		Description: "AWS Backup: snapshots of the data volume",
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	attached, err := awsiam.NewRolePolicyAttachment(s.Ctx, s.Name("snapshots"), &awsiam.RolePolicyAttachmentArgs{
		Role:      r.Name,
		PolicyArn: pulumi.String(BackupPolicyARN(s.Env)),
	}, s.Child())
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return component.After(r.Arn, attached), nil
}
