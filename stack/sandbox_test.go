package stack

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/internal/pulumicli"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

// open opens a session of the whole program. It skips the test if there is no CLI. A failed test logs the end of the output.
func open(t *testing.T, o sandbox.Options) (*sandbox.Session, *bytes.Buffer) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the real engine: not with -short")
	}
	if _, err := pulumicli.Find("."); errors.Is(err, pulumicli.ErrNotFound) {
		t.Skip(err)
	}
	out := &bytes.Buffer{}
	if o.Program == nil {
		o.Program = sandboxed(standIns)
	}
	o.ProjectDir, o.Dir, o.Stdout, o.Stderr = ".", t.TempDir(), out, out
	s, err := sandbox.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			lines := strings.Split(out.String(), "\n")
			t.Log(strings.Join(lines[max(0, len(lines)-100):], "\n"))
		}
		s.Close()
	})
	return s, out
}

// held returns the account's resources by URN, each with its id and state.
func held(t *testing.T, s *sandbox.Session) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, r := range s.Account().Resources() {
		require.NotContains(t, all, r.URN, "duplicate")
		all[r.URN] = map[string]any{"id": r.ID, "state": r.State.Mappable()}
	}
	return all
}

// changed returns the names of the resources that an operation changes, sorted, without the components.
func changed(r *sandbox.Result) []string {
	var names []string
	for _, s := range r.Steps {
		if strings.HasPrefix(s.Type, "aws:") || s.Type == gateType {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var sweepFaults = flag.Bool("sweep-faults", false, "fail the creation of each resource type once in the sandbox (minutes)")

// The first creation of each type fails, as happens on AWS: the next `up` must have the same result as an undisturbed run, and
// `destroy` must delete everything. A type fails in the smallest stack that has it.
func TestFaultSweep(t *testing.T) {
	if !*sweepFaults {
		t.Skip("takes minutes: `make sweep` runs it")
	}
	swept := map[string]bool{}
	services := twoServices()
	services["cinema:containers"] = `{"capacity": "ec2"}`
	for _, c := range []struct {
		stack  string
		config map[string]string
	}{{"dev", nil}, {"full", nil}, {"dev", services}} {
		stack := c.stack
		plan := run(t, stack, c.config)
		require.NoError(t, plan.Err)
		// The gates are the engine's own: the account neither holds them nor can fail them.
		resources := slices.DeleteFunc(custom(plan), func(r *pulumitest.Resource) bool { return r.Type == gateType })
		undisturbed, _ := open(t, sandbox.Options{Stack: stack, Config: maps.Clone(c.config), Quick: true})
		up, err := undisturbed.Up(t.Context())
		require.NoError(t, err)
		want := held(t, undisturbed)
		require.Len(t, want, len(resources), "the recording and the account differ")
		for _, r := range resources {
			if swept[r.Type] {
				continue
			}
			swept[r.Type] = true
			t.Run(r.Type, func(t *testing.T) {
				t.Parallel()
				s, out := open(t, sandbox.Options{Stack: stack, Config: maps.Clone(c.config), Quick: true, Fail: []string{r.Type}})
				_, err := s.Up(t.Context())
				var failed *sandbox.OperationError
				require.ErrorAs(t, err, &failed)
				require.Contains(t, out.String(), "creating "+r.Type)
				require.Empty(t, s.Unfailed(), "nothing of the type was created")
				require.Less(t, len(s.Account().Resources()), len(want))

				again, err := s.Up(t.Context())
				require.NoError(t, err)
				assert.Equal(t, want, held(t, s), "lost, duplicated or different")
				assert.Equal(t, up.Outputs, again.Outputs)

				_, err = s.Destroy(t.Context())
				require.NoError(t, err)
				assert.Empty(t, s.Account().Resources())
			})
		}
	}
}

func custom(r *pulumitest.Recording) []*pulumitest.Resource {
	return slices.DeleteFunc(slices.Clone(r.Resources), func(r *pulumitest.Resource) bool {
		return !r.Custom || strings.HasPrefix(r.Type, "pulumi:providers:") // a provider is not in the account
	})
}

func TestReleaseAndRollBack(t *testing.T) {
	ctx := t.Context()
	cinema := "" // content of the binary `cinema`, the usual stand-in where empty
	s, _ := open(t, sandbox.Options{Program: sandboxed(func(name, arch string) (*app.Binary, error) {
		if name == contract.Cinema && cinema != "" {
			return app.NewBinary(name, arch, standIn(cinema)), nil
		}
		return standIns(name, arch)
	})})
	up, err := s.Up(ctx)
	require.NoError(t, err)
	first := up.Outputs
	whole := len(s.Account().Resources())
	_, err = s.Preview(ctx, true)
	require.NoError(t, err, "no changes remain")

	release := []string{"api-gate", "api-instance", "storage-release-cinema"}
	cinema = "cinema, the second"
	preview, err := s.Preview(ctx, false)
	require.NoError(t, err)
	assert.Equal(t, release, changed(preview))
	for _, step := range preview.Steps {
		if step.Name != "storage-release-cinema" && strings.HasPrefix(step.Type, "aws:") {
			assert.Equal(t, "update", step.Op, step.Name)
		}
	}
	s.Fail(objectType)
	_, err = s.Up(ctx)
	require.Error(t, err)
	assert.Equal(t, "1", groupVersion(t, s), "the group does not launch a release that is not uploaded")
	up, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, release, changed(up))
	assert.NotEqual(t, first["releases"], up.Outputs["releases"])
	for name, value := range first {
		if name != "releases" && name != "userDataBytes" { // digests differ in their compressed size
			assert.Equal(t, value, up.Outputs[name], name)
		}
	}
	assert.Equal(t, "2", groupVersion(t, s), "the template version of the group")
	assert.Len(t, s.Account().Resources(), whole+1, "the bucket keeps the earlier release")
	binary, err := standIns(contract.Cinema, "arm64")
	require.NoError(t, err)
	assert.Contains(t, objectKeys(s), binary.ObjectKey(), "an earlier launch template boots it")

	_, err = s.Refresh(ctx)
	require.NoError(t, err)
	_, err = s.Preview(ctx, true)
	require.NoError(t, err, "a refresh finds no drift")

	cinema = ""
	up, err = s.Up(ctx)
	require.NoError(t, err, "rolling back")
	assert.Equal(t, release, changed(up))
	assert.Equal(t, first, up.Outputs)
	assert.Equal(t, "3", groupVersion(t, s), "a rollback is another version")
	assert.Contains(t, objectKeys(s), binary.ObjectKey())
	assert.Contains(t, objectKeys(s), app.NewBinary("cinema", "arm64", standIn("cinema, the second")).ObjectKey(), "the later release can be rolled out again")
	_, err = s.Preview(ctx, true)
	require.NoError(t, err)

	_, err = s.Destroy(ctx)
	require.NoError(t, err)
}

// groupVersion returns the launch template version of the Auto Scaling group.
func groupVersion(t *testing.T, s *sandbox.Session) string {
	t.Helper()
	for _, r := range s.Account().Resources() {
		if r.Type == scalingType {
			return r.State["launchTemplate"].ObjectValue()["version"].StringValue()
		}
	}
	t.Fatal("the account holds no Auto Scaling group")
	return ""
}

func objectKeys(s *sandbox.Session) []string {
	var keys []string
	for _, r := range s.Account().Resources() {
		if r.Type == objectType {
			keys = append(keys, r.State["key"].StringValue())
		}
	}
	return keys
}

func TestProtectRefusesToDestroy(t *testing.T) {
	ctx := t.Context()
	s, out := open(t, sandbox.Options{Stack: "prod", Quick: true})
	_, err := s.Up(ctx)
	require.NoError(t, err)
	before := held(t, s)
	out.Reset()
	_, err = s.PreviewDestroy(ctx)
	var refused *sandbox.OperationError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, before, held(t, s), "nothing is deleted")

	golden, err := os.ReadFile("stack/testdata/protected.golden")
	require.NoError(t, err)
	stateful := strings.Split(strings.TrimSpace(string(golden)), "\n")
	assert.Equal(t, len(stateful), s.Protected())
	named := 0
	for _, r := range s.Account().Resources() {
		if !strings.Contains(out.String(), `"`+r.URN+`" cannot be deleted`) {
			continue
		}
		named++
		urn := resource.URN(r.URN)
		assert.Contains(t, stateful, string(urn.Type())+" "+urn.Name())
	}
	// The engine does not reach the resources that those depend on.
	assert.Positive(t, named)

	require.NoError(t, s.SetConfig(map[string]string{"cinema:protect": "false"}))
	_, err = s.Up(ctx)
	require.NoError(t, err)
	_, err = s.Destroy(ctx)
	require.NoError(t, err)
	assert.Empty(t, s.Account().Resources())
}

// A slow resource delays only the resources that depend on it.
func TestNothingWaitsForAnIndependentResource(t *testing.T) {
	all := run(t, "full", nil)
	require.NoError(t, all.Err)
	for name, typ := range map[string]string{
		"api-origin-lb": balancerType, "database-host-us-east-1a": instanceType, "storage-images": lifecycleType,
		"network-nat-us-east-1a": "aws:ec2/natGateway:NatGateway", "domain-certificate": "aws:acm/certificateValidation:CertificateValidation",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(all.Resources, func(r *pulumitest.Resource) bool { return r.Type == typ && r.Name == name })
			require.GreaterOrEqual(t, i, 0)
			slow := all.Resources[i].URN
			require.NoError(t, run(t, "full", nil, pulumitest.Hold(t, slow, all.Independent(slow))).Err)
		})
	}
}
