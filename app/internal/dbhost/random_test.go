package dbhost

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"cinema-database/app/contract"
)

// failedSeeds are those with which TestRandomFaults has ever failed.
var failedSeeds = []uint64{4, 14, 110, 131, 160, 180, 216, 236}

var randomSeeds = flag.Int("seeds", 2, "how many random sequences of faults to drive")

// TestRandomFaults drives random sequences of faults and changes, with cinema-db on each host: no acknowledged majority
// write is lost, never two primaries acknowledge, no secret is made twice, and afterwards the replica set converges.
func TestRandomFaults(t *testing.T) {
	seeds := slices.Clone(failedSeeds)
	for i := range *randomSeeds {
		seeds = append(seeds, uint64(1000+i))
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { newStory(t, seed).run() })
	}
}

// story is one random sequence.
type story struct {
	*rig
	t      *testing.T
	random *rand.Rand
	// wanted are the hosts in the stack's list.
	wanted []*fixture
	// written are the acknowledged majority writes.
	written []string
	events  []string
}

func newStory(t *testing.T, seed uint64) *story {
	s := &story{rig: newRig(t, seed), t: t, random: rand.New(rand.NewPCG(seed, 1))}
	s.rig.write = writeUnsafe
	for _, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"} {
		s.add(t, zone)
	}
	s.wish(s.hosts[:1+2*s.random.IntN(2)]...)
	return s
}

func (s *story) note(format string, arguments ...any) {
	s.events = append(s.events, fmt.Sprintf(format, arguments...))
}

func (s *story) wish(hosts ...*fixture) {
	s.wanted = slices.Clone(hosts)
	s.want(s.t, "", hosts...)
	var names []string
	for _, f := range hosts {
		names = append(names, f.host.Zone)
	}
	s.note("wanted: %v", names)
}

// running are the hosts that exist: the wanted ones, and those that the replica set still has.
func (s *story) any() *fixture { return s.wanted[s.random.IntN(len(s.wanted))] }

func (s *story) run() {
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Log(strings.Join(s.events, "\n"))
		}
	})
	for range 60 {
		s.event()
		for range s.random.IntN(4) {
			s.rig.cluster.Tick()
		}
		if len(s.cluster.Violations()) > 0 {
			break
		}
	}
	s.note("all faults end")
	s.partition()
	s.away.Store(false)
	if len(s.cluster.Violations()) == 0 {
		s.recover()
		s.settle(s.t, s.wanted...)
	}
	assert.Empty(s.t, s.cluster.Violations())
	for _, f := range s.wanted {
		for _, id := range s.written {
			assert.True(s.t, s.cluster.Has(f.host.Name, id), "%s lacks %s", f.host.Name, id)
		}
	}
}

// recover is what an operator does if so many volumes are lost that there is no majority: the member with the newest data
// goes on alone.
func (s *story) recover() {
	for range 20 {
		for _, f := range s.hosts {
			f.round(s.t)
		}
		if len(s.cluster.Primaries()) > 0 {
			return
		}
		s.cluster.Settle()
	}
	for _, f := range s.hosts {
		if f.mongod.Running() && s.cluster.HoldsCommitted(f.host.Name) {
			s.note("%s recovers: %v", f.host.Zone, f.host.Recover(s.t.Context()))
			return
		}
	}
}

// event is one thing that happens.
func (s *story) event() {
	f := s.any()
	name := f.host.Zone
	switch n := s.random.IntN(100); {
	case n < 40:
		for _, f := range s.hosts {
			if f.mongod.Running() || slices.Contains(s.wanted, f) {
				f.round(s.t)
			}
		}
		s.note("a round on all hosts")
	case n < 55:
		f.round(s.t)
		s.note("a round on %s: %v", name, f.failed)
	case n < 70:
		s.write()
	case n < 75:
		s.note("mongod of %s is killed", name)
		f.mongod.Kill()
	case n < 79:
		s.note("mongod of %s stops", name)
		_ = f.host.StepDown(s.t.Context())
		f.mongod.Stop()
	case n < 85:
		s.rig.moments, s.rig.killAt = 0, 1+s.random.IntN(12)
		f.round(s.t)
		s.rig.killAt = 0
		s.note("cinema-db of %s is killed: %v", name, f.failed)
	case n < 89:
		other := s.any()
		s.note("%s and %s are cut off", name, other.host.Zone)
		s.partition([]string{f.host.Name}, []string{other.host.Name})
	case n < 92:
		s.note("the network is whole again")
		s.partition()
	case n < 94:
		s.away.Store(!s.away.Load())
		s.note("S3 away: %v", s.away.Load())
	case n < 97:
		s.loseVolume(f)
	default:
		s.change()
	}
}

// write is a majority write on a primary.
func (s *story) write() {
	for _, host := range s.cluster.Primaries() {
		id := fmt.Sprint("film ", len(s.events))
		err := s.cluster.Write(host, id)
		if err == nil {
			s.written = append(s.written, id)
		}
		s.note("write %q on %s: %v", id, host, err)
	}
}

// loseVolume gives a host a blank volume, unless it may have the only copy of something.
func (s *story) loseVolume(lost *fixture) {
	var shared secrets
	if !s.object(s.t, contract.SecretsKey, &shared) || !shared.Initiated {
		return
	}
	if !slices.ContainsFunc(s.wanted, func(f *fixture) bool { return f != lost && s.cluster.HoldsCommitted(f.host.Name) }) {
		return
	}
	s.note("the volume of %s is lost", lost.host.Zone)
	lost.replaceVolume(s.t)
}

// change is what an operator changes: the number of members, the zone of one, a rotation.
func (s *story) change() {
	switch s.random.IntN(4) {
	case 0:
		_ = s.any().host.Rotate(s.t.Context(), true)
		s.note("a rotation")
	case 1:
		s.removeHosts()
		if len(s.wanted) == 1 {
			s.wish(s.hosts[:3]...)
		} else {
			s.wish(s.hosts[0])
		}
	default:
		s.removeHosts()
		if len(s.wanted) == 3 {
			s.wish(s.hosts[0], s.hosts[1+s.random.IntN(2)], s.hosts[3])
		}
	}
}

// removeHosts is the end of a `pulumi up`: the hosts that are not wanted go, with their volumes, once the set is as wanted.
func (s *story) removeHosts() {
	if !s.settled(s.wanted...) {
		return
	}
	for _, f := range s.hosts {
		if !slices.Contains(s.wanted, f) {
			f.replaceVolume(s.t)
		}
	}
}
