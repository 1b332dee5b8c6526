package dbhost

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"cinema-database/app/contract"
	"cinema-database/app/internal/credentials"
	"cinema-database/app/internal/mongodtest"
	"cinema-database/app/internal/s3test"
	"cinema-database/internal/testutil/must"
)

var (
	errKilled   = errors.New("killed")
	errPatience = errors.New("the time is up")
	errAway     = errors.New("S3 does not answer")
)

// rig is a cluster of hosts with one artifacts bucket.
type rig struct {
	cluster *mongodtest.Cluster
	s3      *s3.Client
	now     time.Time
	hosts   []*fixture
	side    map[string]int
	// created counts how often the secrets object was created.
	created atomic.Int32
	// write replaces a file.
	write func(path string, data []byte, mode fs.FileMode, owner Owner) error
	// away is whether S3 does not answer.
	away atomic.Bool
	// mu guards what the hosts share.
	mu   sync.Mutex
	kept map[string]keptConn
	// killAt is the number of the moment, of all hosts, at which the host that is there is killed; 0 for never.
	killAt, moments int
}

// fixture is a host on a temporary folder, with its mongod. Every durable effect goes through it, so that a test can kill
// the host before or after any of them.
type fixture struct {
	*rig
	host   *Host
	mongod *mongodtest.Mongod

	// killAt is the number of the moment at which the host is killed; 0 for never. Each durable effect has one moment
	// before and one after it.
	killAt  int
	moments int
	steps   []string

	// ready is whether Init has succeeded since mongod's start. patience is how often Init may wait; 0 for ever. failed is
	// the last error of a round.
	ready    bool
	patience int
	failed   error
}

func newRig(t *testing.T, seed uint64) *rig {
	t.Helper()
	server := s3test.Start(t, "artifacts")
	// The TLS client checks the model's certificates against the real clock.
	r := &rig{cluster: mongodtest.New(t, seed), s3: server.Client, now: time.Now(), side: map[string]int{}, write: writeAtomic, kept: map[string]keptConn{}}
	t.Cleanup(func() {
		for _, c := range r.kept {
			_ = c.Conn.Close(context.Background())
		}
	})
	return r
}

// newFixture returns the only host of a cluster.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	r := newRig(t, 1)
	f := r.add(t, "us-east-1a")
	r.want(t, "", f)
	return f
}

// add returns the host of another member, whose mongod is not started.
func (r *rig) add(t *testing.T, zone string) *fixture {
	t.Helper()
	f := &fixture{rig: r}
	name := "mongo-" + strings.TrimPrefix(zone, "us-east-1") + ".cinema.internal"
	h := New(t.TempDir(), name, slog.New(slog.NewTextHandler(io.Discard, nil)))
	h.ConfigFile = filepath.Join(t.TempDir(), "mongod.conf")
	h.Zone, h.VolumeID = zone, "vol-"+zone
	h.AnyFolder, h.Bucket, h.KMSKey = true, "artifacts", "arn:aws:kms:us-east-1:123456789012:key/x"
	h.S3 = &killableS3{f}
	h.Now = func() time.Time { return r.now }
	h.Dial = f.dial
	h.Wait = func(ctx context.Context, _ time.Duration) error {
		if f.dead() {
			return errKilled
		}
		r.cluster.Tick()
		if f.patience > 0 {
			if f.patience--; f.patience == 0 {
				return errPatience
			}
		}
		return context.Cause(ctx)
	}
	h.write = func(path string, data []byte, mode fs.FileMode, owner Owner) error {
		return f.effect("write "+filepath.Base(path), func() error { return r.write(path, data, mode, owner) })
	}
	f.host = h
	f.mongod = r.cluster.Add(name, h.serverFile(), h.keyFile())
	r.hosts = append(r.hosts, f)
	return f
}

// want writes the stack's list of members.
func (r *rig) want(t *testing.T, seed string, hosts ...*fixture) {
	t.Helper()
	wanted := contract.Members{Seed: seed}
	if seed != "" {
		wanted.Snapshot = "snap-1"
	}
	for _, f := range hosts {
		wanted.Members = append(wanted.Members, contract.Member{Zone: f.host.Zone, Host: f.host.Name})
	}
	r.store(t, contract.MembersKey, must.OK(json.Marshal(wanted))(t))
}

func (r *rig) store(t *testing.T, key string, data []byte) {
	t.Helper()
	must.OK(r.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("artifacts"), Key: &key, Body: strings.NewReader(string(data))}))(t)
}

// partition divides the members, and cinema-db on their hosts.
func (r *rig) partition(groups ...[]string) {
	r.cluster.Partition(groups...)
	clear(r.side)
	for i, group := range groups {
		for _, host := range group {
			r.side[host] = i + 1
		}
	}
}

