package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/place"
)

// sessionManager is what the SSM agent needs for Session Manager (Systems Manager user guide, "Add
// Session Manager permissions to an existing IAM role"): less than AmazonSSMManagedInstanceCore, which
// also reads every parameter of the account. These actions take no resource.
func sessionManager() policy {
	return policy{"session-manager", []Statement{{
		Sid: "SessionManager", Effect: Allow,
		Actions: []string{
			"ssm:UpdateInstanceInformation",
			"ssmmessages:CreateControlChannel",
			"ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel",
			"ssmmessages:OpenDataChannel",
		},
		Resources: Strings("*"),
	}}}
}

// bastionRole is reached by Session Manager and opens SSH to the stack's own hosts, each time with a
// key that lives for a minute.
func bastionRole(ctx *pulumi.Context, here place.Place) roleArgs {
	return roleArgs{
		Description: "Bastion: Session Manager, and EC2 Instance Connect to this stack's hosts",
		Policies: []policy{
			sessionManager(),
			{"instance-connect", []Statement{
				{
					Sid: "SendKeyToOwnHosts", Effect: Allow,
					Actions:   []string{"ec2-instance-connect:SendSSHPublicKey"},
					Resources: Strings(here.ARN("ec2", "instance/*")),
					Conditions: Conditions{"StringEquals": {
						"aws:ResourceTag/Project": Strings(ctx.Project()),
						"aws:ResourceTag/Stack":   Strings(ctx.Stack()),
						"ec2:osuser":              Strings("ec2-user"),
					}},
				},
				{
					Sid: "FindHosts", Effect: Allow,
					Actions:   []string{"ec2:DescribeInstances"}, // takes no resource
					Resources: Strings("*"),
				},
			}},
		},
	}
}
