package dbhost

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/mongodtest"
	"cinema-database/internal/testutil/must"
)

func TestFirstBoot(t *testing.T) {
	f := newFixture(t)
	s := f.assertReady(t, f.boot(t))
	assert.Len(t, f.mongod.Users(), 2)

	c, _ := f.published(t)
	data := must.OK(json.Marshal(c))(t)
	api, err := credentialwatch.Open(data)
	require.NoError(t, err, "the API accepts the object")
	require.NoError(t, api.Store.Close(t.Context()))

	for path, mode := range map[string]fs.FileMode{
		f.host.stateDir(): fs.ModeDir | 0o700, f.host.stateFile(): 0o600, f.host.dbPath(): fs.ModeDir | 0o700,
		f.host.caFile(): 0o444, f.host.serverFile(): 0o400, f.host.keyFile(): 0o400, f.host.ConfigFile: 0o444,
	} {
		info := must.OK(os.Stat(path))(t)
		assert.Equal(t, mode, info.Mode(), path)
	}
	keyFile := must.OK(os.ReadFile(f.host.keyFile()))(t)
	assert.Regexp(t, `^[A-Za-z0-9+/=]+\n$`, string(keyFile))
	assert.Len(t, strings.TrimSpace(string(keyFile)), 1008, "mongod accepts 6 to 1024")
	files := must.OK(os.ReadDir(f.host.runDir()))(t)
	assert.Len(t, files, 3, "only the files that mongod reads")

	// The certificate is valid for every name that clients use.
	ca := x509.NewCertPool()
	ca.AppendCertsFromPEM([]byte(s.CA.Certificate))
	certificate, _, err := s.Server.parse()
	require.NoError(t, err)
	for _, name := range []string{"mongo-a.cinema.internal", "localhost", "127.0.0.1"} {
		_, err := certificate.Verify(x509.VerifyOptions{Roots: ca, DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		assert.NoError(t, err, name)
	}
	_, err = certificate.Verify(x509.VerifyOptions{Roots: ca, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	assert.NoError(t, err, "mongod connects to itself")
}

func TestSecondBootChangesNothing(t *testing.T) {
	f := newFixture(t)
	first := f.assertReady(t, f.boot(t))
	before := len(f.steps)
	assert.Equal(t, first, f.assertReady(t, f.boot(t)))
	assert.Empty(t, f.steps[before:])
}

// TestRemovesHalfWrittenFiles: the next start removes the temporary file of a process that was killed while writing.
func TestRemovesHalfWrittenFiles(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.host.Prepare(t.Context()))
	var left []string
	for _, path := range []string{f.host.stateFile(), f.host.serverFile()} {
		file := must.OK(os.CreateTemp(filepath.Dir(path), temporaryPrefix+filepath.Base(path)+".*"))(t)
		require.NoError(t, file.Close())
		left = append(left, file.Name())
	}
	require.NoError(t, f.host.Prepare(t.Context()))
	for _, path := range left {
		assert.NoFileExists(t, path)
	}
	must.OK(f.host.load())(t)
}

func TestWriteAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, writeAtomic(path, []byte("old"), 0o400, unchanged))
	require.NoError(t, writeAtomic(path, []byte("new"), 0o600, unchanged))
	data := must.OK(os.ReadFile(path))(t)
	assert.Equal(t, "new", string(data))
	info := must.OK(os.Stat(path))(t)
	assert.Equal(t, fs.FileMode(0o600), info.Mode())
	// The target is a folder: it stays, and no temporary file does.
	taken := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(taken, "full"), 0o755))
	require.Error(t, writeAtomic(taken, []byte("x"), 0o600, unchanged))
	files := must.OK(os.ReadDir(filepath.Dir(taken)))(t)
	assert.Len(t, files, 1)
}

// TestKilledAnywhere kills a first boot before and after each of its durable effects, then boots again.
func TestKilledAnywhere(t *testing.T) {
	killed := map[string]bool{}
	for k := 1; ; k++ {
		f := newFixture(t)
		if f.completes(t, k, func() error { return f.boot(t) }) {
			assert.Less(t, f.moments, k)
			break
		}
		killed[f.steps[len(f.steps)-1]] = true
		atKill, loadErr := f.host.load()
		early, published := f.published(t)
		require.NoError(t, f.boot(t), "killed at %v", f.steps[k-1])
		final := f.assertReady(t, nil)
		assert.EqualValues(t, 1, f.created.Load(), "no secret is made twice")
		if loadErr == nil {
			assert.Equal(t, atKill.CA, final.CA)
			assert.Equal(t, atKill.Server, final.Server)
			assert.Equal(t, atKill.AdminPassword, final.AdminPassword)
			assert.Equal(t, atKill.Application, final.Application)
		}
		if published {
			require.NoError(t, f.logIn(t, early), "credentials that were published before keep working")
		}
	}
	for _, step := range []string{"share", "write state.json", "write server.pem", "write keyfile", "write mongod.conf", "replSetInitiate", "createRole", "createUser", "publish"} {
		assert.True(t, killed["before "+step], step)
		assert.True(t, killed["after "+step], step)
	}
}

