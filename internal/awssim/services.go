package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// ECS answers as Elastic Container Service. No time passes in the account: each question about a service moves its deployment one
// step.
type ECS struct{ account *Account }

// ECS returns the account's Elastic Container Service.
func (a *Account) ECS() ECS { return ECS{a} }

// scheduler is what ECS's scheduler knows about one service.
type scheduler struct {
	Deployments []deployment `json:"deployments"` // the primary one first
	Tasks       []task       `json:"tasks"`       // in the order of their start
	Events      []string     `json:"events"`      // the latest first
	Started     int          `json:"started"`     // number of deployments and tasks that ever started
}

// deployment is one deployment of a service.
type deployment struct {
	ID         string      `json:"id"`
	Number     int         `json:"number"` // of scheduler.Started
	Definition string      `json:"definition"`
	Containers []container `json:"containers"`
	Balancers  []balancer  `json:"balancers"`
	State      string      `json:"state"`
	Reason     string      `json:"reason"`
	Failed     int         `json:"failed"` // number of tasks
	Completed  bool        `json:"completed"`
}

// container is one container of a task definition. A deployment keeps it: the definition may be deregistered before it ends.
type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

// task is one task of a deployment.
type task struct {
	ID         string `json:"id"`
	Number     int    `json:"number"` // of scheduler.Started
	Deployment string `json:"deployment"`
	Status     string `json:"status"`
	Code       string `json:"code"`
	Reason     string `json:"reason"`
	// Definition and Containers are as in the deployment, which is gone before ECS forgets the task.
	Definition string      `json:"definition"`
	Containers []container `json:"containers"`
}

const (
	pending = "PENDING"
	running = "RUNNING"
	stopped = "STOPPED"

	// keptTasks is the number of stopped tasks that the account remembers of a service. AWS remembers them for an hour.
	keptTasks = 20
	// keptEvents is the number of a service's events that ECS remembers (ECS API reference, "Service").
	keptEvents = 100
)

// DescribeServices moves the deployment of each service one step and describes the services.
func (e ECS) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput, _ ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	a := e.account
	a.mu.Lock()
	defer a.mu.Unlock()
	cluster, err := a.clusterOf(in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeServicesOutput{}
	for _, ref := range in.Services {
		service, ok := a.serviceOf(cluster, ref)
		if !ok {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(ref), Reason: aws.String("MISSING")})
			continue
		}
		s := a.scheduler(service)
		if err := a.progress(service, s); err != nil {
			return nil, err
		}
		out.Services = append(out.Services, describeService(cluster, service, s))
	}
	return out, a.save()
}

// UpdateService changes a service and starts a deployment where its tasks change.
func (e ECS) UpdateService(_ context.Context, in *ecs.UpdateServiceInput, _ ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error) {
	a := e.account
	a.mu.Lock()
	defer a.mu.Unlock()
	cluster, err := a.clusterOf(in.Cluster)
	if err != nil {
		return nil, err
	}
	service, ok := a.serviceOf(cluster, aws.ToString(in.Service))
	if !ok {
		return nil, &types.ServiceNotFoundException{Message: aws.String("Service not found.")}
	}
	s := a.scheduler(service)
	was := service.State
	service.State = was.Copy()
	if in.DesiredCount != nil {
		service.State["desiredCount"] = num(int(*in.DesiredCount))
	}
	if in.LoadBalancers != nil {
		var balancers []balancer
		for _, b := range in.LoadBalancers {
			balancers = append(balancers, balancer{Container: aws.ToString(b.ContainerName), Port: int(aws.ToInt32(b.ContainerPort)), Group: aws.ToString(b.TargetGroupArn)})
		}
		service.State["loadBalancers"] = balancersProperty(balancers)
	}
	if in.TaskDefinition != nil {
		definition, ok := a.definition(*in.TaskDefinition)
		if !ok {
			return nil, &types.ClientException{Message: aws.String("TaskDefinition not found. (" + *in.TaskDefinition + ")")}
		}
		service.State["taskDefinition"] = resource.NewProperty(definition.ID)
	}
	if err := a.refuseService(was, service.State); err != nil {
		return nil, err
	}
	if err := a.put(service); err != nil {
		return nil, err
	}
	if in.ForceNewDeployment {
		a.deploy(service, s)
	}
	s = a.scheduler(service)
	described := describeService(cluster, service, s)
	return &ecs.UpdateServiceOutput{Service: &described}, a.save()
}

