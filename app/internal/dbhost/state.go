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

// adminUser administers the database; its password never leaves the host.
const adminUser = "cinema-admin"

// The application's user alternates between two names, so that a rotation never changes a password in use.
var applicationUsers = [2]string{"cinema-a", "cinema-b"}

// state is all that the host must remember. The file is JSON.
type state struct {
	// CA signs the server's certificates; clients trust it. Server is what mongod presents. Both PEM.
	CA     keyPair `json:"ca"`
	Server keyPair `json:"server"`
	// KeyFile is the content of mongod's key file: 1008 characters of base64.
	KeyFile string `json:"keyFile"`
	// AdminPassword is adminUser's.
	AdminPassword string `json:"adminPassword"`
	// Application is what the API uses.
	Application application `json:"application"`
	// Pending is what the API will use when a rotation under way is finished.
	Pending *application `json:"pending,omitempty"`
}

type application struct {
	User     string `json:"user"`
	Password string `json:"password"`
	// JWTKey is 32 random bytes, base64.
	JWTKey string `json:"jwtKey"`
}

// secret gives n random bytes as URL-safe base64, which needs no escaping in a connection string.
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
		KeyFile:       standardSecret(756), // mongod takes 6 to 1024 characters; this is what its manual generates
		AdminPassword: secret(32),
		Application:   application{User: applicationUsers[0], Password: secret(32), JWTKey: standardSecret(32)},
	}, nil
}

// check reports what is missing in a state that was read.
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

// load reads the state; an error that wraps fs.ErrNotExist says that there is none. A damaged one is an error and is
// never replaced: the database answers to the secrets in it.
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

// save makes the state last.
func (h *Host) save(s *state) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("dbhost: encode state: %w", err)
	}
	return h.write(h.stateFile(), append(data, '\n'), 0o600, unchanged)
}

// loadOrCreate reads the state, or makes the first one for a database that has no data yet.
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
	h.Log.Info("made the secrets of a new database", "file", h.stateFile())
	return s, h.save(s)
}
