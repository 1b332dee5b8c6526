// Package electiontest makes one FerretDB look like a MongoDB replica set of three members, for tests of what a client does
// through elections. It is a proxy of the wire protocol with an address for each member: it answers what the driver asks
// about the set, refuses what only a primary may do, and remembers the answers to retryable writes, which FerretDB does not.
//
// As all members have one database, no write is ever lost or rolled back, and every read is current.
package electiontest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// setName is the name of the replica set.
const setName = "cinema"

// Set is a running replica set. One goroutine at a time may call Elect and StepDown.
type Set struct {
	database string
	members  []*member
	stopped  chan struct{}
	work     sync.WaitGroup

	// writing is held for reading while a write runs, so that none runs on a member that is not primary any more.
	writing sync.RWMutex

	mu      sync.Mutex
	primary *member // nil without a primary
	term    int
	changed chan struct{} // closed when a member changes its state
	closed  bool
	fault   *fault
	// sessions are the last retryable write of each session, by the session's id.
	sessions map[string]retryable
	figures  Figures
}

// member is one address.
type member struct {
	set      *Set
	host     string
	listener net.Listener
	process  bson.ObjectID

	// Set.mu protects these.
	version int64 // of the member's state: the topology version's counter
	conns   map[net.Conn]bool
}

// retryable is a retryable write that was executed.
type retryable struct {
	number int64
	answer bson.Raw
}

// Figures are counts of what the set did.
type Figures struct {
	// Elections that had a result.
	Elections int
	// Refused are commands that a member refused because it was not primary.
	Refused int
	// Replayed are retried writes that had been executed already.
	Replayed int
	// Cut are connections that were cut.
	Cut int
}

// Moment is when a primary steps down.
type Moment int

const (
	// Idle is between two commands. The connections stay.
	Idle Moment = iota
	// Before is when a write has arrived and is not executed. All connections to the member are cut.
	Before
	// After is when a write is executed and not answered. All connections to the member are cut.
	After
	// Unconfirmed is when a write is executed, but it is not known whether the majority has it: its answer says so. The
	// connections stay.
	Unconfirmed
)

func (m Moment) String() string { return [...]string{"idle", "before", "after", "unconfirmed"}[m] }

// fault is a step-down that waits for a write.
type fault struct {
	moment Moment
	skip   int
	done   chan struct{}
}

// Start starts a set over the database at an address, host:port. Its first host is primary.
func Start(database string) (*Set, error) {
	s := &Set{database: database, stopped: make(chan struct{}), changed: make(chan struct{}), sessions: map[string]retryable{}}
	for range 3 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Stop()
			return nil, fmt.Errorf("electiontest: %w", err)
		}
		s.members = append(s.members, &member{
			set: s, host: listener.Addr().String(), listener: listener, process: bson.NewObjectID(), conns: map[net.Conn]bool{},
		})
	}
	s.Elect(s.members[0].host)
	for _, m := range s.members {
		s.work.Go(m.accept)
	}
	return s, nil
}

// Hosts are the members' addresses.
func (s *Set) Hosts() (hosts []string) {
	for _, m := range s.members {
		hosts = append(hosts, m.host)
	}
	return hosts
}

// URI returns the connection string with all members.
func (s *Set) URI() string {
	return "mongodb://" + strings.Join(s.Hosts(), ",") + "/cinema?replicaSet=" + setName
}

// Figures returns the counts up to now.
func (s *Set) Figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.figures
}

// Elect makes a member primary. Another primary steps down.
func (s *Set) Elect(host string) {
	at := slices.IndexFunc(s.members, func(m *member) bool { return m.host == host })
	if at < 0 {
		panic("electiontest: no member " + host)
	}
	s.become(s.members[at])
}

// StepDown makes the primary step down. Until Elect, the set has none. At another moment than Idle, it waits until skip
// writes have passed and another one arrives, or ctx ends. It closes armed, if not nil, once that write will not pass.
func (s *Set) StepDown(ctx context.Context, moment Moment, skip int, armed chan<- struct{}) error {
	if moment == Idle {
		s.become(nil)
		return nil
	}
	f := &fault{moment: moment, skip: skip, done: make(chan struct{})}
	s.mu.Lock()
	s.fault = f
	s.mu.Unlock()
	if armed != nil {
		close(armed)
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == f {
		s.fault = nil
		return ctx.Err()
	}
	return nil // just now; the write's goroutine finishes it
}

// Stop closes all connections and listeners, and waits until they are done.
func (s *Set) Stop() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stopped)
	}
	for _, m := range s.members {
		_ = m.listener.Close()
		for c := range m.conns {
			_ = c.Close()
		}
	}
	s.mu.Unlock()
	s.work.Wait()
}

