package containers

import (
	"maps"
	"slices"
	"strings"

	"cinema-database/app/contract"
	"cinema-database/compute"
)

// Services are the stack's further services by name.
type Services map[string]Service

// On reports whether there is a service.
func (s Services) On() bool { return len(s) > 0 }

// Names returns the names of the services, sorted.
func (s Services) Names() []string { return slices.Sorted(maps.Keys(s)) }

// WithDatabase returns the names of the services that may reach the database, sorted.
func (s Services) WithDatabase() (names []string) {
	for _, name := range s.Names() {
		if s[name].Permissions.Database {
			names = append(names, name)
		}
	}
	return names
}

// Endpoints returns the AWS services that the tasks, and the instances of the capacity ec2, need an interface endpoint to
// where the private tier has no NAT (ECS developer guide, "Interface VPC endpoints"; ECR user guide, the same).
func (s Services) Endpoints(capacity Capacity, noNAT bool) []string {
	if !s.On() || !noNAT {
		return nil
	}
	endpoints := []string{"ecr.api", "ecr.dkr", "logs"}
	for _, name := range s.Names() {
		for _, value := range s[name].Secrets {
			service, _, _ := strings.Cut(value, ":")
			endpoints = append(endpoints, service)
		}
	}
	if capacity == EC2 {
		endpoints = append(endpoints, "ecs", "ecs-agent", "ecs-telemetry")
	}
	slices.Sort(endpoints)
	return slices.Compact(endpoints)
}

// Service is one service: a container image that runs in tasks behind the load balancer.
type Service struct {
	// Image is a tag or a digest (sha256:…) in the service's own repository, or a whole reference in any registry, such as
	// public.ecr.aws/nginx/nginx:1.29-alpine.
	Image string `json:"image"`
	// Port that the container listens on, 1 to 65535.
	Port int `json:"port"`
	// Host is the service's own host name in the stack's hosted zone. A service has a host or a path.
	Host string `json:"host"`
	// Path is the pattern of the paths that go to the service on the stack's own name: /demo/*.
	Path string `json:"path"`
	// HealthPath answers 200 while the container is healthy.
	HealthPath string `json:"healthPath"`
	// CPU in units of 1/1024 of a core, and Memory in MiB, for each task.
	CPU    int   `json:"cpu"`
	Memory int   `json:"memory"`
	Count  Count `json:"count"`
	// Environment holds environment variables by name. No value may be a secret.
	Environment map[string]string `json:"environment"`
	// Secrets holds, by the name of an environment variable, where its value is: ssm:/NAME is a parameter of SSM,
	// secretsmanager:NAME a secret of Secrets Manager.
	Secrets     map[string]string `json:"secrets"`
	Permissions Permissions       `json:"permissions"`
}

// Count is how many tasks run.
type Count struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Permissions are what a service may do on AWS.
type Permissions struct {
	// Database allows to reach the database and to read its credentials.
	Database bool `json:"database"`
	// Read names prefixes of keys in the images bucket whose objects the service may read, after images/.
	Read []string `json:"read"`
}

// SetDefaults sets the defaults of a service that config names. The decoder calls it before it reads the fields.
func (s *Service) SetDefaults() {
	*s = Service{Port: 8080, HealthPath: contract.HealthPath, CPU: 256, Memory: 512, Count: Count{Min: 2, Max: 4}}
}

// OwnRepository reports whether the image is in the service's own repository.
func (s Service) OwnRepository() bool { return !strings.Contains(s.Image, "/") }

// Capacity is what the tasks run on.
type Capacity string

// The capacities.
const (
	// Fargate: AWS runs each task on a machine of its own.
	Fargate Capacity = "fargate"
	// EC2: the tasks share instances of an Auto Scaling group.
	EC2 Capacity = "ec2"
)

// Settings is the part of stack config about the cluster.
type Settings struct {
	Capacity Capacity `json:"capacity"`
	// InstanceType and MaxSize are the instances of the capacity ec2.
	InstanceType string `json:"instanceType"`
	MaxSize      int    `json:"maxSize"`
	// Architecture of the tasks and of the instances.
	Architecture compute.Architecture `json:"-"`
}
