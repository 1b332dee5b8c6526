package review

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
)

// effect is a consequence of an update that users or operators notice, in a sentence or two.
type effect struct {
	Kind string // one of the kinds below
	Text string
}

// Kinds of effects, worst first. The worst one is the verdict.
const (
	refuses   = "refused"
	losesData = "data"
	stops     = "stops"
	opens     = "opens"
	unwatched = "unwatched"
	addresses = "address"
	rolls     = "rolls"
	changesIt = "changes"
)

var kinds = []struct{ kind, verdict string }{
	{refuses, "Refused: this update fails"},
	{losesData, "Data is at risk"},
	{stops, "The service is interrupted"},
	{opens, "Opens something: more may come in, or more is allowed"},
	{unwatched, "Less is watched"},
	{addresses, "Addresses change"},
	{rolls, "Hosts are replaced, the service stays up"},
	{changesIt, "Nothing is interrupted or lost"},
}

// judge computes the effects and the verdict. now is what the program registers.
func (c *changes) judge(now *view) {
	e := judge{changes: c, now: now}
	for _, p := range c.Problems {
		e.add(refuses, "The preview fails: %s", strings.TrimPrefix(p, "error: "))
	}
	e.protected()
	e.data()
	e.hosts()
	e.database()
	e.api()
	e.entry()
	e.network()
	e.functions()
	e.alarms()
	e.access()
	rank := func(kind string) int {
		return slices.IndexFunc(kinds, func(k struct{ kind, verdict string }) bool { return k.kind == kind })
	}
	slices.SortStableFunc(c.Effects, func(a, b effect) int { return rank(a.Kind) - rank(b.Kind) })
	switch {
	case c.None() && len(c.Effects) == 0:
		c.Verdict = "Nothing changes"
	case len(c.Effects) > 0:
		c.Verdict = kinds[rank(c.Effects[0].Kind)].verdict
	default:
		c.Verdict = "Nothing is interrupted or lost"
		e.add(changesIt, "Nothing that a user notices: %s.", c.Summary())
	}
}

// Kind is the kind of the worst effect, "" for none.
func (c *changes) Kind() string {
	if len(c.Effects) == 0 {
		return ""
	}
	return c.Effects[0].Kind
}

// Summary counts the steps by operation.
func (c *changes) Summary() string {
	var parts []string
	for _, o := range []struct{ op, done string }{{opCreate, "created"}, {opUpdate, "changed in place"}, {opReplace, "replaced"}, {opDelete, "deleted"}} {
		if n := c.Count(o.op); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.done))
		}
	}
	if len(parts) == 0 {
		return "only outputs change"
	}
	return strings.Join(parts, ", ")
}

// judge finds the effects of changes.
type judge struct {
	*changes
	now *view
}

func (j *judge) add(kind, format string, args ...any) {
	j.Effects = append(j.Effects, effect{kind, fmt.Sprintf(format, args...)})
}

// steps are the steps with one of the operations on a type.
func (j *judge) steps(typ string, ops ...string) (all []step) {
	for _, s := range j.Steps {
		if s.Type == typ && slices.Contains(ops, s.Op) {
			all = append(all, s)
		}
	}
	return all
}

// differs returns an input before and after, as text, and whether it differs.
func (s step) differs(path string) (was, is string, differs bool) {
	b, a := plan.At(s.was, path), plan.At(s.is, path)
	if b.DeepEquals(a) {
		return "", "", false
	}
	text := func(v resource.PropertyValue) string {
		if v.IsNull() {
			return "none"
		}
		return render(v)
	}
	return text(b), text(a), true
}

func names(steps []step) string {
	var all []string
	for _, s := range steps {
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}

func because(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, ", ") + ")"
}

func (j *judge) protected() {
	var all []step
	for _, s := range j.Steps {
		if s.Protected && (s.Op == opDelete || s.Op == opReplace) {
			all = append(all, s)
		}
	}
	if len(all) > 0 {
		j.add(refuses, "Pulumi refuses the whole update: %s would be deleted or replaced, and the protection is on. Keep what the program drops, or take the protection off first.", names(all))
	}
}

