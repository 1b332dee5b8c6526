package network

import "fmt"

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
	// Operator networks are the CIDRs that config lets in to the bastion, each a peer of its own.
)

// Groups are the peers that get a security group, with what each group's description says.
var Groups = []struct {
	Peer Peer
	Tier Tier
	What string
}{
	{LoadBalancer, Public, "Application Load Balancer: the only door from the internet"},
	{Bastion, Public, "Bastion: the way of operators to the hosts"},
	{API, Private, "API instances"},
	{MongoDB, Database, "MongoDB host"},
}

const (
	sshPort   = 22
	httpPort  = 80
	httpsPort = 443
	// APIPort is where the API listens.
	APIPort   = 8081
	mongoPort = 27017
)

// Rule is one row of the traffic table: From may open TCP connections to To on Port, and Why.
type Rule struct {
	From, To Peer
	Port     int
	Why      string
}

// Traffic is every connection that the stack allows. Each row makes an egress rule on From's group and
// an ingress rule on To's, where they have one; what no row allows is refused.
func Traffic(args *Args) []Rule {
	rules := []Rule{
		{Internet, LoadBalancer, httpPort, "HTTP from clients"},
		{LoadBalancer, API, APIPort, "requests and health checks"},
		{API, MongoDB, mongoPort, "database connections, TLS"},
		{API, S3, httpsPort, "release, credentials and images"},
		{MongoDB, S3, httpsPort, "release, server package and credentials"},
		{Bastion, Internet, httpsPort, "Session Manager and EC2 Instance Connect"},
		{Bastion, API, sshPort, "operators, by EC2 Instance Connect"},
		{Bastion, MongoDB, sshPort, "operators, by EC2 Instance Connect"},
	}
	if args.HTTPS {
		rules = append(rules, Rule{Internet, LoadBalancer, httpsPort, "HTTPS from clients"})
	}
	if args.NatGateways != NatNone {
		rules = append(rules, Rule{API, Internet, httpsPort, "Session Manager, CloudWatch and package updates through NAT"})
	}
	for _, cidr := range args.OperatorCIDRs {
		rules = append(rules, Rule{Peer(cidr), Bastion, sshPort, fmt.Sprintf("SSH of operators from %s", cidr)})
	}
	return rules
}
