package network

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The zones of a live stack, by slot, and what may become of them. Members are in the first named zones.
func TestDeployedZones(t *testing.T) {
	for name, c := range map[string]struct {
		deployed, zones []string
		members         int
		// data are the zones with a data volume, those of the first members where nil.
		data    []string
		unkeyed string
		want    string // nothing is refused where empty
	}{
		"the same":                              {zones: []string{"a", "b", "c"}, deployed: []string{"a", "b", "c"}, members: 3},
		"one more":                              {deployed: []string{"a", "b"}, zones: []string{"a", "b", "c"}, members: 1},
		"without the first":                     {deployed: []string{"a", "b", "c"}, zones: []string{"", "b", "c"}, members: 1, want: `availabilityZones[0]: "" removes a, which has the data volume`},
		"a slot before the first":               {deployed: []string{"", "b", "c"}, zones: []string{"a", "b", "c"}, members: 1, want: `availabilityZones[0]: "a" comes before b, which has the data volume: the first zone has it; leave this slot free (""), and name a after b`},
		"two slots before the first":            {deployed: []string{"", "", "c"}, zones: []string{"a", "b", "c"}, members: 1, want: `availabilityZones[1]: "b" comes before c`},
		"a slot before the first, without data": {deployed: []string{"", "b", "c"}, zones: []string{"a", "b", "c"}, members: 1, data: []string{}},
		"a slot before the first volume":        {deployed: []string{"a", "b", "c"}, zones: []string{"a", "b", "c"}, members: 3, data: []string{"b"}},
		"a slot before that of one of three":    {deployed: []string{"", "b", "c"}, zones: []string{"a", "b", "c"}, members: 3, data: []string{"b"}},
		"a slot before a name without a zone":   {deployed: []string{"", "b", "c"}, zones: []string{"a", "b", "c"}, members: 3, data: []string{"b"}, unkeyed: "b", want: `availabilityZones[0]: "a" comes before b, which has the data volume`},
		"without a first zone, without data":    {deployed: []string{"a", "b", "c"}, zones: []string{"", "b", "c"}, members: 1, data: []string{}},
		"a later slot of one member":            {deployed: []string{"a", "", "c"}, zones: []string{"a", "b", "c"}, members: 1},
		"a member moves":                        {deployed: []string{"a", "b", "c", "d"}, zones: []string{"a", "", "c", "d"}, members: 3},
		"a member moves to a new zone":          {deployed: []string{"a", "b", "c"}, zones: []string{"a", "", "c", "d"}, members: 3},
		"the first member does not move":        {deployed: []string{"a", "b", "c", "d"}, zones: []string{"", "b", "c", "d"}, members: 3, want: "removes a, which has the data volume"},
		"a zone takes a member":                 {deployed: []string{"a", "", "c", "d"}, zones: []string{"a", "b", "c", "d"}, members: 3, want: `availabilityZones[1]: "b" would take the member of the database that is in d; leave this slot free (""), or free that of d, availabilityZones[3], in the same change to move the member`},
		"a member moves back":                   {deployed: []string{"a", "", "c", "d"}, zones: []string{"a", "b", "c"}, members: 3},
		"a zone without a member":               {deployed: []string{"a", "b", "c", "d"}, zones: []string{"a", "b", "c"}, members: 3},
	} {
		t.Run(name, func(t *testing.T) {
			var deployed Deployed
			for slot, zone := range c.deployed {
				if zone != "" {
					deployed = append(deployed, deployedSubnet{SubnetCIDR(vpc, Database, slot), zone})
				}
			}
			members := Members{Data: c.data, Unkeyed: c.unkeyed, Wanted: Named(c.zones)[:c.members]}
			if named := Named(c.deployed); c.data == nil {
				members.Data = named[:min(c.members, len(named))]
			}
			err := deployed.Check(vpc, c.zones, members)
			if c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.want)
			}
		})
	}
}

// One member becomes three, or three one, in any zones; a member whose host is gone is not in the way.
func TestMembersComeAndGo(t *testing.T) {
	zones := []string{"a", "b", "c"}
	for _, m := range []Members{
		{nil, zones, ""}, {zones[:1], zones, ""}, {zones, zones[:1], ""}, {[]string{"a", "c"}, zones, ""},
	} {
		assert.NoError(t, Deployed{}.Check(vpc, zones, m), "%v", m)
	}
}
