package mongodtest

import (
	"fmt"
	"net"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// forced is the term of a configuration that was forced: mongod's kUninitializedTerm.
const forced = -1

// Config is a replica set's configuration. A Config in use is not changed but replaced.
type Config struct {
	Name    string
	Version int64
	Term    int64
	Members []ConfigMember
	SetID   bson.ObjectID
}

// ConfigMember is a member in a configuration.
type ConfigMember struct {
	ID       int32
	Host     string // with the port
	Priority float64
	Votes    int32
	// newlyAdded is whether mongod treats the member as one without vote and priority until it is a SECONDARY.
	newlyAdded bool
}

func (m ConfigMember) voting() bool    { return m.Votes > 0 && !m.newlyAdded }
func (m ConfigMember) electable() bool { return m.voting() && m.Priority > 0 }

func (m ConfigMember) name() string {
	host, _, err := net.SplitHostPort(m.Host)
	if err != nil {
		return m.Host
	}
	return host
}

// member returns the member with that name without port; nil if there is none.
func (c *Config) member(host string) *ConfigMember {
	if c == nil {
		return nil
	}
	for i := range c.Members {
		if c.Members[i].name() == host {
			return &c.Members[i]
		}
	}
	return nil
}

func (c *Config) voters() []string {
	var hosts []string
	for _, m := range c.Members {
		if m.voting() {
			hosts = append(hosts, m.name())
		}
	}
	return hosts
}

func (c *Config) majority() int { return len(c.voters())/2 + 1 }

// newer reports whether c replaces other. The term of a forced configuration does not count.
func (c *Config) newer(other *Config) bool {
	switch {
	case other == nil:
		return true
	case c.Term == forced || other.Term == forced || c.Term == other.Term:
		return c.Version > other.Version
	default:
		return c.Term > other.Term
	}
}

func (c *Config) same(other *Config) bool {
	return other != nil && c.Version == other.Version && c.Term == other.Term && c.SetID == other.SetID
}

func (c *Config) document() bson.D {
	members := bson.A{}
	for _, m := range c.Members {
		members = append(members, bson.D{
			{Key: "_id", Value: m.ID}, {Key: "host", Value: m.Host}, {Key: "arbiterOnly", Value: false}, {Key: "buildIndexes", Value: true},
			{Key: "hidden", Value: false}, {Key: "priority", Value: m.Priority}, {Key: "tags", Value: bson.D{}},
			{Key: "secondaryDelaySecs", Value: int64(0)}, {Key: "votes", Value: m.Votes},
		})
	}
	d := bson.D{{Key: "_id", Value: c.Name}, {Key: "version", Value: int32(c.Version)}}
	if c.Term != forced {
		d = append(d, bson.E{Key: "term", Value: int32(c.Term)})
	}
	return append(d, bson.E{Key: "members", Value: members}, bson.E{Key: "protocolVersion", Value: int64(1)},
		bson.E{Key: "writeConcernMajorityJournalDefault", Value: true},
		bson.E{Key: "settings", Value: bson.D{
			{Key: "chainingAllowed", Value: true}, {Key: "heartbeatIntervalMillis", Value: int32(heartbeat.Milliseconds())},
			{Key: "electionTimeoutMillis", Value: int32(10_000)}, {Key: "replicaSetId", Value: c.SetID},
		}})
}

// parseConfig reads and checks a configuration by itself.
func parseConfig(d bson.D) (*Config, *failure) {
	c := &Config{Name: text(d, "_id"), Version: 1}
	for _, e := range d {
		switch e.Key {
		case "_id", "term", "protocolVersion", "writeConcernMajorityJournalDefault":
		case "version":
			version, ok := number(d, "version")
			if !ok || version < 1 {
				return nil, failBadValue.because("version must be at least 1")
			}
			c.Version = int64(version)
		case "members":
		case "settings":
			if settings, ok := e.Value.(bson.D); ok {
				c.SetID, _ = field(settings, "replicaSetId").(bson.ObjectID)
			}
		default:
			return nil, failUnknownField.because(fmt.Sprintf("BSON field %q is an unknown field", e.Key))
		}
	}
	if c.Name == "" {
		return nil, failBadValue.because("no name of the set")
	}
	members, _ := field(d, "members").(bson.A)
	if len(members) == 0 {
		return nil, failBadValue.because("a configuration has at least one member")
	}
	electable := false
	for _, value := range members {
		fields, ok := value.(bson.D)
		if !ok {
			return nil, failTypeMismatch.because("a member is a document")
		}
		m, failed := parseMember(fields)
		if failed != nil {
			return nil, failed
		}
		for _, other := range c.Members {
			if other.ID == m.ID || other.Host == m.Host {
				return nil, failBadValue.because("two members have the same _id or host")
			}
		}
		electable = electable || m.Votes > 0 && m.Priority > 0
		c.Members = append(c.Members, m)
	}
	if !electable {
		return nil, failBadValue.because("at least one member has a vote and a priority")
	}
	if len(c.voters()) > 7 {
		return nil, failBadValue.because("at most 7 members have a vote")
	}
	return c, nil
}

func parseMember(fields bson.D) (ConfigMember, *failure) {
	known := []string{"_id", "host", "arbiterOnly", "buildIndexes", "hidden", "priority", "tags", "secondaryDelaySecs", "votes"}
	for _, e := range fields {
		if !slices.Contains(known, e.Key) {
			return ConfigMember{}, failUnknownField.because(fmt.Sprintf("BSON field %q is an unknown field", e.Key))
		}
	}
	m := ConfigMember{Host: text(fields, "host"), Priority: 1, Votes: 1}
	id, ok := number(fields, "_id")
	if !ok || id < 0 || m.Host == "" {
		return m, failBadValue.because("a member has an _id and a host")
	}
	m.ID = int32(id)
	if priority, ok := number(fields, "priority"); ok {
		m.Priority = priority
	}
	if votes, ok := number(fields, "votes"); ok {
		m.Votes = int32(votes)
	}
	switch {
	case m.Votes != 0 && m.Votes != 1:
		return m, failBadValue.because("votes must be 0 or 1")
	case m.Priority < 0 || m.Priority > 1000:
		return m, failBadValue.because("priority must be 0 to 1000")
	case m.Votes == 0 && m.Priority > 0:
		return m, failBadValue.because("priority must be 0 when non-voting (votes:0)")
	case truth(fields, "arbiterOnly"), truth(fields, "hidden"):
		return m, failBadValue.because("not modelled: arbiterOnly, hidden")
	}
	return m, nil
}

// compatible checks that a configuration may follow another one.
func (c *Config) compatible(old *Config, force bool) *failure {
	if !c.newer(old) {
		return failIncompatible.because(fmt.Sprintf("New replica set configuration version and term must be greater than old, but {version: %d, term: %d} is not greater than {version: %d, term: %d}", c.Version, c.Term, old.Version, old.Term))
	}
	if c.Name != old.Name || c.SetID != old.SetID {
		return failIncompatible.because("New and old configurations differ in replica set name or ID")
	}
	// mongod's source does not count newly added members here; the manual knows no such exception.
	votes := map[int32]int32{}
	for _, m := range old.Members {
		votes[m.ID] += m.Votes
		for _, n := range c.Members {
			if n.Host == m.Host && n.ID != m.ID {
				return failIncompatible.because("New and old configurations both have members with host of " + m.Host + " but with another _id")
			}
		}
	}
	for _, m := range c.Members {
		votes[m.ID] -= m.Votes
	}
	changed := 0
	for _, difference := range votes {
		if difference != 0 {
			changed++
		}
	}
	if !force && changed > 1 {
		return failInvalidConfig.because("Non force replica set reconfig can only add or remove at most 1 voting member.")
	}
	return nil
}
