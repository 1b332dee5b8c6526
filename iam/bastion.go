package iam

import "cinema-database/internal/environment"

// sessionManager is what the SSM agent needs for Session Manager (Systems Manager user guide, "Add Session Manager
// permissions to an existing IAM role"). AmazonSSMManagedInstanceCore would also allow reading every parameter of the
// account. These actions take no resource.
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

// LoginUser is the user on the hosts that operators log in as, Amazon Linux's own.
const LoginUser = "ec2-user"

// bastionRole lets operators in by Session Manager, and from there by SSH to the stack's hosts: EC2 Instance Connect
// installs a key for one minute each time.
func bastionRole(env environment.Environment) roleArgs {
	return roleArgs{
		Description: "Bastion: Session Manager, and EC2 Instance Connect to this stack's hosts",
		Policies: []policy{
			sessionManager(),
			{"instance-connect", []Statement{
				{
					Sid: "SendKeyToOwnHosts", Effect: Allow,
					Actions:   []string{"ec2-instance-connect:SendSSHPublicKey"},
					Resources: Strings(env.ARN("ec2", "instance/*")),
					Conditions: Conditions{"StringEquals": {
						"aws:ResourceTag/Project": Strings(env.Project),
						"aws:ResourceTag/Stack":   Strings(env.Stack),
						"ec2:osuser":              Strings(LoginUser),
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
