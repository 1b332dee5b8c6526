package stack

import (
	"maps"
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
	On               map[string]any
	Permissions, Env map[string]string
	Concurrency      struct {
		Group            string
		CancelInProgress any `yaml:"cancel-in-progress"`
	}
	Jobs map[string]job
}

type job struct {
	If, Environment string
	Needs           any
	Timeout         int `yaml:"timeout-minutes"`
	Permissions     map[string]string
	Steps           []step
}

type step struct {
	Uses, Run string
	With      map[string]any
}

func workflows(t *testing.T) (parsed map[string]workflow, texts map[string]string) {
	t.Helper()
	files, err := filepath.Glob(".github/workflows/*.yml")
	require.NoError(t, err)
	parsed, texts = map[string]workflow{}, map[string]string{}
	for _, file := range files {
		var w workflow
		text := read(t, file)
		require.NoError(t, yaml.Unmarshal([]byte(text), &w), file)
		parsed[filepath.Base(file)], texts[filepath.Base(file)] = w, text
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
				assert.True(t, !strings.HasPrefix(s.Uses, "actions/checkout@") || s.With["persist-credentials"] == false, at)
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
	r := planned(t, "full", nil)
	trust := trustOf(t, r, "deployer-deploy")["Condition"].(map[string]any)["StringEquals"].(map[string]any)
	assert.Equal(t, trust["token.actions.githubusercontent.com:environment"], deploy.Jobs["deploy"].Environment)
	branch, ok := strings.CutPrefix(trust["token.actions.githubusercontent.com:ref"].(string), "refs/heads/")
	assert.True(t, ok, branch)
	assert.Equal(t, []any{branch}, deploy.On["push"].(map[string]any)["branches"])
	assert.Contains(t, deploy.Jobs["deploy"].If, "refs/heads/"+branch, "a dispatch may come from any branch")
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
	makefile, program := read(t, "Makefile"), read(t, "main.go")
	r := planned(t, "full", nil)
	for file, w := range parsed {
		assert.FileExists(t, "Pulumi."+w.Env["STACK"]+".yaml", file)
	}
	for _, c := range []struct {
		pattern string
		least   int
		exists  func(name string) bool
	}{
		{`\bmake ([a-z-]+)`, 4, func(name string) bool { return regexp.MustCompile(`(?m)^` + name + `:`).MatchString(makefile) }},
		{`go run \. ([a-z]+)`, 1, func(name string) bool { return strings.Contains(program, `{Name: "`+name+`"`) }},
		{`pulumi stack output (\w+)`, 2, func(name string) bool { return r.Export(name).IsString() }},
		{`vars\.(\w+)`, 6, func(name string) bool { // a comment describes it
			return regexp.MustCompile(`(?m)^# .*\b` + name + `\b`).MatchString(strings.Join(slices.Collect(maps.Values(texts)), "\n"))
		}},
		{`pulumi-version: (\S+)`, 2, func(version string) bool { return strings.Contains(makefile, "PULUMI_VERSION := "+version+"\n") }},
	} {
		checked := 0
		for file, text := range texts {
			for _, m := range regexp.MustCompile(c.pattern).FindAllStringSubmatch(text, -1) {
				checked++
				assert.True(t, c.exists(m[1]), "%s: %s", file, m[0])
			}
		}
		assert.GreaterOrEqual(t, checked, c.least, c.pattern)
	}
}
