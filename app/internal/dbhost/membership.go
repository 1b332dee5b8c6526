package dbhost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
)

// step is one step of membership.
type step struct {
	// about says what the step does or waits for, on one line.
	about string
	// change edits the configuration; nil if the step only waits or hands over.
	change func(*setConfig)
	// handOver makes another member primary.
	handOver bool
}

// nextStep decides what brings the replica set nearer to the wanted members, as the primary `self` sees it. It changes at
// most one member that votes. nil: nothing is to do. It depends only on what the members agree on, so it does not matter
// which host decides, or what an earlier one has left half done.
//
// A member joins without a vote, and gets it once it has caught up: one that has no data yet must not decide elections. A
// member that is not wanted leaves only after all wanted members have caught up with the primary, so the newest data
// stays.
func nextStep(config *setConfig, states []contract.MemberState, self string, wanted []contract.Member) *step {
	isWanted := func(host string) bool {
		return slices.ContainsFunc(wanted, func(m contract.Member) bool { return m.Host == host })
	}
	seen := map[string]contract.MemberState{}
	for _, s := range states {
		seen[s.Host] = s
	}
	var missing []string
	for _, w := range wanted {
		switch m := config.member(w.Host); {
		case m == nil:
			return &step{about: "adding " + w.Host, change: func(c *setConfig) { c.add(w.Host) }}
		case m.Votes == 0 && seen[w.Host].CaughtUp():
			return &step{about: "giving a vote to " + w.Host, change: func(c *setConfig) { c.member(w.Host).vote(true) }}
		case m.Votes == 0:
			missing = append(missing, fmt.Sprintf("%s copies the data (%s)", w.Host, seen[w.Host].State))
		case !seen[w.Host].CaughtUp():
			missing = append(missing, fmt.Sprintf("%s is not caught up (%s)", w.Host, seen[w.Host].State))
		}
	}
	var unwanted []string
	for _, host := range config.hosts() {
		if isWanted(host) {
			continue
		}
		if config.member(host).Votes == 0 {
			return &step{about: "removing " + host, change: func(c *setConfig) {
				c.Members = slices.DeleteFunc(c.Members, func(m *setMember) bool { return m.Host == address(host) })
			}}
		}
		if host != self {
			unwanted = append(unwanted, host)
		}
	}
	switch {
	case len(missing) > 0:
		return &step{about: "waiting: " + strings.Join(missing, ", ")}
	case len(unwanted) > 0:
		return &step{about: "taking the vote of " + unwanted[0], change: func(c *setConfig) { c.member(unwanted[0]).vote(false) }}
	case !isWanted(self): // only members that stay can be elected now
		return &step{about: "handing over to a member that stays", handOver: true}
	}
	return nil
}

// advance makes one step of membership if the local mongod is primary, and updates users and credentials. It returns what
// it has done or waits for, empty if there is nothing to do.
func (s *session) advance(ctx context.Context) (string, error) {
	h, err := s.localHello(ctx)
	if err != nil || !h.IsWritablePrimary {
		return "", err
	}
	if err := s.converge(ctx); err != nil {
		return "", err
	}
	wanted, err := s.members(ctx)
	if err != nil {
		return "", err
	}
	admin, err := s.Dial(ctx, "", s.ca, s.login())
	if err != nil {
		return "", err
	}
	defer admin.Close(ctx)
	config, states, err := readSet(ctx, admin)
	if err != nil {
		return "", err
	}
	next := nextStep(config, states, s.Name, wanted.Members)
	switch {
	case next == nil:
		return "", nil
	case next.handOver:
		err = handOver(ctx, admin)
	case next.change != nil:
		next.change(config)
		err = reconfigure(ctx, admin, config, false)
	default:
		return next.about, nil
	}
	if err != nil {
		return next.about, err
	}
	s.Log.InfoContext(ctx, "membership: "+next.about)
	return next.about, nil
}

// readSet returns the configuration, and all members of it as the connected member sees them.
func readSet(ctx context.Context, admin Conn) (*setConfig, []contract.MemberState, error) {
	config, err := readConfig(ctx, admin)
	if err != nil {
		return nil, nil, err
	}
	status, err := readStatus(ctx, admin)
	if err != nil {
		return nil, nil, err
	}
	return config, status.states(config), nil
}

const (
	// stepDownSeconds is how long a primary that has handed over does not stand for election again.
	stepDownSeconds = 60
	// catchUpSeconds is how long it waits for a secondary to catch up; then it stays primary.
	catchUpSeconds = 10
)

// handOver makes the primary step down once a secondary has caught up, which is elected at once.
func handOver(ctx context.Context, admin Conn) error {
	_, err := admin.Run(ctx, bson.D{
		{Key: "replSetStepDown", Value: stepDownSeconds}, {Key: "secondaryCatchUpPeriodSecs", Value: catchUpSeconds},
	})
	if err != nil {
		return fmt.Errorf("dbhost: replSetStepDown: %w", err)
	}
	return nil
}

// StepDown hands over to another member if this one is the primary, and waits until there is another primary or ctx ends.
// It is for the time before mongod stops: without it, the others notice only after their election timeout of 10 s.
func (h *Host) StepDown(ctx context.Context) error {
	s, err := h.read()
	if err != nil {
		return err
	}
	local, err := s.localHello(ctx)
	if err != nil || !local.IsWritablePrimary || len(local.Hosts) < 2 {
		return err
	}
	admin, err := s.Dial(ctx, "", s.ca, s.login())
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if err := handOver(ctx, admin); err != nil {
		return err
	}
	for {
		local, err := s.localHello(ctx)
		if err == nil && local.Primary != "" && !local.IsWritablePrimary {
			s.Log.InfoContext(ctx, "handed over", "primary", local.Primary)
			return nil
		}
		if wait := s.Wait(ctx, pause); wait != nil {
			return fmt.Errorf("dbhost: no other member has become primary: %w", errors.Join(wait, err))
		}
	}
}

// localHello asks the local mongod for its place in the replica set.
func (s *session) localHello(ctx context.Context) (hello, error) { return s.hello(ctx, "") }

// hello asks the member with that host name, or the local one if it is empty.
func (s *session) hello(ctx context.Context, host string) (hello, error) {
	c, err := s.Dial(ctx, host, s.ca, nil)
	if err != nil {
		return hello{}, err
	}
	defer c.Close(ctx)
	return runHello(ctx, c)
}

// findPrimary returns the host name of the primary, asking the given hosts. It is "" if none of them knows one.
func (s *session) findPrimary(ctx context.Context, hosts []string) (string, error) {
	var problems []error
	for _, host := range hosts {
		h, err := s.hello(ctx, host)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", host, err))
		case h.IsWritablePrimary:
			return host, nil
		case h.SetName == ReplicaSet && h.Primary != "":
			return hostName(h.Primary), nil
		}
	}
	return "", errors.Join(problems...)
}