func (f *fixture) dial(ctx context.Context, host string, ca *x509.CertPool, login *Login) (Conn, error) {
	if f.dead() {
		return nil, errKilled
	}
	name, target := loopback, f.host.Name
	if host != "" {
		name, target = host, host
	}
	if f.side[f.host.Name] != f.side[target] {
		return nil, errors.New("no route to " + target)
	}
	listening, running := f.cluster.Address(target)
	if !running {
		return nil, errors.New("connection refused")
	}
	c, err := f.connect(ctx, listening, name, ca, login)
	if err != nil {
		return nil, err
	}
	return &killableConn{c, f}, nil
}

// connect connects to a mongod. The connections of the administrator and those without a user are kept, as handshakes
// are most of a test's time.
func (r *rig) connect(ctx context.Context, listening, name string, ca *x509.CertPool, login *Login) (Conn, error) {
	if login != nil && login.User != adminUser {
		return dialAddress(ctx, listening, name, ca, login)
	}
	key := fmt.Sprint(listening, name, login)
	r.mu.Lock()
	kept, ok := r.kept[key]
	r.mu.Unlock()
	if ok && kept.ca.Equal(ca) {
		return kept, nil
	}
	c, err := dialAddress(ctx, listening, name, ca, login)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if other, ok := r.kept[key]; ok {
		defer other.Conn.Close(ctx)
	}
	r.kept[key] = keptConn{c, ca}
	return r.kept[key], nil
}

// keptConn is closed at the end of the test.
type keptConn struct {
	Conn
	ca *x509.CertPool
}

func (keptConn) Close(context.Context) error { return nil }

// start starts mongod, which leaves a file in its folder.
func (f *fixture) start(t *testing.T) {
	t.Helper()
	require.NoError(t, f.mongod.Start())
	require.NoError(t, os.WriteFile(filepath.Join(f.host.dbPath(), "WiredTiger"), nil, 0o600))
}

func (f *fixture) dead() bool { return f.killAt > 0 && f.moments >= f.killAt }

// moment is a point at which the host may be killed.
func (f *fixture) moment(name string) error {
	if f.dead() {
		return errKilled
	}
	f.moments++
	f.steps = append(f.steps, name)
	f.rig.mu.Lock()
	f.rig.moments++
	if f.rig.moments == f.rig.killAt {
		f.killAt = f.moments
	}
	f.rig.mu.Unlock()
	if f.dead() {
		return errKilled
	}
	return nil
}

// effect runs do, with a moment before and one after it.
func (f *fixture) effect(name string, do func() error) error {
	if err := f.moment("before " + name); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return f.moment("after " + name)
}

type killableConn struct {
	Conn
	f *fixture
}

func (c *killableConn) Run(ctx context.Context, command bson.D) (raw bson.Raw, err error) {
	switch command[0].Key {
	case "hello", "usersInfo", "rolesInfo", "replSetGetConfig", "replSetGetStatus":
		return c.Conn.Run(ctx, command)
	}
	killed := c.f.effect(command[0].Key, func() error {
		raw, err = c.Conn.Run(ctx, command)
		return nil
	})
	if killed != nil {
		return nil, killed
	}
	if command[0].Key == "shutdown" { // systemd starts it again, after prepare
		c.f.mongod.Stop()
	}
	return raw, err
}

type killableS3 struct{ f *fixture }

func (k *killableS3) reach() error {
	switch {
	case k.f.dead():
		return errKilled
	case k.f.away.Load():
		return errAway
	}
	return nil
}

func (k *killableS3) GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if err := k.reach(); err != nil {
		return nil, err
	}
	return k.f.s3.GetObject(ctx, in, opts...)
}

func (k *killableS3) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if err := k.reach(); err != nil {
		return nil, err
	}
	return k.f.s3.ListObjectsV2(ctx, in, opts...)
}

func (k *killableS3) PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (out *s3.PutObjectOutput, err error) {
	if err := k.reach(); err != nil {
		return nil, err
	}
	name := "report"
	switch *in.Key {
	case contract.SecretsKey:
		name = "share"
		if in.IfNoneMatch == nil && in.IfMatch == nil {
			return nil, errors.New("an unconditional write of the secrets")
		}
	case contract.CredentialsKey:
		name = "publish"
	}
	if name != "report" && (aws.ToString(in.SSEKMSKeyId) != k.f.host.KMSKey || in.ServerSideEncryption != "aws:kms") {
		return nil, errors.New("not encrypted with the key")
	}
	err = k.f.effect(name, func() error {
		out, err = k.f.s3.PutObject(ctx, in, opts...)
		if err == nil && in.IfNoneMatch != nil {
			k.f.created.Add(1)
		}
		return err
	})
	return out, err
}

