package rollout

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// FindGroup returns an Auto Scaling group.
func (c Cloud) FindGroup(ctx context.Context, name string) (types.AutoScalingGroup, error) {
	answer, err := c.AutoScaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err != nil {
		return types.AutoScalingGroup{}, fmt.Errorf("group %s: %w", name, err)
	}
	if len(answer.AutoScalingGroups) != 1 {
		return types.AutoScalingGroup{}, fmt.Errorf("group %s is not in this account and region: is this the stack's account?", name)
	}
	return answer.AutoScalingGroups[0], nil
}

// LatestRefresh returns the instance refresh of a group that started last, nil if the group never had one.
func (c Cloud) LatestRefresh(ctx context.Context, group string) (*types.InstanceRefresh, error) {
	answer, err := c.AutoScaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String(group)})
	if err != nil {
		return nil, fmt.Errorf("instance refreshes of %s: %w", group, err)
	}
	if len(answer.InstanceRefreshes) == 0 {
		return nil, nil
	}
	// AWS lists the latest first. A pending refresh has no start time to sort by.
	return &answer.InstanceRefreshes[0], nil
}

// Ended reports whether a refresh has reached a final state.
func Ended(r *types.InstanceRefresh) bool {
	switch r.Status {
	case types.InstanceRefreshStatusSuccessful, types.InstanceRefreshStatusFailed, types.InstanceRefreshStatusCancelled,
		types.InstanceRefreshStatusRollbackSuccessful, types.InstanceRefreshStatusRollbackFailed:
		return true
	default: // Pending, InProgress, Cancelling, RollbackInProgress, Baking
		return false
	}
}

// Describe renders a refresh on one line.
func Describe(r *types.InstanceRefresh) string {
	if r == nil {
		return "not seen yet"
	}
	line := fmt.Sprintf("%s, %d %% done, %d instances to update", r.Status, aws.ToInt32(r.PercentageComplete), aws.ToInt32(r.InstancesToUpdate))
	var said []string
	for _, why := range []*string{r.StatusReason, rollbackReason(r)} {
		if reason := strings.TrimSpace(aws.ToString(why)); reason != "" && !slices.Contains(said, reason) {
			said = append(said, reason)
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

// TemplateVersion returns the version of the launch template that a group is set to, "" if it has no launch template.
func TemplateVersion(g types.AutoScalingGroup) string {
	if g.LaunchTemplate == nil {
		return ""
	}
	return aws.ToString(g.LaunchTemplate.Version)
}

// InstanceVersion returns the version of the launch template that started an instance.
func InstanceVersion(i types.Instance) string {
	if i.LaunchTemplate == nil {
		return "none"
	}
	return aws.ToString(i.LaunchTemplate.Version)
}

// Ready reports whether an instance is in service, healthy, and of a template version.
func Ready(i types.Instance, version string) bool {
	return i.LifecycleState == types.LifecycleStateInService && strings.EqualFold(aws.ToString(i.HealthStatus), "healthy") && InstanceVersion(i) == version
}

// PrintInstances prints a group's instances, those that are not ready first.
func PrintInstances(out io.Writer, g types.AutoScalingGroup, version string) {
	fmt.Fprintf(out, "instances of %s (template version %s):\n", aws.ToString(g.AutoScalingGroupName), version)
	instances := slices.Clone(g.Instances)
	slices.SortFunc(instances, func(a, b types.Instance) int {
		return cmp.Or(rank(a, version)-rank(b, version), strings.Compare(aws.ToString(a.InstanceId), aws.ToString(b.InstanceId)))
	})
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  INSTANCE\tZONE\tLIFECYCLE\tHEALTH\tVERSION")
	for _, i := range instances {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", aws.ToString(i.InstanceId), aws.ToString(i.AvailabilityZone), i.LifecycleState,
			aws.ToString(i.HealthStatus), InstanceVersion(i))
	}
	w.Flush()
}

func rank(i types.Instance, version string) int {
	if Ready(i, version) {
		return 1
	}
	return 0
}
