package dbhost

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"cinema-database/app/contract"
	"cinema-database/app/internal/credentials"
	"cinema-database/app/internal/mongodtest"
	"cinema-database/internal/testutil/must"
)

func (r *rig) remove(t *testing.T, key string) {
	t.Helper()
	must.OK(r.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("artifacts"), Key: &key}))(t)
}

func TestSecretsAreMadeOnce(t *testing.T) {
	t.Run("a volume puts its copy back", func(t *testing.T) {
		r := settledThree(t)
		before := r.shared(t)
		r.remove(t, contract.SecretsKey)
		require.NoError(t, r.hosts[1].host.Prepare(t.Context()))
		assert.Equal(t, before.CA, r.shared(t).CA)
		assert.Equal(t, before.AdminPassword, r.shared(t).AdminPassword)
	})
	t.Run("so does the primary's agent", func(t *testing.T) {
		r := settledThree(t)
		before := r.shared(t)
		r.remove(t, contract.SecretsKey)
		for _, f := range r.hosts {
			must.OK(f.host.Turn(t.Context()))(t)
		}
		after := r.shared(t)
		assert.Equal(t, before.CA, after.CA)
		assert.True(t, after.Initiated)
		r.created.Store(1)
		r.settle(t, r.hosts...)
	})
	t.Run("a blank volume does not", func(t *testing.T) {
		r := settledThree(t)
		r.remove(t, contract.SecretsKey)
		r.hosts[1].replaceVolume(t)
		require.ErrorContains(t, r.hosts[1].host.Prepare(t.Context()), "though a database exists: waiting for a member that has data")
		require.NoError(t, r.hosts[2].host.Prepare(t.Context()))
		r.created.Store(1)
		r.settle(t, r.hosts...)
	})
	t.Run("another cluster's volume", func(t *testing.T) {
		r, other := settledThree(t), settledOne(t)
		data := must.OK(os.ReadFile(other.hosts[0].host.stateFile()))(t)
		f := r.hosts[1]
		f.mongod.Kill()
		require.NoError(t, os.WriteFile(f.host.stateFile(), data, 0o600))
		err := f.host.Prepare(t.Context())
		require.ErrorContains(t, err, "belongs to another cluster than s3://artifacts/database/secrets.json")
		assert.Equal(t, string(data), string(must.OK(os.ReadFile(f.host.stateFile()))(t)), "nothing is lost")
	})
	t.Run("a damaged object", func(t *testing.T) {
		r := settledThree(t)
		r.store(t, contract.SecretsKey, []byte(`{"ca":`))
		require.NoError(t, r.hosts[0].host.Prepare(t.Context()), "the volume has a copy")
		r.hosts[1].replaceVolume(t)
		require.ErrorContains(t, r.hosts[1].host.Prepare(t.Context()), "damaged")
		require.ErrorContains(t, r.hosts[0].host.Rotate(t.Context(), false), "damaged")
	})
	t.Run("only the restored member", func(t *testing.T) {
		r, hosts := newThree(t, 1)
		r.want(t, "us-east-1c", hosts...)
		require.ErrorContains(t, hosts[0].host.Prepare(t.Context()), "waiting for the member in us-east-1c, whose volume is restored")
		require.NoError(t, hosts[2].host.Prepare(t.Context()))
		require.NoError(t, hosts[0].host.Prepare(t.Context()))
		hosts[0].start(t)
		hosts[0].patience = 5
		require.ErrorContains(t, hosts[0].host.Init(t.Context()), "waiting for the primary to add this member")
		r.settle(t, hosts...)
		assert.Equal(t, "us-east-1c", r.shared(t).Founder)
	})
	t.Run("without S3, a member starts with its copy", func(t *testing.T) {
		r := settledThree(t)
		r.away.Store(true)
		for _, f := range r.hosts {
			f.mongod.Kill()
			f.round(t)
			assert.True(t, f.mongod.Running())
		}
		r.cluster.Settle()
		require.NoError(t, r.cluster.Write(r.primary(t).host.Name, "without S3"))
	})
}

// TestAllAtOnce: hosts that run at the same time agree on one set of secrets and one replica set.
func TestAllAtOnce(t *testing.T) {
	for seed := range uint64(3) {
		r, hosts := newThree(t, seed)
		for range 6 {
			var group sync.WaitGroup
			for _, f := range hosts {
				group.Go(func() { f.round(t) })
			}
			group.Wait()
		}
		r.settle(t, hosts...)
	}
}

// TestClaimOfALostHost: a host has claimed to initiate the replica set, and is gone before it has. Another one takes over only
// when the stack does not want that member any more.
func TestClaimOfALostHost(t *testing.T) {
	r, hosts := newThree(t, 1)
	lost, others := hosts[0], hosts[1:]
	require.NoError(t, lost.host.Prepare(t.Context()))
	lost.start(t)
	must.OK(lost.host.updateSecrets(t.Context(), func(s *secrets) bool { s.Founder = lost.host.Zone; return true }))(t)
	lost.mongod.Kill()
	for range 5 {
		for _, f := range others {
			f.round(t)
			require.ErrorContains(t, f.failed, "waiting for the primary to add this member")
		}
	}
	d := r.add(t, "us-east-1d")
	r.want(t, "", d, others[0], others[1])
	r.hosts = []*fixture{others[0], others[1], d}
	r.settle(t, d, others[0], others[1])
}

