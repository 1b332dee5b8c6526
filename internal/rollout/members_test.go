package rollout_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/rollout"
)

var (
	memberA = contract.Member{Zone: "us-east-1a", Host: "mongo-a.cinema.internal"}
	memberB = contract.Member{Zone: "us-east-1b", Host: "mongo-b.cinema.internal"}
	memberC = contract.Member{Zone: "us-east-1c", Host: "mongo-c.cinema.internal"}
	three   = rollout.Members{memberA, memberB, memberC}
)

// bucket holds the reports of members: those of one after the other, of which the last stays. nil is no object.
type bucket struct {
	reports map[string][]*contract.Report // by zone
	err     error
}

func (b *bucket) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if b.err != nil {
		return nil, b.err
	}
	if *in.Bucket != "artifacts" {
		return nil, errors.New("another bucket")
	}
	for zone, all := range b.reports {
		if contract.ReportKey(zone) != *in.Key {
			continue
		}
		if len(all) > 1 {
			b.reports[zone] = all[1:]
		}
		if all[0] == nil {
			break
		}
		body, err := json.Marshal(all[0])
		return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(string(body)))}, err
	}
	return nil, &s3types.NoSuchKey{}
}

// at returns a report with the time that many seconds after midnight.
func at(seconds int, r contract.Report) *contract.Report {
	r.Time = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second).Format(time.RFC3339)
	return &r
}

func good(m contract.Member, state string) contract.MemberState {
	return contract.MemberState{Host: m.Host, State: state, Voting: true}
}

// primaryOf returns the report of a primary that sees the others so.
func primaryOf(m contract.Member, others ...contract.MemberState) contract.Report {
	return contract.Report{Zone: m.Zone, Host: m.Host, State: "PRIMARY", Primary: m.Host, Members: append([]contract.MemberState{good(m, "PRIMARY")}, others...)}
}

// secondaryOf returns the report of a secondary of a primary.
func secondaryOf(m, primary contract.Member) contract.Report {
	return contract.Report{Zone: m.Zone, Host: m.Host, State: "SECONDARY", Primary: primary.Host}
}

// waiting is a rollout on a bucket of reports, and what it says.
func waiting(b *bucket) (rollout.Rollout, func() []string) {
	var said []string
	return rollout.Rollout{
		Cloud:    rollout.Cloud{Objects: b, Clock: &rollout.SimulatedClock{}},
		Settings: rollout.Settings{Wait: 10 * time.Minute},
		Say:      func(line string) { said = append(said, line) },
	}, func() []string { return said }
}

