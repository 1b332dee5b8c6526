package release

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/cli"
	"cinema-database/internal/rollout"
)

// fields is an object of JSON.
type fields = map[string]any

// containers answers as ECS does. Each request for a service returns its next state; the last one repeats.
type containers struct {
	services map[string][]fields // by physical name
	// after has the states from the time that a deployment is stopped.
	after  map[string][]fields
	tasks  []fields
	refuse string // operation that is denied
	// deployments are those that ListServiceDeployments returns.
	deployments []fields
	stopped     []string
}

// outputs are the stack's outputs about services demo and shop, in JSON.
func (c *containers) outputs() string {
	if c == nil {
		return ""
	}
	return `,"cluster":"cluster-1","services":{"demo":{"service":"demo-1","image":"registry/demo:v7"},"shop":{"service":"shop-1","image":"registry/shop:v7"}}`
}

func (c *containers) serve(w http.ResponseWriter, r *http.Request, operation string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if operation == c.refuse {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"not allowed"}`)
		return
	}
	var in struct {
		Cluster, Service, ServiceName, TaskDefinition, ServiceDeploymentArn, StopType, DesiredStatus string
		Services, Status                                                                             []string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(err)
	}
	answer := fields{}
	switch operation {
	case "DescribeServices":
		states := c.services[in.Services[0]]
		if len(states) == 0 || in.Cluster != "cluster-1" {
			answer["failures"] = []fields{{"arn": in.Services[0], "reason": "MISSING"}}
			break
		}
		answer["services"] = states[:1]
		if len(states) > 1 {
			c.services[in.Services[0]] = states[1:]
		}
	case "DescribeTaskDefinition":
		family, revision, _ := strings.Cut(in.TaskDefinition, ":")
		answer["taskDefinition"] = fields{"containerDefinitions": []fields{{"name": "sidecar", "image": "other"}, {"name": family, "image": "registry/" + family + ":v" + revision,
			"logConfiguration": fields{"logDriver": "awslogs", "options": fields{"awslogs-group": "logs-of-" + family}}}}}
	case "ListTasks":
		var arns []string
		for i := range c.tasks {
			arns = append(arns, fmt.Sprint(i))
		}
		answer["taskArns"] = arns
	case "DescribeTasks":
		answer["tasks"] = c.tasks
	case "ListServiceDeployments":
		if in.Cluster != "cluster-1" || fmt.Sprint(in.Status) != "[PENDING IN_PROGRESS]" {
			panic(fmt.Sprint(in))
		}
		answer["serviceDeployments"] = c.deployments
	case "StopServiceDeployment":
		c.stopped = append(c.stopped, in.StopType+" "+in.ServiceDeploymentArn)
		for name, states := range c.after {
			c.services[name] = states
		}
		answer["serviceDeploymentArn"] = in.ServiceDeploymentArn
	default:
		http.Error(w, operation, http.StatusNotImplemented)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// deployment is a deployment of the definition NAME:REVISION, of which two tasks are wanted.
func deployment(id int, definition, status, state string, running int, reason string) fields {
	return fields{"id": fmt.Sprintf("ecs-svc/%d", id), "taskDefinition": definition, "status": status, "rolloutState": state, "desiredCount": 2,
		"runningCount": running, "pendingCount": 2 - running, "rolloutStateReason": reason, "createdAt": 1000 + 600*id}
}

func service(deployments ...fields) fields {
	return fields{"status": "ACTIVE", "deployments": deployments}
}

// good is the state of a service that runs revision 7.
func good(name string) []fields {
	return []fields{service(deployment(2, name+":7", "PRIMARY", "COMPLETED", 2, ""))}
}

func runContainers(t *testing.T, c *containers, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return runRelease(t, &account{instances: healthy("3"), containers: c}, args...)
}

func TestStatusShowsTheServices(t *testing.T) {
	code, out, errs := runContainers(t, &containers{services: map[string][]fields{"shop-1": good("shop"), "demo-1": append([]fields{
		service(deployment(2, "demo:7", "PRIMARY", "IN_PROGRESS", 1, ""), deployment(1, "demo:6", "ACTIVE", "COMPLETED", 2, ""))}, good("demo")...)}}, "status")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Contains(t, out, `is on all 2 instances of api-group-1 (template version 3)
service demo: definition demo:7 is being deployed: 1 of 2 tasks run, 1 starts, 2 of earlier deployments run
services of cluster-1:
  SERVICE  IMAGE             DEFINITION  TASKS   DEPLOYMENT
  demo     registry/demo:v7  7           2 of 2  COMPLETED
  shop     registry/shop:v7  7           2 of 2  COMPLETED
`)
}

func TestStatusOfAServiceThatDoesNotRunItsImage(t *testing.T) {
	tasks := []fields{
		{"startedBy": "ecs-svc/2", "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited", "containers": []fields{{"name": "demo", "exitCode": 1}}},
		{"startedBy": "ecs-svc/2", "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited", "containers": []fields{{"name": "demo", "exitCode": 1}}},
		{"startedBy": "ecs-svc/1", "stopCode": "TaskFailedToStart", "stoppedReason": "long ago"},
	}
	failedEvent := fields{"createdAt": 2740, "message": "(service demo-1) (deployment ecs-svc/2) deployment failed: tasks failed to start."}
	backEvent := fields{"createdAt": 2741, "message": "(service demo-1) rolling back to deployment ecs-svc/1."}
	wentBack := service(deployment(3, "demo:6", "PRIMARY", "COMPLETED", 2, ""))
	wentBack["events"] = []fields{{"createdAt": 2900, "message": "(service demo-1) has reached a steady state."}, backEvent, failedEvent}
	corrected := service(deployment(7, "demo:7", "PRIMARY", "COMPLETED", 2, ""))
	corrected["events"] = wentBack["events"]
	const logs = "demo: aws logs tail logs-of-demo --region eu-west-1 --since 1h shows what the containers write\n"
	for name, c := range map[string]struct {
		states []fields
		out    string
		err    string
	}{
		"taken back": {[]fields{wentBack}, "demo     registry/demo:v6  6           2 of 2  COMPLETED\n  shop     registry/shop:v7  7           2 of 2  COMPLETED\n" +
			"demo: the deployment of 1970-01-01 00:45 failed: tasks failed to start\ndemo: 2 tasks stopped: demo exited with 1\n" + logs,
			"service demo: ECS took back the latest deployment: tasks failed to start. Correct the image or the config and run `pulumi up --stack dev`"},
		"first failed": {[]fields{service(deployment(2, "demo:7", "PRIMARY", "FAILED", 0, "tasks failed to start"))}, "demo: 2 tasks stopped: demo exited with 1\n" + logs,
			"service demo: the deployment failed: tasks failed to start"},
		"never ends": {[]fields{service(deployment(2, "demo:7", "PRIMARY", "IN_PROGRESS", 1, ""))}, "demo: 2 tasks stopped: demo exited with 1\n" + logs,
			"service demo: the deployment has not ended within 45m0s (1 of 2 tasks run, 1 starts) and continues: run this command again, or `go run . release rollback --stack dev --service demo`"},
		"a task is missing": {[]fields{service(deployment(2, "demo:7", "PRIMARY", "COMPLETED", 1, ""))}, "1 of 2  COMPLETED", "service demo: 1 of 2 tasks run, 1 starts"},
		"other image": {[]fields{service(deployment(2, "demo:5", "PRIMARY", "COMPLETED", 2, ""))}, "registry/demo:v5  5",
			"service demo: it runs registry/demo:v5, but the image of stack dev is registry/demo:v7"},
		"missing":   {nil, "  shop     registry/shop:v7", "service demo: cluster cluster-1 has no service demo-1 (MISSING)"},
		"corrected": {[]fields{corrected}, "  demo     registry/demo:v7  7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := runContainers(t, &containers{tasks: tasks, services: map[string][]fields{"shop-1": good("shop"), "demo-1": c.states}}, "status")
			assert.Contains(t, out, c.out)
			assert.Contains(t, out, "release cccccccccccc is on all 2 instances", "the API's release is followed all the same")
			assert.NotContains(t, out, "long ago")
			if c.err == "" {
				assert.Equal(t, cli.ExitOK, code, errs)
				assert.NotContains(t, out, "failed")
				return
			}
			assert.Equal(t, cli.ExitFailed, code)
			assert.Contains(t, errs, c.err)
			assert.NotContains(t, errs, "shop")
		})
	}
}

func TestStatusForACallerWhoMayNotReadDefinitions(t *testing.T) {
	code, out, errs := runContainers(t, &containers{refuse: "DescribeTaskDefinition", services: map[string][]fields{"shop-1": good("shop"), "demo-1": good("demo")}}, "status")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Contains(t, out, "demo     registry/demo:v7  7", "the image of the stack's outputs")
}

func TestRollbackTakesBackADeployment(t *testing.T) {
	active := service(deployment(2, "demo:7", "PRIMARY", "IN_PROGRESS", 1, ""), deployment(1, "demo:6", "ACTIVE", "COMPLETED", 2, ""))
	back := service(deployment(3, "demo:6", "PRIMARY", "IN_PROGRESS", 1, "Service deployment stopped: rolling back to deploymentId ecs-svc/1."), deployment(2, "demo:7", "ACTIVE", "IN_PROGRESS", 1, ""))
	was := service(deployment(3, "demo:6", "PRIMARY", "COMPLETED", 2, ""))
	one := []fields{{"serviceDeploymentArn": "arn:sd-2", "status": "IN_PROGRESS"}}
	rollback := func(c *containers, first ...fields) (int, string, string) {
		c.services = map[string][]fields{"demo-1": first}
		return runContainers(t, c, "rollback", "--service", "demo")
	}

	c := &containers{deployments: one, after: map[string][]fields{"demo-1": {active, back, was}}}
	code, out, errs := rollback(c, active)
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Equal(t, []string{"ROLLBACK arn:sd-2"}, c.stopped)
	assert.Equal(t, `service demo: ECS takes back the deployment
service demo: definition demo:7 is being deployed: 1 of 2 tasks run, 1 starts, 2 of earlier deployments run
service demo: goes back to definition demo:6: 1 of 2 tasks run, 1 starts, 1 of earlier deployments run
service demo: registry/demo:v6 serves again, until a pulumi up changes the service: 2 of 2 tasks run
`, out)

	c = &containers{}
	code, _, errs = rollback(c, back, was)
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Empty(t, c.stopped, "ECS takes it back already")

	c = &containers{}
	code, _, errs = rollback(c, good("demo")...)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Empty(t, c.stopped)
	assert.Contains(t, errs, "service demo: no deployment is in progress (COMPLETED, 2 of 2 tasks run), and ECS cannot take back one that has ended. "+
		"Set services.demo.image of the stack's config to the former image and run `pulumi up --stack dev`")

	failed := service(deployment(2, "demo:7", "PRIMARY", "FAILED", 0, "stopped"))
	code, _, errs = rollback(&containers{deployments: one, after: map[string][]fields{"demo-1": {failed}}}, active)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "service demo: the rollback failed (stopped): 0 of 2 tasks run, 2 start")

	code, _, errs = rollback(&containers{deployments: one, after: map[string][]fields{"demo-1": {back}}}, active)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "service demo: the rollback has not ended within 45m0s (1 of 2 tasks run, 1 starts, 1 of earlier deployments run) and continues")

	code, _, errs = rollback(&containers{deployments: one, refuse: "StopServiceDeployment"}, active)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "service demo: take back the deployment: ")
	assert.Contains(t, errs, "AccessDeniedException")

	code, _, errs = rollback(&containers{refuse: "ListServiceDeployments"}, active)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "service demo: list deployments: ")

	code, _, errs = rollback(&containers{}, active)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "service demo: no deployment is listed that can be taken back; `go run . release status --stack dev` shows the state")

	code, _, errs = runContainers(t, &containers{}, "rollback", "--service", "demos")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "flag --service demos: not a service of stack dev; its services: demo, shop")
	code, _, errs = runContainers(t, nil, "rollback", "--service", "demo")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "flag --service demo: not a service of stack dev; its services: none")
}

func TestServicesWithoutACluster(t *testing.T) {
	installCLI(t, `{"region":"eu-west-1","apiGroup":"g","artifactsBucket":"b","releases":{"cinema":"c"},"services":{"demo":{"service":"demo-1"}}}`)
	var out, errs strings.Builder
	require.Equal(t, cli.ExitFailed, run(t.Context(), []string{"status"}, &out, &errs, &rollout.SimulatedClock{}))
	assert.Contains(t, errs.String(), "stack dev has no output cluster; run `pulumi up --stack dev` first")
}