// TestWithoutAList: before the stack has written its list, hosts agree on the secrets and one of them initiates the replica
// set. Members are added only by the list.
func TestWithoutAList(t *testing.T) {
	r, hosts := newThree(t, 1)
	r.remove(t, contract.MembersKey)
	for _, f := range hosts {
		f.patience = 20
	}
	first := hosts[1]
	first.assertReady(t, first.boot(t))
	assert.Equal(t, first.host.Zone, r.shared(t).Founder)
	for _, f := range []*fixture{hosts[0], hosts[2]} {
		f.round(t)
		require.ErrorContains(t, f.failed, "waiting for the primary to add this member")
	}
	report := must.OK(first.host.Turn(t.Context()))(t)
	assert.Contains(t, report.Error, "database/members.json: the object does not exist")
	assert.Equal(t, contract.StatePrimary, report.State)
	assert.Len(t, report.Members, 1)

	first.replaceVolume(t)
	require.ErrorContains(t, first.host.Prepare(t.Context()), "waiting for a primary to copy the data from")

	r = settledThree(t)
	r.remove(t, contract.MembersKey)
	blank := r.hosts[1]
	blank.replaceVolume(t)
	r.cluster.Settle()
	require.NoError(t, blank.host.Prepare(t.Context()), "it finds the others by the secrets object")
	r.want(t, "", r.hosts...)
	r.settle(t, r.hosts...)
}

// TestUpgrade: the volume of a release that knew one member only, under another name.
func TestUpgrade(t *testing.T) {
	f := newFixture(t)
	f.assertReady(t, f.boot(t))
	require.NoError(t, f.cluster.Write(f.host.Name, "film"))
	f.mongod.Kill()
	config := *f.mongod.Config()
	config.Members = append(config.Members[:0:0], config.Members...)
	config.Members[0].Host = "mongo.cinema.internal:27017"
	f.mongod.SetConfig(config)
	var old map[string]any
	require.NoError(t, json.Unmarshal(must.OK(os.ReadFile(f.host.stateFile()))(t), &old))
	for _, field := range []string{"founder", "initiated", "members", "volume"} {
		delete(old, field)
	}
	require.NoError(t, os.WriteFile(f.host.stateFile(), must.OK(json.Marshal(old))(t), 0o600))
	before := f.shared(t)
	f.remove(t, contract.SecretsKey)
	f.created.Store(0)

	after := f.assertReady(t, f.boot(t))
	assert.Equal(t, before.CA, after.CA)
	assert.Equal(t, before.AdminPassword, after.AdminPassword)
	assert.Equal(t, before.Application, after.Application)
	assert.True(t, f.cluster.Has(f.host.Name, "film"))
	assert.Equal(t, f.host.VolumeID, after.Volume)
}

// TestOnlyTheRestoredMemberGoesOnAlone: a copy of another volume on a member that the stack does not restore is refused.
func TestOnlyTheRestoredMemberGoesOnAlone(t *testing.T) {
	r := settledThree(t)
	f := r.hosts[1]
	f.mongod.Kill()
	f.ready = false
	f.host.VolumeID = "vol-copy"
	f.round(t)
	require.ErrorContains(t, f.failed, "volume vol-copy has a copy of the data of vol-us-east-1b, but the stack restores none")
	assert.Len(t, r.hosts[0].mongod.Config().Members, 3)
}

// TestASnapshotIsRestoredOnce: restoreFrom stays in the config, and the first member's volume is lost later. The new volume is made
// from the same snapshot, with data that is older than that of the other members.
func TestASnapshotIsRestoredOnce(t *testing.T) {
	r := settledThree(t)
	first := r.hosts[0]
	snapshot := first.mongod.Snapshot()
	state := must.OK(os.ReadFile(first.host.stateFile()))(t)
	restore(t, r)
	r.settle(t, r.hosts...)
	require.NoError(t, r.cluster.Write(r.primary(t).host.Name, "after the restore"))
	r.cluster.Settle()

	first.mongod.Kill()
	first.mongod.Restore(snapshot)
	require.NoError(t, os.WriteFile(first.host.stateFile(), state, 0o600))
	first.ready = false
	first.host.VolumeID = "vol-again"
	for range 5 {
		for _, f := range r.hosts {
			f.round(t)
		}
	}
	require.ErrorContains(t, first.failed, "volume vol-again is made from snap-1 again, which was restored before")
	first.replaceVolume(t)
	r.want(t, "", r.hosts...)
	r.settle(t, r.hosts...)
	for _, f := range r.hosts {
		assert.True(t, r.cluster.Has(f.host.Name, "after the restore"))
	}
}

