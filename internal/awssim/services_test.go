package awssim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/rollout"
)

var _ rollout.ECS = ECS{}

// describe asks ECS for the service once.
func (s *site) describe() types.Service {
	s.t.Helper()
	out, err := s.ECS().DescribeServices(s.t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("cluster"), Services: []string{"demo"}})
	require.NoError(s.t, err)
	require.Len(s.t, out.Services, 1)
	return out.Services[0]
}

// settle asks until the primary deployment has ended, and returns the last answer and every state that a deployment had.
func (s *site) settle() (last types.Service, seen []string) {
	s.t.Helper()
	for range 30 {
		last = s.describe()
		for _, d := range last.Deployments {
			line := fmt.Sprintf("%s %s %s", aws.ToString(d.Status), lastOf(aws.ToString(d.TaskDefinition), "/"), d.RolloutState)
			if len(seen) == 0 || seen[len(seen)-1] != line {
				seen = append(seen, line)
			}
		}
		if last.Deployments[0].RolloutState != types.DeploymentRolloutStateInProgress {
			return last, seen
		}
	}
	require.Fail(s.t, "the deployment does not end", seen)
	return last, seen
}

func (s *site) release(definition string) types.Service {
	s.t.Helper()
	out, err := s.ECS().UpdateService(s.t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(s.ids["cluster"]), Service: aws.String(s.ids["demo"]),
		TaskDefinition: aws.String(s.ids[definition])})
	require.NoError(s.t, err)
	return *out.Service
}

// tasks returns the tasks of the service that run, or those that stopped, by the reason or the definition.
func (s *site) tasks(status types.DesiredStatus) map[string]int {
	s.t.Helper()
	listed, err := s.ECS().ListTasks(s.t.Context(), &ecs.ListTasksInput{Cluster: aws.String("cluster"), ServiceName: aws.String("demo"), DesiredStatus: status})
	require.NoError(s.t, err)
	out, err := s.ECS().DescribeTasks(s.t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("cluster"), Tasks: listed.TaskArns})
	require.NoError(s.t, err)
	require.Empty(s.t, out.Failures)
	all := map[string]int{}
	for _, t := range out.Tasks {
		require.Len(s.t, t.Containers, 1)
		what := lastOf(aws.ToString(t.Containers[0].Image), ":")
		if status == types.DesiredStatusStopped {
			what += ": " + string(t.StopCode) + ": " + aws.ToString(t.StoppedReason)
		}
		all[what]++
	}
	return all
}

func (s *site) set() string {
	r, err := s.Read(ecsService, s.ids["demo"], urn(ecsService, "demo"))
	require.NoError(s.t, err)
	return text(r.State, "taskDefinition")
}

func TestDeployments(t *testing.T) {
	s := newSite(t)
	s.service()
	first := s.describe()
	assert.Equal(t, "PRIMARY", aws.ToString(first.Deployments[0].Status))
	assert.EqualValues(t, 4, first.DesiredCount)
	assert.EqualValues(t, 2, first.PendingCount)
	last, _ := s.settle()
	assert.EqualValues(t, 4, last.RunningCount)
	assert.Equal(t, types.DeploymentRolloutStateCompleted, last.Deployments[0].RolloutState)
	assert.Equal(t, map[string]int{"v1": 4}, s.tasks(""))

	started := s.release("v2")
	assert.Equal(t, s.ids["v2"], aws.ToString(started.TaskDefinition))
	assert.Equal(t, s.ids["v2"], s.set())
	require.Len(t, started.Deployments, 2)
	assert.EqualValues(t, 0, started.Deployments[0].RunningCount)
	assert.EqualValues(t, 4, started.Deployments[1].RunningCount)
	for {
		now := s.describe()
		assert.EqualValues(t, 4, now.RunningCount, "as many serve as before")
		if now.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted {
			break
		}
	}
	last, seen := s.settle()
	require.Len(t, last.Deployments, 1)
	assert.Equal(t, []string{"PRIMARY demo:2 COMPLETED"}, seen)
	assert.Equal(t, map[string]int{"v2": 4}, s.tasks(types.DesiredStatusRunning))
	assert.Equal(t, map[string]int{"v1: ServiceSchedulerInitiated: Scaling activity initiated by (deployment " + aws.ToString(first.Deployments[0].Id) + ")": 4},
		s.tasks(types.DesiredStatusStopped))
	assert.Equal(t, "(service demo) has reached a steady state.", aws.ToString(last.Events[0].Message))

	id := aws.ToString(last.Deployments[0].Id)
	assert.Equal(t, id, aws.ToString(s.release("v2").Deployments[0].Id), "nothing changes")
	out, err := s.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("cluster"), Service: aws.String("demo"), ForceNewDeployment: true,
		DesiredCount: aws.Int32(1)})
	require.NoError(t, err)
	assert.NotEqual(t, id, aws.ToString(out.Service.Deployments[0].Id))
	last, _ = s.settle()
	assert.EqualValues(t, 1, last.RunningCount)

	require.NoError(t, s.Change(ecsService, s.ids["demo"], func(p Properties) { p["desiredCount"] = num(3) }))
	s.describe()
	s.describe()
	assert.Equal(t, map[string]int{"v2": 3}, s.tasks(""), "the deployment that is complete scales")
	require.NoError(t, s.Change(ecsService, s.ids["demo"], func(p Properties) { p["desiredCount"] = num(0) }))
	assert.EqualValues(t, 0, s.describe().RunningCount)
}

