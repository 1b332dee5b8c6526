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
	weakens   = "weakens"
	unwatched = "unwatched"
	addresses = "address"
	rolls     = "rolls"
	tasksRoll = "tasks"
	changesIt = "changes"
)

var kinds = []struct{ kind, verdict string }{
	{refuses, "Refused: this update fails"},
	{losesData, "Data is at risk"},
	{stops, "The service is interrupted"},
	{opens, "Opens something: more may come in, or more is allowed"},
	{weakens, "The service survives fewer failures"},
	{unwatched, "Less is watched"},
	{addresses, "Addresses change"},
	{rolls, "Hosts are replaced, the service stays up"},
	{tasksRoll, "Tasks are replaced, the services stay up"},
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
	e.members()
	e.database()
	e.api()
	e.services()
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
			if s.Op == opDelete && slices.Contains(j.leavingVolumes(), s.Name) {
				continue // told with its member
			}
			if j.copied(s) {
				j.add(rolls, "The data volume %s goes with everything on it, and its member copies the data from the others.", s.Name+because(s.Replaces))
				continue
			}
			j.add(losesData, d.what, s.Name+because(s.Replaces))
		}
	}
	var grow []step
	sizes := ""
	for _, s := range j.steps(volumeType, opUpdate) {
		if was, is, ok := s.differs("size"); ok {
			grow, sizes = append(grow, s), fmt.Sprintf("from %s to %s GiB", was, is)
		}
	}
	switch {
	case len(grow) == 1:
		j.add(changesIt, "The data volume %s grows %s while it is in use. It cannot shrink again, and AWS takes the next change of it after six hours at the earliest.", names(grow), sizes)
	case len(grow) > 1: // all members have volumes of one size
		j.add(changesIt, "The data volumes %s grow %s while they are in use. They cannot shrink again, and AWS takes the next change of each after six hours at the earliest.", names(grow), sizes)
	}
	for _, s := range j.steps(logGroupType, opUpdate) {
		was, is := number(s.was, "retentionInDays"), number(s.is, "retentionInDays")
		if is > 0 && (was == 0 || is < was) { // 0 keeps them for ever
			j.add(losesData, "%s keeps its logs for %s: AWS deletes older ones.", s.Name, counted(int(is), "day"))
		}
	}
}

// isMember reports whether an instance is a host of the database, before or after.
func (j *judge) isMember(instance string) bool {
	return slices.ContainsFunc([]*view{j.now, j.then}, func(v *view) bool {
		return v != nil && slices.ContainsFunc(v.members(), func(h *plan.Resource) bool { return h.Name == instance })
	})
}

// several reports whether the database has several members before and after, so that it survives the change of one.
func (j *judge) several() bool {
	is := len(j.now.members())
	was := is + len(j.memberSteps(opDelete)) - len(j.memberSteps(opCreate))
	return was > 1 && is > 1
}

// memberSteps are the steps of hosts of the database.
func (j *judge) memberSteps(ops ...string) []step {
	return only(j.steps(instanceType, ops...), func(s step) bool { return j.isMember(s.Name) })
}

// leaving are the hosts of members that leave a replica set which goes on.
func (j *judge) leaving() []*plan.Resource {
	if j.then == nil || len(j.now.members()) == 0 {
		return nil
	}
	return only(j.then.members(), func(h *plan.Resource) bool {
		return slices.ContainsFunc(j.memberSteps(opDelete), func(s step) bool { return s.Name == h.Name })
	})
}

// leavingVolumes are the data volumes of members that leave.
func (j *judge) leavingVolumes() (all []string) {
	for _, h := range j.leaving() {
		for _, volume := range j.then.attached(h) {
			all = append(all, volume.Name)
		}
	}
	return all
}

// copied reports whether a step makes the volume of one member again while most of the others keep theirs.
func (j *judge) copied(s step) bool {
	if s.Type != volumeType || s.Op != opReplace || !j.several() || len(j.steps(volumeType, opReplace)) > 1 {
		return false
	}
	return slices.ContainsFunc(j.now.members(), func(h *plan.Resource) bool {
		return slices.ContainsFunc(j.now.attached(h), func(volume *plan.Resource) bool { return volume.Name == s.Name })
	})
}

