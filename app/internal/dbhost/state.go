package dbhost

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// adminUser is the administrator. Its password never leaves the host.
const adminUser = "cinema-admin"

// applicationUsers are the two names that rotations alternate between, so that a rotation never changes the password of
// the user that the API uses.
var applicationUsers = [2]string{"cinema-a", "cinema-b"}

// state is everything that must survive a restart. It is stored as JSON.
type state struct {
	// CA signs the server's certificates; clients trust it. Server is mongod's certificate.
	CA     keyPair `json:"ca"`
	Server keyPair `json:"server"`
	// KeyFile is the content of mongod's key file: 1008 characters of base64.
	KeyFile string `json:"keyFile"`
	// AdminPassword is adminUser's.
	AdminPassword string `json:"adminPassword"`
	// Application are the API's current credentials.
	Application application `json:"application"`
	// Pending are the API's next credentials while a rotation is unfinished.
	Pending *application `json:"pending,omitempty"`
}

type application struct {
	User     string `json:"user"`
	Password string `json:"password"`
	// JWTKey is 32 random bytes, base64.
	JWTKey string `json:"jwtKey"`
}

// secret returns n random bytes as URL-safe base64, which needs no escaping in a connection string.
func secret(n int) string {
	data := make([]byte, n)
	_, _ = rand.Read(data) // never fails
	return base64.RawURLEncoding.EncodeToString(data)
}

func standardSecret(n int) string {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return base64.StdEncoding.EncodeToString(data)
}

func newState(name string, now time.Time) (*state, error) {
	ca, err := newCA(now)
	if err != nil {
		return nil, err
	}
	server, err := newServerCertificate(ca, name, now)
	if err != nil {
		return nil, err
	}
	return &state{
		CA: ca, Server: server,
		KeyFile:       standardSecret(756), // mongod accepts 6 to 1024 characters; its manual also generates 756 bytes
		AdminPassword: secret(32),
		Application:   application{User: applicationUsers[0], Password: secret(32), JWTKey: standardSecret(32)},
	}, nil
}

// check reports all missing and invalid fields.
func (s *state) check() error {
	var problems []error
	need := func(field, value string) {
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is missing", field))
		}
	}
	need("keyFile", s.KeyFile)
	need("adminPassword", s.AdminPassword)
	applications := map[string]*application{"application": &s.Application}
	if s.Pending != nil {
		applications["pending"] = s.Pending
	}
	for _, field := range []string{"application", "pending"} {
		if a := applications[field]; a != nil {
			need(field+".user", a.User)
			need(field+".password", a.Password)
			need(field+".jwtKey", a.JWTKey)
		}
	}
	for _, pair := range []struct {
		field string
		keyPair
	}{{"ca", s.CA}, {"server", s.Server}} {
		if _, _, err := pair.parse(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", pair.field, err))
		}
	}
	return errors.Join(problems...)
}

// load reads the state. If there is none, the error wraps fs.ErrNotExist. A damaged state is an error and is never
// replaced: the database accepts only the secrets in it.
func (h *Host) load() (*state, error) {
	data, err := os.ReadFile(h.stateFile())
	if err != nil {
		return nil, fmt.Errorf("dbhost: %w", err)
	}
	var s state
	err = json.Unmarshal(data, &s)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return nil, fmt.Errorf("dbhost: %s: damaged: %w; restore it from a snapshot of the volume", h.stateFile(), err)
	}
	return &s, nil
}

// save writes the state durably.
func (h *Host) save(s *state) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("dbhost: encode state: %w", err)
	}
	return h.write(h.stateFile(), append(data, '\n'), 0o600, unchanged)
}

// loadOrCreate reads the state, or creates it if the database has no data yet.
func (h *Host) loadOrCreate() (*state, error) {
	s, err := h.load()
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	files, err := os.ReadDir(h.dbPath())
	if err != nil {
		return nil, fmt.Errorf("dbhost: %w", err)
	}
	if len(files) > 0 {
		return nil, fmt.Errorf("dbhost: %s holds a database but %s is missing: new secrets would lock everyone out; restore it from a snapshot of the volume", h.dbPath(), h.stateFile())
	}
	if s, err = newState(h.Name, h.Now()); err != nil {
		return nil, err
	}
	h.Log.Info("generated the secrets of a new database", "file", h.stateFile())
	return s, h.save(s)
}
