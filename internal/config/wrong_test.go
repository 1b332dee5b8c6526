package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/aws-sdk-go-base/v2/endpoints"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/plan"
	"cinema-database/internal/testutil/pulumitest"
)

// loadFile loads a stack's file, whose config is the given YAML, with the project's own Pulumi.yaml.
func loadFile(t *testing.T, config string) error {
	t.Helper()
	dir := t.TempDir()
	project, err := os.ReadFile("../../Pulumi.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), project, 0o600))
	text := "config:\n  " + strings.ReplaceAll(strings.TrimSpace(config), "\n", "\n  ") + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.dev.yaml"), []byte(text), 0o600))
	stack, err := plan.ReadStack(dir, "dev", nil)
	require.NoError(t, err)
	var refused error
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, refused = Load(ctx)
		return refused
	}, pulumitest.Stack(stack.Project, "dev"), pulumitest.Config(stack.Config))
	require.Empty(t, r.Resources)
	return refused
}

// The values are as a stack's file has them, and the messages are whole.
func TestWrongConfigs(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		// another kind
		{`cinema:protect: yes`, `cinema:protect: "yes" is text; write true or false`},
		{`cinema:protect: ""`, `cinema:protect: "" is an empty value; write true or false, or remove it`},
		{`cinema:protect: 1`, `cinema:protect: 1 is a number; write true or false`},
		{`cinema:protect:`, `cinema:protect: "" is an empty value; write true or false, or remove it`},
		{`cinema:protect: [true]`, `cinema:protect: [true] is a list; write true or false`},
		{`cinema:protect: "True"`, `cinema:protect: "True" is text; write true or false`},
		{`cinema:logRetentionDays: a week`, `cinema:logRetentionDays: "a week" is text; write a whole number`},
		{`cinema:logRetentionDays: "30 days"`, `cinema:logRetentionDays: "30 days" is text; write a whole number`},
		{`cinema:logRetentionDays: 30.5`, `cinema:logRetentionDays: 30.5 is not a whole number; write it without a fraction or an exponent`},
		{`cinema:logRetentionDays: 99999999999999999999`, `cinema:logRetentionDays: 100000000000000000000 is a number too large to read; write a smaller one`},
		{`cinema:logRetentionDays: 18446744073709551615`, `cinema:logRetentionDays: 18446744073709551615 is a number too large to read; write a smaller one`},
		{`cinema:logRetentionDays: true`, `cinema:logRetentionDays: true is a boolean; write a whole number, or remove it`},
		{`cinema:logRetentionDays: {days: 30}`, `cinema:logRetentionDays: {"days":30} is a map; write a whole number`},
		{`cinema:vpcCidr: [10.0.0.0/16]`, `cinema:vpcCidr: ["10.0.0.0/16"] is a list; write text`},
		{`cinema:vpcCidr:`, `cinema:vpcCidr: "" is not an IPv4 network; write it like 10.0.0.0/16`},
		{`cinema:availabilityZones: us-east-1a`, `cinema:availabilityZones: "us-east-1a" is text; write a list: ["us-east-1a"]`},
		{`cinema:availabilityZones: us-east-1a, us-east-1b`, `cinema:availabilityZones: "us-east-1a, us-east-1b" is text; write a list: ["us-east-1a", "us-east-1b"]`},
		{`cinema:availabilityZones: {first: us-east-1a}`, `cinema:availabilityZones: {"first":"us-east-1a"} is a map; write a list: [text, …]`},
		{`cinema:availabilityZones: [us-east-1a, 2, null]`, `cinema:availabilityZones[1]: 2 is a number; write text, in quotes: "2"` + "\n" +
			`cinema:availabilityZones[2]: null is an empty value; write text, or remove it`},
		{`cinema:api: [3, 6]`, `cinema:api: [3,6] is a list; write a map: {instanceType: text, minSize: number, maxSize: number, allowedOrigins: [text, …]}`},
		{`cinema:api: t4g.small`, `cinema:api: "t4g.small" is text; write a map: {instanceType: text, minSize: number, maxSize: number, allowedOrigins: [text, …]}`},
		{`cinema:api: {minSize: "3"}`, `cinema:api.minSize: "3" is text; write a whole number, without quotes`},
		{`cinema:api: {minSize: three}`, `cinema:api.minSize: "three" is text; write a whole number`},
		{`cinema:api: {minSize: 2.5, maxSize: 3.0}`, `cinema:api.minSize: 2.5 is not a whole number; write it without a fraction or an exponent`},
		{`cinema:api: {minSize: }`, `cinema:api.minSize: null is an empty value; write a whole number, or remove it`},
		{`cinema:api: {minSize: 100000000000000000000}`, `cinema:api.minSize: 100000000000000000000 is a number too large to read; write a smaller one`},
		{`cinema:api: {instanceType: 4}`, `cinema:api.instanceType: 4 is a number; write text, in quotes: "4"`},
		{`cinema:api: {minSize: "1", maxSize: 2}`, `cinema:api.minSize: "1" is text; write a whole number, without quotes`},
		{`cinema:api: {allowedOrigins: https://films.example.com}`, `cinema:api.allowedOrigins: "https://films.example.com" is text; write a list: ["https://films.example.com"]`},
		{`cinema:domain: {createZone: "true", zone: example.com, hosts: [{name: example.com, service: api}]}`, `cinema:domain.createZone: "true" is text; write true or false, without quotes`},
		{`cinema:domain: {zone: example.com, hosts: [api.example.com]}`, `cinema:domain.hosts[0]: "api.example.com" is text; write a map: {name: text, service: text}`},
		{`cinema:domain: {zone: example.com, hosts: {name: api.example.com}}`, `cinema:domain.hosts: {"name":"api.example.com"} is a map; write a list: [{name: text, service: text}, …]`},
		{`cinema:domain: {zone: example.com, hosts: [{name: 7, service: api}]}`, `cinema:domain.hosts[0].name: 7 is a number; write text, in quotes: "7"`},
		{`cinema:alarms:`, `cinema:alarms: "" is an empty value; write a map: {email: text, monthlyBudget: number}, {} for its defaults, or remove it`},
		{`cinema:alarms: true`, `cinema:alarms: true is a boolean; write a map: {email: text, monthlyBudget: number}, {} for its defaults, or remove it`},
		{`cinema:alarms: ops@example.com`, `cinema:alarms: "ops@example.com" is text; write a map: {email: text, monthlyBudget: number}`},
		{`cinema:alarms: {email: [ops@example.com]}`, `cinema:alarms.email: ["ops@example.com"] is a list; write text`},
		{`cinema:deployer: example/cinema`, `cinema:deployer: "example/cinema" is text; write a map: {github: text, branch: text, environment: text, provider: text, stateBucket: text}`},
		{`cinema:edge: true`, `cinema:edge: true is a boolean; write text, or a map: {mode: text, waf: text}, {} for its defaults, or remove it`},
		{`cinema:edge: [none]`, `cinema:edge: ["none"] is a list; write text, or a map: {mode: text, waf: text}`},
		{`cinema:edge: {waf: false}`, `cinema:edge.waf: false is a boolean; write text, in quotes: "false"`},
		{`cinema:tags: {CostCentre: 42}`, `cinema:tags.CostCentre: 42 is a number; write text, in quotes: "42"`},
		{`cinema:tags: {Internal: true, Owner: films}`, `cinema:tags.Internal: true is a boolean; write text, in quotes: "true"`},
		{`cinema:tags: [Owner]`, `cinema:tags: ["Owner"] is a list; write a map: {name: text, …}`},
		{`cinema:release: {checkpoints: 34}`, `cinema:release.checkpoints: 34 is a number; write a list: [number, …]`},
		{`cinema:release: {checkpoints: [a third]}`, `cinema:release.checkpoints[0]: "a third" is text; write a whole number`},
		{`cinema:release: {wait: [45m]}`, `cinema:release.wait: ["45m"] is a list; write text`},
		{`cinema:release: {wait: 45, bake: soon}`, `cinema:release.wait: "45" is not a duration; write it like 45m, or 0` + "\n" +
			`cinema:release.bake: "soon" is not a duration; write it like 5m, or 0`},
		{`cinema:bastion: '{} {}'`, `cinema:bastion: "{} {}" is text that is not one JSON value; write a map: {cidrs: [text, …], instanceType: text}`},
		{`cinema:bastion: '{"cidrs": ["203.0.113.0/24"}'`, `cinema:bastion: "{\"cidrs\": [\"203.0.113.0/24\"}" is text that is not one JSON value; write a map: {cidrs: [text, …], instanceType: text}`},
		// a field or key that does not exist
		{`cinema:api: {minsize: 3}`, `cinema:api.minsize: 3 is a field that nothing reads; did you mean minSize? Correct or remove it`},
		{`cinema:bastion: {cidr: [203.0.113.0/24]}`, `cinema:bastion.cidr: ["203.0.113.0/24"] is a field that nothing reads; did you mean cidrs? Correct or remove it`},
		{`cinema:backups: {onceADay: true}`, `cinema:backups.onceADay: true is a field that nothing reads; remove it`},
		{`cinema:alarms: {email: ops@example.com, budget: {usd: 100}}`, `cinema:alarms.budget: {"usd":100} is a field that nothing reads; remove it`},
		{`cinema:natGateway: single`, `cinema:natGateway: "single" is a key that nothing reads; did you mean cinema:natGateways? Correct or remove it`},
		{`cinema:minSize: 4`, `cinema:minSize: 4 is a key that nothing reads; did you mean cinema:api.minSize? Write it in cinema:api, or run: pulumi config set --path 'cinema:api.minSize' 4 --stack dev && pulumi config rm 'cinema:minSize' --stack dev`},
		{`cinema:instanceType: t4g.small`, `cinema:instanceType: "t4g.small" is a key that nothing reads; did you mean cinema:bastion.instanceType or cinema:api.instanceType or cinema:database.instanceType or cinema:containers.instanceType? Correct or remove it`},
		{`cinema:somethingElse: 4`, `cinema:somethingElse: 4 is a key that nothing reads; remove it; README.md lists the keys`},
		{`cinema:api.minSize: 4`, `cinema:api.minSize: 4 is a key that nothing reads; write it in cinema:api, or run: pulumi config set --path 'cinema:api.minSize' 4 --stack dev && pulumi config rm 'cinema:api.minSize' --stack dev`},
		{`cinema:thumbnailer.concurrency: -1`, `cinema:thumbnailer.concurrency: -1 is a key that nothing reads; write it in cinema:thumbnailer, or run: pulumi config set --path 'cinema:thumbnailer.concurrency' --stack dev -- -1 && pulumi config rm 'cinema:thumbnailer.concurrency' --stack dev`},
		{`cinema:tags.Owner: it's us`, `cinema:tags.Owner: "it's us" is a key that nothing reads; write it in cinema:tags, or run: pulumi config set --path 'cinema:tags.Owner' 'it'\''s us' --stack dev && pulumi config rm 'cinema:tags.Owner' --stack dev`},
		{`cinema:bastion.cidrs: [203.0.113.0/24]`, `cinema:bastion.cidrs: ["203.0.113.0/24"] is a key that nothing reads; write it in cinema:bastion`},
		{`cinema:availabilityZones[0]: us-east-1a`, `cinema:availabilityZones[0]: "us-east-1a" is a key that nothing reads; write it in cinema:availabilityZones, or run: pulumi config set --path 'cinema:availabilityZones[0]' 'us-east-1a' --stack dev && pulumi config rm 'cinema:availabilityZones[0]' --stack dev`},
		{`movies:vpcCidr: 10.0.0.0/16`, `movies:vpcCidr: "10.0.0.0/16" is a value of another project, and this one is cinema; rename the key to cinema:vpcCidr, or remove it`},
		// values
		{`cinema:architecture: riscv`, `cinema:architecture: "riscv" is none of arm64, amd64; use one of them`},
		{`cinema:vpcCidr: 10.0.0.0/8`, `cinema:vpcCidr: "10.0.0.0/8" is larger than AWS allows for a VPC, /16; use a prefix from /16 to /23`},
		{`cinema:vpcCidr: 10.0.0.0/24`, `cinema:vpcCidr: "10.0.0.0/24" cannot hold sixteen subnet slots of at least /27; use a prefix from /16 to /23`},
		{`cinema:vpcCidr: 10.0.0.1/16`, `cinema:vpcCidr: "10.0.0.1/16" has host bits set; use 10.0.0.0/16`},
		{`cinema:availabilityZones: [us-east-1a]`, `cinema:availabilityZones: [us-east-1a] names fewer zones than a load balancer needs, 2; name 2 to 4, or none to use the first 3 of the region`},
		{`cinema:availabilityZones: [us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1f]`, `cinema:availabilityZones: [us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1f] has 5 slots, and the network has 4; name 2 to 4, or none to use the first 3 of the region`},
		{"aws:region: us-east-1\ncinema:availabilityZones: [us-east-1a, us-west-2b]", `cinema:availabilityZones[1]: "us-west-2b" is not in the stack's region, us-east-1; name zones of us-east-1, or change aws:region`},
		{"aws:region: us-eest-1\ncinema:availabilityZones: [us-east-1a, us-east-1b]", `aws:region: "us-eest-1" is not an AWS region; did you mean us-east-1?`},
		{`aws:region: virginia`, `aws:region: "virginia" is not an AWS region; did you mean us-east-1?`},
		{"aws:region: us-east-1\ncinema:replicaRegion: us-wset-2", `cinema:replicaRegion: "us-wset-2" is not an AWS region; did you mean us-west-2?`},
		{"aws:region: us-east-1\ncinema:replicaRegion: us-east-1", `cinema:replicaRegion: "us-east-1" is not a region other than the stack's; write one like us-west-2, or remove it`},
		// several
		{"cinema:protect: yes\ncinema:api: {minSize: '3', maxSizes: 4}\ncinema:natGateways: two\ncinema:vpcCidr: ten", `cinema:protect: "yes" is text; write true or false` + "\n" +
			`cinema:vpcCidr: "ten" is not an IPv4 network; write it like 10.0.0.0/16` + "\n" +
			`cinema:api.maxSizes: 4 is a field that nothing reads; did you mean maxSize? Correct or remove it` + "\n" +
			`cinema:api.minSize: "3" is text; write a whole number, without quotes` + "\n" +
			`cinema:natGateways: "two" is not a NAT mode; use none, single or perAz`},
	} {
		t.Run(c.config, func(t *testing.T) { assert.EqualError(t, loadFile(t, c.config), c.want) })
	}
}

