package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ServiceTarget is what a rollout brings to an ECS service.
type ServiceTarget struct {
	// Cluster and Service are physical names.
	Cluster, Service string
	// Definition is the ARN of the task definition.
	Definition string
	// Targets is the ARN of the load balancer's target group; it gets the tasks' Container at Port. The container has the
	// service's name in stack config.
	Targets, Container string
	Port               int
	// Image is the reference of the container's image, for messages.
	Image string
}

// settling is how long ECS may take until DescribeServices shows what it has accepted: a deployment that was started, or a
// rollback of one that has failed.
const settling = time.Minute

// RunService brings the target to an ECS service, and returns once as many of its tasks run as the service wants, or after
// Wait. It continues a deployment of the target that is in progress, and supersedes any other. A deployment that fails, or
// during which one of the service's alarms fires, is taken back by ECS: RunService waits for the end of that and returns
// ECS's reason and those of the stopped tasks.
func (r Rollout) RunService(ctx context.Context, t ServiceTarget) error {
	d := deployment{Rollout: r, ServiceTarget: t, began: r.Clock.Now()}
	service, err := r.FindService(ctx, t)
	if err != nil {
		return err
	}
	now := Primary(service)
	switch {
	case !t.isSet(service) || now.RolloutState == types.DeploymentRolloutStateFailed:
		if now, err = d.start(ctx, service); err != nil {
			return err
		}
	case now.RolloutState == types.DeploymentRolloutStateCompleted:
		r.Say(fmt.Sprintf("%s: definition %s is deployed", t.label(), short(t.Definition)))
		if r.Wait == 0 {
			return nil
		}
	default:
		r.Say(fmt.Sprintf("%s: continues the deployment of definition %s, which is in progress", t.label(), short(t.Definition)))
	}
	if r.Wait == 0 {
		r.Say(t.label() + ": not waiting for the deployment (cinema:release wait: 0); `go run . release status` follows it")
		return nil
	}
	d.own = now
	return d.conclude(ctx)
}

// FindService returns the service of a target, which has a primary deployment.
func (c Cloud) FindService(ctx context.Context, t ServiceTarget) (types.Service, error) {
	answer, err := c.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(t.Cluster), Services: []string{t.Service}})
	if err != nil {
		return types.Service{}, fmt.Errorf("%s: describe %s in cluster %s: %w", t.label(), t.Service, t.Cluster, err)
	}
	const remedy = "is this the stack's account and region? If it was deleted, run `pulumi refresh`, then `pulumi up`"
	if len(answer.Services) != 1 {
		reason := "not listed"
		for _, f := range answer.Failures {
			reason = strings.TrimSpace(aws.ToString(f.Reason) + " " + aws.ToString(f.Detail))
		}
		return types.Service{}, fmt.Errorf("%s: cluster %s has no service %s (%s): %s", t.label(), t.Cluster, t.Service, reason, remedy)
	}
	service := answer.Services[0]
	if status := aws.ToString(service.Status); status != "ACTIVE" {
		return types.Service{}, fmt.Errorf("%s: service %s in cluster %s is %s: %s", t.label(), t.Service, t.Cluster, status, remedy)
	}
	if Primary(service).Id == nil {
		return types.Service{}, fmt.Errorf("%s: service %s in cluster %s has no primary deployment", t.label(), t.Service, t.Cluster)
	}
	return service, nil
}

// Primary returns a service's latest deployment.
func Primary(s types.Service) types.Deployment {
	for _, d := range s.Deployments {
		if aws.ToString(d.Status) == "PRIMARY" {
			return d
		}
	}
	return types.Deployment{}
}

// RollsBack reports whether ECS has made a deployment to take back one that failed.
func RollsBack(d types.Deployment) bool {
	return strings.Contains(aws.ToString(d.RolloutStateReason), "rolling back to deployment")
}

// DescribeCounts renders the tasks of a service's primary deployment.
func DescribeCounts(s types.Service) string {
	now := Primary(s)
	line := fmt.Sprintf("%d of %d tasks run", now.RunningCount, now.DesiredCount)
	switch now.PendingCount {
	case 0:
	case 1:
		line += ", 1 starts"
	default:
		line += fmt.Sprintf(", %d start", now.PendingCount)
	}
	if now.FailedTasks > 0 {
		line += fmt.Sprintf(", %d failed", now.FailedTasks)
	}
	earlier := int32(0)
	for _, d := range s.Deployments {
		if aws.ToString(d.Id) != aws.ToString(now.Id) {
			earlier += d.RunningCount
		}
	}
	if earlier > 0 {
		line += fmt.Sprintf(", %d of earlier deployments run", earlier)
	}
	return line
}

