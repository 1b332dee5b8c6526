package stack

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

	e.edit("app/cmd/cinema/serve.go", `log.Info("listening",`, `log.Info("ready",`)
	e.build()
	assert.Equal(t, []string{"api-group", "api-instance", "storage-release-cinema"}, e.changed())
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
	e.pulumi("preview", "--expect-no-changes")

	code, output := e.releaseStatus(e.url)
	assert.Equal(t, 0, code, output)
	failing := e.failingRefresh()
	code, output = e.releaseStatus(failing)
	assert.Equal(t, 1, code, output)
	assert.Contains(t, output, "the rollout ended as Failed")
	for id := range after.instances {
		assert.Contains(t, output, id, "the instances are printed")
	}

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
	t.Setenv("PATH", string(started[2])+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(e.dir)
	return e
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

// releaseStatus runs `release status` on the account at url.
func (e *emulated) releaseStatus(url string) (code int, output string) {
	e.t.Setenv("AWS_ENDPOINT_URL", url)
	var out bytes.Buffer
	code = release.Main(e.t.Context(), []string{"status", "--stack", "e2e", "--timeout", "2m"}, &out, &out)
	return code, out.String()
}

// failingRefresh starts a proxy of the emulator on which every refresh has failed, and returns its URL.
func (e *emulated) failingRefresh() string {
	target, err := url.Parse(e.url)
	require.NoError(e.t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		body = bytes.ReplaceAll(body, []byte("<Status>Successful</Status>"), []byte("<Status>Failed</Status>"))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Del("Content-Length")
		return nil
	}
	server := httptest.NewServer(proxy)
	e.t.Cleanup(server.Close)
	return server.URL
}
