package deployer

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/iam"
	"cinema-database/internal/environment"
)

// widest are the longest names that a stack's policies have to fit: AWS's longest partition and region, and
// a stack's name of 32 characters.
var longestNames = names{
	Environment: environment.Environment{
		Project: "cinema", Stack: strings.Repeat("s", 32),
		Partition: "aws-us-gov", DNSSuffix: "amazonaws.com", Region: "ap-northeast-1", Account: "123456789012",
	},
	component: "deployer",
}

func TestPoliciesFitWhatIAMTakes(t *testing.T) {
	documents, err := renderPolicies(longestNames, &Settings{StateBucket: strings.Repeat("b", 63)})
	require.NoError(t, err)
	for _, p := range append(append(documents.read, documents.change...), documents.boundary) {
		t.Logf("%s: %d of 6144 characters", p.name, len(p.document))
		assert.LessOrEqual(t, len(p.document), 6144, p.name)
		assert.NotRegexp(t, `\{[\w:*-]+\}`, p.document, "%s has an ARN that is not filled in", p.name)
	}
	assert.LessOrEqual(t, len(documents.read)+len(documents.change), 10)
}

func TestTooLongAPolicyIsRefused(t *testing.T) {
	long := longestNames
	long.Stack = strings.Repeat("s", 400)
	_, err := renderPolicies(long, &Settings{})
	require.Error(t, err)
	assert.Regexp(t, `iam: deployer policy: "network" is \d+ characters long, and IAM takes 6144; move some of its types to another part in table.go`, err.Error())
}

func TestLiteralRefusesWhatIsNotKnown(t *testing.T) {
	_, err := iam.Literal(iam.Statement{Effect: iam.Allow, Actions: []string{"s3:GetObject"}, Resources: []pulumi.StringInput{pulumi.String("a").ToStringOutput()}})
	require.Error(t, err)
}

func TestMergedSaysTheSameInFewerStatements(t *testing.T) {
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
