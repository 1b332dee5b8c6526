package stack

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMembersEndToEnd takes a database from one member to three, to another version, and back to one, with the real engine, the
// real AWS provider and an AWS emulator.
func TestMembersEndToEnd(t *testing.T) {
	if *endToEnd == "" {
		t.Skip("takes minutes and needs the emulator: .ci/run sets -e2e")
	}
	e := startEmulated(t)
	e.build()
	hosts := func() map[string]string { return e.ids(instanceType, volumeType) }
	first := []string{"database-host-us-east-1a", "database-data-us-east-1a"}
	e.pulumi("config", "set", "--path", "cinema:database.members", "1")
	e.pulumi("up", "--yes", "--skip-preview")
	e.pulumi("preview", "--expect-no-changes")
	e.pulumi("refresh", "--yes", "--skip-preview")
	e.pulumi("preview", "--expect-no-changes")
	before := hosts()

	e.pulumi("config", "set", "--path", "cinema:database.members", "3")
	for name, op := range e.operations() {
		assert.Contains(t, []string{"same", "create", "update", "read"}, op, "three members instead of one: %s", name)
	}
	e.pulumi("up", "--yes", "--skip-preview")
	e.pulumi("preview", "--expect-no-changes")
	three := hosts()
	for _, name := range first {
		assert.NotEmpty(t, three[name])
		assert.Equal(t, before[name], three[name], name)
	}
	code, output := e.releaseStatus()
	assert.Equal(t, 0, code, output)
	for _, member := range []string{`us-east-1a +ready.* PRIMARY +0 s`, `us-east-1b +ready.* SECONDARY +0 s`, `us-east-1c +ready.* SECONDARY +0 s`} {
		assert.Regexp(t, member, output)
	}

	// Another member is elected, so that the order is not that of the zones.
	host := three["database-host-us-east-1a"]
	e.run(e.tool, "aws", "ec2", "stop-instances", "--instance-ids", host)
	bucket := strings.TrimSpace(string(e.pulumi("stack", "output", "artifactsBucket")))
	report := e.run(e.tool, "aws", "s3", "cp", "s3://"+bucket+"/status/database-us-east-1b-member.json", "-")
	require.Contains(t, string(report), `"primary": "mongo-b.cinema.internal"`)
	e.run(e.tool, "aws", "ec2", "start-instances", "--instance-ids", host)

	e.pulumi("config", "set", "--path", "cinema:database.version", "8.0.37")
	assert.Contains(t, string(e.pulumi("preview")), "members change one at a time: us-east-1c, us-east-1a, then us-east-1b, the primary")
	events := e.up()
	var sequence []event
	for _, zone := range []string{"us-east-1c", "us-east-1a", "us-east-1b"} {
		sequence = append(sequence,
			event{"database-turn-" + zone, apitype.OpUpdate, true}, event{"database-host-" + zone, apitype.OpDeleteReplaced, false},
			event{"database-host-" + zone, apitype.OpCreateReplacement, true}, event{"database-gate-" + zone, apitype.OpUpdate, true})
	}
	sequence = append(sequence, event{"database-members-gate", apitype.OpUpdate, true})
	assertSequence(t, events, sequence)
	replaced := hosts()
	for _, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
		assert.NotEqual(t, three["database-host-"+zone], replaced["database-host-"+zone])
		assert.Equal(t, three["database-data-"+zone], replaced["database-data-"+zone], "the data stays")
	}

	e.pulumi("config", "set", "--path", "cinema:database.members", "1")
	events = e.up()
	for _, zone := range []string{"us-east-1b", "us-east-1c"} {
		assertSequence(t, events, []event{{"database-members-gate", apitype.OpUpdate, true}, {"database-host-" + zone, apitype.OpDelete, false}})
	}
	one := hosts()
	for _, name := range first {
		assert.Equal(t, replaced[name], one[name], name)
	}
	assert.Len(t, one, len(before))
	e.pulumi("destroy", "--yes", "--skip-preview")
}

// operations returns what a preview does to each resource, by logical name. Of a replacement it is one of the steps.
func (e *emulated) operations() map[string]string {
	e.t.Helper()
	var plan struct {
		Steps []struct{ Op, URN string }
	}
	require.NoError(e.t, json.Unmarshal(e.pulumi("preview", "--json"), &plan))
	require.NotEmpty(e.t, plan.Steps)
	all := map[string]string{}
	for _, s := range plan.Steps {
		if name := lastName(s.URN); all[name] == "" || s.Op != "same" {
			all[name] = s.Op
		}
	}
	return all
}

// event is the begin or the end of a step of the engine.
type event struct {
	name string // of the resource
	op   apitype.OpType
	done bool
}

// up runs `pulumi up` and returns the engine's events.
func (e *emulated) up() []event {
	e.t.Helper()
	e.t.Setenv("PULUMI_DEBUG_COMMANDS", "true") // for the flag
	log := filepath.Join(e.t.TempDir(), "events.jsonl")
	e.pulumi("up", "--yes", "--skip-preview", "--event-log", log)
	data, err := os.ReadFile(log)
	require.NoError(e.t, err)
	var events []event
	for line := range bytes.Lines(data) {
		var logged apitype.EngineEvent
		require.NoError(e.t, json.Unmarshal(line, &logged))
		switch {
		case logged.ResourcePreEvent != nil:
			events = append(events, event{lastName(logged.ResourcePreEvent.Metadata.URN), logged.ResourcePreEvent.Metadata.Op, false})
		case logged.ResOutputsEvent != nil:
			events = append(events, event{lastName(logged.ResOutputsEvent.Metadata.URN), logged.ResOutputsEvent.Metadata.Op, true})
		}
	}
	return events
}

func lastName(urn string) string { return urn[strings.LastIndex(urn, "::")+2:] }

// assertSequence asserts that the events contain each of the wanted ones, in this order.
func assertSequence(t *testing.T, events, wanted []event) {
	t.Helper()
	for at, next := range wanted {
		i := slices.Index(events, next)
		require.GreaterOrEqual(t, i, 0, "%v comes after %v", next, wanted[:at])
		events = events[i+1:]
	}
}
