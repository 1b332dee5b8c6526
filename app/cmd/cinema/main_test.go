package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
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

// startServe runs `cinema serve` and returns its URL. It stops without an error when the test ends.
func startServe(t *testing.T, env map[string]string) string {
	t.Helper()
	port := strconv.Itoa(freeport.Get(t))
	env["PORT"] = port
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"serve"}, get(env), io.Discard) }()
	t.Cleanup(func() { stop(); assert.NoError(t, <-done) })
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
	assert.ErrorContains(t, run(ctx, []string{"seed"}, get(env), io.Discard), "s3://artifacts/credentials/api.json", "the object does not exist yet")
	putCredentials(t, s3, db)
	var log bytes.Buffer
	require.NoError(t, run(ctx, []string{"seed"}, get(env), &log))
	assert.Contains(t, log.String(), `"movies":63,"written":63`)
	log.Reset()
	require.NoError(t, run(ctx, []string{"seed"}, get(map[string]string{"MONGODB_URI": db.URI()}), &log))
	assert.Contains(t, log.String(), `"written":0`, "the second run changes nothing")
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{nil, {"serve", "now"}, {"help"}} {
		assert.ErrorContains(t, run(context.Background(), args, get(nil), io.Discard), usage)
	}
	assert.ErrorContains(t, run(context.Background(), []string{"serve"}, get(nil), io.Discard), "AWS_UPLOAD_BUCKET_NAME")
	assert.ErrorContains(t, run(context.Background(), []string{"seed"}, get(nil), io.Discard), "MONGODB_URI")
}
