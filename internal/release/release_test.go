package release

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/cli"
	"cinema-database/internal/rollout"
	"cinema-database/internal/testutil/fakecli"
)

var (
	current = strings.Repeat("c", 64)
	before  = strings.Repeat("b", 64)
	oldest  = strings.Repeat("a", 64)
	unused  = strings.Repeat("d", 64)
)

// refresh is an answer to DescribeInstanceRefreshes.
type refresh struct {
	id, status, reason, rollback string
	percent, left                int
}

// instance is an instance of the group.
type instance struct{ id, zone, lifecycle, health, version string }

// stored is an object in the artifacts bucket.
type stored struct {
	content string
	age     time.Duration
}

// account answers as Auto Scaling, EC2 and S3 do: with the query protocol and S3's REST. Each request for the refreshes
// returns the next one; the last one repeats.
type account struct {
	mu        sync.Mutex
	refreshes []refresh
	instances []instance
	version   string // of the group's launch template, 3 where empty
	refuse    string // action that is denied
	requests  int
	// status is the status object of the database host of a stack without members.
	status string
	// database has what the database hosts write, by key.
	database map[string]stored
	// done lists the calls that change something. The refreshes are after's from then on.
	done         []string
	after        []refresh
	irreversible bool
	// containers has the services, nil where the stack has none.
	containers *containers
}

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		a.containers.serve(w, r, operation)
		return
	}
	_ = r.ParseForm()
	action := r.Form.Get("Action")
	if action == a.refuse && action != "" {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>`)
		return
	}
	switch action {
	case "DescribeInstanceRefreshes":
		assertGroup(r.Form.Get("AutoScalingGroupName"))
		body := ""
		if len(a.refreshes) > 0 {
			now := a.refreshes[min(a.requests, len(a.refreshes)-1)]
			rollback := ""
			if now.rollback != "" {
				rollback = "<RollbackDetails><RollbackReason>" + now.rollback + "</RollbackReason></RollbackDetails>"
			}
			body = fmt.Sprintf("<member><InstanceRefreshId>%s</InstanceRefreshId><Status>%s</Status><StatusReason>%s</StatusReason>"+
				"<PercentageComplete>%d</PercentageComplete><InstancesToUpdate>%d</InstancesToUpdate>%s</member>", now.id, now.status, now.reason, now.percent, now.left, rollback)
		}
		a.requests++
		fmt.Fprintf(w, "<R><DescribeInstanceRefreshesResult><InstanceRefreshes>%s</InstanceRefreshes></DescribeInstanceRefreshesResult></R>", body)
	case "DescribeAutoScalingGroups":
		var members strings.Builder
		for _, i := range a.instances {
			fmt.Fprintf(&members, "<member><InstanceId>%s</InstanceId><AvailabilityZone>%s</AvailabilityZone><LifecycleState>%s</LifecycleState>"+
				"<HealthStatus>%s</HealthStatus><LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><Version>%s</Version></LaunchTemplate></member>",
				i.id, i.zone, i.lifecycle, i.health, i.version)
		}
		fmt.Fprintf(w, "<R><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><AutoScalingGroupName>api-group-1</AutoScalingGroupName>"+
			"<LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><Version>%s</Version></LaunchTemplate><Instances>%s</Instances></member>"+
			"</AutoScalingGroups></DescribeAutoScalingGroupsResult></R>", cmp.Or(a.version, "3"), members.String())
	case "DescribeLaunchTemplateVersions":
		var items strings.Builder
		for version, release := range []string{oldest[:12], before[:12], current[:12]} {
			fmt.Fprintf(&items, "<item><launchTemplateId>lt-1</launchTemplateId><versionNumber>%d</versionNumber><launchTemplateData><tagSpecificationSet>"+
				"<item><resourceType>instance</resourceType><tagSet><item><key>Release</key><value>%s</value></item></tagSet></item>"+
				"</tagSpecificationSet></launchTemplateData></item>", version+1, release)
		}
		fmt.Fprintf(w, "<R><launchTemplateVersionSet>%s</launchTemplateVersionSet></R>", items.String())
	case "RollbackInstanceRefresh":
		if a.irreversible {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>IrreversibleInstanceRefresh</Code><Message>no desired configuration</Message></Error></ErrorResponse>`)
			return
		}
		fallthrough
	case "CancelInstanceRefresh", "StartInstanceRefresh":
		assertGroup(r.Form.Get("AutoScalingGroupName"))
		a.done = append(a.done, action+r.Form.Get("DesiredConfiguration.LaunchTemplate.Version"))
		a.refreshes, a.requests = a.after, 0
		fmt.Fprintf(w, "<R><%[1]sResult><InstanceRefreshId>r-9</InstanceRefreshId></%[1]sResult></R>", action)
	case "":
		if r.URL.Path == "/storage-artifacts-1/status/database.json" && a.status != "" {
			fmt.Fprint(w, a.status)
			return
		}
		if o, ok := a.database[strings.TrimPrefix(r.URL.Path, "/storage-artifacts-1/")]; ok {
			now := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
			w.Header().Set("Date", now.Format(http.TimeFormat))
			w.Header().Set("Last-Modified", now.Add(-o.age).Format(http.TimeFormat))
			fmt.Fprint(w, o.content)
			return
		}
		if r.URL.Path != "/storage-artifacts-1" || r.URL.Query().Get("prefix") != "releases/" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<Error><Code>NoSuchKey</Code></Error>`)
			return
		}
		fmt.Fprint(w, "<ListBucketResult>")
		for day, digest := range []string{oldest, before, current, unused} {
			for _, name := range []string{"cinema", "cinema-db"} {
				fmt.Fprintf(w, "<Contents><Key>releases/%s/%s</Key><LastModified>2026-07-%02dT10:00:00Z</LastModified><Size>17825792</Size></Contents>", digest, name, day+1)
			}
		}
		fmt.Fprint(w, "</ListBucketResult>")
	default:
		http.Error(w, action, http.StatusNotImplemented)
	}
}

func assertGroup(name string) {
	if name != "api-group-1" {
		panic("request for group " + name)
	}
}

// installCLI puts a Pulumi CLI on the PATH that knows the outputs of one stack.
func installCLI(t *testing.T, outputs string) {
	t.Helper()
	fakecli.Install(t, map[string]string{
		"stack output --json --non-interactive --stack dev": outputs,
		"config --json --non-interactive --stack dev":       `{"aws:maxRetries": {"value": "0"}, "cinema:api": {"value": "{}"}}`,
	})
}

// runRelease runs a release command on the account, without pauses between requests.
func runRelease(t *testing.T, a *account, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	for k, v := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(k, v)
	}
	ids := map[string]string{}
	for key := range a.database {
		if zone, ok := strings.CutSuffix(key, "-member.json"); ok {
			zone = strings.TrimPrefix(zone, "status/database-")
			ids[zone] = "i-" + zone
		}
	}
	databaseIDs, err := json.Marshal(ids)
	require.NoError(t, err)
	installCLI(t, `{"region":"eu-west-1","apiGroup":"api-group-1","artifactsBucket":"storage-artifacts-1","releases":{"cinema":"`+current+
		`"},"databaseIds":`+string(databaseIDs)+a.containers.outputs()+`}`)
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs, &rollout.SimulatedClock{})
	return code, out.String(), errs.String()
}

