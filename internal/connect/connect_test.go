package connect

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/cli"
	"cinema-database/internal/testutil/fakecli"
)

// installAWS puts an AWS CLI on the PATH that prints the words of its command line and the credentials, and ends with $ENDS.
// It answers the question for an instance in service.
func installAWS(t *testing.T, tools ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range tools {
		require.NoError(t, os.WriteFile(filepath.Join(dir, tool), []byte(`#!/bin/sh
if [ "$1" = autoscaling ]; then echo "$*" >>"$CALLS"; echo i-api; exit; fi
printf '[%s]' "$@"
printf ' as %s/%s/%s of profile "%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" "$AWS_PROFILE"
exit ${ENDS:-0}
`), 0o755))
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// installStack puts a Pulumi CLI on the PATH for a stack whose group has instances, a list of "id state health".
func installStack(t *testing.T, natGateways int, instances ...string) {
	t.Helper()
	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<R><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><Instances>")
		for _, i := range instances {
			var id, state, health string
			_, _ = fmt.Sscan(i, &id, &state, &health)
			fmt.Fprintf(w, "<member><InstanceId>%s</InstanceId><LifecycleState>%s</LifecycleState><HealthStatus>%s</HealthStatus></member>", id, state, health)
		}
		fmt.Fprint(w, "</Instances></member></AutoScalingGroups></DescribeAutoScalingGroupsResult></R>")
	}))
	t.Cleanup(account.Close)
	fakecli.Install(t, map[string]string{
		"stack output --json --non-interactive --stack prod": fmt.Sprintf(
			`{"region":"eu-west-1","bastionId":"i-bastion","databaseId":"i-database","databaseIds":{"eu-west-1a":"i-database","eu-west-1b":"i-second"},"apiGroup":"group","natGateways":%d}`, natGateways),
		"stack output --json --non-interactive --stack old": `{"region":"eu-west-1","bastionId":"i-bastion"}`,
		"config --json --non-interactive --stack prod": fmt.Sprintf(
			`{"aws:accessKey":{"value":"key"},"aws:secretKey":{"value":"secret"},"aws:token":{"value":"token"},"aws:endpoints":{"value":"[{\"autoscaling\":\"%s\"}]"}}`, account.URL),
	})
}

