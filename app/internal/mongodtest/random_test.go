package mongodtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestRandom: whatever happens to hosts and network, no member breaks mongod's promises as long as no disk is lost and
// nothing is forced.
func TestRandom(t *testing.T) {
	total := 0
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			letters := []string{"a", "b", "c", "d"}
			r := &randomRun{fixture: newFixture(t, seed, letters...), letters: letters, random: rand.New(rand.NewPCG(seed, 1))}
			r.Tick()
			require.NoError(t, error2(r.anonymous("a", bson.D{{Key: "replSetInitiate", Value: config(1, voter("a"))}})))
			actions := []func(i int){r.kill, r.stop, r.start, r.start, r.partition, r.cut, r.heal, r.write, r.write, r.write, r.reconfigure, r.reconfigure, r.tick, r.tick, r.tick}
			// Each run prefers some actions.
			for range 10 {
				actions = append(actions, actions[r.random.IntN(len(actions))])
			}
			for i := range 300 {
				actions[r.random.IntN(len(actions))](i)
				require.Empty(t, r.Violations(), "after step %d", i)
			}
			r.Heal()
			for i := range letters {
				r.start(i)
			}
			r.Settle()
			total += len(r.written)
			for _, m := range r.host(r.primary()).Config().Members {
				for _, id := range r.written {
					assert.True(t, r.Has(m.name(), id), "%s lacks %s", m.name(), id)
				}
			}
			assert.Empty(t, r.Violations())
		})
	}
	assert.Greater(t, total, 500)
}

// randomRun is one random sequence. Its commands wait only for some ticks, so that others find the set in the middle of
// them.
type randomRun struct {
	*fixture
	letters []string
	random  *rand.Rand
	written []string // acknowledged
}

func (r *randomRun) pick() *Mongod { return r.host(r.letters[r.random.IntN(len(r.letters))]) }

// target is mostly a member that takes itself for the primary.
func (r *randomRun) target() *Mongod {
	m := r.pick()
	for range 5 {
		if m.State() == "PRIMARY" {
			break
		}
		m = r.pick()
	}
	return m
}

func (r *randomRun) tick(int) { r.Tick() }
func (r *randomRun) kill(int) { r.pick().Kill() }
func (r *randomRun) stop(int) { r.pick().Stop() }
func (r *randomRun) heal(int) { r.Heal() }

func (r *randomRun) start(int) {
	for _, letter := range r.letters {
		if m := r.host(letter); !m.Running() {
			require.NoError(r.t, m.Start())
			return
		}
	}
}

func (r *randomRun) partition(int) {
	var side []string
	for _, letter := range r.letters {
		if r.random.IntN(2) == 0 {
			side = append(side, hostOf(letter))
		}
	}
	r.Partition(side)
}

func (r *randomRun) cut(int) {
	if a, b := r.pick(), r.pick(); a != b {
		r.Cut(a.host, b.host)
	}
}

func (r *randomRun) write(i int) {
	m, id := r.target(), fmt.Sprint("w", i)
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.primary && m.write(operation{kind: opInsert, name: id}, r.random.IntN(4)) == nil {
		r.written = append(r.written, id)
	}
}

// reconfigure adds a member, removes it, or changes its vote.
func (r *randomRun) reconfigure(int) {
	m, other, kind, patience := r.target(), r.pick(), r.random.IntN(3), 1+r.random.IntN(3)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !m.primary {
		return
	}
	next := *m.disk.config
	next.Version++
	next.Members = slices.Clone(next.Members)
	i := slices.IndexFunc(next.Members, func(m ConfigMember) bool { return m.name() == other.host })
	switch {
	case i < 0:
		vote := r.random.IntN(2)
		next.Members = append(next.Members, ConfigMember{ID: int32(other.host[len("mongo-")] - 'a'), Host: other.host + ":27017", Votes: int32(vote), Priority: float64(vote)})
	case kind == 0:
		next.Members = slices.Delete(next.Members, i, i+1)
	default:
		member := &next.Members[i]
		member.Votes = 1 - member.Votes
		member.Priority = float64(member.Votes)
	}
	_ = m.reconfigure(bson.D{{Key: "replSetReconfig", Value: next.document()}, {Key: "maxTimeMS", Value: int32(patience * 2000)}})
}
