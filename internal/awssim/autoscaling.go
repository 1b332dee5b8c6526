package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const scalingGroup = "aws:autoscaling/group:Group"

// Conditions are what goes wrong in an account from outside. They are not kept in the account's file.
type Conditions struct {
	// BadRelease makes every instance and every task that starts fail its health checks.
	BadRelease bool
	// BadImages are the images whose tasks fail their health checks, MissingImages those that no repository has: tags, digests or whole
	// references. Every other image exists and runs.
	BadImages, MissingImages []string
	// MissingSecrets are the names of the secrets that Secrets Manager does not have. It has every other one.
	MissingSecrets []string
	// Alarms are the names of the alarms that are in state ALARM.
	Alarms []string
	// Stalled keeps instance refreshes and deployments from making progress.
	Stalled bool
	// NewAccount gives the account the quotas that AWS gives new ones, most of which others use, and blocks public buckets.
	NewAccount bool
}

// SetConditions replaces the account's conditions.
func (a *Account) SetConditions(c Conditions) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conditions = c
}

// fleet is the instances and the instance refreshes of one Auto Scaling group.
type fleet struct {
	Instances []member     `json:"instances"`
	Refreshes []refreshing `json:"refreshes"` // the latest first
	Started   int          `json:"started"`   // number of instances that ever started
}

// member is one instance of a group.
type member struct {
	ID      string `json:"id"`
	Zone    string `json:"zone"`
	Version string `json:"version"` // of the launch template
	Sick    bool   `json:"sick"`
}

// refreshing is an instance refresh.
type refreshing struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Reason   string   `json:"reason"`
	Template string   `json:"template"`
	Version  string   `json:"version"` // desired
	Saved    string   `json:"saved"`   // the version that the group had when it started
	Alarms   []string `json:"alarms"`
	Percent  int32    `json:"percent"`
}

func (r refreshing) active() bool {
	switch types.InstanceRefreshStatus(r.Status) {
	case types.InstanceRefreshStatusPending, types.InstanceRefreshStatusInProgress, types.InstanceRefreshStatusRollbackInProgress:
		return true
	}
	return false
}

// AutoScaling answers as EC2 Auto Scaling. No time passes in the account: each question about a refresh moves it one step.
type AutoScaling struct{ account *Account }

// AutoScaling returns the account's EC2 Auto Scaling.
func (a *Account) AutoScaling() AutoScaling { return AutoScaling{a} }

// in calls f with a group and its fleet, and keeps what f changes. Missing instances start, as many as the group wants.
func (s AutoScaling) in(name *string, f func(group Resource, fleet *fleet) error) error {
	a := s.account
	a.mu.Lock()
	defer a.mu.Unlock()
	group, ok := a.locate(scalingGroup, aws.ToString(name), "")
	if !ok {
		return refusal("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup '%s' not found", aws.ToString(name))
	}
	fleet := a.fleet(group)
	if err := f(group, fleet); err != nil {
		return err
	}
	return a.save()
}

// fleet returns a group's fleet with the instances that it wants: unhealthy ones are replaced.
func (a *Account) fleet(group Resource) *fleet {
	f := a.fleets[group.ID]
	if f == nil {
		f = &fleet{}
		a.fleets[group.ID] = f
	}
	size := func(key resource.PropertyKey) int { return int(group.State[key].NumberValue()) }
	wanted := min(max(size("desiredCapacity"), size("minSize")), size("maxSize"))
	f.Instances = slices.DeleteFunc(f.Instances, func(m member) bool { return m.Sick && !a.conditions.BadRelease })
	for len(f.Instances) < wanted {
		f.Instances = append(f.Instances, a.launch(group, f, groupVersion(group)))
	}
	f.Instances = f.Instances[:wanted]
	return f
}

// launch starts an instance of a template version in the group's zones in turn.
func (a *Account) launch(group Resource, f *fleet, version string) member {
	zones := list(group.State, "availabilityZones")
	f.Started++
	m := member{ID: "i-0" + hash(group.URN+strconv.Itoa(f.Started), 16), Version: version, Sick: a.conditions.BadRelease}
	if len(zones) > 0 {
		m.Zone = zones[f.Started%len(zones)]
	}
	return m
}

func groupVersion(group Resource) string {
	if spec := group.State["launchTemplate"]; spec.IsObject() {
		return text(spec.ObjectValue(), "version")
	}
	return ""
}

func templateOf(group Resource, version string) *types.LaunchTemplateSpecification {
	spec := group.State["launchTemplate"]
	if !spec.IsObject() {
		return nil
	}
	return &types.LaunchTemplateSpecification{LaunchTemplateId: aws.String(text(spec.ObjectValue(), "id")), Version: aws.String(version)}
}

