package mongodtest

import (
	"maps"
	"slices"
	"time"
)

// entry is one entry of an oplog. Two entries with the same timestamp are the same.
type entry struct {
	term, timestamp int64
	at              time.Time
	operation       operation
}

// before reports whether a log that ends with e is older than one that ends with other.
func (e entry) before(other entry) bool {
	return e.term < other.term || e.term == other.term && e.timestamp < other.timestamp
}

type operation struct {
	kind operationKind
	name string
	user *user // nil deletes
	role *role // nil deletes
}

type operationKind int

const (
	opNone operationKind = iota
	opInsert
	opUser
	opRole
)

// data is what a log amounts to.
type data struct {
	users     map[string]*user
	roles     map[string]*role
	documents map[string]bool
}

func replay(log []entry) data {
	d := data{map[string]*user{}, map[string]*role{}, map[string]bool{}}
	for _, e := range log {
		d.apply(e.operation)
	}
	return d
}

func (d *data) apply(o operation) {
	switch o.kind {
	case opInsert:
		d.documents[o.name] = true
	case opUser:
		d.users[o.name] = o.user
	case opRole:
		d.roles[o.name] = o.role
	case opNone:
	}
	maps.DeleteFunc(d.users, func(_ string, u *user) bool { return u == nil })
	maps.DeleteFunc(d.roles, func(_ string, r *role) bool { return r == nil })
}

// common returns how many entries two logs have in common.
func common(a, b []entry) int {
	n := 0
	for n < len(a) && n < len(b) && a[n].timestamp == b[n].timestamp {
		n++
	}
	return n
}

func (m *Mongod) lastEntry() entry {
	if len(m.disk.log) == 0 {
		return entry{}
	}
	return m.disk.log[len(m.disk.log)-1]
}

// append writes entries of another member's log.
func (m *Mongod) append(entries ...entry) {
	m.disk.log = append(m.disk.log, entries...)
	for _, e := range entries {
		m.data.apply(e.operation)
	}
}

// log writes a new entry and returns the length of the log.
func (m *Mongod) log(o operation) int {
	m.cluster.last++
	m.append(entry{m.term, m.cluster.last, m.cluster.now, o})
	return len(m.disk.log)
}

// write writes on the primary and waits until a majority has it.
func (m *Mongod) write(o operation, ticks int) *failure {
	length, term := m.log(o), m.term
	timestamp := m.lastEntry().timestamp
	lost := func() bool {
		return m.term != term || !m.primary || len(m.disk.log) < length || m.disk.log[length-1].timestamp != timestamp
	}
	m.cluster.advance()
	done := m.cluster.wait(ticks, func() bool { return lost() || m.commit >= length })
	switch {
	case lost():
		return failSteppedDown
	case !done:
		return failWriteConcern
	default:
		return nil
	}
}

func (m *Mongod) running() bool { return m.server != nil && m.loaded }

// reaches reports whether two members exchange messages.
func (m *Mongod) reaches(other *Mongod) bool {
	return other != nil && m.server != nil && other.server != nil && m.key == other.key &&
		m.cluster.side[m.host] == m.cluster.side[other.host] && !m.cluster.cut[[2]string{m.host, other.host}] &&
		m.server.valid() && other.server.valid() &&
		(m.disk.config == nil || other.disk.config == nil || m.disk.config.SetID == other.disk.config.SetID)
}

// peers returns the other members of m's configuration that it reaches.
func (m *Mongod) peers() []*Mongod {
	var peers []*Mongod
	for _, other := range m.cluster.members {
		if other != m && m.disk.config.member(other.host) != nil && m.reaches(other) {
			peers = append(peers, other)
		}
	}
	return peers
}

// listed reports whether the member is in its own configuration.
func (m *Mongod) listed() bool { return m.disk.config.member(m.host) != nil }

// counts reports whether the primary m counts what v has replicated.
func (m *Mongod) counts(v *Mongod) bool {
	return v == m || m.hasConfig(v) && !v.disk.syncing
}

// quorum reports whether a majority of the voting members of m's configuration meets a condition.
func (m *Mongod) quorum(condition func(*Mongod) bool) bool {
	n := 0
	for _, host := range m.disk.config.voters() {
		if v := m.cluster.find(host); v != nil && condition(v) {
			n++
		}
	}
	return n >= m.disk.config.majority()
}

func (m *Mongod) state() string {
	switch {
	case m.server == nil:
		return ""
	case !m.loaded || m.disk.config == nil:
		return "STARTUP"
	case !m.listed():
		return "REMOVED"
	case m.primary:
		return "PRIMARY"
	case m.disk.syncing:
		return "STARTUP2"
	case m.rollingBack:
		return "ROLLBACK"
	default:
		return "SECONDARY"
	}
}

func (c *Cluster) tick() {
	c.now = c.now.Add(heartbeat)
	for _, m := range c.members {
		if m.server != nil && !m.loaded {
			m.loaded = true
		}
		m.rollingBack = false
		m.silent++
	}
	for _, m := range c.shuffled() {
		m.sendHeartbeats()
	}
	for _, m := range c.members {
		m.checkMajority()
	}
	c.elect()
	for _, m := range c.shuffled() {
		m.replicate()
	}
	c.advance()
	for _, m := range c.members {
		m.completeNewMembers()
	}
	if hosts := c.primaries(); len(hosts) > 1 {
		c.violation("two primaries would acknowledge writes at the same time: %v", hosts)
	}
}

func (c *Cluster) shuffled() []*Mongod {
	members := slices.Clone(c.members)
	c.random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return members
}

