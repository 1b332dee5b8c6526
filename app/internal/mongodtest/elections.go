package mongodtest

import (
	"slices"
	"time"
)

// elect lets the members stand that have not heard from a primary for some time.
func (c *Cluster) elect() {
	for _, m := range c.shuffled() {
		if !m.running() || m.state() != "SECONDARY" || !m.disk.config.member(m.host).electable() || c.now.Before(m.frozenUntil) {
			continue
		}
		timeout := 3 + c.random.IntN(2)
		if len(m.disk.config.Members) == 1 {
			timeout = 2
		}
		if m.silent >= timeout && m.ask(true) {
			m.ask(false)
		}
	}
}

// ask asks the voting members for their votes, and reports whether it has a majority; if so and it was not a dry run,
// the member is primary.
func (m *Mongod) ask(dry bool) bool {
	term := m.term
	if !dry {
		term++
		m.term, m.disk.voteTerm = term, term
	}
	won := m.quorum(func(v *Mongod) bool { return v == m || m.reaches(v) && v.votes(m, term, dry) })
	if won && !dry && m.term == term {
		m.win()
	}
	return won
}

// votes decides on a candidate's request. A member in initial sync votes too: it has no log, so it refuses nobody.
func (m *Mongod) votes(candidate *Mongod, term int64, dry bool) bool {
	if !m.running() || m.disk.config == nil {
		return false
	}
	if term < m.term {
		candidate.see(m.term)
		return false
	}
	if !dry {
		m.see(term)
	}
	switch {
	case !m.listed(), m.disk.config.newer(candidate.disk.config):
		return false
	case candidate.lastEntry().before(m.lastEntry()):
		return false
	case !dry && m.disk.voteTerm >= term:
		return false
	}
	if !dry {
		m.disk.voteTerm, m.silent = term, 0
	}
	return true
}

// win makes the member primary: it catches up with the members that it reaches, writes an entry of its term, and puts
// its term into the configuration.
func (m *Mongod) win() {
	m.primary, m.lonely, m.commit, m.silent = true, 0, 0, 0
	for _, other := range m.peers() {
		if other.running() && !other.disk.syncing && m.lastEntry().before(other.lastEntry()) && common(m.disk.log, other.disk.log) == len(m.disk.log) {
			m.append(other.disk.log[len(m.disk.log):]...)
		}
	}
	m.committedConfig, m.settledConfig, m.required = nil, nil, m.log(operation{})
	m.cluster.expectCommitted(m)
	if m.disk.config.Term != forced {
		config := *m.disk.config
		config.Term = m.term
		m.disk.config = &config
	}
	m.sendHeartbeats()
	for _, other := range m.peers() {
		if other.loaded {
			other.silent = 0
		}
	}
}

type stepDownOptions struct {
	force           bool
	catchUp, freeze time.Duration
}

// stepDown waits until a majority has the primary's log, and among them a member that may become primary, which it then
// asks to stand.
func (m *Mongod) stepDown(o stepDownOptions) *failure {
	c, term := m.cluster, m.term
	var heirs []*Mongod
	ready := c.wait(int(o.catchUp/heartbeat), func() bool {
		heirs = nil
		if !m.primary || m.term != term {
			return true
		}
		caughtUp := func(v *Mongod) bool { return m.counts(v) && m.holds(v, len(m.disk.log)) }
		if !m.quorum(caughtUp) {
			return false
		}
		for _, v := range m.peers() {
			if caughtUp(v) && v.state() == "SECONDARY" && m.disk.config.member(v.host).electable() {
				heirs = append(heirs, v)
			}
		}
		return len(heirs) > 0
	})
	switch {
	case !m.primary || m.term != term:
		return failSteppedDown
	case !ready && !o.force:
		return failTimeLimit.because("No electable secondaries caught up. Please use the replSetStepDown command with the argument {force: true} to force node to step down.")
	}
	m.resign()
	m.frozenUntil = c.now.Add(o.freeze)
	if len(heirs) > 0 {
		heirs[c.random.IntN(len(heirs))].ask(false)
	}
	return nil
}

// committed reports whether the configuration and the required entries are on a majority, so that another configuration
// may follow. The primary remembers what the others reported once, also while it does not reach them.
func (m *Mongod) committed() bool {
	if m.settledConfig != m.disk.config && m.configCommitted() &&
		(m.disk.config.Term == forced || m.quorum(func(v *Mongod) bool { return m.counts(v) && m.holds(v, m.required) })) {
		m.settledConfig = m.disk.config
	}
	return m.settledConfig == m.disk.config
}

func (m *Mongod) configCommitted() bool {
	if m.committedConfig != m.disk.config && m.quorum(func(v *Mongod) bool { return v == m || m.hasConfig(v) && m.disk.config.same(v.disk.config) }) {
		m.committedConfig = m.disk.config
	}
	return m.committedConfig == m.disk.config
}

// hasConfig reports whether m hears from v that it has a configuration, also during v's initial sync.
func (m *Mongod) hasConfig(v *Mongod) bool {
	return m.reaches(v) && v.running() && v.disk.config != nil && v.term <= m.term
}

// install makes a configuration that of the primary. The others learn it at once or with the next heartbeat.
func (m *Mongod) install(config *Config) {
	m.required = max(m.required, m.commit)
	m.adopt(config)
	if m.cluster.random.IntN(2) == 0 {
		m.sendHeartbeats()
	}
	m.cluster.advance()
}

// completeNewMembers gives its vote to a member that was added with one and is a SECONDARY now.
func (m *Mongod) completeNewMembers() {
	if !m.primary || !m.committed() {
		return
	}
	i := slices.IndexFunc(m.disk.config.Members, func(n ConfigMember) bool { return n.newlyAdded && m.views[n.name()].state == "SECONDARY" })
	if i < 0 {
		return
	}
	config := *m.disk.config
	config.Version++
	config.Term = m.term
	config.Members = slices.Clone(config.Members)
	config.Members[i].newlyAdded = false
	m.install(&config)
}
