package config

import (
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"cinema-database/compute"
	"cinema-database/containers"
	"cinema-database/internal/problem"
	"cinema-database/internal/rollout"
	"cinema-database/internal/testutil/pulumitest"
	"cinema-database/network"
)

func load(t *testing.T, values map[string]string) (*Config, error) {
	t.Helper()
	var cfg *Config
	r := pulumitest.Run(t, func(ctx *pulumi.Context) (err error) {
		cfg, err = Load(ctx)
		return err
	}, pulumitest.Config(values))
	require.Empty(t, r.Resources)
	return cfg, r.Err
}

func TestDefaults(t *testing.T) {
	cfg, err := load(t, nil)
	require.NoError(t, err)
	assert.Equal(t, netip.MustParsePrefix("10.0.0.0/16"), cfg.Network.CIDR)
	assert.Equal(t, network.NatSingle, cfg.Network.NatGateways)
	assert.Empty(t, cfg.Network.OperatorCIDRs)
	assert.Equal(t, compute.ARM64, cfg.Architecture)
	assert.Equal(t, "t4g.nano", cfg.Bastion.InstanceType)
	assert.True(t, cfg.Protect, "protection is the default")
	assert.Equal(t, 30, cfg.LogRetentionDays)
}

func TestValues(t *testing.T) {
	cfg, err := load(t, map[string]string{
		"cinema:architecture": "amd64", "cinema:availabilityZones": `["eu-west-1a","eu-west-1b"]`, "aws:region": "eu-west-1",
		"cinema:bastion": `{"cidrs":["203.0.113.0/24"]}`, "cinema:protect": "false", "cinema:logRetentionDays": "7",
		"cinema:release": `{"wait":0}`, "cinema:tags": `{"Owner":"films"}`, "another:key": "is not ours",
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"eu-west-1a", "eu-west-1b"}, cfg.Network.AvailabilityZones)
	assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, cfg.Network.OperatorCIDRs)
	assert.Equal(t, "t3.nano", cfg.Bastion.InstanceType, "the default follows the architecture, also next to other fields")
	assert.False(t, cfg.Protect)
	assert.Equal(t, rollout.Settings{Checkpoints: []int{34}, Bake: 5 * time.Minute, Readiness: true}, cfg.Release)
	assert.Equal(t, 7, cfg.Network.LogRetentionDays)
	assert.Equal(t, map[string]string{"Owner": "films"}, cfg.Tags)
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct{ key, value, want string }{
		"instance type":         {"cinema:bastion", `{"instanceType":"t4g"}`, `cinema:bastion.instanceType: "t4g" is not an EC2 instance type; write it like t4g.small`},
		"wrong processor":       {"cinema:bastion", `{"instanceType":"t3.nano"}`, `cinema:bastion.instanceType: "t3.nano" runs amd64, and the stack is built for arm64`},
		"not an operator":       {"cinema:bastion", `{"cidrs":["10.0.0.0/8","home"]}`, `cinema:bastion.cidrs[1]: "home" is not a network; name your own`},
		"reserved tag":          {"cinema:tags", `{"Name":"x"}`, `cinema:tags.Name: "x" is a tag that the stack sets itself`},
		"reserved but for case": {"cinema:tags", `{"project":"x"}`, `cinema:tags.project: "x" is a tag that the stack sets itself`},
		"same but for case":     {"cinema:tags", `{"Owner":"x","owner":"y"}`, `cinema:tags.owner: "y" has the key of another tag but for case`},
		"tag's character":       {"cinema:tags", `{"Owner":"a&b"}`, `cinema:tags.Owner: "a&b" has a character that AWS refuses`},
		"release's wait":        {"cinema:release", `{"wait":"soon"}`, `cinema:release.wait: "soon" is not a duration; write it like 45m, or 0`},
		"release's bake":        {"cinema:release", `{"bake":"72h"}`, `cinema:release.bake: 72h0m0s is not between 0 and 48h0m0s`},
		"release's checkpoints": {"cinema:release", `{"checkpoints":[50,20]}`, `cinema:release.checkpoints[1]: 20 is not an ascending percentage`},
		"AWS's tag prefix":      {"cinema:tags", `{"aws:x":"y"}`, `cinema:tags.aws:x: "y" has the prefix that AWS reserves`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, map[string]string{c.key: c.value})
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestNamesThatCannotBecomePhysicalNames(t *testing.T) {
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, err := Load(ctx)
		return err
	}, pulumitest.Stack("sg", "-"), pulumitest.Config(map[string]string{"sg:protect": "yes"}))
	pulumitest.Refused(t, r, `project name "sg": AWS reserves`, `stack name "-": holds no letter`, `sg:protect: "yes" is text`)
}

