package dev

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// serializer is a proxy of the MongoDB wire protocol that sends one write at a time to the database. FerretDB on SQLite
// reads a document, changes it and writes it back without a transaction, so concurrent updates of a document would
// overwrite each other. MongoDB does not lose them, and the API relies on that.
type serializer struct {
	backend  string // host:port
	listener net.Listener
	write    sync.Mutex

	mu      sync.Mutex
	closed  bool
	current map[net.Conn]bool
	work    sync.WaitGroup
}

// writes are the commands that change documents or indexes (MongoDB manual, "Database commands").
var writes = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true, "findandmodify": true, "bulkWrite": true,
	"create": true, "createIndexes": true, "drop": true, "dropIndexes": true, "dropDatabase": true, "renameCollection": true, "collMod": true,
}

func newSerializer(listener net.Listener, backend string) *serializer {
	s := &serializer{backend: backend, listener: listener, current: map[net.Conn]bool{}}
	s.work.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // only close closes the listener
			}
			s.work.Go(func() { s.serve(client) })
		}
	})
	return s
}

// close closes all connections, and waits until they are done.
func (s *serializer) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.current {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
}

// use adds a connection to those that close closes. It reports whether the proxy is still open.
func (s *serializer) use(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.current[c] = true
	}
	return !s.closed
}

func (s *serializer) drop(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.current, c)
}

// serve passes requests and answers on until one side closes its connection. A connection has one request at a time.
func (s *serializer) serve(client net.Conn) {
	defer s.drop(client)
	if !s.use(client) {
		return
	}
	database, err := net.Dial("tcp", s.backend)
	if err != nil {
		return
	}
	defer s.drop(database)
	if !s.use(database) {
		return
	}
	for {
		request, err := readMessage(client)
		if err != nil {
			return
		}
		answer, err := s.exchange(database, request)
		if err != nil {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

// exchange sends a request and returns its answer; empty for a request without one. A write keeps the others out until it is
// answered, even if the client is gone by then.
func (s *serializer) exchange(database net.Conn, request message) ([]byte, error) {
	if writes[request.command()] {
		s.write.Lock()
		defer s.write.Unlock()
	}
	if _, err := database.Write(request); err != nil {
		return nil, err
	}
	if request.moreToCome() {
		return nil, nil
	}
	return readMessage(database)
}

// message is a message of the wire protocol: four numbers of four bytes, little-endian (length, id, id of the request, kind),
// then the body (MongoDB manual, "MongoDB Wire Protocol").
type message []byte

const (
	headerBytes = 16
	// maxMessage is the maximum length of a message (MongoDB manual, "hello", maxMessageSizeBytes).
	maxMessage = 48_000_000
	// opMsg is the kind of all messages but the first of a connection. Its body has four bytes of flags, the byte 0, and
	// the command's document.
	opMsg = 2013
)

func readMessage(r io.Reader) (message, error) {
	m := make(message, headerBytes)
	if _, err := io.ReadFull(r, m); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(m)
	if length < headerBytes || length > maxMessage {
		return nil, fmt.Errorf("dev: database: a message of %d bytes", length)
	}
	m = append(m, make([]byte, length-headerBytes)...)
	_, err := io.ReadFull(r, m[headerBytes:])
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return m, err
}

func (m message) isMsg() bool {
	return len(m) > headerBytes+5 && binary.LittleEndian.Uint32(m[12:]) == opMsg
}

// moreToCome reports whether no answer will follow.
func (m message) moreToCome() bool {
	return m.isMsg() && binary.LittleEndian.Uint32(m[headerBytes:])&2 != 0
}

// command returns the name of the command: its document's first key. It is empty for other messages.
func (m message) command() string {
	if !m.isMsg() || m[headerBytes+4] != 0 {
		return ""
	}
	first, err := bson.Raw(m[headerBytes+5:]).IndexErr(0)
	if err != nil {
		return ""
	}
	return first.Key()
}
