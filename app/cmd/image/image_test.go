package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"debug/elf"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"cinema-database/app/contract"
	"cinema-database/internal/awsaccess"
	"cinema-database/internal/cli"
	"cinema-database/internal/testutil/must"
)

func TestMain(m *testing.M) {
	retries.Duration = time.Millisecond
	os.Exit(m.Run())
}

// hello writes a module with a program, which prints a text, into a folder.
func hello(t *testing.T, folder, text string) {
	t.Helper()
	files := map[string]string{
		"go.mod":                 "module example.test/hello\n\ngo 1.26\n",
		"main.go":                fmt.Sprintf("package main\n\nfunc main() { println(%q) }\n", text),
		"lib/lib.go":             "package lib\n",
		"app/cmd/cinema/main.go": fmt.Sprintf("package main\n\nfunc main() { println(%q) }\n", text),
	}
	for name, content := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

// inModule makes a folder with a module the current one.
func inModule(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	hello(t, dir, "hello")
	t.Chdir(dir)
}

// command runs a command line in the current folder.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// succeeds runs a command line that succeeds, and returns the digest that it prints at the end.
func succeeds(t *testing.T, args ...string) (digest, stdout string) {
	t.Helper()
	code, out, errs := command(t, args...)
	require.Equal(t, cli.ExitOK, code, out+errs)
	match := regexp.MustCompile(`(?m)^digest: (sha256:[0-9a-f]{64})$`).FindStringSubmatch(out)
	require.NotNil(t, match, out)
	return match[1], out
}

// file is a file of an image.
type file struct {
	*tar.Header
	content []byte
}

// files returns the files of an image in their order.
func files(t *testing.T, image v1.Image) (all []file) {
	t.Helper()
	for _, layer := range must.OK(image.Layers())(t) {
		assert.Equal(t, types.OCILayer, must.OK(layer.MediaType())(t))
		archive := tar.NewReader(must.OK(layer.Uncompressed())(t))
		for {
			header, err := archive.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			all = append(all, file{header, must.OK(io.ReadAll(archive))(t)})
		}
	}
	return all
}

// written opens the image that `build` has written to a folder.
func written(t *testing.T, folder string) (index v1.ImageIndex, whole v1.Descriptor) {
	t.Helper()
	index = must.OK(layout.ImageIndexFromPath(folder))(t)
	manifest := must.OK(index.IndexManifest())(t)
	require.Len(t, manifest.Manifests, 1)
	return index, manifest.Manifests[0]
}

func TestBuild(t *testing.T) {
	inModule(t)
	digest, out := succeeds(t, "build", "--output", "out")
	assert.Contains(t, out, "compiled example.test/hello/app/cmd/cinema for linux/amd64, ")
	index, whole := written(t, "out")
	assert.Equal(t, digest, whole.Digest.String())
	assert.Equal(t, types.OCIImageIndex, whole.MediaType)
	blobs := must.OK(os.ReadDir("out/blobs/sha256"))(t)
	assert.Len(t, blobs, 8, "an index, two manifests with settings and a program each, and one layer for both")
	for _, b := range blobs {
		sum := sha256.Sum256(must.OK(os.ReadFile(filepath.Join("out/blobs/sha256", b.Name())))(t))
		assert.Equal(t, hex.EncodeToString(sum[:]), b.Name())
	}

	both := must.OK(index.ImageIndex(whole.Digest))(t)
	manifest := must.OK(both.IndexManifest())(t)
	require.Len(t, manifest.Manifests, 2)
	for n, machine := range []elf.Machine{elf.EM_X86_64, elf.EM_AARCH64} {
		arch := contract.Architectures[n]
		assert.Equal(t, &v1.Platform{OS: "linux", Architecture: arch}, manifest.Manifests[n].Platform)
		image := must.OK(both.Image(manifest.Manifests[n].Digest))(t)
		config := must.OK(image.ConfigFile())(t)
		assert.Equal(t, arch, config.Architecture)
		assert.Equal(t, "linux", config.OS)
		assert.Equal(t, v1.Config{
			User: "65532:65532", Entrypoint: []string{"/app"}, Cmd: []string{"serve"}, WorkingDir: "/", ExposedPorts: map[string]struct{}{"8081/tcp": {}},
			Labels: map[string]string{
				"org.opencontainers.image.title":       "cinema",
				"org.opencontainers.image.description": "The Go program example.test/hello/app/cmd/cinema, static, without a shell",
				"org.opencontainers.image.created":     "1970-01-01T00:00:00Z",
			},
		}, config.Config)
		assert.Equal(t, epoch, config.Created.UTC())
		for _, h := range config.History {
			assert.Equal(t, epoch, h.Created.UTC())
		}

		all := files(t, image)
		var names []string
		for _, f := range all {
			names = append(names, fmt.Sprintf("%s %o", f.Name, f.Mode))
			assert.Equal(t, epoch, f.ModTime.UTC(), f.Name)
			assert.Equal(t, "0:0 :", fmt.Sprintf("%d:%d %s:%s", f.Uid, f.Gid, f.Uname, f.Gname), f.Name)
		}
		assert.Equal(t, []string{"etc/ 755", "etc/group 644", "etc/passwd 644", "etc/ssl/ 755", "etc/ssl/certs/ 755", "etc/ssl/certs/ca-certificates.crt 644",
			"tmp/ 1777", "app 755"}, names)
		assert.Contains(t, string(all[2].content), "nonroot:x:65532:65532:")
		binary := must.OK(elf.NewFile(bytes.NewReader(all[7].content)))(t)
		assert.Equal(t, machine, binary.Machine)
		assert.NoError(t, checkStatic(all[7].content))
	}
}

func TestBuildOfAPackage(t *testing.T) {
	inModule(t)
	require.NoError(t, os.Mkdir("sub", 0o755))
	t.Chdir("sub")
	digest, _ := succeeds(t, "build", "--package", "..", "--arch", "arm64")
	_, whole := written(t, "../.artifacts/image/hello") // in the folder of the module
	assert.Equal(t, digest, whole.Digest.String())
	assert.Equal(t, types.OCIManifestSchema1, whole.MediaType)
	index, _ := written(t, "../.artifacts/image/hello")
	config := must.OK(must.OK(index.Image(whole.Digest))(t).ConfigFile())(t).Config
	assert.Equal(t, []string{"/app"}, config.Entrypoint)
	assert.Empty(t, config.Cmd)
	assert.Empty(t, config.ExposedPorts)
	assert.Equal(t, "hello", config.Labels["org.opencontainers.image.title"])
}

func TestSameDigestFromTwoFolders(t *testing.T) {
	first, second := t.TempDir(), filepath.Join(t.TempDir(), "another", "and deeper")
	hello(t, first, "hello")
	hello(t, second, "hello")
	t.Chdir(first)
	want, _ := succeeds(t, "build")
	again, _ := succeeds(t, "build")
	assert.Equal(t, want, again)

	t.Chdir(second)
	for name, value := range map[string]string{"GOAMD64": "v3", "GOARM64": "v9.0", "CGO_ENABLED": "1", "GOFLAGS": "-tags=other", "TZ": "Asia/Tokyo"} {
		t.Setenv(name, value)
	}
	require.NoError(t, os.Chtimes("main.go", epoch.AddDate(40, 0, 0), epoch.AddDate(40, 0, 0)))
	got, _ := succeeds(t, "build", "--arch", "arm64,amd64", "--output", filepath.Join(t.TempDir(), "out"))
	assert.Equal(t, want, got)

	hello(t, second, "another text")
	other, _ := succeeds(t, "build")
	assert.NotEqual(t, want, other)
}

func TestAnImageThatIsThereIsReplacedAndNothingElse(t *testing.T) {
	inModule(t)
	before, _ := succeeds(t, "build", "--arch", "amd64", "--output", "out")
	hello(t, ".", "another text")
	after, _ := succeeds(t, "build", "--arch", "amd64", "--output", "out")
	require.NotEqual(t, before, after)
	_, whole := written(t, "out")
	assert.Equal(t, after, whole.Digest.String())
	assert.NoFileExists(t, filepath.Join("out", "blobs", "sha256", strings.TrimPrefix(before, "sha256:")))

	code, out, errs := command(t, "build", "--output", "app")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Equal(t, "image: flag --output \"app\": has files that are no image; name another folder\n", errs)
	assert.Empty(t, out)
	assert.DirExists(t, filepath.Join("app", "cmd"))
	left := must.OK(filepath.Glob(".image-*"))(t)
	assert.Empty(t, left)
}

// The roots are those of the module, without the ones that PEM cannot express.
func TestPublicRoots(t *testing.T) {
	text := must.OK(publicRoots())(t)
	want := 0
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			want++
			continue
		}
		assert.NotContains(t, string(text), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})))
	}
	got := 0
	names := map[string]bool{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		names[must.OK(x509.ParseCertificate(block.Bytes))(t).Subject.CommonName] = true
		got++
	}
	assert.Equal(t, want, got)
	assert.Greater(t, got, 50)
	assert.Contains(t, names, "Amazon Root CA 1", "AWS has certificates of it")
}

