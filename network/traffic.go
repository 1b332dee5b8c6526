package network

import (
	"fmt"

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
)

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

// Groups are the peers that get a security group, each with its tier and its description.
var Groups = []struct {
	Peer        Peer
	Tier        Tier
	Description string
}{
	{LoadBalancer, Public, "Application Load Balancer: the way of requests to the API"}, // behind the edge it is in the private tier
	{Bastion, Public, "Bastion: the way of operators to the hosts"},
	{API, Private, "API instances"},
	{MongoDB, Database, "MongoDB host"},
}

const (
	sshPort   = 22
	httpPort  = 80
	httpsPort = 443
)

// tierOf is the tier of each peer that has a security group.
var tierOf = func() map[Peer]Tier {
	tiers := map[Peer]Tier{}
	for _, g := range Groups {
		tiers[g.Peer] = g.Tier
	}
	return tiers
}()

// Rule is one row of the traffic table: From may open TCP connections to To on Port. Why becomes the description of
// the security group rules.
type Rule struct {
	From, To Peer
	Port     int
	Why      string
	// ACLSlot numbers the row's rules in the database tier's network ACL: 1 to 319, different for each row that starts
	// or ends in that tier, and never changed. It is 0 for every other row.
	ACLSlot int
}

// Traffic is every connection that the stack allows. Each row makes an egress rule on From's group and an ingress rule
// on To's, where they have one, and rules of the database tier's network ACL. All other traffic is refused.
func Traffic(args *Args) []Rule {
	rules := []Rule{
		{LoadBalancer, API, contract.APIPort, "requests and health checks", 0},
		{API, MongoDB, contract.MongoDBPort, "database connections, TLS", 1},
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
	for _, cidr := range args.OperatorCIDRs {
		rules = append(rules, Rule{Peer(cidr.String()), Bastion, sshPort, fmt.Sprintf("SSH of operators from %s", cidr), 0})
	}
	return rules
}