func TestRotate(t *testing.T) {
	f := newFixture(t)
	first := f.assertReady(t, f.boot(t))
	old, _ := f.published(t)

	second := f.assertReady(t, f.host.Rotate(t.Context(), false))
	assert.Equal(t, applicationUsers[1], second.Application.User)
	assert.NotEqual(t, first.Application.Password, second.Application.Password)
	assert.Equal(t, first.Application.JWTKey, second.Application.JWTKey, "nobody is logged out")
	require.NoError(t, f.logIn(t, old), "the old user stays valid while API instances switch")

	require.NoError(t, f.host.Retire(t.Context()))
	require.NoError(t, f.host.Retire(t.Context()))
	require.ErrorIs(t, f.logIn(t, old), ErrPassword)
	f.assertReady(t, nil)

	third := f.assertReady(t, f.host.Rotate(t.Context(), true))
	assert.Equal(t, applicationUsers[0], third.Application.User)
	assert.NotEqual(t, second.Application.JWTKey, third.Application.JWTKey)
	assert.Equal(t, first.AdminPassword, third.AdminPassword)

	// Without Retire, the next rotation reuses the name of the user before last.
	f.assertReady(t, f.host.Rotate(t.Context(), false))
}

// TestRotationKilledAnywhere also checks that the credentials published at the time of the kill work.
func TestRotationKilledAnywhere(t *testing.T) {
	boot := func(f *fixture) error { return f.boot(t) }
	rotate := func(f *fixture) error { return f.host.Rotate(t.Context(), true) }
	for _, finish := range []func(*fixture) error{boot, rotate} {
		for k := 1; ; k++ {
			f := newFixture(t)
			before := f.assertReady(t, f.boot(t))
			if f.completes(t, k, func() error { return rotate(f) }) {
				require.Greater(t, k, 6, "%v", f.steps)
				break
			}
			c, _ := f.published(t)
			require.NoError(t, f.logIn(t, c), "killed at %s", f.steps[k-1])
			atKill := f.shared(t)
			after := f.assertReady(t, finish(f))
			if atKill.Pending != nil {
				assert.Equal(t, *atKill.Pending, after.Application, "the unfinished rotation is completed")
			}
			require.NoError(t, f.logIn(t, c), "credentials published at the kill still work")
			assert.Equal(t, before.AdminPassword, after.AdminPassword)
		}
	}
}

func TestRetireWaitsForARotation(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.boot(t))
	require.False(t, f.completes(t, 3, func() error { return f.host.Rotate(t.Context(), false) }))
	require.ErrorContains(t, f.host.Retire(t.Context()), "not finished")
}

// presented returns the certificate that mongod presents.
func (f *fixture) presented(t *testing.T) *x509.Certificate {
	t.Helper()
	listening, _ := f.cluster.Address(f.host.Name)
	c, err := tls.Dial("tcp", listening, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the test only reads the certificate
	require.NoError(t, err)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}

func TestRenewal(t *testing.T) {
	f := newFixture(t)
	// The certificate is issued in the past.
	f.now = time.Now().Add(-serverLife + renewBefore - time.Hour)
	first := f.assertReady(t, f.boot(t))
	assert.Equal(t, first.Server, f.assertReady(t, f.host.Renew(t.Context())).Server, "it is too early to renew")

	f.now = time.Now()
	before := f.presented(t)
	// If killed at any moment, the next run completes it.
	for k := 1; !f.completes(t, k, func() error { return f.host.Renew(t.Context()) }); k++ {
		f.assertReady(t, nil)
	}
	second := f.assertReady(t, nil)
	assert.Equal(t, first.CA, second.CA)
	assert.NotEqual(t, first.Server, second.Server)
	after := f.presented(t)
	assert.False(t, after.Equal(before), "mongod presents the new certificate without a restart")
	assert.True(t, after.NotAfter.After(time.Now().Add(serverLife-time.Hour)))
	c, _ := f.published(t)
	require.NoError(t, f.logIn(t, c), "clients need no new CA")
	first.Server = second.Server
	assert.Equal(t, first, second, "no secret changed")

	// Prepare renews too, at a start.
	f.now = f.now.Add(serverLife - renewBefore + time.Hour)
	require.NoError(t, f.host.Prepare(t.Context()))
	third := must.OK(f.host.load())(t)
	assert.NotEqual(t, second.Server, third.Server)
}

func TestRenewsForAnotherName(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.host.Prepare(t.Context()))
	f.host.Name = "db.cinema.internal"
	require.NoError(t, f.host.Prepare(t.Context()))
	s := must.OK(f.host.load())(t)
	certificate, _, err := s.Server.parse()
	require.NoError(t, err)
	assert.NoError(t, certificate.VerifyHostname("db.cinema.internal"))
}

