package monitoring

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

// sample is an event in EventBridge's form. detail has single quotes.
func sample(source, detailType, resource, detail string) string {
	return strings.ReplaceAll(fmt.Sprintf(`{'version':'0','id':'12345678-1234-1234-1234-123456789012','detail-type':'%s','source':'%s','account':'123456789012',
		'time':'2026-07-29T20:15:26Z','region':'us-east-1','resources':['%s'],'detail':%s}`, detailType, source, resource, detail), "'", `"`)
}

func refreshEvent(what, group string) string {
	return sample("aws.autoscaling", "EC2 Auto Scaling Instance Refresh "+what, "auto-scaling-group-arn",
		"{'InstanceRefreshId':'c613620e-07e2-4ed2-a9e2-ef8258911ade','AutoScalingGroupName':'"+group+"'}")
}

func jobEvent(state, vault string) string {
	return sample("aws.backup", "Backup Job State Change", "", `{'backupJobId':'34176239-e96d-4e4e-9fad-529dbb3c3556',
		'backupVaultArn':'arn:aws:backup:us-east-1:123456789012:backup-vault:`+vault+`','backupVaultName':'`+vault+`','bytesTransferred':'0',
		'resourceArn':'arn:aws:ec2:us-east-1:123456789012:volume/vol-0123456789abcdef0','resourceType':'EBS','state':'`+state+`',
		'statusMessage':'Backup job failed because the volume is gone.','percentDone':0}`)
}

func copyEvent(state, vault string) string {
	return sample("aws.backup", "Copy Job State Change", "", `{'copyJobId':'dBD9BEAD-E6C4-3DE4-7DCA-4BDC4D7DAC3B',
		'sourceBackupVaultArn':'arn:aws:backup:us-east-1:123456789012:backup-vault:`+vault+`','state':'`+state+`','statusMessage':'Access denied',
		'destinationBackupVaultArn':'arn:aws:backup:us-west-2:123456789012:backup-vault:copies','resourceType':'EBS'}`)
}

func certificateEvent(what, arn string) string {
	return sample("aws.acm", "ACM Certificate "+what, arn, "{'DaysToExpiry':31,'CommonName':'api.example.com'}")
}

// The events are from the services' user guides.
var ruleEvents = map[string]struct{ matching, other []string }{
	"rollout": {
		[]string{refreshEvent("Failed", "group"), refreshEvent("Rollback Started", "group"), refreshEvent("Rollback Failed", "group"), refreshEvent("Rollback Succeeded", "group")},
		[]string{refreshEvent("Succeeded", "group"), refreshEvent("Started", "group"), refreshEvent("Failed", "another")},
	},
	"backup": {
		[]string{jobEvent("FAILED", "vault"), jobEvent("EXPIRED", "vault"), jobEvent("ABORTED", "vault")},
		[]string{jobEvent("COMPLETED", "vault"), jobEvent("RUNNING", "vault"), jobEvent("FAILED", "another"), copyEvent("FAILED", "vault")},
	},
	"backup-copy": {
		[]string{copyEvent("FAILED", "vault")},
		[]string{copyEvent("COMPLETED", "vault"), copyEvent("FAILED", "another"), jobEvent("FAILED", "vault")},
	},
	"edge-certificate": {
		[]string{certificateEvent("Renewal Action Required", edgeCertificate)},
		[]string{certificateEvent("Renewal Action Required", certificate), certificateEvent("Available", edgeCertificate)},
	},
	"certificate": {
		[]string{certificateEvent("Approaching Expiration", certificate), certificateEvent("Expired", certificate)},
		[]string{certificateEvent("Available", certificate), certificateEvent("Approaching Expiration", "arn:aws:acm:us-east-1:123456789012:certificate/another")},
	},
}

func TestRulesMatchWhatTheyAreFor(t *testing.T) {
	r := monitoring(t, Settings{})
	require.NoError(t, r.Err)
	rules := r.ByType(eventRuleType)
	require.Len(t, rules, len(ruleEvents))
	for _, rule := range rules {
		name := strings.TrimPrefix(rule.Name, "monitoring-on-")
		rows := ruleEvents[name]
		require.NotEmpty(t, rows.matching, name)
		require.NotEmpty(t, rows.other, name)
		pattern := decode(t, rule.Text("eventPattern"))
		for _, event := range rows.matching {
			assert.True(t, matches(pattern, decode(t, event)), "%s must match %s", name, event)
		}
		for _, event := range rows.other {
			assert.False(t, matches(pattern, decode(t, event)), "%s must not match %s", name, event)
		}
		assert.Contains(t, rule.Text("description"), ": see ", name)

		// The message of the rule's target says what its events have.
		targets := r.ByType("aws:cloudwatch/eventTarget:EventTarget")
		at := slices.IndexFunc(targets, func(t *pulumitest.Resource) bool { return t.Text("rule") == rule.Text("name") })
		require.GreaterOrEqual(t, at, 0, name)
		target := targets[at]
		template := target.Text("inputTransformer.inputTemplate")
		variables := regexp.MustCompile(`<(\w+)>`).FindAllStringSubmatch(template, -1)
		require.NotEmpty(t, variables, template)
		for _, v := range variables {
			path := target.Text("inputTransformer.inputPaths." + v[1])
			fact := any(decode(t, rows.matching[0]))
			for _, key := range strings.Split(strings.TrimPrefix(path, "$."), ".") {
				fact = fact.(map[string]any)[key]
			}
			assert.NotEmpty(t, fact, "%s: no event has %s", name, path)
		}
		assert.True(t, json.Valid([]byte(template)), template)
	}
}

func decode(t *testing.T, text string) (decoded map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &decoded), text)
	return decoded
}

// matches applies an event pattern of literal values (EventBridge user guide, "Creating event patterns"): a list has the values
// that the event may have, of which an array of the event needs one.
func matches(pattern, event map[string]any) bool {
	for key, want := range pattern {
		if fields, nested := want.(map[string]any); nested {
			have, ok := event[key].(map[string]any)
			if !ok || !matches(fields, have) {
				return false
			}
			continue
		}
		have, array := event[key].([]any)
		if !array {
			have = []any{event[key]}
		}
		if !slices.ContainsFunc(want.([]any), func(v any) bool { return slices.Contains(have, v) }) {
			return false
		}
	}
	return true
}