// stopping are the inputs of an instance whose change stops and starts it.
// Source: AWS, "Change the instance type" and "Work with instance user data": both need a stopped instance.
var stopping = []string{"instanceType", "userData", "userDataBase64"}

// restoredTag is the tag of a database host with the snapshot that its data is from.
const restoredTag = "tags.RestoredFrom"

func (j *judge) hosts() {
	var turns []step // members that change one at a time
	var whys []string
	restored := ""
	for _, s := range j.steps(instanceType, opDelete, opReplace, opUpdate) {
		var inputs []string
		for _, input := range stopping {
			if was, is, ok := s.differs(input); ok && input == "instanceType" {
				inputs = append(inputs, was+" → "+is)
			} else if ok {
				inputs = append(inputs, input)
			}
		}
		member := j.isMember(s.Name)
		snapshot := text(s.is, restoredTag)
		switch {
		case s.Op == opDelete && member && len(j.leaving()) > 0: // told with its member
		case s.Op == opDelete && member:
			j.add(stops, "The database host %s goes.", s.Name)
		case s.Op == opDelete:
			j.add(rolls, "The host %s goes: sessions on it end.", s.Name)
		case s.Op == opReplace && member && snapshot != "" && snapshot != text(s.was, restoredTag):
			restored = snapshot
		case s.Op == opReplace && member && j.several():
			turns, whys = append(turns, s), append(whys, "replaced"+because(s.Replaces))
		case s.Op == opUpdate && member && j.several() && len(inputs) > 0:
			turns, whys = append(turns, s), append(whys, "stopped and started"+because(inputs))
		case s.Op == opReplace && member:
			j.add(stops, "The database host %s is replaced%s: it goes first, and the API answers 503 from then until the new host has booted and mounted the data volume, some minutes. The data stays on its volume.", s.Name, because(s.Replaces))
		case s.Op == opUpdate && member && len(inputs) > 0:
			j.add(stops, "The database host %s is stopped and started (%s): the API answers 503 meanwhile, a few minutes.", s.Name, strings.Join(inputs, ", "))
		case s.Op == opReplace:
			j.add(rolls, "The host %s is replaced%s: sessions on it end.", s.Name, because(s.Replaces))
		case len(inputs) > 0:
			j.add(rolls, "The host %s is stopped and started (%s): sessions on it end.", s.Name, strings.Join(inputs, ", "))
		}
	}
	if restored != "" {
		j.add(stops, "The database is restored from %s: the API answers 503 until the first member has the snapshot's data. What was written after the snapshot is gone. Other members copy the data from the first.", restored)
	}
	slices.Sort(whys)
	why := strings.Join(slices.Compact(whys), " or ")
	switch {
	case len(turns) == 1:
		j.add(rolls, "The database host %s is %s while the other members serve: one election if it is the primary, which hands over before it stops. Writes wait for some seconds meanwhile.", names(turns), why)
	case len(turns) > 1:
		j.add(rolls, "The database hosts %s are %s, one at a time: each once the one before is healthy, the primary last. Users notice one election: the primary hands over before it stops, and writes wait for some seconds.", names(turns), why)
	}
}

// members finds members that are added to a replica set that runs, and members that leave it.
func (j *judge) members() {
	added := j.memberSteps(opCreate)
	if is := len(j.now.members()); len(added) > 0 && is > len(added) {
		others := ""
		if len(j.memberSteps(opReplace, opDelete)) == 0 {
			others = " No host or data volume that runs is replaced."
		}
		j.add(changesIt, "The replica set gets the members %s: each copies the data to a volume of its own, and votes once it has caught up.%s", names(added), others)
	}
	gone := j.leaving()
	if len(gone) == 0 {
		return
	}
	var hosts []string
	for _, h := range gone {
		hosts = append(hosts, h.Name)
	}
	volumes, alone := "", ""
	if all := j.leavingVolumes(); len(all) > 0 {
		volumes = " and their data volumes " + strings.Join(all, ", ")
	}
	if len(j.now.members()) == 1 {
		alone = " From then on, every failure or change of the last host is an outage."
	}
	j.add(weakens, "The members %s leave the replica set, with one election at most. Their hosts%s go only once the members that stay have all the data.%s", strings.Join(hosts, ", "), volumes, alone)
}

