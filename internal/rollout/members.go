package rollout

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"cinema-database/app/contract"
)

// Members are the members that the stack wants the replica set to have.
type Members = []contract.Member

const (
	// stateInitialSync and stateUnreachable are as in replSetGetStatus.
	stateInitialSync = "STARTUP2"
	stateUnreachable = "(not reachable/healthy)"

	// notAdded says that a member is not in the replica set's configuration.
	notAdded = "not added yet"

	// silence is how long a member may leave out its report before the last one says nothing about it any more.
	silence = 4 * contract.ReportSeconds * time.Second

	// replaceHint is the remedy for a member that is down.
	replaceHint = "make the host of a member that is down again with `pulumi up --replace URN`, where `pulumi stack --show-urns` has the URN of " +
		"its database-host (docs/operations.md)"
)

// MemberReport returns what the member in a zone has reported about the replica set, nil if there is no report yet.
func (c Cloud) MemberReport(ctx context.Context, bucket, zone string) (*contract.Report, error) {
	report, _, err := c.LatestReport(ctx, bucket, zone)
	return report, err
}

// LatestReport returns MemberReport, and whether the next report is overdue: the member has stopped since.
func (c Cloud) LatestReport(ctx context.Context, bucket, zone string) (report *contract.Report, overdue bool, err error) {
	report, age, err := read[contract.Report](ctx, c.Objects, bucket, contract.ReportKey(zone))
	return report, age >= silence, err
}

// PrimaryOf returns the report of the primary: of those that say so, the one that was written last. An isolated primary takes
// itself for one for some seconds after another is elected.
func PrimaryOf(reports []*contract.Report) (primary *contract.Report) {
	for _, r := range reports {
		if r.State == contract.StatePrimary && (primary == nil || written(r).After(written(primary))) {
			primary = r
		}
	}
	return primary
}

// Primary returns the zone of the primary, by the newest report that names one; "" if it is unknown or not one of the
// members. unhealthy are the zones of the members that are not healthy by the primary's own report.
func (c Cloud) Primary(ctx context.Context, bucket string, m Members) (zone string, unhealthy []string) {
	var newest *contract.Report // that names a primary
	var all []*contract.Report
	for _, member := range m {
		report, err := c.MemberReport(ctx, bucket, member.Zone)
		if err != nil || report == nil {
			continue
		}
		all = append(all, report)
		if report.Primary != "" && (newest == nil || written(report).After(written(newest))) {
			newest = report
		}
	}
	own := PrimaryOf(all)
	for _, member := range m {
		if newest != nil && newest.Primary == member.Host {
			zone = member.Zone
		}
		if own == nil {
			continue
		}
		if state, found := FindMember(own, member.Host); !found || !Healthy(state) {
			unhealthy = append(unhealthy, member.Zone)
		}
	}
	return zone, unhealthy
}

// written returns when a report was written, the zero time if it does not say so.
func written(r *contract.Report) time.Time {
	t, _ := time.Parse(time.RFC3339, r.Time)
	return t
}

// AwaitMember waits until the member in a zone belongs to the replica set, votes and has caught up. bucket is the artifacts
// bucket.
func (r Rollout) AwaitMember(ctx context.Context, bucket, zone string, m Members) error {
	own := slices.IndexFunc(m, func(member contract.Member) bool { return member.Zone == zone })
	if own < 0 {
		return fmt.Errorf("database member %s: not one of the stack's members", zone)
	}
	return r.awaitReports(ctx, bucket, "database member "+zone+": ", m, func(primary *contract.Report) (bool, string) {
		state, found := FindMember(primary, m[own].Host)
		if !found {
			return false, notAdded
		}
		return Healthy(state), DescribeMember(state)
	})
}

// AwaitOthers waits until every member except the one in a zone is healthy: the set then keeps its majority while the host
// in that zone is replaced.
func (r Rollout) AwaitOthers(ctx context.Context, bucket, zone string, m Members) error {
	others := slices.DeleteFunc(slices.Clone(m), func(member contract.Member) bool { return member.Zone == zone })
	if len(others) == 0 {
		return nil
	}
	return r.awaitReports(ctx, bucket, "database host "+zone+" waits for its turn: ", m, func(primary *contract.Report) (bool, string) {
		if trouble := trouble(primary, others, len(m)); trouble != "" {
			return false, trouble
		}
		return true, "the other members are healthy"
	})
}

