package stack

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// workflow holds the parts of GitHub's workflow syntax that the tests check.
type workflow struct {
	Name        string
	On          map[string]any
	Permissions map[string]string
	Concurrency struct {
		Group            string
		CancelInProgress any `yaml:"cancel-in-progress"`
	}
	Env  map[string]string
	Jobs map[string]job
}

type job struct {
	If          string
	Needs       any
	RunsOn      string `yaml:"runs-on"`
	Timeout     int    `yaml:"timeout-minutes"`
	Environment string
	Permissions map[string]string
	Env         map[string]string
	Steps       []step
}

type step struct {
	Name, Uses, Run, If string
	With                map[string]any
	Env                 map[string]string
}

func workflows(t *testing.T) (parsed map[string]workflow, texts map[string]string) {
	t.Helper()
	files, err := filepath.Glob(".github/workflows/*.yml")
	require.NoError(t, err)
	parsed, texts = map[string]workflow{}, map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(text, &w), file)
		parsed[filepath.Base(file)], texts[filepath.Base(file)] = w, string(text)
	}
	require.Contains(t, parsed, "preview.yml")
	require.Contains(t, parsed, "deploy.yml")
	return parsed, texts
}

func TestWorkflowsHaveLeastPrivilege(t *testing.T) {
	parsed, texts := workflows(t)
	for file, w := range parsed {
		for _, m := range regexp.MustCompile(`uses: *(.*)`).FindAllStringSubmatch(texts[file], -1) {
			assert.Regexp(t, `^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+(\.\d+)*$`, m[1], "%s: pin actions by commit", file)
		}
		assert.NotNil(t, w.Permissions, "%s leaves the token's permissions to the repository's settings", file)
		assert.Empty(t, w.Permissions, "%s: permissions belong in the jobs", file)
		assert.NotContains(t, w.On, "pull_request_target", "%s would run a stranger's code with the repository's secrets", file)
		for name, j := range w.Jobs {
			at := file + " " + name
			assert.Positive(t, j.Timeout, at)
			assert.NotNil(t, j.Permissions, at)
			assumesRole := slices.ContainsFunc(j.Steps, func(s step) bool { return strings.HasPrefix(s.Uses, "aws-actions/configure-aws-credentials@") })
			for scope, access := range j.Permissions {
				switch scope + ": " + access {
				case "contents: read":
				case "id-token: write":
					assert.True(t, assumesRole, "%s assumes no role", at)
				case "pull-requests: write":
					for _, s := range j.Steps {
						assert.False(t, strings.HasPrefix(s.Uses, "actions/checkout@"), "%s runs the pull request's code where it may write comments", at)
					}
				default:
					t.Errorf("%s: %s: %s is not needed", at, scope, access)
				}
			}
			assert.Equal(t, assumesRole, j.Permissions["id-token"] == "write", at)
			for _, s := range j.Steps {
				if strings.HasPrefix(s.Uses, "actions/checkout@") {
					assert.Equal(t, false, s.With["persist-credentials"], at)
				}
				assert.NotContains(t, s.Run, "${{", "%s: use env, where the value is data and not a command", at)
				for key := range s.With {
					assert.NotContains(t, key, "access-key", "%s uses a long-lived key", at)
				}
			}
		}
	}
}

func TestDeploymentsRunOneAtATimeFromTheTrustedBranch(t *testing.T) {
	parsed, _ := workflows(t)
	deploy, preview := parsed["deploy.yml"], parsed["preview.yml"]
	assert.NotContains(t, deploy.Concurrency.Group, "${{", "two deployments must share the group")
	assert.NotEmpty(t, deploy.Concurrency.Group)
	assert.Equal(t, false, deploy.Concurrency.CancelInProgress)
	assert.Equal(t, true, preview.Concurrency.CancelInProgress)

	// The defaults of cinema:deployer.
	r := run(t, "full", nil)
	require.NoError(t, r.Err)
	trust := trustOf(t, r, "deployer-deploy")["Condition"].(map[string]any)["StringEquals"].(map[string]any)
	assert.Equal(t, trust["token.actions.githubusercontent.com:environment"], deploy.Jobs["deploy"].Environment)
	branches := deploy.On["push"].(map[string]any)["branches"].([]any)
	require.Len(t, branches, 1)
	assert.Equal(t, trust["token.actions.githubusercontent.com:ref"], "refs/heads/"+branches[0].(string))
	assert.Contains(t, deploy.Jobs["deploy"].If, "refs/heads/"+branches[0].(string), "a dispatch may come from any branch")
	assert.Equal(t, "test", deploy.Jobs["deploy"].Needs)
	assert.Contains(t, preview.Jobs["preview"].If, "head.repo.full_name == github.repository")

	role := the(t, r, roleType, "deployer-deploy")
	for _, s := range deploy.Jobs["deploy"].Steps {
		if seconds, ok := s.With["role-duration-seconds"].(int); ok {
			assert.Equal(t, role.Input("maxSessionDuration").NumberValue(), float64(seconds))
			assert.Less(t, deploy.Jobs["deploy"].Timeout*60, seconds, "the job may outlive its credentials")
		}
	}
}

func TestWorkflowsReferToWhatExists(t *testing.T) {
	parsed, texts := workflows(t)
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	r := run(t, "full", nil)
	require.NoError(t, r.Err)
	checked := map[string]int{}
	for file, w := range parsed {
		_, err := os.Stat("Pulumi." + w.Env["STACK"] + ".yaml")
		assert.NoError(t, err, file)
		for _, m := range regexp.MustCompile(`\bmake ([a-z-]+)`).FindAllStringSubmatch(texts[file], -1) {
			checked["make"]++
			assert.Regexp(t, `(?m)^`+m[1]+`:`, string(makefile), "%s: make %s", file, m[1])
		}
		for _, m := range regexp.MustCompile(`go run \. ([a-z]+)`).FindAllStringSubmatch(texts[file], -1) {
			checked["go run"]++
			assert.Contains(t, string(program), `case "`+m[1]+`":`, "%s: go run . %s", file, m[1])
		}
		for _, m := range regexp.MustCompile(`pulumi stack output (\w+)`).FindAllStringSubmatch(texts[file], -1) {
			checked["output"]++
			assert.True(t, r.Export(m[1]).IsString(), "%s: output %s", file, m[1])
		}
		for _, m := range regexp.MustCompile(`vars\.(\w+)`).FindAllStringSubmatch(texts[file], -1) {
			checked["variable"]++
			assert.Regexp(t, `(?m)^# .*\b`+m[1]+`\b`, texts["preview.yml"]+texts["deploy.yml"], "%s: no comment describes %s", file, m[1])
		}
		for _, m := range regexp.MustCompile(`pulumi-version: (\S+)`).FindAllStringSubmatch(texts[file], -1) {
			checked["pulumi"]++
			assert.Contains(t, string(makefile), "PULUMI_VERSION := "+m[1]+"\n", file)
		}
	}
	for what, least := range map[string]int{"make": 4, "go run": 2, "output": 2, "variable": 6, "pulumi": 2} {
		assert.GreaterOrEqual(t, checked[what], least, what)
	}
}