func TestFailedDeployments(t *testing.T) {
	health := "v2: ServiceSchedulerInitiated: Task failed ELB health checks in (target-group "
	for name, c := range map[string]struct {
		conditions Conditions
		reason     string // of the failed deployment
		task       string // reason of a stopped task
	}{
		"bad image":     {Conditions{BadImages: []string{"v2"}}, "ECS deployment circuit breaker: tasks failed to start.", health},
		"bad digest":    {Conditions{BadImages: []string{"123456789012.dkr.ecr.us-east-1.amazonaws.com/films:v2"}}, "ECS deployment circuit breaker: tasks failed to start.", health},
		"bad release":   {Conditions{BadRelease: true}, "ECS deployment circuit breaker: tasks failed to start.", health},
		"missing image": {Conditions{MissingImages: []string{"v2"}}, "ECS deployment circuit breaker: tasks failed to start.", "v2: TaskFailedToStart: CannotPullContainerError: "},
		"alarm":         {Conditions{Alarms: []string{"unhealthy"}}, "ECS deployment alarms: alarm detected.", "v2: ServiceSchedulerInitiated: Scaling activity initiated by"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.service()
			first, _ := s.settle()
			s.SetConditions(c.conditions)
			failed := aws.ToString(s.release("v2").Deployments[0].Id)
			reason := ""
			for range 30 {
				now := s.describe()
				for _, d := range now.Deployments {
					if aws.ToString(d.Id) == failed && d.RolloutState == types.DeploymentRolloutStateFailed {
						reason = aws.ToString(d.RolloutStateReason)
						assert.Equal(t, aws.ToString(first.Deployments[0].Id), aws.ToString(now.Deployments[0].Id), "the earlier deployment is the primary one again")
						assert.Contains(t, aws.ToString(now.Deployments[0].RolloutStateReason), "rolling back to deploymentId "+aws.ToString(first.Deployments[0].Id))
					}
				}
				if len(now.Deployments) == 1 {
					break
				}
			}
			assert.Equal(t, c.reason, reason)
			last, seen := s.settle()
			assert.Equal(t, []string{"PRIMARY demo:1 COMPLETED"}, seen)
			assert.EqualValues(t, 4, last.RunningCount)
			assert.Equal(t, s.ids["v1"], s.set())
			assert.Equal(t, map[string]int{"v1": 4}, s.tasks(""))
			var reasons []string
			for r := range s.tasks(types.DesiredStatusStopped) {
				reasons = append(reasons, r)
			}
			assert.Contains(t, strings.Join(reasons, "\n"), c.task)
			var events []string
			for _, e := range last.Events {
				events = append(events, aws.ToString(e.Message))
			}
			assert.Contains(t, events, "(service demo) rolling back to deployment "+aws.ToString(first.Deployments[0].Id)+".")

			s.SetConditions(Conditions{})
			s.release("v3")
			_, seen = s.settle()
			assert.Equal(t, "PRIMARY demo:3 COMPLETED", seen[len(seen)-1])
		})
	}
}

