package contract

// Objects in the artifacts bucket by which the members of the replica set and the stack agree.
const (
	// SecretsKey is the key of the cluster's secrets: CA, key file, administrator and the API's user. Only the database
	// hosts write and read it.
	SecretsKey = "database/secrets.json"
	// MembersKey is the key of the list of members that the stack wants: Members, as JSON. The stack writes it, the
	// database hosts read it.
	MembersKey = "database/members.json"
)

// DatabaseRole is the role of the database host in a zone, in its status: database-us-east-1a.
func DatabaseRole(zone string) string { return "database-" + zone }

// ReportKey returns the key of the report of the member in a zone: status/database-us-east-1a-member.json.
func ReportKey(zone string) string { return StatusPrefix + DatabaseRole(zone) + "-member.json" }

// Members are the members that the stack wants the replica set to have.
type Members struct {
	Members []Member `json:"members"`
	// Seed is the zone of the only member that may make the cluster's secrets and initiate the replica set, because its
	// volume comes from a snapshot; empty if every member may.
	Seed string `json:"seed,omitempty"`
	// Snapshot is the snapshot that the Seed's volume comes from, snap-…. Each is restored once: a volume that is made from it
	// again has older data than the other members.
	Snapshot string `json:"snapshot,omitempty"`
}

// Member is one member of the replica set.
type Member struct {
	// Zone is the availability zone, e.g. us-east-1a.
	Zone string `json:"zone"`
	// Host is the DNS name that the other members and the API connect to, e.g. mongo-a.cinema.internal.
	Host string `json:"host"`
}

// The states of a member that matter here, as in replSetGetStatus (MongoDB manual, "Replica Set Member States").
const (
	StatePrimary   = "PRIMARY"
	StateSecondary = "SECONDARY"
)

// Report is what a member publishes about the replica set, as JSON, every ReportSeconds.
type Report struct {
	Zone string `json:"zone"`
	// Host is the member's own name.
	Host string `json:"host"`
	// State is the member's own state; empty if its mongod does not answer.
	State string `json:"state"`
	// Primary is the host of the primary that this member sees; empty if there is none.
	Primary string `json:"primary"`
	// Members are all members of the replica set's configuration, as this member sees them, in order of Host.
	Members []MemberState `json:"members"`
	// Error is why the last step of membership failed or what it waits for, on one line; empty if there is nothing to do.
	// It holds no secret.
	Error string `json:"error"`
	// Time is when the member wrote this, in UTC (RFC 3339).
	Time string `json:"time"`
}

// MemberState is one member of the replica set as another one sees it.
type MemberState struct {
	Host string `json:"host"`
	// State is as in Report, or another state of the manual, such as STARTUP2 (initial sync) or "(not reachable/healthy)".
	State string `json:"state"`
	// Voting is whether the member has a vote. A new one gets it once it has caught up.
	Voting bool `json:"voting"`
	// LagSeconds is how far the member is behind the primary; -1 if unknown.
	LagSeconds int `json:"lagSeconds"`
}

// Serves reports whether the member is primary or a secondary.
func (s MemberState) Serves() bool { return s.State == StatePrimary || s.State == StateSecondary }

// CaughtUp reports whether the member serves and is at most MaxLagSeconds behind the primary.
func (s MemberState) CaughtUp() bool {
	return s.Serves() && (s.State == StatePrimary || s.LagSeconds >= 0 && s.LagSeconds <= MaxLagSeconds)
}

// ReportSeconds is the time between two reports of a member.
const ReportSeconds = 15

// MaxLagSeconds is how far a healthy member may be behind the primary: one that is further behind is not caught up.
const MaxLagSeconds = 10