// DescribeAutoScalingGroups describes one group and its instances.
func (s AutoScaling) DescribeAutoScalingGroups(_ context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	out := &autoscaling.DescribeAutoScalingGroupsOutput{}
	for _, name := range in.AutoScalingGroupNames {
		err := s.in(&name, func(group Resource, fleet *fleet) error {
			g := types.AutoScalingGroup{
				AutoScalingGroupName: aws.String(group.ID), DesiredCapacity: aws.Int32(int32(len(fleet.Instances))),
				LaunchTemplate: templateOf(group, groupVersion(group)),
			}
			for _, m := range fleet.Instances {
				health := "Healthy"
				if m.Sick {
					health = "Unhealthy"
				}
				g.Instances = append(g.Instances, types.Instance{
					InstanceId: aws.String(m.ID), AvailabilityZone: aws.String(m.Zone), LifecycleState: types.LifecycleStateInService,
					HealthStatus: aws.String(health), LaunchTemplate: templateOf(group, m.Version),
				})
			}
			out.AutoScalingGroups = append(out.AutoScalingGroups, g)
			return nil
		})
		var refused *Refusal
		if err != nil && !errors.As(err, &refused) { // AWS leaves out a group that does not exist
			return nil, err
		}
	}
	return out, nil
}

// DescribeScalingActivities reports no failed launch: none fails in the account.
func (s AutoScaling) DescribeScalingActivities(context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	return &autoscaling.DescribeScalingActivitiesOutput{}, nil
}

// StartInstanceRefresh starts a refresh: one at a time.
func (s AutoScaling) StartInstanceRefresh(_ context.Context, in *autoscaling.StartInstanceRefreshInput, _ ...func(*autoscaling.Options)) (*autoscaling.StartInstanceRefreshOutput, error) {
	out := &autoscaling.StartInstanceRefreshOutput{}
	err := s.in(in.AutoScalingGroupName, func(group Resource, f *fleet) error {
		if len(f.Refreshes) > 0 && f.Refreshes[0].active() {
			return &types.InstanceRefreshInProgressFault{Message: aws.String("An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.")}
		}
		r := refreshing{Status: string(types.InstanceRefreshStatusPending), Saved: groupVersion(group)}
		if in.DesiredConfiguration != nil && in.DesiredConfiguration.LaunchTemplate != nil {
			r.Template = aws.ToString(in.DesiredConfiguration.LaunchTemplate.LaunchTemplateId)
			r.Version = aws.ToString(in.DesiredConfiguration.LaunchTemplate.Version)
		}
		if in.Preferences != nil && in.Preferences.AlarmSpecification != nil {
			r.Alarms = in.Preferences.AlarmSpecification.Alarms
		}
		if in.Preferences != nil && aws.ToBool(in.Preferences.AutoRollback) && (r.Version == "" || strings.HasPrefix(r.Version, "$") || strings.HasPrefix(r.Saved, "$")) {
			return refusal("ValidationError", "You can't enable auto rollback without launch templates with a fixed version.")
		}
		if state, ok := s.account.find(r.Template); !ok {
			return refusal("ValidationError", "You must use a valid fully-formed launch template. %s does not exist.", r.Template)
		} else if n, err := strconv.Atoi(r.Version); err != nil || float64(n) > state["latestVersion"].NumberValue() {
			return refusal("ValidationError", "You must use a valid fully-formed launch template. Could not find version %s of %s.", r.Version, r.Template)
		}
		r.ID = uuid(hash(group.URN+strconv.Itoa(len(f.Refreshes)), 32))
		f.Refreshes = slices.Insert(f.Refreshes, 0, r)
		out.InstanceRefreshId = aws.String(r.ID)
		return nil
	})
	return out, err
}

// DescribeInstanceRefreshes moves an active refresh one step and describes all.
func (s AutoScaling) DescribeInstanceRefreshes(_ context.Context, in *autoscaling.DescribeInstanceRefreshesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	out := &autoscaling.DescribeInstanceRefreshesOutput{}
	err := s.in(in.AutoScalingGroupName, func(group Resource, f *fleet) error {
		if len(f.Refreshes) > 0 {
			if err := s.account.step(group, f, &f.Refreshes[0]); err != nil {
				return err
			}
		}
		for _, r := range f.Refreshes {
			if len(in.InstanceRefreshIds) > 0 && !slices.Contains(in.InstanceRefreshIds, r.ID) {
				continue
			}
			d := types.InstanceRefresh{
				InstanceRefreshId: aws.String(r.ID), Status: types.InstanceRefreshStatus(r.Status), AutoScalingGroupName: in.AutoScalingGroupName,
				PercentageComplete: aws.Int32(r.Percent), InstancesToUpdate: aws.Int32(int32(len(f.Instances)) * (100 - r.Percent) / 100),
				DesiredConfiguration: &types.DesiredConfiguration{LaunchTemplate: &types.LaunchTemplateSpecification{
					LaunchTemplateId: aws.String(r.Template), Version: aws.String(r.Version),
				}},
			}
			if r.Reason != "" {
				d.StatusReason = aws.String(r.Reason)
			}
			out.InstanceRefreshes = append(out.InstanceRefreshes, d)
		}
		return nil
	})
	return out, err
}

