package rollout_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/rollout"
)

const (
	oldDefinition = "arn:aws:ecs:us-east-1:123456789012:task-definition/demo:6"
	newDefinition = "arn:aws:ecs:us-east-1:123456789012:task-definition/demo:7"
	targets       = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/demo/0123456789abcdef"
)

// epoch is the time of the simulated clock's zero.
var epoch = time.Time{}.Add(time.Hour)

// fakeECS has one service. Each DescribeServices returns the next state; the last one repeats. UpdateService puts the states
// of after in their place.
type fakeECS struct {
	states, after []types.Service
	missing       bool
	refuse        string // operation that is denied
	updates       []*ecs.UpdateServiceInput
	tasks         []types.Task
	described     int
	next          func() types.Service // where set, instead of states
}

func (f *fakeECS) denied(operation string) error {
	if f.refuse == operation {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: ecs:" + operation}
	}
	return nil
}

func (f *fakeECS) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput, _ ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	if err := f.denied("DescribeServices"); err != nil {
		return nil, err
	}
	if f.missing || *in.Cluster != "containers" || in.Services[0] != "demo-1" {
		return &ecs.DescribeServicesOutput{Failures: []types.Failure{{Arn: aws.String("demo-1"), Reason: aws.String("MISSING")}}}, nil
	}
	f.described++
	if f.next != nil {
		return &ecs.DescribeServicesOutput{Services: []types.Service{f.next()}}, nil
	}
	now := f.states[0]
	if len(f.states) > 1 {
		f.states = f.states[1:]
	}
	return &ecs.DescribeServicesOutput{Services: []types.Service{now}}, nil
}

func (f *fakeECS) UpdateService(_ context.Context, in *ecs.UpdateServiceInput, _ ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error) {
	if err := f.denied("UpdateService"); err != nil {
		return nil, err
	}
	f.updates = append(f.updates, in)
	if f.next != nil {
		now := f.next()
		return &ecs.UpdateServiceOutput{Service: &now}, nil
	}
	f.states = f.after
	return &ecs.UpdateServiceOutput{Service: &f.after[0]}, nil
}

func (f *fakeECS) ListTasks(_ context.Context, in *ecs.ListTasksInput, _ ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	if err := f.denied("ListTasks"); err != nil {
		return nil, err
	}
	if in.DesiredStatus != types.DesiredStatusStopped || *in.ServiceName != "demo-1" {
		return nil, fmt.Errorf("ListTasks of %v %v", in.DesiredStatus, *in.ServiceName)
	}
	first := 0
	if in.NextToken != nil {
		_, _ = fmt.Sscan(*in.NextToken, &first)
	}
	out := &ecs.ListTasksOutput{}
	for i := first; i < len(f.tasks); i++ {
		if len(out.TaskArns) == 2 { // a short page
			out.NextToken = aws.String(fmt.Sprint(i))
			break
		}
		out.TaskArns = append(out.TaskArns, fmt.Sprint(i))
	}
	return out, nil
}

func (f *fakeECS) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput, _ ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	if err := f.denied("DescribeTasks"); err != nil {
		return nil, err
	}
	if len(in.Tasks) > 100 {
		return nil, &smithy.GenericAPIError{Code: "InvalidParameterException", Message: "Tasks cannot have more than 100 elements."}
	}
	out := &ecs.DescribeTasksOutput{}
	for _, arn := range in.Tasks {
		var i int
		_, _ = fmt.Sscan(arn, &i)
		out.Tasks = append(out.Tasks, f.tasks[i])
	}
	return out, nil
}

