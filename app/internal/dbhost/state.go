package dbhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"cinema-database/app/contract"
)

// state is everything on the volume that must survive a restart. It is stored as JSON.
type state struct {
	// secrets are a copy of the cluster's, for starts without S3.
	secrets
	// Server is this member's certificate.
	Server keyPair `json:"server"`
	// Volume is the id of the volume that the database was made on or last used on. On a volume that was made from a
	// snapshot it is that of another one. It is empty in states of releases that knew one member only.
	Volume string `json:"volume,omitempty"`
	// Snapshot is the snapshot that this volume was restored from.
	Snapshot string `json:"snapshot,omitempty"`
	// OwnKey is true while mongod runs with a key file of its own, so that no other member reaches it.
	OwnKey bool `json:"ownKey,omitempty"`
}

// check reports all missing and invalid fields.
func (s *state) check() error {
	problems := s.secrets.check()
	if _, _, err := s.Server.parse(); err != nil {
		problems = errors.Join(problems, fmt.Errorf("server: %w", err))
	}
	return problems
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

// blank reports whether mongod has never run on the volume.
func (h *Host) blank() (bool, error) {
	files, err := os.ReadDir(h.dbPath())
	if err != nil {
		return false, fmt.Errorf("dbhost: %w", err)
	}
	return len(files) == 0, nil
}

// agree returns the volume's state with the cluster's secrets. Where there is no secrets object, a volume that has the
// secrets puts them there, and a blank one makes them, if no database exists. A conditional write decides between hosts.
func (h *Host) agree(ctx context.Context) (*state, error) {
	own, err := h.load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	blank, err := h.blank()
	if err != nil {
		return nil, err
	}
	if own == nil && !blank {
		return nil, fmt.Errorf("dbhost: %s holds a database but %s is missing: other secrets would lock everyone out; restore it from a snapshot of the volume", h.dbPath(), h.stateFile())
	}
	for {
		shared, _, err := h.readSecrets(ctx)
		switch {
		case err == nil && own != nil && own.CA.Certificate != shared.CA.Certificate:
			return nil, fmt.Errorf("dbhost: %s belongs to another cluster than s3://%s/%s; to run this volume's database here, delete that object and make the volumes of the other members blank",
				h.stateFile(), h.Bucket, contract.SecretsKey)
		case err == nil && own != nil:
			return h.adopt(own, shared)
		case err == nil:
			own, err := h.joined(shared)
			if err != nil {
				return nil, err
			}
			h.Log.InfoContext(ctx, "took the cluster's secrets", "file", h.stateFile())
			return own, h.save(own)
		case !errors.Is(err, errMissing) && own != nil:
			h.Log.WarnContext(ctx, "the volume's copy of the secrets is used", "error", err)
			return own, nil
		case !errors.Is(err, errMissing):
			return nil, err
		}
		offer, err := h.offer(ctx, own)
		if err != nil {
			return nil, err
		}
		if err := h.createSecrets(ctx, offer); err != nil && !errors.Is(err, errConflict) {
			return nil, err
		}
	}
}

// offer returns the secrets that this host would put into the missing object.
func (h *Host) offer(ctx context.Context, own *state) (*secrets, error) {
	exists, err := h.databaseExists(ctx)
	if err != nil {
		return nil, err
	}
	if own != nil {
		h.Log.InfoContext(ctx, "put the volume's secrets into the object", "key", contract.SecretsKey)
		offer := own.secrets
		// The copy may be from before the replica set was initiated. Only then is this member the one to do it.
		if offer.Initiated = offer.Initiated || exists; !offer.Initiated || offer.Founder == "" {
			offer.Founder = h.Zone
		}
		return &offer, nil
	}
	if exists {
		return nil, fmt.Errorf("dbhost: s3://%s/%s is missing, though a database exists: waiting for a member that has data to put it back; without one, restore an older version of the object",
			h.Bucket, contract.SecretsKey)
	}
	wanted, err := h.membersIfListed(ctx)
	if err != nil {
		return nil, err
	}
	if wanted.Seed != "" && wanted.Seed != h.Zone {
		return nil, fmt.Errorf("dbhost: waiting for the member in %s, whose volume is restored, to publish the secrets", wanted.Seed)
	}
	h.Log.InfoContext(ctx, "made the secrets of a new cluster")
	return newSecrets(h.Now())
}

// sharedSecrets reads the secrets object, and puts the volume's copy back if it is missing.
func (s *session) sharedSecrets(ctx context.Context) (*secrets, error) {
	shared, _, err := s.readSecrets(ctx)
	if !errors.Is(err, errMissing) {
		return shared, err
	}
	offer, err := s.offer(ctx, s.state)
	if err != nil {
		return nil, err
	}
	if err := s.createSecrets(ctx, offer); err != nil && !errors.Is(err, errConflict) {
		return nil, err
	}
	shared, _, err = s.readSecrets(ctx)
	return shared, err
}

// adopt updates the volume's copy of the secrets.
func (h *Host) adopt(own *state, shared *secrets) (*state, error) {
	before, err := json.Marshal(own.secrets)
	if err != nil {
		return nil, fmt.Errorf("dbhost: encode state: %w", err)
	}
	after, err := json.Marshal(shared)
	if err != nil {
		return nil, fmt.Errorf("dbhost: encode state: %w", err)
	}
	own.secrets = *shared
	if string(before) == string(after) {
		return own, nil
	}
	return own, h.save(own)
}

// joined returns the state of a blank volume.
func (h *Host) joined(shared *secrets) (*state, error) {
	server, err := newServerCertificate(shared.CA, h.Name, h.Now())
	if err != nil {
		return nil, err
	}
	return &state{secrets: *shared, Server: server, Volume: h.VolumeID}, nil
}