func TestAwaitMembersOfTheDatabase(t *testing.T) {
	syncing := contract.MemberState{Host: memberC.Host, State: "STARTUP2", LagSeconds: -1}
	down := contract.MemberState{Host: memberB.Host, State: "(not reachable/healthy)", Voting: true, LagSeconds: -1}
	behind := contract.MemberState{Host: memberC.Host, State: "SECONDARY", LagSeconds: contract.MaxLagSeconds + 1}
	unknown := contract.MemberState{Host: memberC.Host, State: "SECONDARY", LagSeconds: -1}
	noVote := contract.MemberState{Host: memberC.Host, State: "SECONDARY", LagSeconds: contract.MaxLagSeconds}
	b, c := good(memberB, "SECONDARY"), good(memberC, "SECONDARY")
	all := primaryOf(memberA, b, c)
	blocked := primaryOf(memberA, b, noVote)
	blocked.Error = "another reconfiguration is in progress"

	member := func(zone string) func(context.Context, rollout.Rollout) error {
		return func(ctx context.Context, r rollout.Rollout) error {
			return r.AwaitMember(ctx, "artifacts", zone, three)
		}
	}
	others := func(zone string, m rollout.Members) func(context.Context, rollout.Rollout) error {
		return func(ctx context.Context, r rollout.Rollout) error { return r.AwaitOthers(ctx, "artifacts", zone, m) }
	}
	members := func(m rollout.Members) func(context.Context, rollout.Rollout) error {
		return func(ctx context.Context, r rollout.Rollout) error { return r.AwaitMembers(ctx, "artifacts", m) }
	}
	for name, tc := range map[string]struct {
		await   func(context.Context, rollout.Rollout) error
		reports map[string][]*contract.Report
		said    string // the lines
		err     string // if not empty, the last line is part of the error
	}{
		"a member that joins": {member(memberC.Zone), map[string][]*contract.Report{memberA.Zone: {
			at(0, primaryOf(memberA, b)), at(0, primaryOf(memberA, b)), at(15, primaryOf(memberA, b)), at(30, primaryOf(memberA, b, syncing)),
			at(45, primaryOf(memberA, b, syncing)), at(60, primaryOf(memberA, b, unknown)), at(75, primaryOf(memberA, b, behind)), at(90, primaryOf(memberA, b, noVote)),
			at(105, blocked), at(120, all)}},
			`database member us-east-1c: no new report yet
database member us-east-1c: not added yet
database member us-east-1c: initial sync (STARTUP2)
database member us-east-1c: SECONDARY, how far it is behind the primary is unknown
database member us-east-1c: SECONDARY, more than 10 s behind the primary
database member us-east-1c: SECONDARY, without a vote yet
database member us-east-1c: SECONDARY, without a vote yet; mongo-a.cinema.internal: another reconfiguration is in progress
database member us-east-1c: SECONDARY`, ""},
		"a member that is the primary": {member(memberA.Zone), map[string][]*contract.Report{memberA.Zone: {at(0, all), at(15, all)}},
			"database member us-east-1a: no new report yet\ndatabase member us-east-1a: PRIMARY", ""},
		"only a new report counts": {member(memberC.Zone), map[string][]*contract.Report{memberA.Zone: {at(0, all)}},
			"database member us-east-1c: no new report yet", "not ready after 10m0s"},
		"a first report is a new one": {member(memberA.Zone), map[string][]*contract.Report{memberA.Zone: {nil, nil, at(0, all)}},
			"database member us-east-1a: no new report yet\ndatabase member us-east-1a: PRIMARY", ""},
		"a clock that goes back": {member(memberA.Zone), map[string][]*contract.Report{memberA.Zone: {at(60, all), at(0, all)}},
			"database member us-east-1a: no new report yet\ndatabase member us-east-1a: PRIMARY", ""},
		"a secondary's view does not count": {member(memberC.Zone), map[string][]*contract.Report{
			memberA.Zone: {at(0, all)},
			memberB.Zone: {at(0, secondaryOf(memberB, memberA)), at(15, secondaryOf(memberB, memberA))}},
			"database member us-east-1c: no new report yet\ndatabase member us-east-1c: no new report of the primary, mongo-a.cinema.internal, yet\n" +
				"database member us-east-1c: no new report yet", "not ready after 10m0s"},
		"an election": {member(memberC.Zone), map[string][]*contract.Report{
			memberB.Zone: {at(0, secondaryOf(memberB, memberA)), at(15, secondaryOf(memberB, contract.Member{})), at(30, primaryOf(memberB, good(memberA, "SECONDARY"), c))}},
			"database member us-east-1c: no new report yet\ndatabase member us-east-1c: no primary\ndatabase member us-east-1c: SECONDARY", ""},
		"two that take themselves for the primary": {member(memberC.Zone), map[string][]*contract.Report{
			memberA.Zone: {at(0, all), at(30, primaryOf(memberA, b, down))},
			memberB.Zone: {at(0, all), at(31, primaryOf(memberB, good(memberA, "SECONDARY"), syncing)), at(46, primaryOf(memberB, good(memberA, "SECONDARY"), c))}},
			"database member us-east-1c: no new report yet\ndatabase member us-east-1c: initial sync (STARTUP2)\ndatabase member us-east-1c: SECONDARY", ""},
		"a primary that falls silent": {others(memberC.Zone, three), map[string][]*contract.Report{memberA.Zone: {at(0, all), at(15, primaryOf(memberA, down, c))}},
			`database host us-east-1c waits for its turn: no new report yet
database host us-east-1c waits for its turn: 1 of 3 members down: mongo-b.cinema.internal (not reachable/healthy)
database host us-east-1c waits for its turn: no new report yet`, "not ready after 10m0s"},
		"not one of the members": {member("us-east-1f"), nil, "", "database member us-east-1f: not one of the stack's members"},

		"the turn of a host": {others(memberA.Zone, three), map[string][]*contract.Report{memberA.Zone: {
			at(0, all), at(15, primaryOf(memberA, down, syncing)), at(30, primaryOf(memberA, b, noVote)), at(45, all)}},
			`database host us-east-1a waits for its turn: no new report yet
database host us-east-1a waits for its turn: 1 of 3 members down: mongo-b.cinema.internal (not reachable/healthy), mongo-c.cinema.internal: initial sync (STARTUP2)
database host us-east-1a waits for its turn: mongo-c.cinema.internal: SECONDARY, without a vote yet
database host us-east-1a waits for its turn: the other members are healthy`, ""},
		"the member itself may be down": {others(memberB.Zone, three), map[string][]*contract.Report{memberA.Zone: {at(0, all), at(15, primaryOf(memberA, down, c))}},
			"database host us-east-1b waits for its turn: no new report yet\ndatabase host us-east-1b waits for its turn: the other members are healthy", ""},
		"the only member": {others(memberA.Zone, three[:1]), nil, "", ""},
		"another member stays down": {others(memberC.Zone, three), map[string][]*contract.Report{memberA.Zone: everyQuarter(primaryOf(memberA, down, c))},
			"database host us-east-1c waits for its turn: no new report yet\n" +
				"database host us-east-1c waits for its turn: 1 of 3 members down: mongo-b.cinema.internal (not reachable/healthy)",
			"not ready after 10m0s; make the host of a member that is down again with `pulumi up --replace URN`"},

		"from one to three": {members(three), map[string][]*contract.Report{memberA.Zone: {
			at(0, primaryOf(memberA)), at(15, primaryOf(memberA)), at(30, primaryOf(memberA, b)), at(45, primaryOf(memberA, b, syncing)), at(60, all)}},
			`database members: no new report yet
database members: mongo-b.cinema.internal: not added yet, mongo-c.cinema.internal: not added yet
database members: mongo-c.cinema.internal: not added yet
database members: mongo-c.cinema.internal: initial sync (STARTUP2)
database members: 3 of 3 healthy, mongo-a.cinema.internal is the primary`, ""},
		"from three to one": {members(three[:1]), map[string][]*contract.Report{memberA.Zone: {
			at(0, secondaryOf(memberA, memberB)), at(15, secondaryOf(memberA, memberB)), at(30, all), at(45, primaryOf(memberA, c)), at(60, primaryOf(memberA))}},
			`database members: no new report yet
database members: no new report of the primary, mongo-b.cinema.internal, yet
database members: mongo-b.cinema.internal: still to be removed, mongo-c.cinema.internal: still to be removed
database members: mongo-c.cinema.internal: still to be removed
database members: 1 of 1 healthy, mongo-a.cinema.internal is the primary`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, said := waiting(&bucket{reports: tc.reports})
			err := tc.await(t.Context(), r)
			assert.Equal(t, tc.said, strings.Join(said(), "\n"))
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
			lines := said()
			if len(lines) > 0 {
				require.ErrorContains(t, err, lines[len(lines)-1])
			}
		})
	}
}

