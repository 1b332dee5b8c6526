package stack

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestServicesEndToEnd runs two services, one by path and one by host, with the real engine, the real AWS provider and an AWS
// emulator: they start once their images are pushed, take a new image, give back a bad one, and leave.
func TestServicesEndToEnd(t *testing.T) {
	if *endToEnd == "" {
		t.Skip("takes minutes and needs the emulator: .ci/run sets -e2e")
	}
	t.Setenv("E2E_ECS_STEPS", "3") // a client asks every ten seconds
	e := startEmulated(t)
	e.build()
	// .ci/run asks of each logged call whether the deploy role may make it, so the roles need its boundary.
	e.pulumi("config", "set", "--path", "cinema:deployer.github", "example/cinema-database")
	e.pulumi("config", "set", "--path", "cinema:alarms.email", "ops@example.com")
	e.pulumi("config", "set", "--path", "cinema:domain.zone", "cinema.example.com")
	e.pulumi("config", "set", "--path", "cinema:domain.createZone", "true")
	e.pulumi("config", "set", "--path", "cinema:domain.hosts[0].name", "films.cinema.example.com")
	e.pulumi("config", "set", "--path", "cinema:domain.hosts[0].service", "api")
	e.pulumi("config", "set", "--path", "cinema:services.demo.image", "--type", "string", "v1")
	e.pulumi("config", "set", "--path", "cinema:services.demo.path", "/demo/*")
	e.pulumi("config", "set", "--path", "cinema:services.preview.image", "v1")
	e.pulumi("config", "set", "--path", "cinema:services.preview.host", "preview.cinema.example.com")
	e.pulumi("config", "set", "--path", "cinema:services.preview.permissions.database", "true")

	output := string(e.pulumi("up", "--yes", "--skip-preview"))
	assert.Contains(t, output, "services.demo: image v1 is not in its repository yet, so the service does not start")
	e.push("demo", "v1")
	e.push("preview", "v1")
	output = string(e.pulumi("up", "--yes", "--skip-preview"))
	assert.Regexp(t, `service \S*demo\S*: .*2 of 2`, output)
	e.pulumi("preview", "--expect-no-changes")
	e.pulumi("refresh", "--yes", "--skip-preview")
	e.pulumi("preview", "--expect-no-changes")
	assert.Equal(t, map[string]string{"demo": "v1", "preview": "v1"}, e.running())
	assert.Equal(t, 2, e.targets("demo"), "the tasks are targets of the load balancer")
	code, output := e.releaseStatus()
	assert.Equal(t, 0, code, output)
	assert.Contains(t, output, "demo")
	if calls := os.Getenv("E2E_CALLS"); calls != "" {
		require.NoError(t, os.WriteFile(calls+".state.json", e.run(e.tool, "export"), 0o600))
	}

	// A new image replaces the tasks of its service.
	e.push("demo", "v2")
	e.pulumi("config", "set", "--path", "cinema:services.demo.image", "v2")
	assert.Equal(t, []string{"containers-demo", "services-demo-gate"}, e.changed())
	e.pulumi("up", "--yes", "--skip-preview")
	assert.Equal(t, map[string]string{"demo": "v2", "preview": "v1"}, e.running())

	// An image that is not there is refused before anything changes.
	e.pulumi("config", "set", "--path", "cinema:services.demo.image", "v3")
	assert.Contains(t, e.refused("preview"), `cinema:services.demo.image: "v3" is not in the repository`)

	// A bad image goes back, and the next one succeeds, with another port.
	e.push("demo", "v3")
	e.run(e.tool, "unhealthy", "demo:v3")
	output = e.refused("up", "--yes", "--skip-preview")
	assert.Contains(t, output, "ECS deployment circuit breaker")
	assert.Contains(t, output, "health check")
	assert.Equal(t, map[string]string{"demo": "v2", "preview": "v1"}, e.running())
	e.push("demo", "v4")
	e.pulumi("config", "set", "--path", "cinema:services.demo.image", "v4")
	e.pulumi("config", "set", "--path", "cinema:services.demo.port", "9090")
	e.pulumi("up", "--yes", "--skip-preview")
	assert.Equal(t, map[string]string{"demo": "v4", "preview": "v1"}, e.running())
	assert.Equal(t, 2, e.targets("demo"))
	e.pulumi("preview", "--expect-no-changes")

	e.pulumi("config", "rm", "--path", "cinema:services.demo")
	e.pulumi("up", "--yes", "--skip-preview")
	e.pulumi("preview", "--expect-no-changes")
	assert.Equal(t, map[string]string{"preview": "v1"}, e.running())
	e.pulumi("destroy", "--yes", "--skip-preview")
}

