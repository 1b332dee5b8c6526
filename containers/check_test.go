package containers

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cinema-database/compute"
	"cinema-database/edge"
	"cinema-database/internal/problem"
)

// demo is a service that is right, with changes.
func demo(change func(*Service)) Service {
	var s Service
	s.SetDefaults()
	s.Image, s.Path = "v1", "/demo/*"
	change(&s)
	return s
}

func asIs(*Service) {}

// here are the surroundings of a stack with a domain.
var here = Surroundings{
	Capacity: Fargate, Egress: true,
	Domain: edge.DomainSettings{HostedZone: "example.com", Hosts: []edge.Host{{Name: "cinema.example.com", Service: edge.ServiceAPI}}},
}

func problems(services Services, in Surroundings) []string {
	l := problem.In("cinema:")
	services.Check(l, in)
	if l.Err() == nil {
		return nil
	}
	return strings.Split(l.Err().Error(), "\n")
}

func TestWrongServices(t *testing.T) {
	const sixty = "sixty-four-characters-0123456789012345678901234567890123456789ab"
	for _, c := range []struct {
		change func(*Service)
		want   string
	}{
		{func(s *Service) { s.Image = "" }, `image: "" names no image; write a tag, a digest (sha256:…), or a whole reference like public.ecr.aws/nginx/nginx:1.29-alpine`},
		{func(s *Service) { s.Image = "v 1" }, `image: "v 1" is neither a tag nor a digest; write a tag, a digest (sha256:…), or a whole reference like public.ecr.aws/nginx/nginx:1.29-alpine`},
		{func(s *Service) { s.Image = "sha256:" + sixty }, `image: "sha256:` + sixty + `" is neither a tag nor a digest; write a tag, a digest (sha256:…), or a whole reference like public.ecr.aws/nginx/nginx:1.29-alpine`},
		{func(s *Service) { s.Image = "latest" }, `image: "latest" is a tag that moves: tasks of one service would run different images; name a version or a digest`},
		{func(s *Service) { s.Image = "public.ecr.aws/nginx/nginx:latest" }, `image: "public.ecr.aws/nginx/nginx:latest" is a tag that moves: tasks of one service would run different images; name a version or a digest`},
		{func(s *Service) { s.Image = "public.ecr.aws/nginx/nginx" }, `image: "public.ecr.aws/nginx/nginx" is not a whole reference of an image; write a tag, a digest (sha256:…), or a whole reference like public.ecr.aws/nginx/nginx:1.29-alpine`},
		{func(s *Service) { s.Image = "111111111111.dkr.ecr.us-east-1.amazonaws.com/other:v1" }, `image: "111111111111.dkr.ecr.us-east-1.amazonaws.com/other:v1" is in a private repository that the tasks may not read; push it to the service's own repository and write its tag`},
		{func(s *Service) { s.Port = 0 }, `port: 0 is not a TCP port; use 1 to 65535`},
		{func(s *Service) { s.Port = 70000 }, `port: 70000 is not a TCP port; use 1 to 65535`},
		{func(s *Service) { s.Host = "demo.example.com" }, `path: "/demo/*" is next to a host, and a service has one of them; remove one`},
		{func(s *Service) { s.Path = "/*" }, `path: "/*" shadows the client and the API; begin it with a word of the service's own, like /demo/*`},
		{func(s *Service) { s.Path = "/demo" }, `path: "/demo" is not a pattern of paths; write it like /demo/*: letters, digits and ._~- between slashes, up to 128 characters`},
		{func(s *Service) { s.Path = "/d?mo/*" }, `path: "/d?mo/*" is not a pattern of paths; write it like /demo/*: letters, digits and ._~- between slashes, up to 128 characters`},
		{func(s *Service) { s.Path = "/" + sixty + sixty + "/*" }, `path: "/` + sixty + sixty + `/*" is not a pattern of paths; write it like /demo/*: letters, digits and ._~- between slashes, up to 128 characters`},
		{func(s *Service) { s.Path = "/api/*" }, `path: "/api/*" shadows the API; use paths outside /api`},
		{func(s *Service) { s.Path = "/api/demo/*" }, `path: "/api/demo/*" shadows the API; use paths outside /api`},
		{func(s *Service) { s.Path = "/js/*" }, `path: "/js/*" shadows the client's files in /js; begin it with another word`},
		{func(s *Service) { s.Path, s.Host = "", "demo.example" }, `host: "demo.example" is not in the hosted zone example.com; use a name that ends in .example.com`},
		{func(s *Service) { s.Path, s.Host = "", "Demo.example.com" }, `host: "Demo.example.com" is not a host name; write it in lower case, like demo.example.com`},
		{func(s *Service) { s.Path, s.Host = "", "cinema.example.com" }, `host: "cinema.example.com" is a host of the API; use another name, or remove it from domain.hosts`},
		{func(s *Service) { s.HealthPath = "healthz" }, `healthPath: "healthz" is not a path; write it like /healthz`},
		{func(s *Service) { s.CPU = 300 }, `cpu: 300 is not a size that Fargate has; use one of [256 512 1024 2048 4096 8192 16384]`},
		{func(s *Service) { s.Memory = 768 }, `memory: 768 is not a size that Fargate has with cpu 256; use 512, or 1024 to 2048 in steps of 1024`},
		{func(s *Service) { s.CPU = 512 }, `memory: 512 is not a size that Fargate has with cpu 512; use 1024 to 4096 in steps of 1024`},
		{func(s *Service) { s.CPU, s.Memory = 8192, 17408 }, `memory: 17408 is not a size that Fargate has with cpu 8192; use 16384 to 61440 in steps of 4096`},
		{func(s *Service) { s.Count.Min = 0 }, `count.min: 0 is not a valid number of tasks; use 1 to 100`},
		{func(s *Service) { s.Count.Max = 1 }, `count.max: 1 is not between min (2) and 100; raise it, or lower min`},
		{func(s *Service) { s.Environment = map[string]string{"1ST": "x"} }, `environment.1ST: "x" has a name that no environment variable can have; use letters, digits and _`},
		{func(s *Service) { s.Environment = map[string]string{"PORT": "80"} }, `environment.PORT: "80" is a variable that the stack or AWS sets; use another name`},
		{func(s *Service) { s.Environment = map[string]string{"AWS_PROFILE": "x"} }, `environment.AWS_PROFILE: "x" is a variable that the stack or AWS sets; use another name`},
		{func(s *Service) { s.Environment = map[string]string{"DB_PASSWORD": "hunter2"} }, `environment.DB_PASSWORD: [secret] has the name of a secret, and environment is readable in the state and on AWS; store the value in SSM or Secrets Manager and name it under secrets`},
		{func(s *Service) { s.Secrets = map[string]string{"KEY": "hunter2"} }, `secrets.KEY: [secret] does not say where the secret is; write ssm: and the name of a parameter, or secretsmanager: and the name of a secret; no value belongs in config`},
		{func(s *Service) { s.Secrets = map[string]string{"KEY": "ssm:key"} }, `secrets.KEY: "ssm:key" is not the name of a parameter; write it like ssm:/cinema/dev/token`},
		{func(s *Service) { s.Secrets = map[string]string{"KEY": "secretsmanager:"} }, `secrets.KEY: "secretsmanager:" is not the name of a secret; write it like secretsmanager:cinema/dev/token`},
		{func(s *Service) {
			s.Environment, s.Secrets = map[string]string{"MODE": "x"}, map[string]string{"MODE": "ssm:/mode"}
		}, `secrets.MODE: "ssm:/mode" is in environment too; remove one`},
		{func(s *Service) { s.Permissions.Read = []string{"artifacts/"} }, `permissions.read[0]: "artifacts/" is not a prefix of the images bucket; write one that begins with images/orig/ or images/thumb/ and ends with a slash`},
		{func(s *Service) { s.Permissions.Read = []string{"images/orig/*/"} }, `permissions.read[0]: "images/orig/*/" is not a prefix of the images bucket; write one that begins with images/orig/ or images/thumb/ and ends with a slash`},
		{func(s *Service) { s.Permissions.Read = []string{"images/orig/", "images/orig/"} }, `permissions.read[1]: "images/orig/" appears twice; remove one`},
	} {
		assert.Equal(t, []string{"cinema:services.demo." + c.want}, problems(Services{"demo": demo(c.change)}, here))
	}
}