func healthy(version string) []instance {
	return []instance{
		{"i-1", "eu-west-1a", "InService", "Healthy", version},
		{"i-2", "eu-west-1b", "InService", "Healthy", version},
	}
}

func TestStatusFollowsTheRollout(t *testing.T) {
	code, out, errs := runRelease(t, &account{instances: healthy("3"), refreshes: []refresh{
		{"r-1", "Pending", "", "", 0, 0},
		{"r-1", "InProgress", "Waiting for i-2 to warm up.", "", 0, 2},
		{"r-1", "InProgress", "Waiting for i-2 to warm up.", "", 0, 2},
		{"r-1", "InProgress", "", "", 50, 1},
		{"r-1", "Successful", "", "", 100, 0},
	}}, "status")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Equal(t, `database host: no report yet
r-1  Pending, 0 % done, 0 instances to update
r-1  InProgress, 0 % done, 2 instances to update: Waiting for i-2 to warm up.
r-1  InProgress, 50 % done, 1 instances to update
r-1  Successful, 100 % done, 0 instances to update
release cccccccccccc is on all 2 instances of api-group-1 (template version 3)
`, out)
}

func TestStatusPrintsTheInstancesWhenItFails(t *testing.T) {
	instances := []instance{
		{"i-1", "eu-west-1a", "InService", "Healthy", "3"},
		{"i-2", "eu-west-1b", "Pending:Wait", "Unhealthy", "2"},
	}
	table := `instances of api-group-1 (template version 3):
  INSTANCE  ZONE        LIFECYCLE     HEALTH     VERSION
  i-2       eu-west-1b  Pending:Wait  Unhealthy  2
  i-1       eu-west-1a  InService     Healthy    3
`
	for _, c := range []struct {
		name      string
		refreshes []refresh
		want      string
	}{
		{"failed", []refresh{{"r-1", "Failed", "i-2 did not become healthy", "", 50, 1}}, "the rollout ended as Failed, 50 % done, 1 instances to update: i-2 did not become healthy"},
		{"cancelled", []refresh{{"r-1", "Cancelling", "", "", 50, 1}, {"r-1", "Cancelled", "", "", 50, 1}}, "the rollout ended as Cancelled"},
		{"rolled back", []refresh{{"r-1", "RollbackInProgress", "", "unhealthy", 20, 1}, {"r-1", "RollbackSuccessful", "", "unhealthy", 100, 0}}, "the rollout ended as RollbackSuccessful, 100 % done, 0 instances to update: unhealthy"},
		{"rollback failed", []refresh{{"r-1", "RollbackFailed", "", "", 10, 1}}, "the rollout ended as RollbackFailed"},
		{"superseded", []refresh{{"r-1", "InProgress", "", "", 50, 1}, {"r-2", "Failed", "", "", 0, 2}}, "the rollout ended as Failed"},
		{"successful, but an instance is not ready", []refresh{{"r-1", "Successful", "", "", 100, 0}}, "1 of 2 instances are not healthy on template version 3"},
		{"no rollout", nil, "1 of 2 instances are not healthy on template version 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := runRelease(t, &account{instances: instances, refreshes: c.refreshes}, "status", "--stack", "dev")
			assert.Equal(t, cli.ExitFailed, code)
			assert.Contains(t, out, table)
			assert.Contains(t, errs, c.want)
		})
	}
}