func TestRecover(t *testing.T) {
	r := settledThree(t)
	a, b, c := r.hosts[0], r.hosts[1], r.hosts[2]
	require.ErrorContains(t, b.host.Recover(t.Context()), "is primary: this member needs no recovery")
	b.replaceVolume(t)
	c.replaceVolume(t)
	r.cluster.Settle()
	b.round(t)
	require.ErrorContains(t, b.failed, "waiting for a primary to copy the data from")
	require.ErrorContains(t, b.host.Recover(t.Context()), "mongo-a.cinema.internal has data")
	require.NoError(t, a.host.Recover(t.Context()))
	r.settle(t, r.hosts...)
	assert.True(t, r.cluster.Has(b.host.Name, "film"))

	for _, f := range r.hosts {
		f.replaceVolume(t)
	}
	for _, f := range r.hosts {
		f.round(t)
		require.ErrorContains(t, f.failed, "cinema-db recover")
	}
	require.ErrorContains(t, settledOne(t).hosts[0].host.Recover(t.Context()), "is primary")
	r.cluster.Rewind(mongodtest.Disk{}) // all data is lost
	require.NoError(t, c.host.Recover(t.Context()))
	r.settle(t, r.hosts...)
	assert.Equal(t, c.host.Zone, r.shared(t).Founder)
}

func TestStepDown(t *testing.T) {
	r := settledThree(t)
	before := r.primary(t)
	for _, f := range r.hosts {
		if f != before {
			require.NoError(t, f.host.StepDown(t.Context()))
		}
	}
	assert.Equal(t, before, r.primary(t), "a secondary changes nothing")
	require.NoError(t, before.host.StepDown(t.Context()))
	assert.NotEqual(t, before, r.primary(t))
	require.NoError(t, settledOne(t).hosts[0].host.StepDown(t.Context()), "a single member has nobody to hand over to")
}

// refusing is a mongod that lacks some commands.
type refusing struct {
	Conn
	commands []string
}

func (c *refusing) Run(ctx context.Context, command bson.D) (bson.Raw, error) {
	if slices.Contains(c.commands, command[0].Key) {
		return nil, mongo.CommandError{Code: 59, Message: "no such command: " + command[0].Key}
	}
	return c.Conn.Run(ctx, command)
}

// TestReadyWithoutMetrics: what only metrics, reports and steps of membership need does not keep the API from its database.
func TestReadyWithoutMetrics(t *testing.T) {
	f := settledOne(t).hosts[0]
	f.remove(t, contract.CredentialsKey)
	f.host.Dial = func(ctx context.Context, host string, ca *x509.CertPool, login *Login) (Conn, error) {
		c, err := f.dial(ctx, host, ca, login)
		return &refusing{c, []string{"rolesInfo", "replSetGetConfig", "replSetGetStatus"}}, err
	}
	f.host.published = credentials.Credentials{} // a process that has just started
	f.assertReady(t, f.host.Init(t.Context()))
	report := must.OK(f.host.Turn(t.Context()))(t)
	assert.Contains(t, report.Error, "no such command: replSetGetConfig")
	assert.Equal(t, f.host.Name, report.Primary)
	require.NoError(t, f.host.StepDown(t.Context()))
}

func TestReport(t *testing.T) {
	r := settledThree(t)
	primary := r.primary(t)
	for _, f := range r.hosts {
		report := must.OK(f.host.Turn(t.Context()))(t)
		var stored contract.Report
		require.True(t, r.object(t, contract.ReportKey(f.host.Zone), &stored))
		assert.Equal(t, report, stored)
		assert.Equal(t, primary.host.Name, report.Primary)
		assert.Equal(t, f.mongod.State(), report.State)
		assert.Empty(t, report.Error)
		require.Len(t, report.Members, 3)
		for i, m := range report.Members {
			assert.Equal(t, r.hosts[i].host.Name, m.Host)
			assert.True(t, m.Voting)
			assert.Equal(t, r.hosts[i].mongod.State(), m.State)
			assert.Zero(t, m.LagSeconds)
		}
	}
	down := r.hosts[2]
	if down == primary {
		down = r.hosts[1]
	}
	down.mongod.Kill()
	r.cluster.Settle()
	report := must.OK(down.host.Turn(t.Context()))(t)
	assert.Empty(t, report.State)
	assert.Contains(t, report.Error, "connection refused")
	report = must.OK(primary.host.Turn(t.Context()))(t)
	for _, m := range report.Members {
		if m.Host == down.host.Name {
			assert.Equal(t, contract.MemberState{Host: m.Host, State: "(not reachable/healthy)", Voting: true, LagSeconds: -1}, m)
		}
	}
	assert.Contains(t, report.Error, "waiting: "+down.host.Name+" is not caught up")
}

// TestRotateOnAnyMember: a rotation works on the host of a secondary.
func TestRotateOnAnyMember(t *testing.T) {
	r := settledThree(t)
	for _, f := range r.hosts {
		before := r.shared(t)
		require.NoError(t, f.host.Rotate(t.Context(), true))
		assert.NotEqual(t, before.Application, r.shared(t).Application)
		r.cluster.Settle()
		r.settle(t, r.hosts...)
		require.NoError(t, f.host.Retire(t.Context()))
	}
}
