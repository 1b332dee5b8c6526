package teardown

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/cli"
	"cinema-database/internal/testutil/fakecli"
)

// installCLI puts a Pulumi CLI on the PATH that knows the state of one stack. calls returns its other calls.
func installCLI(t *testing.T, state string) (calls func() string) {
	t.Helper()
	fakecli.Install(t, map[string]string{"stack export --non-interactive --stack prod": state}, `destroy*) echo "$*" >> calls; cat; exit ${DESTROYED:-0} ;;`)
	return func() string {
		all, err := os.ReadFile("calls")
		if os.IsNotExist(err) {
			return ""
		}
		require.NoError(t, err)
		return string(all)
	}
}

func destroy(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, strings.NewReader("yes\n"), &out, &errs)
	return code, out.String(), errs.String()
}

func TestProtectedStackIsNotDestroyed(t *testing.T) {
	calls := installCLI(t, `{"version":3,"deployment":{"resources":[
		{"urn":"urn:pulumi:prod::cinema::pulumi:pulumi:Stack::cinema-prod","type":"pulumi:pulumi:Stack"},
		{"urn":"urn:pulumi:prod::cinema::cinema:storage:Storage$aws:s3/bucketV2:BucketV2::storage-images","type":"aws:s3/bucketV2:BucketV2","protect":true,"inputs":{"forceDestroy":false}},
		{"urn":"urn:pulumi:prod::cinema::cinema:storage:Storage$aws:s3/bucketV2:BucketV2::storage-logs","type":"aws:s3/bucketV2:BucketV2","inputs":{}},
		{"urn":"urn:pulumi:prod::cinema::cinema:compute:API$aws:lb/loadBalancer:LoadBalancer::api-lb","type":"aws:lb/loadBalancer:LoadBalancer","inputs":{"enableDeletionProtection":true}},
		{"urn":"urn:pulumi:prod::cinema::cinema:compute:Database$aws:ebs/volume:Volume::database-data","type":"aws:ebs/volume:Volume","protect":true,"inputs":{}},
		{"urn":"urn:pulumi:prod::cinema::cinema:network:Network$aws:ec2/vpc:Vpc::network-vpc","type":"aws:ec2/vpc:Vpc","inputs":{}}]}}`)
	code, _, errs := destroy(t, "--stack", "prod", "--", "--yes")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Equal(t, `destroy: stack prod is protected; nothing was deleted

  api-lb          aws:lb/loadBalancer:LoadBalancer  AWS: deletion protection
  database-data   aws:ebs/volume:Volume             Pulumi: protect
  storage-images  aws:s3/bucketV2:BucketV2          Pulumi: protect; AWS: while it holds objects
  storage-logs    aws:s3/bucketV2:BucketV2          AWS: while it holds objects

To delete the whole stack with its data:

  1. pulumi config set cinema:protect false --stack prod
     pulumi up --stack prod
  2. go run . destroy --stack prod

`, errs)
	assert.Empty(t, calls())
}

func TestBackupsHaveTheirOwnSetting(t *testing.T) {
	vault := `{"version":3,"deployment":{"resources":[
		{"urn":"urn:pulumi:prod::cinema::cinema:storage:Backup$aws:backup/vault:Vault::backup-vault","type":"aws:backup/vault:Vault","inputs":{"forceDestroy":%s}}]}}`
	calls := installCLI(t, strings.Replace(vault, "%s", "false", 1))
	code, _, errs := destroy(t, "--stack", "prod")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Equal(t, `destroy: stack prod is protected; nothing was deleted

  backup-vault  aws:backup/vault:Vault  AWS: while it holds recovery points

To delete the whole stack with its data:

  1. pulumi config set cinema:protect false --stack prod
     pulumi config set --path cinema:backups.forceDestroy true --stack prod
     pulumi up --stack prod
  2. go run . destroy --stack prod

`, errs)
	assert.Empty(t, calls())

	calls = installCLI(t, strings.Replace(vault, "%s", "true", 1))
	code, _, errs = destroy(t, "--stack", "prod")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Equal(t, "destroy --stack prod\n", calls())
}

