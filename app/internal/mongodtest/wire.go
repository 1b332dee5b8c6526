package mongodtest

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// server is one run of mongod's process as clients see it: the listener and its connections.
type server struct {
	mongod      *Mongod
	listener    net.Listener
	connections sync.WaitGroup

	mu          sync.Mutex
	certificate tls.Certificate
	open        map[net.Conn]bool // nil once it is closed
}

func listen(m *Mongod) (*server, error) {
	s := &server{mongod: m, open: map[net.Conn]bool{}}
	if err := s.loadCertificate(); err != nil {
		return nil, err
	}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.connections.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			closed := s.open == nil
			if !closed {
				s.open[c] = true
			}
			s.mu.Unlock()
			if closed {
				c.Close()
				return
			}
			s.connections.Go(func() { s.serve(c) })
		}
	})
	return s, nil
}

// close closes all connections and waits for them. The caller does not hold the cluster's lock, as they may need it.
func (s *server) close() {
	s.listener.Close()
	s.mu.Lock()
	for c := range s.open {
		c.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.connections.Wait()
}

func (s *server) loadCertificate() error {
	data, err := os.ReadFile(s.mongod.certificateFile)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.certificate = pair
	return nil
}

// valid reports whether the other members accept the certificate that the member presents under its name.
func (s *server) valid() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.certificate.Leaf != nil && s.certificate.Leaf.VerifyHostname(s.mongod.host) == nil
}

// peer is one connection's state.
type peer struct {
	user         string
	conversation *scram.ServerConversation
}

func (s *server) serve(c net.Conn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	secure := tls.Server(c, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		certificate := s.certificate
		return &certificate, nil
	}})
	for p := new(peer); s.answer(secure, p) == nil; {
	}
}

// answer reads one message and writes its reply. It supports only what the driver sends: OP_MSG with one body, and
// OP_QUERY for the first hello.
func (s *server) answer(c net.Conn, p *peer) error {
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
		end := bytes.IndexByte(body[4:], 0)
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
	if len(command) == 0 {
		return errors.New("no command")
	}
	reply, err := s.run(p, command)
	if err != nil {
		return err
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

// run runs a command. An error closes the connection.
func (s *server) run(p *peer, command bson.D) (bson.D, error) {
	cluster := s.mongod.cluster
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if s.mongod.server != s {
		return nil, errors.New("mongod has stopped")
	}
	reply, failed := s.mongod.run(p, command)
	if failed == nil {
		return append(reply, bson.E{Key: "ok", Value: 1.0}), nil
	}
	return append(bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: failed.code}, {Key: "codeName", Value: failed.name}, {Key: "errmsg", Value: failed.message}}, reply...), nil
}

// authenticate runs a step of SCRAM-SHA-256 with the users that this member has.
func (m *Mongod) authenticate(p *peer, name string, command bson.D) (bson.D, *failure) {
	if name == "saslStart" {
		if text(command, "mechanism") != "SCRAM-SHA-256" {
			return nil, failAuthentication
		}
		server, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
			if found := m.data.users[name]; found != nil {
				return found.credentials, nil
			}
			return scram.StoredCredentials{}, errors.New("no such user")
		})
		if err != nil {
			return nil, failAuthentication
		}
		p.user, p.conversation = "", server.NewConversation()
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

// number reads a number of any BSON type.
func number(d bson.D, key string) (float64, bool) {
	switch n := field(d, key).(type) {
	case int32:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// truth reads a flag as mongod does: a number other than 0 is true.
func truth(d bson.D, key string) bool {
	if n, ok := number(d, key); ok {
		return n != 0
	}
	value, _ := field(d, key).(bool)
	return value
}