// These concern a service as a whole, its name, or several.
func TestWrongSetsOfServices(t *testing.T) {
	bare, hosted := here, func(s *Service) { s.Path, s.Host = "", "demo.example.com" }
	bare.Domain = edge.DomainSettings{}
	closed := here
	closed.Egress = false
	many := Services{}
	for _, letter := range "abcdefghij" {
		many["s"+string(letter)] = demo(func(s *Service) { s.Path, s.Host = "", "s"+string(letter)+".example.com" })
	}
	for _, c := range []struct {
		services Services
		in       Surroundings
		want     []string
	}{
		{Services{"Demo": demo(asIs)}, here, []string{`cinema:services.Demo: "Demo" is not the name of a service; use up to 16 lower-case letters, digits and single hyphens, a letter first`}},
		{Services{"a-name-of-17-long": demo(asIs)}, here, []string{`cinema:services.a-name-of-17-long: "a-name-of-17-long" is not the name of a service; use up to 16 lower-case letters, digits and single hyphens, a letter first`}},
		{Services{"demo": demo(func(s *Service) { s.Path = "" })}, here, []string{`cinema:services.demo: "" has no host and no path: nothing reaches it; set path, like /demo/*, or host`}},
		{Services{"demo": demo(hosted)}, bare, []string{`cinema:services.demo.host: "demo.example.com" needs a hosted zone, and the stack has no domain; set domain.zone and domain.hosts, or use a path`}},
		{Services{"demo": demo(func(s *Service) { s.Image = "public.ecr.aws/nginx/nginx:1.29" })}, closed, []string{`cinema:services.demo.image: "public.ecr.aws/nginx/nginx:1.29" is in a registry that the tasks cannot reach without NAT; push it to the service's own repository and write its tag, or set natGateways to single`}},
		{Services{"demo": demo(asIs), "other": demo(asIs)}, here, []string{`cinema:services.other.path: "/demo/*" is the rule of services.demo.path too; give each service its own`}},
		{Services{"demo": demo(hosted), "other": demo(hosted)}, here, []string{`cinema:services.other.host: "demo.example.com" is the rule of services.demo.host too; give each service its own`}},
		{Services{"demo": demo(asIs), "other": demo(func(s *Service) { s.Path = "/demo/more/*" })}, here, []string{`cinema:services.other.path: "/demo/more/*" has paths in common with services.demo.path, /demo/*; use patterns of which none covers another`}},
		{many, here, []string{`cinema:services: 11 is the number of host names of the stack, more than one certificate can have; use up to 10 in domain.hosts and services together, or paths`}},
		// all at once
		{Services{"demo": demo(func(s *Service) { s.Port, s.CPU = -1, 1 }), "x": demo(func(s *Service) { s.Image = "" })}, here, []string{
			`cinema:services.demo.port: -1 is not a TCP port; use 1 to 65535`,
			`cinema:services.demo.cpu: 1 is not a size that Fargate has; use one of [256 512 1024 2048 4096 8192 16384]`,
			`cinema:services.x.image: "" names no image; write a tag, a digest (sha256:…), or a whole reference like public.ecr.aws/nginx/nginx:1.29-alpine`,
			`cinema:services.x.path: "/demo/*" is the rule of services.demo.path too; give each service its own`,
		}},
	} {
		assert.Equal(t, c.want, problems(c.services, c.in))
	}
}

