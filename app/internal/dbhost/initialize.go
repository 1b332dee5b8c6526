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

	"cinema-database/app/contract"
)

// pause is the time between attempts while mongod is not ready or another command holds the lock.
const pause = time.Second

// session is one command's work with mongod.
type session struct {
	*Host
	state *state
	ca    *x509.CertPool
}

// begin locks the volume and reads the state that Prepare wrote.
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
		return nil, nil, fmt.Errorf("%w; run `cinema-db prepare` first", err)
	}
	ca := x509.NewCertPool()
	ca.AppendCertsFromPEM([]byte(s.CA.Certificate))
	return &session{Host: h, state: s, ca: ca}, unlock, nil
}

// Init initiates the replica set, creates the users, completes an unfinished rotation, and publishes the credentials
// object. It skips what is done already, and waits for mongod until ctx ends. Prepare must have run.
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

// converge updates the users and the credentials object to match the state. mongod must be ready.
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
	// The new user exists before the API reads its credentials, and the old one stays valid after that.
	if err := s.ensureUser(ctx, admin, *s.state.Pending); err != nil {
		return err
	}
	if err := s.publish(ctx, *s.state.Pending); err != nil {
		return err
	}
	s.state.Application, s.state.Pending = *s.state.Pending, nil
	return s.save(s.state)
}

// initiate waits for mongod, initiates the replica set, and waits until mongod is the writable primary.
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

// ready checks once whether mongod is the writable primary, and returns an error if it is not. Commands other than Init
// must not wait for mongod: its start needs the lock that they hold.
func (s *session) ready(ctx context.Context) error {
	ready, err := s.initiateOnce(ctx)
	if fatal := new(fatalError); errors.As(err, &fatal) {
		return fatal.error
	}
	switch {
	case err != nil:
		return fmt.Errorf("dbhost: mongod is not ready: %w; start it (systemctl start mongod), then repeat the command", err)
	case !ready:
		return errors.New("dbhost: mongod does not accept writes yet; repeat the command in a moment")
	default:
		return nil
	}
}

// fatalError is an error that waiting does not resolve.
type fatalError struct{ error }

func (s *session) initiateOnce(ctx context.Context) (ready bool, err error) {
	member := net.JoinHostPort(s.Name, strconv.Itoa(contract.MongoDBPort))
	unauthenticated, err := s.Dial(ctx, s.ca, nil)
	if err != nil {
		return false, err
	}
	defer unauthenticated.Close(ctx)
	h, err := runHello(ctx, unauthenticated)
	if err != nil {
		return false, err
	}
	switch h.SetName {
	case ReplicaSet:
		return h.IsWritablePrimary, nil
	case "":
	default:
		return false, &fatalError{fmt.Errorf("dbhost: mongod is a member of the replica set %q, not %q; start it with the mongod.conf that `cinema-db config` prints", h.SetName, ReplicaSet)}
	}
	_, err = unauthenticated.Run(ctx, bson.D{{Key: "replSetInitiate", Value: bson.D{
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
		// There are users, so the replica set was initiated, but mongod has not loaded its configuration yet.
		return false, nil
	default:
		return false, fmt.Errorf("dbhost: replSetInitiate: %w", err)
	}
}

// durable makes mongod acknowledge a change of users only after it would survive a power failure.
var durable = bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}, {Key: "j", Value: true}}}

// administrator connects as the administrator. If mongod has no users, it first creates the administrator through the
// localhost exception.
func (s *session) administrator(ctx context.Context) (Conn, error) {
	login := &Login{adminUser, s.state.AdminPassword}
	admin, err := s.Dial(ctx, s.ca, login)
	if !errors.Is(err, ErrPassword) {
		return admin, err
	}
	unauthenticated, err := s.Dial(ctx, s.ca, nil)
	if err != nil {
		return nil, err
	}
	defer unauthenticated.Close(ctx)
	_, err = unauthenticated.Run(ctx, bson.D{
		{Key: "createUser", Value: login.User}, {Key: "pwd", Value: login.Password},
		{Key: "roles", Value: bson.A{bson.D{{Key: "role", Value: "root"}, {Key: "db", Value: "admin"}}}},
		{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}},
		durable,
	})
	if hasCode(err, codeUnauthorized) || hasCode(err, codeUserExists) {
		return nil, fmt.Errorf("dbhost: %w of %q, and there are users already: the state file belongs to another database; restore both from the same snapshot", ErrPassword, login.User)
	} else if err != nil {
		return nil, fmt.Errorf("dbhost: create %q: %w", login.User, err)
	}
	s.Log.InfoContext(ctx, "created the administrator", "user", login.User)
	return s.Dial(ctx, s.ca, login)
}

// role is one of a user's roles, in the form of usersInfo.
type role struct {
	Role string `bson:"role"`
	DB   string `bson:"db"`
}

// applicationRoles lets the API read, write and index only its own database.
var applicationRoles = []role{{"readWrite", Database}}

// ensureUser creates the application's user, or restores its password and roles.
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