func connect(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

const toDatabase = "aws ssm start-session --region eu-west-1 --target i-bastion --document-name AWS-StartInteractiveCommand " +
	"--parameters 'command=aws ec2-instance-connect ssh --connection-type direct --os-user ec2-user --instance-id i-database --region eu-west-1'"

func TestConnect(t *testing.T) {
	installAWS(t, "aws", "session-manager-plugin")
	config := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(config, []byte("[profile mine]\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("AWS_PROFILE", "mine")
	for _, c := range []struct {
		host        string
		natGateways int
		line        string
	}{
		{"bastion", 1, "aws ssm start-session --region eu-west-1 --target i-bastion"},
		{"database", 1, toDatabase},
		{"database-eu-west-1b", 1, strings.Replace(toDatabase, "i-database", "i-second", 1)},
		{"api", 1, "aws ssm start-session --region eu-west-1 --target i-healthy"},
		{"api", 0, strings.Replace(toDatabase, "i-database", "i-healthy", 1)},
	} {
		installStack(t, c.natGateways, "i-starting Pending Healthy", "i-ill InService Unhealthy", "i-healthy InService HEALTHY", "i-late InService Unhealthy")
		code, out, errs := connect(t, c.host, "--stack", "prod", "--print")
		require.Equal(t, cli.ExitOK, code, errs)
		assert.Equal(t, c.line+"\n", out, c.host)

		code, out, errs = connect(t, c.host, "--stack", "prod")
		require.Equal(t, cli.ExitOK, code, errs)
		printed, ran, _ := strings.Cut(out, "\n")
		assert.Equal(t, c.line, printed)
		pasted, err := exec.CommandContext(t.Context(), "sh", "-c", c.line).Output()
		require.NoError(t, err)
		words, _, _ := strings.Cut(string(pasted), " as ")
		assert.Equal(t, words+" as key/secret/token of profile \"\"\n", ran, "what runs is what is printed, with the stack's credentials")
	}
	t.Setenv("ENDS", "3")
	code, _, _ := connect(t, "bastion", "--stack", "prod")
	assert.Equal(t, 3, code, "the exit code of the AWS CLI")
}

// The stack's outputs are command lines that a shell runs as they are, also out of JSON.
func TestOutputsCanBePasted(t *testing.T) {
	installAWS(t, "aws")
	calls := filepath.Join(t.TempDir(), "calls")
	t.Setenv("CALLS", calls)
	hosts := Hosts{Region: "eu-west-1", Bastion: "i-bastion", Databases: map[string]string{"eu-west-1a": "i-database", "eu-west-1b": "i-second"}, First: "eu-west-1a", Group: "group"}
	apart := hosts
	apart.NoNAT = true
	through := "[ssm][start-session][--region][eu-west-1][--target][i-bastion][--document-name][AWS-StartInteractiveCommand][--parameters]" +
		"[command=aws ec2-instance-connect ssh --connection-type direct --os-user ec2-user --instance-id %s --region eu-west-1]"
	for line, want := range map[string]string{
		hosts.BastionCommand():                  "[ssm][start-session][--region][eu-west-1][--target][i-bastion]",
		hosts.Commands()["database"]:            fmt.Sprintf(through, "i-database"),
		hosts.Commands()["database-eu-west-1b"]: fmt.Sprintf(through, "i-second"),
		hosts.APICommand():                      "[ssm][start-session][--region][eu-west-1][--target][i-api]",
		apart.APICommand():                      fmt.Sprintf(through, "i-api"),
	} {
		assert.NotContains(t, line, `"`, "JSON would escape it")
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
		require.NoError(t, err, line)
		words, _, _ := strings.Cut(string(out), " as ")
		assert.Equal(t, want, words)
	}
	asked, err := os.ReadFile(calls)
	require.NoError(t, err)
	lookup := "autoscaling describe-auto-scaling-groups --region eu-west-1 --auto-scaling-group-names group --output text " +
		"--query AutoScalingGroups[0].Instances[?LifecycleState==`InService`]|[0].InstanceId\n"
	assert.Equal(t, lookup+lookup, string(asked))
}

func TestConnectFails(t *testing.T) {
	installAWS(t, "aws", "session-manager-plugin")
	installStack(t, 1, "i-starting Pending Healthy")
	for args, want := range map[string]string{
		"api --stack prod":                 "connect: group group has no instance in service; `go run . release status` shows its instances",
		"database-eu-west-1c --stack prod": `host "database-eu-west-1c": the stack has database, database-eu-west-1b`,
		"database --stack old":             "connect: stack old has no output databaseId, apiGroup; run `pulumi up --stack old` first",
		"bastion --stack nowhere":          "outputs of stack nowhere: exit status 255: error: no stack named 'nowhere' found",
	} {
		code, _, errs := connect(t, strings.Fields(args)...)
		assert.Equal(t, cli.ExitFailed, code)
		assert.Contains(t, errs, want)
	}
	fakecli.Install(t, nil, `stack*) echo "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions" >&2; exit 3 ;;`)
	_, _, errs := connect(t, "bastion")
	assert.Contains(t, errs, "run `pulumi login`")

	t.Setenv("PATH", t.TempDir())
	code, _, errs := connect(t, "bastion")
	assert.Equal(t, cli.ExitFailed, code)
	for _, tool := range []string{"aws", "session-manager-plugin"} {
		assert.Contains(t, errs, tool+" is not on the PATH; install it: https://docs.aws.amazon.com/")
	}
}

func TestCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"":             `host "": write api, database, database-ZONE or bastion, first`,
		"--stack prod": `host "": write`,
		"mongo":        `host "mongo": write`,
		"database-b":   `host "database-b": write`,
		"api bastion":  `argument "bastion": not known`,
		"api --force":  "not defined: -force",
	} {
		code, _, errs := connect(t, strings.Fields(args)...)
		assert.Equal(t, cli.ExitUsage, code)
		assert.Contains(t, errs, want)
	}
	for _, args := range []string{"help", "--help", "api -h"} {
		code, out, _ := connect(t, strings.Fields(args)...)
		assert.Equal(t, cli.ExitOK, code)
		assert.Contains(t, out, "usage: connect api|database|database-ZONE|bastion")
	}
}
