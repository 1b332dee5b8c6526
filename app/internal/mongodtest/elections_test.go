package mongodtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// roles returns the letters of the primary and of the others.
func (f *fixture) roles() (string, string, string) {
	f.t.Helper()
	switch p := f.primary(); p {
	case "a":
		return p, "b", "c"
	case "b":
		return p, "c", "a"
	default:
		return p, "a", "b"
	}
}

func TestStepDown(t *testing.T) {
	f := initiated(t, 1, "a", "b", "c")
	p, second, _ := f.roles()
	stepDown := func(letter string, seconds int, more ...bson.E) error {
		return error2(f.run(letter, append(bson.D{{Key: "replSetStepDown", Value: seconds}}, more...)))
	}
	assertCode(t, failNotPrimary, stepDown(second, 60))
	assertCode(t, failBadValue, stepDown(p, 5))
	require.NoError(t, stepDown(p, 60))
	assert.Equal(t, "SECONDARY", f.host(p).State())
	assert.NotEqual(t, p, f.primary(), "the election is over already")

	// Nobody else may become primary.
	p, second, third := f.roles()
	require.NoError(t, f.reconfigure(p, config(f.version(p)+1, voter(p), with(voter(second), "priority", 0), with(voter(third), "priority", 0))))
	f.Settle()
	assertCode(t, failTimeLimit, stepDown(p, 60))
	assert.Equal(t, "PRIMARY", f.host(p).State())
	require.NoError(t, stepDown(p, 60, bson.E{Key: "force", Value: true}))
	assert.Empty(t, f.Primaries())
	f.Settle()
	assert.Equal(t, p, f.primary(), "it stands again once its time is over")
	assert.Empty(t, f.Violations())
}

func TestStopHandsOver(t *testing.T) {
	f := initiated(t, 2, "a", "b", "c")
	p, _, _ := f.roles()
	f.host(p).Stop()
	assert.Len(t, f.Primaries(), 1)
	f.host(p).Stop()
	assert.False(t, f.host(p).Running())
	assert.Empty(t, f.host(p).State())
	assert.Empty(t, f.Violations())
}

// TestPartition: the primary is alone, the others elect one of them, and what the first one wrote is rolled back.
func TestPartition(t *testing.T) {
	for seed := range uint64(20) {
		f := initiated(t, seed, "a", "b", "c")
		p, second, third := f.roles()
		f.Partition([]string{hostOf(p)}, []string{hostOf(second), hostOf(third)})
		assert.Equal(t, "PRIMARY", f.host(p).State(), "it has not noticed yet")
		require.Error(t, f.Write(hostOf(p), "lost"))
		assert.Equal(t, "SECONDARY", f.host(p).State())
		assert.True(t, f.Has(hostOf(p), "lost"))
		f.Settle()
		require.NoError(t, f.Write(hostOf(f.primary()), "kept"))
		f.Heal()
		rolledBack := false
		for range 40 {
			f.Tick()
			rolledBack = rolledBack || f.host(p).State() == "ROLLBACK"
		}
		assert.True(t, rolledBack)
		assert.False(t, f.Has(hostOf(p), "lost"))
		assert.True(t, f.Has(hostOf(p), "kept"))
		assert.Empty(t, f.Violations())
	}
}

// TestUsersAreReplicated: a login works on a member once it has the user, and a rollback takes it back.
func TestUsersAreReplicated(t *testing.T) {
	f := initiated(t, 1, "a", "b", "c")
	p, second, third := f.roles()
	ping := bson.D{{Key: "ping", Value: 1}}
	assertCode(t, failNotPrimary, error2(f.run(second, createUser("app", "p", Role{"readWrite", "cinema"}))))
	f.Partition([]string{hostOf(p), hostOf(second)}, []string{hostOf(third)})
	require.NoError(t, error2(f.run(p, createUser("app", "p", Role{"readWrite", "cinema"}))))
	require.NoError(t, error2(runOn(f.client(p, "app", "p"), ping)))
	require.NoError(t, error2(runOn(f.client(second, "app", "p"), ping)))
	assertCode(t, failAuthentication, error2(runOn(f.client(third, "app", "p"), ping)))
	assertCode(t, failUserExists, error2(f.run(p, createUser("app", "p", Role{"readWrite", "cinema"}))))
	assertCode(t, failRoleNotFound, error2(f.run(p, createUser("other", "p", Role{"nothing", "admin"}))))

	f.Partition([]string{hostOf(p)}, []string{hostOf(second), hostOf(third)})
	err := error2(f.run(p, bson.D{{Key: "updateUser", Value: "app"}, {Key: "pwd", Value: "new"}, durable}))
	assertCode(t, failSteppedDown, err)
	require.NoError(t, error2(runOn(f.client(p, "app", "new"), ping)))
	f.Settle()
	f.Heal()
	f.Settle()
	assertCode(t, failAuthentication, error2(runOn(f.client(p, "app", "newer"), ping)))
	u, _ := f.host(p).User("app")
	assert.Equal(t, User{"p", []Role{{"readWrite", "cinema"}}}, u, "rolled back")
	p = f.primary()
	require.NoError(t, error2(f.run(p, bson.D{{Key: "dropUser", Value: "app"}, durable})))
	assertCode(t, failUserNotFound, error2(f.run(p, bson.D{{Key: "dropUser", Value: "app"}, durable})))
	assert.Empty(t, f.Violations())
}

