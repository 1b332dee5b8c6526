package pulumitest

import (
	"maps"
	"testing"

	"cinema-database/internal/environment"
	"cinema-database/internal/plan"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a run gives, as internal/plan records it.
type (
	// Recording is what a program did.
	Recording = plan.Recording
	// Resource is one registration as it reached the engine.
	Resource = plan.Resource
	// Log is one logged message.
	Log = plan.Log
)

// Option changes how Run runs a program.
type Option func(*plan.Options)

// Stack names the project and the stack, "cinema" and "dev" otherwise.
func Stack(project, stack string) Option {
	return func(o *plan.Options) { o.Project, o.Stack = project, stack }
}

// Config sets config values by full key ("cinema:vpcCidr", "aws:region"), objects and lists as JSON. Later options win.
func Config(values map[string]string) Option {
	return func(o *plan.Options) { maps.Copy(o.Config, values) }
}

// SecretConfig is Config for values that are secrets.
func SecretConfig(values map[string]string) Option {
	return func(o *plan.Options) {
		Config(values)(o)
		for k := range values {
			o.SecretKeys = append(o.SecretKeys, k)
		}
	}
}

// Environment is where a component under test is deployed: the project and stack that Run runs by default, in the
// simulated account.
func Environment() environment.Environment {
	return environment.Environment{
		Project: "cinema", Stack: "dev", Partition: "aws", DNSSuffix: "amazonaws.com", Region: "us-east-1", Account: "123456789012",
	}
}

// Preview runs the program as `pulumi preview` does on an empty stack: ids, and all else that AWS decides, are unknown.
func Preview() Option { return func(o *plan.Options) { o.Preview = true } }

// Fail makes the registration of a type fail, e.g. "aws:ec2/natGateway:NatGateway".
func Fail(typ string) Option { return func(o *plan.Options) { o.Fail[typ] = true } }

// Run runs a program and returns what it registered once all of it has settled. The program's own error is in
// Recording.Err; only a failure of the recorder itself ends the test.
func Run(t testing.TB, program pulumi.RunFunc, opts ...Option) *Recording {
	t.Helper()
	o := plan.Options{Project: "cinema", Stack: "dev", Config: map[string]string{}, Fail: map[string]bool{}}
	for _, f := range opts {
		f(&o)
	}
	r, err := plan.Record(program, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Refused asserts that a program ended with an error that has each of the texts, and registered nothing.
func Refused(t testing.TB, r *Recording, want ...string) {
	t.Helper()
	require.Error(t, r.Err)
	for _, w := range want {
		assert.Contains(t, r.Err.Error(), w)
	}
	assert.Empty(t, r.Resources, "what is refused registers nothing")
}
