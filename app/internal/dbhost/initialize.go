package dbhost

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// pause is the time between two looks at a mongod that is not ready, or at a lock that another command holds.
const pause = time.Second

// session is one run of a command against mongod.
type session struct {
	*Host
	state *state
	ca    *x509.CertPool
}

// begin locks the volume and reads the state that Prepare made.
func (h *Host) begin(ctx context.Context, publishes bool) (*session, func(), error) {
	if err := h.Validate(publishes); err != nil {
		return nil, nil, err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := h.load()
	if err != nil {
		unlock()
		return nil, nil, fmt.Errorf("%w; has `cinema-db prepare` run?", err)
	}
	ca := x509.NewCertPool()
	ca.AppendCertsFromPEM([]byte(s.CA.Certificate))
	return &session{Host: h, state: s, ca: ca}, unlock, nil
}

// Init brings a mongod that runs on what Prepare made to its final state, whatever state it is in, and publishes
// the credentials object. A rotation that was broken off is finished. It waits for mongod until ctx ends.
func (h *Host) Init(ctx context.Context) error {
	s, unlock, err := h.begin(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.initiate(ctx); err != nil {
		return err
	}
	return s.converge(ctx)
}

// converge brings the users and the credentials object of a ready mongod in line with the state.
func (s *session) converge(ctx context.Context) error {
	admin, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if err := s.ensureUser(ctx, admin, s.state.Application); err != nil {
		return err
	}
	if s.state.Pending == nil {
		return s.publish(ctx, s.state.Application)
	}
	// The new user works before the API hears of it, and the old one goes on working after.
	if err := s.ensureUser(ctx, admin, *s.state.Pending); err != nil {
		return err
	}
	if err := s.publish(ctx, *s.state.Pending); err != nil {
		return err
	}
	s.state.Application, s.state.Pending = *s.state.Pending, nil
	return s.save(s.state)
}

// initiate waits for mongod, makes it a replica set of one, and waits until it takes writes.
func (s *session) initiate(ctx context.Context) error {
	var last error
	for {
		ready, err := s.initiateOnce(ctx)
		if ready {
			return nil
		}
		if fatal := new(fatalError); errors.As(err, &fatal) {
			return fatal.error
		}
		if err != nil && (last == nil || last.Error() != err.Error()) {
			s.Log.InfoContext(ctx, "waiting for mongod", "error", err)
			last = err
		}
		if err := s.Wait(ctx, pause); err != nil {
			return fmt.Errorf("dbhost: mongod is not ready: %w", errors.Join(err, last))
		}
	}
}

// ready is initiate for the commands that run beside mongod: it looks once, as the next start of mongod needs the
// lock that they hold.
func (s *session) ready(ctx context.Context) error {
	ready, err := s.initiateOnce(ctx)
	if fatal := new(fatalError); errors.As(err, &fatal) {
		return fatal.error
	}
	switch {
	case err != nil:
		return fmt.Errorf("dbhost: mongod is not ready: %w; start it (systemctl start mongod), then run this again", err)
	case !ready:
		return errors.New("dbhost: mongod takes no writes yet; run this again in a moment")
	default:
		return nil
	}
}

// fatalError is one that waiting does not mend.
type fatalError struct{ error }

func (s *session) initiateOnce(ctx context.Context) (ready bool, err error) {
	member := net.JoinHostPort(s.Name, strconv.Itoa(Port))
	anyone, err := s.Dial(ctx, s.ca, nil)
	if err != nil {
		return false, err
	}
	defer anyone.Close(ctx)
	h, err := sayHello(ctx, anyone)
	if err != nil {
		return false, err
	}
	switch h.SetName {
	case ReplicaSet:
		return h.IsWritablePrimary, nil
	case "":
	default:
		return false, &fatalError{fmt.Errorf("dbhost: mongod is a member of the replica set %q, not %q; has it the mongod.conf of `cinema-db config`?", h.SetName, ReplicaSet)}
	}
	_, err = anyone.Run(ctx, bson.D{{Key: "replSetInitiate", Value: bson.D{
		{Key: "_id", Value: ReplicaSet},
		{Key: "members", Value: bson.A{bson.D{{Key: "_id", Value: 0}, {Key: "host", Value: member}}}},
	}}})
	switch {
	case err == nil:
		s.Log.InfoContext(ctx, "initiated the replica set", "name", ReplicaSet, "member", member)
		return false, nil
	case hasCode(err, codeAlreadyInitialized):
		return false, nil
	case hasCode(err, codeUnauthorized):
		// There are users, so it was initiated: it has only not read its configuration yet.
		return false, nil
	default:
		return false, fmt.Errorf("dbhost: replSetInitiate: %w", err)
	}
}

// durable makes a change of users survive a power failure before it is acknowledged.
var durable = bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}, {Key: "j", Value: true}}}