// step moves a refresh one step: a third of the instances at a time. A new instance that is unhealthy and an alarm take
// it back.
func (a *Account) step(group Resource, f *fleet, r *refreshing) error {
	if a.conditions.Stalled {
		return nil
	}
	switch types.InstanceRefreshStatus(r.Status) {
	case types.InstanceRefreshStatusPending:
		r.Status = string(types.InstanceRefreshStatusInProgress)
	case types.InstanceRefreshStatusInProgress:
		for _, name := range r.Alarms {
			if slices.Contains(a.conditions.Alarms, name) {
				r.Status, r.Reason = string(types.InstanceRefreshStatusRollbackInProgress), "Alarm "+name+" is in ALARM state"
				return nil
			}
		}
		if a.conditions.BadRelease {
			r.Status, r.Reason = string(types.InstanceRefreshStatusRollbackInProgress), "Instances did not pass their health checks"
			return nil
		}
		a.replace(group, f, r.Version, (len(f.Instances)+2)/3)
		r.Percent = int32(100 * count(f, r.Version) / max(len(f.Instances), 1))
		if count(f, r.Version) == len(f.Instances) {
			r.Status, r.Percent = string(types.InstanceRefreshStatusSuccessful), 100
			spec := group.State["launchTemplate"].ObjectValue().Copy()
			spec["version"] = resource.NewProperty(r.Version)
			group.State["launchTemplate"] = resource.NewProperty(spec)
			return a.put(group)
		}
	case types.InstanceRefreshStatusRollbackInProgress:
		// The instances of the saved version were never unhealthy.
		for i := range f.Instances {
			if f.Instances[i].Version != r.Saved {
				m := a.launch(group, f, r.Saved)
				m.Sick = false
				f.Instances[i] = m
			}
		}
		r.Status, r.Percent = string(types.InstanceRefreshStatusRollbackSuccessful), 100
	}
	return nil
}

// replace replaces at most n instances that are not of a version.
func (a *Account) replace(group Resource, f *fleet, version string, n int) {
	for i := range f.Instances {
		if n > 0 && f.Instances[i].Version != version {
			f.Instances[i] = a.launch(group, f, version)
			n--
		}
	}
}

func count(f *fleet, version string) (n int) {
	for _, m := range f.Instances {
		if m.Version == version {
			n++
		}
	}
	return n
}

// CancelInstanceRefresh ends the active refresh. Instances that it has replaced stay.
func (s AutoScaling) CancelInstanceRefresh(_ context.Context, in *autoscaling.CancelInstanceRefreshInput, _ ...func(*autoscaling.Options)) (*autoscaling.CancelInstanceRefreshOutput, error) {
	id, err := s.end(in.AutoScalingGroupName, types.InstanceRefreshStatusCancelled)
	return &autoscaling.CancelInstanceRefreshOutput{InstanceRefreshId: aws.String(id)}, err
}

// RollbackInstanceRefresh takes the active refresh back.
func (s AutoScaling) RollbackInstanceRefresh(_ context.Context, in *autoscaling.RollbackInstanceRefreshInput, _ ...func(*autoscaling.Options)) (*autoscaling.RollbackInstanceRefreshOutput, error) {
	id, err := s.end(in.AutoScalingGroupName, types.InstanceRefreshStatusRollbackInProgress)
	return &autoscaling.RollbackInstanceRefreshOutput{InstanceRefreshId: aws.String(id)}, err
}

func (s AutoScaling) end(group *string, status types.InstanceRefreshStatus) (id string, err error) {
	err = s.in(group, func(_ Resource, f *fleet) error {
		if len(f.Refreshes) == 0 || !f.Refreshes[0].active() {
			return &types.ActiveInstanceRefreshNotFoundFault{Message: aws.String("No in progress or pending Instance Refresh found for Auto Scaling group.")}
		}
		f.Refreshes[0].Status = string(status)
		id = f.Refreshes[0].ID
		return nil
	})
	return id, err
}

// fleetsFile renders the fleets of the groups that exist.
func (a *Account) fleetsFile() (json.RawMessage, error) {
	maps.DeleteFunc(a.fleets, func(name string, _ *fleet) bool {
		_, ok := a.locate(scalingGroup, name, "")
		return !ok
	})
	data, err := json.Marshal(a.fleets)
	if err != nil {
		return nil, fmt.Errorf("awssim: account: %w", err)
	}
	return data, nil
}
