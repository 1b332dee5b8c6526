package dbhost

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newThree returns the hosts of three wanted members, none of which has started.
func newThree(t *testing.T, seed uint64) (*rig, []*fixture) {
	t.Helper()
	r := newRig(t, seed)
	r.write = writeUnsafe
	for _, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
		r.add(t, zone)
	}
	r.want(t, "", r.hosts...)
	return r, r.hosts
}

// TestEveryOrder: the hosts of a new stack start in any order, and any of them initiates the replica set.
func TestEveryOrder(t *testing.T) {
	founders := map[string]bool{}
	for i, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			r, hosts := newThree(t, uint64(i))
			for n := range order {
				for range 3 {
					for _, k := range order[:n+1] {
						hosts[k].round(t)
					}
				}
			}
			r.settle(t, hosts...)
			founders[r.shared(t).Founder] = true
			primary := r.primary(t)
			require.NoError(t, r.cluster.Write(primary.host.Name, "film"))
			r.cluster.Settle()
			for _, f := range hosts {
				assert.True(t, r.cluster.Has(f.host.Name, "film"), f.host.Name)
			}
		})
	}
	assert.Len(t, founders, 3, "no particular zone is needed")
}

// procedure is something that hosts do together: from a cluster that has converged to another one.
type procedure struct {
	name string
	// begin makes the cluster at the start.
	begin func(t *testing.T) *rig
	// change asks for the procedure.
	change func(t *testing.T, r *rig)
	// wanted are the members at the end.
	wanted func(r *rig) []*fixture
}

func allHosts(r *rig) []*fixture  { return r.hosts }
func firstHost(r *rig) []*fixture { return r.hosts[:1] }

func settledThree(t *testing.T) *rig {
	r, hosts := newThree(t, 7)
	r.settle(t, hosts...)
	require.NoError(t, r.cluster.Write(r.primary(t).host.Name, "film"))
	r.cluster.Settle()
	return r
}

func settledOne(t *testing.T) *rig {
	r, hosts := newThree(t, 7)
	r.want(t, "", hosts[0])
	for range 3 {
		hosts[0].round(t)
	}
	require.True(t, r.settled(hosts[0]))
	require.NoError(t, r.cluster.Write(hosts[0].host.Name, "film"))
	return r
}

var procedures = []procedure{
	{"a new stack", func(t *testing.T) *rig { r, _ := newThree(t, 3); return r }, func(*testing.T, *rig) {}, allHosts},
	{"one to three", settledOne, func(t *testing.T, r *rig) { r.want(t, "", r.hosts...) }, allHosts},
	{"three to one", settledThree, func(t *testing.T, r *rig) {
		// The member that stays is not the primary.
		for r.primary(t) == r.hosts[0] {
			require.NoError(t, r.hosts[0].host.StepDown(t.Context()))
			r.cluster.Settle()
		}
		r.want(t, "", r.hosts[0])
	}, firstHost},
	{"another zone", func(t *testing.T) *rig { r := settledThree(t); r.add(t, "us-east-1d"); return r },
		func(t *testing.T, r *rig) { r.want(t, "", r.hosts[0], r.hosts[1], r.hosts[3]) },
		func(r *rig) []*fixture { return []*fixture{r.hosts[0], r.hosts[1], r.hosts[3]} }},
	{"a lost volume", settledThree, func(t *testing.T, r *rig) { r.hosts[1].replaceVolume(t) }, allHosts},
	{"a lost volume of the primary", settledThree, func(t *testing.T, r *rig) { r.primary(t).replaceVolume(t) }, allHosts},
	{"a restart of each", settledThree, func(_ *testing.T, r *rig) {
		for _, f := range r.hosts {
			f.mongod.Kill()
		}
	}, allHosts},
	{"a restore", settledThree, restore, allHosts},
}

// restore makes the first member's volume from a snapshot and the others' blank, while those still run.
func restore(t *testing.T, r *rig) {
	first := r.hosts[0]
	snapshot := first.mongod.Snapshot()
	require.NoError(t, r.cluster.Write(r.primary(t).host.Name, "after the snapshot"))
	r.cluster.Settle()
	r.want(t, first.host.Zone, r.hosts...)
	r.cluster.Rewind(snapshot)
	first.mongod.Kill()
	first.mongod.Restore(snapshot)
	first.ready = false
	first.host.VolumeID = "vol-restored"
	for _, f := range r.hosts[1:] {
		f.replaceVolume(t)
	}
}

// end checks the cluster after a procedure.
func (p *procedure) end(t *testing.T, r *rig) {
	t.Helper()
	r.settle(t, p.wanted(r)...)
	if p.name == "a new stack" {
		return
	}
	for _, f := range p.wanted(r) {
		assert.True(t, r.cluster.Has(f.host.Name, "film"), f.host.Name)
		assert.False(t, r.cluster.Has(f.host.Name, "after the snapshot"), f.host.Name)
	}
}

func TestProcedures(t *testing.T) {
	for _, p := range procedures {
		t.Run(p.name, func(t *testing.T) {
			r := p.begin(t)
			p.change(t, r)
			p.end(t, r)
		})
	}
}

var everyMoment = flag.Int("every", 24, "kill at every how many moments of a procedure")

// TestProceduresKilledAnywhere kills the cinema-db that is at a moment, before or after one of its effects, with its mongod
// or without; the next round starts what was killed. `-every 1` kills at each moment.
func TestProceduresKilledAnywhere(t *testing.T) {
	stride := *everyMoment
	if testing.Short() {
		stride *= 3
	}
	for _, p := range procedures {
		t.Run(p.name, func(t *testing.T) {
			for k := 1; ; k += stride {
				r := p.begin(t)
				p.change(t, r)
				r.moments, r.killAt = 0, k
				killed := false
				for range 12 {
					for _, f := range r.hosts {
						f.round(t)
						if r.moments >= k && !killed {
							killed = true
							if k%2 == 0 {
								f.mongod.Kill()
							}
						}
					}
				}
				p.end(t, r)
				if !killed || t.Failed() {
					assert.Greater(t, k, 5)
					return
				}
			}
		})
	}
}

// TestAgentEnds: the agent ends without an error when its context ends, even while it waits for S3.
func TestAgentEnds(t *testing.T) {
	for _, away := range []bool{false, true} {
		f := settledOne(t).hosts[0]
		f.away.Store(away)
		ctx, stop := context.WithCancel(t.Context())
		turns := 0
		f.host.Wait = func(ctx context.Context, _ time.Duration) error {
			if turns++; turns == 3 {
				stop()
			}
			return context.Cause(ctx)
		}
		require.NoError(t, f.host.Agent(ctx))
		assert.Equal(t, 3, turns)
		require.NoError(t, f.host.Agent(ctx), "before its first turn")
		assert.Equal(t, 3, turns)
	}
}
