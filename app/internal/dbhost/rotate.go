package dbhost

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
)

// Rotate switches the API to another user with a new password and, with sessions, a new key for session tokens, which
// logs everyone out. The old user stays valid until Retire or the next Rotate, so API instances can switch when they
// read the object the next time. An unfinished rotation is completed, not repeated. Rotate and Retire work on the host of
// any member. They do not wait: if there is no primary, they return an error and change nothing.
func (h *Host) Rotate(ctx context.Context, sessions bool) error {
	s, unlock, err := h.begin(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// Check this before saving the rotation. Otherwise the primary would complete it later, and an operator who repeats the
	// command would start another one.
	admin, err := s.operator(ctx)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	_, err = h.updateSecrets(ctx, func(shared *secrets) bool {
		if shared.Pending != nil {
			return false
		}
		next := application{User: applicationUsers[0], Password: secret(32), JWTKey: shared.Application.JWTKey}
		if shared.Application.User == next.User {
			next.User = applicationUsers[1]
		}
		if sessions {
			next.JWTKey = standardSecret(32)
		}
		shared.Pending = &next
		return true
	})
	if err != nil {
		return err
	}
	return s.converge(ctx)
}

// operator connects to the primary for a command that does not wait: mongod's start needs the lock that it holds.
func (s *session) operator(ctx context.Context) (Conn, error) {
	admin, err := s.administrator(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w; start mongod here if it is down (systemctl start mongod), then repeat the command", err)
	}
	return admin, nil
}

// Retire drops the user that the last Rotate replaced. Run it when every API instance uses the new one.
func (h *Host) Retire(ctx context.Context) error {
	s, unlock, err := h.begin(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	admin, err := s.operator(ctx)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	shared, _, err := h.readSecrets(ctx)
	if err != nil {
		return err
	}
	if shared.Pending != nil {
		return fmt.Errorf("dbhost: a rotation to %q is not finished; run `cinema-db rotate` first", shared.Pending.User)
	}
	const userNotFound = 11
	for _, user := range applicationUsers {
		if user == shared.Application.User {
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

// Renew renews the server certificate if it expires soon, and makes the running mongod load it. If mongod is not ready,
// Renew returns an error without waiting; mongod loads the certificate at its next start.
func (h *Host) Renew(ctx context.Context) error {
	s, unlock, err := h.begin(ctx)
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
	admin, err := s.Dial(ctx, "", s.ca, s.login())
	if err != nil {
		return fmt.Errorf("%w; start mongod (systemctl start mongod), then repeat the command", err)
	}
	defer admin.Close(ctx)
	// This has no effect if mongod uses the certificate already. It always runs, as an earlier run may have been killed.
	if _, err := admin.Run(ctx, bson.D{{Key: "rotateCertificates", Value: 1}, {Key: "message", Value: contract.CinemaDB + " renew"}}); err != nil {
		return fmt.Errorf("dbhost: rotateCertificates: %w; a restart of mongod does the same", err)
	}
	return nil
}
