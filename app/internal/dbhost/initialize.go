package dbhost

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
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
	// primary is the host that administrator has connected to; empty for the local one.
	primary string
}

// begin locks the volume and reads the state that Prepare wrote.
func (h *Host) begin(ctx context.Context) (*session, func(), error) {
	if err := h.Validate(); err != nil {
		return nil, nil, err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := h.read()
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return s, unlock, nil
}

// read reads the state that Prepare wrote.
func (h *Host) read() (*session, error) {
	s, err := h.load()
	if err != nil {
		return nil, fmt.Errorf("%w; run `cinema-db prepare` first", err)
	}
	return h.session(s), nil
}

func (h *Host) session(s *state) *session {
	ca := x509.NewCertPool()
	ca.AppendCertsFromPEM([]byte(s.CA.Certificate))
	return &session{Host: h, state: s, ca: ca}
}

func (s *session) login() *Login { return &Login{adminUser, s.state.AdminPassword} }

// Init makes the member ready: one member initiates the replica set, every other one waits until the primary has added it
// and it has caught up. The primary then creates the users, completes an unfinished rotation, and publishes the
// credentials object. It skips what is done already, and waits until ctx ends. Prepare must have run.
func (h *Host) Init(ctx context.Context) error {
	s, unlock, err := h.begin(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.await(ctx, s.belong); err != nil {
		return err
	}
	local, err := s.localHello(ctx)
	if err != nil {
		return err
	}
	if local.IsWritablePrimary {
		if err := s.converge(ctx); err != nil {
			return err
		}
	}
	// The volume's copy is for times without S3, so S3 may be away now too.
	shared, _, err := s.readSecrets(ctx)
	if err != nil {
		s.Log.WarnContext(ctx, "the volume's copy of the secrets is not renewed", "error", err)
		return nil
	}
	_, err = s.adopt(s.state, shared)
	return err
}

// await repeats an attempt until it succeeds, until its error is fatal, or until ctx ends.
func (s *session) await(ctx context.Context, attempt func(context.Context) (done bool, err error)) error {
	var last error
	for {
		done, err := attempt(ctx)
		if done {
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

// fatalError is an error that waiting does not resolve.
type fatalError struct{ error }

// belong makes one attempt at becoming the primary or a secondary of the replica set.
func (s *session) belong(ctx context.Context) (done bool, err error) {
	if s.state.Volume != s.VolumeID || s.state.OwnKey {
		if err := s.reclaim(ctx); err != nil {
			return false, err
		}
	}
	h, err := s.localHello(ctx)
	if err != nil {
		return false, err
	}
	switch h.SetName {
	case ReplicaSet:
		switch {
		case h.IsWritablePrimary, h.Secondary && h.Primary != "":
			return true, nil
		case h.Primary == "":
			return false, errors.New("there is no primary")
		}
		return false, fmt.Errorf("this member copies the data of %s", h.Primary)
	case "":
		return false, s.initiate(ctx)
	default:
		return false, &fatalError{fmt.Errorf("dbhost: mongod is a member of the replica set %q, not %q; start it with the mongod.conf that `cinema-db config` prints", h.SetName, ReplicaSet)}
	}
}

// initiate initiates the replica set with this member alone, if none has been and no other member has claimed to. The claim
// is a conditional write: of hosts that start at the same time, one initiates. A claim of a member that is not wanted any
// more is void; without a list of wanted members, every claim holds.
func (s *session) initiate(ctx context.Context) error {
	wanted, err := s.membersIfListed(ctx)
	if err != nil {
		return err
	}
	shared, err := s.updateSecrets(ctx, func(shared *secrets) bool {
		claimed := shared.Founder != "" && len(wanted.Members) == 0 ||
			slices.ContainsFunc(wanted.Members, func(m contract.Member) bool { return m.Zone == shared.Founder })
		if shared.Initiated || claimed || wanted.Seed != "" && wanted.Seed != s.Zone {
			return false
		}
		shared.Founder = s.Zone
		return true
	})
	if err != nil {
		return err
	}
	if shared.Initiated || shared.Founder != s.Zone {
		return errors.New("waiting for the primary to add this member")
	}
	c, err := s.Dial(ctx, "", s.ca, nil)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Run(ctx, bson.D{{Key: "replSetInitiate", Value: bson.D{
		{Key: "_id", Value: ReplicaSet},
		{Key: "members", Value: bson.A{bson.D{{Key: "_id", Value: 0}, {Key: "host", Value: address(s.Name)}}}},
	}}})
	switch {
	case err == nil:
		s.Log.InfoContext(ctx, "initiated the replica set", "name", ReplicaSet, "member", s.Name)
		return nil
	case hasCode(err, codeAlreadyInitialized):
		return nil
	case hasCode(err, codeUnauthorized):
		// There are users, so the replica set was initiated, but mongod has not loaded its configuration yet.
		return nil
	default:
		return fmt.Errorf("dbhost: replSetInitiate: %w", err)
	}
}

// reclaim makes this member the only one of its replica set, if the volume's data comes from another volume, through a
// snapshot, or from a release that gave the member another name. The configuration on the volume then names members that
// are not there. The others copy this member's data later. Only the member that the stack restores may do this: it takes
// the others out of the replica set.
func (s *session) reclaim(ctx context.Context) error {
	snapshot := s.state.Snapshot
	if s.state.copied(s.VolumeID) {
		wanted, err := s.members(ctx)
		if err != nil {
			return err
		}
		if wanted.Seed != s.Zone {
			return &fatalError{fmt.Errorf("dbhost: volume %s has a copy of the data of %s, but the stack restores %s; make the volume of this member again, blank (docs/operations.md, Restore)",
				s.VolumeID, s.state.Volume, orNone(wanted.Seed))}
		}
		shared, _, err := s.readSecrets(ctx)
		if err != nil {
			return err
		}
		if shared.Restored == wanted.Snapshot && wanted.Snapshot != "" {
			return &fatalError{fmt.Errorf("dbhost: volume %s is made from %s again, which was restored before: the other members have newer data; remove database.restoreFrom from the config and make the volume again, blank (docs/operations.md, Restore)",
				s.VolumeID, wanted.Snapshot)}
		}
		snapshot = wanted.Snapshot
	}
	admin, err := s.Dial(ctx, "", s.ca, s.login())
	if err != nil && !errors.Is(err, ErrPassword) {
		return err
	}
	if err == nil {
		defer admin.Close(ctx)
		if err := s.stayAlone(ctx, admin); hasCode(err, codeNotYetInitialized) {
			return errors.New("mongod loads its configuration")
		} else if err != nil {
			return err
		}
	}
	// Without users there is no data: the replica set is still to be initiated.
	s.state.Volume, s.state.Snapshot = s.VolumeID, snapshot
	if err := s.save(s.state); err != nil || !s.state.OwnKey {
		return err
	}
	if admin == nil {
		return fmt.Errorf("dbhost: %w of %q on a copy of the volume; restore another snapshot", ErrPassword, adminUser)
	}
	return s.restart(ctx, admin)
}

// stayAlone makes the local member the only one of its replica set, also without a majority.
func (s *session) stayAlone(ctx context.Context, admin Conn) error {
	config, err := readConfig(ctx, admin)
	if err != nil || len(config.Members) == 1 && config.member(s.Name) != nil {
		return err
	}
	before := config.hosts()
	only := config.member(s.Name)
	if only == nil {
		only = &setMember{Host: address(s.Name)}
	}
	only.vote(true)
	config.Members = []*setMember{only}
	if err := reconfigure(ctx, admin, config, true); err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "this member is the only one of the replica set now", "before", before)
	return nil
}

func orNone(zone string) string {
	if zone == "" {
		return "none"
	}
	return "the one in " + zone
}

// converge updates the users, the credentials object and the cluster's record to match the secrets object. There must be
// a primary, on any host.
func (s *session) converge(ctx context.Context) error {
	shared, err := s.sharedSecrets(ctx)
	if err != nil {
		return err
	}
	if !shared.Initiated && shared.Founder != s.Zone {
		return fmt.Errorf("dbhost: the member in %s initiates the replica set; the one on this host is not the cluster's; make its volume again, blank", shared.Founder)
	}
	admin, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if err := s.ensureMonitor(ctx, admin); err != nil {
		// The role is for metrics only. mongod refuses a new user while the role is missing.
		s.Log.WarnContext(ctx, "the API cannot read the replica set's metrics", "error", err)
	}
	if err := s.ensureUser(ctx, admin, shared.Application); err != nil {
		return err
	}
	if shared.Pending != nil {
		// The new user exists before the API reads its credentials, and the old one stays valid after that.
		if err := s.ensureUser(ctx, admin, *shared.Pending); err != nil {
			return err
		}
	}
	primary, err := runHello(ctx, admin)
	if err != nil {
		return err
	} else if !primary.IsWritablePrimary {
		return errNoPrimaryNow
	}
	hosts := primary.members()
	shared, err = s.updateSecrets(ctx, func(shared *secrets) bool {
		restored := cmp.Or(s.state.Snapshot, shared.Restored)
		if shared.Initiated && slices.Equal(shared.Members, hosts) && shared.Restored == restored || !shared.Initiated && shared.Founder != s.Zone {
			return false
		}
		shared.Initiated, shared.Members, shared.Restored = true, hosts, restored
		return true
	})
	if err != nil {
		return err
	}
	if !shared.Initiated {
		return fmt.Errorf("dbhost: the member in %s initiates the replica set now", shared.Founder)
	}
	if shared.Pending == nil {
		return s.publish(ctx, hosts, shared.Application)
	}
	pending := *shared.Pending
	if err := s.publish(ctx, hosts, pending); err != nil {
		return err
	}
	_, err = s.updateSecrets(ctx, func(shared *secrets) bool {
		if shared.Pending == nil || *shared.Pending != pending {
			return false
		}
		shared.Application, shared.Pending = pending, nil
		return true
	})
	return err
}

var errNoPrimaryNow = errors.New("dbhost: there is no primary; repeat the command in a moment")

// durable makes mongod acknowledge a change of users only after it would survive a power failure.
var durable = bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}, {Key: "j", Value: true}}}

// administrator connects to the primary as the administrator. If the local mongod is primary and has no users, it first
// creates the administrator through the localhost exception.
func (s *session) administrator(ctx context.Context) (Conn, error) {
	local, err := s.localHello(ctx)
	if err != nil {
		return nil, err
	}
	if !local.IsWritablePrimary {
		if local.Primary == "" {
			return nil, errNoPrimaryNow
		}
		s.primary = hostName(local.Primary)
		return s.Dial(ctx, s.primary, s.ca, s.login())
	}
	s.primary = ""
	admin, err := s.Dial(ctx, "", s.ca, s.login())
	if !errors.Is(err, ErrPassword) {
		return admin, err
	}
	unauthenticated, err := s.Dial(ctx, "", s.ca, nil)
	if err != nil {
		return nil, err
	}
	defer unauthenticated.Close(ctx)
	_, err = unauthenticated.Run(ctx, bson.D{
		{Key: "createUser", Value: adminUser}, {Key: "pwd", Value: s.state.AdminPassword},
		{Key: "roles", Value: bson.A{role{"root", "admin"}}},
		{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}},
		durable,
	})
	if hasCode(err, codeUnauthorized) || hasCode(err, codeUserExists) {
		return nil, fmt.Errorf("dbhost: %w of %q, and there are users already: the state file belongs to another database; restore both from the same snapshot", ErrPassword, adminUser)
	} else if err != nil {
		return nil, fmt.Errorf("dbhost: create %q: %w", adminUser, err)
	}
	s.Log.InfoContext(ctx, "created the administrator", "user", adminUser)
	return s.Dial(ctx, "", s.ca, s.login())
}
