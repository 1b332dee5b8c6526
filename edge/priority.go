package edge

import "hash/fnv"

// The priorities of rules on the load balancer: 1 to 50,000 (Elastic Load Balancing user guide, "Listener rules"), and the
// first rule that matches wins. Each follows from the rule's own name alone, because a rule cannot take the priority that
// another rule still has. With services in containers, a path of a service comes before the API's host names, on which it is
// reachable too; the host name of a service comes before both.
const (
	lastHost     = 5_000
	lastPath     = 10_000
	lastPriority = 50_000
)

// Priority returns the priority of the host's rule on the load balancer, in a stack without services in containers.
func (h Host) Priority() int { return priority(h.Name, 0, lastPriority) }

// PriorityBehind returns the priority of the host's rule behind those of services in containers.
func (h Host) PriorityBehind() int { return priority(h.Name, lastPath, lastPriority) }

// HostPriority returns the priority of the rule for the host name of a service in containers.
func HostPriority(name string) int { return priority(name, 0, lastHost) }

// PathPriority returns the priority of the rule for the path pattern of a service in containers.
func PathPriority(path string) int { return priority(path, lastHost, lastPath) }

// priority returns a priority after the one and up to the other.
func priority(name string, after, last int) int {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(name)) // never fails
	return after + 1 + int(sum.Sum32()%uint32(last-after))
}