// ListTasks lists the tasks of a service, or of a cluster: those that are to run, or those that have stopped.
func (e ECS) ListTasks(_ context.Context, in *ecs.ListTasksInput, _ ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	a := e.account
	a.mu.Lock()
	defer a.mu.Unlock()
	cluster, err := a.clusterOf(in.Cluster)
	if err != nil {
		return nil, err
	}
	services := a.servicesOf(cluster)
	if in.ServiceName != nil {
		service, ok := a.serviceOf(cluster, *in.ServiceName)
		if !ok {
			return nil, &types.ServiceNotFoundException{Message: aws.String("Service not found.")}
		}
		services = []Resource{service}
	}
	out := &ecs.ListTasksOutput{}
	for _, service := range services {
		for _, t := range a.scheduler(service).Tasks {
			if (t.Status == stopped) == (in.DesiredStatus == types.DesiredStatusStopped) {
				out.TaskArns = append(out.TaskArns, taskARN(cluster, t))
			}
		}
	}
	return out, a.save()
}

// DescribeTasks describes tasks, also those that have stopped.
func (e ECS) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput, _ ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	a := e.account
	a.mu.Lock()
	defer a.mu.Unlock()
	cluster, err := a.clusterOf(in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeTasksOutput{}
	for _, ref := range in.Tasks {
		found := false
		for _, service := range a.servicesOf(cluster) {
			s := a.scheduler(service)
			for _, t := range s.Tasks {
				if t.ID == lastOf(ref, "/") {
					out.Tasks, found = append(out.Tasks, describeTask(cluster, service, s, t)), true
				}
			}
		}
		if !found {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(ref), Reason: aws.String("MISSING")})
		}
	}
	return out, a.save()
}

// clusterOf returns the cluster with a name or an ARN.
func (a *Account) clusterOf(ref *string) (Resource, error) {
	name := aws.ToString(ref)
	if name == "" {
		name = "default"
	}
	for _, c := range a.ofType(ecsCluster) {
		if c.is(name) {
			return c, nil
		}
	}
	return Resource{}, &types.ClusterNotFoundException{Message: aws.String("Cluster not found. (" + name + ")")}
}

func (a *Account) servicesOf(cluster Resource) []Resource {
	return slices.DeleteFunc(a.ofType(ecsService), func(s Resource) bool { return !cluster.is(text(s.State, "cluster")) })
}

// serviceOf returns the service of a cluster with a name or an ARN.
func (a *Account) serviceOf(cluster Resource, ref string) (Resource, bool) {
	for _, s := range a.servicesOf(cluster) {
		if s.is(ref) {
			return s, true
		}
	}
	return Resource{}, false
}

// scheduler returns a service's scheduler. A service whose definition or load balancers are others than those of its primary
// deployment gets a deployment: a new one, and one that the provider has changed.
func (a *Account) scheduler(service Resource) *scheduler {
	s := a.schedulers[service.ID]
	if s == nil {
		s = &scheduler{}
		a.schedulers[service.ID] = s
	}
	definition := text(service.State, "taskDefinition")
	if r, ok := a.definition(definition); ok {
		definition = r.ID
	}
	if len(s.Deployments) == 0 || s.Deployments[0].Definition != definition || !slices.Equal(s.Deployments[0].Balancers, balancersOf(service.State)) {
		a.deploy(service, s)
	}
	return s
}

// deploy starts a deployment of what a service is set to.
func (a *Account) deploy(service Resource, s *scheduler) {
	s.Started++
	d := deployment{ID: "ecs-svc/" + number(service.ID+"|"+strconv.Itoa(s.Started), 19), Number: s.Started, Definition: text(service.State, "taskDefinition"),
		Balancers: balancersOf(service.State), State: string(types.DeploymentRolloutStateInProgress)}
	d.Reason = "ECS deployment " + d.ID + " in progress."
	if definition, ok := a.definition(d.Definition); ok {
		d.Definition = definition.ID
		containers, _ := containersOf(definition.State) // valid since it was registered
		for _, c := range containers {
			d.Containers = append(d.Containers, container{Name: aws.ToString(c.Name), Image: aws.ToString(c.Image)})
		}
	}
	s.Deployments = slices.Insert(s.Deployments, 0, d)
}

