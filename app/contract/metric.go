package contract

// The metrics that the API publishes about the database: its hosts have no network path to CloudWatch.
const (
	MetricNamespace = "Cinema"
	// DataVolumeUsedPercent is how full the primary's data volume is, 0 to 100.
	DataVolumeUsedPercent = "DataVolumeUsedPercent"
	// DatabaseReachable is 1 where an API instance reaches the database, else 0.
	DatabaseReachable = "DatabaseReachable"
	// StackDimension is the metrics' only dimension: the stack's name.
	StackDimension = "Stack"
)

// The metrics of a replica set of more than one member.
const (
	// DatabasePrimary is 1 where an API instance finds a primary, else 0.
	DatabasePrimary = "DatabasePrimary"
	// DatabaseHealthyMembers is the number of members that are primary or secondary.
	DatabaseHealthyMembers = "DatabaseHealthyMembers"
	// ReplicationLagSeconds is how far the last of the secondaries is behind the primary.
	ReplicationLagSeconds = "ReplicationLagSeconds"
	// OplogWindowHours is how long a member can be away and still catch up: the time between the oldest and the newest
	// operation in the oplog. Where the oplog is not full yet, it is the time that it will hold at the rate so far.
	OplogWindowHours = "OplogWindowHours"
)
