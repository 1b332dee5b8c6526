package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	// user is the program's user and group: the number that other images without a shell use too.
	user = "65532:65532"
	// binaryPath is the program in the image, whatever its name: another name could be that of a folder.
	binaryPath = "app"
	// certificates is the first file that Go's crypto/x509 looks for.
	certificates = "etc/ssl/certs/ca-certificates.crt"
)

// epoch is the time of everything in the image: any other one would change the digest from build to build.
var epoch = time.Unix(0, 0).UTC()

// platform is the image of one architecture.
type platform struct {
	v1.Image
	arch string
}

// image is the whole image: of one architecture, or an index of several.
type image struct {
	title     string
	platforms []platform

	whole  remote.Taggable // v1.Image or v1.ImageIndex
	digest v1.Hash
	// blobs has what a registry stores as a blob, layers and settings, by digest.
	blobs map[v1.Hash]blob
}

// blob is a part of an image.
type blob struct {
	name string // for people
	size int64
}

// seal completes the image from its platforms.
func (i *image) seal() (err error) {
	i.blobs = map[v1.Hash]blob{}
	for _, p := range i.platforms {
		if err := i.addBlobs(p); err != nil {
			return err
		}
	}
	if len(i.platforms) == 1 {
		i.whole = i.platforms[0].Image
		i.digest, err = i.platforms[0].Digest()
		return err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range i.platforms {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: p.Image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: p.arch}}})
	}
	i.whole = index
	i.digest, err = index.Digest()
	return err
}

func (i *image) addBlobs(p platform) error {
	manifest, err := p.Manifest()
	if err != nil {
		return err
	}
	i.blobs[manifest.Config.Digest] = blob{"settings, linux/" + p.arch, manifest.Config.Size}
	names := []string{"certificates and users", i.title + ", linux/" + p.arch}
	for n, layer := range manifest.Layers {
		i.blobs[layer.Digest] = blob{names[n], layer.Size}
	}
	return nil
}

// bytes is the size of all blobs.
func (i *image) bytes() (sum int64) {
	for _, b := range i.blobs {
		sum += b.size
	}
	return sum
}

// assemble makes the image of one architecture.
func (b *builder) assemble(base v1.Layer, binary []byte, arch string) (platform, error) {
	program, err := layer(entry{name: binaryPath, mode: 0o755, content: binary})
	if err != nil {
		return platform{}, err
	}
	// No label has a version or a commit: the image would be another one for the same program.
	config := v1.Config{
		Entrypoint: []string{"/" + binaryPath}, Cmd: b.args, User: user, WorkingDir: "/",
		Labels: map[string]string{
			"org.opencontainers.image.title":       b.title(),
			"org.opencontainers.image.description": "The Go program " + b.program + ", static, without a shell",
			"org.opencontainers.image.created":     epoch.Format(time.RFC3339),
		},
	}
	if b.port != 0 {
		config.ExposedPorts = map[string]struct{}{fmt.Sprintf("%d/tcp", b.port): {}}
	}
	made, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), &v1.ConfigFile{
		Architecture: arch, OS: "linux", Created: v1.Time{Time: epoch}, Config: config, RootFS: v1.RootFS{Type: "layers"},
	})
	if err == nil {
		made, err = mutate.Append(made,
			mutate.Addendum{Layer: base, History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "certificates and users"}},
			mutate.Addendum{Layer: program, History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "go build " + b.program}})
	}
	return platform{made, arch}, err
}

// entry is a file in a layer; a folder where the name ends in a slash.
type entry struct {
	name    string
	mode    int64
	content []byte
}

// baseLayer is the layer that all programs share.
func baseLayer() (v1.Layer, error) {
	roots, err := publicRoots()
	if err != nil {
		return nil, err
	}
	return layer(
		entry{name: "etc/", mode: 0o755},
		entry{name: "etc/group", mode: 0o644, content: []byte("root:x:0:\nnonroot:x:65532:\n")},
		entry{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		entry{name: "etc/ssl/", mode: 0o755},
		entry{name: "etc/ssl/certs/", mode: 0o755},
		entry{name: certificates, mode: 0o644, content: roots},
		entry{name: "tmp/", mode: 0o1777},
	)
}

// publicRoots returns the certificates of the authorities that Mozilla trusts, in PEM. They come from a module, so they do not
// depend on the machine. It leaves out those that are trusted with a restriction, which PEM cannot express.
func publicRoots() ([]byte, error) {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// layer returns a compressed layer. The same entries result in the same bytes.
func layer(entries ...entry) (v1.Layer, error) {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, e := range entries {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Size: int64(len(e.content)), ModTime: epoch, Format: tar.FormatUSTAR}
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil },
		tarball.WithCompressedCaching, tarball.WithCompressionLevel(gzip.DefaultCompression), tarball.WithMediaType(types.OCILayer))
}

// replaceable refuses a folder that has something other than an image.
func replaceable(folder string) error {
	files, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(files) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("flag --output %q: %w", folder, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "oci-layout")); err != nil {
		return fmt.Errorf("flag --output %q: has files that are no image; name another folder", folder)
	}
	return nil
}

// write replaces the folder by an OCI image layout with this image.
func (i *image) write(folder string) error {
	parent := filepath.Dir(filepath.Clean(folder))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(parent, ".image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, "image")
	path, err := layout.Write(made, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		return err
	}
	switch whole := i.whole.(type) {
	case v1.ImageIndex:
		err = path.AppendIndex(whole)
	case v1.Image:
		err = path.AppendImage(whole)
	}
	if err == nil {
		err = os.RemoveAll(folder)
	}
	if err != nil {
		return err
	}
	return os.Rename(made, folder)
}