// deployed is a deployment. definition is the number of the revision.
func deployed(id, definition int, status string, state types.DeploymentRolloutState, running, pending int32, reason string) types.Deployment {
	arn := oldDefinition
	if definition != 6 {
		arn = fmt.Sprintf("arn:aws:ecs:us-east-1:123456789012:task-definition/demo:%d", definition)
	}
	return types.Deployment{
		Id: aws.String(fmt.Sprintf("ecs-svc/%d", id)), TaskDefinition: aws.String(arn), Status: aws.String(status), RolloutState: state, DesiredCount: 2,
		RunningCount: running, PendingCount: pending, RolloutStateReason: aws.String(reason), CreatedAt: aws.Time(epoch.Add(time.Duration(id) * time.Minute)),
	}
}

// behind is a service with deployments whose container serves at a port.
func behind(port int32, deployments ...types.Deployment) types.Service {
	return types.Service{Status: aws.String("ACTIVE"), Deployments: deployments, LoadBalancers: []types.LoadBalancer{
		{TargetGroupArn: aws.String(targets), ContainerName: aws.String("demo"), ContainerPort: aws.Int32(port)},
	}}
}

func serves(deployments ...types.Deployment) types.Service { return behind(8080, deployments...) }

// withEvents adds events, the latest first.
func withEvents(s types.Service, messages ...string) types.Service {
	for _, m := range messages {
		s.Events = append(s.Events, types.ServiceEvent{CreatedAt: aws.Time(epoch.Add(5 * time.Minute)), Message: aws.String("(service demo-1) " + m)})
	}
	return s
}

const (
	running  = types.DeploymentRolloutStateInProgress
	complete = types.DeploymentRolloutStateCompleted
	failed   = types.DeploymentRolloutStateFailed
)

var (
	before    = deployed(1, 6, "PRIMARY", complete, 2, 0, "ECS deployment ecs-svc/1 completed.")
	replaced  = deployed(1, 6, "ACTIVE", complete, 2, 0, "ECS deployment ecs-svc/1 completed.")
	starting  = deployed(2, 7, "PRIMARY", running, 1, 1, "ECS deployment ecs-svc/2 in progress.")
	done      = deployed(2, 7, "PRIMARY", complete, 2, 0, "ECS deployment ecs-svc/2 completed.")
	broken    = deployed(2, 7, "ACTIVE", failed, 0, 0, "ECS deployment circuit breaker: tasks failed to start.")
	goesBack  = deployed(3, 6, "PRIMARY", running, 1, 1, "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.")
	wentBack  = deployed(3, 6, "PRIMARY", complete, 2, 0, "ECS deployment ecs-svc/3 completed.")
	failEvent = "(deployment ecs-svc/2) deployment failed: tasks failed to start."
)

// stopped is a task that a deployment started and that has stopped.
func stopped(id int, code types.TaskStopCode, reason string, exit *int32, why string) types.Task {
	return types.Task{StartedBy: aws.String(fmt.Sprintf("ecs-svc/%d", id)), StopCode: code, StoppedReason: aws.String(reason), Containers: []types.Container{
		{Name: aws.String("demo"), ExitCode: exit, Reason: aws.String(why)},
	}}
}

var target = rollout.ServiceTarget{
	Cluster: "containers", Service: "demo-1", Definition: newDefinition, Targets: targets, Container: "demo", Port: 8080, Image: "registry/demo:v2",
}

// runService brings the target to the service, and returns what was said.
func runService(t *testing.T, f *fakeECS, wait time.Duration, change ...func(*rollout.ServiceTarget)) (string, error) {
	t.Helper()
	var said []string
	r := rollout.Rollout{
		Cloud:    rollout.Cloud{ECS: f, Clock: &rollout.SimulatedClock{}},
		Settings: rollout.Settings{Wait: wait}, Say: func(line string) { said = append(said, line) },
	}
	goal := target
	for _, c := range change {
		c(&goal)
	}
	err := r.RunService(t.Context(), goal)
	return strings.Join(said, "\n"), err
}

const wait = 45 * time.Minute