// holdsData are the types whose resources hold data, and what goes with one of them.
var holdsData = []struct{ typ, what string }{
	{volumeType, "The data volume %s goes with everything on it; its snapshots stay."},
	{bucketType, "The bucket %s goes with its objects where forceDestroy is on; otherwise AWS refuses to delete it."},
	{keyType, "The encryption key %s goes after its waiting period; what it has encrypted can then not be read."},
	{vaultType, "The backup vault %s goes with its backups where forceDestroy is on; otherwise AWS refuses to delete it."},
	{hostedZoneType, "The hosted zone %s goes: its names stop resolving, and a new zone has other name servers."},
	{logGroupType, "The log group %s goes with its logs."},
}

func (j *judge) data() {
	for _, d := range holdsData {
		for _, s := range j.steps(d.typ, opDelete, opReplace) {
			if s.Retained && s.Op == opDelete {
				j.add(changesIt, "%s stays on AWS, and Pulumi manages it no longer.", s.Name)
				continue
			}
			j.add(losesData, d.what, s.Name+because(s.Replaces))
		}
	}
	for _, s := range j.steps(volumeType, opUpdate) {
		if was, is, ok := s.differs("size"); ok {
			j.add(changesIt, "The data volume %s grows from %s to %s GiB while it is in use. It cannot shrink again, and AWS takes the next change of it after six hours at the earliest.", s.Name, was, is)
		}
	}
	for _, s := range j.steps(logGroupType, opUpdate) {
		was, is := number(s.was, "retentionInDays"), number(s.is, "retentionInDays")
		if is > 0 && (was == 0 || is < was) { // 0 keeps them for ever
			j.add(losesData, "%s keeps its logs for %s: AWS deletes older ones.", s.Name, counted(int(is), "day"))
		}
	}
}

// isDatabase reports whether a volume is attached to an instance, before or after.
func (j *judge) isDatabase(instance string) bool {
	for _, v := range []*view{j.now, j.then} {
		if v == nil {
			continue
		}
		for _, a := range v.ByType(attachmentType) {
			if host := v.byID[a.Text("instanceId")]; host != nil && host.Name == instance {
				return true
			}
		}
	}
	return false
}

// stopping are the inputs of an instance whose change stops and starts it.
// Source: AWS, "Change the instance type" and "Work with instance user data": both need a stopped instance.
var stopping = []string{"instanceType", "userData", "userDataBase64"}

func (j *judge) hosts() {
	for _, s := range j.steps(instanceType, opDelete, opReplace, opUpdate) {
		var inputs []string
		for _, input := range stopping {
			if was, is, ok := s.differs(input); ok && input == "instanceType" {
				inputs = append(inputs, was+" → "+is)
			} else if ok {
				inputs = append(inputs, input)
			}
		}
		database := j.isDatabase(s.Name)
		switch {
		case s.Op == opDelete && database:
			j.add(stops, "The database host %s goes.", s.Name)
		case s.Op == opDelete:
			j.add(rolls, "The host %s goes: sessions on it end.", s.Name)
		case s.Op == opReplace && database:
			j.add(stops, "The database host %s is replaced%s: it goes first, and the API answers 503 from then until the new host has booted and mounted the data volume, some minutes. The data stays on its volume.", s.Name, because(s.Replaces))
		case s.Op == opUpdate && database && len(inputs) > 0:
			j.add(stops, "The database host %s is stopped and started (%s): the API answers 503 meanwhile, a few minutes.", s.Name, strings.Join(inputs, ", "))
		case s.Op == opReplace:
			j.add(rolls, "The host %s is replaced%s: sessions on it end.", s.Name, because(s.Replaces))
		case len(inputs) > 0:
			j.add(rolls, "The host %s is stopped and started (%s): sessions on it end.", s.Name, strings.Join(inputs, ", "))
		}
	}
}

