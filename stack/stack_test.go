package stack

import (
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app"
	"cinema-database/internal/rollout"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

// The tests run in the project's folder, as the program does.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	// Where the tests run in a git hook, git would go to the hook's repository.
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} {
		_ = os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// program is the whole program on stand-ins for the binaries: plans must not depend on what was built last.
var program = programOn(standIns)

func programOn(find func(name, arch string) (*app.Binary, error)) pulumi.RunFunc {
	return Program(Dependencies{FindBinary: find, Readme: "readme"})
}

// sandboxed is programOn in a sandbox, whose account the gates use.
func sandboxed(find func(name, arch string) (*app.Binary, error)) sandbox.Program {
	return func(cloud rollout.Opener) pulumi.RunFunc {
		return Program(Dependencies{FindBinary: find, Cloud: cloud, Readme: "readme"})
	}
}

func standIns(name, arch string) (*app.Binary, error) {
	return app.NewBinary(name, arch, standIn(name+" for "+arch)), nil
}

// standIn returns the content of a stand-in: random, and different for each seed.
func standIn(seed string) []byte {
	data := make([]byte, 100<<10)
	sum := sha256.Sum256([]byte(seed))
	_, _ = rand.NewChaCha8(sum).Read(data) // never fails
	return data
}

// run runs the whole program on a stack's config file, with some keys changed.
func run(t *testing.T, name string, change map[string]string, opts ...pulumitest.Option) *pulumitest.Recording {
	t.Helper()
	config := pulumitest.StackConfig(t, "Pulumi."+name+".yaml")
	given := []pulumitest.Option{pulumitest.Stack("cinema", name), pulumitest.Config(config), pulumitest.Config(change)}
	return pulumitest.Run(t, program, append(given, opts...)...)
}

// planned is run for a program that must succeed.
func planned(t *testing.T, name string, change map[string]string, opts ...pulumitest.Option) *pulumitest.Recording {
	t.Helper()
	r := run(t, name, change, opts...)
	require.NoError(t, r.Err)
	return r
}

var stacks = []string{"dev", "prod", "full"}

func TestInventory(t *testing.T) {
	for _, name := range stacks {
		t.Run(name, func(t *testing.T) {
			pulumitest.Golden(t, "stack/testdata/inventory."+name+".golden", planned(t, name, nil).Inventory())
		})
	}
}

func TestPreviewShowsWhatUpMakes(t *testing.T) {
	for _, name := range stacks {
		assert.Equal(t, run(t, name, nil).Inventory(), planned(t, name, nil, pulumitest.Preview()).Inventory(), name)
	}
}

func TestSameConfigSamePlan(t *testing.T) {
	for _, name := range stacks {
		first := run(t, name, nil).Plan()
		for range 20 {
			require.Equal(t, first, run(t, name, nil).Plan(), name)
		}
	}
}

func TestEveryProblemOfTheConfigAtOnceAndNothingRegistered(t *testing.T) {
	r := run(t, "dev", map[string]string{
		"cinema:vpcCidr":           "10.0.0.0/28",
		"cinema:availabilityZones": `["us-east-1a","us-east-1b","us-east-1a"]`,
		"cinema:natGateways":       "many",
		"cinema:bastion":           `{"cidrs":["0.0.0.0/0"]}`,
		"cinema:protekt":           "true",
	})
	pulumitest.Refused(t, r,
		`cinema:vpcCidr: "10.0.0.0/28" cannot hold sixteen subnet slots of at least /27; use a prefix from /16 to /23`,
		`cinema:availabilityZones[2]: "us-east-1a" appears twice; name different zones`,
		`cinema:natGateways: "many" is not a NAT mode; use none, single or perAz`,
		`cinema:bastion.cidrs[0]: "0.0.0.0/0" opens the bastion's SSH port to the whole internet; name your own networks, like 203.0.113.0/24, or none and use Session Manager`,
		`cinema:protekt: true is a key that nothing reads; did you mean cinema:protect? Correct or remove it`,
	)
	assert.ErrorContains(t, r.Err, "5 errors occurred", "the SDK counts each")
}

func TestEveryChildIsParentedAndPrefixed(t *testing.T) {
	r := planned(t, "prod", nil)
	byURN := map[string]*pulumitest.Resource{}
	for _, res := range r.Resources {
		byURN[res.URN] = res
	}
	for _, res := range r.Resources {
		if !res.Custom {
			assert.NotEmpty(t, res.Outputs, "%s registers no outputs", res.Name)
			continue
		}
		parent := byURN[res.Parent]
		if assert.NotNil(t, parent, "%s has no parent", res.Name) {
			assert.True(t, strings.HasPrefix(res.Name, parent.Name+"-"), "%s is not prefixed by %s", res.Name, parent.Name)
		}
	}
}

func TestEverythingThatTakesTagsHasThem(t *testing.T) {
	r := planned(t, "prod", map[string]string{"cinema:tags": `{"CostCentre":"42"}`})
	for _, res := range r.Resources {
		if !res.Custom || res.Input("tags").IsNull() {
			continue
		}
		tags := map[string]string{}
		for _, tag := range list(res, "tags") { // an Auto Scaling group's
			tags[tag.ObjectValue()["key"].StringValue()] = tag.ObjectValue()["value"].StringValue()
		}
		for key, value := range as[resource.PropertyMap](res.Input("tags")) {
			tags[string(key)] = value.StringValue()
		}
		assert.Equal(t, "cinema", tags["Project"], res.Name)
		assert.Equal(t, "prod", tags["Stack"], res.Name)
		assert.NotEmpty(t, tags["Component"], res.Name)
		assert.True(t, strings.HasPrefix(tags["Name"], "cinema-prod-"), "Name tag of %s", res.Name)
		if res.Type == objectType {
			assert.LessOrEqual(t, len(tags), 10, "S3 takes ten tags on an object")
		} else {
			assert.Equal(t, "42", tags["CostCentre"], res.Name)
		}
	}
}

func TestProtectMarksExactlyTheStatefulResources(t *testing.T) {
	protected := func(value string) (lines string) {
		for _, res := range planned(t, "prod", map[string]string{"cinema:protect": value}).Resources {
			if res.Protect {
				lines += res.Type + " " + res.Name + "\n"
				assert.True(t, res.RetainOnDelete, "%s is protected but not retained", res.Name)
			}
		}
		return lines
	}
	pulumitest.Golden(t, "stack/testdata/protected.golden", protected("true"))
	assert.Empty(t, protected("false"))
}
