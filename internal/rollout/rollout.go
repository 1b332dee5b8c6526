package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// PollEvery is the time between two requests for the state of a rollout or of a host: an instance takes minutes.
const PollEvery = 10 * time.Second

const (
	// WarmUp is the time from an instance's launch to its first healthy answer, with a margin.
	WarmUp = 180 * time.Second
	// MinHealthyPercent and MaxHealthyPercent start new instances before old ones stop, a third at a time.
	MinHealthyPercent = 100
	MaxHealthyPercent = 134
)

// Target is what a rollout brings to every instance of a group.
type Target struct {
	Group string
	// Template is the launch template's id, Version its version number.
	Template, Version string
	// Release is the short digest of the release.
	Release string
}

// Rollout is a rollout in a cloud. Say gets a line for each change.
type Rollout struct {
	Cloud
	Settings
	Say func(line string)
}

// Run rolls the target out, and returns once every instance runs it and is healthy, or after Wait. It continues a
// rollout to the same target that is in progress, and refuses to start while another one is. An instance refresh that
// fails, or during which one of the alarms fires, is rolled back by AWS: Run returns AWS's reason and the state of the
// instances.
func (r Rollout) Run(ctx context.Context, t Target, alarms []string) error {
	deadline := r.Clock.Now().Add(r.Wait)
	group, err := r.FindGroup(ctx, t.Group)
	if err != nil {
		return err
	}
	refresh, err := r.LatestRefresh(ctx, t.Group)
	if err != nil {
		return err
	}
	var id string
	switch {
	case refresh != nil && !Ended(refresh) && !aims(refresh, t):
		return fmt.Errorf("release %s: another rollout of group %s is in progress (%s, %s): wait until it ends, or end it with `go run . release rollback`, and run `pulumi up` again",
			t.Release, t.Group, aws.ToString(refresh.InstanceRefreshId), Describe(refresh))
	case refresh != nil && !Ended(refresh):
		id = aws.ToString(refresh.InstanceRefreshId)
		r.Say(fmt.Sprintf("release %s: continues rollout %s, which is in progress", t.Release, id))
	case complete(group, t):
		r.Say(fmt.Sprintf("release %s: every instance of %s is on template version %s", t.Release, t.Group, t.Version))
	default:
		if id, err = r.start(ctx, t, alarms); err != nil {
			return err
		}
		r.Say(fmt.Sprintf("release %s: rollout %s to template version %s starts", t.Release, id, t.Version))
	}
	if r.Wait == 0 {
		r.Say(fmt.Sprintf("release %s: not waiting for the rollout (cinema:release wait: 0); `go run . release status` follows it", t.Release))
		return nil
	}
	if id != "" {
		if err := r.conclude(ctx, t, id, deadline); err != nil {
			return err
		}
	}
	return r.settle(ctx, t, deadline)
}

// TakeBack makes AWS roll back a group's active refresh, and waits until it has. A refresh that AWS cannot roll back is
// cancelled: instances that it has replaced stay, which is an error.
func (r Rollout) TakeBack(ctx context.Context, group string, refresh *types.InstanceRefresh) error {
	id := aws.ToString(refresh.InstanceRefreshId)
	if refresh.Status != types.InstanceRefreshStatusRollbackInProgress {
		_, err := r.AutoScaling.RollbackInstanceRefresh(ctx, &autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: aws.String(group)})
		var irreversible *types.IrreversibleInstanceRefreshFault
		if errors.As(err, &irreversible) {
			if _, err := r.AutoScaling.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String(group)}); err != nil {
				return fmt.Errorf("cancel rollout %s of %s: %w", id, group, err)
			}
			return fmt.Errorf("rollout %s of %s is cancelled, but AWS cannot take it back: the instances that it has replaced stay; %s", id, group, irreversible.ErrorMessage())
		}
		if err != nil {
			return fmt.Errorf("roll back rollout %s of %s: %w", id, group, err)
		}
	}
	last, err := r.Follow(ctx, group, id, r.Clock.Now().Add(r.Wait))
	if err != nil {
		return fmt.Errorf("roll back rollout %s of %s: %w (%s)", id, group, err, Describe(last))
	}
	if last.Status != types.InstanceRefreshStatusRollbackSuccessful {
		return fmt.Errorf("rollout %s of %s ended as %s", id, group, Describe(last))
	}
	return nil
}

