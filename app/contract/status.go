package contract

// StatusPrefix is the prefix of every status object in the artifacts bucket.
const StatusPrefix = "status/"

// RoleDatabase is the role of the database host.
const RoleDatabase = "database"

// StatusKey returns the key of the status object of a role: status/<role>.json.
func StatusKey(role string) string { return StatusPrefix + role + ".json" }

// Phases of a host, in the order of a first boot.
const (
	PhaseStarting     = "starting"
	PhaseFetching     = "fetching"
	PhaseVolume       = "waiting for the volume"
	PhaseInstalling   = "installing"
	PhaseInitializing = "initializing"
	PhaseReady        = "ready"
)

// Status is what a host reports about itself.
type Status struct {
	Role string `json:"role"`
	// Instance is the EC2 instance's id.
	Instance string `json:"instance"`
	Phase    string `json:"phase"`
	// Version is MongoDB's, Digest the SHA-256 of the installed binary.
	Version string `json:"version"`
	Digest  string `json:"digest"`
	// Error is why the last attempt in this phase failed, at most 500 characters on one line; empty if it did not fail.
	Error string `json:"error"`
	// Fatal means that the host cannot recover without a change. It tries again nevertheless.
	Fatal bool `json:"fatal"`
	// Time of the report, in RFC 3339, UTC.
	Time string `json:"time"`
}
