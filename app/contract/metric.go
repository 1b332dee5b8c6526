package contract

// The metrics that the API publishes about the database: its host has no network path to CloudWatch.
const (
	MetricNamespace = "Cinema"
	// DataVolumeUsedPercent is how full the data volume is, 0 to 100.
	DataVolumeUsedPercent = "DataVolumeUsedPercent"
	// DatabaseReachable is 1 where an API instance reaches the database, else 0.
	DatabaseReachable = "DatabaseReachable"
	// StackDimension is the metrics' only dimension: the stack's name.
	StackDimension = "Stack"
)
