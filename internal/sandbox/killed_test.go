//go:build unix

package sandbox_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"cinema-database/internal/sandbox"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var killedProgram = shop{userData: "one", ami: "ami-1"}.program

// TestHelperIsKilled is a process of TestKilledRun: it kills itself after AWS has created a resource, before it knows.
func TestHelperIsKilled(t *testing.T) {
	dir, last := os.Getenv("SANDBOX_TEST_KILLED"), os.Getenv("SANDBOX_TEST_LAST")
	if dir == "" {
		t.Skip("part of TestKilledRun")
	}
	s := open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
	s.OnCreate(func(typ string) {
		if typ == last {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	})
	_, err := s.Up(t.Context())
	t.Fatalf("not killed: %v", err)
}

func TestKilledRun(t *testing.T) {
	t.Parallel()
	undisturbed := open(t, sandbox.Options{Program: alone(killedProgram)})
	_, err := undisturbed.Up(t.Context())
	require.NoError(t, err)
	for _, last := range []string{
		"aws:ec2/subnet:Subnet",
		"aws:ec2/securityGroup:SecurityGroup", // a second one could not have its name
	} {
		t.Run(last, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0], "-test.run=^TestHelperIsKilled$")
			cmd.Env = append(os.Environ(), "SANDBOX_TEST_KILLED="+dir, "SANDBOX_TEST_LAST="+last)
			log, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "%s", log)
			require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "%s", log)

			var out bytes.Buffer
			s := open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir, Stdout: &out})
			assert.Contains(t, out.String(), "AWS created "+last)
			_, err = s.Up(ctx)
			require.NoError(t, err)
			assert.Equal(t, held(undisturbed), held(s), "nothing is lost or duplicated")
			_, err = s.Preview(ctx, true)
			require.NoError(t, err)
			_, err = s.Destroy(ctx)
			require.NoError(t, err)
		})
	}
}

// A killed engine leaves a lock and a pending operation.
func TestKilledEngine(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	s := open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
	s.OnCreate(func(typ string) {
		if typ == "aws:ec2/subnet:Subnet" {
			s.KillEngine()
		}
	})
	_, err := s.Up(ctx)
	require.Error(t, err)
	s.Close()

	var out bytes.Buffer
	s = open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir, Stdout: &out})
	assert.Contains(t, out.String(), "its lock is removed")
	assert.Contains(t, out.String(), "killed while creating aws:ec2/subnet:Subnet subnet")
	_, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Len(t, s.Account().Resources(), resources)
	_, err = s.Preview(ctx, true)
	require.NoError(t, err)
}

// An engine that is killed while it takes the lock leaves a temporary file.
func TestKilledWhileLocking(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	s := open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
	s.Close()
	locks := filepath.Join(dir, "state", ".pulumi", "locks", "organization", "cinema", "dev")
	require.NoError(t, os.MkdirAll(locks, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(locks, "3c3a2f8e.json.189a7d0d5b0c4c00.tmp"), nil, 0o600))

	s = open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
	_, err := s.Up(ctx)
	require.NoError(t, err)
}

func TestInterruptedRunContinues(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	dir := t.TempDir()
	s := open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
	s.OnCreate(func(typ string) {
		if typ == "aws:ec2/vpc:Vpc" {
			interrupt()
		}
	})
	_, err := s.Up(ctx)
	require.Error(t, err)
	s.Close()
	locks, err := filepath.Glob(filepath.Join(dir, "state", ".pulumi", "locks", "*", "*", "*", "*.json"))
	require.NoError(t, err)
	assert.Empty(t, locks, "an interrupted engine releases its lock")

	s = open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
	_, err = s.Up(t.Context())
	require.NoError(t, err)
	assert.Len(t, s.Account().Resources(), resources)
}

func TestSecondRunWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sandbox.Open(ctx, sandbox.Options{Program: alone(killedProgram), Dir: dir, ProjectDir: ".",
		Config: map[string]string{"aws:region": "eu-west-1", "cinema:cidr": "10.0.0.0/16"}})
	require.ErrorIs(t, err, context.Canceled)
	s.Close()
	open(t, sandbox.Options{Program: alone(killedProgram), Dir: dir})
}
