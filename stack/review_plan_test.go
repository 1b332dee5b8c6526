package stack

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/internal/review"
	"cinema-database/internal/rollout"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

// TestReviewOfAPlan reviews plans that the engine writes for changes of a deployed stack. The golden files hold what the
// comment on a pull request says first. Run with -update after a change of the wording.
func TestReviewOfAPlan(t *testing.T) {
	const zones = `["us-east-1a","us-east-1b","us-east-1c"`
	base := map[string]string{"cinema:natGateways": "perAz", "cinema:availabilityZones": zones + "]", "cinema:database": "{}", "cinema:vpcCidr": "10.0.0.0/16",
		"cinema:edge": "{}", "cinema:protect": "false"}
	// released has another binary of a name.
	released := func(name string) review.Finder {
		return func(n, arch string) (*app.Binary, error) {
			if n == name {
				return app.NewBinary(n, arch, standIn("next "+n)), nil
			}
			return standIns(n, arch)
		}
	}
	// with adds resources to the program.
	with := func(add func(*pulumi.Context) error) func(pulumi.RunFunc) pulumi.RunFunc {
		return func(program pulumi.RunFunc) pulumi.RunFunc {
			return func(ctx *pulumi.Context) error {
				if err := program(ctx); err != nil {
					return err
				}
				return add(ctx)
			}
		}
	}
	const three = `{"members":3`
	deploy := func(database string) *sandbox.Session {
		config := maps.Clone(base)
		config["cinema:database"] = database
		s, _ := open(t, sandbox.Options{Stack: "dev", Quick: true, Config: config})
		_, err := s.Up(t.Context())
		require.NoError(t, err)
		return s
	}
	single, set := deploy("{}"), deploy(three+"}")
	id := func(typ, name string) string {
		for _, r := range single.Account().Resources() {
			if r.Type == typ && strings.HasSuffix(r.URN, "::"+name) {
				return r.ID
			}
		}
		require.Fail(t, "not deployed", name)
		return ""
	}
	role, group := id(roleType, "iam-api"), id(groupType, "network-load-balancer")

	for name, c := range map[string]struct {
		on      *sandbox.Session // nil for the stack with one member
		find    review.Finder
		config  map[string]string
		program func(pulumi.RunFunc) pulumi.RunFunc
		refused bool
	}{
		"release-of-cinema":          {find: released(contract.Cinema)},
		"release-of-cinema-db":       {find: released(contract.CinemaDB)},
		"nat-per-zone-to-one":        {config: map[string]string{"cinema:natGateways": "single"}},
		"fourth-zone":                {config: map[string]string{"cinema:availabilityZones": zones + `,"us-east-1d"]`}},
		"larger-database":            {config: map[string]string{"cinema:database": `{"instanceType":"t4g.large","volumeSize":40}`}},
		"one-member-to-three":        {config: map[string]string{"cinema:database": three + "}"}},
		"three-members-to-one":       {on: set},
		"release-of-cinema-db-three": {on: set, find: released(contract.CinemaDB), config: map[string]string{"cinema:database": three + "}"}},
		"larger-database-three":      {on: set, config: map[string]string{"cinema:database": three + `,"instanceType":"t4g.large","volumeSize":40}`}},
		"restore-three":              {on: set, config: map[string]string{"cinema:database": three + `,"restoreFrom":"snap-0123456789abcdef0"}`}},
		"wider-policy": {program: with(func(ctx *pulumi.Context) error {
			_, err := iam.NewRolePolicy(ctx, "api-everything", &iam.RolePolicyArgs{Role: pulumi.String(role),
				Policy: pulumi.String(`{"Version":"2012-10-17","Statement":[{"Sid":"Wide","Effect":"Allow","Action":["s3:DeleteObject","s3:GetObject"],"Resource":"*"}]}`)})
			return err
		})},
		"public-path": {program: with(func(ctx *pulumi.Context) error {
			_, err := ec2.NewSecurityGroupRule(ctx, "everyone", &ec2.SecurityGroupRuleArgs{
				Type: pulumi.String("ingress"), SecurityGroupId: pulumi.String(group), CidrBlocks: pulumi.ToStringArray([]string{"0.0.0.0/0"}),
				Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(80), ToPort: pulumi.Int(80), Description: pulumi.String("a test")})
			return err
		})},
		"protected":     {config: map[string]string{"cinema:protect": "true"}},
		"other-edge":    {config: map[string]string{"cinema:edge": "none"}},
		"other-network": {config: map[string]string{"cinema:vpcCidr": "10.8.0.0/16"}, refused: true},
		"nothing":       {},
	} {
		t.Run(name, func(t *testing.T) {
			s, find, change := cmp.Or(c.on, single), c.find, c.program
			if find == nil {
				find = standIns
			}
			if change == nil {
				change = func(p pulumi.RunFunc) pulumi.RunFunc { return p }
			}
			config := maps.Clone(base)
			maps.Copy(config, c.config)
			require.NoError(t, s.SetConfig(config))
			s.SetProgram(func(cloud rollout.Opener) pulumi.RunFunc {
				return change(Program(Dependencies{FindBinary: find, Cloud: cloud, Readme: "readme"}))
			})
			plan, err := s.PreviewJSON(t.Context())
			require.Equal(t, c.refused, err != nil, "%v", err)
			file := filepath.Join(t.TempDir(), "plan.json")
			require.NoError(t, os.WriteFile(file, plan, 0o600))
			args := []string{"--stack", "dev", "--plan", file, "--format", "md"}
			for k, v := range config {
				args = append(args, "-c", k+"="+v)
			}
			planned := func(review.Finder) pulumi.RunFunc { return change(programOn(find)) }
			text := pageOf(t, planned, args...)
			require.LessOrEqual(t, len(text), 65536)
			first, _, _ := strings.Cut(text, "<details><summary>Topology")
			first = regexp.MustCompile(`\b[0-9a-f]{40,}\b`).ReplaceAllString(first, "…")
			pulumitest.Golden(t, filepath.Join("stack", "testdata", "review", name+".md"), first)
		})
	}
}