// The rollout of a service, against the account.
func TestRunService(t *testing.T) {
	s := newSite(t)
	s.service()
	var said []string
	r := rollout.Rollout{Cloud: rollout.Cloud{ECS: s.ECS(), Clock: &rollout.SimulatedClock{}}, Settings: rollout.Settings{Wait: 30 * time.Minute},
		Say: func(line string) { said = append(said, line) }}
	run := func(tag string) error {
		return r.RunService(t.Context(), rollout.ServiceTarget{Cluster: "cluster", Service: "demo", Definition: s.ids[tag], Targets: s.ids["ip"],
			Container: "demo", Port: 8080, Image: "films:" + tag})
	}
	require.NoError(t, run("v1"), "%v", said)
	require.NoError(t, run("v2"), "%v", said)
	assert.Equal(t, s.ids["v2"], s.set())
	s.SetConditions(Conditions{MissingImages: []string{"v3"}})
	for range 2 {
		err := run("v3")
		require.ErrorContains(t, err, "tasks failed to start")
		require.ErrorContains(t, err, "CannotPullContainerError")
		assert.Equal(t, s.ids["v2"], s.set())
	}
	s.SetConditions(Conditions{})
	require.NoError(t, run("v3"), "%v", said)
	assert.Equal(t, map[string]int{"v3": 4}, s.tasks(""))
}

func TestFirstDeploymentThatFailsHasNothingToGoBackTo(t *testing.T) {
	s := newSite(t)
	s.SetConditions(Conditions{BadImages: []string{"v1"}})
	s.service()
	last, _ := s.settle()
	require.Len(t, last.Deployments, 1)
	assert.Equal(t, types.DeploymentRolloutStateFailed, last.Deployments[0].RolloutState)
	assert.EqualValues(t, 4, last.Deployments[0].FailedTasks)
	assert.EqualValues(t, 0, s.describe().PendingCount, "nothing starts any more")
	s.SetConditions(Conditions{})
	out, err := s.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("cluster"), Service: aws.String("demo"), ForceNewDeployment: true})
	require.NoError(t, err)
	assert.NotEqual(t, aws.ToString(last.Deployments[0].Id), aws.ToString(out.Service.Deployments[0].Id))
	last, _ = s.settle()
	assert.EqualValues(t, 4, last.RunningCount)
}

func TestDeploymentWithoutLoadBalancerAndRollback(t *testing.T) {
	s := newSite(t)
	s.cluster()
	s.make(ecsService, "demo", released(func(m map[string]any) {
		delete(m, "loadBalancers")
		m["taskDefinition"], m["deploymentCircuitBreaker"] = "demo", map[string]any{"enable": true, "rollback": false}
	}))
	first, _ := s.settle()
	assert.Equal(t, s.ids["v3"], aws.ToString(first.TaskDefinition), "the newest of the family")
	s.SetConditions(Conditions{BadImages: []string{"v2"}})
	out, err := s.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("cluster"), Service: aws.String("demo"), TaskDefinition: aws.String("demo:2")})
	require.NoError(t, err)
	assert.Equal(t, s.ids["v2"], aws.ToString(out.Service.TaskDefinition))
	last, seen := s.settle()
	assert.Equal(t, []string{"PRIMARY demo:2 FAILED", "ACTIVE demo:3 COMPLETED"}, seen[len(seen)-2:])
	assert.EqualValues(t, 4, last.RunningCount, "the earlier tasks serve")
	assert.Equal(t, map[string]int{"v2: EssentialContainerExited: Essential container in task exited": 4}, s.tasks(types.DesiredStatusStopped))
}

func TestDeploymentWithoutCircuitBreakerDoesNotEnd(t *testing.T) {
	s := newSite(t)
	s.cluster()
	s.make(ecsService, "demo", released(func(m map[string]any) { delete(m, "deploymentCircuitBreaker") }))
	s.settle()
	s.SetConditions(Conditions{BadImages: []string{"v2"}})
	s.release("v2")
	for range 2 * keptTasks {
		assert.Equal(t, types.DeploymentRolloutStateInProgress, s.describe().Deployments[0].RolloutState)
	}
	assert.Greater(t, s.describe().Deployments[0].FailedTasks, int32(keptTasks))
	stoppedTasks := 0
	for _, n := range s.tasks(types.DesiredStatusStopped) {
		stoppedTasks += n
	}
	assert.Equal(t, keptTasks, stoppedTasks)
	s.SetConditions(Conditions{Stalled: true})
	s.release("v3")
	for range 5 {
		assert.EqualValues(t, 0, s.describe().Deployments[0].RunningCount, "stalled")
	}
}

