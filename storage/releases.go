package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app"
)

// Object is a release in the artifacts bucket.
type Object struct {
	*app.Binary
	// Key of the object; it resolves once the object is there.
	Key pulumi.StringOutput
}

// createReleases uploads each release under a key that holds its digest. An object that a newer release
// supersedes is kept, so that an older launch template still boots and a roll-back needs no upload; the
// bucket's owner, not the stack, decides when it is too old.
func (b *builder) createReleases(st *Storage) error {
	st.Releases = map[string]Object{}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("releases: %w", err)
	}
	dir := filepath.Join(cache, "cinema-database", "releases")
	// Each is decompressed, or what was decompressed earlier is checked against its digest: side by side, as
	// that is most of a plan's own time.
	files := make([]releaseFile, len(b.args.Releases))
	var written sync.WaitGroup
	for i, r := range b.args.Releases {
		written.Go(func() { files[i] = r.file(dir) })
	}
	written.Wait()
	for i, r := range b.args.Releases {
		file := files[i]
		if file.err != nil {
			return file.err
		}
		name := b.Name("release", r.Name)
		object, err := s3.NewBucketObjectv2(b.ctx, name, &s3.BucketObjectv2Args{
			Bucket:      st.ArtifactsBucket,
			Key:         pulumi.String(file.key),
			Source:      pulumi.NewFileAsset(file.path),
			ContentType: pulumi.String("application/octet-stream"),
			Tags:        b.ObjectTags(name, map[string]string{"Release": r.Short()}),
			// Superseded releases stay; with cinema:protect off, destroying the bucket empties it.
		}, b.Child(pulumi.RetainOnDelete(true)))
		if err != nil {
			return err
		}
		st.Releases[r.Name] = Object{Binary: r.Binary, Key: object.Key}
	}
	return nil
}

// releaseFile is a release as it is uploaded.
type releaseFile struct {
	path, key string
	err       error
}

// file writes a release into dir, in its form.
func (r Release) file(dir string) (f releaseFile) {
	form := forms[r.Form]
	f.key = form.key(r.Binary)
	f.path, f.err = form.file(r.Binary, dir)
	return f
}
