package network

import (
	"fmt"
	"slices"
	"strings"

	"cinema-database/app/contract"
)

// Peer is one end of a row of the traffic table: a security group of the stack, or a network outside.
type Peer string

// The peers that have a security group.
const (
	LoadBalancer Peer = "load-balancer"
	Bastion      Peer = "bastion"
	API          Peer = "api"
	MongoDB      Peer = "mongodb"
	// Endpoints are the interface endpoints, ContainerHosts the instances that run tasks.
	Endpoints      Peer = "endpoints"
	ContainerHosts Peer = "container-hosts"
	// Each service in containers is a peer too, see Service.
)

// servicePrefix begins the peer of each service in containers.
const servicePrefix = "service-"

// Service is the peer of the service in containers with that name.
func Service(name string) Peer { return servicePrefix + Peer(name) }

// The peers outside the stack.
const (
	// Internet is every address.
	Internet Peer = "internet"
	// S3 is Amazon S3 through the tier's gateway endpoint.
	S3 Peer = "s3"
	// CloudFront is where CloudFront calls origins from.
	CloudFront Peer = "cloudfront"
	// Each network in OperatorCIDRs is a peer too, by its CIDR.
)

// Group is a peer that gets a security group.
type Group struct {
	Peer        Peer
	Tier        Tier
	Description string
}

// fixedGroups are those of every stack.
var fixedGroups = []Group{
	{LoadBalancer, Public, "Application Load Balancer: the way of requests to the API"}, // behind the edge it is in the private tier
	{Bastion, Public, "Bastion: the way of operators to the hosts"},
	{API, Private, "API instances"},
	{MongoDB, Database, "MongoDB host"},
}

// Groups returns the peers that get a security group, each with its tier and its description.
func Groups(args *Args) []Group {
	groups := slices.Clone(fixedGroups)
	for _, s := range args.Services {
		groups = append(groups, Group{Service(s.Name), Private, "Tasks of the service " + s.Name})
	}
	if args.ContainerHosts {
		groups = append(groups, Group{ContainerHosts, Private, "Instances that run the tasks of services"})
	}
	if len(args.Endpoints) > 0 {
		groups = append(groups, Group{Endpoints, Private, "Interface endpoints: the way to AWS without NAT"})
	}
	return groups
}

// databaseSlot is the ACLSlot of connections from the private tier to the database: the ACL does not tell the API's from those
// of a service.
const databaseSlot = 1

const (
	sshPort   = 22
	httpPort  = 80
	httpsPort = 443
)

// tierOf returns the tier of a peer that has a security group, and whether it has one.
func tierOf(p Peer) (Tier, bool) {
	if p == Endpoints || p.ofContainers() {
		return Private, true
	}
	i := slices.IndexFunc(fixedGroups, func(g Group) bool { return g.Peer == p })
	if i < 0 {
		return "", false
	}
	return fixedGroups[i].Tier, true
}

// in reports whether a peer is in a tier.
func (p Peer) in(tier Tier) bool {
	of, _ := tierOf(p)
	return of == tier
}

// Rule is one row of the traffic table: From may open TCP connections to To on Port. Why becomes the description of
// the security group rules.
type Rule struct {
	From, To Peer
	Port     int
	Why      string
	// ACLSlot numbers the row's rules in the database tier's network ACL: 1 to 319 for each row that starts or ends in that
	// tier, and never changed. Rows have one slot only where their ACL rules are the same. It is 0 for every other row.
	ACLSlot int
}

// ofContainers reports whether a row starts or ends at tasks or at the instances that run them.
func (r Rule) ofContainers() bool { return r.From.ofContainers() || r.To.ofContainers() }

// ofContainers reports whether a peer is tasks or the instances that run them.
func (p Peer) ofContainers() bool {
	return p == ContainerHosts || strings.HasPrefix(string(p), servicePrefix)
}

// Traffic is every connection that the stack allows. Each row makes an egress rule on From's group and an ingress rule
// on To's, where they have one, and rules of the database tier's network ACL. All other traffic is refused.
func Traffic(args *Args) []Rule {
	rules := []Rule{
		{LoadBalancer, API, contract.APIPort, "requests and health checks", 0},
		{API, MongoDB, contract.MongoDBPort, "database connections, TLS", databaseSlot},
		{API, S3, httpsPort, "release, credentials and images", 0},
		{MongoDB, S3, httpsPort, "release, server package and credentials", 3},
		{Bastion, Internet, httpsPort, "Session Manager and EC2 Instance Connect", 0},
		{Bastion, API, sshPort, "operators, by EC2 Instance Connect", 0},
		{Bastion, MongoDB, sshPort, "operators, by EC2 Instance Connect", 2},
		// Also with one member: members that are to leave need it until they have left.
		{MongoDB, MongoDB, contract.MongoDBPort, "replication between members, TLS", 4},
	}
	switch {
	case args.Edge && args.HTTPS:
		rules = append(rules, Rule{CloudFront, LoadBalancer, httpsPort, "HTTPS from the distribution", 0})
	case args.Edge:
		rules = append(rules, Rule{CloudFront, LoadBalancer, httpPort, "HTTP from the distribution", 0})
	default:
		rules = append(rules, Rule{Internet, LoadBalancer, httpPort, "HTTP from clients", 0})
		if args.HTTPS {
			rules = append(rules, Rule{Internet, LoadBalancer, httpsPort, "HTTPS from clients", 0})
		}
	}
	if args.NatGateways != NatNone {
		rules = append(rules, Rule{API, Internet, httpsPort, "Session Manager, CloudWatch and package updates through NAT", 0})
	}
	rules = append(rules, containerTraffic(args)...)
	for _, cidr := range args.OperatorCIDRs {
		rules = append(rules, Rule{Peer(cidr.String()), Bastion, sshPort, fmt.Sprintf("SSH of operators from %s", cidr), 0})
	}
	return rules
}

// containerTraffic returns the rows of the services in containers, of the instances that run them, and of the interface
// endpoints.
func containerTraffic(args *Args) (rules []Rule) {
	aws := func(from Peer) {
		if args.NatGateways != NatNone {
			rules = append(rules, Rule{from, Internet, httpsPort, "image registries, logs and other AWS services through NAT", 0})
		} else if len(args.Endpoints) > 0 {
			rules = append(rules, Rule{from, Endpoints, httpsPort, "image registry, logs and other AWS services", 0})
		}
		rules = append(rules, Rule{from, S3, httpsPort, "image layers and objects", 0})
	}
	for _, s := range args.Services {
		service := Service(s.Name)
		rules = append(rules, Rule{LoadBalancer, service, s.Port, "requests and health checks", 0})
		if s.Database {
			rules = append(rules, Rule{service, MongoDB, contract.MongoDBPort, "database connections, TLS", databaseSlot})
		}
		aws(service)
	}
	if args.ContainerHosts {
		aws(ContainerHosts)
	}
	if len(args.Endpoints) > 0 {
		// The names of the services resolve to the endpoints in the whole VPC, also for the bastion.
		rules = append(rules, Rule{Bastion, Endpoints, httpsPort, "Session Manager", 0})
	}
	return rules
}