// become makes next the primary, or none, after the running writes.
func (s *Set) become(next *member) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.primary == next {
		return
	}
	for _, m := range []*member{s.primary, next} {
		if m != nil {
			m.version++
		}
	}
	if next != nil {
		s.term++
		s.figures.Elections++
	}
	s.primary = next
	close(s.changed)
	s.changed = make(chan struct{})
}

// cut closes the connections to a member.
func (m *member) cut() {
	s := m.set
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range m.conns {
		_ = c.Close()
		s.figures.Cut++
	}
	clear(m.conns)
}

func (m *member) accept() {
	for {
		client, err := m.listener.Accept()
		if err != nil {
			return // only Stop closes the listener
		}
		m.set.work.Go(func() { m.serve(client) })
	}
}

// use adds a connection to those that cut closes. It reports whether the set still runs.
func (m *member) use(c net.Conn) bool {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	if !m.set.closed {
		m.conns[c] = true
	}
	return !m.set.closed
}

func (m *member) drop(c net.Conn) {
	_ = c.Close()
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	delete(m.conns, c)
}

// serve answers commands until the client closes its connection or it is cut. A connection has one command at a time.
func (m *member) serve(client net.Conn) {
	defer m.drop(client)
	if !m.use(client) {
		return
	}
	// Not in use: a command that the database executes is completed even if the client's connection is cut.
	database, err := net.Dial("tcp", m.set.database)
	if err != nil {
		return
	}
	defer database.Close()
	for {
		request, err := readCommand(client)
		if err != nil {
			return
		}
		answer, err := m.answer(database, request)
		if err != nil {
			return
		}
		if answer == nil {
			continue
		}
		if _, err := client.Write(request.reply(answer)); err != nil {
			return
		}
	}
}

// errCut means that the connections to the member were cut.
var errCut = errors.New("electiontest: cut")

// The server's errors (mongo/base/error_codes.yml).
const (
	notWritablePrimary      = 10107
	notPrimaryNoSecondaryOk = 13435
	interruptedByStepDown   = 11602
	transactionTooOld       = 225
)

// writes are the commands that only a primary executes, anyMember those that every member does.
var (
	writes    = []string{"insert", "update", "delete", "findAndModify", "create", "createIndexes", "drop", "dropIndexes", "dropDatabase"}
	anyMember = []string{"ping", "buildInfo", "endSessions", "killCursors", "getMore"}
)

// answer returns the answer to a command; nil if the client expects none.
func (m *member) answer(database net.Conn, c command) (bson.Raw, error) {
	switch name := c.name(); {
	case name == "hello" || strings.EqualFold(name, "isMaster"):
		return m.hello(c.document)
	case name == "replSetGetStatus":
		return m.status()
	case slices.Contains(writes, name):
		return m.write(database, c)
	case slices.Contains(anyMember, name) || c.secondaryOk() || m.isPrimary():
		return c.exchange(database)
	default:
		return m.refuse(c, notPrimaryNoSecondaryOk, "NotPrimaryNoSecondaryOk")
	}
}

func (m *member) isPrimary() bool {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	return m.set.primary == m
}

// takeFault returns the step-down that the next write causes, or nil.
func (m *member) takeFault() *fault {
	s := m.set
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fault
	if f == nil || s.primary != m {
		return nil
	}
	if f.skip > 0 {
		f.skip--
		return nil
	}
	s.fault = nil
	return f
}

func (m *member) write(database net.Conn, c command) (bson.Raw, error) {
	f := m.takeFault()
	if f == nil {
		return m.execute(database, c)
	}
	defer close(f.done)
	if f.moment == Before {
		m.set.become(nil)
		m.cut()
		return nil, errCut
	}
	answer, err := m.execute(database, c)
	m.set.become(nil)
	if err != nil {
		return nil, err
	}
	if f.moment == After {
		m.cut()
		return nil, errCut
	}
	return m.unconfirmed(answer, c)
}

// execute executes a write if the member is primary, and a retryable one only once.
func (m *member) execute(database net.Conn, c command) (bson.Raw, error) {
	s := m.set
	s.writing.RLock()
	defer s.writing.RUnlock()
	if !m.isPrimary() {
		return m.refuse(c, notWritablePrimary, "NotWritablePrimary")
	}
	session, number, ok := c.retryable()
	if !ok {
		return c.exchange(database)
	}
	s.mu.Lock()
	last := s.sessions[session]
	if last.number == number {
		s.figures.Replayed++
	}
	s.mu.Unlock()
	switch {
	case last.number == number:
		return last.answer, nil
	case last.number > number:
		return m.refuse(c, transactionTooOld, "TransactionTooOld")
	}
	answer, err := c.exchange(database)
	if err == nil && succeeded(answer) {
		s.mu.Lock()
		s.sessions[session] = retryable{number, answer}
		s.mu.Unlock()
	}
	return answer, err
}

