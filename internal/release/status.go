package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// status follows the group's latest instance refresh until it ends. If the release is not on every instance, it prints
// the instances and returns the reason.
func (s *session) status(ctx context.Context, timeout time.Duration) error {
	deadline, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	refresh, err := s.follow(deadline)
	if errors.Is(context.Cause(deadline), errTimeout) {
		err = fmt.Errorf("the rollout has not ended within %v (%s) and continues: run this command again, or `go run . release rollback --stack %s`",
			timeout, describe(refresh), s.stack)
	}
	// After a timeout the instances are worth showing, but not after an interrupt.
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.conclude(ctx, refresh, err)
}

// isRelease returns an error if the group's launch template starts another release than the stack's outputs name.
func (s *session) isRelease(ctx context.Context, group types.AutoScalingGroup) error {
	if group.LaunchTemplate == nil {
		return fmt.Errorf("group %s has no launch template", s.outputs.Group)
	}
	versions, err := s.versions(ctx, aws.ToString(group.LaunchTemplate.LaunchTemplateId))
	if err != nil {
		return err
	}
	for release, numbers := range versions {
		for _, n := range numbers {
			if strconv.FormatInt(n, 10) == templateVersion(group) && !strings.HasPrefix(s.outputs.Releases["cinema"], release) {
				return fmt.Errorf("the group runs release %s, but the release of stack %s is %.12s: an update is in progress or was interrupted, or somebody rolled back by hand; `pulumi up --stack %s` corrects it",
					release, s.stack, s.outputs.Releases["cinema"], s.stack)
			}
		}
	}
	return nil
}

var errTimeout = errors.New("time is up")

// conclude compares the instances with the group's launch template.
func (s *session) conclude(ctx context.Context, refresh *types.InstanceRefresh, err error) error {
	group, groupErr := s.group(ctx)
	if groupErr != nil {
		return errors.Join(err, groupErr)
	}
	wanted := templateVersion(group)
	behind := 0
	for _, i := range group.Instances {
		if !ready(i, wanted) {
			behind++
		}
	}
	switch {
	case err != nil:
	case refresh != nil && refresh.Status != types.InstanceRefreshStatusSuccessful:
		err = fmt.Errorf("the rollout ended as %s", describe(refresh))
	case behind > 0:
		err = fmt.Errorf("%d of %d instances are not healthy on template version %s", behind, len(group.Instances), wanted)
	case len(group.Instances) == 0:
		err = fmt.Errorf("group %s has no instances", s.outputs.Group)
	default:
		err = s.isRelease(ctx, group)
	}
	if err != nil {
		printInstances(s.out, group, wanted)
		return err
	}
	if refresh == nil {
		fmt.Fprintln(s.out, "no rollout yet: these are the group's first instances")
	}
	fmt.Fprintf(s.out, "release %.12s is on all %d instances of %s (template version %s)\n",
		s.outputs.Releases["cinema"], len(group.Instances), s.outputs.Group, wanted)
	return nil
}

// follow prints a line for each change of the refresh and returns its final state, nil where the group never had a refresh.
func (s *session) follow(ctx context.Context) (*types.InstanceRefresh, error) {
	var last *types.InstanceRefresh
	shown := ""
	for {
		latest, err := s.latestRefresh(ctx)
		if err != nil {
			return last, err
		}
		if latest == nil {
			return nil, nil
		}
		if last != nil && aws.ToString(last.InstanceRefreshId) != aws.ToString(latest.InstanceRefreshId) {
			fmt.Fprintf(s.out, "refresh %s was replaced by %s\n", aws.ToString(last.InstanceRefreshId), aws.ToString(latest.InstanceRefreshId))
		}
		last = latest
		if line := describe(latest); line != shown {
			fmt.Fprintf(s.out, "%s  %s\n", aws.ToString(latest.InstanceRefreshId), line)
			shown = line
		}
		if ended(latest.Status) {
			return latest, nil
		}
		if err := s.wait(ctx, pollEvery); err != nil {
			return last, err
		}
	}
}