// database finds a volume that is taken from the host without a change of either.
func (j *judge) database() {
	for _, s := range j.steps(attachmentType, opDelete) {
		j.add(stops, "The data volume is detached (%s).", s.Name)
	}
}

func (j *judge) api() {
	size := func(p resource.PropertyMap) string {
		least, most := amount(number(p, "minSize")), amount(number(p, "maxSize"))
		if least == most {
			return least
		}
		return least + " to " + most
	}
	for _, s := range j.steps(gateType, opUpdate) {
		was, is, released := s.differs("input.release")
		_, _, version := s.differs("input.version")
		_, _, template := s.differs("input.template")
		if !released && !version && !template {
			continue // another gate, or only its alarms
		}
		why := "their launch template changes"
		if released {
			why = "release " + was + " → " + is
		}
		count := ""
		for _, g := range j.now.ByType(scalingType) {
			count = " " + size(g.Inputs)
		}
		j.add(rolls, "The API's%s instances are replaced, some at a time: %s. A rollout that fails its health checks or raises an alarm goes back by itself, and the update fails.", count, why)
	}
	for _, s := range j.steps(scalingType, opUpdate) {
		if size(s.was) != size(s.is) {
			j.add(changesIt, "%s runs %s instances, before %s.", s.Name, size(s.is), size(s.was))
		}
	}
	for _, s := range j.steps(scalingType, opReplace, opDelete) {
		j.add(stops, "The API's group %s goes with its instances%s.", s.Name, because(s.Replaces))
	}
	for _, r := range j.Releases {
		j.add(changesIt, "%s", r.String())
	}
}

// entry finds changes of what users connect to.
func (j *judge) entry() {
	for _, s := range j.steps(balancerType, opReplace, opDelete) {
		j.add(stops, "The load balancer %s goes%s: its connections end, and its name and addresses change.", s.Name, because(s.Replaces))
	}
	for _, s := range j.steps(distributionType, opReplace, opDelete) {
		j.add(stops, "The distribution %s goes%s: the address that it has goes with it.", s.Name, because(s.Replaces))
	}
	for _, s := range j.steps(vpcOriginType, opReplace) {
		j.add(stops, "CloudFront reaches the load balancer by another VPC origin than %s%s: making one takes up to 15 minutes.", s.Name, because(s.Replaces))
	}
	for _, s := range j.steps(distributionType, opUpdate) {
		var paths []string
		for _, e := range s.Edits {
			if !strings.HasPrefix(e.Path, "tags") {
				paths = append(paths, e.Path)
			}
		}
		if len(paths) > 0 {
			j.add(changesIt, "CloudFront takes some minutes to bring the change of %s to all of its locations.", s.Name)
		}
	}
}

func (j *judge) network() {
	for _, s := range j.steps(vpcType, opReplace, opDelete) {
		j.add(stops, "The VPC %s goes, with everything in it%s.", s.Name, because(s.Replaces))
	}
	for _, s := range j.steps(addressType, opReplace, opDelete) {
		address := text(s.state, "publicIp")
		if address != "" && j.Planned {
			address = " " + address
		} else {
			address = ""
		}
		j.add(addresses, "The public address%s of %s is released: lists that allow it need another one.", address, s.Name)
	}
	if routes := slices.DeleteFunc(j.steps(routeType, opUpdate, opReplace), func(s step) bool {
		_, _, moved := s.differs("natGatewayId")
		return !moved
	}); len(routes) > 0 {
		j.add(addresses, "Outbound connections of the private subnets end once, and come from another address: %s move to another NAT gateway.", names(routes))
	}
	if gone := slices.DeleteFunc(j.steps(routeType, opDelete), func(s step) bool { return text(s.was, "natGatewayId") == "" }); len(gone) > 0 {
		j.add(stops, "Private subnets lose their way to the internet: %s.", names(gone))
	}
	zones := map[string]int{}
	for _, s := range j.Steps {
		if s.Type == subnetType {
			switch s.Op {
			case opCreate:
				zones[text(s.is, "availabilityZone")]++
			case opDelete:
				zones[text(s.was, "availabilityZone")]--
			}
		}
	}
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		switch n := zones[zone]; {
		case n > 0:
			j.add(changesIt, "Zone %s is added with %s: the group spreads its instances over it too.", zone, counted(n, "subnet"))
		case n < 0:
			j.add(rolls, "Zone %s is given up with %s: what runs there moves.", zone, counted(-n, "subnet"))
		}
	}
	for _, s := range j.steps(subnetType, opReplace) {
		j.add(stops, "The subnet %s is replaced%s, with what runs in it.", s.Name, because(s.Replaces))
	}
}

