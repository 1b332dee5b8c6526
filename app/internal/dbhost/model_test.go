package dbhost

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/internal/testutil/must"
)

// model simulates the parts of mongod that this package uses: a server of MongoDB's wire protocol over TLS, with
// mongod's rules for authorization, the localhost exception, a replica set with one member, and SCRAM-SHA-256. It reads
// the certificate and key from the same file as mongod. The real driver connects to it.
//
// Sources: the manual's pages "Localhost Exception in Self-Managed Deployments", "replSetInitiate", "createUser",
// "rotateCertificates" and "MongoDB Wire Protocol".
type model struct {
	certificateFile string
	listener        net.Listener
	connections     sync.WaitGroup

	mu          sync.Mutex
	certificate tls.Certificate
	users       map[string]*modelUser
	members     bson.Raw // the replica set's configuration; nil before it is initiated
	setName     string
	// settling is how many calls of settle it takes until an election or a start is over.
	settling int
	starting bool
	open     map[net.Conn]bool
}

type modelUser struct {
	credentials scram.StoredCredentials
	password    string
	roles       []role
}

// startModel starts a model on loopback. Its users and replica set survive stop and start.
func startModel(t *testing.T, certificateFile string) *model {
	t.Helper()
	m := &model{certificateFile: certificateFile, users: map[string]*modelUser{}, open: map[net.Conn]bool{}}
	m.start(t)
	t.Cleanup(m.stop)
	return m
}

func (m *model) start(t *testing.T) {
	t.Helper()
	require.NoError(t, m.loadCertificate())
	listener := must.OK(net.Listen("tcp", "127.0.0.1:0"))(t)
	m.listener = listener
	m.starting, m.settling = true, 2
	m.connections.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.open[c] = true
			m.mu.Unlock()
			m.connections.Go(func() { m.serve(c) })
		}
	})
}

func (m *model) stop() {
	m.listener.Close()
	m.mu.Lock()
	for c := range m.open {
		c.Close()
	}
	m.mu.Unlock()
	m.connections.Wait()
}

func (m *model) loadCertificate() error {
	data, err := os.ReadFile(m.certificateFile)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.certificate = pair
	return nil
}

// peer is one connection's state.
type peer struct {
	user         string
	conversation *scram.ServerConversation
}

func (m *model) serve(c net.Conn) {
	defer func() {
		c.Close()
		m.mu.Lock()
		delete(m.open, c)
		m.mu.Unlock()
	}()
	secure := tls.Server(c, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		certificate := m.certificate
		return &certificate, nil
	}})
	for p := new(peer); m.answer(secure, p) == nil; {
	}
}

// answer reads one message and writes its reply. It supports only what the driver sends: OP_MSG with one body, and
// OP_QUERY for the first hello.
func (m *model) answer(c net.Conn, p *peer) error {
	const opReply, opQuery, opMsg = 1, 2004, 2013
	header := make([]byte, 16)
	if _, err := io.ReadFull(c, header); err != nil {
		return err
	}
	length, id, code := binary.LittleEndian.Uint32(header), header[4:8], binary.LittleEndian.Uint32(header[12:])
	if length < 16 || length > 1<<20 {
		return errors.New("bad length")
	}
	body := make([]byte, length-16)
	if _, err := io.ReadFull(c, body); err != nil {
		return err
	}
	prefix, replyCode := make([]byte, 5), uint32(opMsg)
	switch code {
	case opMsg:
		if len(body) < 5 || body[4] != 0 {
			return errors.New("not a body section")
		}
		body = body[5:]
	case opQuery:
		end := slices.Index(body[4:], 0)
		if end < 0 || len(body) < 4+end+1+8 {
			return errors.New("bad query")
		}
		body = body[4+end+1+8:]
		prefix, replyCode = make([]byte, 20), opReply
		prefix[16] = 1 // one document
	default:
		return fmt.Errorf("opcode %d", code)
	}
	var command bson.D
	if err := bson.Unmarshal(body, &command); err != nil {
		return err
	}
	reply, failure := m.run(p, command)
	if failure != nil {
		reply = bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: failure.code}, {Key: "codeName", Value: failure.name}, {Key: "errmsg", Value: failure.name}}
	} else {
		reply = append(reply, bson.E{Key: "ok", Value: 1.0})
	}
	document, err := bson.Marshal(reply)
	if err != nil {
		return err
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(16+len(prefix)+len(document)))
	out = append(append(out, 1, 0, 0, 0), id...)
	out = binary.LittleEndian.AppendUint32(out, replyCode)
	_, err = c.Write(append(append(out, prefix...), document...))
	return err
}