// progress moves the primary deployment of a service one step: tasks that start run or fail, and others start, half of the desired
// count at a time. The tasks of earlier deployments stop as those of this one run, so as many serve as before.
func (a *Account) progress(service Resource, s *scheduler) error {
	d := &s.Deployments[0]
	if a.conditions.Stalled || d.State == string(types.DeploymentRolloutStateFailed) {
		return nil
	}
	desired := int(service.State["desiredCount"].NumberValue())
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if t.Deployment != d.ID || t.Status != pending {
			continue
		}
		if code, reason := a.failure(d); code != "" {
			t.stop(code, reason)
			d.Failed++
			continue
		}
		t.Status = running
		s.replaceOne(d.ID, desired)
	}
	defer s.forget()
	if why, rollback := a.verdict(service, s, d); why != "" {
		return a.takeBack(service, s, why, rollback)
	}
	up := s.count(d.ID, running)
	if up < desired {
		a.start(service, s, d, min((desired+1)/2, desired-up))
		return nil
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		extra := t.Deployment == d.ID && up > desired
		if t.Status != stopped && (t.Deployment != d.ID || extra) {
			t.stop(types.TaskStopCodeServiceSchedulerInitiated, scaled(d.ID))
			if extra {
				up--
			}
		}
	}
	if d.State != string(types.DeploymentRolloutStateCompleted) {
		d.State, d.Reason, d.Completed = string(types.DeploymentRolloutStateCompleted), "ECS deployment "+d.ID+" completed.", true
		s.Deployments = s.Deployments[:1]
		s.tell(service, "(deployment %s) deployment completed.", d.ID)
		s.tell(service, "has reached a steady state.")
	}
	return nil
}

// start starts tasks of a deployment. A repository has the images that tasks pull from it.
func (a *Account) start(service Resource, s *scheduler, d *deployment, n int) {
	for range n {
		s.Started++
		s.Tasks = append(s.Tasks, task{ID: hash(service.ID+"|"+strconv.Itoa(s.Started), 32), Number: s.Started, Deployment: d.ID, Status: pending,
			Definition: d.Definition, Containers: d.Containers})
	}
	for _, c := range d.Containers {
		repository, _, _ := splitReference(c.Image)
		if repository != "" && !listsImage(a.conditions.MissingImages, c.Image) && !slices.Contains(a.pulled[repository], c.Image) {
			a.pulled[repository] = append(a.pulled[repository], c.Image)
		}
	}
}

// failure returns why the tasks of a deployment stop, "" where they run. Those of one that was completed never did.
func (a *Account) failure(d *deployment) (code types.TaskStopCode, reason string) {
	if d.Completed {
		return "", ""
	}
	for _, c := range d.Containers {
		if listsImage(a.conditions.MissingImages, c.Image) {
			return types.TaskStopCodeTaskFailedToStart, fmt.Sprintf("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "+
				"resolve ref %s: %s: not found", c.Image, c.Image)
		}
		switch {
		case !a.conditions.BadRelease && !listsImage(a.conditions.BadImages, c.Image):
		case len(d.Balancers) > 0:
			return types.TaskStopCodeServiceSchedulerInitiated, "Task failed ELB health checks in (target-group " + d.Balancers[0].Group + ")"
		default:
			return types.TaskStopCodeEssentialContainerExited, "Essential container in task exited"
		}
	}
	return "", ""
}

// verdict returns why a deployment fails, "" where it goes on: an alarm, or as many failed tasks as the circuit breaker allows
// (ECS developer guide, "How the Amazon ECS deployment circuit breaker detects failures": half of the desired count, from 3 to 200).
// ECS ignores an alarm that fired before the deployment began; those of an account fire when its first task runs.
func (a *Account) verdict(service Resource, s *scheduler, d *deployment) (why string, rollback bool) {
	if d.Completed {
		return "", false
	}
	if enabled(service.State, "alarms", "enable") && s.count(d.ID, running) > 0 {
		for _, name := range named(service.State, "alarms.alarmNames") {
			if slices.Contains(a.conditions.Alarms, name) {
				return "alarm detected", enabled(service.State, "alarms", "rollback")
			}
		}
	}
	desired := int(service.State["desiredCount"].NumberValue())
	if enabled(service.State, "deploymentCircuitBreaker", "enable") && d.Failed >= min(max((desired+1)/2, 3), 200) {
		return "tasks failed to start", enabled(service.State, "deploymentCircuitBreaker", "rollback")
	}
	return "", false
}