// aims reports whether a refresh brings the target.
func aims(r *types.InstanceRefresh, t Target) bool {
	if r.DesiredConfiguration == nil || r.DesiredConfiguration.LaunchTemplate == nil {
		return false
	}
	spec := r.DesiredConfiguration.LaunchTemplate
	return aws.ToString(spec.LaunchTemplateId) == t.Template && aws.ToString(spec.Version) == t.Version
}

// complete reports whether the group is set to the target and no instance differs from it. Instances may be missing.
func complete(g types.AutoScalingGroup, t Target) bool {
	if g.LaunchTemplate == nil || aws.ToString(g.LaunchTemplate.LaunchTemplateId) != t.Template || TemplateVersion(g) != t.Version {
		return false
	}
	for _, i := range g.Instances {
		if i.LaunchTemplate == nil || aws.ToString(i.LaunchTemplate.LaunchTemplateId) != t.Template || InstanceVersion(i) != t.Version {
			return false
		}
	}
	return true
}

// start starts an instance refresh and returns its id.
func (r Rollout) start(ctx context.Context, t Target, alarms []string) (string, error) {
	preferences := &types.RefreshPreferences{
		MinHealthyPercentage: aws.Int32(MinHealthyPercent), MaxHealthyPercentage: aws.Int32(MaxHealthyPercent),
		InstanceWarmup: aws.Int32(int32(WarmUp.Seconds())),
		SkipMatching:   aws.Bool(true), AutoRollback: aws.Bool(true),
	}
	if len(r.Checkpoints) > 0 {
		for _, c := range r.Checkpoints {
			preferences.CheckpointPercentages = append(preferences.CheckpointPercentages, int32(c))
		}
		// Without 100 at the end the refresh would stop at the last checkpoint.
		preferences.CheckpointPercentages = append(preferences.CheckpointPercentages, fullPercent)
		preferences.CheckpointDelay = aws.Int32(int32(r.Bake.Seconds()))
	}
	if r.Bake > 0 {
		preferences.BakeTime = aws.Int32(int32(r.Bake.Seconds()))
	}
	if len(alarms) > 0 {
		preferences.AlarmSpecification = &types.AlarmSpecification{Alarms: alarms}
	}
	answer, err := r.AutoScaling.StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: aws.String(t.Group),
		DesiredConfiguration: &types.DesiredConfiguration{LaunchTemplate: &types.LaunchTemplateSpecification{
			LaunchTemplateId: aws.String(t.Template), Version: aws.String(t.Version),
		}},
		Preferences: preferences,
		Strategy:    types.RefreshStrategyRolling,
	})
	if err != nil {
		return "", fmt.Errorf("release %s: instance refresh of %s: %w", t.Release, t.Group, err)
	}
	return aws.ToString(answer.InstanceRefreshId), nil
}

// conclude follows a refresh, and returns an error unless it ends well.
func (r Rollout) conclude(ctx context.Context, t Target, id string, deadline time.Time) error {
	refresh, err := r.Follow(ctx, t.Group, id, deadline)
	if errors.Is(err, ErrTimeout) {
		return r.withInstances(ctx, t, fmt.Errorf("release %s: the rollout has not ended within %v (%s). It continues on AWS: the next `pulumi up` follows it, and so does `go run . release status`; `go run . release rollback` ends it",
			t.Release, r.Wait, Describe(refresh)))
	}
	if err != nil {
		return err
	}
	if refresh.Status == types.InstanceRefreshStatusSuccessful {
		return nil
	}
	return r.withInstances(ctx, t, fmt.Errorf("release %s: the rollout ended as %s. Correct the release and run `pulumi up` again", t.Release, Describe(refresh)))
}