// FollowService says each change of a service until its primary deployment has ended and is another than not, or has failed
// with no other to go back to. It returns the service as it was last. At the deadline the error is ErrTimeout.
func (r Rollout) FollowService(ctx context.Context, t ServiceTarget, not string, deadline time.Time) (service types.Service, err error) {
	shown := ""
	for {
		if service, err = r.FindService(ctx, t); err != nil {
			return service, err
		}
		now := Primary(service)
		ended := now.RolloutState == types.DeploymentRolloutStateCompleted || now.RolloutState == types.DeploymentRolloutStateFailed
		line := fmt.Sprintf("%s: definition %s is being deployed: %s", t.label(), short(aws.ToString(now.TaskDefinition)), DescribeCounts(service))
		if RollsBack(now) {
			line = fmt.Sprintf("%s: goes back to definition %s: %s", t.label(), short(aws.ToString(now.TaskDefinition)), DescribeCounts(service))
		}
		if line != shown && !ended {
			r.Say(line)
			shown = line
		}
		if ended && (aws.ToString(now.Id) != not || now.RolloutState == types.DeploymentRolloutStateFailed && len(service.Deployments) == 1) {
			return service, nil
		}
		if err := r.pause(ctx, deadline); err != nil {
			return service, err
		}
	}
}

// pause waits until the next request. At the deadline the error is ErrTimeout.
func (r Rollout) pause(ctx context.Context, deadline time.Time) error {
	left := deadline.Sub(r.Clock.Now())
	if left <= 0 {
		return ErrTimeout
	}
	return r.Clock.Sleep(ctx, min(PollEvery, left))
}

// label names a service in messages as stack config does.
func (t ServiceTarget) label() string { return "service " + t.Container }

// short returns family and revision of a task definition's ARN: demo:7.
func short(definition string) string {
	return definition[strings.LastIndex(definition, "/")+1:]
}

// isSet reports whether a service's primary deployment is of the target.
func (t ServiceTarget) isSet(s types.Service) bool {
	return aws.ToString(Primary(s).TaskDefinition) == t.Definition && t.balanced(s)
}

// balanced reports whether the load balancer sends a service's requests to the target's container port.
func (t ServiceTarget) balanced(s types.Service) bool {
	if len(s.LoadBalancers) != 1 {
		return false
	}
	b := s.LoadBalancers[0]
	return aws.ToString(b.TargetGroupArn) == t.Targets && aws.ToString(b.ContainerName) == t.Container && aws.ToInt32(b.ContainerPort) == int32(t.Port)
}

// deployment is a deployment of the target that RunService follows.
type deployment struct {
	Rollout
	ServiceTarget
	began time.Time
	own   types.Deployment // as it was seen last
	back  bool             // ECS has been seen to take it back
}

func (d *deployment) deadline() time.Time { return d.began.Add(d.Wait) }

// start starts the deployment.
func (d *deployment) start(ctx context.Context, service types.Service) (types.Deployment, error) {
	before := Primary(service)
	in := &ecs.UpdateServiceInput{
		Cluster: aws.String(d.Cluster), Service: aws.String(d.Service), TaskDefinition: aws.String(d.Definition),
		// Without this, ECS starts nothing for the definition that has failed.
		ForceNewDeployment: d.isSet(service),
	}
	if !d.balanced(service) {
		in.LoadBalancers = []types.LoadBalancer{{
			TargetGroupArn: aws.String(d.Targets), ContainerName: aws.String(d.Container), ContainerPort: aws.Int32(int32(d.Port)),
		}}
	}
	answer, err := d.ECS.UpdateService(ctx, in)
	if err != nil {
		return types.Deployment{}, fmt.Errorf("%s: deploy definition %s (%s): %w", d.label(), short(d.Definition), d.Image, err)
	}
	now := types.Deployment{}
	if answer.Service != nil {
		now = Primary(*answer.Service)
	}
	if aws.ToString(now.TaskDefinition) != d.Definition || aws.ToString(now.Id) == aws.ToString(before.Id) {
		return types.Deployment{}, fmt.Errorf("%s: ECS accepted definition %s (%s), but started no deployment: run `pulumi up` again", d.label(), short(d.Definition), d.Image)
	}
	line := fmt.Sprintf("%s: deployment of definition %s (%s) starts", d.label(), short(d.Definition), d.Image)
	if before.RolloutState == types.DeploymentRolloutStateInProgress {
		line += fmt.Sprintf(" and supersedes that of definition %s, which is in progress", short(aws.ToString(before.TaskDefinition)))
	}
	d.Say(line)
	return now, nil
}

// conclude follows the deployment, and returns an error unless it ends well.
func (d *deployment) conclude(ctx context.Context) error {
	service, err := d.follow(ctx)
	if errors.Is(err, ErrTimeout) {
		return d.withReasons(ctx, service, d.timeout(service))
	}
	if err != nil {
		return err
	}
	now := Primary(service)
	if d.is(now) && now.RolloutState == types.DeploymentRolloutStateCompleted {
		return nil
	}
	if !d.is(now) {
		// The reasons are worth showing also where the end of the rollback is not known.
		if service, err = d.FollowService(ctx, d.ServiceTarget, aws.ToString(d.own.Id), d.deadline()); err != nil && !errors.Is(err, ErrTimeout) {
			return errors.Join(d.withReasons(ctx, service, d.failure(service)), err)
		}
	}
	return d.withReasons(ctx, service, fmt.Sprintf("%s. %s. Correct the image or the config and run `pulumi up` again; `go run . release status` shows the state and the log group",
		d.failure(service), d.serves(service)))
}

