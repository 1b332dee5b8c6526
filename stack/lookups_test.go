package stack

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"cinema-database/internal/testutil/pulumitest"
)

// ofFound are the look-ups that need what another look-up found.
var ofFound = []string{
	"aws:ebs/getVolume:getVolume", "aws:ec2/getInstance:getInstance", "aws:ec2/getSubnet:getSubnet", "aws:lb/getLoadBalancer:getLoadBalancer",
	"aws:ecr/getImage:getImage", "aws:secretsmanager/getSecret:getSecret",
}

// Every command waits for the look-ups before it shows anything. So they take two answers of AWS in a row, however many things
// there are.
func TestLookupsAreAskedTogether(t *testing.T) {
	deployed := pulumitest.As("", planned(t, "full", twoServices()))
	var first, second []string
	for _, token := range planned(t, "full", twoServices(), deployed).Lookups {
		if slices.Contains(ofFound, token) {
			second = append(second, token)
		} else {
			first = append(first, token)
		}
	}
	assert.Equal(t, slices.Sorted(slices.Values(ofFound)), slices.Compact(slices.Clone(second)))
	planned(t, "full", twoServices(), deployed, pulumitest.Together(t, first...), pulumitest.Together(t, second...))
}
