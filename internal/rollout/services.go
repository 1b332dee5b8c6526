package rollout


// ServiceTarget is what a rollout brings to an ECS service.
type ServiceTarget struct {
	// Cluster and Service are physical names.
	Cluster, Service string
	// Definition is the ARN of the task definition.
	Definition string
	// Targets is the ARN of the load balancer's target group; it gets the tasks' Container at Port.
	Targets, Container string
	Port               int
	// Image is the reference of the container's image, for messages.
	Image string
}