func TestStatusWithoutARollout(t *testing.T) {
	code, out, errs := runRelease(t, &account{instances: healthy("3")}, "status")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Contains(t, out, "no rollout yet")
	code, _, errs = runRelease(t, &account{}, "status")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "has no instances")
}

func TestStatusOfAGroupWithAnotherRelease(t *testing.T) {
	code, out, errs := runRelease(t, &account{version: "2", instances: healthy("2"), refreshes: []refresh{{"r-1", "Successful", "", "", 100, 0}}}, "status")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "the group runs release bbbbbbbbbbbb, but the release of stack dev is cccccccccccc")
	assert.Contains(t, out, "i-1       eu-west-1a  InService  Healthy  2")
}

func TestStatusEndsAtTheTimeout(t *testing.T) {
	code, out, errs := runRelease(t, &account{instances: healthy("2"), refreshes: []refresh{{"r-1", "InProgress", "", "", 10, 2}}}, "status", "--timeout", "3s")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "the rollout has not ended within 3s (InProgress, 10 % done, 2 instances to update)")
	assert.Contains(t, out, "i-1       eu-west-1a  InService  Healthy  2")
}

func TestStatusShowsTheDatabaseHost(t *testing.T) {
	a := &account{instances: healthy("3"), status: `{"instance":"i-9","phase":"waiting for the volume","version":"8.0.38","digest":"` + current +
		`","error":"no device","time":"2026-07-01T10:00:00Z"}`}
	code, out, errs := runRelease(t, a, "status")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Contains(t, out, "database host: waiting for the volume: no device, MongoDB 8.0.38, cinema-db cccccccccccc, since 2026-07-01T10:00:00Z")
}