func (j *judge) functions() {
	for _, s := range j.steps(functionType, opUpdate) {
		if _, _, code := s.differs("s3Key"); code {
			j.add(changesIt, "The function %s runs its new code from the next call on.", s.Name)
		}
	}
}

func (j *judge) alarms() {
	if gone := j.steps(alarmType, opDelete); len(gone) > 0 {
		j.add(unwatched, "Nobody hears of what these alarms watched: %s.", names(gone))
	}
}

// access finds what comes in or is allowed on only one side.
func (j *judge) access() {
	for _, r := range j.Ways {
		if r.Added {
			j.add(opens, "Open from the internet: %s (%s), %s.", r.Cells[0], r.Cells[1], r.Cells[2])
		}
	}
	for _, r := range j.Ways {
		if !r.Added && !slices.ContainsFunc(j.Ways, func(o rowEdit) bool { return o.Added && o.Cells[0] == r.Cells[0] }) {
			j.add(changesIt, "No longer open from the internet: %s (%s).", r.Cells[0], r.Cells[1])
		}
	}
	for _, r := range j.Traffic {
		if r.Added && r.Cells[0] != "internet" { // a way in is told above
			j.add(opens, "New connection: %s to %s, %s.", r.Cells[0], r.Cells[1], r.Cells[2])
		}
	}
	var wider []string
	for _, r := range j.Access {
		denied := r.Cells[1] == "deny"
		resource, _, _ := strings.Cut(r.Cells[3], "/")
		if r.Added == denied || slices.ContainsFunc(j.Steps, func(s step) bool { return s.Op == opDelete && s.Name == resource }) {
			continue // narrower, or of what goes
		}
		what := strings.Join(verbs(strings.Fields(r.Cells[2])), ", ")
		switch otherwise := func(o rowEdit) bool { return o.Added != r.Added && slices.Equal(o.Cells[:4], r.Cells[:4]) }; {
		case slices.ContainsFunc(j.Access, otherwise):
			what += " on other conditions"
		case denied:
			what += ", no longer denied,"
		}
		wider = append(wider, fmt.Sprintf("%s: %s on %s", r.Cells[0], what, r.Cells[3]))
	}
	wider = slices.Compact(slices.Sorted(slices.Values(wider)))
	if n := len(wider); n > 0 {
		const most = 5
		more := ""
		if n > most {
			wider, more = wider[:most], fmt.Sprintf("; and %d more", n-most)
		}
		j.add(opens, "More is allowed: %s%s.", strings.Join(wider, "; "), more)
	}
}

// release is a binary that differs between the two sides.
type release struct {
	Name, Was, Is string // Was and Is are the first twelve digits of its SHA-256
	Commits       []string
}

// String says what changes, for example `cinema: 0123456789ab → 89abcdef0123, by 2 commits: …`.
func (r release) String() string {
	s := fmt.Sprintf("Release of %s: %s → %s", r.Name, cmp.Or(r.Was, "none"), cmp.Or(r.Is, "none"))
	if n := len(r.Commits); n > 0 {
		const most = 10
		more := ""
		if n > most {
			more = fmt.Sprintf("; and %d more", n-most)
		}
		s += fmt.Sprintf(", %s: %s%s", counted(n, "commit"), strings.Join(r.Commits[:min(n, most)], "; "), more)
	}
	return s + "."
}