// completes runs a command that is killed at moment k, and reports whether the command ended earlier.
func (f *fixture) completes(t *testing.T, k int, command func() error) bool {
	t.Helper()
	f.moments, f.steps, f.killAt = 0, nil, k
	err := command()
	f.killAt = 0
	if err != nil {
		require.ErrorIs(t, err, errKilled, "%v", f.steps)
	}
	return err == nil
}

// boot runs the steps of a host's start: prepare, mongod, init.
func (f *fixture) boot(t *testing.T) error {
	t.Helper()
	if err := f.host.Prepare(t.Context()); err != nil {
		return err
	}
	if f.mongod.Running() {
		f.mongod.Stop()
	}
	f.start(t)
	return f.host.Init(t.Context())
}

// object reads an object of the bucket, and reports whether it exists.
func (r *rig) object(t *testing.T, key string, into any) bool {
	t.Helper()
	object, err := r.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: &key})
	if err != nil {
		require.ErrorContains(t, err, "NoSuchKey")
		return false
	}
	defer object.Body.Close()
	assert.Equal(t, "application/json", aws.ToString(object.ContentType))
	require.NoError(t, json.NewDecoder(object.Body).Decode(into))
	return true
}

// published reads the credentials object, and reports whether it exists.
func (r *rig) published(t *testing.T) (credentials.Credentials, bool) {
	t.Helper()
	var c credentials.Credentials
	found := r.object(t, contract.CredentialsKey, &c)
	return c, found
}

// shared reads the secrets object.
func (r *rig) shared(t *testing.T) secrets {
	t.Helper()
	var s secrets
	require.True(t, r.object(t, contract.SecretsKey, &s))
	return s
}

// logIn connects with the connection string's user, but to the address of this host's mongod.
func (f *fixture) logIn(t *testing.T, c credentials.Credentials) error {
	t.Helper()
	parsed := options.Client().ApplyURI(c.MongoDBURI)
	require.NoError(t, parsed.Validate())
	assert.Equal(t, "admin", parsed.Auth.AuthSource)
	assert.Equal(t, ReplicaSet, *parsed.ReplicaSet)
	assert.NotNil(t, parsed.TLSConfig)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(c.CACertificate)))
	listening, running := f.cluster.Address(f.host.Name)
	require.True(t, running)
	conn, err := dialAddress(t.Context(), listening, f.host.Name, pool, &Login{parsed.Auth.Username, parsed.Auth.Password})
	if err != nil {
		return err
	}
	return conn.Close(t.Context())
}

// assertReady checks a command's result and the final state of a cluster with this member only: the published credentials
// work, and mongod is configured to match the secrets.
func (f *fixture) assertReady(t *testing.T, result error) *state {
	t.Helper()
	require.NoError(t, result)
	s := must.OK(f.host.load())(t)
	shared := f.shared(t)
	assert.Nil(t, shared.Pending)
	assert.True(t, shared.Initiated)
	assert.Equal(t, f.host.Zone, shared.Founder)
	assert.Equal(t, s.CA, shared.CA)
	assert.Equal(t, s.KeyFile, shared.KeyFile)
	assert.Equal(t, s.AdminPassword, shared.AdminPassword)
	c, ok := f.published(t)
	require.True(t, ok)
	require.NoError(t, f.logIn(t, c))
	u := must.OK(url.Parse(c.MongoDBURI))(t)
	assert.Equal(t, f.host.Name+":27017", u.Host)
	password, _ := u.User.Password()
	assert.Equal(t, application{u.User.Username(), password, c.JWTKey}, shared.Application)
	assert.Equal(t, s.CA.Certificate, c.CACertificate)
	user, _ := f.mongod.User(shared.Application.User)
	assert.Equal(t, []mongodtest.Role{{Role: "readWrite", DB: "cinema"}, {Role: "cinema-monitor", DB: "admin"}}, user.Roles)
	admin, _ := f.mongod.User(adminUser)
	assert.Equal(t, []mongodtest.Role{{Role: "root", DB: "admin"}}, admin.Roles)
	assert.Equal(t, s.AdminPassword, admin.Password)
	config := f.mongod.Config()
	require.NotNil(t, config)
	assert.Equal(t, "rs0", config.Name)
	require.Len(t, config.Members, 1)
	assert.Equal(t, f.host.Name+":27017", config.Members[0].Host)
	// What changes in a rotation is current in the object only.
	s.secrets = shared
	return s
}

// round is what systemd does on a host: mongod after prepare, then init until it succeeds, then one turn of the agent. A
// cinema-db that was killed starts again in the next round.
func (f *fixture) round(t *testing.T) {
	t.Helper()
	f.killAt = 0
	f.failed = f.tryRound(t)
	f.patience = 0
	f.killAt = 0
}

