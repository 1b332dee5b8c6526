package rollout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/awssim"
	"cinema-database/internal/rollout"
)

// stage is a simulated account with a group of three instances on the first of three template versions.
type stage struct {
	*testing.T
	account *awssim.Account
	group   string
	target  rollout.Target // version 2
	said    []string
	rollout rollout.Rollout
}

func newStage(t *testing.T) *stage {
	s := &stage{T: t, group: "api"}
	var err error
	s.account, err = awssim.OpenAccount(filepath.Join(t.TempDir(), "account.json"))
	require.NoError(t, err)
	const template = "aws:ec2/launchTemplate:LaunchTemplate"
	inputs := func(release string) awssim.Properties {
		return awssim.Properties{"name": resource.NewProperty("api"), "description": resource.NewProperty(release)}
	}
	id, state, err := s.account.Create(awssim.Request{Type: template, Name: "api", URN: "urn:template", Inputs: inputs("1")})
	require.NoError(t, err)
	_, _, err = s.account.Create(awssim.Request{Type: "aws:autoscaling/group:Group", Name: "api", URN: "urn:group", Inputs: awssim.Properties{
		"name": resource.NewProperty(s.group), "minSize": resource.NewProperty(3.0), "maxSize": resource.NewProperty(6.0),
		"launchTemplate": resource.NewProperty(awssim.Properties{"id": resource.NewProperty(id), "version": resource.NewProperty("1")}),
	}})
	require.NoError(t, err)
	for _, release := range []string{"2", "3"} {
		state, err = s.account.Update(template, id, "urn:template", state, inputs(release), []string{"description"}, false)
		require.NoError(t, err)
	}
	s.target = rollout.Target{Group: s.group, Template: id, Version: "2", Release: "bbbbbbbbbbbb"}
	s.rollout = rollout.Rollout{
		Cloud:    rollout.Cloud{AutoScaling: s.account.AutoScaling(), Objects: s.account, Clock: &rollout.SimulatedClock{}},
		Settings: rollout.Settings{Wait: 45 * time.Minute, Checkpoints: []int{34}, Bake: 5 * time.Minute, Readiness: true},
		Say:      func(line string) { s.said = append(s.said, line) },
	}
	return s
}

// run rolls the target out and returns what was said.
func (s *stage) run(alarms ...string) (string, error) {
	s.said = nil
	err := s.rollout.Run(s.Context(), s.target, alarms)
	return strings.Join(s.said, "\n"), err
}

// versions lists the version of the group, then those of its instances.
func (s *stage) versions() []string {
	group, err := s.rollout.FindGroup(s.Context(), s.group)
	require.NoError(s, err)
	all := []string{rollout.TemplateVersion(group)}
	for _, i := range group.Instances {
		all = append(all, rollout.InstanceVersion(i))
	}
	return all
}

func TestAGoodReleaseReachesEveryInstance(t *testing.T) {
	s := newStage(t)
	said, err := s.run()
	require.NoError(t, err)
	assert.Equal(t, []string{"2", "2", "2", "2"}, s.versions())
	assert.Contains(t, said, "to template version 2 starts")
	assert.Contains(t, said, "InProgress, 33 % done, 2 instances to update")
	assert.Contains(t, said, "release bbbbbbbbbbbb: 3 of 3 instances are in service and healthy")

	said, err = s.run()
	require.NoError(t, err)
	assert.NotContains(t, said, "starts", "nothing is left to do")
	assert.Contains(t, said, "every instance of api is on template version 2")
}

func TestABadReleaseGoesBack(t *testing.T) {
	for name, c := range map[string]struct {
		conditions awssim.Conditions
		why        string
	}{
		"unhealthy": {awssim.Conditions{BadRelease: true}, "Instances did not pass their health checks"},
		"alarm":     {awssim.Conditions{Alarms: []string{"api-errors"}}, "Alarm api-errors is in ALARM state"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			require.Equal(t, []string{"1", "1", "1", "1"}, s.versions())
			s.account.SetConditions(c.conditions)
			_, err := s.run("api-errors", "api-latency")
			require.ErrorContains(t, err, "release bbbbbbbbbbbb: the rollout ended as RollbackSuccessful")
			require.ErrorContains(t, err, c.why)
			require.ErrorContains(t, err, "instances of api (template version 1)")
			s.account.SetConditions(awssim.Conditions{})
			assert.Equal(t, []string{"1", "1", "1", "1"}, s.versions())

			s.target.Version = "3"
			_, err = s.run("api-errors")
			require.NoError(t, err)
			assert.Equal(t, []string{"3", "3", "3", "3"}, s.versions())
		})
	}
}

func TestARolloutInProgress(t *testing.T) {
	s := newStage(t)
	s.account.SetConditions(awssim.Conditions{Stalled: true})
	_, err := s.run()
	require.ErrorContains(t, err, "has not ended within 45m0s")
	require.ErrorContains(t, err, "the next `pulumi up` follows it")

	s.target.Version = "3"
	_, err = s.run()
	require.ErrorContains(t, err, "another rollout of group api is in progress")
	require.ErrorContains(t, err, "release rollback")

	s.account.SetConditions(awssim.Conditions{})
	s.target.Version = "2"
	said, err := s.run()
	require.NoError(t, err)
	assert.Contains(t, said, "continues rollout")
	assert.NotContains(t, said, "starts")
	assert.Equal(t, []string{"2", "2", "2", "2"}, s.versions())
}