func TestAServiceGetsANewDefinition(t *testing.T) {
	f := &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{
		serves(deployed(2, 7, "PRIMARY", running, 0, 0, ""), replaced),
		serves(deployed(2, 7, "PRIMARY", running, 0, 2, ""), replaced), serves(starting, replaced), serves(starting, replaced),
		serves(deployed(2, 7, "PRIMARY", running, 2, 0, ""), deployed(1, 6, "ACTIVE", complete, 1, 0, "")),
		serves(deployed(2, 7, "PRIMARY", complete, 1, 1, "")), serves(done),
	}}
	said, err := runService(t, f, wait)
	require.NoError(t, err)
	assert.Equal(t, `service demo: deployment of definition demo:7 (registry/demo:v2) starts
service demo: 0 of 2 tasks run, 2 of earlier deployments run
service demo: 0 of 2 tasks run, 2 start, 2 of earlier deployments run
service demo: 1 of 2 tasks run, 1 starts, 2 of earlier deployments run
service demo: 2 of 2 tasks run, 1 of earlier deployments run
service demo: 1 of 2 tasks run, 1 starts
service demo: 2 of 2 tasks run`, said)
	assert.Equal(t, []*ecs.UpdateServiceInput{{Cluster: aws.String("containers"), Service: aws.String("demo-1"), TaskDefinition: aws.String(newDefinition)}}, f.updates,
		"the load balancer is as it should be")
}

func TestAServiceThatHasTheDefinition(t *testing.T) {
	f := &fakeECS{states: []types.Service{serves(done)}}
	said, err := runService(t, f, wait)
	require.NoError(t, err)
	assert.Equal(t, "service demo: definition demo:7 is deployed\nservice demo: 2 of 2 tasks run", said)
	said, err = runService(t, f, 0)
	require.NoError(t, err)
	assert.Equal(t, "service demo: definition demo:7 is deployed", said)

	f = &fakeECS{states: []types.Service{serves(deployed(2, 7, "PRIMARY", complete, 1, 0, ""))}}
	_, err = runService(t, f, wait)
	require.EqualError(t, err, "service demo: the deployment of definition demo:7 (registry/demo:v2) is complete, but not all tasks run after 45m0s (1 of 2 tasks run). "+
		"Correct the image or the config and run `pulumi up` again")
	assert.Empty(t, f.updates)
}

func TestADeploymentInProgressIsContinued(t *testing.T) {
	f := &fakeECS{states: []types.Service{serves(starting, replaced), serves(done)}}
	said, err := runService(t, f, wait)
	require.NoError(t, err)
	assert.Empty(t, f.updates)
	assert.Contains(t, said, "service demo: continues the deployment of definition demo:7, which is in progress")

	// An operator starts the same definition once more.
	f = &fakeECS{states: []types.Service{serves(starting), serves(deployed(3, 7, "PRIMARY", running, 0, 2, ""), deployed(2, 7, "ACTIVE", running, 1, 0, "")),
		serves(deployed(3, 7, "PRIMARY", complete, 2, 0, ""))}}
	said, err = runService(t, f, wait)
	require.NoError(t, err)
	assert.Contains(t, said, "a later deployment of the same definition replaces this one")
}

func TestAnotherDeploymentInProgressIsSuperseded(t *testing.T) {
	f := &fakeECS{states: []types.Service{serves(deployed(4, 8, "PRIMARY", running, 0, 2, ""), replaced)}, after: []types.Service{
		serves(deployed(5, 7, "PRIMARY", running, 0, 2, "")), serves(deployed(5, 7, "PRIMARY", complete, 2, 0, "")),
	}}
	said, err := runService(t, f, wait)
	require.NoError(t, err)
	assert.Contains(t, said, "deployment of definition demo:7 (registry/demo:v2) starts and supersedes that of definition demo:8, which is in progress")
	assert.Len(t, f.updates, 1)

	// Somebody supersedes this one.
	f = &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{
		serves(starting, replaced), serves(deployed(4, 8, "PRIMARY", running, 0, 2, ""), deployed(2, 7, "ACTIVE", running, 1, 0, "")), serves(deployed(4, 8, "PRIMARY", complete, 2, 0, "")),
	}}
	_, err = runService(t, f, wait)
	require.ErrorContains(t, err, "the deployment of definition demo:7 (registry/demo:v2) was replaced by one of definition demo:8. Definition demo:8 serves: 2 of 2 tasks run")
}

