package storage

import (
	"path"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/internal/testutil/pulumitest"
)

// run registers storage with valid args that change has altered.
func run(t *testing.T, change func(*Args), opts ...pulumitest.Option) *pulumitest.Recording {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	artifacts, err := PrepareArtifacts([]*app.Binary{
		app.NewBinary(contract.Cinema, "arm64", []byte(contract.Cinema)), app.NewBinary(contract.Mirror, "arm64", []byte(contract.Mirror)),
	})
	require.NoError(t, err)
	args := &Args{Environment: pulumitest.Environment(), LogRetentionDays: 7, Artifacts: artifacts}
	args.Protect = true
	change(args)
	return pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "storage", args)
		return err
	}, opts...)
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Args)
		want   []string
	}{
		"no account":   {func(a *Args) { a.Account = "12345678901x" }, []string{`storage: account: "12345678901x" is not an AWS account; write its twelve digits`}},
		"no retention": {func(a *Args) { a.LogRetentionDays = 0 }, []string{`storage: logRetentionDays: 0 would keep no access log; keep them for one day or more`}},
		"no binary":    {func(a *Args) { a.Artifacts[1].Binary = nil }, []string{`storage: artifacts[1]: "" has no binary; name one of cinema, cinema-db, mirror, thumbnailer`}},
		"twice":        {func(a *Args) { a.Artifacts[1] = a.Artifacts[0] }, []string{`storage: artifacts[1]: "cinema" appears twice; remove one`}},
		"all at once":  {func(a *Args) { a.Account, a.LogRetentionDays, a.Artifacts[1].Binary = "", 0, nil }, []string{"account", "logRetentionDays", "artifacts[1]"}},
	} {
		t.Run(name, func(t *testing.T) { pulumitest.Refused(t, run(t, c.change), c.want...) })
	}
}

func TestPrepareArtifactsNeedsACacheFolder(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	_, err := PrepareArtifacts(nil)
	require.ErrorContains(t, err, "set HOME")
}

// An artifact's key has the binary's digest: the binary itself for instances, a zip file for Lambda.
func TestArtifactsAreKeptByDigest(t *testing.T) {
	r := run(t, func(*Args) {})
	require.NoError(t, r.Err)
	objects := r.ByType("aws:s3/bucketObjectv2:BucketObjectv2")
	require.Len(t, objects, 2)
	for _, o := range objects {
		name := strings.TrimPrefix(o.Name, "storage-release-")
		binary := app.NewBinary(name, "arm64", []byte(name))
		assert.Equal(t, binary.Digest, path.Base(path.Dir(o.Text("key"))), name)
		assert.Equal(t, name == contract.Mirror, strings.HasSuffix(o.Text("key"), ".zip"), name)
		assert.True(t, o.RetainOnDelete, "an older launch template still boots")
	}
}

// With protection on, a destroy keeps the buckets that hold data; with it off, it removes everything.
func TestProtection(t *testing.T) {
	for _, protect := range []bool{true, false} {
		r := run(t, func(a *Args) { a.Protect = protect })
		require.NoError(t, r.Err)
		for _, b := range r.ByType("aws:s3/bucketV2:BucketV2") {
			kept := protect && b.Name != "storage-site" // the program publishes the site again
			assert.Equal(t, kept, b.Protect, b.Name)
			assert.Equal(t, kept, b.RetainOnDelete, b.Name)
			assert.Equal(t, !kept, b.Input("forceDestroy").BoolValue(), b.Name)
		}
	}
}

// A deleted image goes for good within two days. The other buckets keep old versions for longer, to undo mistakes.
func TestOldVersionsExpire(t *testing.T) {
	r := run(t, func(*Args) {})
	require.NoError(t, r.Err)
	days := map[string]float64{}
	for _, lifecycle := range r.ByType("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2") {
		for _, rule := range lifecycle.Input("rules").ArrayValue() {
			if expiration, found := rule.ObjectValue()["noncurrentVersionExpiration"]; found {
				days[lifecycle.Name] = expiration.ObjectValue()["noncurrentDays"].NumberValue()
			}
		}
	}
	assert.Equal(t, map[string]float64{"storage-artifacts": 30, "storage-images": 1, "storage-site": 30}, days)
}
