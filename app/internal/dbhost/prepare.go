package dbhost

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
)

// Prepare must run before each start of mongod. It creates the folders, agrees with the other hosts on the secrets, renews
// the server certificate if needed, and writes the files that mongod reads. A blank volume of an existing replica set is
// ready only once the member has no vote.
func (h *Host) Prepare(ctx context.Context) error {
	if err := h.Validate(); err != nil {
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
	s, err := h.agree(ctx)
	if err != nil {
		return err
	}
	if err := h.renew(s); err != nil {
		return err
	}
	if copied := s.copied(h.VolumeID); s.OwnKey != copied {
		s.OwnKey = copied
		if err := h.save(s); err != nil {
			return err
		}
	}
	if err := errors.Join(
		h.writeRunFiles(s),
		h.ensureFile(h.ConfigFile, []byte(h.Config()), 0o444, unchanged),
	); err != nil {
		return err
	}
	blank, err := h.blank()
	if err != nil || !blank || !s.Initiated {
		return err
	}
	return h.session(s).renounce(ctx)
}

// writeRunFiles updates the files on the volume that mongod reads to match the state. With the data of another volume,
// mongod gets a key file of its own: members that still run with newer data must neither reach it nor be reached until
// this member has left their replica set.
func (h *Host) writeRunFiles(s *state) error {
	key := s.KeyFile
	if s.OwnKey {
		key = standardSecret(756)
	}
	return errors.Join(
		h.ensureFile(h.caFile(), []byte(s.CA.Certificate), 0o444, unchanged),
		h.ensureFile(h.serverFile(), []byte(s.Server.Certificate+s.Server.Key), 0o400, h.Owner),
		h.ensureFile(h.keyFile(), []byte(key+"\n"), 0o400, h.Owner),
	)
}

// copied reports whether the volume was made from a snapshot of another one.
func (s *state) copied(volume string) bool { return s.Volume != "" && s.Volume != volume }

// renounce takes this member's vote, before mongod starts without data. With a vote, it could make a member primary that
// does not have all acknowledged writes. It needs the primary; without one it returns an error.
func (s *session) renounce(ctx context.Context) error {
	wanted, err := s.membersIfListed(ctx)
	if err != nil {
		return err
	}
	others := slices.Clone(s.state.Members)
	for _, m := range wanted.Members {
		others = append(others, m.Host)
	}
	others = slices.DeleteFunc(others, func(host string) bool { return host == s.Name })
	primary, err := s.findPrimary(ctx, slices.Compact(slices.Sorted(slices.Values(others))))
	if primary == "" || primary == s.Name {
		// The host reports the last line.
		return errors.Join(err, fmt.Errorf("dbhost: the volume is blank and the database exists: waiting for a primary to copy the data from; if all data is lost, restore a snapshot (docs/operations.md), or run `cinema-db recover` to start empty; if another member has the data but no majority, run that there: %w",
			errNoPrimary))
	}
	admin, err := s.Dial(ctx, primary, s.ca, s.login())
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	config, err := readConfig(ctx, admin)
	if err != nil {
		return err
	}
	if m := config.member(s.Name); m != nil {
		m.vote(false)
	}
	// Also without a change: only a primary that a majority follows can install it.
	if err := reconfigure(ctx, admin, config, false); err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "this member has no vote until it has copied the data", "primary", primary)
	return nil
}

var errNoPrimary = errors.New("no member knows a primary")

// Recover lets this member go on alone, after the data of so many members is lost for good that there can be no primary:
// with its data, or empty where its volume is blank. The others copy from it. It refuses while a member knows a primary,
// and on a blank volume if another member has data. Writes that only the lost members had are lost.
func (h *Host) Recover(ctx context.Context) error {
	s, unlock, err := h.begin(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	blank, err := h.blank()
	if err != nil {
		return err
	}
	wanted, err := h.members(ctx)
	if err != nil {
		return err
	}
	for _, m := range wanted.Members {
		host := m.Host
		if host == h.Name {
			host = ""
		}
		switch found, err := s.hello(ctx, host); {
		case err != nil:
		case found.Primary != "":
			return fmt.Errorf("dbhost: %s is primary: this member needs no recovery", hostName(found.Primary))
		case blank && found.SetName != "":
			return fmt.Errorf("dbhost: %s has data, and this member has none; recover that one", m.Host)
		}
	}
	if blank {
		_, err = h.updateSecrets(ctx, func(shared *secrets) bool {
			shared.Initiated, shared.Founder = false, h.Zone
			return true
		})
		return err
	}
	admin, err := s.Dial(ctx, "", s.ca, s.login())
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	return s.stayAlone(ctx, admin)
}

// restart stops mongod, which systemd starts again, with the files that Prepare writes.
func (s *session) restart(ctx context.Context, admin Conn) error {
	// mongod closes the connection instead of answering.
	_, err := admin.Run(ctx, bson.D{{Key: "shutdown", Value: 1}, {Key: "force", Value: true}})
	return fmt.Errorf("mongod starts again with the key file of %s: %w", contract.SecretsKey, errors.Join(errRestarting, err))
}

var errRestarting = errors.New("restarting")