func TestAFailedDeploymentIsTakenBackWithReasons(t *testing.T) {
	pull := "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref registry/demo:v2: not found, request id: 0a1b2c3d-0000-4000-8000-0123456789a"
	tasks := []types.Task{
		stopped(2, types.TaskStopCodeTaskFailedToStart, pull+"1", nil, pull+"1"), stopped(2, types.TaskStopCodeTaskFailedToStart, pull+"2", nil, ""),
		stopped(2, types.TaskStopCodeTaskFailedToStart, pull+"3", nil, ""),
		stopped(2, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited", aws.Int32(1), ""),
		stopped(2, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited", aws.Int32(137), "OutOfMemoryError: Container killed\ndue to memory usage"),
		stopped(2, types.TaskStopCodeServiceSchedulerInitiated, "Task failed ELB health checks in (target-group "+targets+")", aws.Int32(143), ""),
		stopped(2, types.TaskStopCodeServiceSchedulerInitiated, "Scaling activity initiated by (deployment ecs-svc/3)", aws.Int32(143), ""),
		stopped(1, types.TaskStopCodeServiceSchedulerInitiated, "of an earlier deployment", nil, ""),
	}
	var late []types.Service
	for range 20 {
		late = append(late, serves(starting, replaced))
	}
	late = append(late, serves(deployed(2, 7, "PRIMARY", failed, 0, 0, *broken.RolloutStateReason), replaced), serves(goesBack, broken), serves(wentBack))
	for name, after := range map[string][]types.Service{
		"after minutes": late,
		"seen failing":  {serves(starting, replaced), serves(goesBack, broken), serves(goesBack, broken), serves(wentBack)},
		"missed":        {serves(starting, replaced), withEvents(serves(wentBack), failEvent)},
		"failed later":  {serves(starting, replaced), withEvents(serves(goesBack, deployed(2, 7, "ACTIVE", running, 0, 0, "")), failEvent), withEvents(serves(wentBack), failEvent)},
		"still primary": {serves(deployed(2, 7, "PRIMARY", failed, 0, 0, *broken.RolloutStateReason), replaced), serves(goesBack, broken), serves(wentBack)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runService(t, &fakeECS{states: []types.Service{serves(before)}, after: after, tasks: tasks}, wait)
			require.ErrorContains(t, err, "service demo: the deployment of definition demo:7 (registry/demo:v2) failed, and ECS went back: ")
			require.ErrorContains(t, err, "tasks failed to start. Definition demo:6 serves: 2 of 2 tasks run. "+
				"Correct the image or the config and run `pulumi up` again; `go run . release status` shows the state and the log group\n"+
				"  3 tasks stopped: "+pull+"1\n"+
				"  1 task stopped: Task failed ELB health checks in (target-group "+targets+")\n"+
				"  1 task stopped: demo exited with 1\n"+
				"  1 task stopped: demo exited with 137: OutOfMemoryError: Container killed due to memory usage")
			assert.NotContains(t, err.Error(), "Scaling activity")
			assert.NotContains(t, err.Error(), "earlier deployment")
		})
	}
}

// ECS may forget the failed deployment before it has said why it failed.
func TestARollbackWithoutAReason(t *testing.T) {
	_, err := runService(t, &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{
		serves(starting, replaced), serves(goesBack, deployed(2, 7, "ACTIVE", running, 0, 0, "")), serves(wentBack),
	}}, wait)
	require.ErrorContains(t, err, "(registry/demo:v2) failed, and ECS went back. Definition demo:6 serves: 2 of 2 tasks run")
}