// written is what the database hosts in zones a, b and so on write. Each member reports a state, and the members as the first
// one that is given.
func written(members []contract.MemberState, states ...string) map[string]stored {
	all := map[string]stored{}
	for i, state := range states {
		letter := string(rune('a' + i))
		zone, host := "eu-west-1"+letter, "mongo-"+letter+".cinema.internal"
		status, _ := json.Marshal(contract.Status{Instance: "i-" + zone, Phase: contract.PhaseReady, Version: "8.0.38", Digest: current})
		report, _ := json.Marshal(contract.Report{Zone: zone, Host: host, State: state, Members: members, Time: "2026-07-01T09:59:5" + strconv.Itoa(i) + "Z"})
		all[contract.StatusKey(contract.DatabaseRole(zone))] = stored{string(status), 0}
		all[contract.ReportKey(zone)] = stored{string(report), 0}
	}
	return all
}

func TestStatusShowsEveryMember(t *testing.T) {
	state := func(letter, state string, lag int) contract.MemberState {
		return contract.MemberState{Host: "mongo-" + letter + ".cinema.internal", State: state, Voting: true, LagSeconds: lag}
	}
	one, three := []contract.MemberState{state("a", "PRIMARY", 0)}, []contract.MemberState{state("a", "SECONDARY", 2), state("b", "PRIMARY", 0), state("c", "SECONDARY", 0)}
	good := func() map[string]stored { return written(three, "SECONDARY", "PRIMARY", "SECONDARY") }
	changed := func(key string, o stored) map[string]stored {
		all := good()
		all[key] = o
		return all
	}
	for name, c := range map[string]struct {
		database map[string]stored
		out, err string
	}{
		"one": {written(one, "PRIMARY"), `database members:
  ZONE        HOST   MONGODB  CINEMA-DB     MEMBER   BEHIND  REPORTED              ERROR
  eu-west-1a  ready  8.0.38   cccccccccccc  PRIMARY  0 s     2026-07-01T09:59:50Z  none
`, ""},
		"three": {good(), `database members:
  ZONE        HOST   MONGODB  CINEMA-DB     MEMBER     BEHIND  REPORTED              ERROR
  eu-west-1a  ready  8.0.38   cccccccccccc  SECONDARY  2 s     2026-07-01T09:59:50Z  none
  eu-west-1b  ready  8.0.38   cccccccccccc  PRIMARY    0 s     2026-07-01T09:59:51Z  none
  eu-west-1c  ready  8.0.38   cccccccccccc  SECONDARY  0 s     2026-07-01T09:59:52Z  none
`, ""},
		"one is down, one syncs": {written([]contract.MemberState{three[1], state("a", "(not reachable/healthy)", -1), state("c", "STARTUP2", -1)}, "SECONDARY", "PRIMARY", "STARTUP2"),
			"eu-west-1a  ready  8.0.38   cccccccccccc  down (not reachable/healthy)  unknown",
			"2 of 3 database members are not healthy: eu-west-1a down (not reachable/healthy), eu-west-1c initial sync (STARTUP2)"},
		"not added": {written(three[:2], "SECONDARY", "PRIMARY", "STARTUP"), "eu-west-1c  ready", "1 of 3 database members are not healthy: eu-west-1c not added yet"},
		"one is behind": {written([]contract.MemberState{three[1], three[0], state("c", "SECONDARY", 3600)}, "SECONDARY", "PRIMARY", "SECONDARY"), "3600 s",
			"eu-west-1c SECONDARY, more than 10 s behind the primary"},
		"no primary": {written(three, "SECONDARY", "", "SECONDARY"), "mongod does not answer",
			"3 of 3 database members are not healthy: eu-west-1a SECONDARY, no primary reports, eu-west-1b mongod does not answer, no primary reports"},
		"one reports no more": {changed(contract.ReportKey("eu-west-1c"), stored{good()[contract.ReportKey("eu-west-1c")].content, time.Minute}), "reports no more",
			"1 of 3 database members are not healthy: eu-west-1c SECONDARY, reports no more"},
		"the primary reports no more": {changed(contract.ReportKey("eu-west-1b"), stored{good()[contract.ReportKey("eu-west-1b")].content, time.Hour}), "PRIMARY, no primary reports",
			"3 of 3 database members are not healthy"},
		"a new host": {changed(contract.StatusKey("database-eu-west-1c"), stored{`{"instance":"i-old","phase":"ready"}`, 0}), "eu-west-1c  no report yet", ""},
		"errors": {changed(contract.StatusKey("database-eu-west-1c"), stored{`{"instance":"i-eu-west-1c","phase":"fetching","error":"S3 refuses"}`, 0}),
			"eu-west-1c  fetching                         SECONDARY  0 s     2026-07-01T09:59:52Z  S3 refuses", ""},
		"no report": {map[string]stored{contract.ReportKey("eu-west-1a"): {`null`, 0}}, "never", "eu-west-1a"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := runRelease(t, &account{instances: healthy("3"), database: c.database}, "status")
			assert.Contains(t, out, c.out)
			assert.Contains(t, out, "release cccccccccccc is on all 2 instances", "the release is followed all the same")
			if c.err == "" {
				assert.Equal(t, cli.ExitOK, code, errs)
				return
			}
			assert.Equal(t, cli.ExitFailed, code)
			assert.Contains(t, errs, c.err)
		})
	}
}