type failure struct {
	code int32
	name string
}

var (
	failUnauthorized   = &failure{13, "Unauthorized"}
	failAuthentication = &failure{18, "AuthenticationFailed"}
	failNotPrimary     = &failure{10107, "NotWritablePrimary"}
	failInitialized    = &failure{23, "AlreadyInitialized"}
	failBadValue       = &failure{2, "BadValue"}
	failUserNotFound   = &failure{11, "UserNotFound"}
	failUserExists     = &failure{51003, "Location51003"}
	failUnknown        = &failure{59, "CommandNotFound"}
)

func field(d bson.D, key string) any {
	for _, e := range d {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}

func text(d bson.D, key string) string {
	value, _ := field(d, key).(string)
	return value
}

func (m *model) run(p *peer, command bson.D) (bson.D, *failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := command[0].Key
	// All connections of these tests come from loopback, so the localhost exception applies to all of them.
	exception := len(m.users) == 0
	admin := p.user != "" && m.users[p.user] != nil && slices.Contains(m.users[p.user].roles, role{"root", "admin"})
	switch name {
	case "hello", "isMaster", "ismaster":
		return m.hello(), nil
	case "ping", "endSessions":
		return nil, nil
	case "saslStart", "saslContinue":
		return m.authenticate(p, name, command)
	}
	exempt := exception && (name == "replSetInitiate" || name == "createUser")
	if !admin && !exempt {
		return nil, failUnauthorized
	}
	switch name {
	case "replSetInitiate":
		return m.initiate(command)
	case "createUser":
		return m.putUser(command, true)
	case "updateUser":
		return m.putUser(command, false)
	case "dropUser":
		if m.users[text(command, name)] == nil {
			return nil, failUserNotFound
		}
		delete(m.users, text(command, name))
		return nil, nil
	case "usersInfo":
		users := bson.A{}
		if user := m.users[text(field(command, name).(bson.D), "user")]; user != nil {
			users = append(users, bson.D{{Key: "user", Value: "x"}, {Key: "roles", Value: user.roles}})
		}
		return bson.D{{Key: "users", Value: users}}, nil
	case "rotateCertificates":
		m.mu.Unlock()
		err := m.loadCertificate()
		m.mu.Lock()
		if err != nil {
			return nil, failBadValue
		}
		return nil, nil
	default:
		return nil, failUnknown
	}
}

func (m *model) primary() bool { return m.members != nil && m.settling == 0 }

func (m *model) hello() bson.D {
	out := bson.D{
		{Key: "helloOk", Value: true}, {Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(48_000_000)},
		{Key: "maxWriteBatchSize", Value: int32(100_000)}, {Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: int32(25)},
		{Key: "readOnly", Value: false}, {Key: "isWritablePrimary", Value: m.primary()}, {Key: "ismaster", Value: m.primary()}, {Key: "secondary", Value: false},
	}
	// Just after its start, mongod has not loaded its configuration and reports that it has none.
	if m.members == nil || m.starting {
		return append(out, bson.E{Key: "isreplicaset", Value: true}, bson.E{Key: "info", Value: "Does not have a valid replica set config"})
	}
	return append(out, bson.E{Key: "setName", Value: m.setName}, bson.E{Key: "hosts", Value: bson.A{"mongo.cinema.internal:27017"}})
}

// settle simulates the passing of time during an election or a start.
func (m *model) settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.settling > 0 {
		m.settling--
	}
	if m.settling == 0 {
		m.starting = false
	}
}

func (m *model) initiate(command bson.D) (bson.D, *failure) {
	if m.members != nil {
		return nil, failInitialized
	}
	config, _ := field(command, "replSetInitiate").(bson.D)
	raw, err := bson.Marshal(config)
	if err != nil || text(config, "_id") == "" {
		return nil, failBadValue
	}
	m.members, m.setName, m.settling, m.starting = raw, text(config, "_id"), 2, false
	return nil, nil
}