// One table has the keys: README.md and Pulumi.yaml are generated from it, and Load reads each of its keys and fields.
func TestDocumentsShowTheTable(t *testing.T) {
	for path, c := range map[string]struct{ block, want string }{
		"../../README.md":   {`(?m)^\| key \| default \| meaning \|\n(\|.*\n)*`, readmeTable()},
		"../../Pulumi.yaml": {`(?m)^config:\n([ #].*\n)*`, projectSchema()},
	} {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		block := regexp.MustCompile(c.block)
		require.Len(t, block.FindAll(data, -1), 1, path)
		pulumitest.Golden(t, path, block.ReplaceAllLiteralString(string(data), c.want))
	}
}

func TestLoadReadsTheTable(t *testing.T) {
	read := map[string]bool{}
	pulumitest.Run(t, func(ctx *pulumi.Context) error {
		r := newReader(ctx, problem.In(""))
		r.config()
		for name, target := range r.targets {
			for target.Kind() == reflect.Pointer {
				target = target.Elem()
			}
			if target.Kind() == reflect.Map && len(fields(name+".*")) > 0 {
				name, target = name+".*", target.Elem()
			}
			if len(fields(name)) > 0 {
				for i := range target.NumField() {
					if field := target.Field(i).Tag.Get("json"); field != "-" {
						read[name+"."+field] = true
					}
				}
			}
		}
		return nil
	})
	for _, k := range keys {
		assert.True(t, read[k.Name] || !strings.Contains(k.Name, "."), "nothing reads %s", k.Name)
		delete(read, k.Name)
	}
	assert.Empty(t, read, "fields that the table lacks")
}

// The defaults of an element of a map are its own method's, and the table has the same.
func TestDefaultsOfElementsAreTheTables(t *testing.T) {
	cfg, err := load(t, map[string]string{"cinema:services": `{"demo":{"image":"v1","path":"/demo/*","count":{"max":7}}}`})
	require.NoError(t, err)
	demo := cfg.Services["demo"]
	assert.Equal(t, containers.Count{Min: 2, Max: 7}, demo.Count)
	demo.Image, demo.Path, demo.Count.Max = "", "", 4
	var want containers.Service
	r := newReader(nil, problem.In(""))
	table := map[string]any{}
	for _, k := range fields("services.*") {
		table[strings.TrimPrefix(k.Name, "services.*.")] = r.defaults[k.Name]
	}
	text, err := json.Marshal(table)
	require.NoError(t, err)
	problems := problem.In("")
	decoder{problems}.decode("", parse(string(text)), reflect.ValueOf(&want).Elem())
	require.NoError(t, problems.Err())
	want.Environment, want.Secrets = nil, nil
	assert.Equal(t, want, demo)
}

func TestDefaultsOfThePulumiProjectAreTheProgramsOwn(t *testing.T) {
	var project struct {
		Config map[string]struct{ Default yaml.Node }
	}
	require.NoError(t, yaml.Unmarshal([]byte(projectSchema()), &project))
	values := map[string]string{}
	for name, c := range project.Config {
		values["cinema:"+name] = c.Default.Value + map[yaml.Kind]string{yaml.SequenceNode: "[]", yaml.MappingNode: "{}"}[c.Default.Kind]
	}
	require.Len(t, values, len(topLevel())-len(switches))
	implicit, err := load(t, nil)
	require.NoError(t, err)
	explicit, err := load(t, values)
	require.NoError(t, err)
	implicit.Tags, implicit.Network.AvailabilityZones = map[string]string{}, []string{}
	assert.Empty(t, implicit.Services)
	assert.Equal(t, implicit, explicit)
}