func TestNeverLocksOut(t *testing.T) {
	t.Run("a database without its state", func(t *testing.T) {
		f := newFixture(t)
		require.NoError(t, f.boot(t))
		require.NoError(t, os.Remove(f.host.stateFile()))
		require.ErrorContains(t, f.host.Prepare(t.Context()), "would lock everyone out")
		assert.NoFileExists(t, f.host.stateFile())
	})
	for name, damage := range map[string]string{"empty": "", "cut": `{"ca":`, "without secrets": `{}`, "null": "null"} {
		t.Run("a damaged state: "+name, func(t *testing.T) {
			f := newFixture(t)
			require.NoError(t, f.host.Prepare(t.Context()))
			require.NoError(t, os.WriteFile(f.host.stateFile(), []byte(damage), 0o600))
			require.ErrorContains(t, f.host.Prepare(t.Context()), "damaged")
			require.ErrorContains(t, f.host.Init(t.Context()), "damaged")
			data := must.OK(os.ReadFile(f.host.stateFile()))(t)
			assert.Equal(t, damage, string(data))
		})
	}
	t.Run("another database's state", func(t *testing.T) {
		f := newFixture(t)
		require.NoError(t, f.boot(t))
		users := f.mongod.Users()
		shared := f.shared(t)
		shared.AdminPassword = "another"
		f.store(t, contract.SecretsKey, must.OK(json.Marshal(shared))(t))
		require.ErrorIs(t, f.boot(t), ErrPassword)
		assert.Equal(t, users, f.mongod.Users())
	})
	t.Run("another replica set", func(t *testing.T) {
		f := newFixture(t)
		require.NoError(t, f.boot(t))
		config := *f.mongod.Config()
		config.Name = "rs9"
		f.mongod.SetConfig(config)
		require.ErrorContains(t, f.host.Init(t.Context()), `"rs9"`)
	})
}

// TestRepairsTheUser: roles and passwords that were changed by hand are reset to those in the state file.
func TestRepairsTheUser(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.boot(t))
	user, _ := f.mongod.User(applicationUsers[0])
	require.NoError(t, f.mongod.SetUser(applicationUsers[0], &mongodtest.User{Password: user.Password, Roles: []mongodtest.Role{{Role: "root", DB: "admin"}}}))
	f.assertReady(t, f.host.Init(t.Context()))
	require.NoError(t, f.mongod.SetUser(applicationUsers[0], &mongodtest.User{Password: "changed by hand", Roles: user.Roles}))
	f.assertReady(t, f.host.Init(t.Context()))
	require.NoError(t, f.mongod.SetUser(applicationUsers[0], nil))
	f.assertReady(t, f.host.Init(t.Context()))
}

func TestWaitsForMongod(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.host.Prepare(t.Context()))
	attempts := 0
	wait := f.host.Wait
	f.host.Wait = func(ctx context.Context, d time.Duration) error {
		if attempts++; attempts == 3 {
			f.start(t)
		}
		return wait(ctx, d)
	}
	f.assertReady(t, f.host.Init(t.Context()))
	assert.Greater(t, attempts, 3)

	never := newFixture(t)
	require.NoError(t, never.host.Prepare(t.Context()))
	ctx, cancel := context.WithCancelCause(t.Context())
	never.host.Wait = func(ctx context.Context, _ time.Duration) error {
		cancel(errors.New("time is up"))
		return context.Cause(ctx)
	}
	err := never.host.Init(ctx)
	require.ErrorContains(t, err, "time is up")
	assert.ErrorContains(t, err, "connection refused", "the reason why mongod is not ready")
}

