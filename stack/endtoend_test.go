package stack

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/awssim"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/release"
)

var endToEnd = flag.String("e2e", "", "path of the script that runs the real provider on an AWS emulator: follow a rollout there (minutes)")

// TestReleaseEndToEnd releases a changed application with the real engine, the real AWS provider and an AWS emulator. It checks the
// account before and after, and with `release status`.
func TestReleaseEndToEnd(t *testing.T) {
	if *endToEnd == "" {
		t.Skip("takes minutes and needs the emulator: .ci/run sets -e2e")
	}
	e := startEmulated(t)
	e.build()
	e.pulumi("config", "set", "--path", "cinema:alarms.email", "ops@example.com")
	// .ci/run asks of each logged call whether the deploy role may make it, so the roles need its boundary.
	e.pulumi("config", "set", "--path", "cinema:deployer.github", "example/cinema-database")
	e.pulumi("up", "--yes", "--skip-preview")

	before := e.account()
	assert.Len(t, before.instances, 3)
	assert.Len(t, before.zones(), 3, "one in each availability zone")
	assert.Equal(t, "1", before.groupVersion)
	assert.Equal(t, before.groupVersion, before.latestVersion)
	assert.Equal(t, []string{before.groupVersion}, before.versions())
	assert.Len(t, before.targetGroups, 1)
	assert.Equal(t, []string{"orig/"}, before.notifications)
	require.NotEmpty(t, before.databaseRoutes)
	for _, to := range before.databaseRoutes {
		assert.Regexp(t, `^(10\.0\.0\.0/16 local|pl-[0-9a-f]+ vpce-[0-9a-f]+)$`, to, "the database tier has no route out")
	}

	e.release("listening", "ready")
	assert.Equal(t, []string{"api-gate", "api-instance", "storage-release-cinema"}, e.changed())
	e.pulumi("up", "--yes", "--skip-preview")

	after := e.account()
	assert.Len(t, after.instances, 3)
	assert.Len(t, after.zones(), 3)
	assert.Equal(t, "2", after.groupVersion)
	assert.Equal(t, after.groupVersion, after.latestVersion)
	assert.Equal(t, []string{"2"}, after.versions(), "template versions of the instances")
	assert.Equal(t, []string{e.digest()[:12]}, after.releases(), "Release tags of the instances")
	for id := range before.instances {
		assert.NotContains(t, after.instances, id)
	}
	assert.Equal(t, before.targetGroups, after.targetGroups)
	code, output := e.releaseStatus()
	assert.Equal(t, 0, code, output)
	e.pulumi("preview", "--expect-no-changes")

	// A bad release goes back, and the next one succeeds.
	e.release("ready", "bad")
	e.run(e.tool, "unhealthy", e.built()[:12])
	output = e.refused("up", "--yes", "--skip-preview")
	assert.Contains(t, output, "the rollout ended as RollbackSuccessful")
	assert.Contains(t, output, "Instances did not pass their health checks")
	now := e.account()
	assert.Equal(t, after.groupVersion, now.groupVersion)
	assert.Equal(t, after.instances, now.instances, "every instance stays")
	code, output = e.releaseStatus()
	assert.Equal(t, 1, code, output)
	assert.Contains(t, output, "the rollout ended as RollbackSuccessful")
	for id := range after.instances {
		assert.Contains(t, output, id, "the instances are printed")
	}
	e.release("bad", "better")
	e.pulumi("up", "--yes", "--skip-preview")
	after = e.account()
	assert.Equal(t, []string{"4"}, after.versions())
	assert.Equal(t, "4", after.groupVersion)

	// An alarm takes a good release back.
	alarm := e.alarm()
	set := func(state string) {
		e.run(e.tool, "aws", "cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", state, "--state-reason", "test")
	}
	set("ALARM")
	e.release("better", "best")
	output = e.refused("up", "--yes", "--skip-preview")
	assert.Contains(t, output, "Alarm "+alarm+" is in ALARM state")
	assert.Equal(t, after.instances, e.account().instances)
	set("OK")

	// An `up` that is killed while it follows a rollout is continued by the next.
	e.run(e.tool, "unhealthy", "nothing") // a rollout takes some seconds
	e.interrupted("starts", "up", "--yes", "--skip-preview")
	e.pulumi("up", "--yes", "--skip-preview")
	after = e.account()
	assert.Equal(t, []string{"5"}, after.versions())
	assert.Equal(t, "5", after.groupVersion)
	e.pulumi("preview", "--expect-no-changes")

	// A database host that cannot come up fails `up` with its own error; a slow one is followed.
	boots := func(mode string) {
		require.NoError(t, os.WriteFile(filepath.Join(os.Getenv("E2E_HOME"), "database-host"), []byte(mode), 0o600))
		e.pulumi("state", "delete", "--yes", "--target-dependents", e.urn("database-gate-us-east-1a"))
	}
	boots("slow")
	output = string(e.pulumi("up", "--yes", "--skip-preview"))
	assert.Contains(t, output, "waiting for the volume")
	assert.Contains(t, output, ": ready")
	boots("failing")
	assert.Contains(t, e.refused("up", "--yes", "--skip-preview"), "holds ext4 rather than xfs")
	e.pulumi("destroy", "--yes", "--skip-preview")
}

