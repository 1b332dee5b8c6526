package deployer

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/iam"
	"cinema-database/internal/environment"
)

// longestNames are AWS's longest partition and region, and a stack's name of 80 characters.
var longestNames = names{
	Environment: environment.Environment{
		Project: "cinema", Stack: strings.Repeat("s", 80),
		Partition: "aws-us-gov", DNSSuffix: "amazonaws.com", Region: "ap-northeast-1", Account: "123456789012",
	},
	component: "deployer",
	records:   slices.Repeat([]string{"_*." + strings.Repeat("h", 60) + ".example.com"}, 8), // of four hosts
}

func TestPoliciesFitIAMsLimits(t *testing.T) {
	policies, err := renderPolicies(longestNames, &Settings{StateBucket: strings.Repeat("b", 63)})
	require.NoError(t, err)
	for _, p := range append(append(policies.read, policies.change...), policies.boundary) {
		t.Logf("%s: %d of 6144 characters", p.name, len(p.document))
		assert.LessOrEqual(t, len(p.document), 6144, p.name)
		assert.NotRegexp(t, `\{[\w:*-]+\}`, p.document, "%s has an ARN that is not filled in", p.name)
	}
	assert.LessOrEqual(t, len(policies.read)+len(policies.change), 10)
}

func TestRefusesAPolicyThatIsTooLong(t *testing.T) {
	long := longestNames
	long.Stack = strings.Repeat("s", 400)
	_, err := renderPolicies(long, &Settings{})
	assert.Regexp(t, `deployer: policy: "network" is \d+ characters long, and IAM takes 6144; move some of its types to another part in table.go`, err)
}

func TestMergeGrants(t *testing.T) {
	n := longestNames
	statements := mergeGrants(n, []grant{
		{always, resources("s3:::a"), actions("s3:PutX")},
		{always, resources("s3:::a"), actions("s3:GetX", "s3:PutX")},
		{always, resources("s3:::b"), actions("s3:GetX", "s3:PutX")},
		{resourceTagged, resources("s3:::b"), actions("s3:GetX")},
	})
	require.Len(t, statements, 2)
	assert.Equal(t, []string{"s3:GetX", "s3:PutX"}, statements[0].Actions)
	assert.Equal(t, iam.Strings("arn:aws-us-gov:s3:::a", "arn:aws-us-gov:s3:::b"), statements[0].Resources)
	assert.Nil(t, statements[0].Conditions)
	assert.Equal(t, []string{"s3:GetX"}, statements[1].Actions)
	assert.Equal(t, iam.Strings("arn:aws-us-gov:s3:::b"), statements[1].Resources)
	assert.NotNil(t, statements[1].Conditions)
}
