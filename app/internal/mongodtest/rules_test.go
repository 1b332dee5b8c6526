package mongodtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestVotes: when a member refuses a candidate. Each case changes one of two equal members.
func TestVotes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(voter, candidate *Mongod)
		dry    bool
		want   bool
	}{
		"equal":                          {func(_, _ *Mongod) {}, false, true},
		"the voter's log is newer":       {func(v, _ *Mongod) { v.log(operation{}) }, false, false},
		"the candidate's log is newer":   {func(_, c *Mongod) { c.log(operation{}) }, false, true},
		"the voter knows a later term":   {func(v, _ *Mongod) { v.term += 5 }, false, false},
		"the voter has voted":            {func(v, c *Mongod) { v.disk.voteTerm = c.term + 1 }, false, false},
		"the voter has voted, a dry run": {func(v, c *Mongod) { v.disk.voteTerm = c.term + 1 }, true, true},
		"the voter's config is newer": {func(v, _ *Mongod) {
			config := *v.disk.config
			config.Version++
			v.disk.config = &config
		}, false, false},
		"the candidate's config is newer": {func(_, c *Mongod) {
			config := *c.disk.config
			config.Version++
			c.disk.config = &config
		}, false, true},
		"the voter has no config": {func(v, _ *Mongod) { v.disk = Disk{} }, false, false},
		"the voter is removed": {func(v, _ *Mongod) {
			config := *v.disk.config
			config.Members = []ConfigMember{{Host: "elsewhere:27017", Votes: 1, Priority: 1}}
			v.disk.config = &config
		}, false, false},
		"the voter lost its disk and knows the config again": {func(v, _ *Mongod) {
			v.disk = Disk{config: v.disk.config, syncing: true}
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := initiated(t, 1, "a", "b", "c")
			_, second, third := f.roles()
			v, candidate := f.host(second), f.host(third)
			f.mu.Lock()
			defer f.mu.Unlock()
			c.change(v, candidate)
			term := candidate.term
			if !c.dry {
				term++
			}
			assert.Equal(t, c.want, v.votes(candidate, term, c.dry))
			if c.want && !c.dry {
				assert.False(t, v.votes(candidate, term, false), "one vote in a term")
				assert.Equal(t, term, v.disk.voteTerm, "it is on the disk")
			}
		})
	}
}

// TestVoteSurvivesARestart: only a lost disk forgets it.
func TestVoteSurvivesARestart(t *testing.T) {
	f := initiated(t, 1, "a", "b", "c")
	_, second, _ := f.roles()
	m := f.host(second)
	term := m.disk.voteTerm
	require.Positive(t, term)
	m.Kill()
	require.NoError(t, m.Start())
	assert.Equal(t, term, m.Snapshot().voteTerm)
	m.Kill()
	m.LoseDisk()
	assert.Zero(t, m.Snapshot().voteTerm)
}

// TestMajority: what a write needs in order to be acknowledged.
func TestMajority(t *testing.T) {
	t.Run("not a member in initial sync", func(t *testing.T) {
		f := initiated(t, 1, "a", "b", "c")
		p, second, third := f.roles()
		f.host(third).Kill()
		f.host(second).Kill()
		f.host(second).LoseDisk()
		require.NoError(t, f.host(second).Start())
		f.Tick()
		require.Equal(t, "STARTUP2", f.host(second).State())
		m := f.host(p)
		f.mu.Lock()
		failed := m.write(operation{kind: opInsert, name: "x"}, 0)
		f.mu.Unlock()
		require.Equal(t, failWriteConcern, failed)
		assert.Empty(t, f.Primaries())
		f.Settle()
		assert.Equal(t, []string{hostOf(p)}, f.Primaries())
	})
	t.Run("not a member without a vote", func(t *testing.T) {
		f := initiated(t, 1, "a", "b")
		require.NoError(t, f.add("c").Start())
		p := f.primary()
		require.NoError(t, f.reconfigure(p, config(f.version(p)+1, voter("a"), voter("b"), joining("c"))))
		f.Settle()
		other := map[string]string{"a": "b", "b": "a"}[p]
		f.host(other).Kill()
		require.Error(t, f.Write(hostOf(p), "x"))
		assert.Empty(t, f.Primaries())
		require.NoError(t, f.host(other).Start())
		f.Settle()
		for range 5 {
			f.primary()
			assert.NotEqual(t, "PRIMARY", f.host("c").State())
			f.Tick()
		}
	})
}

// TestConfigsInOrder: after a forced configuration, the term does not count.
func TestConfigsInOrder(t *testing.T) {
	at := func(term, version int64) *Config { return &Config{Term: term, Version: version} }
	assert.True(t, at(1, 1).newer(nil))
	assert.True(t, at(2, 1).newer(at(1, 9)))
	assert.False(t, at(1, 9).newer(at(2, 1)))
	assert.False(t, at(1, 1).newer(at(1, 1)))
	assert.True(t, at(forced, 9).newer(at(5, 8)))
	assert.False(t, at(5, 8).newer(at(forced, 9)))
	assert.True(t, at(5, 10).newer(at(forced, 9)))
}

// TestStatusShowsTheLag: a member that is cut off stays behind, and its last time is that of its last entry.
func TestStatusShowsTheLag(t *testing.T) {
	f := initiated(t, 1, "a", "b", "c")
	p, second, third := f.roles()
	f.Cut(hostOf(p), hostOf(third))
	f.Cut(hostOf(second), hostOf(third))
	for range 10 {
		f.Tick()
	}
	require.NoError(t, f.Write(hostOf(p), "x"))
	f.Heal()
	f.mu.Lock()
	f.find(hostOf(p)).sendHeartbeats()
	f.mu.Unlock()
	status, err := f.run(p, bson.D{{Key: "replSetGetStatus", Value: 1}})
	require.NoError(t, err)
	times := map[string]time.Time{}
	for _, value := range status["members"].(bson.A) {
		member := value.(bson.D)
		at, ok := field(member, "optimeDate").(bson.DateTime)
		require.True(t, ok)
		times[text(member, "name")] = at.Time()
	}
	assert.GreaterOrEqual(t, times[memberOf(p)].Sub(times[memberOf(third)]), 20*time.Second)
}