func TestRoles(t *testing.T) {
	f := initiated(t, 1, "a")
	create := bson.D{
		{Key: "createRole", Value: "observer"}, {Key: "roles", Value: bson.A{}},
		{Key: "privileges", Value: bson.A{bson.D{{Key: "resource", Value: bson.D{{Key: "cluster", Value: true}}}, {Key: "actions", Value: bson.A{"replSetGetStatus"}}}}},
	}
	require.NoError(t, error2(f.run("a", create)))
	assertCode(t, failRoleExists, error2(f.run("a", create)))
	require.NoError(t, error2(f.run("a", createUser("app", "p", Role{"observer", "admin"}))))
	app := f.client("a", "app", "p")
	require.NoError(t, error2(runOn(app, bson.D{{Key: "replSetGetStatus", Value: 1}})))
	assertCode(t, failUnauthorized, error2(runOn(app, bson.D{{Key: "replSetGetConfig", Value: 1}})))
	assertCode(t, failUnauthorized, error2(runOn(app, bson.D{{Key: "usersInfo", Value: "app"}})))
	require.NoError(t, error2(f.run("a", bson.D{{Key: "updateRole", Value: "observer"}, {Key: "privileges", Value: bson.A{}}})))
	assertCode(t, failUnauthorized, error2(runOn(app, bson.D{{Key: "replSetGetStatus", Value: 1}})))
	info, err := f.run("a", bson.D{{Key: "rolesInfo", Value: bson.D{{Key: "role", Value: "observer"}, {Key: "db", Value: "admin"}}}, {Key: "showPrivileges", Value: true}})
	require.NoError(t, err)
	assert.Len(t, info["roles"], 1)
	info, err = f.run("a", bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: "app"}, {Key: "db", Value: "admin"}}}})
	require.NoError(t, err)
	assert.Len(t, info["users"], 1)
	assertCode(t, failUnknown, error2(f.run("a", bson.D{{Key: "nothing", Value: 1}})))
	require.NoError(t, error2(f.run("a", bson.D{{Key: "rotateCertificates", Value: 1}})))
}

// TestBlankDiskWithVote: the hazard that cinema-db must avoid. A member that lost its disk votes for a member that lacks
// an acknowledged write.
func TestBlankDiskWithVote(t *testing.T) {
	for seed := range uint64(10) {
		prepare := func() (f *fixture, p, second, third string) {
			f = initiated(t, seed, "a", "b", "c")
			p, second, third = f.roles()
			f.Partition([]string{hostOf(p), hostOf(second)}, []string{hostOf(third)})
			require.NoError(t, f.Write(hostOf(p), "x"), "p and second are a majority")
			f.host(second).Kill()
			f.host(second).LoseDisk()
			return f, p, second, third
		}
		f, p, second, third := prepare()
		f.host(p).Kill()
		f.Heal()
		require.NoError(t, f.host(second).Start())
		f.Settle()
		assert.Equal(t, third, f.primary())
		assert.False(t, f.Has(hostOf(third), "x"))
		assert.NotEmpty(t, f.Violations())
		require.NoError(t, f.host(p).Start())
		f.Settle()
		assert.False(t, f.Has(hostOf(p), "x"), "rolled back")

		// Without its vote, the same sequence loses nothing.
		f, _, second, third = prepare()
		f.Heal()
		f.Settle()
		p = f.primary()
		require.NoError(t, f.reconfigure(p, config(f.version(p)+1, voter(p), voter(third), joining(second))))
		f.Settle()
		f.host(p).Kill()
		require.NoError(t, f.host(second).Start())
		f.Settle()
		assert.Empty(t, f.Primaries())
		require.NoError(t, f.host(p).Start())
		f.Settle()
		for _, letter := range []string{p, second, third} {
			assert.True(t, f.Has(hostOf(letter), "x"))
		}
		assert.Empty(t, f.Violations())
	}
}

