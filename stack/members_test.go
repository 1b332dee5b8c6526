package stack

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

// former are the names that the first member's resources had while there was only one member.
var former = map[string]string{
	volumeType + " database-data-us-east-1a":                             "database-data",
	instanceType + " database-host-us-east-1a":                           "database-host",
	"aws:ec2/volumeAttachment:VolumeAttachment database-data-us-east-1a": "database-data",
	"aws:route53/record:Record database-record-us-east-1a":               "database-record",
	gateType + " database-gate-us-east-1a":                               "database-gate",
}

// A stack of the time with one member keeps its resources, and three members add some to those of one and change the identity of
// none.
func TestTheFirstMemberKeepsItsResources(t *testing.T) {
	urns := map[string]bool{}
	three := planned(t, "prod", nil)
	for _, res := range three.Resources {
		urns[res.URN] = true
	}
	one := planned(t, "prod", map[string]string{"cinema:database": `{"members":1}`})
	aliased := map[string]string{}
	for _, res := range one.Resources {
		assert.True(t, urns[res.URN], "%s is not in the plan of three members", res.URN)
	}
	for _, r := range []*pulumitest.Recording{one, three} {
		for _, res := range r.Resources {
			if strings.HasPrefix(res.Name, "database-") && len(res.Aliases) > 0 {
				require.Len(t, res.Aliases, 1, res.Name)
				name, _, _ := strings.Cut(strings.TrimPrefix(res.Aliases[0], "name="), " ")
				if name != "" { // the SDK's own are of former types
					aliased[res.Type+" "+res.Name] = name
				}
			}
		}
		assert.Equal(t, former, aliased)
	}
}

// waitsFor tells whether the host in a zone waits for the gate of the member in another one.
func waitsFor(r *pulumitest.Recording, zone, before string) bool {
	byURN := map[string]*pulumitest.Resource{}
	for _, res := range r.Resources {
		byURN[res.URN] = res
	}
	var reaches func(res *pulumitest.Resource) bool
	reaches = func(res *pulumitest.Resource) bool {
		return res != nil && (res.Name == "database-gate-"+before || slices.ContainsFunc(res.Dependencies, func(urn string) bool { return reaches(byURN[urn]) }))
	}
	i := slices.IndexFunc(r.Resources, func(res *pulumitest.Resource) bool { return res.Name == "database-host-"+zone })
	return reaches(r.Resources[i])
}

func TestNewMembersWaitForNoOther(t *testing.T) {
	r := planned(t, "prod", nil)
	zones := []string{"us-east-1a", "us-east-1b", "us-east-1c"}
	for _, zone := range zones {
		for _, before := range zones {
			assert.False(t, waitsFor(r, zone, before), "%s waits for %s", zone, before)
		}
	}
}

func TestMembersNeedZones(t *testing.T) {
	pulumitest.Refused(t, run(t, "dev", map[string]string{"cinema:database": `{"members":3}`, "cinema:availabilityZones": `["us-east-1a","us-east-1b"]`}),
		`cinema:database.members: 3 needs as many availability zones, and there are 2; name another zone in availabilityZones, or use 1`)
	pulumitest.Refused(t, run(t, "dev", map[string]string{"cinema:database": `{"members":2}`}), `cinema:database.members: 2 is not a number of members`, "use 3, or 1 for one")
}

// sequence are the steps of an operation on the hosts and on the gates of members, in their order.
func sequence(r *sandbox.Result) (all []string) {
	for _, s := range r.Steps {
		for _, kind := range []string{"turn", "host", "gate"} {
			zone, ok := strings.CutPrefix(s.Name, "database-"+kind+"-us-east-1")
			if ok && s.Op != "delete-replaced" && s.Op != "create-replacement" { // parts of "replace"
				all = append(all, kind+" "+zone+" "+s.Op)
			}
		}
	}
	return all
}

func TestMembersChangeOneAtATime(t *testing.T) {
	ctx := t.Context()
	s, out := open(t, sandbox.Options{Quick: true, Config: map[string]string{"cinema:protect": "false"}})
	_, err := s.Up(ctx)
	require.NoError(t, err)
	first := held(t, s)

	set := func(database string) (*sandbox.Result, string) {
		t.Helper()
		require.NoError(t, s.SetConfig(map[string]string{"cinema:database": database}))
		out.Reset()
		_, err := s.Preview(ctx, false)
		require.NoError(t, err)
		preview := out.String()
		up, err := s.Up(ctx)
		require.NoError(t, err)
		_, err = s.Preview(ctx, true)
		require.NoError(t, err, "no changes remain")
		return up, preview
	}
	up, preview := set(`{"members": 3}`)
	for _, step := range up.Steps {
		assert.Contains(t, []string{"create", "update"}, step.Op, step.Name)
	}
	assert.NotContains(t, preview, "change one at a time", "new members do not change")
	for urn := range first {
		assert.Contains(t, held(t, s), urn)
	}

	const order = "database: members change one at a time: us-east-1c, us-east-1b, then us-east-1a, the primary, which hands over first"
	oneAtATime := func(op string, zones ...string) (all []string) {
		for _, zone := range zones {
			all = append(all, "turn "+zone+" update", "host "+zone+" "+op, "gate "+zone+" update")
		}
		return all
	}
	up, preview = set(`{"members": 3, "version": "8.0.37"}`)
	assert.Contains(t, preview, order)
	assert.Equal(t, oneAtATime("replace", "c", "b", "a"), sequence(up))
	up, preview = set(`{"members": 3, "version": "8.0.37", "instanceType": "t4g.large"}`)
	assert.Contains(t, preview, "stops the database hosts one after another")
	assert.Contains(t, preview, "us-east-1c, us-east-1a, then us-east-1b, the primary", "another one was elected meanwhile")
	assert.Equal(t, oneAtATime("update", "c", "a", "b"), sequence(up))

	const snapshot = "snap-0123456789abcdef0"
	up, preview = set(`{"members": 3, "version": "8.0.37", "instanceType": "t4g.large", "restoreFrom": "` + snapshot + `"}`)
	assert.Contains(t, preview, "database: members are restored: us-east-1a from the snapshot, then us-east-1b and us-east-1c copy it")
	for _, zone := range []string{"a", "b", "c"} {
		assert.Equal(t, "replace", ops(up)[volumeType+" database-data-us-east-1"+zone])
	}
	restored := sequence(up)
	assert.Less(t, slices.Index(restored, "gate a update"), slices.Index(restored, "host b replace"))
	assert.Less(t, slices.Index(restored, "gate a update"), slices.Index(restored, "host c replace"))
	up, _ = set(`{"members": 3, "version": "8.0.37", "instanceType": "t4g.large"}`)
	assert.Equal(t, []string{"database-members"}, changed(up), "the snapshot is no longer needed")

	up, _ = set(`{"version": "8.0.37", "instanceType": "t4g.large"}`)
	assert.NotContains(t, strings.Join(sequence(up), " "), "replace")
	at := func(op, name string) int {
		return slices.IndexFunc(up.Steps, func(s sandbox.Step) bool { return s.Op == op && s.Name == name })
	}
	assert.Less(t, at("update", "database-members-gate"), at("delete", "database-host-us-east-1b"))
	for urn := range first {
		assert.Contains(t, held(t, s), urn)
	}
	_, err = s.Destroy(ctx)
	require.NoError(t, err)
	assert.Empty(t, s.Account().Resources())
}
