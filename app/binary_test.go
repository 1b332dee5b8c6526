package app

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/manifest"
	"cinema-database/internal/testutil/must"
)

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func compressed(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	require.NoError(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

// folder returns a folder with the compressed binaries cinema and mirror for arm64, with the same content.
func folder(t *testing.T, content []byte) fstest.MapFS {
	t.Helper()
	encoded, err := manifest.Manifest{Binaries: []manifest.Entry{
		{Name: "cinema", Arch: "arm64", SHA256: digest(content), Size: int64(len(content))},
		{Name: "mirror", Arch: "arm64", SHA256: digest(content), Size: int64(len(content))},
	}}.Encode()
	require.NoError(t, err)
	return fstest.MapFS{
		"README":                {Data: []byte("about")},
		manifest.Name:           {Data: encoded},
		"cinema-linux-arm64.gz": {Data: compressed(t, content)},
		"mirror-linux-arm64.gz": {Data: compressed(t, content)},
	}
}

var content = []byte("\x7fELF" + strings.Repeat("code", 5000))

func TestFind(t *testing.T) {
	b := must.OK(find(folder(t, content), "mirror", "arm64"))(t)
	assert.Equal(t, "mirror", b.Name)
	assert.Equal(t, "arm64", b.Arch)
	assert.Equal(t, digest(content), b.Digest)
	assert.EqualValues(t, len(content), b.Size)
	assert.Equal(t, "releases/"+digest(content)+"/mirror.zip", b.ObjectKey())
	assert.Equal(t, content, must.OK(b.Bytes())(t))
	b = must.OK(find(folder(t, content), "cinema", "arm64"))(t)
	assert.Equal(t, "releases/"+digest(content)+"/cinema", b.ObjectKey())
}

func TestFindDecompressesNothing(t *testing.T) {
	damaged := folder(t, content)
	damaged["mirror-linux-arm64.gz"].Data = []byte("not gzip")
	must.OK(find(damaged, "mirror", "arm64"))(t)
}

func TestFindRefuses(t *testing.T) {
	empty := fstest.MapFS{"README": {Data: []byte("about")}}
	withoutFile := folder(t, content)
	delete(withoutFile, "mirror-linux-arm64.gz")
	broken := folder(t, content)
	broken[manifest.Name] = &fstest.MapFile{Data: []byte(`{"binaries":[{"name":"x","arch":"m68k","sha256":"0","size":0}]}`)}
	for name, c := range map[string]struct {
		files      fs.FS
		name, arch string
		want       []string
		notBuilt   bool
	}{
		"empty folder":       {empty, "cinema", "arm64", []string{"cinema for linux/arm64", "run `make app`"}, true},
		"other architecture": {folder(t, content), "mirror", "amd64", []string{"mirror for linux/amd64", "run `make app`"}, true},
		"file is gone":       {withoutFile, "mirror", "arm64", []string{"mirror for linux/arm64", "run `make app`"}, true},
		"both unknown":       {folder(t, content), "cinemas", "sparc", []string{`Name "cinemas"`, `Arch "sparc"`}, false},
		"broken manifest": {broken, "mirror", "arm64", []string{
			"Binaries[0].Name", "Binaries[0].Arch", "Binaries[0].SHA256", "Binaries[0].Size", "run `make app`"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := find(c.files, c.name, c.arch)
			require.Error(t, err)
			assert.Nil(t, b)
			for _, part := range c.want {
				assert.ErrorContains(t, err, part)
			}
			assert.Equal(t, c.notBuilt, errors.Is(err, ErrNotBuilt))
		})
	}
}

func TestBytesRefusesDamagedFiles(t *testing.T) {
	for name, data := range map[string][]byte{
		"another binary": compressed(t, bytes.Repeat([]byte("x"), len(content))),
		"shorter":        compressed(t, content[1:]),
		"longer":         compressed(t, append(bytes.Clone(content), 'x')),
		"cut":            compressed(t, content)[:40],
		"not gzip":       content,
	} {
		t.Run(name, func(t *testing.T) {
			files := folder(t, content)
			files["mirror-linux-arm64.gz"].Data = data
			b := must.OK(find(files, "mirror", "arm64"))(t)
			_, err := b.Bytes()
			require.ErrorContains(t, err, "run `make app`")
		})
	}
}

func TestLambdaZip(t *testing.T) {
	b := must.OK(find(folder(t, content), "mirror", "arm64"))(t)
	data := must.OK(b.lambdaZip())(t)
	assert.Equal(t, data, must.OK(b.lambdaZip())(t))

	archive := must.OK(zip.NewReader(bytes.NewReader(data), int64(len(data))))(t)
	require.Len(t, archive.File, 1)
	entry := archive.File[0]
	assert.Equal(t, "bootstrap", entry.Name)
	assert.Equal(t, fs.FileMode(0o755), entry.Mode())
	assert.True(t, entry.Modified.Equal(zipTime), entry.Modified)
	assert.Equal(t, content, must.OK(io.ReadAll(must.OK(entry.Open())(t)))(t))
}

func TestObjectFile(t *testing.T) {
	files := folder(t, content)
	b := must.OK(find(files, "cinema", "arm64"))(t)
	dir := filepath.Join(t.TempDir(), "new")
	path := must.OK(b.ObjectFile(dir))(t)
	assert.Equal(t, filepath.Join(dir, digest(content)+"-cinema"), path)
	assert.Equal(t, content, must.OK(os.ReadFile(path))(t))

	// A damaged copy is replaced, a complete one stays.
	require.NoError(t, os.WriteFile(path, []byte("half"), 0o644))
	must.OK(b.ObjectFile(dir))(t)
	before := must.OK(os.Stat(path))(t)
	must.OK(b.ObjectFile(dir))(t)
	after := must.OK(os.Stat(path))(t)
	assert.True(t, os.SameFile(before, after))
	assert.EqualValues(t, len(content), after.Size())

	b = must.OK(find(files, "mirror", "arm64"))(t)
	path = must.OK(b.ObjectFile(dir))(t)
	assert.Equal(t, filepath.Join(dir, digest(content)+"-mirror.zip"), path)
	assert.Equal(t, must.OK(b.lambdaZip())(t), must.OK(os.ReadFile(path))(t))
	assert.Len(t, must.OK(os.ReadDir(dir))(t), 2, "no temporary file stays")
}

// Every embedded binary is complete. One that is not embedded is ErrNotBuilt.
func TestEmbedded(t *testing.T) {
	for _, arch := range contract.Architectures {
		for _, name := range contract.Names() {
			b, err := Find(name, arch)
			if err != nil {
				require.ErrorIs(t, err, ErrNotBuilt)
				continue
			}
			assert.Equal(t, "\x7fELF", string(must.OK(b.Bytes())(t)[:4]), "%s/%s", name, arch)
		}
	}
}