// succeeded reports whether a write was executed. One that failed is executed again when it is retried.
func succeeded(answer bson.Raw) bool {
	ok, _ := answer.Lookup("ok").AsFloat64OK()
	_, err := answer.LookupErr("writeErrors")
	return ok == 1 && err != nil
}

// topologyVersion identifies the member's state. The driver compares it with that of the states that it knows.
func (m *member) topologyVersion() bson.E {
	return bson.E{Key: "topologyVersion", Value: bson.D{{Key: "processId", Value: m.process}, {Key: "counter", Value: m.version}}}
}

// labels tells the driver that it may retry a retryable write.
func labels(c command) bson.D {
	if _, _, ok := c.retryable(); !ok {
		return nil
	}
	return bson.D{{Key: "errorLabels", Value: bson.A{"RetryableWriteError"}}}
}

func (m *member) refuse(c command, code int, name string) (bson.Raw, error) {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	m.set.figures.Refused++
	return bson.Marshal(append(bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: code}, {Key: "codeName", Value: name}, {Key: "errmsg", Value: "not primary"},
		m.topologyVersion(),
	}, labels(c)...))
}

// unconfirmed adds to the answer of an executed write that it is not known whether the majority has it.
func (m *member) unconfirmed(answer bson.Raw, c command) (bson.Raw, error) {
	var d bson.D
	if err := bson.Unmarshal(answer, &d); err != nil {
		return nil, err
	}
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	d = append(d, bson.E{Key: "writeConcernError", Value: bson.D{
		{Key: "code", Value: interruptedByStepDown}, {Key: "codeName", Value: "InterruptedDueToReplStateChange"},
		{Key: "errmsg", Value: "operation was interrupted"},
	}}, m.topologyVersion())
	return bson.Marshal(append(d, labels(c)...))
}

// hello answers what the driver asks to learn the set's state. A driver that knows this member's state waits for a change.
func (m *member) hello(request bson.Raw) (bson.Raw, error) {
	s := m.set
	if known, ok := request.Lookup("topologyVersion", "counter").AsInt64OK(); ok {
		wait, _ := request.Lookup("maxAwaitTimeMS").AsInt64OK()
		timeout := time.NewTimer(time.Duration(wait) * time.Millisecond)
		defer timeout.Stop()
		for waiting := true; waiting; {
			s.mu.Lock()
			same, changed := m.version == known, s.changed
			s.mu.Unlock()
			if !same {
				break
			}
			select {
			case <-changed:
			case <-timeout.C:
				waiting = false
			case <-s.stopped:
				return nil, errCut
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	primary := s.primary == m
	d := bson.D{
		{Key: "isWritablePrimary", Value: primary}, {Key: "ismaster", Value: primary}, {Key: "secondary", Value: !primary},
		{Key: "helloOk", Value: true}, {Key: "setName", Value: setName}, {Key: "setVersion", Value: 1},
		{Key: "hosts", Value: s.Hosts()}, {Key: "me", Value: m.host}, m.topologyVersion(),
		{Key: "maxBsonObjectSize", Value: 16 << 20}, {Key: "maxMessageSizeBytes", Value: maxMessage}, {Key: "maxWriteBatchSize", Value: 100_000},
		{Key: "localTime", Value: time.Now()}, {Key: "logicalSessionTimeoutMinutes", Value: 30}, {Key: "readOnly", Value: false},
		// FerretDB's.
		{Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 21},
	}
	if s.primary != nil {
		d = append(d, bson.E{Key: "primary", Value: s.primary.host})
	}
	if primary {
		// The driver takes the primary with the greatest id for the present one.
		var id bson.ObjectID
		binary.BigEndian.PutUint32(id[:], 0x7fffffff)
		binary.BigEndian.PutUint64(id[4:], uint64(s.term))
		d = append(d, bson.E{Key: "electionId", Value: id})
	}
	return bson.Marshal(append(d, bson.E{Key: "ok", Value: 1.0}))
}

// status answers replSetGetStatus. No secondary is behind.
func (m *member) status() (bson.Raw, error) {
	s := m.set
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	members := bson.A{}
	for i, one := range s.members {
		state, number := "SECONDARY", 2
		if one == s.primary {
			state, number = "PRIMARY", 1
		}
		members = append(members, bson.D{
			{Key: "_id", Value: i}, {Key: "name", Value: one.host}, {Key: "health", Value: 1.0}, {Key: "state", Value: number},
			{Key: "stateStr", Value: state}, {Key: "optimeDate", Value: now}, {Key: "self", Value: one == m},
		})
	}
	return bson.Marshal(bson.D{{Key: "set", Value: setName}, {Key: "members", Value: members}, {Key: "ok", Value: 1.0}})
}
