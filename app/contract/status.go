package contract

// StatusPrefix is the prefix of every status object's key in the artifacts bucket.
const StatusPrefix = "status/"

// RoleDatabase is the role of the database host of a release that knew one member only.
const RoleDatabase = "database"

// StatusKey returns the key of the status object of the host with that role: status/<role>.json.
func StatusKey(role string) string { return StatusPrefix + role + ".json" }

// The phases of a host, in their order. After a reboot, a host starts with the first again.
const (
	PhaseStarting     = "starting"
	PhaseFetching     = "fetching"
	PhaseVolume       = "waiting for the volume"
	PhaseInstalling   = "installing"
	PhaseInitializing = "initializing"
	PhaseReady        = "ready"
)

// Status is what a host publishes about itself, as JSON, whenever its phase or its error changes.
type Status struct {
	Role string `json:"role"`
	// Instance is the EC2 instance id.
	Instance string `json:"instance"`
	Phase    string `json:"phase"`
	// Version is MongoDB's.
	Version string `json:"version"`
	// Digest is the SHA-256 of CinemaDB, 64 hex digits.
	Digest string `json:"digest"`
	// Error is why the last attempt at the present phase failed, on one line of at most 500 characters; empty if none has.
	// It holds no secret.
	Error string `json:"error"`
	// Fatal is true if Error stays until somebody acts, such as a wrong digest. The host tries again all the same.
	Fatal bool `json:"fatal"`
	// Time is when the host wrote this, in UTC (RFC 3339).
	Time string `json:"time"`
}
