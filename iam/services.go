package iam

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// ServiceArgs are what the tasks of a service may reach.
type ServiceArgs struct {
	environment.Environment
	// Service is the service's name in config.
	Service string
	// RepositoryARN is the image's repository; nil where the image is in a public one.
	RepositoryARN pulumi.StringInput
	LogGroupARN   pulumi.StringInput
	// ParameterARNs and SecretARNs are the SSM parameters and the secrets of Secrets Manager that a task starts with.
	ParameterARNs, SecretARNs []pulumi.StringInput
	// Database lets the tasks read the credentials object in the artifacts bucket, which CredentialsKeyARN encrypts. The
	// key's policy must name the service, see Args.DatabaseServices.
	Database                        bool
	ArtifactsARN, CredentialsKeyARN pulumi.StringInput
	// Read are the prefixes of the keys in the images bucket that the tasks may read, such as orig/.
	Read      []string
	ImagesARN pulumi.StringInput
}

// ServiceRoles are the two roles of a service's tasks. Their ARNs resolve once the policies are attached.
type ServiceRoles struct {
	pulumi.ResourceState

	// TaskARN is the role that the service's code has.
	TaskARN pulumi.StringOutput
	// StartARN is the role with which ECS starts a task: it pulls the image, reads the values of secrets and writes the log.
	StartARN pulumi.StringOutput
}

// NewServiceRoles registers the roles of one service.
func NewServiceRoles(ctx *pulumi.Context, name string, args *ServiceArgs, opts ...pulumi.ResourceOption) (*ServiceRoles, error) {
	r := &ServiceRoles{}
	err := component.New(ctx, args.Environment, "cinema:iam:ServiceRoles", name, r, func(s *component.Scope) error {
		task, err := newTaskRole(s, serviceTask, "Tasks of service "+args.Service+": what its code may do", servicePermissions(args))
		if err != nil {
			return err
		}
		start, err := newTaskRole(s, "start", "Starts tasks of service "+args.Service+": image, secrets, log", serviceStart(args))
		if err != nil {
			return err
		}
		r.TaskARN, r.StartARN = component.After(task.Arn, task.attached...), component.After(start.Arn, start.attached...)
		return nil
	}, opts...)
	return r, err
}

// serviceTask is the end of the logical name of a service's task role.
const serviceTask = "task"

// taskRoleARNs are the ARNs of the task roles of services, which need not exist yet.
func taskRoleARNs(env environment.Environment, services []string) []pulumi.StringInput {
	arns := make([]pulumi.StringInput, len(services))
	for i, service := range services {
		name := component.PhysicalName(env, "aws:iam/role:Role", "iam-service-"+service+"-"+serviceTask)
		arns[i] = pulumi.String("arn:" + env.Partition + ":iam::" + env.Account + ":role/" + name)
	}
	return arns
}

// newTaskRole registers a role that ECS gives to tasks of this account and region. ECS names no cluster in the key (ECS
// developer guide, "Prevent the confused deputy problem").
func newTaskRole(s *component.Scope, name, description string, policies []policy) (role, error) {
	return newRole(s, name, roleArgs{
		Service:     "ecs-tasks.amazonaws.com",
		SourceARN:   s.Env.ARN("ecs", "*"),
		Description: description,
		Policies:    policies,
	})
}

// servicePermissions are what the code of a service may do: nothing, where config names no permission.
func servicePermissions(args *ServiceArgs) []policy {
	var policies []policy
	if args.Database {
		policies = append(policies, policy{"database", []Statement{
			{
				Sid: "ReadCredentials", Effect: Allow,
				Actions:   []string{"s3:GetObject"},
				Resources: []pulumi.StringInput{object(args.ArtifactsARN, contract.CredentialsKey)},
			},
			{
				Sid: "DecryptCredentials", Effect: Allow,
				Actions:    []string{"kms:Decrypt"},
				Resources:  []pulumi.StringInput{args.CredentialsKeyARN},
				Conditions: Conditions{"StringEquals": {"kms:ViaService": Strings(args.Endpoint("s3"))}},
			},
			allowNotFound(args.ArtifactsARN),
		}})
	}
	if len(args.Read) > 0 {
		var readable []pulumi.StringInput
		for _, prefix := range args.Read {
			readable = append(readable, objects(args.ImagesARN, prefix))
		}
		policies = append(policies, policy{"images", []Statement{
			{
				Sid: "ReadImages", Effect: Allow,
				Actions:   []string{"s3:GetObject"},
				Resources: readable,
			},
			allowNotFound(args.ImagesARN),
		}})
	}
	return policies
}

