package network

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Tier is one of the three rows of subnets.
type Tier string

// The tiers, in slot order.
const (
	Public   Tier = "public"
	Private  Tier = "private"
	Database Tier = "database"
)

// Tiers are all tiers, in slot order; the fourth slot of the two bits is spare.
var Tiers = []Tier{Public, Private, Database}

// slotBits number a subnet inside the VPC: two for the tier, two for the zone.
const slotBits = 4

// SubnetCIDR is the network of the tier's subnet in the zone-th zone (0…3): a sixteenth of the VPC.
// It depends on nothing else, so a zone or a tier that is added moves no subnet.
func SubnetCIDR(vpc netip.Prefix, tier Tier, zone int) netip.Prefix {
	bits := vpc.Bits() + slotBits
	slot := uint32(slices.Index(Tiers, tier)<<2 | zone)
	base := binary.BigEndian.Uint32(vpc.Addr().AsSlice())
	var addr [4]byte
	binary.BigEndian.PutUint32(addr[:], base|slot<<(32-bits))
	return netip.PrefixFrom(netip.AddrFrom4(addr), bits)
}