func TestEventsSayWhatNoTaskSays(t *testing.T) {
	now := withEvents(serves(wentBack, broken), failEvent,
		"(port 8080) is unhealthy in (target-group "+targets+") due to (reason Health checks failed with these codes: [404]).",
		"(task 0123456789abcdef0123456789abcdef) failed container health checks.", "(task ffffffffffffffff0123456789abcdef) failed container health checks.")
	now.Events = append(now.Events, types.ServiceEvent{CreatedAt: aws.Time(epoch), Message: aws.String("(service demo-1) was unable to place a task, long ago")})
	_, err := runService(t, &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{serves(starting, replaced), now}}, wait)
	require.ErrorContains(t, err, "log group\n  ECS says: (port 8080) is unhealthy in (target-group "+targets+") due to (reason Health checks failed with these codes: [404])\n"+
		"  ECS says: (task 0123456789abcdef0123456789abcdef) failed container health checks")
	assert.NotContains(t, err.Error(), "ffffffff")
	assert.NotContains(t, err.Error(), "long ago")
}

func TestManyReasons(t *testing.T) {
	var tasks []types.Task
	for i := range 250 {
		tasks = append(tasks, stopped(2, types.TaskStopCodeTaskFailedToStart, "reason "+string(rune('a'+i%7)), nil, ""))
	}
	_, err := runService(t, &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{serves(starting), serves(wentBack, broken)}, tasks: tasks}, wait)
	require.ErrorContains(t, err, "  36 tasks stopped: reason e\n  and for 2 other reasons")
}

func TestAFirstDeploymentThatFails(t *testing.T) {
	first := serves(deployed(2, 7, "PRIMARY", failed, 0, 0, *broken.RolloutStateReason))
	f := &fakeECS{states: []types.Service{serves(starting), first}}
	_, err := runService(t, f, wait)
	assert.Equal(t, 2, f.described, "there is no rollback to wait for")
	require.ErrorContains(t, err, "failed: ECS deployment circuit breaker: tasks failed to start. There was no deployment to go back to: 0 of 2 tasks run")

	// The next `pulumi up` starts the same definition again.
	f = &fakeECS{states: []types.Service{first}, after: []types.Service{serves(deployed(3, 7, "PRIMARY", running, 0, 2, "")), serves(deployed(3, 7, "PRIMARY", complete, 2, 0, ""))}}
	_, err = runService(t, f, wait)
	require.NoError(t, err)
	require.Len(t, f.updates, 1)
	assert.True(t, f.updates[0].ForceNewDeployment)

	// A service whose rollback is off keeps the tasks of the deployment before.
	f = &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{serves(starting, replaced), serves(deployed(2, 7, "PRIMARY", failed, 0, 0, "stopped."), replaced)}}
	_, err = runService(t, f, wait)
	require.ErrorContains(t, err, "failed: stopped. ECS did not go back to the deployment before: 0 of 2 tasks run, 2 of earlier deployments run")
}

func TestARollbackThatDoesNotEndWell(t *testing.T) {
	for name, c := range map[string]struct {
		last types.Service
		want string
	}{
		"fails":      {serves(deployed(3, 6, "PRIMARY", failed, 0, 0, "no capacity."), broken), "The deployment of definition demo:6 that followed failed too (no capacity): 0 of 2 tasks run"},
		"never ends": {serves(goesBack, broken), "The deployment of definition demo:6 that followed has not ended within 45m0s: 1 of 2 tasks run, 1 starts"},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := runService(t, &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{serves(starting), serves(goesBack, broken), serves(goesBack, broken), c.last}}, wait)
			require.ErrorContains(t, err, "failed, and ECS went back: ECS deployment circuit breaker: tasks failed to start. "+c.want)
			assert.Contains(t, said, "service demo: goes back to definition demo:6: 1 of 2 tasks run, 1 starts")
		})
	}
}

