package containers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/compute"
	"cinema-database/iam"
	"cinema-database/internal/component"
)

// processors are ECS's names of the architectures.
var processors = map[compute.Architecture]string{compute.ARM64: "ARM64", compute.AMD64: "X86_64"}

// createDefinition registers the log group of a service, its roles and its task definition.
func (b *builder) createDefinition(name string, service Service, repository *ecr.Repository) error {
	logical := b.Name(name)
	logs, err := cloudwatch.NewLogGroup(b.Ctx, logical, &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(b.args.LogRetentionDays),
		Tags:            b.Tags(logical),
	}, b.Child())
	if err != nil {
		return err
	}
	roles, err := b.createRoles(name, service, logs, repository)
	if err != nil {
		return err
	}
	requires := "FARGATE"
	if b.args.Capacity == EC2 {
		requires = "EC2"
	}
	b.out.definitions[name], err = ecs.NewTaskDefinition(b.Ctx, logical, &ecs.TaskDefinitionArgs{
		Family:                  pulumi.String(component.PhysicalName(b.Env, "aws:ecs/taskDefinition:TaskDefinition", logical)),
		RequiresCompatibilities: pulumi.ToStringArray([]string{requires}),
		NetworkMode:             pulumi.String("awsvpc"),
		Cpu:                     pulumi.String(strconv.Itoa(service.CPU)),
		Memory:                  pulumi.String(strconv.Itoa(service.Memory)),
		RuntimePlatform: ecs.TaskDefinitionRuntimePlatformArgs{
			OperatingSystemFamily: pulumi.String("LINUX"), CpuArchitecture: pulumi.String(processors[b.args.Architecture]),
		},
		TaskRoleArn:          roles.TaskARN,
		ExecutionRoleArn:     roles.StartARN,
		ContainerDefinitions: b.container(name, service, logs.Name),
		Tags:                 b.Tags(logical),
	}, b.Child())
	return err
}

// container is the definition of a service's only container, as JSON.
func (b *builder) container(name string, service Service, logGroup pulumi.StringOutput) pulumi.StringOutput {
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	type secret struct {
		Name string `json:"name"`
		From string `json:"valueFrom"`
	}
	secrets := []secret{}
	for _, variable := range slices.Sorted(maps.Keys(service.Secrets)) {
		secrets = append(secrets, secret{variable, b.secretARN(service.Secrets[variable])})
	}
	image := service.Reference(b.Env, name)
	linux := map[string]any{
		"initProcessEnabled": true,
		"capabilities":       map[string][]string{"add": {}, "drop": {"ALL"}},
	}
	return pulumi.All(logGroup, b.args.CredentialsURI, b.args.ImagesBucket).ApplyT(func(known []any) (string, error) {
		variables := maps.Clone(service.Environment)
		if variables == nil {
			variables = map[string]string{}
		}
		variables[contract.EnvPort], variables[contract.EnvRegion] = strconv.Itoa(service.Port), b.Env.Region
		if service.Permissions.Database {
			variables[contract.EnvCredentialsURI] = known[1].(string)
		}
		if len(service.Permissions.Read) > 0 {
			variables[contract.EnvImagesBucket] = known[2].(string)
		}
		environment := []pair{}
		for _, variable := range slices.Sorted(maps.Keys(variables)) {
			environment = append(environment, pair{variable, variables[variable]})
		}
		container := map[string]any{
			"name":                   name,
			"image":                  image,
			"essential":              true,
			"portMappings":           []map[string]any{{"containerPort": service.Port, "hostPort": service.Port, "protocol": "tcp"}},
			"environment":            environment,
			"secrets":                secrets,
			"readonlyRootFilesystem": true,  // Security Hub ECS.5
			"privileged":             false, // ECS.4
			"linuxParameters":        linux,
			"logConfiguration": map[string]any{ // ECS.9
				"logDriver": "awslogs",
				"options": map[string]string{
					"awslogs-group": known[0].(string), "awslogs-region": b.Env.Region, "awslogs-stream-prefix": name,
					// A service does not wait for its logs (ECS developer guide, "awslogs log driver").
					"mode": "non-blocking", "max-buffer-size": "4m",
				},
			},
		}
		if b.args.Capacity == EC2 {
			container["dockerSecurityOptions"] = []string{"no-new-privileges"} // Fargate has no such option
		}
		text, err := json.Marshal([]any{container})
		return string(text), err
	}).(pulumi.StringOutput)
}

// secretARN is the ARN of where a secret is.
func (b *builder) secretARN(value string) string {
	if parameter, ok := strings.CutPrefix(value, inSSM); ok {
		return b.Env.ARN("ssm", "parameter"+parameter)
	}
	return b.args.SecretARNs[strings.TrimPrefix(value, inSecretsManager)]
}

// createRoles registers the roles of a service's tasks and of what starts them.
func (b *builder) createRoles(name string, service Service, logs *cloudwatch.LogGroup, repository *ecr.Repository) (*iam.ServiceRoles, error) {
	args := &iam.ServiceArgs{
		Environment: b.Env, Service: name, LogGroupARN: logs.Arn,
		Database: service.Permissions.Database, CredentialsKeyARN: b.args.CredentialsKeyARN, ArtifactsARN: b.args.ArtifactsARN,
		ImagesARN: b.args.ImagesARN,
	}
	if service.OwnRepository() {
		args.RepositoryARN = repository.Arn
	}
	for _, prefix := range service.Permissions.Read {
		args.Read = append(args.Read, strings.TrimPrefix(prefix, imagesPrefix))
	}
	for _, variable := range slices.Sorted(maps.Keys(service.Secrets)) {
		arn := pulumi.String(b.secretARN(service.Secrets[variable]))
		if strings.HasPrefix(service.Secrets[variable], inSSM) {
			args.ParameterARNs = append(args.ParameterARNs, arn)
		} else {
			args.SecretARNs = append(args.SecretARNs, arn)
		}
	}
	roles, err := iam.NewServiceRoles(b.Ctx, "iam-service-"+name, args, b.Child())
	if err != nil {
		return nil, fmt.Errorf("roles of %s: %w", name, err)
	}
	return roles, nil
}
