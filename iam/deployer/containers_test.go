package deployer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/problem"
)

// withSecrets are the longest names, with n parameters and n secrets whose names have a length that teams use.
func withSecrets(n int) names {
	c := &Containers{}
	for i := range n {
		c.Parameters = append(c.Parameters, fmt.Sprintf("/cinema/production/service-%02d/token", i))
		c.Secrets = append(c.Secrets, fmt.Sprintf("cinema/production/service-%02d/key", i))
	}
	with := longestNames
	with.containers = c
	return with
}

func TestPoliciesOfServicesFitIAMsLimits(t *testing.T) {
	policies, err := renderPolicies(withSecrets(8), &Settings{StateBucket: strings.Repeat("b", 63)})
	require.NoError(t, err)
	require.Len(t, policies.inline, 3)
	for _, p := range append(append(policies.read, policies.change...), policies.boundary) {
		t.Logf("%s: %d characters", p.name, len(p.document))
		assert.LessOrEqual(t, len(p.document), 6144, p.name)
	}
	for kind, inline := range policies.inline {
		total := 0
		for _, p := range inline {
			t.Logf("%s of %s: %d characters", p.name, kind, len(p.document))
			total += len(p.document)
			assert.NotRegexp(t, `\{[\w:*-]+\}`, p.document, "%s has an ARN that is not filled in", p.name)
		}
		assert.LessOrEqual(t, total, 10240, kind)
	}
	t.Logf("%s: %d characters", policies.containerBoundary.name, len(policies.containerBoundary.document))
	assert.LessOrEqual(t, len(policies.containerBoundary.document), 6144)
	assert.NotRegexp(t, `\{[\w:*-]+\}`, policies.containerBoundary.document)
	assert.LessOrEqual(t, len(policies.read)+len(policies.change), 10)
}

func TestRefusesMoreSecretsThanABoundaryNames(t *testing.T) {
	_, err := renderPolicies(withSecrets(60), &Settings{})
	assert.Regexp(t, `deployer: policy: "container-boundary" is \d+ characters long, and IAM takes 6144; name fewer secrets in cinema:services`, err)
	assert.Regexp(t, `deployer: policies of role: "deploy" are \d+ characters long, and IAM takes 10240; name fewer secrets in cinema:services`, err)
}

func TestNothingMentionsServicesWithoutThem(t *testing.T) {
	s := &Settings{GitHub: "example/films"}
	p, err := renderPolicies(longestNames, s)
	require.NoError(t, err)
	assert.Empty(t, p.inline)
	assert.Nil(t, p.containerBoundary)
	for _, policy := range append(append(p.read, p.change...), p.boundary) {
		for _, word := range []string{"containers", "iam-service-", "ecs:", "ecr:", "autoscaling:SetInstanceProtection", ":targetgroup/*"} {
			assert.NotContains(t, policy.document, word, policy.name)
		}
	}
	trusts, err := renderTrusts(longestNames, s)
	require.NoError(t, err)
	assert.Len(t, trusts, 2)
}

func TestInlineDigestTellsPoliciesApart(t *testing.T) {
	problems := problem.In("deployer: ")
	one, two := inlinePolicies(withSecrets(1), problems), inlinePolicies(withSecrets(2), problems)
	require.NoError(t, problems.Err())
	for _, kind := range []string{previewRole, deployRole} {
		assert.NotEqual(t, inlineDigest(one[kind]), inlineDigest(two[kind]), kind)
	}
	assert.Equal(t, inlineDigest(one[pushRole]), inlineDigest(two[pushRole]), "it reads no secret")
	assert.NotEqual(t, inlineDigest(one[previewRole]), inlineDigest(one[deployRole]))
	assert.Empty(t, inlineDigest(nil))
}
