// Package mongodtest models mongod as members of a replica set, for tests. Each member is a server of MongoDB's wire
// protocol over TLS on loopback, to which the real driver connects. What the members tell each other is modelled in
// memory. Time passes only in Tick, and while a command waits for other members.
//
// Sources: the manual's pages "Replica Set Elections", "Replica Set Member States", "Rollbacks During Replica Set
// Failover", "Localhost Exception in Self-Managed Deployments", replSetInitiate, replSetReconfig, replSetGetStatus,
// replSetStepDown, createUser, rotateCertificates and "MongoDB Wire Protocol"; and mongod's source where those are not
// exact (src/mongo/db/repl: repl_set_config_checks.cpp, topology_coordinator.cpp, repl_set_commands.cpp).
//
// Not modelled: priorities (a member with priority stands, whatever its value), arbiters, hidden and delayed members,
// the periodic entry of an idle primary, and the size of the oplog.
package mongodtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// heartbeat is the time of one tick, as mongod's heartbeatIntervalMillis.
	heartbeat = 2 * time.Second
	// patience is how many ticks a command waits for other members.
	patience = 15
)

// Cluster is a set of hosts that run mongod.
type Cluster struct {
	mu      sync.Mutex
	random  *rand.Rand
	members []*Mongod
	now     time.Time
	// last is the timestamp of the newest entry of all logs.
	last int64
	// side is the side of a partition that a host is on. cut are single links that are cut.
	side map[string]int
	cut  map[[2]string]bool

	// committed is the longest log that a majority is known to have had.
	committed []entry
	// acknowledged are the hosts that acknowledged writes, by term.
	acknowledged map[int64]string
	violations   []string
}

// New returns a cluster without hosts, which stops when the test ends. The seed drives all choices.
func New(t testing.TB, seed uint64) *Cluster {
	t.Helper()
	c := &Cluster{
		random: rand.New(rand.NewPCG(seed, 0)), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		side: map[string]int{}, cut: map[[2]string]bool{}, acknowledged: map[int64]string{},
	}
	t.Cleanup(func() {
		for _, m := range c.hosts() {
			m.Kill()
		}
	})
	return c
}

func (c *Cluster) hosts() []*Mongod {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.members)
}

// Add adds a host with a blank disk, on which mongod is not started. Its name has no port. The files are read at each
// start. Members with other key files do not talk to it, nor does any member if the certificate is not for its name.
func (c *Cluster) Add(host, certificateFile, keyFile string) *Mongod {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &Mongod{cluster: c, host: host, certificateFile: certificateFile, keyFile: keyFile}
	c.members = append(c.members, m)
	return m
}

func (c *Cluster) find(host string) *Mongod {
	for _, m := range c.members {
		if m.host == host {
			return m
		}
	}
	return nil
}

// Address returns the address on which a host's mongod listens, and reports whether it runs.
func (c *Cluster) Address(host string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.find(host)
	if m == nil || m.server == nil {
		return "", false
	}
	return m.server.listener.Addr().String(), true
}

// DialContext connects to a member by its name in the configuration, for a driver that discovers the members.
func (c *Cluster) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	target, running := c.Address(host)
	if !running {
		return nil, fmt.Errorf("mongodtest: %s: connection refused", address)
	}
	return new(net.Dialer).DialContext(ctx, network, target)
}

// Partition divides the hosts: those in different groups do not reach each other. Hosts in no group are a group too.
func (c *Cluster) Partition(groups ...[]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.side)
	for i, group := range groups {
		for _, host := range group {
			c.side[host] = i + 1
		}
	}
}

// Cut cuts only the link between two hosts.
func (c *Cluster) Cut(a, b string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut[[2]string{a, b}], c.cut[[2]string{b, a}] = true, true
}

// Heal ends the partition and mends all links.
func (c *Cluster) Heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.side)
	clear(c.cut)
}

// Tick lets the time of one heartbeat pass.
func (c *Cluster) Tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick()
}