// takeBack makes the primary deployment fail. With rollback the last one that was completed is the primary one again, with its id;
// where there is none, nothing starts any more.
func (a *Account) takeBack(service Resource, s *scheduler, why string, rollback bool) error {
	by := "circuit breaker"
	if why == "alarm detected" {
		by = "alarms"
	}
	failed := &s.Deployments[0]
	failed.State, failed.Reason = string(types.DeploymentRolloutStateFailed), "ECS deployment "+by+": "+why+"."
	s.tell(service, "(deployment %s) deployment failed: %s.", failed.ID, why)
	i := slices.IndexFunc(s.Deployments, func(d deployment) bool { return d.Completed })
	if !rollback || i < 0 {
		return nil
	}
	back := s.Deployments[i]
	back.State, back.Reason = string(types.DeploymentRolloutStateInProgress), "ECS deployment "+by+": rolling back to deploymentId "+back.ID+"."
	s.Deployments = slices.Insert(slices.Delete(s.Deployments, i, i+1), 0, back)
	s.tell(service, "rolling back to deployment %s.", back.ID)
	service.State["taskDefinition"] = resource.NewProperty(back.Definition)
	if len(back.Balancers) > 0 {
		service.State["loadBalancers"] = balancersProperty(back.Balancers)
	} else {
		delete(service.State, "loadBalancers")
	}
	return a.put(service)
}

// tell notes an event.
func (s *scheduler) tell(service Resource, format string, args ...any) {
	s.Events = slices.Insert(s.Events, 0, "(service "+text(service.State, "name")+") "+fmt.Sprintf(format, args...))
	s.Events = s.Events[:min(len(s.Events), keptEvents)]
}

// replaceOne stops a task of another deployment where more run than are desired.
func (s *scheduler) replaceOne(primary string, desired int) {
	all, last := 0, -1
	for i, t := range s.Tasks {
		if t.Status == running {
			all++
			if t.Deployment != primary {
				last = i
			}
		}
	}
	if all > desired && last >= 0 {
		s.Tasks[last].stop(types.TaskStopCodeServiceSchedulerInitiated, scaled(s.Tasks[last].Deployment))
	}
}

// forget forgets all but the latest stopped tasks.
func (s *scheduler) forget() {
	excess := -keptTasks
	for _, t := range s.Tasks {
		if t.Status == stopped {
			excess++
		}
	}
	s.Tasks = slices.DeleteFunc(s.Tasks, func(t task) bool {
		if t.Status != stopped || excess <= 0 {
			return false
		}
		excess--
		return true
	})
}

func (s *scheduler) count(deployment, status string) (n int) {
	for _, t := range s.Tasks {
		if t.Deployment == deployment && t.Status == status {
			n++
		}
	}
	return n
}

func (t *task) stop(code types.TaskStopCode, reason string) {
	t.Status, t.Code, t.Reason = stopped, string(code), reason
}

func scaled(deployment string) string {
	return "Scaling activity initiated by (deployment " + deployment + ")"
}

// enabled reports whether a property of an object is true.
func enabled(in Properties, object, property string) bool {
	o := in[resource.PropertyKey(object)]
	if !o.IsObject() {
		return false
	}
	v := o.ObjectValue()[resource.PropertyKey(property)]
	return v.IsBool() && v.BoolValue()
}

// at returns the time of what started as the n-th of a service.
func at(n int) *time.Time {
	start, _ := time.Parse(time.RFC3339, stamp)
	return aws.Time(start.Add(time.Duration(n) * time.Second))
}

func taskARN(cluster Resource, t task) string {
	return strings.Replace(cluster.ID, ":cluster/", ":task/", 1) + "/" + t.ID
}