func TestADeploymentThatDoesNotEnd(t *testing.T) {
	f := &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{serves(starting, replaced)}, tasks: []types.Task{
		stopped(2, types.TaskStopCodeTaskFailedToStart, "CannotPullContainerError: not found", nil, ""),
	}}
	_, err := runService(t, f, wait)
	require.EqualError(t, err, "service demo: the deployment of definition demo:7 (registry/demo:v2) has not ended within 45m0s (1 of 2 tasks run, 1 starts, 2 of earlier deployments run). "+
		"It continues on AWS: the next `pulumi up` follows it, and so does `go run . release status`; `go run . release rollback --service demo` ends it\n"+
		"  1 task stopped: CannotPullContainerError: not found")
}

// DescribeServices may not show at once what UpdateService has accepted.
func TestALateAnswerIsNotARollback(t *testing.T) {
	f := &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{serves(starting, replaced), serves(before), serves(before), serves(done)}}
	f.after[0] = serves(starting, replaced) // the answer of UpdateService
	states := f.after[1:]
	f.next = func() types.Service {
		if len(f.updates) == 0 {
			return serves(before)
		}
		if f.described == 1 {
			f.described = 2
			return f.after[0]
		}
		now := states[0]
		states = states[min(1, len(states)-1):]
		return now
	}
	_, err := runService(t, f, wait)
	require.NoError(t, err)
}

func TestAServiceWithoutWaiting(t *testing.T) {
	f := &fakeECS{states: []types.Service{serves(before)}, after: []types.Service{serves(starting, replaced)}}
	said, err := runService(t, f, 0)
	require.NoError(t, err)
	assert.Len(t, f.updates, 1)
	assert.Equal(t, 1, f.described)
	assert.Contains(t, said, "not waiting for the deployment (cinema:release wait: 0); `go run . release status` follows it")
}

func TestAServiceThatIsNotThere(t *testing.T) {
	_, err := runService(t, &fakeECS{missing: true}, wait)
	require.ErrorContains(t, err, "service demo: cluster containers has no service demo-1 (MISSING): is this the stack's account and region?")
	gone := serves(before)
	gone.Status = aws.String("INACTIVE")
	_, err = runService(t, &fakeECS{states: []types.Service{gone}}, wait)
	require.ErrorContains(t, err, "service demo-1 in cluster containers is INACTIVE")
	_, err = runService(t, &fakeECS{states: []types.Service{serves(replaced)}}, wait)
	require.ErrorContains(t, err, "has no primary deployment")
}

func TestACallerWithoutPermissions(t *testing.T) {
	after := []types.Service{serves(starting, replaced), serves(wentBack, broken)}
	for _, operation := range []string{"ListTasks", "DescribeTasks"} {
		_, err := runService(t, &fakeECS{states: []types.Service{serves(before)}, after: after, refuse: operation, tasks: make([]types.Task, 1)}, wait)
		require.ErrorContains(t, err, "tasks failed to start. Definition demo:6 serves", "only the reasons are lost")
		require.ErrorContains(t, err, "\n  the reasons of the stopped tasks cannot be read: ")
		require.ErrorContains(t, err, "not authorized to perform: ecs:"+operation)
	}
	_, err := runService(t, &fakeECS{states: []types.Service{serves(before)}, after: after, refuse: "UpdateService"}, wait)
	require.ErrorContains(t, err, "service demo: deploy definition demo:7 (registry/demo:v2): api error AccessDeniedException")
	_, err = runService(t, &fakeECS{refuse: "DescribeServices"}, wait)
	require.ErrorContains(t, err, "service demo: describe demo-1 in cluster containers: api error AccessDeniedException")
}

