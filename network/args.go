package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/environment"
	"cinema-database/internal/format"
	"cinema-database/internal/problem"
)

// NatMode is how many NAT gateways the private tier has.
type NatMode string

// The NAT modes. Each gateway costs by the hour and by the GB.
const (
	// NatNone: the private tier reaches S3 only, through its endpoint.
	NatNone NatMode = "none"
	// NatSingle: all zones share one gateway. It is the cheapest mode, and an outage of the gateway's zone cuts the egress
	// of every zone.
	NatSingle NatMode = "single"
	// NatPerAZ: each zone has its own gateway.
	NatPerAZ NatMode = "perAz"
)

// Bounds of the VPC's prefix length: AWS accepts /16 to /28 (VPC user guide, "VPC CIDR blocks"), and a sixteenth of a
// /23 is a /27, the smallest subnet in which a load balancer can scale (Elastic Load Balancing user guide, "Subnets for your load balancer").
const (
	minVPCBits = 16
	maxVPCBits = 23
)

// Numbers of availability zones: a load balancer needs two, and a subnet's slot has two bits for the zone.
const (
	MinZones = 2
	MaxZones = 4
	// DefaultZones is how many of the region's zones are used where config names none.
	DefaultZones = 3
)

// minOperatorBits is the prefix length of the widest network that may open SSH to the bastion: the largest block that
// was ever assigned to one organization.
const minOperatorBits = 8

// RetentionDays are the values CloudWatch Logs accepts (PutRetentionPolicy).
var RetentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// Settings is the part of stack config about the network.
type Settings struct {
	// CIDR of the VPC, /16 to /23, private (RFC 1918 or RFC 6598) and without host bits.
	CIDR netip.Prefix
	// AvailabilityZones by name, in slot order: append to add one; an empty name keeps a slot free. Without any: the first
	// three of the region.
	AvailabilityZones []string
	NatGateways       NatMode
	// OperatorCIDRs are the networks that may open SSH to the bastion. Empty: none, Session Manager only.
	OperatorCIDRs []netip.Prefix
	// LogRetentionDays of the flow logs, one of RetentionDays.
	LogRetentionDays int
}

// Args is everything that New needs from config, AWS and the other components.
type Args struct {
	Settings
	environment.Environment
	// Zones are the availability zones that LookupZones returned, in slot order; an empty name is a free slot.
	Zones []string
	// Edge opens the load balancer to CloudFront only, otherwise it is open to the internet. HTTPS is its port: 443 instead of
	// 80 for CloudFront, and besides 80 for the internet.
	Edge, HTTPS bool
	// CloudFrontPrefixListID is what LookupCloudFront returned, where Edge is set.
	CloudFrontPrefixListID string
	// ArtifactsBucketARN is the only bucket of the stack that the database tier can reach.
	ArtifactsBucketARN pulumi.StringInput
	// ImagesBucketARN is the other bucket that the private tier can reach.
	ImagesBucketARN pulumi.StringInput
	// Services are the services in containers, sorted by name.
	Services []ServiceTraffic
	// ContainerHosts: instances run the tasks.
	ContainerHosts bool
	// Endpoints are the AWS services that have an interface endpoint, e.g. ecr.api. There are some only without NAT.
	Endpoints []string
}

// ServiceTraffic is what a service in containers may connect to, and the port that it listens on.
type ServiceTraffic struct {
	Name string
	Port int
	// Database allows connections to the database.
	Database bool
	// Public: the image is in another registry than the stack's, which only NAT reaches.
	Public bool
}

// Check adds a problem to l for each wrong setting. It skips a CIDR that l already has a problem with,
// because it could not be parsed. region is the stack's, empty where config does not name it.
func (s Settings) Check(l *problem.List, region string) {
	s.checkCIDR(l)
	s.checkZones(l, region)
	switch s.NatGateways {
	case NatNone, NatSingle, NatPerAZ:
	default:
		l.Add("natGateways", string(s.NatGateways), "is not a NAT mode", "use none, single or perAz")
	}
	s.checkOperators(l)
	if !slices.Contains(RetentionDays, s.LogRetentionDays) {
		l.Add("logRetentionDays", s.LogRetentionDays, "is not a retention that CloudWatch Logs knows",
			fmt.Sprintf("use one of %v", RetentionDays))
	}
}

const cidrField = "vpcCidr"

// ParseCIDR parses the VPC's network. Where it cannot, it adds a problem to l and returns the zero Prefix.
func ParseCIDR(l *problem.List, text string) netip.Prefix {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		addNotIPv4(l, text)
	}
	return p
}

func addNotIPv4(l *problem.List, text string) {
	l.Add(cidrField, text, "is not an IPv4 network", "write it like 10.0.0.0/16")
}