// TestOnlyInitWaitsForMongod: if mongod is down, these commands release the lock immediately, as its start needs it.
func TestOnlyInitWaitsForMongod(t *testing.T) {
	f := newFixture(t)
	first := f.assertReady(t, f.boot(t))
	wait := f.host.Wait
	f.host.Wait = func(context.Context, time.Duration) error { return errors.New("waited") }
	commands := map[string]func(context.Context) error{
		"rotate": func(ctx context.Context) error { return f.host.Rotate(ctx, true) },
		"retire": f.host.Retire, "renew": f.host.Renew,
	}
	f.mongod.Kill()
	for name, run := range commands {
		err := run(t.Context())
		require.ErrorContains(t, err, "connection refused", name)
		assert.ErrorContains(t, err, "systemctl start mongod", name)
		require.NoError(t, f.host.Prepare(t.Context()), "the lock is free after %s", name)
	}
	assert.Equal(t, first.secrets, f.shared(t), "no rotation is saved that a start of mongod would complete")

	f.start(t)
	for _, name := range []string{"rotate", "retire"} {
		require.ErrorContains(t, commands[name](t.Context()), "there is no primary", name)
	}
	f.host.Wait = wait
	require.NoError(t, f.host.Init(t.Context()))
	assert.Equal(t, applicationUsers[1], f.assertReady(t, f.host.Rotate(t.Context(), false)).Application.User)
}

func TestOneCommandAtATime(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.boot(t))
	unlock := must.OK(f.host.lock(t.Context()))(t)
	defer unlock()
	ctx, cancel := context.WithCancelCause(t.Context())
	f.host.Wait = func(ctx context.Context, _ time.Duration) error {
		cancel(errors.New("terminated"))
		return context.Cause(ctx)
	}
	err := f.host.Prepare(ctx)
	require.ErrorContains(t, err, "terminated")
	assert.ErrorContains(t, err, "another cinema-db is running on the volume")

	attempts := 0
	f.host.Wait = func(context.Context, time.Duration) error {
		if attempts++; attempts == 2 {
			unlock()
		}
		return nil
	}
	require.NoError(t, f.host.Init(t.Context()))
	assert.Equal(t, 2, attempts)
}

func TestStorageUnavailable(t *testing.T) {
	f := newFixture(t)
	right := f.host.Bucket
	f.host.Bucket = "missing"
	require.ErrorContains(t, f.boot(t), "s3://missing/database/secrets.json")
	f.host.Bucket = right
	f.assertReady(t, f.boot(t))
}

func TestValidate(t *testing.T) {
	h := New("relative", "Mongo", slog.Default())
	err := h.Validate()
	for _, name := range []string{"volume", "name", "credentials", "zone", "volume-id"} {
		assert.ErrorContains(t, err, "dbhost: "+name)
	}
	require.ErrorContains(t, h.Prepare(t.Context()), "dbhost: volume")
	require.Error(t, h.Init(t.Context()))

	h = New(t.TempDir(), "mongo.cinema.internal", slog.Default())
	h.Zone, h.VolumeID, h.Bucket = "us-east-1a", "vol-1", "b"
	require.ErrorContains(t, h.Validate(), "nothing is mounted there")
	files := must.OK(os.ReadDir(h.Volume))(t)
	assert.Empty(t, files, "nothing is written if the volume is not mounted")
	h.AnyFolder = true
	require.NoError(t, h.Validate())
	require.ErrorContains(t, h.Init(t.Context()), "cinema-db prepare")
	h.Volume = "/proc"
	h.AnyFolder = false
	require.NoError(t, h.Validate(), "a mount point")
}

func TestConfig(t *testing.T) {
	h := New("/srv/mongodb", "mongo.cinema.internal", slog.Default())
	for _, line := range []string{
		`dbPath: "/srv/mongodb/db"`, "port: 27017", `bindIp: "localhost,mongo.cinema.internal"`, "mode: requireTLS",
		`certificateKeyFile: "/srv/mongodb/run/server.pem"`, `CAFile: "/srv/mongodb/run/ca.pem"`,
		"allowConnectionsWithoutCertificates: true", "authorization: enabled", `keyFile: "/srv/mongodb/run/keyfile"`, "replSetName: rs0",
	} {
		assert.Equal(t, 1, strings.Count(h.Config(), line+"\n"), line)
	}
	assert.NotContains(t, h.Config(), "\t")
}

func TestSecretsDoNotReachTheLog(t *testing.T) {
	f := newFixture(t)
	var log strings.Builder
	f.host.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	require.NoError(t, f.boot(t))
	s := f.assertReady(t, f.host.Rotate(t.Context(), true))
	require.NotEmpty(t, log.String())
	for _, secret := range []string{s.AdminPassword, s.Application.Password, s.Application.JWTKey, s.KeyFile} {
		assert.NotContains(t, log.String(), secret)
	}
}