func TestRollbackTakesBackTheRollout(t *testing.T) {
	active := []refresh{{"r-9", "InProgress", "", "", 33, 2}}
	a := &account{instances: healthy("3"), refreshes: active, after: []refresh{
		{"r-9", "RollbackInProgress", "", "User-initiated", 50, 1}, {"r-9", "RollbackSuccessful", "", "User-initiated", 100, 0},
	}}
	code, out, errs := runRelease(t, a, "rollback")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Equal(t, []string{"RollbackInstanceRefresh"}, a.done)
	assert.Contains(t, out, "r-9  RollbackSuccessful")

	a = &account{instances: healthy("3"), refreshes: active, irreversible: true}
	code, _, errs = runRelease(t, a, "rollback")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Equal(t, []string{"CancelInstanceRefresh"}, a.done)
	assert.Contains(t, errs, "the instances that it has replaced stay; no desired configuration")

	a = &account{instances: healthy("3"), refreshes: active, after: []refresh{{"r-9", "RollbackFailed", "", "no capacity", 50, 1}}}
	code, _, errs = runRelease(t, a, "rollback")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "ended as RollbackFailed, 50 % done, 1 instances to update: no capacity")

	a = &account{instances: healthy("3"), refreshes: active}
	code, _, errs = runRelease(t, a, "rollback", "--to", before[:12])
	assert.Equal(t, cli.ExitFailed, code)
	assert.Empty(t, a.done)
	assert.Contains(t, errs, "a rollout is in progress")
}