func (s Settings) checkCIDR(l *problem.List) {
	p := s.CIDR
	switch {
	case l.Has(cidrField):
	case !p.Addr().Is4():
		addNotIPv4(l, p.String())
	case p.Bits() < minVPCBits:
		l.Add(cidrField, p.String(), fmt.Sprintf("is larger than AWS allows for a VPC, /%d", minVPCBits), prefixFix)
	case p.Bits() > maxVPCBits:
		l.Add(cidrField, p.String(), "cannot hold sixteen subnet slots of at least /27", prefixFix)
	case p != p.Masked():
		l.Add(cidrField, p.String(), "has host bits set", "use "+p.Masked().String())
	case !private(p):
		l.Add(cidrField, p.String(), "is a public network, and the VPC could not reach its hosts on the internet",
			"use one inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
	}
}

var prefixFix = fmt.Sprintf("use a prefix from /%d to /%d", minVPCBits, maxVPCBits)

func private(p netip.Prefix) bool {
	return p.Addr().IsPrivate() || netip.MustParsePrefix("100.64.0.0/10").Contains(p.Addr())
}

// Named returns the zones without the free slots.
func Named(zones []string) (names []string) {
	for _, z := range zones {
		if z != "" {
			names = append(names, z)
		}
	}
	return names
}

// ZoneCount is how many availability zones there are.
func (s Settings) ZoneCount() int {
	if n := len(Named(s.AvailabilityZones)); n > 0 {
		return n
	}
	return DefaultZones
}

func (s Settings) checkZones(l *problem.List, region string) {
	const field = "availabilityZones"
	fix := fmt.Sprintf("name %d to %d, or none to use the first %d of the region", MinZones, MaxZones, DefaultZones)
	n, all := len(Named(s.AvailabilityZones)), problem.Literal("["+strings.Join(s.AvailabilityZones, ", ")+"]")
	switch {
	case n > 0 && n < MinZones:
		l.Add(field, all, fmt.Sprintf("names fewer zones than a load balancer needs, %d", MinZones), fix)
	case len(s.AvailabilityZones) > MaxZones:
		l.Add(field, all, fmt.Sprintf("has %d slots, and the network has %d", len(s.AvailabilityZones), MaxZones), fix)
	}
	for i, z := range s.AvailabilityZones {
		at := fmt.Sprintf("%s[%d]", field, i)
		if z == "" {
			continue
		}
		switch {
		case !format.AvailabilityZone(z):
			l.Add(at, z, "is not the name of an availability zone", "write it like us-east-1a")
		case !strings.HasPrefix(z, region):
			addOtherRegion(l, at, z, region)
		}
		if slices.Contains(s.AvailabilityZones[:i], z) {
			l.Add(at, z, "appears twice", "name different zones")
		}
	}
}

func addOtherRegion(l *problem.List, at, zone, region string) {
	l.Add(at, zone, "is not in the stack's region, "+region, "name zones of "+region+", or change aws:region")
}

const operatorFix = "name your own networks, like 203.0.113.0/24, or none and use Session Manager"

func operatorField(i int) string { return fmt.Sprintf("bastion.cidrs[%d]", i) }

// ParseOperatorCIDRs parses the operators' networks. For each that it cannot parse it adds a problem to l, and the zero
// Prefix to the result.
func ParseOperatorCIDRs(l *problem.List, texts []string) (cidrs []netip.Prefix) {
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			l.Add(operatorField(i), text, "is not a network", operatorFix)
		}
		cidrs = append(cidrs, p)
	}
	return cidrs
}

func (s Settings) checkOperators(l *problem.List) {
	const fix = operatorFix
	for i, p := range s.OperatorCIDRs {
		at, c := operatorField(i), p.String()
		switch {
		case l.Has(at):
		case !p.IsValid():
			l.Add(at, c, "is not a network", fix)
		case p.Bits() == 0:
			l.Add(at, c, "opens the bastion's SSH port to the whole internet", fix)
		case !p.Addr().Is4():
			l.Add(at, c, "is IPv6, and the VPC has no IPv6", fix)
		case p.Bits() < minOperatorBits:
			l.Add(at, c, fmt.Sprintf("is wider than /%d, more than any organization holds", minOperatorBits), fix)
		case p != p.Masked():
			l.Add(at, c, "has host bits set", "use "+p.Masked().String())
		case slices.Contains(s.OperatorCIDRs[:i], p):
			l.Add(at, c, "appears twice", "remove one")
		}
	}
}

// checkServices refuses services that cannot work in the network.
func (a *Args) checkServices(l *problem.List) {
	for _, s := range a.Services {
		if s.Public && a.NatGateways == NatNone {
			l.Add("services."+s.Name, s.Name, "has an image in another registry, which the private tier cannot reach without NAT",
				"set natGateways, or push the image to the service's own repository")
		}
	}
	if len(a.Endpoints) > 0 && a.NatGateways != NatNone {
		l.Add("natGateways", string(a.NatGateways), "reaches AWS without interface endpoints", "leave them out")
	}
}