func TestProgramsThatAreRefused(t *testing.T) {
	inModule(t)
	require.NoError(t, os.WriteFile("main.go", []byte("package main\n\nfunc main() { undefined() }\n"), 0o644))
	for want, args := range map[string][]string{
		"package ./lib: example.test/hello/lib is a library (package lib); name the folder of a program (package main)": {"--package", "./lib"},
		"package ./none: go list: exit status 1\nstat ":                                                                 {"--package", "./none"},
		`package "-C": not a package; write it like ./path`:                                                             {"--package=-C"},
		"compile example.test/hello for linux/amd64: go build: exit status 1\n# example.test/hello\n":                   {"--package", "."},
		"package ./app/cmd/cinema-db: go list: exit status 1\n":                                                         {"--binary", "cinema-db"},
	} {
		code, out, errs := command(t, append([]string{"build"}, args...)...)
		assert.Equal(t, cli.ExitFailed, code, out)
		assert.Contains(t, errs, "image: "+want)
		assert.NoDirExists(t, ".artifacts")
	}
	hello(t, "app/cmd/another", "x")
	require.NoError(t, os.Remove("app/cmd/another/go.mod"))
	require.NoError(t, os.RemoveAll("app/cmd/another/lib"))
	_, _, errs := command(t, "build", "--package", "./app/...")
	assert.Contains(t, errs, "package ./app/...: names 3 programs; an image has one")

	t.Chdir(t.TempDir())
	_, _, errs = command(t, "build")
	assert.Equal(t, "image: not inside a Go module; run it in the project's folder\n", errs)
}

