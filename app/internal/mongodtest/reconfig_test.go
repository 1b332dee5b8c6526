package mongodtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func (f *fixture) version(letter string) int {
	f.t.Helper()
	return int(f.host(letter).Config().Version)
}

func with(member bson.D, key string, value any) bson.D {
	out := bson.D{}
	for _, e := range member {
		if e.Key != key {
			out = append(out, e)
		}
	}
	return append(out, bson.E{Key: key, Value: value})
}

func TestReconfigRefuses(t *testing.T) {
	f := initiated(t, 3, "a", "b", "c")
	for _, letter := range []string{"d", "e"} {
		require.NoError(t, f.add(letter).Start())
	}
	p := f.primary()
	secondary := map[string]string{"a": "b", "b": "c", "c": "a"}[p]
	other := map[string]string{"a": "c", "b": "a", "c": "b"}[p]
	v := f.version(p) + 1
	members := []bson.D{voter(p), voter(secondary), voter(other)}
	change := func(i int, m bson.D) []bson.D {
		return append(append(append([]bson.D{}, members[:i]...), m), members[i+1:]...)
	}
	before := *f.host(p).Config()
	for name, c := range map[string]struct {
		on     string
		config bson.D
		force  bool
		want   *failure
	}{
		"on a secondary":                  {secondary, config(v, append(members, joining("d"))...), false, failNotPrimary},
		"the same version":                {p, config(v-1, append(members, joining("d"))...), false, failIncompatible},
		"two voters removed":              {p, config(v, voter(p)), false, failInvalidConfig},
		"two voters added":                {p, config(v, append(members, voter("d"), voter("e"))...), false, failInvalidConfig},
		"one voter for another":           {p, config(v, change(1, voter("d"))...), false, failInvalidConfig},
		"two votes taken":                 {p, config(v, voter(p), joining(secondary), joining(other)), false, failInvalidConfig},
		"another _id":                     {p, config(v, change(1, with(voter(secondary), "_id", 9))...), false, failIncompatible},
		"the _id of another":              {p, config(v, append(members, with(joining("d"), "_id", 0))...), false, failInvalidConfig},
		"a host twice":                    {p, config(v, append(members, with(voter(p), "_id", 9))...), false, failInvalidConfig},
		"another set":                     {p, with(config(v, members...), "_id", "rs1"), false, failIncompatible},
		"another set, forced":             {secondary, with(config(v, members...), "_id", "rs1"), true, failIncompatible},
		"without itself":                  {p, config(v, voter(secondary), voter(other)), false, failNodeNotFound},
		"without itself, forced":          {secondary, config(v, voter(p), voter(other)), true, failNodeNotFound},
		"itself without priority":         {p, config(v, change(0, with(voter(p), "priority", 0))...), false, failNotElectable},
		"a priority without a vote":       {p, config(v, append(members, with(voter("d"), "votes", 0))...), false, failInvalidConfig},
		"two votes":                       {p, config(v, append(members, with(voter("d"), "votes", 2))...), false, failInvalidConfig},
		"no member that could be primary": {p, config(v, with(voter(p), "priority", 0), with(voter(secondary), "priority", 0), with(voter(other), "priority", 0)), false, failInvalidConfig},
		"no members":                      {p, config(v), false, failInvalidConfig},
		"an unknown field":                {p, config(v, append(members, with(joining("d"), "vote", 0))...), false, failInvalidConfig},
	} {
		t.Run(name, func(t *testing.T) {
			err := error2(f.run(c.on, bson.D{{Key: "replSetReconfig", Value: c.config}, {Key: "force", Value: c.force}}))
			assertCode(t, c.want, err)
			assert.Equal(t, before, *f.host(p).Config())
		})
	}

	// The voters must answer.
	f.host(secondary).Kill()
	require.NoError(t, f.reconfigure(p, config(v, append(members, joining("d"))...)))
	f.host(other).Kill()
	assertCode(t, failNodeNotFound, f.reconfigure(p, config(v+1, members...)))
	assert.Empty(t, f.Violations())
}

