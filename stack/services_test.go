package stack

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"cinema-database/app/contract"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

// twoServices gives a stack the service demo by path and the service preview by host.
func twoServices() map[string]string {
	return map[string]string{
		"cinema:domain": `{"zone":"cinema.example.com","createZone":true,"hosts":[{"name":"films.cinema.example.com","service":"api"}]}`,
		"cinema:services": `{
			"demo": {"image": "v1", "path": "/demo/*", "environment": {"LOG_LEVEL": "debug"}},
			"preview": {
				"image": "v1", "host": "preview.cinema.example.com", "cpu": 512, "memory": 1024, "count": {"min": 1, "max": 2},
				"secrets": {"TOKEN": "ssm:/cinema/token", "KEY": "secretsmanager:cinema/key"},
				"permissions": {"database": true, "read": ["images/orig/", "images/thumb/"]}
			}
		}`,
	}
}

// with is twoServices with a replaced text.
func with(old, replacement string) map[string]string {
	changed := twoServices()
	changed["cinema:services"] = strings.ReplaceAll(changed["cinema:services"], old, replacement)
	return changed
}

const (
	definitionType = "aws:ecs/taskDefinition:TaskDefinition"
	serviceType    = "aws:ecs/service:Service"
	repositoryType = "aws:ecr/repository:Repository"
)

// Nothing of a stack without services depends on them: the goldens have no service, and an empty map is none.
func TestNoServices(t *testing.T) {
	for _, name := range stacks {
		without := planned(t, name, nil)
		assert.Equal(t, without.Plan(), planned(t, name, map[string]string{"cinema:services": "{}"}).Plan(), name)
		for _, r := range without.Resources {
			assert.NotRegexp(t, `^aws:(ecs|ecr|appautoscaling)/`, r.Type, name)
		}
	}
}

func TestServicesOfASandbox(t *testing.T) {
	ctx := t.Context()
	s, out := open(t, sandbox.Options{Config: twoServices(), Quick: true, BadImages: []string{"bad"}})
	up, err := s.Up(ctx)
	require.NoError(t, err)
	assert.Contains(t, up.Outputs, "cluster")
	unchanged := func() {
		t.Helper()
		_, err := s.Preview(ctx, true)
		require.NoError(t, err, "no changes remain")
	}
	unchanged()
	_, err = s.Refresh(ctx)
	require.NoError(t, err)
	unchanged()
	set := func(config map[string]string) {
		t.Helper()
		require.NoError(t, s.SetConfig(config))
	}

	// A new image rolls out, and changes nothing else.
	set(with(`"image": "v1", "path"`, `"image": "v2", "path"`))
	up, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, []string{"containers-demo", "services-demo-gate"}, changed(up))
	assert.Contains(t, running(t, s, "demo"), `:v2"`)

	// A bad one goes back.
	set(with(`"image": "v1", "path"`, `"image": "bad", "path"`))
	out.Reset()
	_, err = s.Up(ctx)
	require.Error(t, err)
	assert.Contains(t, out.String(), "tasks stopped")
	assert.Contains(t, out.String(), "v2")
	assert.Contains(t, running(t, s, "demo"), `:v2"`, "the former image serves")
	assert.Contains(t, running(t, s, "preview"), `:v1"`)

	set(with(`"image": "v1", "path"`, `"image": "v3", "path"`))
	_, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Contains(t, running(t, s, "demo"), `:v3"`)
	unchanged()

	// Every other change works on the live stack.
	for _, change := range []map[string]string{
		with(`"path": "/demo/*"`, `"path": "/demo/*", "port": 9090`),
		with(`"path": "/demo/*"`, `"path": "/other/*"`),
		with(`"path": "/demo/*"`, `"host": "demo.cinema.example.com"`),
		with(`"path": "/demo/*"`, `"path": "/demo/*", "count": {"min": 3, "max": 9}, "healthPath": "/", "cpu": 1024, "memory": 2048`),
		with(`"image": "v1", "path"`, `"image": "public.ecr.aws/nginx/nginx:1.29-alpine", "path"`),
		with(`"image": "v1", "path"`, `"image": "sha256:`+strings.Repeat("ab", 32)+`", "path"`),
		{"cinema:containers": `{"capacity":"ec2"}`},
		{"cinema:containers": `{"capacity":"ec2","instanceType":"t4g.medium","maxSize":2}`},
		{"cinema:containers": `{}`},
		{"cinema:natGateways": "none"},
		{"cinema:natGateways": "single"},
		{"cinema:edge": "none"},
		{"cinema:edge": "cloudfront"},
	} {
		set(change)
		_, err = s.Up(ctx)
		require.NoError(t, err, change)
		unchanged()
	}

	// One service leaves, then the other.
	set(map[string]string{"cinema:services": `{"demo": {"image": "v1", "path": "/demo/*"}}`})
	_, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, count(s, serviceType))
	assert.Equal(t, 1, count(s, repositoryType))
	set(map[string]string{"cinema:services": `{}`})
	_, err = s.Up(ctx)
	require.NoError(t, err)
	unchanged()
	assert.Zero(t, count(s, serviceType)+count(s, repositoryType)+count(s, definitionType))
	_, err = s.Destroy(ctx)
	require.NoError(t, err)
	assert.Empty(t, s.Account().Resources())
}