// emulated is a copy of this checkout and a stack of it in the emulator.
type emulated struct {
	t    *testing.T
	tool string // path of the script
	dir  string // of the copy
	url  string // of the emulator
}

func startEmulated(t *testing.T) *emulated {
	tool, err := filepath.Abs(*endToEnd)
	require.NoError(t, err)
	shim, err := filepath.Abs("stack/testdata/emulator")
	require.NoError(t, err)
	e := &emulated{t: t, tool: tool, dir: t.TempDir()}
	for _, path := range strings.Split(strings.TrimSuffix(string(e.run("git", "ls-files", "-coz", "--exclude-standard")), "\x00"), "\x00") {
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue // deleted, not yet committed
		}
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(e.dir, path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(e.dir, path), data, 0o600))
	}
	home := t.TempDir()
	for name, value := range map[string]string{
		"E2E_HOME": home, "E2E_PROJECT": e.dir, "E2E_CONFIG": "Pulumi.dev.yaml", "PYTHONPATH": shim,
		"PULUMI_HOME": filepath.Join(home, "pulumi"), "PULUMI_BACKEND_URL": "file://" + filepath.Join(home, "state"), "PULUMI_CONFIG_PASSPHRASE": "e2e",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	t.Cleanup(func() { _ = exec.Command(tool, "stop").Run() })
	started := regexp.MustCompile(`emulator (\S+), tools (\S+)`).FindSubmatch(e.run(tool, "start"))
	require.NotNil(t, started)
	e.url = string(started[1])
	t.Setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", e.url) // the script names the endpoints of the stack's resources only
	t.Setenv("PATH", string(started[2])+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(e.dir)
	return e
}

// TestNewAccountEndToEnd previews the stack with the real provider in an account with the quotas of a new one.
func TestNewAccountEndToEnd(t *testing.T) {
	if *endToEnd == "" {
		t.Skip("takes minutes and needs the emulator: .ci/run sets -e2e")
	}
	e := startEmulated(t)
	e.build()
	kind := filepath.Join(os.Getenv("E2E_HOME"), "account")
	require.NoError(t, os.WriteFile(kind, []byte("new"), 0o600))
	output := e.refused("preview")
	for _, quota := range []string{"EC2-VPC Elastic IPs", "VPCs per Region", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"} {
		assert.Contains(t, output, "account: "+quota+": ")
	}
	require.NoError(t, os.Remove(kind))
	assert.NotContains(t, string(e.pulumi("preview")), "the quota is")
}

// run returns a command's standard output. It ends the test if the command fails.
func (e *emulated) run(name string, args ...string) []byte {
	e.t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(e.t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	lines := strings.Split(string(out)+stderr.String(), "\n")
	require.NoError(e.t, err, "%s %s\n%s", name, strings.Join(args, " "), strings.Join(lines[max(0, len(lines)-60):], "\n"))
	return out
}

func (e *emulated) pulumi(args ...string) []byte {
	e.t.Helper()
	return e.run(e.tool, append([]string{"pulumi"}, args...)...)
}

// refused returns the output of a pulumi command that must fail.
func (e *emulated) refused(args ...string) string {
	e.t.Helper()
	out, err := exec.CommandContext(e.t.Context(), e.tool, append([]string{"pulumi"}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(e.t, err, &exit, string(out))
	return string(out)
}

// interrupted runs a pulumi command and interrupts it when its output contains a text.
func (e *emulated) interrupted(at string, args ...string) {
	e.t.Helper()
	cmd := exec.CommandContext(e.t.Context(), e.tool, append([]string{"pulumi"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as Ctrl-C in a terminal, which reaches all processes
	out, err := cmd.StdoutPipe()
	require.NoError(e.t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(e.t, cmd.Start())
	seen := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !seen && strings.Contains(lines.Text(), at) {
			seen = true
			require.NoError(e.t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
		}
	}
	require.Error(e.t, cmd.Wait())
	require.True(e.t, seen, "the output has no %q", at)
}

// release changes what the API logs when it starts, and builds the binaries.
func (e *emulated) release(before, after string) {
	e.edit("app/cmd/cinema/serve.go", `log.Info("`+before+`",`, `log.Info("`+after+`",`)
	e.build()
}

// built returns the digest of the binary that was built last.
func (e *emulated) built() string {
	file, err := os.Open(filepath.Join("app", "bin", contract.Cinema+"-linux-arm64.gz"))
	require.NoError(e.t, err)
	defer file.Close()
	content, err := gzip.NewReader(file)
	require.NoError(e.t, err)
	sum := sha256.New()
	_, err = io.Copy(sum, content)
	require.NoError(e.t, err)
	return hex.EncodeToString(sum.Sum(nil))
}

// alarm returns the name of an alarm that takes a rollout back.
func (e *emulated) alarm() string {
	env := environment.Environment{Project: "cinema", Stack: "e2e", Region: "us-east-1", Account: awssim.AccountID, Partition: "aws"}
	return component.PhysicalName(env, "aws:cloudwatch/metricAlarm:MetricAlarm", "monitoring-api-5xx")
}

// urn returns the URN of a resource in the stack's state.
func (e *emulated) urn(name string) string {
	var state struct {
		Deployment struct{ Resources []struct{ URN string } }
	}
	require.NoError(e.t, json.Unmarshal(e.pulumi("stack", "export"), &state))
	for _, r := range state.Deployment.Resources {
		if strings.HasSuffix(r.URN, "::"+name) {
			return r.URN
		}
	}
	e.t.Fatalf("the state has no %s", name)
	return ""
}

func (e *emulated) build() { e.run("go", "run", "./app/cmd/build", "-arch", "arm64") }

func (e *emulated) edit(path, before, after string) {
	data, err := os.ReadFile(path)
	require.NoError(e.t, err)
	require.Equal(e.t, 1, bytes.Count(data, []byte(before)), before)
	require.NoError(e.t, os.WriteFile(path, bytes.Replace(data, []byte(before), []byte(after), 1), 0o600))
}

// changed returns the names of the resources that a preview changes, sorted.
func (e *emulated) changed() []string {
	var plan struct {
		Steps []struct{ Op, URN string }
	}
	require.NoError(e.t, json.Unmarshal(e.pulumi("preview", "--json"), &plan))
	var names []string
	for _, s := range plan.Steps {
		if s.Op != "same" {
			names = append(names, s.URN[strings.LastIndex(s.URN, "::")+2:])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// digest returns the digest of the binary `cinema` from the stack's outputs.
func (e *emulated) digest() string {
	var releases map[string]string
	require.NoError(e.t, json.Unmarshal(e.pulumi("stack", "output", "releases", "--json"), &releases))
	return releases["cinema"]
}

// account is the state of the API tier and the database tier.
type account struct {
	groupVersion, latestVersion string
	targetGroups                []string
	instances                   map[string]instance
	// notifications has the prefixes of the images bucket's notifications.
	notifications []string
	// databaseRoutes has the routes of the database tier, as "destination target".
	databaseRoutes []string
}

type instance struct{ version, zone, release string }

func (a account) versions() []string {
	return a.each(func(i instance) string { return i.version })
}
func (a account) zones() []string { return a.each(func(i instance) string { return i.zone }) }
func (a account) releases() []string {
	return a.each(func(i instance) string { return i.release })
}

// each returns the distinct values, sorted.
func (a account) each(of func(instance) string) []string {
	var all []string
	for _, i := range a.instances {
		all = append(all, of(i))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (e *emulated) account() account {
	ctx := e.t.Context()
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithBaseEndpoint(e.url))
	require.NoError(e.t, err)
	hosts := ec2.NewFromConfig(cfg)
	groups, err := autoscaling.NewFromConfig(cfg).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	require.NoError(e.t, err)
	require.Len(e.t, groups.AutoScalingGroups, 1)
	group := groups.AutoScalingGroups[0]
	a := account{groupVersion: aws.ToString(group.LaunchTemplate.Version), targetGroups: group.TargetGroupARNs, instances: map[string]instance{}}
	for _, i := range group.Instances {
		described, err := hosts.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{*i.InstanceId}})
		require.NoError(e.t, err)
		a.instances[*i.InstanceId] = instance{
			version: aws.ToString(i.LaunchTemplate.Version), zone: *i.AvailabilityZone,
			release: tag(described.Reservations[0].Instances[0].Tags, "Release"),
		}
	}
	versions, err := hosts.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: group.LaunchTemplate.LaunchTemplateId, Versions: []string{"$Latest"},
	})
	require.NoError(e.t, err)
	require.Len(e.t, versions.LaunchTemplateVersions, 1)
	a.latestVersion = fmt.Sprint(*versions.LaunchTemplateVersions[0].VersionNumber)

	tables, err := hosts.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{{Name: aws.String("tag:Tier"), Values: []string{"database"}}},
	})
	require.NoError(e.t, err)
	for _, table := range tables.RouteTables {
		for _, r := range table.Routes {
			a.databaseRoutes = append(a.databaseRoutes, strings.TrimSpace(aws.ToString(r.DestinationCidrBlock)+aws.ToString(r.DestinationPrefixListId)+" "+
				aws.ToString(r.GatewayId)+aws.ToString(r.NatGatewayId)+aws.ToString(r.InstanceId)))
		}
	}
	bucket := strings.TrimSpace(string(e.pulumi("stack", "output", "imagesBucket")))
	events, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).
		GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: &bucket})
	require.NoError(e.t, err)
	for _, f := range events.LambdaFunctionConfigurations {
		for _, rule := range f.Filter.Key.FilterRules {
			a.notifications = append(a.notifications, *rule.Value)
		}
	}
	return a
}

func tag(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

// releaseStatus runs `release status`.
func (e *emulated) releaseStatus() (code int, output string) {
	e.t.Setenv("AWS_ENDPOINT_URL", e.url)
	var out bytes.Buffer
	code = release.Main(e.t.Context(), []string{"status", "--stack", "e2e", "--timeout", "2m"}, &out, &out)
	return code, out.String()
}