// Settle ticks until nothing changes any more, for at most 200 ticks.
func (c *Cluster) Settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	// An election needs some ticks in which nothing changes.
	for quiet, ticks, before := 0, 0, c.summary(); quiet < 8 && ticks < 200; ticks++ {
		c.tick()
		if after := c.summary(); after != before || c.waiting() {
			quiet, before = 0, after
		} else {
			quiet++
		}
	}
}

// waiting reports whether a member has entries to copy, or may soon stand again after it stepped down.
func (c *Cluster) waiting() bool {
	return slices.ContainsFunc(c.members, func(m *Mongod) bool {
		return len(m.sources()) > 0 || m.running() && !m.primary && c.now.Before(m.frozenUntil) && m.knownPrimary() == ""
	})
}

// summary changes if anything changes but the time.
func (c *Cluster) summary() string {
	var b strings.Builder
	for _, m := range c.members {
		fmt.Fprintf(&b, "%s %s %d %d %d", m.host, m.state(), m.term, len(m.disk.log), m.commit)
		if config := m.disk.config; config != nil {
			fmt.Fprintf(&b, " %d %d", config.Version, config.Term)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// wait ticks until the condition holds, and reports whether it does.
func (c *Cluster) wait(ticks int, condition func() bool) bool {
	for range ticks {
		if condition() {
			return true
		}
		c.tick()
	}
	return condition()
}

// Primaries returns the primaries that would acknowledge a majority write now.
func (c *Cluster) Primaries() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.primaries()
}

func (c *Cluster) primaries() []string {
	var hosts []string
	for _, m := range c.members {
		if m.primary && m.quorum(func(v *Mongod) bool { return m.counts(v) && v.disk.config.member(m.host) != nil }) {
			hosts = append(hosts, m.host)
		}
	}
	return hosts
}

// Violations returns what must never happen and did: a committed entry was lost, or two members acknowledged writes at
// the same time.
func (c *Cluster) Violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.violations)
}

func (c *Cluster) violation(format string, arguments ...any) {
	if message := fmt.Sprintf(format, arguments...); !slices.Contains(c.violations, message) {
		c.violations = append(c.violations, message)
	}
}

// Rewind says that an operator restores the set from a snapshot: entries that it does not hold may be lost.
func (c *Cluster) Rewind(d Disk) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.committed = c.committed[:common(c.committed, d.log)]
	// The terms after the snapshot come again.
	clear(c.acknowledged)
}

// Write is a client's majority write on a host. It waits until a majority of the voting members has it; after an error,
// the entry may exist or not.
func (c *Cluster) Write(host, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.find(host)
	if m == nil || m.server == nil {
		return fmt.Errorf("mongodtest: %s does not run", host)
	}
	if !m.primary {
		return fmt.Errorf("mongodtest: %s is not primary but %q", host, m.state())
	}
	if failed := m.write(operation{kind: opInsert, name: id}, patience); failed != nil {
		return fmt.Errorf("mongodtest: write %q to %s: %s", id, host, failed.message)
	}
	return nil
}

// Has reports whether a host's data holds what Write wrote.
func (c *Cluster) Has(host, id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.find(host)
	return m != nil && m.data.documents[id]
}

// HoldsCommitted reports whether a host's disk has everything that a majority is known to have had.
func (c *Cluster) HoldsCommitted(host string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.find(host)
	return m != nil && common(c.committed, m.disk.log) == len(c.committed)
}

// Mongod is one host that may run mongod.
type Mongod struct {
	cluster                        *Cluster
	host, certificateFile, keyFile string
	disk                           Disk
	data                           data // what the log on the disk amounts to

	server *server // nil while mongod is stopped
	process
}

// process is what mongod loses when it stops.
type process struct {
	key     string
	loaded  bool // it has read its configuration
	term    int64
	primary bool
	// commit is how many entries of the log the primary knows to be on a majority. Before another configuration, a majority
	// of the present one must have the first required entries: those that were committed when it was installed, and the
	// first of the primary's term.
	commit, required int
	// committedConfig is the last configuration that was on a majority, settledConfig the last one after which another
	// may follow.
	committedConfig, settledConfig *Config
	// silent is how many ticks ago the member heard from a primary, lonely how many ticks a primary has not reached a majority.
	silent, lonely int
	frozenUntil    time.Time
	rollingBack    bool
	source         string // of the initial sync
	progress       int
	views          map[string]view
}