func TestAnotherPortGoesToTheLoadBalancer(t *testing.T) {
	port := func(t *rollout.ServiceTarget) { t.Port = 9090 }
	want := []types.LoadBalancer{{TargetGroupArn: aws.String(targets), ContainerName: aws.String("demo"), ContainerPort: aws.Int32(9090)}}
	for name, state := range map[string]types.Service{"with a new definition": serves(before), "without": serves(done), "to a deployment in progress": serves(starting)} {
		t.Run(name, func(t *testing.T) {
			f := &fakeECS{states: []types.Service{state}, after: []types.Service{
				behind(9090, deployed(4, 7, "PRIMARY", running, 0, 2, "")), behind(9090, deployed(4, 7, "PRIMARY", complete, 2, 0, "")),
			}}
			_, err := runService(t, f, wait, port)
			require.NoError(t, err)
			require.Len(t, f.updates, 1)
			assert.Equal(t, want, f.updates[0].LoadBalancers)
			assert.False(t, f.updates[0].ForceNewDeployment)
		})
	}
	// A rollback to the port before has the same definition, but is not what was wanted.
	f := &fakeECS{states: []types.Service{serves(done)}, after: []types.Service{behind(9090, deployed(4, 7, "PRIMARY", running, 0, 2, "")), serves(deployed(5, 7, "PRIMARY", complete, 2, 0, ""))}}
	_, err := runService(t, f, wait, port)
	require.Error(t, err)
}

func TestAnInterruptEndsTheWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fakeECS{states: []types.Service{serves(starting)}}
	r := rollout.Rollout{Cloud: rollout.Cloud{ECS: f, Clock: &rollout.SimulatedClock{}}, Settings: rollout.Settings{Wait: wait}, Say: func(string) { cancel() }}
	require.ErrorIs(t, r.RunService(ctx, target), context.Canceled)
}

// A service may do anything. RunService must end in time, and must be content only with a completed deployment of the target.
func TestEverySequenceOfEventsHasAnAnswer(t *testing.T) {
	pick := func(r *rand.Rand, all ...string) string { return all[r.IntN(len(all))] }
	contents := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 15))
		var last types.Service
		id, stay := r.IntN(4), r.IntN(4)+1
		f := &fakeECS{refuse: pick(r, "", "", "", "ListTasks"), tasks: []types.Task{stopped(r.IntN(4), "", "a reason", nil, ""), {}}}
		f.next = func() types.Service {
			if last.Deployments != nil && r.IntN(stay) > 0 {
				return last
			}
			id = (id + r.IntN(2)) % 5
			states := []types.DeploymentRolloutState{running, running, complete, failed}
			last = behind(int32(8080+r.IntN(5)/4), deployed(id, 6+id%2, "PRIMARY", states[r.IntN(4)], int32(r.IntN(3)), int32(r.IntN(3)),
				pick(r, "", "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.", "ECS deployment circuit breaker: tasks failed to start.")))
			for range r.IntN(3) {
				other := r.IntN(5)
				last.Deployments = append(last.Deployments, deployed(other, 6+other%2, "ACTIVE", states[r.IntN(4)], int32(r.IntN(3)), 0, ""))
			}
			if r.IntN(3) == 0 {
				last = withEvents(last, pick(r, failEvent, "has reached a steady state.", "rolling back to deployment ecs-svc/1."))
			}
			return last
		}
		said, err := runService(t, f, wait)
		require.LessOrEqual(t, f.described, int(wait/rollout.PollEvery)+3, "seed %d", seed)
		require.LessOrEqual(t, len(f.updates), 1, "seed %d", seed)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "service demo: "), "seed %d: %v", seed, err)
			continue
		}
		contents++
		now := rollout.Primary(last)
		require.Equal(t, complete, now.RolloutState, "seed %d: %s", seed, said)
		require.Equal(t, newDefinition, *now.TaskDefinition, "seed %d: %s", seed, said)
		require.GreaterOrEqual(t, now.RunningCount, now.DesiredCount, "seed %d: %s", seed, said)
	}
	assert.NotZero(t, contents)
}