func describeService(cluster, service Resource, s *scheduler) types.Service {
	desired := int32(service.State["desiredCount"].NumberValue())
	out := types.Service{
		ServiceArn: aws.String(service.ID), ServiceName: aws.String(text(service.State, "name")), ClusterArn: aws.String(cluster.ID), Status: aws.String("ACTIVE"),
		TaskDefinition: aws.String(s.Deployments[0].Definition), DesiredCount: desired, CreatedAt: at(0), LaunchType: types.LaunchType(text(service.State, "launchType")),
		SchedulingStrategy: types.SchedulingStrategy(text(service.State, "schedulingStrategy")),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{
				Enable: enabled(service.State, "deploymentCircuitBreaker", "enable"), Rollback: enabled(service.State, "deploymentCircuitBreaker", "rollback"),
			},
			MaximumPercent:        aws.Int32(int32(service.State["deploymentMaximumPercent"].NumberValue())),
			MinimumHealthyPercent: aws.Int32(int32(service.State["deploymentMinimumHealthyPercent"].NumberValue())),
		},
	}
	for _, b := range balancersOf(service.State) {
		out.LoadBalancers = append(out.LoadBalancers, types.LoadBalancer{ContainerName: aws.String(b.Container), ContainerPort: aws.Int32(int32(b.Port)),
			TargetGroupArn: aws.String(b.Group)})
	}
	for i, d := range s.Deployments {
		described := types.Deployment{
			Id: aws.String(d.ID), Status: aws.String("ACTIVE"), TaskDefinition: aws.String(d.Definition), RolloutState: types.DeploymentRolloutState(d.State),
			RolloutStateReason: aws.String(d.Reason), FailedTasks: int32(d.Failed), CreatedAt: at(d.Number), UpdatedAt: at(s.Started),
			RunningCount: int32(s.count(d.ID, running)), PendingCount: int32(s.count(d.ID, pending)), LaunchType: out.LaunchType,
		}
		described.DesiredCount = described.RunningCount
		if i == 0 {
			described.Status, described.DesiredCount = aws.String("PRIMARY"), desired
		}
		out.RunningCount += described.RunningCount
		out.PendingCount += described.PendingCount
		out.Deployments = append(out.Deployments, described)
	}
	for i, message := range s.Events {
		out.Events = append(out.Events, types.ServiceEvent{Id: aws.String(uuid(hash(service.ID+message, 32))), Message: aws.String(message),
			CreatedAt: at(max(s.Started-i, 0))})
	}
	return out
}

func describeTask(cluster, service Resource, s *scheduler, t task) types.Task {
	out := types.Task{
		TaskArn: aws.String(taskARN(cluster, t)), ClusterArn: aws.String(cluster.ID), TaskDefinitionArn: aws.String(t.Definition),
		Group: aws.String("service:" + text(service.State, "name")), StartedBy: aws.String(t.Deployment), LastStatus: aws.String(t.Status),
		DesiredStatus: aws.String(running), CreatedAt: at(t.Number), LaunchType: types.LaunchType(text(service.State, "launchType")),
	}
	if t.Status == stopped {
		out.DesiredStatus, out.StopCode, out.StoppedReason, out.StoppedAt = aws.String(stopped), types.TaskStopCode(t.Code), aws.String(t.Reason), at(s.Started)
	}
	for _, c := range t.Containers {
		described := types.Container{Name: aws.String(c.Name), Image: aws.String(c.Image), LastStatus: aws.String(t.Status), TaskArn: out.TaskArn}
		switch out.StopCode {
		case types.TaskStopCodeTaskFailedToStart:
			described.Reason = aws.String(t.Reason)
		case types.TaskStopCodeEssentialContainerExited:
			described.ExitCode = aws.Int32(1)
		}
		out.Containers = append(out.Containers, described)
	}
	return out
}

// schedulersFile renders the schedulers of the services that exist, and pulledFile the images of the repositories that exist.
func (a *Account) schedulersFile() (json.RawMessage, error) {
	return keptOf(a, a.schedulers, ecsService)
}

func (a *Account) pulledFile() (json.RawMessage, error) { return keptOf(a, a.pulled, ecrRepository) }

// keptOf drops what belongs to resources of a type that are gone, and renders the rest.
func keptOf[T any](a *Account, all map[string]T, typ string) (json.RawMessage, error) {
	maps.DeleteFunc(all, func(id string, _ T) bool {
		_, ok := a.locate(typ, id, "")
		return !ok
	})
	data, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("awssim: account: %w", err)
	}
	return data, nil
}
