package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cinema-database/internal/problem"
)

// acceptedCIDR draws any VPC that Settings.Check accepts.
func acceptedCIDR(t *rapid.T) netip.Prefix {
	block := rapid.SampledFrom(prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")).Draw(t, "block")
	bits := rapid.IntRange(max(minVPCBits, block.Bits()), maxVPCBits).Draw(t, "bits")
	base := binary.BigEndian.Uint32(block.Addr().AsSlice())
	host := rapid.Uint32Range(0, 1<<(32-block.Bits())-1).Draw(t, "host")
	var addr [4]byte
	binary.BigEndian.PutUint32(addr[:], base|host)
	return netip.PrefixFrom(netip.AddrFrom4(addr), bits).Masked()
}

func TestSubnetsStayInsideDisjointAndUnmoved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vpc := acceptedCIDR(t)
		zones := rapid.IntRange(MinZones, MaxZones).Draw(t, "zones")
		s := Settings{CIDR: vpc, NatGateways: NatSingle, LogRetentionDays: 7}
		for z := range zones {
			s.AvailabilityZones = append(s.AvailabilityZones, fmt.Sprintf("us-east-1%c", 'a'+z))
		}
		l := problem.In("")
		s.Check(l, "")
		require.NoError(t, l.Err())

		var seen []netip.Prefix
		for _, tier := range Tiers {
			for z := range zones {
				subnet := SubnetCIDR(vpc, tier, z)
				require.Equal(t, subnet.Masked(), subnet, "host bits")
				require.LessOrEqual(t, subnet.Bits(), 28, "AWS's smallest subnet")
				require.True(t, vpc.Contains(subnet.Addr()) && subnet.Bits() > vpc.Bits(), "%s is not inside %s", subnet, vpc)
				for _, other := range seen {
					require.False(t, subnet.Overlaps(other), "%s overlaps %s", subnet, other)
				}
				seen = append(seen, subnet)
			}
		}
	})
}

func TestAddingAZoneMovesNoSubnet(t *testing.T) {
	zones := []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"}
	three := cidrs(t, zones[:3])
	four := cidrs(t, zones)
	require.Len(t, three, 9)
	require.Len(t, four, 12)
	for name, cidr := range three {
		require.Equal(t, cidr, four[name], name)
	}
}

func cidrs(t *testing.T, zones []string) map[string]string {
	t.Helper()
	r := built(t, func(a *Args) { a.AvailabilityZones = zones })
	m := map[string]string{}
	for _, s := range r.ByType("aws:ec2/subnet:Subnet") {
		m[s.Name] = s.Text("cidrBlock")
	}
	return m
}