// database finds a volume that is taken from a host that stays.
func (j *judge) database() {
	gone := j.leavingVolumes()
	for _, s := range j.steps(attachmentType, opDelete) {
		if volume := j.volumeOf(s); volume == "" || !slices.Contains(gone, volume) {
			j.add(stops, "The data volume is detached (%s).", s.Name)
		}
	}
}

// volumeOf is the name of the volume of an attachment that goes, "" if it is not known.
func (j *judge) volumeOf(attachment step) string {
	if j.then != nil {
		if volume := j.then.byID[text(attachment.was, "volumeId")]; volume != nil {
			return volume.Name
		}
	}
	return ""
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
		if rollout := plan.At(s.is, "input.template"); !released && !template && (!version || rollout.IsNull()) {
			continue // another gate, such as a member's, or only the alarms of the API's
		}
		why := "their launch template changes"
		if released {
			why = "release " + was + " → " + is
		}
		count := ""
		for _, g := range j.now.ByType(scalingType) {
			if !j.isContainerHosts(g.Name) {
				count = " " + size(g.Inputs)
			}
		}
		j.add(rolls, "The API's%s instances are replaced, some at a time: %s. A rollout that fails its health checks or raises an alarm goes back by itself, and the update fails.", count, why)
	}
	for _, s := range j.steps(scalingType, opUpdate) {
		if size(s.was) != size(s.is) {
			j.add(changesIt, "%s runs %s instances, before %s.", s.Name, size(s.is), size(s.was))
		}
	}
	for _, s := range only(j.steps(scalingType, opReplace, opDelete), func(s step) bool { return !j.isContainerHosts(s.Name) }) {
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
	gone := only(j.steps(alarmType, opDelete), func(s step) bool {
		return !slices.ContainsFunc(j.leaving(), func(h *plan.Resource) bool { return h.ID == text(s.was, "dimensions.InstanceId") })
	})
	if len(gone) > 0 {
		j.add(unwatched, "Nobody hears of what these alarms watched: %s.", names(gone))
	}
}

// access finds what comes in or is allowed on only one side.
func (j *judge) access() {
	for _, r := range j.Ways {
		if !r.Added {
			continue
		}
		i := slices.IndexFunc(j.Ways, func(o rowEdit) bool { return !o.Added && slices.Equal(o.Cells[:3], r.Cells[:3]) })
		if i < 0 {
			j.add(opens, "Open from the internet: %s (%s), %s.", r.Cells[0], r.Cells[1], r.Cells[2])
			continue
		}
		j.reopened(r, j.Ways[i])
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
		if r.Cells[1] == "limit to" && slices.ContainsFunc(j.steps(endpointType, opCreate), func(s step) bool { return strings.HasSuffix(r.Cells[0], " "+s.Name) }) {
			continue // of a new endpoint, which allows nothing by itself
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

// reopened finds what a way in serves, or what limits it, where the rest of it is as before.
func (j *judge) reopened(is, was rowEdit) {
	parts := func(r rowEdit) []string {
		return strings.FieldsFunc(strings.ReplaceAll(strings.TrimPrefix(r.Cells[3], "serves "), ", ", ";"), func(c rune) bool { return c == ';' })
	}
	less := func(a, b rowEdit) (all []string) {
		other := parts(b)
		for _, part := range parts(a) {
			if !slices.Contains(other, part) {
				all = append(all, strings.TrimSpace(part))
			}
		}
		return all
	}
	more, gone := less(is, was), less(was, is)
	paths := func(part string) bool { return strings.HasPrefix(part, "/") }
	switch {
	case len(more) > 0:
		j.add(opens, "Open from the internet: %s (%s), now with %s.", is.Cells[0], is.Cells[1], strings.Join(more, ", "))
	case slices.ContainsFunc(gone, func(part string) bool { return !paths(part) }):
		j.add(opens, "Open from the internet: %s (%s), now without %s.", is.Cells[0], is.Cells[1], strings.Join(gone, ", "))
	default:
		j.add(changesIt, "No longer open from the internet: %s at %s (%s).", strings.Join(gone, ", "), is.Cells[0], is.Cells[1])
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
