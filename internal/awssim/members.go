package awssim

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cinema-database/app/contract"
)

const (
	instanceType = "aws:ec2/instance:Instance"
	objectType   = "aws:s3/bucketObjectv2:BucketObjectv2"
)

// GetObject returns what the database hosts write: the status of each host and the report of its member. A host boots, and
// its member joins the replica set, in no time. The account has no other contents.
func (a *Account) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, host := range a.databaseHosts() {
		zone := text(host.State, "availabilityZone")
		role := contract.DatabaseRole(zone)
		var content any
		switch aws.ToString(in.Key) {
		case contract.StatusKey(role):
			content = contract.Status{Role: role, Instance: host.ID, Phase: contract.PhaseReady, Time: stamp}
		case contract.ReportKey(zone):
			content = a.report(zone)
		default:
			continue
		}
		body, err := json.Marshal(content)
		return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(string(body)))}, err
	}
	return nil, &s3types.NoSuchKey{}
}

// databaseHosts lists the database hosts in the order of their zones.
func (a *Account) databaseHosts() []Resource {
	hosts := slices.DeleteFunc(a.ofType(instanceType), func(r Resource) bool { return !databaseHost(r) })
	slices.SortFunc(hosts, func(one, two Resource) int {
		return strings.Compare(text(one.State, "availabilityZone"), text(two.State, "availabilityZone"))
	})
	return hosts
}

func databaseHost(r Resource) bool {
	tags := r.State["tags"]
	return r.Type == instanceType && tags.IsObject() && text(tags.ObjectValue(), "Component") == "Database"
}

// wantedMembers returns the members that the stack wants, in the order of their zones. Until it has said so, these are the
// hosts.
func (a *Account) wantedMembers() contract.Members {
	for _, r := range a.ofType(objectType) {
		var wanted contract.Members
		if text(r.State, "key") == contract.MembersKey && json.Unmarshal([]byte(text(r.State, "content")), &wanted) == nil {
			slices.SortFunc(wanted.Members, func(one, two contract.Member) int { return strings.Compare(one.Zone, two.Zone) })
			return wanted
		}
	}
	var all contract.Members
	for _, host := range a.databaseHosts() {
		zone := text(host.State, "availabilityZone")
		all.Members = append(all.Members, contract.Member{Zone: zone, Host: "mongo-" + zone[max(0, len(zone)-1):] + ".cinema.internal"})
	}
	return all
}

// primaryHost returns the host whose member is primary: the one that was elected last, or the first one. After a restore it
// is the one whose volume comes from the snapshot.
func (a *Account) primaryHost() (primary Resource) {
	wanted := a.wantedMembers()
	for _, host := range a.databaseHosts() {
		zone := text(host.State, "availabilityZone")
		if !slices.ContainsFunc(wanted.Members, func(m contract.Member) bool { return m.Zone == zone }) {
			continue
		}
		if zone == wanted.Seed {
			return host
		}
		if primary.ID == "" || host.ID == a.primary {
			primary = host
		}
	}
	return primary
}

// report returns the report of the member in a zone. Its time differs from that of every other one.
func (a *Account) report(zone string) contract.Report {
	a.reports++
	start, _ := time.Parse(time.RFC3339, stamp)
	r := contract.Report{Zone: zone, Time: start.Add(time.Duration(a.reports) * contract.ReportSeconds * time.Second).Format(time.RFC3339)}
	primary, running := text(a.primaryHost().State, "availabilityZone"), map[string]bool{}
	for _, host := range a.databaseHosts() {
		running[text(host.State, "availabilityZone")] = true
	}
	for _, m := range a.wantedMembers().Members {
		state := contract.MemberState{Host: m.Host, State: contract.StateSecondary, Voting: true}
		switch {
		case !running[m.Zone]:
			state.State, state.LagSeconds = "(not reachable/healthy)", -1
		case m.Zone == primary:
			state.State, r.Primary = contract.StatePrimary, m.Host
		}
		if m.Zone == zone {
			r.Host, r.State = m.Host, state.State
		}
		r.Members = append(r.Members, state)
	}
	slices.SortFunc(r.Members, func(one, two contract.MemberState) int { return strings.Compare(one.Host, two.Host) })
	return r
}
