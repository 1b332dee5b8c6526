// Package edge builds the front door of the stack: with the edge, one CloudFront distribution that serves the client from
// its bucket, and the API and the paths of services through a VPC origin, with its firewall and access logs; one more for
// each service with a host name of its own; in both modes the host names, their certificates and their DNS records.
//
// It refuses host names outside the hosted zone, partitions and availability zones without VPC origins, and a change of the
// mode while AWS would refuse to delete the load balancer that goes. No other package makes a public DNS record.
package edge
