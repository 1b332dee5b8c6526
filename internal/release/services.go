package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"cinema-database/internal/cli"
	"cinema-database/internal/rollout"
)

// target is the service of a name in stack config.
func (s *session) target(name string) rollout.ServiceTarget {
	return rollout.ServiceTarget{Cluster: s.outputs.Cluster, Service: s.outputs.Services[name].Service, Container: name, Image: s.outputs.Services[name].Image}
}

// services follows the deployments of the services until they end, prints the state of each service and why tasks of a
// failed deployment stopped, and returns which services do not run their image.
func (s *session) services(ctx context.Context, deadline time.Time) error {
	if len(s.outputs.Services) == 0 {
		return nil
	}
	var faults []error
	var table, details strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  SERVICE\tIMAGE\tDEFINITION\tTASKS\tDEPLOYMENT")
	for _, name := range slices.Sorted(maps.Keys(s.outputs.Services)) {
		t := s.target(name)
		service, err := s.FollowService(ctx, t, "", deadline)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !errors.Is(err, rollout.ErrTimeout) {
			faults = append(faults, err)
			continue
		}
		now := rollout.Primary(service)
		definition := aws.ToString(now.TaskDefinition)
		image, logs := s.definition(ctx, t, definition)
		fmt.Fprintf(w, "  %s\t%s\t%s\t%d of %d\t%s\n", name, cmp.Or(image, t.Image), definition[strings.LastIndex(definition, ":")+1:],
			now.RunningCount, now.DesiredCount, now.RolloutState)
		if fault := s.fault(t, service, image); fault != nil {
			faults = append(faults, fmt.Errorf("service %s: %w", name, fault))
			s.explain(ctx, &details, t, service, logs)
		}
	}
	w.Flush()
	fmt.Fprintf(s.out, "services of %s:\n%s%s", s.outputs.Cluster, table.String(), details.String())
	return errors.Join(faults...)
}

// fault returns why a service does not run its image, nil if it does. image is what it runs, "" if that is not known.
func (s *session) fault(t rollout.ServiceTarget, service types.Service, image string) error {
	now := rollout.Primary(service)
	failure := rollout.LastFailure(service)
	switch {
	case now.RolloutState == types.DeploymentRolloutStateFailed:
		return fmt.Errorf("the deployment failed: %s", aws.ToString(now.RolloutStateReason))
	case now.RolloutState != types.DeploymentRolloutStateCompleted:
		return fmt.Errorf("the deployment has not ended within %v (%s) and continues: run this command again, or `%s release rollback --stack %s --service %s`",
			s.Wait, rollout.DescribeCounts(service), cli.GoRun(), s.stack, t.Container)
	case failure != nil && failure.Back:
		return fmt.Errorf("ECS took back the latest deployment: %s. Correct the image or the config and run `pulumi up --stack %s`", failure.Reason, s.stack)
	case now.RunningCount < now.DesiredCount:
		return errors.New(rollout.DescribeCounts(service))
	case image != "" && t.Image != "" && image != t.Image:
		return fmt.Errorf("it runs %s, but the image of stack %s is %s: an update is in progress or was interrupted, or somebody rolled back by hand; `pulumi up --stack %s` corrects it",
			image, s.stack, t.Image, s.stack)
	}
	return nil
}

// explain prints why tasks of the latest deployment stopped, and where the containers' output is.
func (s *session) explain(ctx context.Context, out *strings.Builder, t rollout.ServiceTarget, service types.Service, logs string) {
	about := rollout.Primary(service)
	if failure := rollout.LastFailure(service); failure != nil && failure.Back {
		about = failure.Deployment
		fmt.Fprintf(out, "%s: the deployment of %s failed: %s\n", t.Container, failure.Time.UTC().Format("2006-01-02 15:04"), failure.Reason)
	}
	for _, reason := range s.StoppedTasks(ctx, t, service, about) {
		fmt.Fprintf(out, "%s: %s\n", t.Container, reason)
	}
	if logs != "" {
		fmt.Fprintf(out, "%s: aws logs tail %s --region %s --since 1h shows what the containers write\n", t.Container, logs, s.outputs.Region)
	}
}