func TestDeploymentsSurviveReopening(t *testing.T) {
	s := newSite(t)
	s.service()
	s.settle()
	s.release("v2")
	before := s.describe()
	again, err := OpenAccount(s.path)
	require.NoError(t, err)
	s.Account = again
	s.SetConditions(Conditions{Stalled: true})
	assert.Equal(t, before, s.describe())
	assert.Len(t, again.pulled["films"], 2)
	s.SetConditions(Conditions{})
	require.NoError(t, s.Delete(taskDefinition, s.ids["v1"], urn(taskDefinition, "v1")), "a definition in use can be deregistered")
	last, _ := s.settle()
	assert.EqualValues(t, 4, last.RunningCount)

	require.NoError(t, s.Delete(ecsService, s.ids["demo"], urn(ecsService, "demo")))
	assert.Empty(t, again.schedulers)
	s.make(ecsService, "demo", released(func(m map[string]any) { m["taskDefinition"] = "$v2" }))
	assert.EqualValues(t, 0, s.describe().RunningCount, "another service of the same name starts from nothing")
}

// A program that ignores what a rollout changes leaves it as it is.
func TestAnUpdateKeepsWhatTheRolloutSet(t *testing.T) {
	s := newSite(t)
	s.service()
	s.settle()
	known, err := s.Read(ecsService, s.ids["demo"], urn(ecsService, "demo"))
	require.NoError(t, err)
	was := known.State.Copy()
	s.release("v2")
	s.settle()
	news := known.Inputs.Copy()
	news["healthCheckGracePeriodSeconds"] = num(30)
	state, err := s.Update(ecsService, s.ids["demo"], known.URN, was, news, []string{"healthCheckGracePeriodSeconds"}, false)
	require.NoError(t, err)
	assert.Equal(t, s.ids["v2"], text(state, "taskDefinition"))
	last := s.describe()
	assert.Equal(t, s.ids["v2"], aws.ToString(last.TaskDefinition))
	assert.Len(t, last.Deployments, 1)

	news["taskDefinition"] = resource.NewProperty(s.ids["v3"])
	_, err = s.Update(ecsService, s.ids["demo"], known.URN, state, news, []string{"taskDefinition"}, false)
	require.NoError(t, err)
	_, seen := s.settle()
	assert.Equal(t, "PRIMARY demo:3 COMPLETED", seen[len(seen)-1], "the provider deploys, too")
}

func TestRefusedCallsOfECS(t *testing.T) {
	s := newSite(t)
	s.service()
	s.make(targetType, "free", map[string]any{"vpcId": "$vpc", "targetType": "ip"})
	s.make(targetType, "other", map[string]any{"vpcId": "$vpc", "targetType": "ip"})
	s.make(listenerRuleType, "second", map[string]any{"listenerArn": "$listener", "priority": 6.0,
		"actions": []any{map[string]any{"type": "forward", "targetGroupArn": "$other"}}})
	s.settle()
	balancers := func(group string, port int32) []types.LoadBalancer {
		return []types.LoadBalancer{{ContainerName: aws.String("demo"), ContainerPort: aws.Int32(port), TargetGroupArn: aws.String(s.ids[group])}}
	}
	cluster, demo := aws.String("cluster"), aws.String("demo")
	for want, in := range map[string]*ecs.UpdateServiceInput{
		"ClusterNotFoundException":                  {Service: demo},
		"ServiceNotFoundException":                  {Cluster: cluster, Service: aws.String("none")},
		"TaskDefinition not found":                  {Cluster: cluster, Service: demo, TaskDefinition: aws.String("demo:9")},
		"does not have an associated load balancer": {Cluster: cluster, Service: demo, LoadBalancers: balancers("free", 8080)},
		"did not have a container port 81":          {Cluster: cluster, Service: demo, LoadBalancers: balancers("other", 81)},
	} {
		_, err := s.ECS().UpdateService(t.Context(), in)
		require.ErrorContains(t, err, want)
	}
	assert.Len(t, s.describe().Deployments, 1, "nothing has started")
	_, err := s.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: cluster, Service: demo, LoadBalancers: balancers("other", 8080)})
	require.NoError(t, err)
	last, _ := s.settle()
	assert.Equal(t, balancers("other", 8080), last.LoadBalancers)

	var missing *types.ClusterNotFoundException
	_, err = s.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("none")})
	require.ErrorAs(t, err, &missing)
	_, err = s.ECS().DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("none")})
	require.ErrorAs(t, err, &missing)
	services, err := s.ECS().DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: cluster, Services: []string{"none"}})
	require.NoError(t, err)
	assert.Equal(t, "MISSING", aws.ToString(services.Failures[0].Reason))
	tasks, err := s.ECS().DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: cluster, Tasks: []string{"none"}})
	require.NoError(t, err)
	assert.Equal(t, "MISSING", aws.ToString(tasks.Failures[0].Reason))
	var gone *types.ServiceNotFoundException
	_, err = s.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: cluster, ServiceName: aws.String("none")})
	require.ErrorAs(t, err, &gone)
}
