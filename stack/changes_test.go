package stack

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/awssim"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

// changing is a stack in the sandbox whose config changes.
type changing struct {
	*testing.T
	*sandbox.Session
	out *bytes.Buffer
}

func openChanging(t *testing.T, config map[string]string) *changing {
	c := &changing{T: t}
	c.Session, c.out = open(t, sandbox.Options{Quick: true, Config: config})
	_, err := c.Up(t.Context())
	require.NoError(t, err)
	return c
}

// works deploys a changed value, and returns what changed.
func (c *changing) works(key, value string) []string {
	c.Helper()
	require.NoError(c, c.SetConfig(map[string]string{"cinema:" + key: value}))
	up, err := c.Up(c.Context())
	require.NoError(c, err, value)
	_, err = c.Preview(c.Context(), true)
	require.NoError(c, err, "a second run changes nothing")
	return changed(up)
}

// refused previews a changed value, which is refused with each of the texts, and changes it back.
func (c *changing) refused(key, value, back string, want ...string) {
	c.Helper()
	before := held(c.T, c.Session)
	require.NoError(c, c.SetConfig(map[string]string{"cinema:" + key: value}))
	c.out.Reset()
	_, err := c.Preview(c.Context(), false)
	require.Error(c, err, value)
	for _, w := range want {
		assert.Contains(c, c.out.String(), w)
	}
	assert.Equal(c, before, held(c.T, c.Session))
	require.NoError(c, c.SetConfig(map[string]string{"cinema:" + key: back}))
}

// Host names come and go in any order: a rule's priority and the certificate follow from the names.
func TestChangedHosts(t *testing.T) {
	domain := func(names ...string) string {
		var hosts []string
		for _, n := range names {
			hosts = append(hosts, `{"name": "`+n+`.example.com", "service": "api"}`)
		}
		return `{"zone": "example.com", "createZone": true, "hosts": [` + strings.Join(hosts, ", ") + `]}`
	}
	c := openChanging(t, map[string]string{"cinema:domain": domain("b", "c")})
	assert.NotContains(t, strings.Join(c.works("domain", domain("c", "b")), " "), "api-certificate", "the order is not in the certificate")
	c.works("domain", domain("a", "c", "b"))
	c.works("domain", domain("b"))
	for _, r := range c.Account().Resources() {
		if r.Type == "aws:acm/certificate:Certificate" {
			assert.Equal(t, []any{"b.example.com"}, awssim.Properties(r.State).Mappable()["subjectAlternativeNames"])
		}
	}
}

func TestChangedNetwork(t *testing.T) {
	const zones, all = "availabilityZones", `["us-east-1a", "us-east-1b", "us-east-1c"]`
	c := openChanging(t, map[string]string{"cinema:" + zones: all})
	c.refused("vpcCidr", "10.9.0.0/16", "10.0.0.0/16", `vpcCidr: "10.9.0.0/16" is not the network of the deployed VPC, 10.0.0.0/16`, "docs/operations.md")
	c.refused(zones, `["us-east-1a", "us-east-1c", "us-east-1b"]`, all, "moves us-east-1b", "moves us-east-1c", "put us-east-1b back")
	c.refused(zones, `["us-east-1a", "us-east-1c"]`, all, `availabilityZones[1]: "us-east-1c" replaces us-east-1b, `,
		`set availabilityZones to ["us-east-1a", "", "us-east-1c"] and run `+"`pulumi up`\n", `availabilityZones[2]: "" moves us-east-1c`)
	c.refused(zones, `["", "us-east-1b", "us-east-1c"]`, all, "removes us-east-1a, which has the data volume")
	c.refused(zones, `["us-east-1a", "us-east-1d", "us-east-1c"]`, all, "replaces us-east-1b",
		`set availabilityZones to ["us-east-1a", "", "us-east-1c"] and run `)

	c.works(zones, `["us-east-1a", "", "us-east-1c"]`)
	c.works(zones, `["us-east-1a", "us-east-1d", "us-east-1c"]`)
	c.works(zones, `["us-east-1a", "us-east-1d", "us-east-1c", "us-east-1b"]`)
	c.works(zones, `["us-east-1a", "us-east-1d"]`)
}

// Without names, the zones are looked up at each run.
func TestStackFilesNameTheirZones(t *testing.T) {
	for _, name := range stacks {
		assert.Regexp(t, `(?m)^  cinema:availabilityZones:( \[|\n +- )us-east-1a`, read(t, "Pulumi."+name+".yaml"))
	}
}

// An update that failed half-way may leave any subnets and volumes: the next one goes on from them.
func TestUpdateGoesOnFromAnyZone(t *testing.T) {
	for _, stack := range []string{"dev", "full"} {
		whole := run(t, stack, nil)
		require.NoError(t, whole.Err)
		for _, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
			part := *whole
			part.Resources = slices.DeleteFunc(slices.Clone(whole.Resources), func(r *pulumitest.Resource) bool {
				return !strings.HasSuffix(r.Name, zone) || r.Type == instanceType
			})
			require.NotEmpty(t, part.Resources)
			assert.NoError(t, run(t, stack, nil, pulumitest.As("", &part)).Err, "%s: %s", stack, zone)
		}
	}
}
