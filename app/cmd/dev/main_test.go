package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stopAfterStart is an output that interrupts the server when it has started.
type stopAfterStart struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (s *stopAfterStart) Write(p []byte) (int, error) {
	defer s.stop()
	return s.Buffer.Write(p)
}

func runUntilStarted(t *testing.T, args ...string) (code int, out, errout string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	started := &stopAfterStart{stop: stop}
	var errs bytes.Buffer
	code = run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), started, &errs)
	return code, started.String(), errs.String()
}

func TestDataIsKept(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	var key []byte
	for range 2 {
		code, out, errout := runUntilStarted(t)
		assert.Zero(t, code, errout)
		assert.Contains(t, out, "kept in "+filepath.Join(dir, ".dev")+". To start afresh")
		now, err := os.ReadFile(filepath.Join(dir, ".dev", "jwt.key"))
		require.NoError(t, err)
		if key == nil {
			key = now
		}
		assert.Equal(t, key, now, "sessions survive")
	}
}

func TestTemporary(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	code, out, errout := runUntilStarted(t, "-temporary")
	assert.Zero(t, code, errout)
	assert.Contains(t, out, "Nothing is kept")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for want, args := range map[string][]string{
		"not known":        {"now"},
		"not defined":      {"-nothing"},
		"-data is empty":   {"-data", ""},
		"contains a colon": {"-data", "127.0.0.1:0"},
	} {
		code, _, errout := runUntilStarted(t, args...)
		assert.NotZero(t, code)
		assert.Contains(t, errout, want)
	}
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Empty(t, left, "a refused command creates nothing")
	code, _, errout := runUntilStarted(t, "-h")
	assert.Zero(t, code)
	assert.Contains(t, errout, "-temporary")

	used, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer used.Close()
	code, _, errout = runUntilStarted(t, "-addr", used.Addr().String())
	assert.Equal(t, 1, code)
	assert.Contains(t, errout, "another program uses it; stop that program")
	assert.Contains(t, errout, "-addr sets the address")
}
