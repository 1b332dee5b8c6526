package environment

import (
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Pulumi accepts 1 to 100 letters, digits, hyphens, underscores and dots.
const pulumiName = `[A-Za-z0-9_.-]{1,100}`

// anyValid draws a stack anywhere whose names are accepted.
func anyValid(t *rapid.T) Environment {
	e := Environment{
		Project: rapid.StringMatching(pulumiName).Draw(t, "project"), Stack: rapid.StringMatching(pulumiName).Draw(t, "stack"),
		Account: rapid.StringMatching(`[0-9]{12}`).Draw(t, "account"), Region: "eu-west-1",
	}
	if e.CheckNames() != nil {
		t.SkipNow()
	}
	return e
}

func TestEveryNameIsOneThatAWSTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyValid(t)
		logical := rapid.StringMatching(`[a-z]{1,20}(-[a-z0-9]{1,20}){0,3}`).Draw(t, "logical")
		limit := rapid.IntRange(32, 255).Draw(t, "limit")
		name := e.PhysicalName(logical, limit)
		require.LessOrEqual(t, len(name), limit)
		require.Regexp(t, `^[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{7}$`, name)
		require.NotRegexp(t, `^(internal-|sg-|sthree-|amzn-s3-demo-)`, name)
		require.Equal(t, name, e.PhysicalName(logical, limit), "the same every time")
	})
}

func TestNamesOfDifferentThingsDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyValid(t), anyValid(t)
		if a.Project == b.Project && a.Stack == b.Stack && a.Account == b.Account {
			return
		}
		limit := rapid.SampledFrom([]int{32, 63, 64}).Draw(t, "limit")
		require.NotEqual(t, a.PhysicalName("api-targets", limit), b.PhysicalName("api-targets", limit))
		require.NotEqual(t, a.PhysicalName("network-flow-logs-one-long-word", limit), a.PhysicalName("network-flow-logs-one-long-wood", limit))
		require.NotEqual(t, a.PhysicalName("network-api", limit), a.PhysicalName("network-api", limit, "other description"))
	})
}

func TestAPatternMatchesOneStack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		own := anyValid(t)
		prefix := rapid.StringMatching(`[a-z]{1,7}(-[a-z]{1,7})?-`).Draw(t, "prefix")
		logical := prefix + rapid.StringMatching(`[a-z0-9]([a-z0-9]|-[a-z0-9]){0,11}[a-z0-9]?`).Draw(t, "rest")
		limit := rapid.SampledFrom([]int{50, 63, 64, 128, 255}).Draw(t, "limit")
		pattern := own.PhysicalPattern(prefix, limit)
		matches := func(e Environment) bool {
			matched, err := path.Match(pattern, e.PhysicalName(logical, limit)) // as IAM does, for names without slashes
			require.NoError(t, err)
			return matched
		}
		require.True(t, matches(own), "%s does not match %s", pattern, own.PhysicalName(logical, limit))
		require.NotContains(t, pattern[len(pattern)-suffixDigits:], "*")
		for _, change := range []func(*Environment){
			func(e *Environment) { e.Stack += "-2" },
			func(e *Environment) { e.Project, e.Stack = e.Project+"-"+e.Stack, "dev" },
			func(e *Environment) { e.Account = "0" + e.Account[1:11] + "x" },
			func(e *Environment) { e.Region = "eu-west-2" },
		} {
			other := own
			change(&other)
			require.False(t, matches(other), "%s matches %s", pattern, other.PhysicalName(logical, limit))
		}
	})
}

func TestPhysicalName(t *testing.T) {
	e := Environment{Project: "cinema", Stack: "prod", Account: "123456789012", Region: "us-east-1"}
	assert.Regexp(t, `^cinema-prod-storage-images-[0-9a-f]{7}$`, e.PhysicalName("storage-images", 63))
	assert.Equal(t, e.Suffix(), e.PhysicalName("storage-images", 63)[len("cinema-prod-storage-images-"):])
	assert.Equal(t, "cinema-prod-storage-*-"+e.Suffix(), e.PhysicalPattern("storage-", 63))
	e.Stack = "Production_eu.west-1"
	assert.Regexp(t, `^cinema-produ-api-targets-[0-9a-f]{7}$`, e.PhysicalName("api-targets", 32))
}

func TestNamesThatCannotBeMadeValidAreRefused(t *testing.T) {
	for project, want := range map[string]string{
		"...":       `project name "...": holds no letter and no digit to name resources on AWS by; choose another`,
		"Internal":  `project name "Internal": AWS reserves names that start with "internal-"; choose another`,
		"sg":        `project name "sg": AWS reserves names that start with "sg-"; choose another`,
		"internals": "",
	} {
		err := Environment{Project: project, Stack: "dev"}.CheckNames()
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
	require.ErrorContains(t, Environment{Project: "cinema", Stack: "-"}.CheckNames(), `stack name "-"`)
}
