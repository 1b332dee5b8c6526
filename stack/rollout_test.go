package stack

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/internal/awssim"
	"cinema-database/internal/component"
	"cinema-database/internal/rollout"
	"cinema-database/internal/sandbox"
)

// released is a stack in the sandbox whose binary `cinema` changes.
type released struct {
	*testing.T
	*sandbox.Session
	out    *bytes.Buffer
	cinema string // seed of the binary
}

func openReleased(t *testing.T, config map[string]string) *released {
	r := &released{T: t, cinema: "the first"}
	r.Session, r.out = open(t, sandbox.Options{Quick: true, Config: config, Program: sandboxed(func(name, arch string) (*app.Binary, error) {
		if name == contract.Cinema {
			return app.NewBinary(name, arch, standIn(r.cinema)), nil
		}
		return standIns(name, arch)
	})})
	_, err := r.Up(t.Context())
	require.NoError(t, err)
	return r
}

// up releases a binary and returns what the engine printed.
func (r *released) up(cinema string) (string, error) {
	r.cinema = cinema
	r.out.Reset()
	_, err := r.Up(r.T.Context())
	return r.out.String(), err
}

// versions lists the template versions of the group and of its instances.
func (r *released) versions() []string {
	group, err := rollout.Cloud{AutoScaling: r.Account().AutoScaling()}.FindGroup(r.T.Context(), r.group())
	require.NoError(r.T, err)
	all := []string{rollout.TemplateVersion(group)}
	for _, i := range group.Instances {
		all = append(all, rollout.InstanceVersion(i))
	}
	return all
}

// group returns the name of the API's group.
func (r *released) group() string {
	all := r.Account().Resources()
	i := slices.IndexFunc(all, func(r awssim.Resource) bool { return r.Type == scalingType })
	require.GreaterOrEqual(r.T, i, 0)
	return all[i].ID
}

// takeBack takes back the rollout that is in progress.
func (r *released) takeBack() error {
	do := rollout.Rollout{Cloud: rollout.Cloud{AutoScaling: r.Account().AutoScaling(), Clock: &rollout.SimulatedClock{}},
		Settings: rollout.Settings{Wait: time.Hour}, Say: func(string) {}}
	refresh, err := do.LatestRefresh(r.T.Context(), r.group())
	require.NoError(r.T, err)
	return do.TakeBack(r.T.Context(), r.group(), refresh)
}

// What `pulumi up` does with a bad release, an alarm, an interruption, and the next good release.
func TestABadReleaseGoesBack(t *testing.T) {
	r := openReleased(t, nil)
	assert.Equal(t, []string{"1", "1", "1", "1"}, r.versions())

	r.Account().SetConditions(awssim.Conditions{BadRelease: true})
	for range 2 { // the state keeps the earlier inputs of the gate: the next `up` tries again
		out, err := r.up("the second, bad")
		require.Error(t, err)
		assert.Contains(t, out, "Instances did not pass their health checks")
		assert.Contains(t, out, "the rollout ended as RollbackSuccessful")
		assert.Equal(t, []string{"1", "1", "1", "1"}, r.versions())
	}
	r.Account().SetConditions(awssim.Conditions{})
	out, err := r.up("the third")
	require.NoError(t, err)
	assert.Contains(t, out, "3 of 3 instances are in service and healthy")
	assert.Equal(t, []string{"3", "3", "3", "3"}, r.versions())

	r.Account().SetConditions(awssim.Conditions{Stalled: true})
	out, err = r.up("the fourth")
	require.Error(t, err)
	assert.Contains(t, out, "has not ended within 45m0s")
	assert.Equal(t, []string{"3", "3", "3", "3"}, r.versions())
	r.Account().SetConditions(awssim.Conditions{})
	out, err = r.up("the fourth")
	require.NoError(t, err)
	assert.Contains(t, out, "continues rollout")
	assert.Equal(t, []string{"4", "4", "4", "4"}, r.versions())

	r.Account().SetConditions(awssim.Conditions{Stalled: true})
	_, err = r.up("the fifth")
	require.Error(t, err)
	out, err = r.up("the sixth")
	require.Error(t, err)
	assert.Contains(t, out, "another rollout")
	r.Account().SetConditions(awssim.Conditions{})
	require.NoError(t, r.takeBack())
	out, err = r.up("the sixth")
	require.NoError(t, err)
	assert.Equal(t, []string{"6", "6", "6", "6"}, r.versions())
	_, err = r.Preview(t.Context(), true)
	require.NoError(t, err, out)
}

func TestAnAlarmTakesAReleaseBack(t *testing.T) {
	r := openReleased(t, map[string]string{"cinema:alarms": `{"email": "ops@example.com"}`})
	alarm := component.PhysicalName(environmentOf("dev"), "aws:cloudwatch/metricAlarm:MetricAlarm", "monitoring-api-5xx")
	r.Account().SetConditions(awssim.Conditions{Alarms: []string{alarm}})
	out, err := r.up("the second")
	require.Error(t, err)
	assert.Contains(t, out, "Alarm "+alarm+" is in ALARM state")
	assert.Equal(t, []string{"1", "1", "1", "1"}, r.versions())
	r.Account().SetConditions(awssim.Conditions{})
	_, err = r.up("the second")
	require.NoError(t, err)
	assert.Equal(t, []string{"2", "2", "2", "2"}, r.versions())
}

// Settings of the group that are not the release's do not wait, and leave the version alone.
func TestAChangedSizeKeepsTheRelease(t *testing.T) {
	r := openReleased(t, nil)
	_, err := r.up("the second")
	require.NoError(t, err)
	require.NoError(t, r.SetConfig(map[string]string{"cinema:api": `{"minSize": 4}`}))
	_, err = r.up("the second")
	require.NoError(t, err)
	assert.Equal(t, []string{"2", "2", "2", "2", "2"}, r.versions())
}
