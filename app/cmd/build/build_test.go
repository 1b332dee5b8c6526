package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/manifest"
	"cinema-database/internal/testutil/must"
)

func TestParseArchitectures(t *testing.T) {
	assert.Equal(t, []string{"arm64", "amd64"}, must.OK(parseArchitectures("arm64, amd64"))(t))
	_, err := parseArchitectures("arm64,sparc,arm64,")
	assert.ErrorContains(t, err, `-arch[1] "sparc"`)
	assert.ErrorContains(t, err, `-arch[2] "arm64": appears twice`)
	assert.ErrorContains(t, err, `-arch[3] ""`)
}

// module writes a module with the given files and returns its folder.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files["go.mod"] = "module example.test/m\n\ngo 1.26\n"
	for name, content := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return root
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, entry := range must.OK(os.ReadDir(dir))(t) {
		found[entry.Name()] = string(must.OK(os.ReadFile(filepath.Join(dir, entry.Name())))(t))
	}
	return found
}

func TestBuild(t *testing.T) {
	program := "package main\n\nfunc main() { println(%) }\n"
	root := module(t, map[string]string{
		"app/cmd/mirror/main.go":      strings.Replace(program, "%", `"mirror"`, 1),
		"app/cmd/thumbnailer/main.go": strings.Replace(program, "%", `"thumbnailer"`, 1),
		"app/cmd/cinema/main.go":      strings.Replace(program, "%", `undefined`, 1),
	})
	output := filepath.Join(t.TempDir(), "bin")
	require.NoError(t, os.MkdirAll(output, 0o755))
	for _, name := range []string{"README", "notes.gz", "old-linux-arm64.gz", "mirror-linux-amd64.gz"} {
		require.NoError(t, os.WriteFile(filepath.Join(output, name), []byte("old"), 0o644))
	}
	var log bytes.Buffer
	b := builder{root: root, output: output, log: &log}
	ctx := context.Background()

	err := b.run(ctx, []string{"cinema", "cinema-db", "mirror", "thumbnailer"}, []string{"arm64"})
	require.ErrorContains(t, err, "undefined: undefined")
	require.ErrorContains(t, err, "no package app/cmd/cinema-db in this checkout")

	files := contents(t, output)
	assert.Len(t, files, 5, "%v", files)
	assert.Contains(t, files, "README")
	assert.Contains(t, files, "notes.gz", "other files stay")
	built := must.OK(manifest.Decode([]byte(files[manifest.Name])))(t)
	require.Len(t, built.Binaries, 2)
	for _, entry := range built.Binaries {
		data := must.OK(decompress(filepath.Join(output, manifest.FileName(entry.Name, entry.Arch))))(t)
		sum := sha256.Sum256(data)
		assert.Equal(t, hex.EncodeToString(sum[:]), entry.SHA256)
		assert.EqualValues(t, len(data), entry.Size)
		file := must.OK(elf.NewFile(bytes.NewReader(data)))(t)
		assert.Equal(t, elf.EM_AARCH64, file.Machine)
		assert.Nil(t, file.Section(".interp"), "static")
	}
	assert.Contains(t, log.String(), "written")
	assert.Contains(t, log.String(), "old-linux-arm64.gz stale, removed")

	// An unchanged file stays as it is; a damaged one is replaced.
	before := must.OK(os.Stat(filepath.Join(output, "mirror-linux-arm64.gz")))(t)
	require.NoError(t, os.WriteFile(filepath.Join(output, "thumbnailer-linux-arm64.gz"), []byte("damaged"), 0o644))
	log.Reset()
	require.NoError(t, b.run(ctx, []string{"mirror", "thumbnailer"}, []string{"arm64"}))
	after := must.OK(os.Stat(filepath.Join(output, "mirror-linux-arm64.gz")))(t)
	assert.True(t, os.SameFile(before, after))
	assert.Equal(t, before.ModTime(), after.ModTime())
	assert.Equal(t, files, contents(t, output))
	assert.Equal(t, 1, strings.Count(log.String(), "unchanged"))
	assert.Equal(t, 1, strings.Count(log.String(), "written"))
}

// Two checkouts, in folders whose paths differ in length, result in the same binary.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary twice")
	}
	root := must.OK(moduleRoot(context.Background()))(t)
	var digests []string
	for _, name := range []string{"a", "a/much/longer/path to the second checkout"} {
		// Go's build cache would reuse the first checkout's packages for the second. A comment that differs between
		// the checkouts makes every package compile again.
		note := fmt.Sprintf("\n// %s\n", rand.Text())
		checkout := filepath.Join(t.TempDir(), name)
		for _, part := range []string{"go.mod", "go.sum", "app"} {
			copyTree(t, filepath.Join(root, part), filepath.Join(checkout, part), note)
		}
		b := builder{root: checkout, log: io.Discard}
		data := must.OK(b.compile(context.Background(), "thumbnailer", "arm64"))(t)
		assert.NotContains(t, string(data), checkout)
		sum := sha256.Sum256(data)
		digests = append(digests, hex.EncodeToString(sum[:]))
	}
	assert.Equal(t, digests[0], digests[1])
}

// copyTree copies a file or folder except the compressed binaries, and appends note to Go files.
func copyTree(t *testing.T, from, to, note string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, ".gz") {
			return err
		}
		target := filepath.Join(to, must.OK(filepath.Rel(from, path))(t))
		data := must.OK(os.ReadFile(path))(t)
		if strings.HasSuffix(path, ".go") {
			data = append(data, note...)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	}))
}
