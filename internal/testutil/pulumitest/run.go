package pulumitest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cinema-database/internal/environment"
	"cinema-database/internal/plan"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The types of package plan that a run returns.
type (
	Recording = plan.Recording
	Resource  = plan.Resource
	Log       = plan.Log
)

// Option changes how Run runs a program.
type Option func(*plan.Options)

// Stack sets the names of project and stack, by default "cinema" and "dev".
func Stack(project, stack string) Option {
	return func(o *plan.Options) { o.Project, o.Stack = project, stack }
}

// Config sets config values by full key ("cinema:vpcCidr", "aws:region"), objects and lists as JSON. Later options override earlier
// ones.
func Config(values map[string]string) Option {
	return func(o *plan.Options) { maps.Copy(o.Config, values) }
}

// Without removes a config value by its full key.
func Without(key string) Option { return func(o *plan.Options) { delete(o.Config, key) } }

// SecretConfig sets config values that are secrets.
func SecretConfig(values map[string]string) Option {
	return func(o *plan.Options) {
		Config(values)(o)
		for k := range values {
			o.SecretKeys = append(o.SecretKeys, k)
		}
	}
}

// Environment returns the environment of a component under test: Run's default project and stack in the simulated account.
func Environment() environment.Environment {
	return environment.Environment{
		Project: "cinema", Stack: "dev", Partition: "aws", DNSSuffix: "amazonaws.com", Region: "us-east-1", Account: "123456789012",
	}
}

// Preview runs the program as `pulumi preview` does on an empty stack: ids and everything else that AWS sets are unknown.
func Preview() Option { return func(o *plan.Options) { o.Preview = true } }

// As runs the program by a session of the role with that name, in an account that has an earlier run's resources.
func As(role string, deployed *Recording) Option {
	return func(o *plan.Options) { o.AssumedRole, o.Deployed = role, deployed.Resources }
}

// Fail makes the registration of a type fail, e.g. "aws:ec2/natGateway:NatGateway".
func Fail(typ string) Option { return func(o *plan.Options) { o.Fail[typ] = true } }

// Hold holds back the answer to the registration of one resource until others are registered, by URN. The test fails if they
// are not registered shortly before its deadline.
func Hold(t testing.TB, urn string, others []string) Option {
	all := expect(t, "not registered while "+urn+" is held back", others)
	return func(o *plan.Options) {
		o.Registered = func(r *Resource) {
			all.happened(r.URN)
			if r.URN == urn {
				all.wait()
			}
		}
	}
}

// Together holds back the answers to some look-ups until all of them are asked, by token, one for each time. The test fails
// if they are not asked shortly before its deadline. Other look-ups are answered at once.
func Together(t testing.TB, tokens ...string) Option {
	all := expect(t, "not asked while the others wait for their answers", tokens)
	return func(o *plan.Options) {
		before := o.LookedUp
		o.LookedUp = func(token string) {
			if before != nil {
				before(token)
			}
			if all.happened(token) {
				all.wait()
			}
		}
	}
}

// expected are events of which each must happen a number of times.
type expected struct {
	t        testing.TB
	ctx      context.Context
	problem  string
	complete chan struct{}

	mu      sync.Mutex
	missing map[string]int
}

// expect expects events, until shortly before the test's deadline.
func expect(t testing.TB, problem string, events []string) *expected {
	e := &expected{t: t, ctx: t.Context(), problem: problem, complete: make(chan struct{}), missing: map[string]int{}}
	for _, event := range events {
		e.missing[event]++
	}
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if end, limited := d.Deadline(); limited {
			var cancel context.CancelFunc
			e.ctx, cancel = context.WithDeadline(e.ctx, end.Add(-10*time.Second))
			t.Cleanup(cancel)
		}
	}
	return e
}

// happened reports whether the event is one that was still missing.
func (e *expected) happened(event string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.missing[event] == 0 {
		return false
	}
	if e.missing[event]--; e.missing[event] == 0 {
		delete(e.missing, event)
	}
	if len(e.missing) == 0 {
		close(e.complete)
	}
	return true
}

// wait waits until all have happened.
func (e *expected) wait() {
	select {
	case <-e.complete:
	case <-e.ctx.Done():
		e.mu.Lock()
		defer e.mu.Unlock()
		e.t.Errorf("%s: %s", e.problem, strings.Join(slices.Sorted(maps.Keys(e.missing)), " "))
	}
}

// Run runs a program and returns its registrations when all of them are complete. The program's own error is in
// Recording.Err; a failure of the recorder ends the test.
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

// Refused asserts that a program ended with an error that contains each of the texts, and registered nothing.
func Refused(t testing.TB, r *Recording, want ...string) {
	t.Helper()
	require.Error(t, r.Err)
	for _, w := range want {
		assert.Contains(t, r.Err.Error(), w)
	}
	assert.Empty(t, r.Resources, "a refused program registers nothing")
}