// view is what a member learned from its last heartbeat to another one.
type view struct {
	healthy bool
	state   string
	last    entry
	term    int64
	at      time.Time
}

// Disk is what a snapshot of the volume holds. The zero value is blank.
type Disk struct {
	config *Config
	log    []entry
	// voteTerm is the last term in which the member voted.
	voteTerm int64
	// syncing is whether an initial sync has begun and not ended.
	syncing bool
}

// Start starts mongod. It returns an error if it runs already or a file cannot be read.
func (m *Mongod) Start() error {
	if m.Running() {
		return fmt.Errorf("mongodtest: %s runs already", m.host)
	}
	key, err := os.ReadFile(m.keyFile)
	if err != nil {
		return err
	}
	s, err := listen(m)
	if err != nil {
		return err
	}
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	m.server = s
	m.process = process{key: strings.TrimSpace(string(key)), term: max(m.disk.voteTerm, m.lastEntry().term), views: map[string]view{}}
	m.data = replay(m.disk.log)
	return nil
}

// Stop shuts mongod down. A primary first hands over to another member, if one is caught up in time.
func (m *Mongod) Stop() {
	m.cluster.mu.Lock()
	if m.server != nil && m.primary {
		m.stepDown(stepDownOptions{force: true, catchUp: 15 * time.Second, freeze: time.Minute})
	}
	m.cluster.mu.Unlock()
	m.Kill()
}

// Kill stops mongod at once. Its disk stays.
func (m *Mongod) Kill() {
	m.cluster.mu.Lock()
	s := m.server
	m.server, m.process = nil, process{}
	m.cluster.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// Running reports whether mongod runs.
func (m *Mongod) Running() bool {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	return m.server != nil
}

// LoseDisk replaces the disk of a stopped mongod by a blank one.
func (m *Mongod) LoseDisk() { m.Restore(Disk{}) }

// Snapshot returns a copy of the disk.
func (m *Mongod) Snapshot() Disk {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	d := m.disk
	d.log = slices.Clone(d.log)
	return d
}

// Restore replaces the disk of a stopped mongod.
func (m *Mongod) Restore(d Disk) {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	if m.server != nil {
		panic("mongodtest: the disk of a mongod that runs is in use")
	}
	d.log = slices.Clone(d.log)
	m.disk, m.data = d, replay(d.log)
}

// State returns the member's state as replSetGetStatus names it; empty if it is stopped.
func (m *Mongod) State() string {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	return m.state()
}

// Config returns the configuration on the member's disk; nil if there is none. The caller does not change it.
func (m *Mongod) Config() *Config {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	return m.disk.config
}

// SetConfig changes the configuration on the member's disk, as only a hand on the volume could.
func (m *Mongod) SetConfig(config Config) {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	m.disk.config = &config
}

// User returns a user of this member.
func (m *Mongod) User(name string) (User, bool) {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	if u := m.data.users[name]; u != nil {
		return u.User, true
	}
	return User{}, false
}

// Users returns the names of this member's users, sorted.
func (m *Mongod) Users() []string {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	names := []string{}
	for name := range m.data.users {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// SetUser writes a user on a primary, as an operator would by hand; nil deletes it.
func (m *Mongod) SetUser(name string, u *User) error {
	m.cluster.mu.Lock()
	defer m.cluster.mu.Unlock()
	if !m.primary {
		return fmt.Errorf("mongodtest: %s is not primary", m.host)
	}
	var changed *user
	if u != nil {
		var err error
		if changed, err = newUser(name, u.Password, u.Roles); err != nil {
			return err
		}
	}
	if failed := m.write(operation{kind: opUser, name: name, user: changed}, patience); failed != nil {
		return fmt.Errorf("mongodtest: %s", failed.message)
	}
	return nil
}