func TestRollbackToAnEarlierRelease(t *testing.T) {
	a := &account{instances: healthy("3"), after: []refresh{{"r-9", "Failed", "no capacity", "", 0, 2}}}
	code, out, errs := runRelease(t, a, "rollback", "--to", before[:12])
	assert.Equal(t, []string{"StartInstanceRefresh2"}, a.done)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, out, "release bbbbbbbbbbbb: rollout r-9 to template version 2 starts")
	assert.Contains(t, errs, "ended as Failed, 0 % done, 2 instances to update: no capacity")

	a = &account{instances: healthy("3")}
	code, _, errs = runRelease(t, a, "rollback", "--to", unused[:12])
	assert.Equal(t, cli.ExitFailed, code)
	assert.Empty(t, a.done)
	assert.Contains(t, errs, "flag --to dddddddddddd: not a release with a template version")
}

func TestStatusReportsErrorsOfAWS(t *testing.T) {
	code, _, errs := runRelease(t, &account{instances: healthy("3"), refuse: "DescribeInstanceRefreshes"}, "status")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "instance refreshes of api-group-1: ")
	assert.Contains(t, errs, "AccessDenied")
}

func TestRollbackListsEarlierReleases(t *testing.T) {
	a := &account{instances: append(healthy("3"), instance{"i-3", "eu-west-1c", "InService", "Healthy", "2"}), refreshes: []refresh{{"r-1", "Successful", "", "", 100, 0}}}
	code, out, errs := runRelease(t, a, "rollback")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Contains(t, out, `stack dev: release cccccccccccc, group api-group-1 on template lt-1 version 3

  RELEASE       UPLOADED          MIB   TEMPLATE VERSIONS  INSTANCES  
  dddddddddddd  2026-07-04 10:00  17.0  none               0          
  cccccccccccc  2026-07-03 10:00  17.0  3                  2          the stack's release
  bbbbbbbbbbbb  2026-07-02 10:00  17.0  2                  1          
  aaaaaaaaaaaa  2026-07-01 10:00  17.0  1                  0          
`)
	assert.Contains(t, out, "No rollout is in progress. AWS cannot take back one that has ended.")
	assert.Contains(t, out, "To roll back to bbbbbbbbbbbb for good:")
	assert.Contains(t, out, "go run . release rollback --stack dev --to bbbbbbbbbbbb")
	assert.Empty(t, a.done)
}

func TestCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"promote":               `command "promote": neither status nor rollback`,
		"status now":            `argument "now": not known`,
		"status --timeout soon": `invalid value "soon"`,
		"status --timeout -5m":  `flag --timeout -5m0s: not a positive duration`,
		"status --to yourself":  `not defined: -to`,
		"status --service demo": `not defined: -service`,

		"rollback --to aaaaaaaaaaaa --service demo": `flags --to aaaaaaaaaaaa and --service demo: --to is for the release of the API; use one of the two`,
	} {
		var out, errs bytes.Buffer
		assert.Equal(t, cli.ExitUsage, run(t.Context(), strings.Fields(args), &out, &errs, &rollout.SimulatedClock{}), args)
		assert.Contains(t, errs.String(), want)
		assert.Contains(t, errs.String(), "usage: release")
	}
	var out, errs bytes.Buffer
	assert.Equal(t, cli.ExitOK, run(t.Context(), []string{"status", "--help"}, &out, &errs, &rollout.SimulatedClock{}))
	assert.Contains(t, out.String(), "usage: release")
}

func TestMissingStackOrOutputs(t *testing.T) {
	code, _, errs := runRelease(t, &account{}, "status", "--stack", "nowhere")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "outputs of stack nowhere: exit status 255: error: no stack named")

	installCLI(t, `{"region":"eu-west-1"}`)
	var out, errors bytes.Buffer
	assert.Equal(t, cli.ExitFailed, run(t.Context(), []string{"status"}, &out, &errors, &rollout.SimulatedClock{}))
	assert.Contains(t, errors.String(), "stack dev has no output apiGroup; run `pulumi up --stack dev` first")
	assert.Contains(t, errors.String(), "releases.cinema")
}
