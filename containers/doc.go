// Package containers is the further services of the stack: an ECS cluster with its capacity, and for each service a
// repository, a task definition, a target group with its rule on the load balancer, and the service itself. A service that
// is wrong, or whose rule would shadow the API, the client or another service, is refused before anything is registered.
package containers
