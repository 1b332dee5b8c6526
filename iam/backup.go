package iam

import (
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/place"
)

// backupPolicyARN is of AWS's own policy for the service.
func backupPolicyARN(here place.Place) string {
	return "arn:" + here.Partition + ":iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}

// NewBackupRole lets AWS Backup snapshot what it is told to. The policy is AWS's own for the service,
// which follows what the service needs. It returns the role's ARN.
func NewBackupRole(ctx *pulumi.Context, s *component.Scope, here place.Place) (pulumi.StringOutput, error) {
	r, err := newRole(ctx, s, "role", roleArgs{
		Service:     "backup.amazonaws.com",
		Description: "AWS Backup: snapshots of the data volume",
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	attached, err := awsiam.NewRolePolicyAttachment(ctx, s.Name("snapshots"), &awsiam.RolePolicyAttachmentArgs{
		Role:      r.Name,
		PolicyArn: pulumi.String(backupPolicyARN(here)),
	}, s.Child())
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return component.After(r.Arn, attached), nil
}
