package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app"
)

// Artifact is a binary in the artifacts bucket.
type Artifact struct {
	*app.Binary
	// path of the file to upload.
	path string
	// Key of the object; it resolves once the object exists.
	Key pulumi.StringOutput
}

// PrepareArtifacts writes the artifacts of the binaries to the user's cache folder. It registers nothing. A file from an
// earlier run is only checked against its digest, which is faster than decompressing the binary again.
func PrepareArtifacts(binaries []*app.Binary) ([]Artifact, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("storage: no cache folder for the artifacts: %w; set HOME", err)
	}
	folder := filepath.Join(cache, "cinema-database", "artifacts")
	artifacts, problems := make([]Artifact, len(binaries)), make([]error, len(binaries))
	var written sync.WaitGroup
	for i, binary := range binaries {
		written.Go(func() {
			artifacts[i].Binary = binary
			artifacts[i].path, problems[i] = binary.ObjectFile(folder)
		})
	}
	written.Wait()
	return artifacts, errors.Join(problems...)
}

// createArtifacts uploads each binary under a key with its digest. The objects of earlier releases stay, so that an older
// launch template still boots and a rollback needs no upload.
func (b *builder) createArtifacts(st *Storage) error {
	st.Artifacts = map[string]Artifact{}
	for _, artifact := range b.args.Artifacts {
		name := b.Name("release", artifact.Name)
		object, err := s3.NewBucketObjectv2(b.Ctx, name, &s3.BucketObjectv2Args{
			Bucket:      st.ArtifactsBucket,
			Key:         pulumi.String(artifact.ObjectKey()),
			Source:      pulumi.NewFileAsset(artifact.path),
			ContentType: pulumi.String("application/octet-stream"),
			Tags:        b.ObjectTags(name, map[string]string{"Release": artifact.Short()}),

			OverrideProvider: WithoutDefaultTags(),
			// Keeps the objects of earlier releases. With cinema:protect off, destroying the bucket deletes them.
		}, b.Child(pulumi.RetainOnDelete(true)))
		if err != nil {
			return err
		}
		artifact.Key = object.Key
		st.Artifacts[artifact.Name] = artifact
	}
	return nil
}

// WithoutDefaultTags keeps the tags of aws:defaultTags off an object: with the stack's own they could be more than the ten
// that an object takes (S3 user guide, "Categorizing your objects using tags").
func WithoutDefaultTags() s3.BucketObjectv2OverrideProviderPtrInput {
	return s3.BucketObjectv2OverrideProviderArgs{
		DefaultTags: s3.BucketObjectv2OverrideProviderDefaultTagsArgs{Tags: pulumi.StringMap{}},
	}
}