func TestOnlyStaticBinaries(t *testing.T) {
	assert.ErrorContains(t, checkStatic([]byte("#!/bin/sh\n")), "not a binary for Linux")
	shell, err := os.ReadFile("/bin/sh")
	if err != nil || !bytes.HasPrefix(shell, []byte(elf.ELFMAG)) {
		t.Skip("no dynamic binary here: ", err)
	}
	assert.ErrorContains(t, checkStatic(shell), "linked dynamically, and the image has no libraries")
}

func TestCommandLine(t *testing.T) {
	for want, args := range map[string][]string{
		`command "pull": neither build nor push`:                       {"pull"},
		"flag provided but not defined: -tag":                          {"build", "--tag", "v1"},
		`argument "now": not known`:                                    {"build", "now"},
		`flag --package "./x": next to --binary cinema; leave out one`: {"build", "--binary", "cinema", "--package", "./x"},
		`flag --binary "mirror": not a program that runs in a container; use one of cinema, cinema-db, or --package`:         {"build", "--binary", "mirror"},
		`flag --arch "sparc": no such architecture; use one or more of amd64,arm64` + "\n" + `flag --arch "": no such`:       {"build", "--arch", "sparc,"},
		`flag --arch "arm64": appears twice; remove one`:                                                                     {"build", "--arch", "arm64, arm64"},
		"flag --service: missing; name the service whose repository it is, or a --repository\nflag --tag: missing; name the": {"push"},
		`flag --repository "r": next to --service demo, which has a repository; leave out one`:                               {"push", "--service", "demo", "--repository", "r", "--tag", "v1"},
		`flag --stack "prod": next to --repository, which needs no stack; leave out one`:                                     {"push", "--stack", "prod", "--repository", "r", "--tag", "v1"},
		`flag --tag "-v1": not a tag; use up to 128 letters, digits, . _ and -, not . or - first`:                            {"push", "--service", "demo", "--tag=-v1"},
		`flag --tag "latest": a tag that moves, which config refuses; name a version, like v1.2`:                             {"push", "--service", "demo", "--tag", "latest"},
	} {
		code, out, errs := command(t, args...)
		assert.Equal(t, cli.ExitUsage, code, args)
		assert.True(t, strings.HasPrefix(errs, "image: "+want), errs)
		assert.Contains(t, errs, "usage: go run ./app/cmd/image COMMAND")
		assert.Empty(t, out)
	}
	for _, args := range [][]string{{"help"}, {"-h"}, {"build", "--help"}, {"push", "help"}} {
		code, out, errs := command(t, args...)
		assert.Equal(t, cli.ExitOK, code)
		assert.Equal(t, usage, out)
		assert.Empty(t, errs)
	}
	code, out, _ := command(t)
	assert.Equal(t, cli.ExitUsage, code)
	assert.Equal(t, usage, out)
}

func TestECRRegion(t *testing.T) {
	for host, want := range map[string]string{
		"123456789012.dkr.ecr.us-east-1.amazonaws.com":          "us-east-1",
		"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com": "us-gov-west-1",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn":      "cn-north-1",
		"123456789012.dkr-ecr.eu-central-1.on.aws":              "eu-central-1",
		"public.ecr.aws": "",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.com": "",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com:8080":     "",
		"127.0.0.1:5000": "",
	} {
		region, ok := awsaccess.ECRRegion(host)
		assert.Equal(t, want, region, host)
		assert.Equal(t, want != "", ok, host)
	}
}

// unpack writes the files of an image into a folder, as a container runtime does.
func unpack(t *testing.T, image v1.Image, folder string) {
	t.Helper()
	archive := mutate.Extract(image)
	defer archive.Close()
	for files := tar.NewReader(archive); ; {
		header, err := files.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(folder, filepath.FromSlash(header.Name))
		if header.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(path, 0o755))
		} else {
			require.NoError(t, os.WriteFile(path, must.OK(io.ReadAll(files))(t), 0o600))
		}
		require.NoError(t, os.Chmod(path, header.FileInfo().Mode()))
	}
}