// TestReconfigNeedsTheOneBefore: a member gets its vote before its initial sync is over, so a majority does not hold what
// was committed before.
func TestReconfigNeedsTheOneBefore(t *testing.T) {
	f := initiated(t, 5, "a")
	require.NoError(t, f.add("b").Start())
	require.NoError(t, f.reconfigure("a", config(2, voter("a"), joining("b"))))
	require.NoError(t, f.reconfigure("a", config(3, voter("a"), voter("b"))))
	require.NotEqual(t, "SECONDARY", f.host("b").State())
	next := config(4, voter("a"), with(voter("b"), "priority", 0))
	assertCode(t, failNotCommitted, error2(f.run("a", bson.D{{Key: "replSetReconfig", Value: next}, {Key: "maxTimeMS", Value: 1}})))
	require.NoError(t, f.reconfigure("a", next), "it waits for b")
	assert.Equal(t, "SECONDARY", f.host("b").State())
	assert.Empty(t, f.Violations())
}

// TestJoin adds members as cinema-db does: without vote and priority first.
func TestJoin(t *testing.T) {
	f := initiated(t, 1, "a")
	require.NoError(t, f.Write(hostOf("a"), "x"))
	members := []bson.D{voter("a")}
	for _, letter := range []string{"b", "c"} {
		require.NoError(t, f.add(letter).Start())
		assertCode(t, failAuthentication, error2(f.run(letter, bson.D{{Key: "replSetGetStatus", Value: 1}})))
		assertCode(t, failUnauthorized, error2(f.anonymous(letter, bson.D{{Key: "replSetGetStatus", Value: 1}})))
		require.NoError(t, f.reconfigure("a", config(f.version("a")+1, append(members, joining(letter))...)))
		f.Tick()
		assert.Equal(t, "STARTUP2", f.host(letter).State())
		assertCode(t, failInitialized, error2(f.anonymous(letter, bson.D{{Key: "replSetInitiate", Value: config(1, voter(letter))}})))
		f.Settle()
		assert.Equal(t, "SECONDARY", f.host(letter).State())
		assert.True(t, f.Has(hostOf(letter), "x"))
		hello, err := f.anonymous(letter, bson.D{{Key: "hello", Value: 1}})
		require.NoError(t, err)
		assert.Equal(t, bson.A{memberOf(letter)}, hello["passives"])
		assert.Equal(t, memberOf("a"), hello["primary"])
		assert.Equal(t, true, hello["secondary"])
		assert.NotContains(t, hello, "electionId")
		members = append(members, voter(letter))
		require.NoError(t, f.reconfigure("a", config(f.version("a")+1, members...)))
	}
	status, err := f.run("b", bson.D{{Key: "replSetGetStatus", Value: 1}})
	require.NoError(t, err)
	assert.EqualValues(t, 3, status["votingMembersCount"])
	assert.EqualValues(t, 2, status["myState"])
	assert.Equal(t, "rs0", status["set"])
	first := status["members"].(bson.A)[0].(bson.D)
	assert.Equal(t, memberOf("a"), text(first, "name"))
	assert.Equal(t, "PRIMARY", text(first, "stateStr"))
	got, err := f.run("c", bson.D{{Key: "replSetGetConfig", Value: 1}})
	require.NoError(t, err)
	assert.EqualValues(t, 5, field(got["config"].(bson.D), "version"))

	// Three to one.
	require.NoError(t, f.reconfigure("a", config(6, voter("a"), voter("b"))))
	f.Tick()
	assert.Equal(t, "REMOVED", f.host("c").State())
	assertCode(t, failInvalidConfig, error2(f.run("c", bson.D{{Key: "replSetGetStatus", Value: 1}})))
	require.NoError(t, error2(f.run("c", bson.D{{Key: "replSetGetConfig", Value: 1}})))
	require.NoError(t, f.reconfigure("a", config(7, voter("a"))))
	f.host("b").Stop()
	require.NoError(t, f.Write(hostOf("a"), "y"))
	assert.Empty(t, f.Violations())
}

// TestAddedWithVote: mongod counts the vote of a member that is added with one only once it is a SECONDARY.
func TestAddedWithVote(t *testing.T) {
	f := initiated(t, 1, "a")
	f.add("b")
	require.NoError(t, f.reconfigure("a", config(2, voter("a"), voter("b"))))
	require.NoError(t, f.Write(hostOf("a"), "x"), "b has no vote yet")
	require.NoError(t, f.host("b").Start())
	f.Settle()
	assert.Equal(t, "SECONDARY", f.host("b").State())
	assert.Equal(t, 3, f.version("a"), "the primary counts b now")
	f.host("b").Kill()
	require.Error(t, f.Write(hostOf("a"), "y"))
}