// definition returns the image and the log group of a task definition, "" where it does not say them or where the caller
// may not read it.
func (s *session) definition(ctx context.Context, t rollout.ServiceTarget, arn string) (image, logs string) {
	answer, err := s.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(arn)})
	if err != nil || answer.TaskDefinition == nil {
		return "", ""
	}
	for _, c := range answer.TaskDefinition.ContainerDefinitions {
		if aws.ToString(c.Name) == t.Container {
			image = aws.ToString(c.Image)
			if c.LogConfiguration != nil {
				logs = c.LogConfiguration.Options["awslogs-group"]
			}
		}
	}
	return image, logs
}

// rollbackService makes ECS take back the deployment of a service that is in progress, and waits until it has.
// StopServiceDeployment also restores the container port, which an update to the former task definition would not.
func (s *session) rollbackService(ctx context.Context, name string) error {
	if _, found := s.outputs.Services[name]; !found {
		return fmt.Errorf("flag --service %s: not a service of stack %s; its services: %s", name, s.stack,
			cmp.Or(strings.Join(slices.Sorted(maps.Keys(s.outputs.Services)), ", "), "none"))
	}
	t := s.target(name)
	service, err := s.FindService(ctx, t)
	if err != nil {
		return err
	}
	now, taken := rollout.Primary(service), ""
	if now.RolloutState != types.DeploymentRolloutStateInProgress {
		return fmt.Errorf("service %s: no deployment is in progress (%s, %s), and ECS cannot take back one that has ended. "+
			"Set services.%s.image of the stack's config to the former image and run `pulumi up --stack %s`", name, now.RolloutState, rollout.DescribeCounts(service), name, s.stack)
	}
	if !rollout.RollsBack(now) {
		taken = aws.ToString(now.Id)
		if err := s.stop(ctx, t); err != nil {
			return fmt.Errorf("service %s: %w", name, err)
		}
		fmt.Fprintf(s.out, "service %s: ECS takes back the deployment\n", name)
	}
	service, err = s.FollowService(ctx, t, taken, s.Clock.Now().Add(s.Wait))
	if errors.Is(err, rollout.ErrTimeout) {
		return fmt.Errorf("service %s: the rollback has not ended within %v (%s) and continues: `%s release status --stack %s` follows it",
			name, s.Wait, rollout.DescribeCounts(service), cli.GoRun(), s.stack)
	}
	if err != nil {
		return err
	}
	last := rollout.Primary(service)
	if last.RolloutState == types.DeploymentRolloutStateFailed {
		return fmt.Errorf("service %s: the rollback failed (%s): %s. Correct the image or the config and run `pulumi up --stack %s`", name,
			aws.ToString(last.RolloutStateReason), rollout.DescribeCounts(service), s.stack)
	}
	image, _ := s.definition(ctx, t, aws.ToString(last.TaskDefinition))
	fmt.Fprintf(s.out, "service %s: %s serves again, until a pulumi up changes the service: %s\n", name,
		cmp.Or(image, aws.ToString(last.TaskDefinition)), rollout.DescribeCounts(service))
	return nil
}

// stop stops the deployment of a service that is in progress.
func (s *session) stop(ctx context.Context, t rollout.ServiceTarget) error {
	answer, err := s.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(t.Cluster), Service: aws.String(t.Service),
		Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress},
	})
	if err != nil {
		return fmt.Errorf("list deployments: %w", err)
	}
	if len(answer.ServiceDeployments) == 0 {
		return fmt.Errorf("no deployment is listed that can be taken back; `%s release status --stack %s` shows the state", cli.GoRun(), s.stack)
	}
	_, err = s.ecs.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: answer.ServiceDeployments[0].ServiceDeploymentArn, StopType: types.StopServiceDeploymentStopTypeRollback,
	})
	if err != nil {
		return fmt.Errorf("take back the deployment: %w; correct the image or the config and run `pulumi up --stack %s`, which supersedes it", err, s.stack)
	}
	return nil
}