func (m *model) putUser(command bson.D, create bool) (bson.D, *failure) {
	name := text(command, command[0].Key)
	concern, _ := field(command, "writeConcern").(bson.D)
	raw, err := bson.Marshal(command)
	var fields struct {
		Roles []role `bson:"roles"`
	}
	switch {
	case !m.primary():
		return nil, failNotPrimary
	case create && m.users[name] != nil:
		return nil, failUserExists
	case !create && m.users[name] == nil:
		return nil, failUserNotFound
	case text(concern, "w") != "majority", field(concern, "j") != true:
		return nil, failBadValue
	case err != nil || bson.Unmarshal(raw, &fields) != nil:
		return nil, failBadValue
	}
	password := text(command, "pwd")
	client, err := scram.SHA256.NewClient(name, password, "")
	if err != nil {
		return nil, failBadValue
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of " + name, Iters: 4096})
	if err != nil {
		return nil, failBadValue
	}
	m.users[name] = &modelUser{credentials: stored, password: password, roles: fields.Roles}
	return nil, nil
}

func (m *model) authenticate(p *peer, name string, command bson.D) (bson.D, *failure) {
	if name == "saslStart" {
		if text(command, "mechanism") != "SCRAM-SHA-256" {
			return nil, failAuthentication
		}
		server, err := scram.SHA256.NewServer(func(user string) (scram.StoredCredentials, error) {
			if found := m.users[user]; found != nil {
				return found.credentials, nil
			}
			return scram.StoredCredentials{}, errors.New("no such user")
		})
		if err != nil {
			return nil, failAuthentication
		}
		p.conversation = server.NewConversation()
	}
	if p.conversation == nil {
		return nil, failAuthentication
	}
	payload, _ := field(command, "payload").(bson.Binary)
	var reply string
	if !p.conversation.Done() {
		var err error
		if reply, err = p.conversation.Step(string(payload.Data)); err != nil {
			return nil, failAuthentication
		}
	}
	if p.conversation.Valid() {
		p.user = p.conversation.Username()
	}
	return bson.D{
		{Key: "conversationId", Value: int32(1)}, {Key: "done", Value: p.conversation.Done()},
		{Key: "payload", Value: bson.Binary{Data: []byte(reply)}},
	}, nil
}

// TestModel checks that the model enforces mongod's rules, on which the other tests rely.
func TestModel(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.host.Prepare(t.Context()))
	m := f.startMongod(t)
	s, unlock, err := f.host.begin(t.Context(), false)
	require.NoError(t, err)
	defer unlock()
	ctx := context.Background()
	dial := func(login *Login) Conn {
		c := must.OK(f.host.Dial(ctx, s.ca, login))(t)
		t.Cleanup(func() { _ = c.Close(ctx) })
		return c
	}
	unauthenticated := dial(nil)
	create := func(c Conn, name, roleName string) error {
		_, err := c.Run(ctx, bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: "p"}, {Key: "roles", Value: []role{{roleName, "admin"}}}, durable})
		return err
	}
	initiate := func() error {
		_, err := unauthenticated.Run(ctx, bson.D{{Key: "replSetInitiate", Value: bson.D{{Key: "_id", Value: "rs0"}, {Key: "members", Value: bson.A{}}}}})
		return err
	}
	assert.True(t, hasCode(create(unauthenticated, "root", "root"), failNotPrimary.code), "no users before the replica set is initiated")
	require.NoError(t, initiate())
	assert.True(t, hasCode(initiate(), codeAlreadyInitialized))
	assert.True(t, hasCode(create(unauthenticated, "root", "root"), failNotPrimary.code), "nor before the election is over")
	m.settle()
	m.settle()
	require.NoError(t, create(unauthenticated, "root", "root"))
	assert.True(t, hasCode(create(unauthenticated, "second", "root"), codeUnauthorized), "the exception ends with the first user")
	assert.True(t, hasCode(initiate(), codeUnauthorized))
	for _, wrong := range []Login{{"root", "wrong"}, {"nobody", "p"}} {
		_, err = f.host.Dial(ctx, s.ca, &wrong)
		require.ErrorIs(t, err, ErrPassword)
	}
	require.NoError(t, create(dial(&Login{"root", "p"}), "reader", "read"))
	_, err = dial(&Login{"reader", "p"}).Run(ctx, bson.D{{Key: "dropUser", Value: "root"}, durable})
	assert.True(t, hasCode(err, codeUnauthorized))
}
