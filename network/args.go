package network

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

// NatMode says how many NAT gateways the private tier leaves through.
type NatMode string

// The NAT modes. Each gateway costs by the hour and by the GB.
const (
	// NatNone leaves the private tier without a way out but the S3 endpoint.
	NatNone NatMode = "none"
	// NatSingle shares one gateway: the cheapest, and its zone's outage cuts every zone's egress.
	NatSingle NatMode = "single"
	// NatPerAZ gives each zone its own.
	NatPerAZ NatMode = "perAz"
)

// Bounds of the VPC's prefix length: AWS takes /16 to /28 (VPC user guide, "VPC CIDR blocks"), and a sixteenth of a
// /23 is a /27, the smallest subnet that a load balancer can grow in (Elastic Load Balancing user guide, "Subnets for your load balancer").
const (
	minVPCBits = 16
	maxVPCBits = 23
)

// Zone counts: a load balancer needs two; two bits of each subnet's slot number the zone.
const (
	MinZones = 2
	MaxZones = 4
	// DefaultZones is how many are taken from AWS where config names none.
	DefaultZones = 3
)

// minOperatorBits is the widest network that may be let in to the bastion's SSH port: the largest
// block ever given to one organisation.
const minOperatorBits = 8

// RetentionDays are the values CloudWatch Logs accepts (PutRetentionPolicy).
var RetentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// Settings is the network's shape, as stack config gives it.
type Settings struct {
	// CIDR of the VPC, /16 to /23, private (RFC 1918 or RFC 6598) and without host bits.
	CIDR string
	// AvailabilityZones by name, in slot order: append to add one. Empty: the first three of the region.
	AvailabilityZones []string
	// NatGateways says how many NAT gateways there are.
	NatGateways NatMode
	// OperatorCIDRs are the networks that may open SSH to the bastion. Empty: none, Session Manager only.
	OperatorCIDRs []string
	// LogRetentionDays of the flow logs, one of RetentionDays.
	LogRetentionDays int
}

// Args are the network's shape and surroundings.
type Args struct {
	Settings
	environment.Environment
	// Zones are those that LookupZones gives.
	Zones []string
	// HTTPS opens the load balancer's port 443 beside 80.
	HTTPS bool
	// ArtifactsBucketARN is the one bucket of the project that the database tier may reach.
	ArtifactsBucketARN pulumi.StringInput
	// ImagesBucketARN is what the private tier may reach beside it.
	ImagesBucketARN pulumi.StringInput
}

var zoneName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+[a-z]$`)

// Check adds what is wrong with s to l.
func (s Settings) Check(l *problem.List) {
	s.checkCIDR(l)
	s.checkZones(l)
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

func (s Settings) checkCIDR(l *problem.List) {
	const field = "vpcCidr"
	p, err := netip.ParsePrefix(s.CIDR)
	switch {
	case err != nil || !p.Addr().Is4():
		l.Add(field, s.CIDR, "is not an IPv4 network", "write it like 10.0.0.0/16")
	case p.Bits() < minVPCBits || p.Bits() > maxVPCBits:
		l.Add(field, s.CIDR, "cannot hold sixteen subnet slots of at least /27",
			fmt.Sprintf("use a prefix from /%d to /%d", minVPCBits, maxVPCBits))
	case p != p.Masked():
		l.Add(field, s.CIDR, "has host bits set", "use "+p.Masked().String())
	case !private(p):
		l.Add(field, s.CIDR, "is a public network, whose real hosts the VPC could not reach",
			"use one inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
	}
}

func private(p netip.Prefix) bool {
	return p.Addr().IsPrivate() || netip.MustParsePrefix("100.64.0.0/10").Contains(p.Addr())
}

func (s Settings) checkZones(l *problem.List) {
	const field = "availabilityZones"
	if n := len(s.AvailabilityZones); n > 0 && (n < MinZones || n > MaxZones) {
		l.Add(field, s.AvailabilityZones, fmt.Sprintf("names %d zones", n),
			fmt.Sprintf("name %d to %d, or none to take %d from AWS", MinZones, MaxZones, DefaultZones))
	}
	for i, z := range s.AvailabilityZones {
		at := fmt.Sprintf("%s[%d]", field, i)
		if !zoneName.MatchString(z) {
			l.Add(at, z, "is not the name of an availability zone", "write it like us-east-1a")
		}
		if slices.Contains(s.AvailabilityZones[:i], z) {
			l.Add(at, z, "appears twice", "name different zones")
		}
	}
}

func (s Settings) checkOperators(l *problem.List) {
	const fix = "name your own networks, like 203.0.113.0/24, or none and use Session Manager"
	for i, c := range s.OperatorCIDRs {
		at := fmt.Sprintf("bastion.cidrs[%d]", i)
		p, err := netip.ParsePrefix(c)
		switch {
		case err != nil:
			l.Add(at, c, "is not a network", fix)
		case p.Bits() == 0:
			l.Add(at, c, "opens the bastion's SSH port to the whole internet", fix)
		case !p.Addr().Is4():
			l.Add(at, c, "is IPv6, and the VPC has no IPv6", fix)
		case p.Bits() < minOperatorBits:
			l.Add(at, c, fmt.Sprintf("is wider than /%d, more than any one organisation holds", minOperatorBits), fix)
		case p != p.Masked():
			l.Add(at, c, "has host bits set", "use "+p.Masked().String())
		case slices.Contains(s.OperatorCIDRs[:i], c):
			l.Add(at, c, "appears twice", "remove one")
		}
	}
}