func TestTwoRulesWithOnePriorityAreRefused(t *testing.T) {
	byPriority := map[int]string{}
	for i := 0; ; i++ {
		word := "w" + strings.Repeat("a", i%30) + string(rune('a'+i/30%26)) + string(rune('a'+i/780%26))
		path := "/" + word + "/*"
		other, taken := byPriority[edge.PathPriority(path)]
		byPriority[edge.PathPriority(path)] = path
		if !taken || other == path {
			continue
		}
		got := problems(Services{"one": demo(func(s *Service) { s.Path = other }), "two": demo(func(s *Service) { s.Path = path })}, here)
		require.Len(t, got, 1)
		assert.Regexp(t, `^cinema:services\.two\.path: "`+regexpQuote(path)+`" has the rule priority of services\.one\.path, \d+; rename one of them$`, got[0])
		return
	}
}

func regexpQuote(s string) string { return strings.NewReplacer("*", `\*`, ".", `\.`).Replace(s) }

// Every accepted path pattern is one that neither takes a request of the API nor of the client.
func TestAcceptedPathsTakeNothingFromTheAPI(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching(`(/[a-z.*?]{1,6}){1,3}(/\*)?`).Draw(t, "path")
		if problems(Services{"demo": demo(func(s *Service) { s.Path = path })}, here) != nil {
			return
		}
		require.False(t, covers(path, "/api/movies") || covers(path, "/index.html") || covers(path, "/js/main.js"), path)
		require.Equal(t, 1, strings.Count(path, "*"))
	})
}

func TestCapacity(t *testing.T) {
	check := func(s Settings) string {
		l := problem.In("cinema:")
		s.Check(l)
		if l.Err() == nil {
			return ""
		}
		return l.Err().Error()
	}
	on := Settings{Capacity: EC2, InstanceType: "t4g.small", MaxSize: 4, Architecture: compute.ARM64}
	assert.Empty(t, check(on))
	on.MaxSize = 0
	assert.Equal(t, `cinema:containers.maxSize: 0 is not a valid group size; use 1 to 30`, check(on))
	on.MaxSize, on.InstanceType = 4, "t3.small"
	assert.Contains(t, check(on), `cinema:containers.instanceType: "t3.small" runs amd64, and the stack is built for arm64`)
	assert.Equal(t, `cinema:containers.capacity: "lambda" is not a capacity; use fargate or ec2`, check(Settings{Capacity: "lambda"}))

	small := demo(func(s *Service) { s.CPU, s.Memory = 100, 32 })
	in := here
	in.Capacity = EC2
	assert.Equal(t, []string{
		`cinema:services.demo.cpu: 100 is not a size that a task on an instance can have; use 128 to 10240`,
		`cinema:services.demo.memory: 32 is not a size that a task on an instance can have; use 64 to 1048576`,
	}, problems(Services{"demo": small}, in))
}

func TestEndpoints(t *testing.T) {
	services := Services{"demo": demo(func(s *Service) { s.Secrets = map[string]string{"A": "ssm:/a", "B": "secretsmanager:b", "C": "ssm:/c"} })}
	assert.Empty(t, services.Endpoints(Fargate, false))
	assert.Empty(t, Services{}.Endpoints(EC2, true))
	assert.Equal(t, []string{"ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm"}, services.Endpoints(Fargate, true))
	assert.Equal(t, []string{"ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "secretsmanager", "ssm"}, services.Endpoints(EC2, true))
	assert.Empty(t, maps.Clone(services).WithDatabase())
}
