package mongodtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"

	"cinema-database/internal/testutil/must"
)

// fixture is a cluster of hosts named after the letters a, b, c, with one CA and one key file.
type fixture struct {
	*Cluster
	t       *testing.T
	folder  string
	keyFile string
	ca      *x509.Certificate
	caKey   *ecdsa.PrivateKey
	clients map[string]*mongo.Client
}

func newFixture(t *testing.T, seed uint64, letters ...string) *fixture {
	t.Helper()
	f := &fixture{Cluster: New(t, seed), t: t, folder: t.TempDir(), clients: map[string]*mongo.Client{}}
	f.keyFile = filepath.Join(f.folder, "keyfile")
	require.NoError(t, os.WriteFile(f.keyFile, []byte("secret\n"), 0o600))
	f.caKey = must.OK(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	f.ca = must.OK(x509.ParseCertificate(must.OK(x509.CreateCertificate(rand.Reader, template, template, &f.caKey.PublicKey, f.caKey))(t)))(t)
	for _, letter := range letters {
		require.NoError(t, f.add(letter).Start())
	}
	t.Cleanup(func() {
		for _, c := range f.clients {
			_ = c.Disconnect(context.Background())
		}
	})
	return f
}

func hostOf(letter string) string   { return "mongo-" + letter + ".cinema.internal" }
func memberOf(letter string) string { return hostOf(letter) + ":27017" }

func (f *fixture) add(letter string) *Mongod {
	f.t.Helper()
	return f.Add(hostOf(letter), f.certificate(letter), f.keyFile)
}

func (f *fixture) certificate(letter string) string {
	f.t.Helper()
	key := must.OK(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(f.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{hostOf(letter), "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der := must.OK(x509.CreateCertificate(rand.Reader, template, f.ca, &key.PublicKey, f.caKey))(f.t)
	private := must.OK(x509.MarshalPKCS8PrivateKey(key))(f.t)
	path := filepath.Join(f.folder, letter+".pem")
	data := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	require.NoError(f.t, os.WriteFile(path, data, 0o600))
	return path
}

func (f *fixture) host(letter string) *Mongod { return f.find(hostOf(letter)) }

func (f *fixture) options() *options.ClientOptions {
	pool := x509.NewCertPool()
	pool.AddCert(f.ca)
	return options.Client().SetTLSConfig(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}).
		SetServerSelectionTimeout(10 * time.Second).SetRetryReads(false).SetRetryWrites(false)
}

// client returns a client of one member; without a user if the name is empty.
func (f *fixture) client(letter, user, password string) *mongo.Client {
	f.t.Helper()
	address, running := f.Address(hostOf(letter))
	require.True(f.t, running)
	key := address + "/" + user + "/" + password
	if c := f.clients[key]; c != nil {
		return c
	}
	o := f.options().SetHosts([]string{address}).SetDirect(true)
	if user != "" {
		o.SetAuth(options.Credential{AuthMechanism: "SCRAM-SHA-256", AuthSource: "admin", Username: user, Password: password, PasswordSet: true})
	}
	f.clients[key] = must.OK(mongo.Connect(o))(f.t)
	return f.clients[key]
}

func runOn(c *mongo.Client, command bson.D) (bson.M, error) {
	var out bson.M
	err := c.Database("admin").RunCommand(context.Background(), command).Decode(&out)
	return out, err
}

// run runs a command as the administrator.
func (f *fixture) run(letter string, command bson.D) (bson.M, error) {
	f.t.Helper()
	return runOn(f.client(letter, "root", "p"), command)
}

// anonymous runs a command without a user.
func (f *fixture) anonymous(letter string, command bson.D) (bson.M, error) {
	f.t.Helper()
	return runOn(f.client(letter, "", ""), command)
}

// code returns the code of mongod's error; 0 if there is none, -1 for another error.
func code(err error) int32 {
	var command mongo.CommandError
	var concern mongo.WriteException
	var inner driver.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &command) && command.Code != 0: // 0 for an error of the connection
		return command.Code
	case errors.As(err, &concern) && concern.WriteConcernError != nil:
		return int32(concern.WriteConcernError.Code)
	case errors.As(err, &inner) && inner.Code != 0:
		return inner.Code
	default:
		return -1
	}
}

func assertCode(t *testing.T, want *failure, err error) {
	t.Helper()
	assert.Equal(t, want.code, code(err), "want %s, got %v", want.name, err)
}

func config(version int, members ...bson.D) bson.D {
	list := bson.A{}
	for _, m := range members {
		list = append(list, m)
	}
	return bson.D{{Key: "_id", Value: "rs0"}, {Key: "version", Value: version}, {Key: "members", Value: list}}
}

// voter and joining are members of a configuration: their letter gives the _id.
func voter(letter string) bson.D {
	return bson.D{{Key: "_id", Value: int(letter[0] - 'a')}, {Key: "host", Value: memberOf(letter)}}
}

func joining(letter string) bson.D {
	return append(voter(letter), bson.E{Key: "votes", Value: 0}, bson.E{Key: "priority", Value: 0})
}

var durable = bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}}

