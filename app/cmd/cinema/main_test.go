package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/internal/dev"
	"cinema-database/internal/testutil/freeport"
)

var key = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))

// startServers starts a database and an S3 server, and returns the environment for the latter.
func startServers(t *testing.T) (*dev.Database, *dev.S3, map[string]string) {
	t.Helper()
	db, err := dev.StartDatabase(dev.DatabaseOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(db.Stop)
	s3, err := dev.StartS3(dev.S3Options{})
	require.NoError(t, err)
	t.Cleanup(s3.Stop)
	// The AWS SDK reads these itself.
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://"+s3.Addr)
	return db, s3, map[string]string{
		"AWS_REGION":             "us-east-1",
		"AWS_UPLOAD_BUCKET_NAME": dev.BucketName,
		"AWS_ENDPOINT_URL_S3":    "http://" + s3.Addr,
	}
}

func get(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// result is what a command line leaves.
type result struct {
	code        int
	out, errout string
}

func cinema(ctx context.Context, env map[string]string, in string, args ...string) result {
	var out, errout bytes.Buffer
	code := run(ctx, args, get(env), strings.NewReader(in), &out, &errout)
	return result{code, out.String(), errout.String()}
}

// requireOK fails the test if the command failed, and returns its output.
func (r result) requireOK(t *testing.T) string {
	t.Helper()
	require.Equal(t, exitOK, r.code, r.errout)
	return r.out
}

// assertFails checks that the command failed, with all these texts.
func (r result) assertFails(t *testing.T, code int, texts ...string) {
	t.Helper()
	assert.Equal(t, code, r.code)
	for _, text := range texts {
		assert.Contains(t, r.errout, text)
	}
}

// startServe runs `cinema serve` and returns its URL. It stops without an error when the test ends.
func startServe(t *testing.T, env map[string]string) string {
	t.Helper()
	port := strconv.Itoa(freeport.Get(t))
	env["PORT"] = port
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan result, 1)
	go func() { done <- cinema(ctx, env, "", "serve") }()
	t.Cleanup(func() { stop(); (<-done).requireOK(t) })
	return "http://127.0.0.1:" + port
}

func requireStatus(t *testing.T, url string, status int) {
	t.Helper()
	require.Eventually(t, func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == status
	}, time.Minute, 5*time.Millisecond, "%s: %d", url, status)
}

func TestServe(t *testing.T) {
	db, _, env := startServers(t)
	env["MONGODB_URI"], env["JWT_KEY"] = db.URI(), key
	url := startServe(t, env)
	requireStatus(t, url+"/healthz", 200)
	requireStatus(t, url+"/api/readyz", 200)
}

func TestServeWaitsForCredentials(t *testing.T) {
	db, s3, env := startServers(t)
	env["CREDENTIALS_URI"] = "s3://artifacts/credentials/api.json"
	url := startServe(t, env)
	requireStatus(t, url+"/healthz", 200)
	requireStatus(t, url+"/api/readyz", 503)
	putCredentials(t, s3, db)
	requireStatus(t, url+"/api/readyz", 200)
}

func putCredentials(t *testing.T, s3 *dev.S3, db *dev.Database) {
	t.Helper()
	object := fmt.Appendf(nil, `{"mongodbUri":%q,"jwtKey":%q}`, db.URI(), key)
	require.NoError(t, s3.Put(context.Background(), "artifacts", "credentials/api.json", object))
}

func TestSeed(t *testing.T) {
	db, s3, env := startServers(t)
	env["CREDENTIALS_URI"] = "s3://artifacts/credentials/api.json"
	ctx := context.Background()
	cinema(ctx, env, "", "seed").assertFails(t, exitFailed, "s3://artifacts/credentials/api.json") // does not exist yet
	putCredentials(t, s3, db)
	assert.Contains(t, cinema(ctx, env, "", "seed").requireOK(t), `"movies":63,"written":63`)
	log := cinema(ctx, map[string]string{"MONGODB_URI": db.URI()}, "", "seed").requireOK(t)
	assert.Contains(t, log, `"written":0`, "the second run changes nothing")
}

func TestCommandLines(t *testing.T) {
	ctx := context.Background()
	overview := cinema(ctx, nil, "", "help").requireOK(t)
	for _, c := range commands() {
		assert.Contains(t, overview, "  "+c.name)
		args := strings.Fields(c.name)
		usage := cinema(ctx, nil, "", append(args, "-h")...).requireOK(t)
		assert.Contains(t, usage, "usage: cinema "+c.name)
		assert.Equal(t, usage, cinema(ctx, nil, "", append([]string{"help"}, args...)...).requireOK(t))
		cinema(ctx, nil, "", append(args, "-nothing")...).assertFails(t, exitUsage, "not defined: -nothing", usage)
		if c.max >= 0 {
			cinema(ctx, nil, "", append(args, "a", "b", "c")...).assertFails(t, exitUsage, "not known", usage)
		}
		if c.min > 0 {
			cinema(ctx, nil, "", args...).assertFails(t, exitUsage, "needs "+c.args, usage)
		}
	}
	for _, args := range [][]string{nil, {"movie"}} {
		assert.Equal(t, exitUsage, cinema(ctx, nil, "", args...).code)
	}
	for _, args := range [][]string{{"movie", "-h"}, {"help", "movie"}} {
		group := cinema(ctx, nil, "", args...).requireOK(t)
		assert.Contains(t, group, "movie edit FILE")
		assert.NotContains(t, group, "serve")
	}
	cinema(ctx, nil, "", "move").assertFails(t, exitUsage, `command "move": not known`, "movie edit")
	cinema(ctx, nil, "", "movie", "sell").assertFails(t, exitUsage, `command "movie sell": not known`, "movie edit")
	cinema(ctx, nil, "", "serve").assertFails(t, exitFailed, "AWS_UPLOAD_BUCKET_NAME")
	cinema(ctx, nil, "", "seed").assertFails(t, exitFailed, "MONGODB_URI")
}

func TestFlagsAnywhere(t *testing.T) {
	for want, args := range map[string][]string{
		"true x y":   {"x", "-yes", "y"},
		"false x":    {"x"},
		"true x":     {"-yes", "x"},
		"false -yes": {"--", "-yes"},
		"true - -a":  {"-", "-yes", "--", "-a"},
	} {
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		yes := fs.Bool("yes", false, "")
		words, err := parse(fs, args)
		require.NoError(t, err)
		assert.Equal(t, want, fmt.Sprintf("%t %s", *yes, strings.Join(words, " ")))
	}
}
