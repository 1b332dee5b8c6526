package rollout

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	// maxReasons is how many different reasons are worth a line.
	maxReasons = 5
	// maxDescribed is the limit of DescribeTasks (API reference).
	maxDescribed = 100
)

var (
	// unique is what differs between the reasons of tasks that stopped for the same one: ids of tasks, instances, requests and
	// deployments, and times.
	unique = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|\bi-[0-9a-f]{8,17}\b|\becs-svc/\d+|\b\d{1,3}(\.\d{1,3}){3}\b|\d{4}-\d\d-\d\dT[0-9:.]+Z?`)

	// failedEvent is the event of a deployment that failed.
	failedEvent = regexp.MustCompile(`\(deployment (ecs-svc/\d+)\) deployment failed: (.*)$`)
	// backEvent is the event of a rollback that starts.
	backEvent = regexp.MustCompile(`rolling back to deployment`)
	// troubleEvent is an event that says why tasks do not start or do not stay: no place for them, or failed health checks.
	troubleEvent = regexp.MustCompile(`unable to|is unhealthy in|failed container health checks`)
	// subject is what an event begins with.
	subject = regexp.MustCompile(`^\(service [^)]*\),? `)
)

// StoppedTasks returns why tasks of a deployment stopped, one line for each reason with the number of the tasks, and what
// the service's events say. ECS shows a stopped task for an hour or more (API reference, DescribeTasks). Of a caller who may
// not read the tasks it says so.
func (c Cloud) StoppedTasks(ctx context.Context, t ServiceTarget, s types.Service, d types.Deployment) []string {
	tasks, err := c.stopped(ctx, t, aws.ToString(d.Id))
	counted := map[string]int{}
	said := map[string]string{}
	for _, task := range tasks {
		reason := reasonOf(task)
		if reason == "" {
			continue
		}
		key := unique.ReplaceAllString(reason, "")
		counted[key]++
		said[key] = cmp.Or(said[key], reason)
	}
	keys := slices.SortedFunc(maps.Keys(counted), func(a, b string) int { return cmp.Or(counted[b]-counted[a], strings.Compare(a, b)) })
	var lines []string
	for _, key := range keys[:min(len(keys), maxReasons)] {
		lines = append(lines, fmt.Sprintf("%s stopped: %s", count(counted[key], "task"), said[key]))
	}
	if more := len(keys) - maxReasons; more > 0 {
		lines = append(lines, fmt.Sprintf("and for %s", count(more, "other reason")))
	}
	lines = append(lines, events(s, d)...)
	if err != nil {
		lines = append(lines, fmt.Sprintf("the reasons of the stopped tasks cannot be read: %v", err))
	}
	return lines
}

// stopped lists the stopped tasks that a deployment has started.
func (c Cloud) stopped(ctx context.Context, t ServiceTarget, deployment string) ([]types.Task, error) {
	var arns []string
	list := ecs.NewListTasksPaginator(c.ECS, &ecs.ListTasksInput{
		Cluster: aws.String(t.Cluster), ServiceName: aws.String(t.Service), DesiredStatus: types.DesiredStatusStopped,
	}, func(o *ecs.ListTasksPaginatorOptions) { o.StopOnDuplicateToken = true })
	for list.HasMorePages() {
		page, err := list.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		arns = append(arns, page.TaskArns...)
	}
	var tasks []types.Task
	for some := range slices.Chunk(arns, maxDescribed) {
		answer, err := c.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(t.Cluster), Tasks: some})
		if err != nil {
			return tasks, err
		}
		for _, task := range answer.Tasks {
			if aws.ToString(task.StartedBy) == deployment {
				tasks = append(tasks, task)
			}
		}
	}
	return tasks, nil
}

// reasonOf returns why a task stopped, "" if ECS only had no more use for it.
func reasonOf(task types.Task) string {
	reason := oneLine(aws.ToString(task.StoppedReason))
	if strings.HasPrefix(reason, "Scaling activity initiated by") {
		return ""
	}
	var parts []string
	for _, c := range task.Containers {
		why := oneLine(aws.ToString(c.Reason))
		switch {
		case c.ExitCode != nil && task.StopCode == types.TaskStopCodeEssentialContainerExited:
			exit := fmt.Sprintf("%s exited with %d", aws.ToString(c.Name), *c.ExitCode)
			if why != "" {
				exit += ": " + why
			}
			parts = append(parts, exit)
		case why != "" && !strings.Contains(reason, why):
			parts = append(parts, why)
		}
	}
	if len(parts) == 0 || task.StopCode != types.TaskStopCodeEssentialContainerExited {
		parts = slices.Insert(parts, 0, cmp.Or(reason, string(task.StopCode), "ECS gives no reason"))
	}
	return strings.Join(parts, "; ")
}

// events returns what the service's events say about trouble since a deployment began, one line for each kind.
func events(s types.Service, d types.Deployment) []string {
	var lines []string
	seen := map[string]bool{}
	for _, e := range s.Events { // the latest is first
		message := oneLine(aws.ToString(e.Message))
		key := unique.ReplaceAllString(message, "")
		if aws.ToTime(e.CreatedAt).Before(aws.ToTime(d.CreatedAt)) || !troubleEvent.MatchString(message) || seen[key] || len(lines) == maxReasons {
			continue
		}
		seen[key] = true
		lines = append(lines, "ECS says: "+strings.TrimRight(subject.ReplaceAllString(message, ""), "."))
	}
	return lines
}

// FailureOf returns why a deployment failed, by the service's events; "" if they do not say that it did.
func FailureOf(s types.Service, deployment string) string {
	for _, e := range s.Events {
		if m := failedEvent.FindStringSubmatch(oneLine(aws.ToString(e.Message))); m != nil && m[1] == deployment {
			return strings.TrimRight(m[2], ".")
		}
	}
	return ""
}

// Failure is a deployment that has failed.
type Failure struct {
	// Deployment has no more than an id and a time from which the service's events are about it.
	Deployment types.Deployment
	Reason     string
	Time       time.Time
	// Back says that the service's primary deployment is the one that took this one back.
	Back bool
}

// LastFailure returns the latest failure among a service's events, nil if there is none.
func LastFailure(s types.Service) *Failure {
	var back time.Time
	for _, e := range s.Events { // the latest is first
		message := oneLine(aws.ToString(e.Message))
		if back.IsZero() && backEvent.MatchString(message) {
			back = aws.ToTime(e.CreatedAt)
		}
		if m := failedEvent.FindStringSubmatch(message); m != nil {
			// ECS makes the deployment that goes back at the time of the event. One that an operator starts comes later:
			// `pulumi up` first waits for the end of the rollback.
			after := aws.ToTime(Primary(s).CreatedAt).Sub(back)
			at := aws.ToTime(e.CreatedAt)
			return &Failure{
				Deployment: types.Deployment{Id: aws.String(m[1]), CreatedAt: aws.Time(at.Add(-time.Hour))},
				Reason:     strings.TrimRight(m[2], "."), Time: at, Back: !back.IsZero() && after.Abs() < settling,
			}
		}
	}
	return nil
}

// oneLine puts a text on one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// count renders a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