// serviceStart is AmazonECSTaskExecutionRolePolicy for one repository and one log group, and the values of the service's
// secrets. Those under a customer managed key also need a grant on that key.
func serviceStart(args *ServiceArgs) []policy {
	policies := []policy{{"logs", []Statement{{
		Sid: "WriteStreams", Effect: Allow,
		Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		Resources: []pulumi.StringInput{pulumi.Sprintf("%s:*", args.LogGroupARN)},
	}}}}
	if args.RepositoryARN != nil {
		policies = append(policies, policy{"image", []Statement{
			{
				Sid: "LogIn", Effect: Allow,
				Actions:   []string{"ecr:GetAuthorizationToken"}, // takes no resource
				Resources: Strings("*"),
			},
			{
				Sid: "PullImage", Effect: Allow,
				Actions:   []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
				Resources: []pulumi.StringInput{args.RepositoryARN},
			},
		}})
	}
	var values []Statement
	if len(args.ParameterARNs) > 0 {
		values = append(values, Statement{
			Sid: "ReadParameters", Effect: Allow,
			Actions:   []string{"ssm:GetParameters"},
			Resources: args.ParameterARNs,
		})
	}
	if len(args.SecretARNs) > 0 {
		values = append(values, Statement{
			Sid: "ReadSecrets", Effect: Allow,
			Actions:   []string{"secretsmanager:GetSecretValue"},
			Resources: args.SecretARNs,
		})
	}
	if len(values) > 0 {
		policies = append(policies, policy{"values", values})
	}
	return policies
}

// NewContainerHostRole registers the role of the instances that tasks run on, under the component's own logical name, and
// returns the name of its instance profile. The role is what the ECS agent needs (AmazonEC2ContainerServiceforEC2Role) in one
// cluster: images, secrets and logs belong to the role that starts a task.
func NewContainerHostRole(ctx *pulumi.Context, name string, env environment.Environment, clusterARN pulumi.StringInput, opts ...pulumi.ResourceOption) (pulumi.StringOutput, error) {
	h := &containerHosts{}
	err := component.New(ctx, env, "cinema:iam:ContainerHosts", name, h, func(s *component.Scope) error {
		role, err := newInstanceRole(s, "", containerHostRole(clusterARN))
		if err != nil {
			return err
		}
		h.Profile, err = role.profile(s, "")
		return err
	}, opts...)
	return h.Profile, err
}

type containerHosts struct {
	pulumi.ResourceState

	Profile pulumi.StringOutput
}

func containerHostRole(clusterARN pulumi.StringInput) roleArgs {
	// arn:aws:ecs:us-east-1:123456789012:cluster/NAME
	instances := clusterARN.ToStringOutput().ApplyT(func(arn string) string {
		return strings.Replace(arn, ":cluster/", ":container-instance/", 1) + "/*"
	}).(pulumi.StringOutput)
	return roleArgs{
		Description: "Container hosts: the ECS agent in its cluster",
		Policies: []policy{
			sessionManager(),
			{"agent", []Statement{
				{
					Sid: "JoinCluster", Effect: Allow,
					Actions: []string{"ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
						"ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange"},
					Resources: []pulumi.StringInput{clusterARN},
				},
				{
					Sid: "RunTasks", Effect: Allow,
					Actions:   []string{"ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"},
					Resources: []pulumi.StringInput{instances},
				},
				{
					Sid: "FindEndpoint", Effect: Allow,
					Actions:   []string{"ecs:DiscoverPollEndpoint"}, // takes no resource
					Resources: Strings("*"),
				},
			}},
		},
	}
}
