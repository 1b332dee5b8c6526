package awssim

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
)

// get reads an object of JSON, and tells whether it exists.
func get[T any](t *testing.T, a *Account, key string) (v T, found bool) {
	t.Helper()
	out, err := a.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: &key})
	var missing *s3types.NoSuchKey
	if errors.As(err, &missing) {
		return v, false
	}
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(out.Body).Decode(&v))
	return v, true
}

// report returns the report of the member in a zone.
func report(t *testing.T, a *Account, zone string) contract.Report {
	t.Helper()
	r, found := get[contract.Report](t, a, contract.ReportKey(zone))
	require.True(t, found, zone)
	return r
}

func TestMembersOfTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.json")
	a, err := OpenAccount(path)
	require.NoError(t, err)
	s := &site{Account: a, t: t, ids: map[string]string{}}
	host := func(zone string) {
		s.make(instanceType, zone, map[string]any{"availabilityZone": zone, "tags": map[string]any{"Component": "Database"}})
	}
	replace := func(zone string) {
		require.NoError(t, s.Delete(instanceType, s.ids[zone], urn(instanceType, zone)))
		host(zone)
	}
	s.make(instanceType, "another", map[string]any{"availabilityZone": "us-east-1a"})
	_, found := get[contract.Report](t, a, contract.ReportKey("us-east-1a"))
	assert.False(t, found)
	host("us-east-1b")
	host("us-east-1a")
	status, _ := get[contract.Status](t, a, contract.StatusKey("database-us-east-1b"))
	assert.Equal(t, contract.Status{Role: "database-us-east-1b", Instance: s.ids["us-east-1b"], Phase: contract.PhaseReady, Time: stamp}, status)
	seen, err := a.Lookup("aws:ec2/getInstance:getInstance", props(map[string]any{"instanceId": s.ids["us-east-1b"]}))
	require.NoError(t, err)
	assert.Equal(t, "us-east-1b", text(seen, "availabilityZone"))
	assert.Equal(t, "Database", text(seen["tags"].ObjectValue(), "Component"))
	_, found = get[contract.Status](t, a, contract.StatusKey("database-us-east-1c"))
	assert.False(t, found)

	first := report(t, a, "us-east-1a")
	want := contract.Report{Zone: "us-east-1a", Host: "mongo-a.cinema.internal", State: "PRIMARY", Primary: "mongo-a.cinema.internal", Time: first.Time,
		Members: []contract.MemberState{{Host: "mongo-a.cinema.internal", State: "PRIMARY", Voting: true}, {Host: "mongo-b.cinema.internal", State: "SECONDARY", Voting: true}}}
	assert.Equal(t, want, first)
	assert.NotEqual(t, first.Time, report(t, a, "us-east-1a").Time, "each report is new")
	assert.Equal(t, "SECONDARY", report(t, a, "us-east-1b").State)

	s.make(bucketType, "b", map[string]any{})
	list := `{"members":[{"zone":"us-east-1c","host":"c.internal"},{"zone":"us-east-1b","host":"b.internal"}]}`
	s.make(objectType, "o", map[string]any{"bucket": "$b", "key": contract.MembersKey, "content": list})
	listed := report(t, a, "us-east-1b")
	assert.Equal(t, "PRIMARY", listed.State, "the host in zone a is not one of the members")
	assert.Equal(t, []contract.MemberState{{Host: "b.internal", State: "PRIMARY", Voting: true}, {Host: "c.internal", State: "(not reachable/healthy)", Voting: true, LagSeconds: -1}},
		listed.Members)
	assert.Empty(t, report(t, a, "us-east-1a").State)

	host("us-east-1c")
	replace("us-east-1c")
	assert.Equal(t, "b.internal", report(t, a, "us-east-1c").Primary)
	replace("us-east-1b")
	assert.Equal(t, "c.internal", report(t, a, "us-east-1b").Primary, "another member is elected when the host of the primary is replaced")
	again, err := OpenAccount(path)
	require.NoError(t, err)
	assert.Equal(t, "c.internal", report(t, again, "us-east-1b").Primary)
}