// latestRefresh returns the refresh that started last, nil where the group never had one.
func (s *session) latestRefresh(ctx context.Context) (*types.InstanceRefresh, error) {
	answer, err := s.scaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String(s.outputs.Group),
	})
	if err != nil {
		return nil, fmt.Errorf("instance refreshes of %s: %w", s.outputs.Group, err)
	}
	if len(answer.InstanceRefreshes) == 0 {
		return nil, nil
	}
	// AWS lists the latest first. A pending refresh has no start time to sort by.
	return &answer.InstanceRefreshes[0], nil
}

func (s *session) group(ctx context.Context) (types.AutoScalingGroup, error) {
	answer, err := s.scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{s.outputs.Group},
	})
	if err != nil {
		return types.AutoScalingGroup{}, fmt.Errorf("group %s: %w", s.outputs.Group, err)
	}
	if len(answer.AutoScalingGroups) != 1 {
		return types.AutoScalingGroup{}, fmt.Errorf("group %s is not in %s: is this the stack's account?", s.outputs.Group, s.outputs.Region)
	}
	return answer.AutoScalingGroups[0], nil
}

// ended reports whether a refresh has reached a final state.
func ended(status types.InstanceRefreshStatus) bool {
	switch status {
	case types.InstanceRefreshStatusSuccessful, types.InstanceRefreshStatusFailed, types.InstanceRefreshStatusCancelled,
		types.InstanceRefreshStatusRollbackSuccessful, types.InstanceRefreshStatusRollbackFailed:
		return true
	default: // Pending, InProgress, Cancelling, RollbackInProgress, Baking
		return false
	}
}

// describe renders a refresh on one line.
func describe(r *types.InstanceRefresh) string {
	if r == nil {
		return "not seen yet"
	}
	line := fmt.Sprintf("%s, %d %% done, %d instances to update", r.Status, aws.ToInt32(r.PercentageComplete), aws.ToInt32(r.InstancesToUpdate))
	for _, why := range []*string{r.StatusReason, rollbackReason(r)} {
		if reason := strings.TrimSpace(aws.ToString(why)); reason != "" {
			line += ": " + reason
		}
	}
	return line
}

func rollbackReason(r *types.InstanceRefresh) *string {
	if r.RollbackDetails == nil {
		return nil
	}
	return r.RollbackDetails.RollbackReason
}

func templateVersion(g types.AutoScalingGroup) string {
	if g.LaunchTemplate == nil {
		return ""
	}
	return aws.ToString(g.LaunchTemplate.Version)
}

func instanceVersion(i types.Instance) string {
	if i.LaunchTemplate == nil {
		return "none"
	}
	return aws.ToString(i.LaunchTemplate.Version)
}

// ready reports whether an instance is in service, healthy, and of the given template version.
func ready(i types.Instance, version string) bool {
	return i.LifecycleState == types.LifecycleStateInService && strings.EqualFold(aws.ToString(i.HealthStatus), "healthy") && instanceVersion(i) == version
}

// printInstances prints a group's instances, those that are not ready first.
func printInstances(out io.Writer, g types.AutoScalingGroup, wanted string) {
	fmt.Fprintf(out, "instances of %s (template version %s):\n", aws.ToString(g.AutoScalingGroupName), wanted)
	instances := slices.Clone(g.Instances)
	slices.SortFunc(instances, func(a, b types.Instance) int {
		if x, y := ready(a, wanted), ready(b, wanted); x != y {
			if y {
				return -1
			}
			return 1
		}
		return strings.Compare(aws.ToString(a.InstanceId), aws.ToString(b.InstanceId))
	})
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  INSTANCE\tZONE\tLIFECYCLE\tHEALTH\tVERSION")
	for _, i := range instances {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", aws.ToString(i.InstanceId), aws.ToString(i.AvailabilityZone), i.LifecycleState,
			aws.ToString(i.HealthStatus), instanceVersion(i))
	}
	w.Flush()
}
