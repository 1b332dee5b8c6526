package contract

// The metric that the API publishes about the data volume: the database host has no network path to CloudWatch.
const (
	MetricNamespace = "Cinema"
	// DataVolumeUsedPercent is how full the data volume is, 0 to 100.
	DataVolumeUsedPercent = "DataVolumeUsedPercent"
	// StackDimension is the metric's only dimension: the stack's name.
	StackDimension = "Stack"
)
