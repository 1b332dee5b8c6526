package stack

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

const (
	listenerType     = "aws:lb/listener:Listener"
	listenerRuleType = "aws:lb/listenerRule:ListenerRule"
)

// Without the edge, the load balancer is public. With a domain, each host name has a rule, every other name gets a 404, and
// HTTP only redirects.
func TestDomain(t *testing.T) {
	r := planned(t, "full", map[string]string{"cinema:edge": "none"})
	assert.Empty(t, the(t, r, balancerType, "api-lb").Text("internal"), "it is public")
	http, https := the(t, r, listenerType, "api-http"), the(t, r, listenerType, "api-https")
	assert.Equal(t, "redirect", http.Text("defaultActions[0].type"))
	assert.Equal(t, "443", http.Text("defaultActions[0].redirect.port"))
	assert.Equal(t, "fixed-response", https.Text("defaultActions[0].type"))
	assert.Equal(t, "404", https.Text("defaultActions[0].fixedResponse.statusCode"))
	assert.Contains(t, https.Text("sslPolicy"), "TLS13")
	hosts := map[string]string{}
	for _, rule := range r.ByType(listenerRuleType) {
		hosts[rule.Text("conditions[0].hostHeader.values[0]")] = rule.Text("actions[0].type")
	}
	assert.Equal(t, map[string]string{"api.cinema.example.com": "forward", "films.cinema.example.com": "forward"}, hosts)
	assert.Equal(t, "https://api.cinema.example.com/api", r.Export("apiUrl").StringValue())

	plain := planned(t, "dev", map[string]string{"cinema:edge": "none"})
	assert.Len(t, plain.ByType(listenerType), 1)
	assert.True(t, slices.ContainsFunc(plain.Logs, func(l pulumitest.Log) bool {
		return l.Severity == "warning" && strings.Contains(l.Message, "plain HTTP")
	}), "a preview warns that there is no HTTPS")
}

// The certificate of a hosted zone that the stack creates waits until an operator has given the registrar the name
// servers: a deployment logs them before it ends, a preview does not.
func TestANewHostedZoneLogsItsNameServers(t *testing.T) {
	created := map[string]string{"cinema:domain": `{"zone":"films.example.com","createZone":true,"hosts":[{"name":"films.example.com","service":"api"}]}`}
	logged := func(opts ...pulumitest.Option) (messages []string) {
		r := planned(t, "dev", created, opts...)
		for _, l := range r.Logs {
			if strings.Contains(l.Message, "registrar") {
				messages = append(messages, l.Message)
			}
		}
		return messages
	}
	messages := logged()
	require.Len(t, messages, 1)
	assert.Regexp(t, `^its registrar must delegate films\.example\.com to ns-\S+, ns-`, messages[0])
	assert.Empty(t, logged(pulumitest.Preview()))
}

func TestAHostOutsideTheHostedZoneIsRefused(t *testing.T) {
	r := run(t, "dev", map[string]string{"cinema:domain": `{"zone":"example.org","hosts":[{"name":"films.example.com","service":"api"}]}`})
	pulumitest.Refused(t, r, "is not in the hosted zone example.org")
}

// A restore creates the first member's volume from a snapshot and the others' blank; removing the key from the config changes
// nothing.
func TestRestore(t *testing.T) {
	const snapshot = "snap-0123456789abcdef0"
	r := planned(t, "prod", map[string]string{"cinema:database": `{"members":3,"restoreFrom":"` + snapshot + `"}`})
	require.Len(t, r.ByType(volumeType), 3)
	restored := the(t, r, volumeType, "database-data-us-east-1a")
	for _, zone := range []string{"us-east-1b", "us-east-1c"} {
		blank := the(t, r, volumeType, "database-data-"+zone)
		assert.True(t, blank.Input("snapshotId").IsNull())
		assert.Equal(t, snapshot, blank.Text("tags.RestoredFrom"))
		assert.Equal(t, []string{"tags.RestoredFrom"}, blank.ReplaceOnChanges)
		assert.Contains(t, the(t, run(t, "prod", nil), volumeType, blank.Name).IgnoreChanges, "tags.RestoredFrom")
	}
	assert.JSONEq(t, `{"members":[{"zone":"us-east-1a","host":"mongo-a.cinema.internal"},{"zone":"us-east-1b","host":"mongo-b.cinema.internal"},
		{"zone":"us-east-1c","host":"mongo-c.cinema.internal"}],"seed":"us-east-1a","snapshot":"snap-0123456789abcdef0"}`, the(t, r, objectType, "database-members").Text("content"))
	assert.Equal(t, snapshot, restored.Text("snapshotId"))
	assert.NotContains(t, restored.IgnoreChanges, "snapshotId")
	assert.True(t, restored.Protect)

	empty := the(t, run(t, "prod", nil), volumeType, restored.Name)
	assert.True(t, empty.Input("snapshotId").IsNull())
	assert.Contains(t, empty.IgnoreChanges, "snapshotId")

	pulumitest.Refused(t, run(t, "prod", map[string]string{"cinema:database": `{"restoreFrom":"yesterday","version":"8.0.16","volumeSize":5}`}),
		`cinema:database.restoreFrom: "yesterday" is not a snapshot`,
		`cinema:database.version: "8.0.16" has a vulnerability: every client that can connect can read its memory (CVE-2025-14847)`,
		`cinema:database.volumeSize: 5 is not a valid size of the data volume in GiB`,
	)
}

// An S3 object takes ten tags: the provider's default tags stay off objects.
func TestObjectsHaveOnlyTheirOwnTags(t *testing.T) {
	objects := planned(t, "full", nil).ByType(objectType)
	require.NotEmpty(t, objects)
	for _, object := range objects {
		assert.LessOrEqual(t, len(object.Input("tags").ObjectValue()), 10, object.Name)
		override := object.Input("overrideProvider.defaultTags.tags")
		assert.True(t, override.IsObject() && len(override.ObjectValue()) == 0, object.Name)
	}
}

// The group starts a numbered version, and only the gate brings another one, so that AWS can take it back.
func TestOnlyTheGateChangesTheGroupsVersion(t *testing.T) {
	r := planned(t, "prod", nil)
	group := the(t, r, scalingType, "api-group")
	assert.Equal(t, "1", group.Text("launchTemplate.version"))
	assert.Equal(t, []string{"desiredCapacity", "launchTemplate.version"}, group.IgnoreChanges)
	assert.False(t, group.Inputs.HasValue("instanceRefresh"))
	assert.Equal(t, "0", group.Text("waitForCapacityTimeout"), "the gate waits")
	assert.Equal(t, "100", group.Text("instanceMaintenancePolicy.minHealthyPercentage"))
	gate := the(t, r, gateType, "api-gate")
	assert.Equal(t, []string{"beforeCreate api-gate", "beforeUpdate api-gate"}, gate.Hooks)
	assert.Equal(t, "1", gate.Text("input.version"))
	assert.Contains(t, gate.Text("input.alarms"), "cinema-prod-monitoring-api-5xx-")
	host := the(t, r, instanceType, "database-host-us-east-1a")
	assert.True(t, host.DeleteBeforeReplace)
	assert.Equal(t, []string{"ami", "tags.RestoredFrom", "volumeTags"}, host.IgnoreChanges)
}
