package stack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEdgeEndToEnd brings the edge up in another region than CloudFront's, with a domain and the firewall, and changes the stack
// between the modes, with the real engine, the real AWS provider and an AWS emulator.
func TestEdgeEndToEnd(t *testing.T) {
	if *endToEnd == "" {
		t.Skip("takes minutes and needs the emulator: .ci/run sets -e2e")
	}
	e := startEmulated(t)
	e.build()
	e.pulumi("config", "set", "aws:region", "eu-west-1")
	e.pulumi("config", "rm", "cinema:availabilityZones")
	e.pulumi("config", "set", "cinema:domain", filmsDomain)
	e.pulumi("config", "set", "cinema:edge", `{"waf":"block"}`)
	e.pulumi("config", "set", "--path", "cinema:alarms.email", "ops@example.com")
	settled := func() {
		t.Helper()
		e.pulumi("up", "--yes", "--skip-preview")
		e.pulumi("preview", "--expect-no-changes")
	}
	settled()
	e.pulumi("refresh", "--yes", "--skip-preview")
	e.pulumi("preview", "--expect-no-changes", "--diff")
	assert.Equal(t, "https://films.example.com", strings.TrimSpace(string(e.pulumi("stack", "output", "url"))))

	kept := func() map[string]string {
		return e.ids(bucketType, volumeType, instanceType, scalingType, "aws:route53/zone:Zone", certType)
	}
	before := kept()
	delete(before, "domain-edge-certificate")
	e.pulumi("config", "set", "cinema:edge", "none")
	settled()
	assert.Equal(t, before, kept(), "only CloudFront's own certificate is gone")
	e.pulumi("config", "set", "cinema:edge", `{"waf":"count"}`)
	settled()
	after := kept()
	delete(after, "domain-edge-certificate")
	assert.Equal(t, before, after)
	// Neither a domain nor a firewall: another origin, and another port of the load balancer.
	e.pulumi("config", "rm", "cinema:domain")
	e.pulumi("config", "set", "cinema:edge", "cloudfront")
	settled()
	assert.Regexp(t, `^https://.*\.cloudfront\.net$`, strings.TrimSpace(string(e.pulumi("stack", "output", "url"))))
	e.pulumi("destroy", "--yes", "--skip-preview")
}

// ids returns the ids of the state's resources of those types, by logical name.
func (e *emulated) ids(types ...string) map[string]string {
	e.t.Helper()
	var state struct {
		Deployment struct {
			Resources []struct{ URN, Type, ID string }
		}
	}
	require.NoError(e.t, json.Unmarshal(e.pulumi("stack", "export"), &state))
	ids := map[string]string{}
	for _, r := range state.Deployment.Resources {
		if slices.Contains(types, r.Type) {
			ids[r.URN[strings.LastIndex(r.URN, "::")+2:]] = r.ID
		}
	}
	return ids
}
