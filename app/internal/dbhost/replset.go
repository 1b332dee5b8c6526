package dbhost

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
)

// hello is the part of mongod's answer to the command hello that is used here. It needs no authentication. SetName is
// empty before the replica set is initiated, while mongod loads its configuration, and on a member that was removed.
type hello struct {
	SetName           string `bson:"setName"`
	IsWritablePrimary bool   `bson:"isWritablePrimary"`
	Secondary         bool   `bson:"secondary"`
	// Primary is the address of the primary that the member knows.
	Primary string `bson:"primary"`
	// Hosts are the addresses of the members that can become primary, Passives those of the others.
	Hosts    []string `bson:"hosts"`
	Passives []string `bson:"passives"`
}

// members returns the host names of all members, sorted.
func (h hello) members() (hosts []string) {
	for _, address := range slices.Concat(h.Hosts, h.Passives) {
		hosts = append(hosts, hostName(address))
	}
	slices.Sort(hosts)
	return hosts
}

func runHello(ctx context.Context, c Conn) (hello, error) {
	var h hello
	return h, run(ctx, c, bson.D{{Key: "hello", Value: 1}}, &h)
}

// run runs a command and decodes its answer.
func run(ctx context.Context, c Conn, command bson.D, answer any) error {
	raw, err := c.Run(ctx, command)
	if err == nil {
		err = bson.Unmarshal(raw, answer)
	}
	if err != nil {
		return fmt.Errorf("dbhost: %s: %w", command[0].Key, err)
	}
	return nil
}

// setConfig is the replica set's configuration. Rest keeps the fields that are not used here.
type setConfig struct {
	ID      string       `bson:"_id"`
	Version int32        `bson:"version"`
	Members []*setMember `bson:"members"`
	Rest    bson.M       `bson:",inline"`
}

type setMember struct {
	ID int32 `bson:"_id"`
	// Host is an address: host and port.
	Host     string  `bson:"host"`
	Votes    int32   `bson:"votes"`
	Priority float64 `bson:"priority"`
	Rest     bson.M  `bson:",inline"`
}

// vote gives the member a vote and lets it become primary, or takes both. Priorities are equal, so that a member that
// comes back causes no second election.
func (m *setMember) vote(on bool) {
	m.Votes, m.Priority = 0, 0
	if on {
		m.Votes, m.Priority = 1, 1
	}
}

// member returns the member with that host name, nil if there is none.
func (c *setConfig) member(host string) *setMember {
	for _, m := range c.Members {
		if m.Host == address(host) {
			return m
		}
	}
	return nil
}

// hosts returns the members' host names, sorted.
func (c *setConfig) hosts() (hosts []string) {
	for _, m := range c.Members {
		hosts = append(hosts, hostName(m.Host))
	}
	slices.Sort(hosts)
	return hosts
}

// add adds a member without vote, with the smallest id that is free.
func (c *setConfig) add(host string) {
	m := &setMember{Host: address(host)}
	for slices.ContainsFunc(c.Members, func(other *setMember) bool { return other.ID == m.ID }) {
		m.ID++
	}
	c.Members = append(c.Members, m)
}

func readConfig(ctx context.Context, admin Conn) (*setConfig, error) {
	var answer struct {
		Config setConfig `bson:"config"`
	}
	err := run(ctx, admin, bson.D{{Key: "replSetGetConfig", Value: 1}}, &answer)
	return &answer.Config, err
}

// reconfigure installs a changed configuration. Without force it works on the primary only, for at most one member that
// votes, and it returns when a majority has the configuration (MongoDB manual, "Replica set reconfiguration").
func reconfigure(ctx context.Context, admin Conn, config *setConfig, force bool) error {
	config.Version++
	_, err := admin.Run(ctx, bson.D{{Key: "replSetReconfig", Value: config}, {Key: "force", Value: force}})
	if err != nil {
		return fmt.Errorf("dbhost: replSetReconfig: %w", err)
	}
	return nil
}

// setStatus is the part of replSetGetStatus that is used here.
type setStatus struct {
	Members []statusMember `bson:"members"`
}

type statusMember struct {
	Name   string    `bson:"name"`
	State  string    `bson:"stateStr"`
	Self   bool      `bson:"self"`
	Health float64   `bson:"health"`
	Optime time.Time `bson:"optimeDate"`
}

func readStatus(ctx context.Context, admin Conn) (*setStatus, error) {
	var status setStatus
	return &status, run(ctx, admin, bson.D{{Key: "replSetGetStatus", Value: 1}}, &status)
}

// primary returns the primary, nil if there is none.
func (s *setStatus) primary() *statusMember {
	for i, m := range s.Members {
		if m.State == contract.StatePrimary && m.Health > 0 {
			return &s.Members[i]
		}
	}
	return nil
}

// states returns the members as reports have them, by host name.
func (s *setStatus) states(config *setConfig) []contract.MemberState {
	primary := s.primary()
	var states []contract.MemberState
	for _, m := range s.Members {
		state := contract.MemberState{Host: hostName(m.Name), State: m.State, LagSeconds: -1}
		if member := config.member(state.Host); member != nil {
			state.Voting = member.Votes > 0
		}
		if primary != nil && m.Health > 0 && !m.Optime.IsZero() {
			state.LagSeconds = max(0, int(primary.Optime.Sub(m.Optime)/time.Second))
		}
		states = append(states, state)
	}
	slices.SortFunc(states, func(a, b contract.MemberState) int { return strings.Compare(a.Host, b.Host) })
	return states
}

func address(host string) string { return net.JoinHostPort(host, strconv.Itoa(contract.MongoDBPort)) }

func hostName(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