// administrator logs in as the administrator, whom it creates through the localhost exception where there are no
// users at all.
func (s *session) administrator(ctx context.Context) (Conn, error) {
	login := &Login{adminUser, s.state.AdminPassword}
	admin, err := s.Dial(ctx, s.ca, login)
	if !errors.Is(err, ErrPassword) {
		return admin, err
	}
	anyone, err := s.Dial(ctx, s.ca, nil)
	if err != nil {
		return nil, err
	}
	defer anyone.Close(ctx)
	_, err = anyone.Run(ctx, bson.D{
		{Key: "createUser", Value: login.User}, {Key: "pwd", Value: login.Password},
		{Key: "roles", Value: bson.A{bson.D{{Key: "role", Value: "root"}, {Key: "db", Value: "admin"}}}},
		{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}},
		durable,
	})
	if hasCode(err, codeUnauthorized) || hasCode(err, codeUserExists) {
		return nil, fmt.Errorf("dbhost: %w of %q, and there are users already: the state file is not this database's; restore both from one snapshot", ErrPassword, login.User)
	} else if err != nil {
		return nil, fmt.Errorf("dbhost: create %q: %w", login.User, err)
	}
	s.Log.InfoContext(ctx, "created the administrator", "user", login.User)
	return s.Dial(ctx, s.ca, login)
}

// role is one of a user's roles, as usersInfo shows it.
type role struct {
	Role string `bson:"role"`
	DB   string `bson:"db"`
}

// applicationRoles lets the API read, write and index its own database, and nothing else.
var applicationRoles = []role{{"readWrite", Database}}

// ensureUser makes sure that the application's user is there with its password and roles.
func (s *session) ensureUser(ctx context.Context, admin Conn, a application) error {
	raw, err := admin.Run(ctx, bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: a.User}, {Key: "db", Value: "admin"}}}})
	if err != nil {
		return fmt.Errorf("dbhost: look up %q: %w", a.User, err)
	}
	var found struct {
		Users []struct {
			Roles []role `bson:"roles"`
		} `bson:"users"`
	}
	if err := bson.Unmarshal(raw, &found); err != nil {
		return fmt.Errorf("dbhost: look up %q: %w", a.User, err)
	}
	verb := "createUser"
	if len(found.Users) > 0 {
		user, err := s.Dial(ctx, s.ca, &Login{a.User, a.Password})
		switch {
		case err == nil:
			_ = user.Close(ctx)
			if slices.Equal(found.Users[0].Roles, applicationRoles) {
				return nil
			}
		case !errors.Is(err, ErrPassword):
			return err
		}
		verb = "updateUser"
	}
	_, err = admin.Run(ctx, bson.D{
		{Key: verb, Value: a.User}, {Key: "pwd", Value: a.Password},
		{Key: "roles", Value: applicationRoles},
		{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}},
		durable,
	})
	if err != nil {
		return fmt.Errorf("dbhost: %s %q: %w", verb, a.User, err)
	}
	s.Log.InfoContext(ctx, verb, "user", a.User)
	return nil
}
