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

	"cinema-database/app/internal/releases"
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

// folder is a folder of releases that holds one binary, mirror for arm64.
func folder(t *testing.T, binary []byte) fstest.MapFS {
	t.Helper()
	manifest, err := releases.Manifest{Releases: []releases.Entry{
		{Name: "mirror", Arch: "arm64", SHA256: digest(binary), Size: int64(len(binary))},
	}}.Encode()
	require.NoError(t, err)
	return fstest.MapFS{
		"README":                {Data: []byte("about")},
		releases.ManifestName:   {Data: manifest},
		"mirror-linux-arm64.gz": {Data: compressed(t, binary)},
	}
}

var binary = []byte("\x7fELF" + strings.Repeat("code", 5000))

func TestFind(t *testing.T) {
	release, err := find(folder(t, binary), "mirror", "arm64")
	require.NoError(t, err)
	assert.Equal(t, "mirror", release.Name)
	assert.Equal(t, "arm64", release.Arch)
	assert.Equal(t, digest(binary), release.Digest)
	assert.EqualValues(t, len(binary), release.Size)
	assert.Equal(t, "releases/"+digest(binary)+"/mirror", release.Key())
	assert.Equal(t, "releases/"+digest(binary)+"/mirror.zip", release.LambdaKey())
	data, err := release.Bytes()
	require.NoError(t, err)
	assert.Equal(t, binary, data)
}

func TestFindDecompressesNothing(t *testing.T) {
	damaged := folder(t, binary)
	damaged["mirror-linux-arm64.gz"].Data = []byte("not gzip")
	_, err := find(damaged, "mirror", "arm64")
	require.NoError(t, err)
}

func TestFindRefuses(t *testing.T) {
	empty := fstest.MapFS{"README": {Data: []byte("about")}}
	withoutFile := folder(t, binary)
	delete(withoutFile, "mirror-linux-arm64.gz")
	broken := folder(t, binary)
	broken[releases.ManifestName] = &fstest.MapFile{Data: []byte(`{"releases":[{"name":"x","arch":"m68k","sha256":"0","size":0}]}`)}
	cases := map[string]struct {
		files      fs.FS
		name, arch string
		want       []string
		notBuilt   bool
	}{
		"empty folder":       {empty, "cinema", "arm64", []string{"cinema for linux/arm64", "run `make app`"}, true},
		"other architecture": {folder(t, binary), "mirror", "amd64", []string{"mirror for linux/amd64", "run `make app`"}, true},
		"file is gone":       {withoutFile, "mirror", "arm64", []string{"mirror for linux/arm64", "run `make app`"}, true},
		"both unknown":       {folder(t, binary), "cinemas", "sparc", []string{`Name "cinemas"`, `Arch "sparc"`}, false},
		"broken manifest": {broken, "mirror", "arm64", []string{
			"Releases[0].Name", "Releases[0].Arch", "Releases[0].SHA256", "Releases[0].Size", "run `make app`"}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			release, err := find(c.files, c.name, c.arch)
			require.Error(t, err)
			assert.Nil(t, release)
			for _, part := range c.want {
				assert.ErrorContains(t, err, part)
			}
			assert.Equal(t, c.notBuilt, errors.Is(err, ErrNotBuilt))
		})
	}
}

func TestBytesRefusesWhatTheManifestDoesNotName(t *testing.T) {
	for name, data := range map[string][]byte{
		"another binary": compressed(t, bytes.Repeat([]byte("x"), len(binary))),
		"shorter":        compressed(t, binary[1:]),
		"longer":         compressed(t, append(bytes.Clone(binary), 'x')),
		"cut":            compressed(t, binary)[:40],
		"not gzip":       binary,
	} {
		t.Run(name, func(t *testing.T) {
			files := folder(t, binary)
			files["mirror-linux-arm64.gz"].Data = data
			release, err := find(files, "mirror", "arm64")
			require.NoError(t, err)
			_, err = release.Bytes()
			require.ErrorContains(t, err, "run `make app`")
		})
	}
}

func TestLambdaZip(t *testing.T) {
	release, err := find(folder(t, binary), "mirror", "arm64")
	require.NoError(t, err)
	data, err := release.LambdaZip()
	require.NoError(t, err)
	again, err := release.LambdaZip()
	require.NoError(t, err)
	assert.Equal(t, data, again)

	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Len(t, archive.File, 1)
	entry := archive.File[0]
	assert.Equal(t, "bootstrap", entry.Name)
	assert.Equal(t, fs.FileMode(0o755), entry.Mode())
	assert.True(t, entry.Modified.Equal(zipTime), entry.Modified)
	r, err := entry.Open()
	require.NoError(t, err)
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, binary, content)
}

func TestFiles(t *testing.T) {
	release, err := find(folder(t, binary), "mirror", "arm64")
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "new")
	path, err := release.File(dir)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, digest(binary)+"-mirror"), path)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, binary, data)

	// A damaged copy is replaced, a whole one is left alone.
	require.NoError(t, os.WriteFile(path, []byte("half"), 0o644))
	_, err = release.File(dir)
	require.NoError(t, err)
	before, err := os.Stat(path)
	require.NoError(t, err)
	_, err = release.File(dir)
	require.NoError(t, err)
	after, err := os.Stat(path)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after))
	assert.EqualValues(t, len(binary), after.Size())

	zipPath, err := release.LambdaFile(dir)
	require.NoError(t, err)
	zipped, err := release.LambdaZip()
	require.NoError(t, err)
	onDisk, err := os.ReadFile(zipPath)
	require.NoError(t, err)
	assert.Equal(t, zipped, onDisk)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no temporary file stays")
}

// What is embedded, if anything, is whole; where nothing is, Find says what to do.
func TestEmbedded(t *testing.T) {
	for _, arch := range Arches() {
		for _, name := range Names() {
			release, err := Find(name, arch)
			if err != nil {
				require.ErrorIs(t, err, ErrNotBuilt)
				continue
			}
			data, err := release.Bytes()
			require.NoError(t, err)
			assert.Equal(t, "\x7fELF", string(data[:4]), "%s/%s", name, arch)
		}
	}
}