// running returns the container that the tasks of a service run, once they all do.
func running(t *testing.T, s *sandbox.Session, service string) string {
	t.Helper()
	var in ecs.DescribeServicesInput
	for _, r := range s.Account().Resources() {
		if r.Type == serviceType && strings.HasSuffix(r.URN, "::services-"+service) {
			in.Cluster, in.Services = aws.String(r.State["cluster"].StringValue()), []string{r.State["name"].StringValue()}
		}
	}
	answer, err := s.Account().ECS().DescribeServices(t.Context(), &in)
	require.NoError(t, err)
	require.Len(t, answer.Services, 1)
	require.Len(t, answer.Services[0].Deployments, 1)
	for _, r := range s.Account().Resources() {
		if r.Type == definitionType && r.State["arn"].StringValue() == aws.ToString(answer.Services[0].TaskDefinition) {
			return r.State["containerDefinitions"].StringValue()
		}
	}
	t.Fatalf("the definition of %s is gone", service)
	return ""
}

func count(s *sandbox.Session, typ string) (n int) {
	for _, r := range s.Account().Resources() {
		if r.Type == typ {
			n++
		}
	}
	return n
}

// A service whose image is not in its repository yet does not start, and holds nothing else up. Once it runs, a missing
// image is refused before anything changes.
func TestAServiceWithoutAnImage(t *testing.T) {
	ctx := t.Context()
	s, out := open(t, sandbox.Options{Config: twoServices(), Quick: true, MissingImages: []string{"v1"}})
	_, err := s.Up(ctx)
	require.NoError(t, err)
	assert.Contains(t, out.String(), "services.demo: image v1 is not in its repository yet, so the service does not start")
	assert.Contains(t, out.String(), "go run ./app/cmd/image push --stack dev --service demo --tag v1")
	assert.Equal(t, 2, count(s, repositoryType))
	assert.Zero(t, count(s, serviceType))
	_, err = s.Preview(ctx, true)
	require.NoError(t, err)

	require.NoError(t, s.SetConfig(with(`"v1"`, `"v2"`)))
	_, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, count(s, serviceType))

	// From another registry the way back is open: the repository stays.
	require.NoError(t, s.SetConfig(with(`"v1"`, `"public.ecr.aws/nginx/nginx:1.29-alpine"`)))
	_, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, count(s, repositoryType))

	require.NoError(t, s.SetConfig(twoServices()))
	out.Reset()
	_, err = s.Preview(ctx, false)
	require.Error(t, err)
	assert.Contains(t, out.String(), `cinema:services.demo.image: "v1" is not in the repository cinema-dev-containers-demo-`)
	assert.Contains(t, out.String(), `cinema:services.preview.image: "v1" is not in the repository`)
}

func TestServicesHavePlansThatAreTheSameEverywhere(t *testing.T) {
	first := planned(t, "dev", twoServices()).Plan()
	for range 10 {
		require.Equal(t, first, planned(t, "dev", twoServices()).Plan())
	}
	assert.Equal(t, planned(t, "dev", twoServices()).Inventory(), planned(t, "dev", twoServices(), pulumitest.Preview()).Inventory())
	pulumitest.Golden(t, "stack/testdata/inventory.services.golden", planned(t, "dev", twoServices()).Inventory())
}

// A service changes nothing of another one.
func TestAServiceIsIndependentOfTheOthers(t *testing.T) {
	own := func(config map[string]string) (plan []string) {
		for _, line := range strings.Split(planned(t, "dev", config).Plan(), "\n") {
			if strings.Contains(line, "-demo") && (strings.HasPrefix(line, "urn:") || strings.HasPrefix(line, "  input ")) {
				plan = append(plan, line)
			}
		}
		return plan
	}
	both, alone := twoServices(), twoServices()
	alone["cinema:services"] = `{"demo": {"image": "v1", "path": "/demo/*", "environment": {"LOG_LEVEL": "debug"}}}`
	assert.NotEmpty(t, own(both))
	assert.Equal(t, own(alone), own(both))
}

// The example of README is a service that the stack runs.
func TestTheExampleOfREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	block := regexp.MustCompile(`(?m)^    cinema:services:\n(     .*\n)+`).Find(readme)
	var config struct {
		Services map[string]any `yaml:"cinema:services"`
	}
	require.NoError(t, yaml.Unmarshal(block, &config))
	text, err := json.Marshal(config.Services)
	require.NoError(t, err)
	r := planned(t, "dev", map[string]string{
		"cinema:services": string(text),
		"cinema:domain":   `{"zone":"example.com","createZone":true,"hosts":[{"name":"films.example.com","service":"api"}]}`,
	})
	require.Len(t, r.ByType(definitionType), 1)
	definition := r.ByType(definitionType)[0].Text("containerDefinitions")
	for _, variable := range []string{contract.EnvPort, contract.EnvRegion, contract.EnvCredentialsURI, contract.EnvImagesBucket} {
		assert.Contains(t, definition, `"name":"`+variable+`"`, "the API needs it")
	}
}