// follow says each change until the deployment has ended or another one is the service's primary deployment, and returns
// the service as it was last. It follows a later deployment of the same target.
func (d *deployment) follow(ctx context.Context) (types.Service, error) {
	shown, seen, healthy := "", false, d.Clock.Now()
	for {
		service, err := d.FindService(ctx, d.ServiceTarget)
		if err != nil {
			return service, err
		}
		now := Primary(service)
		for _, o := range service.Deployments {
			if d.is(o) {
				d.own, seen = o, true
			}
		}
		if !seen {
			seen = d.Clock.Now().Sub(d.began) >= settling
		} else if !d.is(now) {
			if d.back = RollsBack(now); !d.isSet(service) {
				return service, nil
			}
			d.Say(d.label() + ": a later deployment of the same definition replaces this one")
			d.own = now
		}
		if d.is(now) {
			line := d.label() + ": " + DescribeCounts(service)
			if line != shown {
				d.Say(line)
				shown = line
			}
			if now.RolloutState == types.DeploymentRolloutStateCompleted && now.RunningCount >= now.DesiredCount {
				return service, nil
			}
			if now.RolloutState != types.DeploymentRolloutStateFailed {
				healthy = d.Clock.Now()
			} else if len(service.Deployments) == 1 || d.Clock.Now().Sub(healthy) >= settling {
				return service, nil // nothing to go back to, or ECS does not
			}
		}
		if err := d.pause(ctx, d.deadline()); err != nil {
			return service, err
		}
	}
}

// is reports whether a deployment is the one that RunService follows.
func (d *deployment) is(o types.Deployment) bool { return aws.ToString(o.Id) == aws.ToString(d.own.Id) }

// what names the deployment in messages.
func (d *deployment) what() string {
	return fmt.Sprintf("%s: the deployment of definition %s (%s)", d.label(), short(d.Definition), d.Image)
}

// timeout says that the deployment has not ended in time.
func (d *deployment) timeout(service types.Service) string {
	if now := Primary(service); d.is(now) && now.RolloutState == types.DeploymentRolloutStateCompleted {
		return fmt.Sprintf("%s is complete, but not all tasks run after %v (%s). Correct the image or the config and run `pulumi up` again",
			d.what(), d.Wait, DescribeCounts(service))
	}
	return fmt.Sprintf("%s has not ended within %v (%s). It continues on AWS: the next `pulumi up` follows it, and so does `go run . release status`; "+
		"`go run . release rollback --service %s` ends it", d.what(), d.Wait, DescribeCounts(service), d.Container)
}

// failure says how the deployment has failed.
func (d *deployment) failure(service types.Service) string {
	reason := FailureOf(service, aws.ToString(d.own.Id))
	failed := reason != "" || d.own.RolloutState == types.DeploymentRolloutStateFailed
	if said := aws.ToString(d.own.RolloutStateReason); said != "" && d.own.RolloutState == types.DeploymentRolloutStateFailed {
		reason = strings.TrimRight(oneLine(said), ".")
	}
	now := Primary(service)
	line := d.what() + " failed"
	switch {
	case d.is(now), now.Id == nil:
	case !failed && !RollsBack(now) && !d.back:
		line = fmt.Sprintf("%s was replaced by one of definition %s", d.what(), short(aws.ToString(now.TaskDefinition)))
	default:
		line += ", and ECS went back"
	}
	if reason != "" {
		line += ": " + reason
	}
	return line
}

// serves says which tasks serve after the end of the deployment.
func (d *deployment) serves(service types.Service) string {
	now := Primary(service)
	definition := short(aws.ToString(now.TaskDefinition))
	switch {
	case d.is(now) && len(service.Deployments) == 1:
		return "There was no deployment to go back to: " + DescribeCounts(service)
	case d.is(now):
		return "ECS did not go back to the deployment before: " + DescribeCounts(service)
	case now.RolloutState == types.DeploymentRolloutStateFailed:
		return fmt.Sprintf("The deployment of definition %s that followed failed too (%s): %s", definition,
			strings.TrimRight(oneLine(aws.ToString(now.RolloutStateReason)), "."), DescribeCounts(service))
	case now.RolloutState != types.DeploymentRolloutStateCompleted:
		return fmt.Sprintf("The deployment of definition %s that followed has not ended within %v: %s", definition, d.Wait, DescribeCounts(service))
	}
	return fmt.Sprintf("Definition %s serves: %s", definition, DescribeCounts(service))
}

// withReasons adds the reasons of the deployment's stopped tasks to a message.
func (d *deployment) withReasons(ctx context.Context, service types.Service, message string) error {
	for _, reason := range d.StoppedTasks(ctx, d.ServiceTarget, service, d.own) {
		message += "\n  " + reason
	}
	return errors.New(message)
}
