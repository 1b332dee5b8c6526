package storage

import (
	"path"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app"
	"cinema-database/internal/testutil/pulumitest"
)

// run registers storage that change has altered from a sound one.
func run(t *testing.T, change func(*Args), opts ...pulumitest.Option) *pulumitest.Recording {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	args := &Args{
		Account: "123456789012", Protect: true, LogRetentionDays: 7,
		Releases: []Release{{app.NewBinary("cinema", "arm64", []byte("api")), Binary}, {app.NewBinary("mirror", "arm64", []byte("mirror")), LambdaZip}},
	}
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
		"no account":   {func(a *Args) { a.Account = "12345678901x" }, []string{`storage: account: "12345678901x" is no AWS account; give its twelve digits`}},
		"no retention": {func(a *Args) { a.LogRetentionDays = 0 }, []string{`storage: logRetentionDays: 0 would keep no access log; keep them for one day or more`}},
		"no binary":    {func(a *Args) { a.Releases[1].Binary = nil }, []string{`storage: releases[1]: "" has no binary; give one of cinema, cinema-db, mirror, thumbnailer`}},
		"twice":        {func(a *Args) { a.Releases[1] = a.Releases[0] }, []string{`storage: releases[1]: "cinema" appears twice; remove one`}},
		"form":         {func(a *Args) { a.Releases[0].Form = "tar" }, []string{`storage: releases[0].form: "tar" is no form of a release; use binary or lambda-zip`}},
		"all at once":  {func(a *Args) { a.Account, a.LogRetentionDays, a.Releases[1].Form = "", 0, "" }, []string{"account", "logRetentionDays", "releases[1].form"}},
	} {
		t.Run(name, func(t *testing.T) {
			pulumitest.Refused(t, run(t, c.change), c.want...)
		})
	}
}

// A binary is found by its digest: under its own name for instances, zipped for Lambda.
func TestReleasesAreKeptByDigest(t *testing.T) {
	r := run(t, func(*Args) {})
	require.NoError(t, r.Err)
	objects := r.ByType("aws:s3/bucketObjectv2:BucketObjectv2")
	require.Len(t, objects, 2)
	for _, o := range objects {
		name := strings.TrimPrefix(o.Name, "storage-release-")
		release := app.NewBinary(name, "arm64", map[string][]byte{"cinema": []byte("api"), "mirror": []byte("mirror")}[name])
		assert.Equal(t, release.Digest, path.Base(path.Dir(o.Text("key"))), name)
		assert.Equal(t, name == "mirror", strings.HasSuffix(o.Text("key"), ".zip"), name)
		assert.True(t, o.RetainOnDelete, "an older launch template still boots")
	}
}

// With protection on, the buckets with data are kept; with it off, one destroy removes everything.
func TestProtection(t *testing.T) {
	for _, protect := range []bool{true, false} {
		r := run(t, func(a *Args) { a.Protect = protect })
		require.NoError(t, r.Err)
		for _, b := range r.ByType("aws:s3/bucketV2:BucketV2") {
			kept := protect && b.Name != "storage-site" // what the site holds is published from the program
			assert.Equal(t, kept, b.Protect, b.Name)
			assert.Equal(t, kept, b.RetainOnDelete, b.Name)
			assert.Equal(t, !kept, b.Input("forceDestroy").BoolValue(), b.Name)
		}
	}
}
