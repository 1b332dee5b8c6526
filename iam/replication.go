package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// NewReplicationRole lets S3 copy new objects from one bucket to another (S3 user guide, "Setting up permissions for live
// replication"). It returns the role's ARN.
func NewReplicationRole(s *component.Scope, from, to pulumi.StringInput) (pulumi.StringOutput, error) {
	r, err := newRole(s, "role", roleArgs{
		Service:     "s3.amazonaws.com",
		Description: "S3 replication: new images to another region",
		Policies: []policy{{"copy", []Statement{
			{
				Sid: "ReadRules", Effect: Allow,
				Actions:   []string{"s3:GetReplicationConfiguration", "s3:ListBucket"},
				Resources: []pulumi.StringInput{from},
			},
			{
				Sid: "ReadVersions", Effect: Allow,
				Actions:   []string{"s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"},
				Resources: []pulumi.StringInput{objects(from, "")},
			},
			{
				Sid: "WriteCopies", Effect: Allow,
				Actions:   []string{"s3:ReplicateObject", "s3:ReplicateTags"},
				Resources: []pulumi.StringInput{objects(to, "")},
			},
		}}},
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return component.After(r.Arn, r.attached...), nil
}
