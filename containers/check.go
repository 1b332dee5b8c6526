package containers

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"cinema-database/app/client"
	"cinema-database/app/contract"
	"cinema-database/compute"
	"cinema-database/edge"
	"cinema-database/internal/format"
	"cinema-database/internal/problem"
)

const (
	// maxName is the longest name of a service, in characters: the names that are made of it stay whole.
	maxName = 16
	// maxTasks limits the tasks of a service. A service may have 5,000 (ECS service quotas), and a database far fewer clients.
	maxTasks = 100
	// maxPathPattern is the longest path pattern, in characters (Elastic Load Balancing user guide, "Path conditions").
	maxPathPattern = 128
	// maxHealthPath is the longest health check path, in characters (Elastic Load Balancing API reference, CreateTargetGroup).
	maxHealthPath = 1024
	// maxHosts limits the instances of the capacity ec2.
	maxHosts = 30
)

var (
	serviceName  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	imageTag     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`) // ECR API reference, PutImage, imageTag
	privateECR   = regexp.MustCompile(`^[0-9]{12}\.dkr[.-]ecr[.-]`)
	pathPattern  = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+/\*$`)
	healthPath   = regexp.MustCompile(`^/[A-Za-z0-9._~/-]*$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// secretVariable are names of variables that hold secrets.
	secretVariable = regexp.MustCompile(`(?i)(^|_)(password|passwd|secret|token|private_key|access_key|api_key)$`)
	// A parameter's name (Systems Manager API reference, PutParameter) and a secret's (Secrets Manager API reference,
	// CreateSecret).
	parameterName = regexp.MustCompile(`^(/[A-Za-z0-9_.-]+){1,15}$`)
	secretName    = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)
)

// Where a secret is: the beginnings of its value in config.
const (
	inSSM            = "ssm:"
	inSecretsManager = "secretsmanager:"
)

// Surroundings are the settings of other parts that a service must fit.
type Surroundings struct {
	Capacity Capacity
	Domain   edge.DomainSettings
	// Egress: the private tier reaches the internet.
	Egress bool
}

// Check adds a problem for each setting of a service that AWS refuses, that reaches nothing, or that takes requests from the
// API, the client or another service.
func (s Services) Check(l *problem.List, in Surroundings) {
	for _, name := range s.Names() {
		at := "services." + name
		if !serviceName.MatchString(name) || len(name) > maxName {
			l.Add(at, name, "is not the name of a service", fmt.Sprintf("use up to %d lower-case letters, digits and single hyphens, a letter first", maxName))
		}
		c := check{List: l, at: at, Service: s[name], Surroundings: in}
		c.image()
		c.route()
		c.size()
		c.variables()
		c.permissions()
	}
	s.checkRoutes(l, in.Domain)
}

// check is of one service.
type check struct {
	*problem.List
	at string
	Service
	Surroundings
}

func (c check) add(field string, value any, reason, fix string) {
	c.Add(c.at+"."+field, value, reason, fix)
}

func (c check) image() {
	const fix = "write a tag, a digest (sha256:…), or a whole reference like public.ecr.aws/nginx/nginx:1.29-alpine"
	digest, isDigest := strings.CutPrefix(c.Image, "sha256:")
	switch {
	case c.Image == "":
		c.add("image", c.Image, "names no image", fix)
	case c.OwnRepository():
		switch {
		case isDigest && format.SHA256(digest):
		case isDigest || !imageTag.MatchString(c.Image):
			c.add("image", c.Image, "is neither a tag nor a digest", fix)
		case c.Image == "latest":
			c.movingTag()
		}
	default:
		reference, err := name.ParseReference(c.Image, name.StrictValidation)
		switch {
		case err != nil:
			c.add("image", c.Image, "is not a whole reference of an image", fix)
		case privateECR.MatchString(reference.Context().RegistryStr()):
			c.add("image", c.Image, "is in a private repository that the tasks may not read",
				"push it to the service's own repository and write its tag")
		case reference.Identifier() == "latest":
			c.movingTag()
		case !c.Egress:
			c.add("image", c.Image, "is in a registry that the tasks cannot reach without NAT",
				"push it to the service's own repository and write its tag, or set natGateways to single")
		}
	}
}

func (c check) movingTag() {
	c.add("image", c.Image, "is a tag that moves: tasks of one service would run different images", "name a version or a digest")
}

// siteWords are the first words of the paths that the client has, and of its files.
var siteWords = func() []string {
	var words []string
	for _, page := range client.Pages() {
		for _, path := range []string{page.Key, page.Path} {
			word, _, _ := strings.Cut(path, "/")
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}()

func (c check) route() {
	switch {
	case c.Host == "" && c.Path == "":
		c.Add(c.at, "", "has no host and no path: nothing reaches it", "set path, like /"+strings.TrimPrefix(c.at, "services.")+"/*, or host")
	case c.Host != "" && c.Path != "":
		c.add("path", c.Path, "is next to a host, and a service has one of them", "remove one")
	case c.Host != "":
		c.host()
	default:
		c.path()
	}
	if !healthPath.MatchString(c.HealthPath) || len(c.HealthPath) > maxHealthPath {
		c.add("healthPath", c.HealthPath, "is not a path", "write it like "+contract.HealthPath)
	}
	if c.Port < 1 || c.Port > 65535 {
		c.add("port", c.Port, "is not a TCP port", "use 1 to 65535")
	}
}

func (c check) host() {
	zone := c.Domain.HostedZone
	switch {
	case !format.HostName(c.Host):
		c.add("host", c.Host, "is not a host name", "write it in lower case, like demo.example.com")
	case !c.Domain.On():
		c.add("host", c.Host, "needs a hosted zone, and the stack has no domain", "set domain.zone and domain.hosts, or use a path")
	case c.Host != zone && !strings.HasSuffix(c.Host, "."+zone):
		c.add("host", c.Host, "is not in the hosted zone "+zone, "use a name that ends in ."+zone)
	case slices.ContainsFunc(c.Domain.Hosts, func(h edge.Host) bool { return h.Name == c.Host }):
		c.add("host", c.Host, "is a host of the API", "use another name, or remove it from domain.hosts")
	}
}

func (c check) path() {
	first, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	switch {
	case c.Path == "/*":
		c.add("path", c.Path, "shadows the client and the API", "begin it with a word of the service's own, like /demo/*")
	case !pathPattern.MatchString(c.Path) || len(c.Path) > maxPathPattern:
		c.add("path", c.Path, "is not a pattern of paths",
			fmt.Sprintf("write it like /demo/*: letters, digits and ._~- between slashes, up to %d characters", maxPathPattern))
	case "/"+first == contract.BasePath:
		c.add("path", c.Path, "shadows the API", "use paths outside "+contract.BasePath)
	case slices.Contains(siteWords, first):
		c.add("path", c.Path, "shadows the client's files in /"+first, "begin it with another word")
	}
}

// fargateMemory are Fargate's sizes of memory by CPU: from, to and step in MiB (ECS developer guide, "Task CPU and memory"
// of Fargate task definitions). 256 has 512 besides.
var fargateMemory = map[int]struct{ from, to, step int }{
	256:   {1024, 2048, 1024},
	512:   {1024, 4096, 1024},
	1024:  {2048, 8192, 1024},
	2048:  {4096, 16384, 1024},
	4096:  {8192, 30720, 1024},
	8192:  {16384, 61440, 4096},
	16384: {32768, 122880, 8192},
}

func (c check) size() {
	switch c.Capacity {
	case Fargate:
		sizes, known := fargateMemory[c.CPU]
		switch {
		case !known:
			c.add("cpu", c.CPU, "is not a size that Fargate has", fmt.Sprintf("use one of %v", slices.Sorted(maps.Keys(fargateMemory))))
		case c.CPU == 256 && c.Memory == 512:
		case c.Memory < sizes.from || c.Memory > sizes.to || (c.Memory-sizes.from)%sizes.step != 0:
			least := ""
			if c.CPU == 256 {
				least = "512, or "
			}
			c.add("memory", c.Memory, fmt.Sprintf("is not a size that Fargate has with cpu %d", c.CPU),
				fmt.Sprintf("use %s%d to %d in steps of %d", least, sizes.from, sizes.to, sizes.step))
		}
	case EC2:
		// ECS developer guide, "Task definition parameters": 128 to 10,240 CPU units, and Docker needs 6 MiB.
		if c.CPU < 128 || c.CPU > 10240 {
			c.add("cpu", c.CPU, "is not a size that a task on an instance can have", "use 128 to 10240")
		}
		if c.Memory < 64 || c.Memory > 1<<20 {
			c.add("memory", c.Memory, "is not a size that a task on an instance can have", "use 64 to 1048576")
		}
	}
	if c.Count.Min < 1 || c.Count.Min > maxTasks {
		c.add("count.min", c.Count.Min, "is not a valid number of tasks", fmt.Sprintf("use 1 to %d", maxTasks))
	} else if c.Count.Max < c.Count.Min || c.Count.Max > maxTasks {
		c.add("count.max", c.Count.Max, fmt.Sprintf("is not between min (%d) and %d", c.Count.Min, maxTasks), "raise it, or lower min")
	}
}

func (c check) variables() {
	for _, variable := range slices.Sorted(maps.Keys(c.Environment)) {
		c.variable("environment."+variable, variable, c.Environment[variable])
		if secretVariable.MatchString(variable) {
			c.add("environment."+variable, problem.Literal(problem.Hidden), "has the name of a secret, and environment is readable in the state and on AWS",
				"store the value in SSM or Secrets Manager and name it under secrets")
		}
	}
	for _, variable := range slices.Sorted(maps.Keys(c.Secrets)) {
		at, value := "secrets."+variable, c.Secrets[variable]
		c.variable(at, variable, value)
		if _, twice := c.Environment[variable]; twice {
			c.add(at, value, "is in environment too", "remove one")
		}
		parameter, isParameter := strings.CutPrefix(value, inSSM)
		secret, isSecret := strings.CutPrefix(value, inSecretsManager)
		switch {
		case isParameter && parameterName.MatchString(parameter), isSecret && secretName.MatchString(secret):
		case isParameter:
			c.add(at, value, "is not the name of a parameter", "write it like ssm:/cinema/dev/token")
		case isSecret:
			c.add(at, value, "is not the name of a secret", "write it like secretsmanager:cinema/dev/token")
		default:
			// It may be the secret itself.
			c.add(at, problem.Literal(problem.Hidden), "does not say where the secret is",
				"write ssm: and the name of a parameter, or secretsmanager: and the name of a secret; no value belongs in config")
		}
	}
}

// reserved are the variables that the stack sets.
var reserved = []string{contract.EnvPort, contract.EnvRegion, contract.EnvCredentialsURI, contract.EnvImagesBucket}

func (c check) variable(field, variable, value string) {
	switch {
	case !variableName.MatchString(variable):
		c.add(field, value, "has a name that no environment variable can have", "use letters, digits and _")
	case slices.Contains(reserved, variable), strings.HasPrefix(variable, "AWS_"), strings.HasPrefix(variable, "ECS_"):
		c.add(field, value, "is a variable that the stack or AWS sets", "use another name")
	}
}

// imagesPrefix stands for the images bucket in config, and readable are the prefixes of keys in it.
const imagesPrefix = "images/"

var readable = []string{imagesPrefix + contract.OriginalsPrefix, imagesPrefix + contract.ThumbnailsPrefix}

func (c check) permissions() {
	for i, prefix := range c.Permissions.Read {
		at := fmt.Sprintf("permissions.read[%d]", i)
		switch {
		case !slices.ContainsFunc(readable, func(r string) bool { return strings.HasPrefix(prefix, r) && strings.HasSuffix(prefix, "/") }) ||
			strings.ContainsAny(prefix, "*?$"):
			c.add(at, prefix, "is not a prefix of the images bucket", "write one that begins with "+strings.Join(readable, " or ")+" and ends with a slash")
		case slices.Contains(c.Permissions.Read[:i], prefix):
			c.add(at, prefix, "appears twice", "remove one")
		}
	}
}

// checkRoutes refuses rules that several services, or a service and the API, would share.
func (s Services) checkRoutes(l *problem.List, domain edge.DomainSettings) {
	type rule struct{ field, value string }
	taken := map[int]rule{}
	for i, h := range domain.Hosts {
		this := rule{fmt.Sprintf("domain.hosts[%d].name", i), h.Name}
		// Both count: while the first service comes or the last one goes, one rule takes its priority while another has its former.
		for _, priority := range []int{h.Priority(), h.PriorityBehind()} {
			if other, clash := taken[priority]; clash && other != this && s.On() {
				l.Add(this.field, this.value, fmt.Sprintf("has the rule priority of %s, %d", other.field, priority), "rename one of them")
			}
			taken[priority] = this
		}
	}
	var before []rule
	hosts := len(domain.Hosts)
	for _, name := range s.Names() {
		service := s[name]
		this, priority := rule{"services." + name + ".path", service.Path}, edge.PathPriority(service.Path)
		if service.Host != "" {
			this, priority = rule{"services." + name + ".host", service.Host}, edge.HostPriority(service.Host)
			hosts++
		}
		if this.value == "" || l.Has(this.field) {
			continue
		}
		i := slices.IndexFunc(before, func(r rule) bool {
			return r.value == this.value || covers(r.value, this.value) || covers(this.value, r.value)
		})
		switch other, clash := taken[priority]; {
		case i >= 0 && before[i].value == this.value:
			l.Add(this.field, this.value, "is the rule of "+before[i].field+" too", "give each service its own")
		case i >= 0:
			l.Add(this.field, this.value, fmt.Sprintf("has paths in common with %s, %s", before[i].field, before[i].value), "use patterns of which none covers another")
		case clash:
			l.Add(this.field, this.value, fmt.Sprintf("has the rule priority of %s, %d", other.field, priority), "rename one of them")
		}
		taken[priority] = this
		before = append(before, this)
	}
	if domain.On() && hosts > edge.MaxHosts {
		l.Add("services", problem.Literal(fmt.Sprint(hosts)), "is the number of host names of the stack, more than one certificate can have",
			fmt.Sprintf("use up to %d in domain.hosts and services together, or paths", edge.MaxHosts))
	}
	if paths := len(slices.DeleteFunc(before, func(r rule) bool { return !strings.HasPrefix(r.value, "/") })); paths > edge.MaxPaths {
		l.Add("services", problem.Literal(fmt.Sprint(paths)), "is the number of services with a path, more than one distribution can have",
			fmt.Sprintf("use up to %d", edge.MaxPaths))
	}
}

// covers reports whether every path of pattern b is one of pattern a.
func covers(a, b string) bool {
	prefix, isPath := strings.CutSuffix(a, "*")
	return isPath && strings.HasPrefix(b, prefix)
}

// Check adds a problem for each invalid setting of the capacity.
func (s Settings) Check(l *problem.List) {
	switch s.Capacity {
	case Fargate:
	case EC2:
		compute.CheckInstanceType(l, "containers.instanceType", s.InstanceType, s.Architecture)
		if s.MaxSize < 1 || s.MaxSize > maxHosts {
			l.Add("containers.maxSize", s.MaxSize, "is not a valid group size", fmt.Sprintf("use 1 to %d", maxHosts))
		}
	default:
		l.Add("containers.capacity", string(s.Capacity), "is not a capacity", "use fargate or ec2")
	}
}