func (f *fixture) tryRound(t *testing.T) error {
	t.Helper()
	f.patience = 3
	if !f.mongod.Running() {
		f.ready = false
		if err := f.host.Prepare(t.Context()); err != nil {
			return err
		}
		f.start(t)
	}
	if !f.ready {
		f.patience = 3
		if err := f.host.Init(t.Context()); err != nil {
			if f.dead() {
				return err
			}
			f.patience = 3
			_, _ = f.host.Turn(t.Context()) // the agent does not wait for init
			return err
		}
		f.ready = true
	}
	f.patience = 3
	report, err := f.host.Turn(t.Context())
	if err == nil && report.Error != "" {
		err = errors.New(report.Error)
	}
	return err
}

// replaceVolume gives a host that does not run a blank volume.
func (f *fixture) replaceVolume(t *testing.T) {
	t.Helper()
	f.mongod.Kill()
	f.mongod.LoseDisk()
	f.wipe(t)
}

// wipe removes everything on the volume, which gets another id.
func (f *fixture) wipe(t *testing.T) {
	t.Helper()
	f.ready = false
	for _, dir := range []string{f.host.dbPath(), f.host.runDir(), f.host.stateDir()} {
		require.NoError(t, os.RemoveAll(dir))
	}
	f.host.VolumeID += "x"
}

// settled reports whether the replica set is exactly the hosts, all with a vote and caught up.
func (r *rig) settled(hosts ...*fixture) bool {
	for _, f := range hosts {
		config := f.mongod.Config()
		state := f.mongod.State()
		if !f.ready || f.failed != nil || config == nil || len(config.Members) != len(hosts) || state != "PRIMARY" && state != "SECONDARY" {
			return false
		}
		for _, other := range hosts {
			voting := false
			for _, m := range config.Members {
				voting = voting || m.Host == other.host.Name+":27017" && m.Votes == 1 && m.Priority == 1
			}
			if !voting {
				return false
			}
		}
	}
	return len(r.cluster.Primaries()) == 1
}

// settle makes rounds on the hosts until the replica set is exactly the wanted ones.
func (r *rig) settle(t *testing.T, wanted ...*fixture) {
	t.Helper()
	for range 60 {
		for _, f := range r.hosts {
			f.round(t)
		}
		r.cluster.Tick()
		if r.settled(wanted...) {
			r.cluster.Settle()
			// An older primary may have published its credentials last.
			r.now = r.now.Add(republish)
			for _, f := range wanted {
				f.round(t)
			}
			r.assertCluster(t, wanted...)
			return
		}
	}
	for _, f := range r.hosts {
		t.Logf("%s %s: %v, config %+v", f.host.Name, f.mongod.State(), f.failed, f.mongod.Config())
	}
	require.Fail(t, "the replica set does not converge")
}

// assertCluster checks what must be true of a cluster that has converged.
func (r *rig) assertCluster(t *testing.T, wanted ...*fixture) {
	t.Helper()
	assert.Empty(t, r.cluster.Violations())
	assert.EqualValues(t, 1, r.created.Load(), "no secret is made twice")
	shared := r.shared(t)
	assert.True(t, shared.Initiated)
	c, ok := r.published(t)
	require.True(t, ok)
	parsed := must.OK(url.Parse(c.MongoDBURI))(t)
	var addresses []string
	for _, f := range wanted {
		addresses = append(addresses, f.host.Name+":27017")
		require.NoError(t, f.logIn(t, c), f.host.Name)
		s := must.OK(f.host.load())(t)
		assert.Equal(t, shared.CA, s.CA)
		assert.Equal(t, shared.KeyFile, s.KeyFile)
		assert.Equal(t, shared.AdminPassword, s.AdminPassword)
		assert.Equal(t, f.host.VolumeID, s.Volume)
	}
	slices.Sort(addresses)
	assert.Equal(t, strings.Join(addresses, ","), parsed.Host)
}

// primary returns the host of the primary.
func (r *rig) primary(t *testing.T) *fixture {
	t.Helper()
	names := r.cluster.Primaries()
	require.Len(t, names, 1)
	for _, f := range r.hosts {
		if f.host.Name == names[0] {
			return f
		}
	}
	return nil
}

// writeUnsafe is writeAtomic without waiting for the disk, which is most of the time of a test with many starts.
func writeUnsafe(path string, data []byte, mode fs.FileMode, _ Owner) error {
	next := path + ".next"
	return errors.Join(os.WriteFile(next, data, 0o600), os.Chmod(next, mode), os.Rename(next, path))
}