// AwaitMembers waits until the replica set has exactly these members, and all vote and have caught up.
func (r Rollout) AwaitMembers(ctx context.Context, bucket string, m Members) error {
	return r.awaitReports(ctx, bucket, "database members: ", m, func(primary *contract.Report) (bool, string) {
		var open []string
		if trouble := trouble(primary, m, len(m)); trouble != "" {
			open = append(open, trouble)
		}
		for _, state := range primary.Members {
			if !slices.ContainsFunc(m, func(member contract.Member) bool { return member.Host == state.Host }) {
				open = append(open, state.Host+": still to be removed")
			}
		}
		if len(open) > 0 {
			return false, strings.Join(open, ", ")
		}
		return true, fmt.Sprintf("%d of %d healthy, %s is the primary", len(m), len(m), primary.Host)
	})
}

// awaitReports waits until the primary's report passes a check, which also says the state.
func (r Rollout) awaitReports(ctx context.Context, bucket, prefix string, m Members, check func(primary *contract.Report) (done bool, state string)) error {
	if r.Wait == 0 {
		return nil
	}
	seen := reports{}
	return r.poll(ctx, r.Wait, func() (bool, string, error) {
		primary, state, err := seen.primary(ctx, r.Cloud, bucket, m)
		if err != nil || primary == nil {
			return false, prefix + state, err
		}
		done, state := check(primary)
		if !done && primary.Error != "" {
			state += "; " + primary.Host + ": " + primary.Error
		}
		return done, prefix + state, nil
	}, replaceHint)
}

// reports are the times of the reports that a wait has seen, by zone. The clocks of the hosts and of this machine differ, so
// they are not compared: a report is fresh if it was written after the wait began, and the next one is not overdue.
type reports map[string]*sighting

type sighting struct {
	time    string
	fresh   bool
	changed time.Time // by this machine's clock
}

// fresh notes the report of a zone, nil if there is none, and tells whether it is fresh.
func (s reports) fresh(zone string, r *contract.Report, now time.Time) bool {
	wrote := ""
	if r != nil {
		wrote = r.Time
	}
	was := s[zone]
	switch {
	case was == nil:
		s[zone] = &sighting{time: wrote}
		return false
	case was.time != wrote:
		*was = sighting{time: wrote, fresh: true, changed: now}
	}
	return r != nil && was.fresh && now.Sub(was.changed) < silence
}

// primary returns the fresh report of the primary, or why there is none.
func (s reports) primary(ctx context.Context, c Cloud, bucket string, m Members) (primary *contract.Report, state string, err error) {
	var fresh []*contract.Report
	elsewhere := ""
	for _, member := range m {
		report, err := c.MemberReport(ctx, bucket, member.Zone)
		if err != nil {
			return nil, "", err
		}
		if s.fresh(member.Zone, report, c.Clock.Now()) {
			fresh = append(fresh, report)
			elsewhere = cmp.Or(report.Primary, elsewhere)
		}
	}
	primary = PrimaryOf(fresh)
	switch {
	case primary != nil:
		return primary, "", nil
	case len(fresh) == 0:
		return nil, "no new report yet", nil
	case elsewhere != "":
		return nil, fmt.Sprintf("no new report of the primary, %s, yet", elsewhere), nil
	}
	return nil, "no primary", nil
}

// FindMember returns a member's state in a report.
func FindMember(r *contract.Report, host string) (contract.MemberState, bool) {
	for _, state := range r.Members {
		if state.Host == host {
			return state, true
		}
	}
	return contract.MemberState{}, false
}

// trouble says which of the members are not healthy by a report, "" if all are. The replica set is to have total members.
func trouble(r *contract.Report, m Members, total int) string {
	var down, open []string
	for _, member := range m {
		state, found := FindMember(r, member.Host)
		switch {
		case !found:
			open = append(open, member.Host+": "+notAdded)
		case state.State == stateUnreachable:
			down = append(down, member.Host+" "+state.State)
		case !Healthy(state):
			open = append(open, member.Host+": "+DescribeMember(state))
		}
	}
	if len(down) > 0 {
		open = slices.Insert(open, 0, fmt.Sprintf("%d of %d members down: %s", len(down), total, strings.Join(down, ", ")))
	}
	return strings.Join(open, ", ")
}

// Healthy reports whether a member serves, votes and has caught up.
func Healthy(s contract.MemberState) bool {
	return s.CaughtUp() && s.Voting
}

// DescribeMember says a member's state, and what keeps it from being healthy. It leaves out how many seconds the member is
// behind, which each report changes.
func DescribeMember(s contract.MemberState) string {
	switch {
	case s.State == stateUnreachable:
		return "down " + s.State
	case s.State == stateInitialSync:
		return "initial sync (" + s.State + ")"
	case !s.Serves():
		return s.State
	case !s.CaughtUp() && s.LagSeconds < 0:
		return s.State + ", how far it is behind the primary is unknown"
	case !s.CaughtUp():
		return fmt.Sprintf("%s, more than %d s behind the primary", s.State, contract.MaxLagSeconds)
	case !s.Voting:
		return s.State + ", without a vote yet"
	}
	return s.State
}