// push puts an image with a tag into the repository of a service.
func (e *emulated) push(service, tag string) {
	e.t.Helper()
	var repositories map[string]string
	require.NoError(e.t, json.Unmarshal(e.pulumi("stack", "output", "--json", "repositories"), &repositories))
	_, repository, _ := strings.Cut(repositories[service], "/")
	manifest := fmt.Sprintf(`{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "annotations": {"tag": %q},
		"config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": "sha256:%064d"}, "layers": []}`, service+tag, 1)
	e.run(e.tool, "aws", "ecr", "put-image", "--repository-name", repository, "--image-tag", tag, "--image-manifest", manifest,
		"--image-manifest-media-type", "application/vnd.oci.image.manifest.v1+json")
}

// services are the stack's, from its outputs.
func (e *emulated) services() (cluster string, names map[string]string) {
	e.t.Helper()
	cluster = strings.TrimSpace(string(e.pulumi("stack", "output", "cluster")))
	var services map[string]struct{ Service string }
	require.NoError(e.t, json.Unmarshal(e.pulumi("stack", "output", "--json", "services"), &services))
	names = map[string]string{}
	for name, s := range services {
		names[name] = s.Service
	}
	return cluster, names
}

// running returns the tag that all tasks of each service run.
func (e *emulated) running() map[string]string {
	e.t.Helper()
	tags := map[string]string{}
	cluster, names := e.services()
	for name, service := range names {
		var listed struct{ TaskArns []string }
		require.NoError(e.t, json.Unmarshal(e.run(e.tool, "aws", "ecs", "list-tasks", "--cluster", cluster, "--service-name", service), &listed))
		require.NotEmpty(e.t, listed.TaskArns, name)
		var described struct {
			Tasks []struct{ Containers []struct{ Image string } }
		}
		require.NoError(e.t, json.Unmarshal(e.run(e.tool, append([]string{"aws", "ecs", "describe-tasks", "--cluster", cluster, "--tasks"}, listed.TaskArns...)...), &described))
		for _, task := range described.Tasks {
			image := task.Containers[0].Image
			tag := image[strings.LastIndex(image, ":")+1:]
			require.Contains(e.t, []string{"", tag}, tags[name], "%s: all tasks run one image", name)
			tags[name] = tag
		}
	}
	return tags
}

// targets is how many healthy targets a service's target group has.
func (e *emulated) targets(service string) (healthy int) {
	e.t.Helper()
	cluster, names := e.services()
	var described struct {
		Services []struct {
			LoadBalancers []struct{ TargetGroupArn string }
		}
	}
	require.NoError(e.t, json.Unmarshal(e.run(e.tool, "aws", "ecs", "describe-services", "--cluster", cluster, "--services", names[service]), &described))
	var health struct {
		TargetHealthDescriptions []struct{ TargetHealth struct{ State string } }
	}
	group := described.Services[0].LoadBalancers[0].TargetGroupArn
	require.NoError(e.t, json.Unmarshal(e.run(e.tool, "aws", "elbv2", "describe-target-health", "--target-group-arn", group), &health))
	for _, target := range health.TargetHealthDescriptions {
		if target.TargetHealth.State == "healthy" {
			healthy++
		}
	}
	return healthy
}