// Pulumi hands decrypted values to the program.
func TestSecretsAreNotShown(t *testing.T) {
	var refused error
	pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, refused = Load(ctx)
		return refused
	}, pulumitest.SecretConfig(map[string]string{
		"cinema:alarms":           `{"email":"hunter2","monthlyBudget":"hunter3"}`,
		"cinema:domain":           `{"zone":"hunter4.example","hosts":[{"name":"hunter5.example","service":"api"}]}`,
		"cinema:bastion":          `{"cidrs": hunter6`,
		"cinema:protect":          "hunter7",
		"cinema:password":         "hunter8",
		"cinema:api.instanceType": "hunter9",
		"movies:vpcCidr":          "hunter10",
		"aws:region":              "hunter11",
	}))
	assert.EqualError(t, refused, `cinema:protect: [secret] is text; write true or false
cinema:bastion: [secret] is text that is not one JSON value; write a map: {cidrs: [text, …], instanceType: text}
cinema:alarms.monthlyBudget: [secret] is text; write a whole number
cinema:api.instanceType: [secret] is a key that nothing reads; write it in cinema:api, or run: pulumi config set --path 'cinema:api.instanceType' --secret --stack dev && pulumi config rm 'cinema:api.instanceType' --stack dev
cinema:password: [secret] is a key that nothing reads; remove it; README.md lists the keys
movies:vpcCidr: [secret] is a value of another project, and this one is cinema; rename the key to cinema:vpcCidr, or remove it
aws:region: "[secret]" is not an AWS region; did you mean us-east-1?
cinema:domain.hosts[0].name: [secret] is not in the hosted zone [secret]; use a name that ends in .[secret], or another hosted zone
cinema:alarms.email: [secret] is not an e-mail address; write it like ops@example.com`)
}

func TestRegions(t *testing.T) {
	for _, p := range endpoints.DefaultPartitions() {
		for region := range p.Regions() {
			_, mistyped := mistypedRegion(region)
			assert.False(t, mistyped, region)
		}
	}
	for _, later := range []string{"xy-northwest-1", "us-gov-south-1"} {
		_, mistyped := mistypedRegion(later)
		assert.False(t, mistyped, "the kept list is older than %s", later)
	}
	for wrong, want := range map[string]string{"us-eest-1": "us-east-1", "eu-cetral-1": "eu-central-1", "us-east": "us-east-1", "US-EAST-2": "us-east-2", "": "us-east-1"} {
		near, mistyped := mistypedRegion(wrong)
		assert.True(t, mistyped, wrong)
		assert.Equal(t, want, near)
	}
}