// ErrTimeout means that the end did not come before the deadline.
var ErrTimeout = errors.New("time is up")

// Follow says each change of a group's refresh until it ends, and returns its last state. An empty id means the latest
// refresh. At the deadline the error is ErrTimeout.
func (r Rollout) Follow(ctx context.Context, group, id string, deadline time.Time) (*types.InstanceRefresh, error) {
	var last *types.InstanceRefresh
	shown := ""
	for {
		latest, err := r.find(ctx, group, id)
		if err != nil || latest == nil {
			return last, err
		}
		if last != nil && aws.ToString(last.InstanceRefreshId) != aws.ToString(latest.InstanceRefreshId) {
			r.Say(fmt.Sprintf("refresh %s was replaced by %s", aws.ToString(last.InstanceRefreshId), aws.ToString(latest.InstanceRefreshId)))
		}
		last = latest
		if line := Describe(latest); line != shown {
			r.Say(fmt.Sprintf("%s  %s", aws.ToString(latest.InstanceRefreshId), line))
			shown = line
		}
		if Ended(latest) {
			return latest, nil
		}
		left := deadline.Sub(r.Clock.Now())
		if left <= 0 {
			return last, ErrTimeout
		}
		if err := r.Clock.Sleep(ctx, min(PollEvery, left)); err != nil {
			return last, err
		}
	}
}

// find returns a refresh of a group, the latest where id is empty.
func (r Rollout) find(ctx context.Context, group, id string) (*types.InstanceRefresh, error) {
	if id == "" {
		return r.LatestRefresh(ctx, group)
	}
	answer, err := r.AutoScaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String(group), InstanceRefreshIds: []string{id},
	})
	if err != nil {
		return nil, fmt.Errorf("instance refresh %s of %s: %w", id, group, err)
	}
	if len(answer.InstanceRefreshes) == 0 {
		return nil, fmt.Errorf("instance refresh %s of %s is not listed", id, group)
	}
	return &answer.InstanceRefreshes[0], nil
}

// settle waits until the group has as many healthy instances of the target as it wants.
func (r Rollout) settle(ctx context.Context, t Target, deadline time.Time) error {
	shown := ""
	for {
		group, err := r.FindGroup(ctx, t.Group)
		if err != nil {
			return err
		}
		ready := 0
		for _, i := range group.Instances {
			if Ready(i, t.Version) {
				ready++
			}
		}
		wanted := int(aws.ToInt32(group.DesiredCapacity))
		line := fmt.Sprintf("release %s: %d of %d instances are in service and healthy%s", t.Release, ready, wanted, r.trouble(ctx, t, ready < wanted))
		if line != shown {
			r.Say(line)
			shown = line
		}
		if ready >= wanted {
			return nil
		}
		left := deadline.Sub(r.Clock.Now())
		if left <= 0 {
			return r.withInstances(ctx, t, fmt.Errorf("%s after %v", line, r.Wait))
		}
		if err := r.Clock.Sleep(ctx, min(PollEvery, left)); err != nil {
			return err
		}
	}
}

// trouble returns why the latest scaling activity failed, "" if it did not. A caller who may not read the activities
// misses only the reason.
func (r Rollout) trouble(ctx context.Context, t Target, ask bool) string {
	if !ask {
		return ""
	}
	answer, err := r.AutoScaling.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: aws.String(t.Group), MaxRecords: aws.Int32(1),
	})
	if err != nil || len(answer.Activities) == 0 || answer.Activities[0].StatusCode != types.ScalingActivityStatusCodeFailed {
		return ""
	}
	return "; the last launch failed: " + aws.ToString(answer.Activities[0].StatusMessage)
}

// withInstances adds the state of the instances to an error.
func (r Rollout) withInstances(ctx context.Context, t Target, err error) error {
	group, failed := r.FindGroup(ctx, t.Group)
	if failed != nil {
		return errors.Join(err, failed)
	}
	var table strings.Builder
	PrintInstances(&table, group, TemplateVersion(group))
	return fmt.Errorf("%w\n%s", err, strings.TrimRight(table.String(), "\n"))
}
