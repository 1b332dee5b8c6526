package dbhost

import (
	"context"
	"errors"
)

// Prepare must run before each start of mongod. It creates the folders, generates the secrets of a new database, renews
// the server certificate if needed, and writes the files that mongod reads.
func (h *Host) Prepare(ctx context.Context) error {
	if err := h.Validate(false); err != nil {
		return err
	}
	if err := errors.Join(
		ensureDir(h.stateDir(), 0o700, unchanged),
		ensureDir(h.dbPath(), 0o700, h.Owner),
		ensureDir(h.runDir(), 0o755, unchanged),
	); err != nil {
		return err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := errors.Join(removeTemporaries(h.stateDir()), removeTemporaries(h.runDir())); err != nil {
		return err
	}
	s, err := h.loadOrCreate()
	if err != nil {
		return err
	}
	if err := h.renew(s); err != nil {
		return err
	}
	return errors.Join(
		h.writeRunFiles(s),
		h.ensureFile(h.ConfigFile, []byte(h.Config()), 0o444, unchanged),
	)
}

// writeRunFiles updates the files on the volume that mongod reads to match the state.
func (h *Host) writeRunFiles(s *state) error {
	return errors.Join(
		h.ensureFile(h.caFile(), []byte(s.CA.Certificate), 0o444, unchanged),
		h.ensureFile(h.serverFile(), []byte(s.Server.Certificate+s.Server.Key), 0o400, h.Owner),
		h.ensureFile(h.keyFile(), []byte(s.KeyFile+"\n"), 0o400, h.Owner),
	)
}
