package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/dev"
	"cinema-database/internal/testutil/must"
)

// write writes files below a new folder, by their slash-separated paths.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return dir
}

// read returns the regular files below a folder, by their slash-separated paths.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files[filepath.ToSlash(must.OK(filepath.Rel(dir, path))(t))] = string(must.OK(os.ReadFile(path))(t))
		}
		return err
	}))
	return files
}

// content returns bytes that do not repeat.
func content(n int) string {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	return string(data)
}

func TestBucketFiles(t *testing.T) {
	_, server, env := startServers(t)
	ctx := context.Background()
	require.NoError(t, server.Put(ctx, "other-bucket", "seed", nil))
	large := content(20<<20 + 7) // several parts
	dir := write(t, map[string]string{"large.bin": large, "empty.txt": ""})
	large2 := filepath.Join(dir, "large.bin")

	r := cinema(ctx, env, "", "bucket", "put", large2, "s3://other-bucket/a/b.png")
	assert.Equal(t, "uploaded s3://other-bucket/a/b.png  21.0 MB\n", r.requireOK(t))
	assert.Contains(t, r.errout, "uploaded 1 file, 21.0 MB, ")
	head := must.OK(server.Client().HeadObject(ctx, &s3.HeadObjectInput{Bucket: ptr("other-bucket"), Key: ptr("a/b.png")}))(t)
	assert.Equal(t, "image/png", *head.ContentType)
	assert.EqualValues(t, len(large), *head.ContentLength)
	cinema(ctx, env, "", "bucket", "put", filepath.Join(dir, "empty.txt"), "images/folder/").requireOK(t)
	assert.Contains(t, cinema(ctx, env, "", "bucket", "ls", "images").requireOK(t), "             0  folder/empty.txt\n")

	out := t.TempDir()
	t.Chdir(out)
	cinema(ctx, env, "", "bucket", "get", "s3://other-bucket/a/b.png").requireOK(t)
	cinema(ctx, env, "", "bucket", "get", "s3://other-bucket/a/b.png", "c.png").requireOK(t)
	cinema(ctx, env, "", "bucket", "get", "images/folder/empty.txt", "new/").requireOK(t)
	cinema(ctx, env, "", "bucket", "get", "images/folder/empty.txt", "c.png").requireOK(t)
	files := read(t, out)
	assert.True(t, large == files["b.png"], "the content is the same")
	delete(files, "b.png")
	assert.Equal(t, map[string]string{"c.png": "", "new/empty.txt": ""}, files, "a file that exists is replaced, and no temporary file stays")

	cinema(ctx, env, "", "bucket", "rm", "images/folder/empty.txt").assertFails(t, exitUsage, "use -yes")
	assert.Equal(t, "deleted 1 object\n", cinema(ctx, env, "", "bucket", "rm", "images/folder/empty.txt", "-yes").requireOK(t))
	for _, command := range [][]string{{"get"}, {"rm", "-yes"}} {
		cinema(ctx, env, "", append(append([]string{"bucket"}, command...), "images/folder/empty.txt")...).assertFails(t, exitFailed, "s3://cinema-images/folder/empty.txt: not found")
	}
	for _, args := range [][]string{{"ls", "s3://no-such-bucket"}, {"put", large2, "s3://no-such-bucket/x"}, {"get", "-recursive", "s3://no-such-bucket/x"}} {
		cinema(ctx, env, "", append([]string{"bucket"}, args...)...).assertFails(t, exitFailed, "bucket no-such-bucket: does not exist")
	}
}

func ptr(s string) *string { return &s }

func TestBucketFolders(t *testing.T) {
	_, server, env := startServers(t)
	ctx := context.Background()
	files := map[string]string{}
	for i := range 1005 { // more than a page, and than a request deletes
		files[fmt.Sprintf("n/%04d.txt", i)] = fmt.Sprint(i)
	}
	files["top.txt"], files["n/ü/ .txt"] = "top", "deep"
	dir := write(t, files)
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))

	cinema(ctx, env, "", "bucket", "put", dir, "images/up").assertFails(t, exitUsage, "is a folder; use -recursive")
	r := cinema(ctx, env, "", "bucket", "put", "-recursive", dir, "images/up")
	assert.Equal(t, len(files), strings.Count(r.requireOK(t), "\n"), "a line for each file")
	assert.Contains(t, r.errout, "link: left out")
	require.NoError(t, server.Put(ctx, dev.BucketName, "upper", nil)) // is not below up/
	r = cinema(ctx, env, "", "bucket", "ls", "images/up/")
	assert.Equal(t, len(files), strings.Count(r.requireOK(t), "\n"))
	assert.Contains(t, r.errout, "1007 objects, ")

	// A file that is in the way, and temporary files, do not stay.
	out := write(t, map[string]string{"top.txt": "old"})
	cinema(ctx, env, "", "bucket", "get", "-recursive", "images/up", out).requireOK(t)
	assert.Equal(t, files, read(t, out))

	assert.Equal(t, "deleted 1007 objects\n", cinema(ctx, env, "", "bucket", "rm", "images/up", "-recursive", "-yes").requireOK(t))
	assert.Contains(t, cinema(ctx, env, "", "bucket", "ls", "images").requireOK(t), "  upper\n")
	for _, args := range [][]string{{"rm", "-yes"}, {"get"}} {
		cinema(ctx, env, "", append([]string{"bucket", args[0], "images/up", "-recursive"}, args[1:]...)...).assertFails(t, exitFailed, "there are no objects")
	}
}