// everyQuarter is a report that a member repeats for longer than any wait lasts.
func everyQuarter(r contract.Report) []*contract.Report {
	var all []*contract.Report
	for n := range 200 {
		all = append(all, at(n*contract.ReportSeconds, r))
	}
	return all
}

func TestAwaitMembersEndsEarly(t *testing.T) {
	b := &bucket{err: errors.New("AccessDenied")}
	r, _ := waiting(b)
	require.EqualError(t, r.AwaitMembers(t.Context(), "artifacts", three), "s3://artifacts/status/database-us-east-1a-member.json: AccessDenied")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.err = nil
	require.ErrorIs(t, r.AwaitMembers(ctx, "artifacts", three), context.Canceled)

	b.err = errors.New("asked")
	r.Wait = 0
	require.NoError(t, r.AwaitMember(t.Context(), "artifacts", memberA.Zone, three))
	require.NoError(t, r.AwaitOthers(t.Context(), "artifacts", memberA.Zone, three))
	require.NoError(t, r.AwaitMembers(t.Context(), "artifacts", three))
}

func TestThePrimaryByTheNewestReport(t *testing.T) {
	alone := secondaryOf(memberC, contract.Member{})
	for name, tc := range map[string]struct {
		reports map[string][]*contract.Report
		want    string
	}{
		"none":            {nil, ""},
		"its own":         {map[string][]*contract.Report{memberB.Zone: {at(0, primaryOf(memberB))}}, memberB.Zone},
		"a secondary's":   {map[string][]*contract.Report{memberC.Zone: {at(0, secondaryOf(memberC, memberB))}}, memberB.Zone},
		"the newest":      {map[string][]*contract.Report{memberA.Zone: {at(0, primaryOf(memberA))}, memberC.Zone: {at(9, secondaryOf(memberC, memberB))}}, memberB.Zone},
		"one sees nobody": {map[string][]*contract.Report{memberA.Zone: {at(0, primaryOf(memberA))}, memberC.Zone: {at(9, alone)}}, memberA.Zone},
		"another's":       {map[string][]*contract.Report{memberA.Zone: {at(0, secondaryOf(memberA, contract.Member{Host: "mongo-f.cinema.internal"}))}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := waiting(&bucket{reports: tc.reports})
			zone, _ := r.Primary(t.Context(), "artifacts", three)
			assert.Equal(t, tc.want, zone)
		})
	}
	r, _ := waiting(&bucket{err: errors.New("AccessDenied")})
	zone, unhealthy := r.Primary(t.Context(), "artifacts", three)
	assert.Empty(t, zone)
	assert.Empty(t, unhealthy)

	down := good(memberA, "(not reachable/healthy)")
	report := primaryOf(memberB, down, good(memberC, "SECONDARY"))
	r, _ = waiting(&bucket{reports: map[string][]*contract.Report{memberB.Zone: {at(0, report)}}})
	zone, unhealthy = r.Primary(t.Context(), "artifacts", three)
	assert.Equal(t, memberB.Zone, zone)
	assert.Equal(t, []string{memberA.Zone}, unhealthy)
}
