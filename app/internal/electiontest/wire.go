package electiontest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/wiremessage"
)

const (
	headerBytes = 16
	// maxMessage is the maximum length of a message (MongoDB manual, "hello", maxMessageSizeBytes).
	maxMessage = 48_000_000
)

// command is a message with a command's document.
type command struct {
	message  []byte
	id       int32
	opcode   wiremessage.OpCode
	document bson.Raw
	silent   bool // the client expects no answer
}

// errMessage means that a message is not one that the driver sends.
// opQuery is the kind of a driver's first message (MongoDB Wire Protocol, OP_QUERY).
const opQuery wiremessage.OpCode = 2004

var errMessage = errors.New("electiontest: malformed message")

func readMessage(r io.Reader) ([]byte, error) {
	m := make([]byte, headerBytes)
	if _, err := io.ReadFull(r, m); err != nil {
		return nil, err
	}
	length, _, _, _, _, _ := wiremessage.ReadHeader(m)
	if length < headerBytes || length > maxMessage {
		return nil, errMessage
	}
	m = append(m, make([]byte, length-headerBytes)...)
	_, err := io.ReadFull(r, m[headerBytes:])
	return m, err
}

// readCommand reads a command: as OP_MSG, or as OP_QUERY, in which the driver sends its first one.
func readCommand(r io.Reader) (command, error) {
	m, err := readMessage(r)
	if err != nil {
		return command{}, err
	}
	_, id, _, opcode, rest, _ := wiremessage.ReadHeader(m)
	c := command{message: m, id: id, opcode: opcode, silent: wiremessage.IsMsgMoreToCome(m)}
	var document bsoncore.Document
	var ok bool
	switch opcode {
	case wiremessage.OpMsg:
		document, ok = section(rest)
	case opQuery:
		// Flags, the collection's name with a zero at its end, two numbers, the command.
		if _, rest, ok = bytes.Cut(rest[min(4, len(rest)):], []byte{0}); ok && len(rest) > 8 {
			document, _, ok = bsoncore.ReadDocument(rest[8:])
		}
	default:
		return command{}, fmt.Errorf("electiontest: a message of kind %v", opcode)
	}
	if !ok {
		return command{}, errMessage
	}
	c.document = bson.Raw(document)
	return c, c.document.Validate()
}

// section returns the document of an OP_MSG's body. The driver sends it first or last.
func section(body []byte) (bsoncore.Document, bool) {
	_, body, ok := wiremessage.ReadMsgFlags(body)
	for ok && len(body) > 0 {
		var kind wiremessage.SectionType
		kind, body, ok = wiremessage.ReadMsgSectionType(body)
		if !ok || kind == wiremessage.SingleDocument {
			document, _, found := wiremessage.ReadMsgSectionSingleDocument(body)
			return document, ok && found
		}
		_, _, body, ok = wiremessage.ReadMsgSectionRawDocumentSequence(body)
	}
	return nil, false
}

// name is the command's: the document's first key.
func (c command) name() string {
	first, err := c.document.IndexErr(0)
	if err != nil {
		return ""
	}
	return first.Key()
}

// secondaryOk reports whether a read may be answered by a secondary.
func (c command) secondaryOk() bool {
	mode, ok := c.document.Lookup("$readPreference", "mode").StringValueOK()
	return ok && mode != "primary"
}

// retryable returns the session and the number of a retryable write.
func (c command) retryable() (session string, number int64, ok bool) {
	number, ok = c.document.Lookup("txnNumber").AsInt64OK()
	_, id, isID := c.document.Lookup("lsid", "id").BinaryOK()
	return string(id), number, ok && isID
}

// exchange sends the command to the database and returns its answer; nil for a command without one.
func (c command) exchange(database net.Conn) (bson.Raw, error) {
	if _, err := database.Write(c.message); err != nil || c.silent {
		return nil, err
	}
	m, err := readMessage(database)
	if err != nil {
		return nil, err
	}
	_, _, _, opcode, rest, _ := wiremessage.ReadHeader(m)
	document, ok := section(rest)
	if opcode != wiremessage.OpMsg || !ok {
		return nil, errMessage
	}
	return bson.Raw(document), nil
}

// reply returns the message that answers the command.
func (c command) reply(document bson.Raw) []byte {
	kind := wiremessage.OpMsg
	if c.opcode == opQuery {
		kind = wiremessage.OpReply
	}
	start, m := wiremessage.AppendHeaderStart(nil, wiremessage.NextRequestID(), c.id, kind)
	if kind == wiremessage.OpReply {
		m = wiremessage.AppendReplyFlags(m, 0)
		m = wiremessage.AppendReplyCursorID(m, 0)
		m = wiremessage.AppendReplyStartingFrom(m, 0)
		m = wiremessage.AppendReplyNumberReturned(m, 1)
	} else {
		m = wiremessage.AppendMsgFlags(m, 0)
		m = wiremessage.AppendMsgSectionType(m, wiremessage.SingleDocument)
	}
	return bsoncore.UpdateLength(append(m, document...), start, int32(len(m)+len(document)))
}
