package network

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

func TestLookupZones(t *testing.T) {
	for name, c := range map[string]struct {
		configured, types, want []string
		excluded, err           string
	}{
		"the first three": {nil, []string{"t4g.nano", "t4g.micro"}, []string{"us-east-1a", "us-east-1b", "us-east-1c"}, "use1-az4", ""},
		"the configured":  {[]string{"us-east-1f", "us-east-1a"}, []string{"t4g.nano"}, []string{"us-east-1f", "us-east-1a"}, "", ""},
		"without a service": {nil, []string{"t4g.nano"}, nil, "use1-az1",
			`network: availabilityZones[1]: "us-east-1b" does not offer a service; name 2 to 4 of us-east-1a, us-east-1c, us-east-1d, us-east-1f in cinema:availabilityZones`},
		"without the types": {[]string{"us-east-1a", "us-east-1e"}, []string{"t4g.nano", "t4g.micro", "t4g.nano"}, nil, "",
			`network: availabilityZones[1]: "us-east-1e" does not offer t4g.nano, t4g.micro; name 2 to 4 of us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1f in cinema:availabilityZones`},
	} {
		t.Run(name, func(t *testing.T) {
			var zones []string
			r := pulumitest.Run(t, func(ctx *pulumi.Context) (err error) {
				zones, err = LookupZones(ctx, c.configured, func(zoneID string) []string {
					if zoneID == c.excluded {
						return []string{"a service"}
					}
					return nil
				}, c.types...)
				return err
			})
			if c.err != "" {
				require.ErrorContains(t, r.Err, c.err)
				return
			}
			require.NoError(t, r.Err)
			assert.Equal(t, c.want, zones)
		})
	}
}

// A default zone is refused for the same reason as a configured one.
func TestZonesMustOfferTheTypes(t *testing.T) {
	region := []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"}
	without := func(zones ...string) func(string) []string {
		return func(z string) []string {
			if slices.Contains(zones, z) {
				return []string{"t4g.nano"}
			}
			return nil
		}
	}
	require.NoError(t, checkOffers(region[:3], region, without("us-east-1d")))
	assert.EqualError(t, checkOffers(region[:3], region, without("us-east-1a")),
		`network: availabilityZones[0]: "us-east-1a" does not offer t4g.nano; name 2 to 4 of us-east-1b, us-east-1c, us-east-1d in cinema:availabilityZones`)
	assert.EqualError(t, checkOffers(region[:3], region, without("us-east-1b", "us-east-1c", "us-east-1d")),
		`network: availabilityZones[1]: "us-east-1b" does not offer t4g.nano; use other instance types
network: availabilityZones[2]: "us-east-1c" does not offer t4g.nano; use other instance types`)
	assert.EqualError(t, checkOffers([]string{"us-east-1a", "us-west-2a"}, region, without("us-west-2a")),
		`network: availabilityZones[1]: "us-west-2a" is not in the stack's region, us-east-1; name zones of us-east-1, or change aws:region`)
}