// TestNoFileOutsideTheFolder: a download writes below its folder only, whatever the keys and the folder's links.
func TestNoFileOutsideTheFolder(t *testing.T) {
	_, server, env := startServers(t)
	ctx := context.Background()
	parent := t.TempDir()
	out := filepath.Join(parent, "out")
	for key, good := range map[string]bool{"a.txt": true, "..b": true, "../c": false, "x/../../d": false, "/e": false, "y//f": false, "./g": false, "folder/": true} {
		key = "in/" + key
		_, err := server.Client().PutObject(ctx, &s3.PutObjectInput{Bucket: ptr(dev.BucketName), Key: &key, Body: strings.NewReader("x")})
		if good {
			require.NoError(t, err)
		} // HTTP clients and the server normalize some of the keys
	}
	keys := cinema(ctx, env, "", "bucket", "ls", "images/in/").requireOK(t)
	require.Contains(t, keys, "in/../c\n")
	r := cinema(ctx, env, "", "bucket", "get", "-recursive", "images/in", out)
	r.assertFails(t, exitFailed, "in/../c: left out", "in//e: left out")
	assert.Equal(t, map[string]string{"out/a.txt": "x", "out/..b": "x"}, read(t, parent))

	require.NoError(t, server.Put(ctx, dev.BucketName, "linked/away/h", []byte("x")))
	require.NoError(t, os.Mkdir(filepath.Join(parent, "elsewhere"), 0o755))
	require.NoError(t, os.Symlink("../elsewhere", filepath.Join(out, "away")))
	cinema(ctx, env, "", "bucket", "get", "-recursive", "images/linked", out).assertFails(t, exitFailed, "escapes")
	assert.Len(t, read(t, parent), 2)
}

func TestBucketAsks(t *testing.T) {
	_, server, env := startServers(t)
	ctx := context.Background()
	for _, key := range []string{"a/1", "a/2", "b"} {
		require.NoError(t, server.Put(ctx, dev.BucketName, key, []byte("xx")))
	}
	for _, c := range []struct {
		answer, out, question string
		code                  int
		args                  []string
	}{
		{"", "", "Delete 2 objects (4 B) below s3://cinema-images/a/? [y/N] ", exitFailed, []string{"-recursive", "images/a"}},
		{"n\n", "", "Delete 2 objects (4 B) below s3://cinema-images/a/? [y/N] ", exitFailed, []string{"-recursive", "images/a"}},
		{"y\n", "deleted 2 objects\n", "Delete 2 objects (4 B) below s3://cinema-images/a/? [y/N] ", exitOK, []string{"-recursive", "images/a"}},
		{"YES\n", "deleted 1 object\n", "Delete s3://cinema-images/b? [y/N] ", exitOK, []string{"images/b"}},
	} {
		var out, errout bytes.Buffer
		p := &process{getenv: get(env), in: strings.NewReader(c.answer), out: &out, errout: &errout, asks: true}
		assert.Equal(t, c.code, dispatch(ctx, p, commands(), append([]string{"bucket", "rm"}, c.args...)))
		assert.Equal(t, c.out, out.String())
		assert.True(t, strings.HasPrefix(errout.String(), c.question), errout.String())
	}
}

func TestLocations(t *testing.T) {
	for text, want := range map[string]location{
		"s3://some-bucket": {"some-bucket", ""}, "s3://some-bucket/": {"some-bucket", ""}, "s3://some-bucket//a b": {"some-bucket", "/a b"},
		"images": {"own-bucket", ""}, "images/orig/x": {"own-bucket", "orig/x"}, "s3://images/orig/x": {"images", "orig/x"},
	} {
		assert.Equal(t, want, must.OK(parseLocation(text, "own-bucket"))(t), text)
	}
	for _, text := range []string{"", "x", "/images", "imagesx/a", "s3:/a", "s3://", "s3://B_/x", "s3://bucket/" + strings.Repeat("k", 1025)} {
		_, err := parseLocation(text, "own-bucket")
		var wrong usageError
		assert.ErrorAs(t, err, &wrong, text)
	}
	_, err := parseLocation("images/x", "")
	assert.ErrorContains(t, err, "AWS_UPLOAD_BUCKET_NAME is not set")
}

func TestProgressOnATerminal(t *testing.T) {
	var out, errout bytes.Buffer
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := start
	all := []transfer{{location{"some-bucket", "a"}, "a", 3_000_000}, {location{"some-bucket", "b"}, "b", 1_000_000}}
	s := newProgress(&process{out: &out, errout: &errout, watches: true}, "uploaded", all)
	s.now, s.start = func() time.Time { return now }, start
	a, b := &fileProgress{progress: s}, &fileProgress{progress: s}
	for _, step := range []struct {
		file        *fileProgress
		bytes, took int64
	}{{a, 1_000_000, 1000}, {a, 1_500_000, 10}, {a, 1_200_000, 0}, {b, 1_000_000, 990}, {a, 3_000_000, 2000}} {
		now = now.Add(time.Duration(step.took) * time.Millisecond)
		step.file.OnObjectBytesTransferred(t.Context(), &transfermanager.ObjectBytesTransferredEvent{BytesTransferred: step.bytes})
	}
	s.done(all[0])
	s.done(all[1])
	s.end(true)
	assert.Equal(t, "\r\x1b[K 25 %  1.0 MB of 4.0 MB  1.0 MB/s  0 of 2 files"+
		"\r\x1b[K 62 %  2.5 MB of 4.0 MB  1.2 MB/s  0 of 2 files"+
		"\r\x1b[K100 %  4.0 MB of 4.0 MB  1.0 MB/s  0 of 2 files"+
		"\r\x1b[Kuploaded 2 files, 4.0 MB, 1.0 MB/s\n", errout.String())
	assert.Empty(t, out.String())
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 5e9: "5.0 GB", 7e12: "7.0 TB"} {
		assert.Equal(t, want, size(bytes))
	}
}
