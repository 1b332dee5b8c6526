// Package network builds the three-tier VPC: subnets in fixed slots over two to four availability
// zones, their routes, the NAT gateways, the S3 gateway endpoints, the interface
// endpoints of services in containers without NAT, flow logs, the database tier's network ACL, and every security group and rule of the stack.
//
// It owns the traffic table (traffic.go), which every group rule and every ACL rule comes from: no other
// package makes a security group or a rule.
// It refuses a VPC outside /16…/23, repeated availability zones, and operator networks open to the world.
// It guarantees that the database tier's route table holds no default route.
package network