func TestWithoutWaiting(t *testing.T) {
	s := newStage(t)
	s.rollout.Wait = 0
	said, err := s.run()
	require.NoError(t, err)
	assert.Contains(t, said, "not waiting for the rollout")
	refresh, err := s.rollout.LatestRefresh(t.Context(), s.group)
	require.NoError(t, err)
	assert.False(t, rollout.Ended(refresh))
	require.NoError(t, s.rollout.AwaitReady(t.Context(), "https://api.example", false), "nor for the API")
	require.NoError(t, s.rollout.AwaitHost(t.Context(), "artifacts", contract.RoleDatabase, "i-1"), "nor for the host")
}

func TestFirstInstancesThatStayUnhealthy(t *testing.T) {
	s := newStage(t)
	s.account.SetConditions(awssim.Conditions{BadRelease: true})
	s.target.Version = "1"
	_, err := s.run()
	require.ErrorContains(t, err, "0 of 3 instances are in service and healthy after 45m0s")
	require.ErrorContains(t, err, "Unhealthy")
}

// asked records what a rollout asks for.
type asked struct {
	awssim.AutoScaling
	in *autoscaling.StartInstanceRefreshInput
}

func (a *asked) StartInstanceRefresh(ctx context.Context, in *autoscaling.StartInstanceRefreshInput, o ...func(*autoscaling.Options)) (*autoscaling.StartInstanceRefreshOutput, error) {
	a.in = in
	return a.AutoScaling.StartInstanceRefresh(ctx, in, o...)
}

func TestWhatARolloutAsksFor(t *testing.T) {
	s := newStage(t)
	a := &asked{AutoScaling: s.account.AutoScaling()}
	s.rollout.AutoScaling = a
	_, err := s.run("api-errors")
	require.NoError(t, err)
	assert.Equal(t, &types.RefreshPreferences{
		MinHealthyPercentage: aws.Int32(100), MaxHealthyPercentage: aws.Int32(134), InstanceWarmup: aws.Int32(180),
		SkipMatching: aws.Bool(true), AutoRollback: aws.Bool(true),
		CheckpointPercentages: []int32{34, 100}, CheckpointDelay: aws.Int32(300), BakeTime: aws.Int32(300),
		AlarmSpecification: &types.AlarmSpecification{Alarms: []string{"api-errors"}},
	}, a.in.Preferences)
	assert.Equal(t, &types.LaunchTemplateSpecification{LaunchTemplateId: &s.target.Template, Version: aws.String("2")}, a.in.DesiredConfiguration.LaunchTemplate)
}

func TestReadinessThroughTheFrontDoor(t *testing.T) {
	s := newStage(t)
	answers := []func() (int, string, error){
		func() (int, string, error) { return 0, "", errors.New("no such host") },
		func() (int, string, error) { return 502, "<html>\nBad Gateway", nil },
		func() (int, string, error) {
			return 503, `{"detail":"The API is not ready.","errors":[{"field":"database","reason":"is unavailable"}]}`, nil
		},
		func() (int, string, error) { return 200, "{}", nil },
	}
	next := 0
	s.rollout.Get = func(_ context.Context, url string) (int, string, error) {
		assert.Equal(t, "https://api.example/api/readyz", url)
		next++
		return answers[min(next, len(answers))-1]()
	}
	require.NoError(t, s.rollout.AwaitReady(t.Context(), "https://api.example", false))
	assert.Equal(t, []string{
		"https://api.example/api/readyz: no such host", "https://api.example/api/readyz answers 502: <html>",
		"https://api.example/api/readyz answers 503: database is unavailable", "https://api.example is ready",
	}, s.said)

	answers = answers[2:3]
	err := s.rollout.AwaitReady(t.Context(), "https://api.example", false)
	require.ErrorContains(t, err, "database is unavailable; not ready after 5m0s; set release.readiness to false")
	err = s.rollout.AwaitReady(t.Context(), "https://api.example", true)
	require.ErrorContains(t, err, "not ready after 45m0s", "a new stack has more time")
	s.rollout.Readiness = false
	require.NoError(t, s.rollout.AwaitReady(t.Context(), "https://api.example", false))
}

// reports are the status objects that a host writes, one after the other; nil is no object.
type reports []*contract.Status

func (r *reports) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if *in.Bucket != "artifacts" || *in.Key != "status/database.json" {
		return nil, fmt.Errorf("request for %s/%s", *in.Bucket, *in.Key)
	}
	now := (*r)[0]
	if len(*r) > 1 {
		*r = (*r)[1:]
	}
	if now == nil {
		return nil, &s3types.NoSuchKey{}
	}
	body, err := json.Marshal(now)
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(string(body)))}, err
}

func TestTheDatabaseHost(t *testing.T) {
	await := func(r reports) (string, error) {
		s := newStage(t)
		s.rollout.Objects = &r
		err := s.rollout.AwaitHost(t.Context(), "artifacts", contract.RoleDatabase, "i-2")
		return strings.Join(s.said, "\n"), err
	}
	said, err := await(reports{
		nil, {Instance: "i-1", Phase: contract.PhaseReady}, {Instance: "i-2", Phase: contract.PhaseVolume, Error: "vol-1 is not attached"},
		{Instance: "i-2", Phase: contract.PhaseReady},
	})
	require.NoError(t, err)
	assert.Equal(t, "database host i-2: no report yet\ndatabase host i-2: waiting for the volume: vol-1 is not attached\ndatabase host i-2: ready", said,
		"what the host before has reported does not count")

	_, err = await(reports{{Instance: "i-2", Phase: contract.PhaseInstalling, Error: "digest", Fatal: true}, {Instance: "i-2", Phase: contract.PhaseReady}})
	require.EqualError(t, err, "database host i-2: installing: digest")
	_, err = await(reports{{Instance: "i-2", Phase: contract.PhaseFetching, Error: "S3 refuses connections"}})
	require.ErrorContains(t, err, "database host i-2: fetching: S3 refuses connections; not ready after 45m0s")
}