// The deployer's own roles must not delete themselves: AWS would refuse it when most of the stack is gone.
func TestTheDeployRoleDoesNotDestroy(t *testing.T) {
	for caller, code := range map[string]int{
		"arn:aws:sts::123456789012:assumed-role/cinema-prod-deployer-deploy-1a2b3c4/GitHubActions": cli.ExitFailed,
		"arn:aws:sts::123456789012:assumed-role/administrator/somebody":                            cli.ExitOK,
		"": cli.ExitOK, // STS refuses: the credentials do not count
	} {
		sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if caller == "" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			fmt.Fprintf(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>%s</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>", caller)
		}))
		t.Cleanup(sts.Close)
		fakecli.Install(t, map[string]string{
			"stack export --non-interactive --stack prod": `{"version":3,"deployment":{"resources":[
				{"urn":"urn:pulumi:prod::cinema::cinema:iam:Roles$aws:iam/role:Role::iam-api","type":"aws:iam/role:Role","id":"cinema-prod-iam-api-1a2b3c4"},
				{"urn":"urn:pulumi:prod::cinema::cinema:iam:Deployer$aws:iam/role:Role::deployer-deploy","type":"aws:iam/role:Role","id":"cinema-prod-deployer-deploy-1a2b3c4"}]}}`,
			"config --json --non-interactive --stack prod": fmt.Sprintf(
				`{"aws:accessKey":{"value":"x"},"aws:secretKey":{"value":"y"},"aws:endpoints":{"value":"[{\"sts\":\"%s\"}]"}}`, sts.URL),
		}, `destroy*) exit 0 ;;`)
		got, _, errs := destroy(t, "--stack", "prod")
		assert.Equal(t, code, got, "%s: %s", caller, errs)
		if code != cli.ExitOK {
			assert.Equal(t, "destroy: these credentials are of role cinema-prod-deployer-deploy-1a2b3c4, which is part of stack prod and must not delete "+
				"its own permissions: the run would stop half-way; nothing was deleted; an administrator runs this command\n", errs)
		}
	}
}

func TestUnprotectedStackIsDestroyed(t *testing.T) {
	calls := installCLI(t, `{"version":3,"deployment":{"resources":[
		{"urn":"urn:pulumi:prod::cinema::aws:s3/bucketV2:BucketV2::storage-images","type":"aws:s3/bucketV2:BucketV2","inputs":{"forceDestroy":true}},
		{"urn":"urn:pulumi:prod::cinema::aws:lb/loadBalancer:LoadBalancer::api-lb","type":"aws:lb/loadBalancer:LoadBalancer","inputs":{"enableDeletionProtection":false}}]}}`)
	code, out, errs := destroy(t, "--stack", "prod", "--", "--skip-preview")
	assert.Equal(t, cli.ExitOK, code, errs)
	assert.Equal(t, "destroy --stack prod --skip-preview\n", calls())
	assert.Equal(t, "yes\n", out, "Pulumi reads the user's answer")
	t.Setenv("DESTROYED", "3")
	code, _, _ = destroy(t, "--stack", "prod")
	assert.Equal(t, 3, code, "Pulumi's exit code")
}

func TestStackWithUnreadableStateIsNotDestroyed(t *testing.T) {
	calls := installCLI(t, `not JSON`)
	code, _, errs := destroy(t, "--stack", "prod")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "state of stack prod: invalid character")
	code, _, errs = destroy(t, "--stack", "nowhere")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "state of stack nowhere: exit status 255: error: no stack named 'nowhere' found")
	assert.Empty(t, calls())

	fakecli.Install(t, nil, `stack*) echo "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions" >&2; exit 3 ;;`)
	code, _, errs = destroy(t, "--stack", "prod")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "state of stack prod: no state backend is chosen: run `pulumi login`")
}

func TestCommandLine(t *testing.T) {
	for args, want := range map[string]string{"now": `argument "now": not known`, "--force": "not defined: -force"} {
		code, _, errs := destroy(t, args)
		assert.Equal(t, cli.ExitUsage, code)
		assert.Contains(t, errs, want)
		assert.Contains(t, errs, "usage: destroy")
	}
	code, out, _ := destroy(t, "--help")
	assert.Equal(t, cli.ExitOK, code)
	assert.Contains(t, out, "cinema:protect")
}