// TestBlankDiskVotesTwice: a disk that is lost also forgets in which term it has voted.
func TestBlankDiskVotesTwice(t *testing.T) {
	for seed := range uint64(10) {
		f := initiated(t, seed, "a", "b", "c")
		p, second, third := f.roles()
		f.Partition([]string{hostOf(p), hostOf(second)}, []string{hostOf(third)})
		require.NoError(t, error2(f.run(p, bson.D{{Key: "replSetStepDown", Value: 60}})))
		require.NoError(t, f.Write(hostOf(second), "x"))
		f.host(second).Kill()
		f.host(second).LoseDisk()
		f.Partition([]string{hostOf(second), hostOf(third)}, []string{hostOf(p)})
		require.NoError(t, f.host(second).Start())
		f.Settle()
		assert.Contains(t, fmt.Sprint(f.Violations()), "both acknowledged writes in term")
	}
}

func TestRestoredSnapshot(t *testing.T) {
	f := initiated(t, 1, "a", "b", "c")
	p, second, third := f.roles()
	require.NoError(t, f.Write(hostOf(p), "x"))
	snapshot := f.host(p).Snapshot()
	require.NoError(t, f.Write(hostOf(p), "y"))
	for _, letter := range []string{p, second, third} {
		f.host(letter).Kill()
		f.host(letter).LoseDisk()
	}
	f.host(p).Restore(snapshot)
	f.Rewind(snapshot)
	require.NoError(t, f.host(p).Start())
	f.Settle()
	assert.Equal(t, "SECONDARY", f.host(p).State(), "its configuration has three members")
	assert.True(t, f.Has(hostOf(p), "x"))
	assert.False(t, f.Has(hostOf(p), "y"))
	require.NoError(t, error2(f.run(p, bson.D{{Key: "replSetReconfig", Value: config(1, voter(p))}, {Key: "force", Value: true}})))
	f.Settle()
	assert.Equal(t, p, f.primary())
	assert.Equal(t, []string{"root"}, f.host(p).Users())
	for _, letter := range []string{second, third} {
		require.NoError(t, f.host(letter).Start())
		require.NoError(t, f.reconfigure(p, config(f.version(p)+1, voter(p), joining(letter))))
		f.Settle()
		assert.True(t, f.Has(hostOf(letter), "x"))
	}
	assert.Empty(t, f.Violations())
}

// TestStrangers: members with another key file or a certificate for another name are not reached.
func TestStrangers(t *testing.T) {
	f := newFixture(t, 1, "a")
	other := filepath.Join(f.folder, "other")
	require.NoError(t, os.WriteFile(other, []byte("other\n"), 0o600))
	require.NoError(t, f.Add(hostOf("b"), f.certificate("b"), other).Start())
	require.NoError(t, f.Add(hostOf("c"), f.certificate("d"), f.keyFile).Start())
	f.Tick()
	for _, letter := range []string{"b", "c"} {
		err := error2(f.anonymous("a", bson.D{{Key: "replSetInitiate", Value: config(1, voter("a"), voter(letter))}}))
		assertCode(t, failNodeNotFound, err)
	}
	f.host("b").Kill()
	require.Error(t, f.Add(hostOf("d"), filepath.Join(f.folder, "missing"), f.keyFile).Start())
	require.Error(t, f.Add(hostOf("e"), f.certificate("e"), filepath.Join(f.folder, "missing")).Start())
	require.Error(t, f.host("a").Start())
	_, running := f.Address(hostOf("b"))
	assert.False(t, running)
}

// TestDiscovery: the driver finds the primary and follows an election.
func TestDiscovery(t *testing.T) {
	f := initiated(t, 1, "a", "b", "c")
	o := f.options().SetHosts([]string{memberOf("a"), memberOf("b"), memberOf("c")}).SetReplicaSet("rs0").SetDialer(f.Cluster).
		SetAuth(options.Credential{AuthMechanism: "SCRAM-SHA-256", AuthSource: "admin", Username: "root", Password: "p", PasswordSet: true})
	client, err := mongo.Connect(o)
	require.NoError(t, err)
	defer func() { _ = client.Disconnect(t.Context()) }()
	for i := range 3 {
		p := f.primary()
		// The driver does not repeat a command whose connection the election before has closed.
		err := error2(runOn(client, createUser(fmt.Sprint("user", i), "p", Role{"read", "admin"})))
		for err != nil && code(err) < 0 {
			err = error2(runOn(client, createUser(fmt.Sprint("user", i), "p", Role{"read", "admin"})))
		}
		require.NoError(t, err)
		f.host(p).Kill()
		f.Settle()
		require.NoError(t, f.host(p).Start())
		f.Settle()
	}
	assert.Len(t, f.host("a").Users(), 4)
}