func createUser(name, password string, roles ...Role) bson.D {
	return bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: password}, {Key: "roles", Value: roles}, durable}
}

// initiated returns a set of the hosts with those letters, with the administrator.
func initiated(t *testing.T, seed uint64, letters ...string) *fixture {
	t.Helper()
	f := newFixture(t, seed, letters...)
	f.Tick()
	members := []bson.D{}
	for _, letter := range letters {
		members = append(members, voter(letter))
	}
	require.NoError(t, error2(f.anonymous(letters[0], bson.D{{Key: "replSetInitiate", Value: config(1, members...)}})))
	f.Settle()
	require.NoError(t, error2(f.anonymous(f.primary(), createUser("root", "p", Role{"root", "admin"}))))
	f.Settle()
	return f
}

func error2(_ bson.M, err error) error { return err }

// primary returns the letter of the only primary.
func (f *fixture) primary() string {
	f.t.Helper()
	primaries := f.Primaries()
	require.Len(f.t, primaries, 1)
	return primaries[0][len("mongo-"):][:1]
}

func (f *fixture) states(letters ...string) []string {
	var states []string
	for _, letter := range letters {
		states = append(states, f.host(letter).State())
	}
	return states
}

func (f *fixture) reconfigure(letter string, c bson.D) error {
	f.t.Helper()
	return error2(f.run(letter, bson.D{{Key: "replSetReconfig", Value: c}}))
}

func TestOneMember(t *testing.T) {
	f := newFixture(t, 1, "a")
	initiate := bson.D{{Key: "replSetInitiate", Value: config(1, voter("a"))}}
	assertCode(t, failInitialized, error2(f.anonymous("a", initiate)))
	f.Tick()
	assert.Equal(t, "STARTUP", f.host("a").State())
	assertCode(t, failNotPrimary, error2(f.anonymous("a", createUser("root", "p", Role{"root", "admin"}))))
	require.NoError(t, error2(f.anonymous("a", initiate)))
	assertCode(t, failInitialized, error2(f.anonymous("a", initiate)))
	assertCode(t, failNotPrimary, error2(f.anonymous("a", createUser("root", "p", Role{"root", "admin"}))))
	f.Settle()
	require.NoError(t, error2(f.anonymous("a", createUser("root", "p", Role{"root", "admin"}))))
	assertCode(t, failUnauthorized, error2(f.anonymous("a", createUser("second", "p", Role{"root", "admin"}))))
	assertCode(t, failUnauthorized, error2(f.anonymous("a", initiate)))
	assertCode(t, failAuthentication, error2(runOn(f.client("a", "root", "wrong"), bson.D{{Key: "ping", Value: 1}})))
	require.NoError(t, error2(f.run("a", createUser("reader", "p", Role{"read", "admin"}))))
	assertCode(t, failUnauthorized, error2(runOn(f.client("a", "reader", "p"), bson.D{{Key: "dropUser", Value: "root"}})))
	require.NoError(t, f.Write(hostOf("a"), "x"))
	f.host("a").Stop()
	require.NoError(t, f.host("a").Start())
	hello, err := f.anonymous("a", bson.D{{Key: "hello", Value: 1}})
	require.NoError(t, err)
	assert.NotContains(t, hello, "setName", "mongod has not loaded its configuration yet")
	f.Settle()
	assert.Equal(t, "PRIMARY", f.host("a").State())
	assert.True(t, f.Has(hostOf("a"), "x"))
	assert.Equal(t, []string{"reader", "root"}, f.host("a").Users())
	assert.Empty(t, f.Violations())
}

func TestThreeMembers(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			f := initiated(t, seed, "a", "b", "c")
			assert.ElementsMatch(t, []string{"PRIMARY", "SECONDARY", "SECONDARY"}, f.states("a", "b", "c"))
			for _, letter := range []string{"a", "b", "c"} {
				require.NoError(t, error2(f.run(letter, bson.D{{Key: "replSetGetStatus", Value: 1}})))
			}
			old := f.primary()
			require.NoError(t, f.Write(hostOf(old), "x"))
			f.host(old).Kill()
			f.Settle()
			require.NoError(t, f.Write(hostOf(f.primary()), "y"))
			require.NoError(t, f.host(old).Start())
			f.Settle()
			for _, letter := range []string{"a", "b", "c"} {
				assert.True(t, f.Has(hostOf(letter), "x") && f.Has(hostOf(letter), "y"))
			}
			assert.Empty(t, f.Violations())
		})
	}
}