// sendHeartbeats exchanges terms and configurations with the other members, and learns their states.
func (m *Mongod) sendHeartbeats() {
	if !m.running() || m.disk.config == nil {
		return
	}
	for _, other := range m.peers() {
		if !other.loaded {
			continue
		}
		if other.disk.config == nil || m.disk.config.newer(other.disk.config) {
			other.adopt(m.disk.config)
		} else if other.disk.config.newer(m.disk.config) {
			m.adopt(other.disk.config)
		}
		m.see(other.term)
		other.see(m.term)
	}
	views := map[string]view{}
	for _, other := range m.peers() {
		v := view{healthy: true, state: other.state(), last: other.lastEntry(), term: other.term, at: m.cluster.now}
		if other.disk.syncing {
			v.last = entry{}
		}
		views[other.host] = v
		if v.state == "PRIMARY" && v.term == m.term && m.listed() {
			m.silent = 0
		}
	}
	m.views = views
}

// adopt installs a configuration that another member sent.
func (m *Mongod) adopt(config *Config) {
	if m.disk.config == nil {
		m.disk.syncing = true
		m.silent = 0
	}
	m.disk.config = config
	if me := config.member(m.host); m.primary && (me == nil || !me.electable()) {
		m.resign()
	}
}

// see updates the term; a primary of an older one steps down.
func (m *Mongod) see(term int64) {
	if term > m.term {
		m.term = term
		m.resign()
	}
}

func (m *Mongod) resign() {
	if m.primary {
		m.primary, m.silent, m.lonely, m.commit = false, 0, 0, 0
	}
}

// checkMajority makes a primary step down that has not reached a majority for some time.
func (m *Mongod) checkMajority() {
	if !m.primary {
		return
	}
	if m.lonely++; m.quorum(func(v *Mongod) bool { return v == m || m.views[v.host].healthy }) {
		m.lonely = 0
	}
	if m.lonely > 2 {
		m.resign()
	}
}

// sources returns the members with a newer log from which m may copy.
func (m *Mongod) sources() []*Mongod {
	if !m.running() || m.primary || !m.listed() {
		return nil
	}
	return slices.DeleteFunc(m.peers(), func(s *Mongod) bool {
		state := s.state()
		return state != "PRIMARY" && state != "SECONDARY" || !m.lastEntry().before(s.lastEntry())
	})
}

// replicate copies entries from another member, mostly from the primary.
func (m *Mongod) replicate() {
	sources := m.sources()
	if len(sources) == 0 {
		return
	}
	source := sources[m.cluster.random.IntN(len(sources))]
	if i := slices.IndexFunc(sources, func(s *Mongod) bool { return s.primary }); i >= 0 && m.cluster.random.IntN(4) > 0 {
		source = sources[i]
	}
	if m.disk.syncing {
		m.synchronize(sources, source)
		return
	}
	source.see(m.term)
	m.see(source.term)
	theirs := source.disk.log
	if n := common(m.disk.log, theirs); n < len(m.disk.log) {
		m.disk.log = slices.Clone(m.disk.log[:n])
		m.data = replay(m.disk.log)
		m.rollingBack = true
		return
	}
	missing := theirs[len(m.disk.log):]
	m.append(missing[:m.cluster.random.IntN(len(missing)+1)]...)
}

// synchronize is one step of an initial sync. It begins again if its source is lost.
func (m *Mongod) synchronize(sources []*Mongod, next *Mongod) {
	i := slices.IndexFunc(sources, func(s *Mongod) bool { return s.host == m.source })
	if i < 0 {
		m.source, m.progress = next.host, 0
		return
	}
	if m.progress += 1 + m.cluster.random.IntN(2); m.progress < 3 {
		return
	}
	m.disk.log, m.disk.syncing = slices.Clone(sources[i].disk.log), false
	m.data = replay(m.disk.log)
}

// advance computes what each primary knows to be on a majority.
func (c *Cluster) advance() {
	for _, m := range c.members {
		if !m.primary {
			continue
		}
		m.committed()
		for n := len(m.disk.log); n > m.commit && m.disk.log[n-1].term == m.term; n-- {
			if !m.quorum(func(v *Mongod) bool { return m.counts(v) && m.holds(v, n) }) {
				continue
			}
			m.commit = n
			if host, taken := c.acknowledged[m.term]; taken && host != m.host {
				c.violation("%s and %s both acknowledged writes in term %d", host, m.host, m.term)
			}
			c.acknowledged[m.term] = m.host
			c.expectCommitted(m)
			if n > len(c.committed) {
				c.committed = slices.Clone(m.disk.log[:n])
			}
			break
		}
	}
}

// holds reports whether v has the first n entries of m's log.
func (m *Mongod) holds(v *Mongod, n int) bool {
	return len(v.disk.log) >= n && v.disk.log[n-1].timestamp == m.disk.log[n-1].timestamp
}

// expectCommitted records a violation if a primary's log lacks a committed entry.
func (c *Cluster) expectCommitted(m *Mongod) {
	n := common(c.committed, m.disk.log)
	if lost := c.committed[n:]; len(lost) > 0 {
		c.violation("%d committed entries of term %d and later are lost: %s, primary in term %d, lacks %q", len(lost), lost[0].term, m.host, m.term, names(lost))
		c.committed = c.committed[:n]
	}
}

func names(entries []entry) []string {
	var names []string
	for _, e := range entries {
		if e.operation.kind != opNone {
			names = append(names, e.operation.name)
		}
	}
	return names
}
