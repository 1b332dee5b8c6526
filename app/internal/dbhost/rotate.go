package dbhost

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Rotate gives the API another user with another password and, with sessions, another key for session tokens,
// which logs everyone out. The old user goes on working until Retire or the next Rotate, so API instances move over
// when they read the object again. A rotation that was broken off is finished, not started again. A mongod that is not
// ready is an error at once, before anything is changed; that is so for Retire too.
func (h *Host) Rotate(ctx context.Context, sessions bool) error {
	s, unlock, err := h.begin(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	// First: a rotation that is only noted would be finished by Init when mongod starts, and one more begun by who runs
	// this again.
	if err := s.ready(ctx); err != nil {
		return err
	}
	if s.state.Pending == nil {
		next := application{User: applicationUsers[0], Password: secret(32), JWTKey: s.state.Application.JWTKey}
		if s.state.Application.User == next.User {
			next.User = applicationUsers[1]
		}
		if sessions {
			next.JWTKey = standardSecret(32)
		}
		s.state.Pending = &next
		if err := s.save(s.state); err != nil {
			return err
		}
	}
	return s.converge(ctx)
}

// Retire drops the user that the last Rotate replaced. Run it when every API instance has moved over.
func (h *Host) Retire(ctx context.Context) error {
	s, unlock, err := h.begin(ctx, false)
	if err != nil {
		return err
	}
	defer unlock()
	if s.state.Pending != nil {
		return fmt.Errorf("dbhost: a rotation to %q is not finished; run `cinema-db rotate` first", s.state.Pending.User)
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	admin, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	const userNotFound = 11
	for _, user := range applicationUsers {
		if user == s.state.Application.User {
			continue
		}
		if _, err := admin.Run(ctx, bson.D{{Key: "dropUser", Value: user}, durable}); hasCode(err, userNotFound) {
			continue
		} else if err != nil {
			return fmt.Errorf("dbhost: dropUser %q: %w", user, err)
		}
		s.Log.InfoContext(ctx, "dropUser", "user", user)
	}
	return nil
}

// Renew renews the server certificate of a running mongod where it ends soon, and has mongod present it. A mongod that
// is not ready is an error at once; it presents the certificate from its next start on.
func (h *Host) Renew(ctx context.Context) error {
	s, unlock, err := h.begin(ctx, false)
	if err != nil {
		return err
	}
	defer unlock()
	if err := h.renew(s.state); err != nil {
		return err
	}
	if err := h.writeRunFiles(s.state); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	admin, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	// Harmless where mongod presents this certificate already; and so a run that was killed before is made good.
	if _, err := admin.Run(ctx, bson.D{{Key: "rotateCertificates", Value: 1}, {Key: "message", Value: "cinema-db renew"}}); err != nil {
		return fmt.Errorf("dbhost: rotateCertificates: %w; a restart of mongod does the same", err)
	}
	return nil
}