// TestForce: two members are lost for good, and the third, also if it was removed, goes on alone.
func TestForce(t *testing.T) {
	t.Run("without a majority", func(t *testing.T) {
		f := initiated(t, 1, "a", "b", "c")
		f.host("a").Kill()
		f.host("b").Kill()
		f.Settle()
		assert.Equal(t, "SECONDARY", f.host("c").State())
		require.NoError(t, error2(f.run("c", bson.D{{Key: "replSetReconfig", Value: config(1, voter("c"))}, {Key: "force", Value: true}})))
		f.Settle()
		require.NoError(t, f.Write(hostOf("c"), "x"))
		assert.Greater(t, f.version("c"), 10_000)
		require.NoError(t, f.reconfigure("c", config(f.version("c")+1, voter("c"))))
		// The others come back with the old configuration.
		f.host("a").LoseDisk()
		require.NoError(t, f.host("a").Start())
		require.NoError(t, f.reconfigure("c", config(f.version("c")+1, voter("c"), joining("a"))))
		f.Settle()
		assert.True(t, f.Has(hostOf("a"), "x"))
	})
	t.Run("removed", func(t *testing.T) {
		f := initiated(t, 1, "a", "b", "c")
		p := f.primary()
		if p == "c" {
			require.NoError(t, error2(f.run(p, bson.D{{Key: "replSetStepDown", Value: 60}})))
			f.Settle()
			p = f.primary()
		}
		require.NoError(t, f.reconfigure(p, config(f.version(p)+1, voter("a"), voter("b"))))
		f.Settle()
		assert.Equal(t, []string{"REMOVED"}, f.states("c"))
		hello, err := f.anonymous("c", bson.D{{Key: "hello", Value: 1}})
		require.NoError(t, err)
		assert.NotContains(t, hello, "setName")
		f.host("a").Kill()
		f.host("b").Kill()
		assertCode(t, failNotPrimary, f.reconfigure("c", config(f.version("c")+1, voter("c"))))
		require.NoError(t, error2(f.run("c", bson.D{{Key: "replSetReconfig", Value: config(1, voter("c"))}, {Key: "force", Value: true}})))
		f.Settle()
		assert.Equal(t, []string{hostOf("c")}, f.Primaries())
	})
	t.Run("before it is initiated", func(t *testing.T) {
		f := newFixture(t, 1, "a")
		f.Tick()
		assertCode(t, failUnauthorized, error2(f.anonymous("a", bson.D{{Key: "replSetReconfig", Value: config(1, voter("a"))}, {Key: "force", Value: true}})))
	})
}

func TestInitiateRefuses(t *testing.T) {
	f := newFixture(t, 1, "a", "b", "c")
	f.Tick()
	initiate := func(letter string, c bson.D) error {
		return error2(f.anonymous(letter, bson.D{{Key: "replSetInitiate", Value: c}}))
	}
	assertCode(t, failInvalidConfig, initiate("a", config(1)))
	assertCode(t, failInvalidConfig, initiate("a", config(2, voter("a"))))
	assertCode(t, failInvalidConfig, initiate("a", config(1, voter("b"))))
	assertCode(t, failInvalidConfig, initiate("a", config(1, joining("a"), voter("b"))))
	f.host("c").Kill()
	assertCode(t, failNodeNotFound, initiate("a", config(1, voter("a"), voter("b"), voter("c"))))
	require.NoError(t, initiate("b", config(1, voter("b"))))
	assertCode(t, failIncompatible, initiate("a", config(1, voter("a"), voter("b"))))
	require.NoError(t, initiate("a", config(1, voter("a"))))
	f.Settle()
	assert.ElementsMatch(t, []string{hostOf("a"), hostOf("b")}, f.Primaries())

	// Two sets do not become one.
	require.NoError(t, error2(f.anonymous("a", createUser("root", "p", Role{"root", "admin"}))))
	require.NoError(t, f.reconfigure("a", config(2, voter("a"), joining("b"))))
	f.Settle()
	assert.Len(t, f.host("b").Config().Members, 1)
	status, err := f.run("a", bson.D{{Key: "replSetGetStatus", Value: 1}})
	require.NoError(t, err)
	assert.Equal(t, "(not reachable/healthy)", text(status["members"].(bson.A)[1].(bson.D), "stateStr"))
}
