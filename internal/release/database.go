package release

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"cinema-database/app/contract"
	"cinema-database/internal/rollout"
)

// member is what is known of one member of the database.
type member struct {
	zone    string
	host    *contract.Status // nil if the present host has not reported yet
	report  *contract.Report // nil if there is none
	overdue bool             // the next report
}

// database prints the state of every member of the database, and returns which are not healthy.
func (s *session) database(ctx context.Context) (fault, err error) {
	if len(s.outputs.Database) == 0 { // the stack was brought up before it had members
		host, err := s.HostStatus(ctx, s.outputs.Bucket, contract.RoleDatabase)
		if err != nil {
			return nil, err
		}
		line := "no report yet"
		if host != nil {
			line = fmt.Sprintf("%s, MongoDB %s, cinema-db %.12s, since %s", rollout.DescribeStatus(host), host.Version, host.Digest, host.Time)
		}
		fmt.Fprintf(s.out, "database host: %s\n", line)
		return nil, nil
	}
	var members []member
	var reports []*contract.Report
	for _, zone := range slices.Sorted(maps.Keys(s.outputs.Database)) {
		m := member{zone: zone}
		if m.host, err = s.HostStatus(ctx, s.outputs.Bucket, contract.DatabaseRole(zone)); err != nil {
			return nil, err
		}
		if m.host != nil && m.host.Instance != s.outputs.Database[zone] {
			m.host = nil
		}
		if m.report, m.overdue, err = s.LatestReport(ctx, s.outputs.Bucket, zone); err != nil {
			return nil, err
		}
		if m.report != nil && !m.overdue {
			reports = append(reports, m.report)
		}
		members = append(members, m)
	}
	primary := rollout.PrimaryOf(reports)
	fmt.Fprintln(s.out, "database members:")
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  ZONE\tHOST\tMONGODB\tCINEMA-DB\tMEMBER\tBEHIND\tREPORTED\tERROR")
	var faults []string
	for _, m := range members {
		state, behind, healthy := m.state(primary)
		if !healthy {
			faults = append(faults, m.zone+" "+state)
		}
		host := cmp.Or(m.host, &contract.Status{Phase: "no report yet"})
		report := cmp.Or(m.report, &contract.Report{})
		failures := slices.DeleteFunc([]string{host.Error, report.Error}, func(e string) bool { return e == "" })
		fmt.Fprintf(w, "  %s\t%s\t%s\t%.12s\t%s\t%s\t%s\t%s\n", m.zone, host.Phase, host.Version, host.Digest, state, behind,
			cmp.Or(report.Time, "never"), cmp.Or(strings.Join(failures, "; "), "none"))
	}
	w.Flush()
	if len(faults) > 0 {
		return fmt.Errorf("%d of %d database members are not healthy: %s", len(faults), len(members), strings.Join(faults, ", ")), nil
	}
	return nil, nil
}

// state says how a member is, by the primary's report and its own, and how far it is behind the primary.
func (m member) state(primary *contract.Report) (state, behind string, healthy bool) {
	if m.report == nil {
		return "no report yet", "unknown", false
	}
	if primary == nil {
		return cmp.Or(m.report.State, "mongod does not answer") + ", no primary reports", "unknown", false
	}
	seen, found := rollout.FindMember(primary, m.report.Host)
	if !found {
		return "not added yet", "unknown", false
	}
	state, healthy, behind = rollout.DescribeMember(seen), rollout.Healthy(seen), "unknown"
	if seen.LagSeconds >= 0 {
		behind = fmt.Sprintf("%d s", seen.LagSeconds)
	}
	if m.overdue {
		return state + ", reports no more", behind, false
	}
	return state, behind, healthy
}
