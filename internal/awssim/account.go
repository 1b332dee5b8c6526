package awssim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

// Resource is one resource that an account holds.
type Resource struct {
	Type, ID string
	URN      string // of the Pulumi resource that made it
	Inputs   Properties
	State    Properties
}

// Refusal is an error that AWS returns.
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

func refusal(code, format string, args ...any) error {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrNotFound means that the account does not hold the resource.
var ErrNotFound = errors.New("not found")

// Account is a simulated AWS account, kept in a file between runs. Each change is written before the call returns, so a killed
// process loses nothing. Several goroutines may use it, but not several processes.
type Account struct {
	path string

	mu        sync.Mutex
	region    string
	resources map[string]Resource // by key
	written   map[string][]byte   // the resources as the file holds them
	byID      map[string]string   // id to key, for ids that other resources refer to
	created   map[string]int      // number of creations of each URN: no id is used twice
	unclaimed map[string]Resource // by URN: creations whose answer did not arrive
	fleets    map[string]*fleet   // by name of the Auto Scaling group
	// schedulers holds what ECS knows about each service, by the service's ARN; pulled the images that tasks have pulled from each
	// repository, by the repository's name.
	schedulers map[string]*scheduler
	pulled     map[string][]string
	primary    string // id of the database host that was elected when another one went; empty before
	reports    int    // number of reports of members that were read

	conditions Conditions
}

// OpenAccount opens the account in a file. It is empty where the file does not exist.
func OpenAccount(path string) (*Account, error) {
	a := &Account{path: path, resources: map[string]Resource{}, byID: map[string]string{}, written: map[string][]byte{}, created: map[string]int{},
		fleets: map[string]*fleet{}, schedulers: map[string]*scheduler{}, pulled: map[string][]string{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return nil, fmt.Errorf("awssim: account: %w", err)
	}
	var f accountFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("awssim: account %s: %w; remove it to start with an empty account", path, err)
	}
	if f.Created != nil {
		a.created = f.Created
	}
	if f.Fleets != nil {
		a.fleets = f.Fleets
	}
	if f.Schedulers != nil {
		a.schedulers = f.Schedulers
	}
	if f.Pulled != nil {
		a.pulled = f.Pulled
	}
	a.primary = f.Primary
	for _, r := range f.Resources {
		in, err := decode(r.Inputs)
		if err == nil {
			var state Properties
			if state, err = decode(r.State); err == nil {
				err = a.put(Resource{Type: r.Type, ID: r.ID, URN: r.URN, Inputs: in, State: state})
			}
		}
		if err == nil {
			continue
		}
		return nil, fmt.Errorf("awssim: account %s: %s %s: %w", path, r.Type, r.ID, err)
	}
	return a, nil
}

// accountFile is the form of the account's file.
type accountFile struct {
	Created    map[string]int        `json:"created"`
	Fleets     map[string]*fleet     `json:"fleets"`
	Schedulers map[string]*scheduler `json:"schedulers"`
	Pulled     map[string][]string   `json:"pulled"`
	Primary    string                `json:"primary"`
	Resources  []resourceFile        `json:"resources"`
}

type resourceFile struct {
	Type   string          `json:"type"`
	ID     string          `json:"id"`
	URN    string          `json:"urn"`
	Inputs json.RawMessage `json:"inputs"`
	State  json.RawMessage `json:"state"`
}

// SetRegion sets the region that later operations work in.
func (a *Account) SetRegion(region string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.region = region
}

// Resources lists what the account holds, by type and then id.
func (a *Account) Resources() []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Resource
	for _, k := range slices.Sorted(maps.Keys(a.resources)) {
		all = append(all, a.resources[k])
	}
	return all
}

// Lookup answers a data source.
func (a *Account) Lookup(token string, args Properties) (Properties, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cloud().Lookup(token, args)
}

// Preview returns the state that Create would return, with unknown values for everything that AWS sets itself.
func (a *Account) Preview(r Request) Properties {
	a.mu.Lock()
	defer a.mu.Unlock()
	state := r.Inputs.Copy()
	for _, k := range a.cloud().Computed(r) {
		state[k] = resource.MakeComputed(resource.NewProperty(""))
	}
	return state
}

// Unclaimed returns, and remembers, the resources that the caller does not know: a run ended before the answer to their creation
// arrived. The next creation with the same URN and inputs returns that resource, as AWS does for a second request with the same
// client token.
func (a *Account) Unclaimed(known func(typ, id string) bool) []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unclaimed = map[string]Resource{}
	var list []Resource
	for _, k := range slices.Sorted(maps.Keys(a.resources)) {
		if r := a.resources[k]; !known(r.Type, r.ID) {
			a.unclaimed[r.URN] = r
			list = append(list, r)
		}
	}
	return list
}

// Create creates a resource, or returns why AWS refuses to.
func (a *Account) Create(r Request) (id string, state Properties, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := kinds[r.Type]
	if err := errors.Join(k.name.check(r.Inputs), a.missing(r.Inputs), a.absent(r.Type, r.Inputs)); err != nil {
		return "", nil, err
	}
	if was, ok := a.unclaimed[r.URN]; ok {
		delete(a.unclaimed, r.URN)
		if was.Inputs.DeepEquals(compact(r.Inputs)) {
			return was.ID, Restore(was.State, r.Inputs), nil
		}
		a.drop(was)
		a.created[r.URN]--
	}
	r.earlier = a.created[r.URN]
	id, state = a.cloud().Outputs(r)
	if k.refuse != nil {
		if err := k.refuse(a, state); err != nil {
			return "", nil, err
		}
	}
	if err := a.duplicate(r.Type, "", state); err != nil {
		return "", nil, err
	}
	if k.overwrites {
		for _, was := range a.ofType(r.Type) {
			if was.ID == id {
				a.drop(was)
			}
		}
	}
	res := Resource{Type: r.Type, ID: id, URN: r.URN, Inputs: compact(r.Inputs), State: compact(state)}
	if _, exists := a.resources[res.key()]; exists {
		return "", nil, refusal("AlreadyExists", "%s %q exists", r.Type, id)
	}
	a.created[r.URN]++
	if err := errors.Join(a.put(res), a.save()); err != nil {
		a.drop(res)
		a.created[r.URN]--
		return "", nil, err
	}
	return id, state, nil
}

// Read returns a resource's current state, or ErrNotFound.
func (a *Account) Read(typ, id, urn string) (Resource, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.locate(typ, id, urn)
	if !ok {
		return Resource{}, fmt.Errorf("%s %s: %w", typ, id, ErrNotFound)
	}
	return r, nil
}

// Update changes a resource in place and returns its state. olds is the state that the caller knows. With dryRun it changes
// nothing, refuses nothing, and returns unknown values for outputs that AWS will set again.
func (a *Account) Update(typ, id, urn string, olds, news Properties, fields []string, dryRun bool) (Properties, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	old, ok := a.locate(typ, id, urn)
	if !ok {
		if dryRun {
			old = Resource{Type: typ, ID: id, Inputs: Properties{}, State: olds}
		} else {
			return nil, refusal("NotFound", "%s %s does not exist; refresh to see what is there", typ, id)
		}
	}
	state := olds.Copy()
	for k := range old.Inputs {
		if !news.HasValue(k) {
			delete(state, k)
		}
	}
	for k, v := range news {
		state[k] = v
		if slices.Contains(kinds[typ].changes, string(k)) && !slices.Contains(fields, string(k)) && old.State.HasValue(k) {
			state[k] = old.State[k]
		}
	}
	if tags, ok := state["tags"]; ok {
		state["tagsAll"] = tags
	} else if state.HasValue("tagsAll") {
		state["tagsAll"] = resource.NewProperty(Properties{})
	}
	for _, m := range moved(typ, fields) {
		k := resource.PropertyKey(m)
		switch {
		case dryRun:
			state[k] = resource.MakeComputed(resource.NewProperty(""))
		case news.HasValue(k):
		case state[k].IsNumber():
			state[k] = resource.NewProperty(state[k].NumberValue() + 1)
		case state[k].IsString():
			was := state[k].StringValue()
			state[k] = resource.NewProperty(hash(fmt.Sprintf("%s|%s|%v", id, was, compact(news).Mappable()), max(min(len(was), 64), 1)))
		}
	}
	if v, ok := news["updateDefaultVersion"]; ok && v.IsBool() && v.BoolValue() {
		state["defaultVersion"] = state["latestVersion"]
	}
	if dryRun {
		return state, nil
	}
	k := kinds[typ]
	// Outputs that derive from inputs or other resources are computed again.
	if fresh := k.outputs; fresh != nil {
		d := &draft{cloud: a.cloud(), req: Request{Type: typ, URN: old.URN, Inputs: news}, id: id, state: state}
		fresh(d)
		state = d.state
	}
	if err := errors.Join(a.missing(news), a.absent(typ, news)); err != nil {
		return nil, err
	}
	if err := a.duplicate(typ, id, state); err != nil {
		return nil, err
	}
	if k.refuseUpdate != nil {
		if err := k.refuseUpdate(a, old, state); err != nil {
			return nil, err
		}
	}
	changed := Resource{Type: typ, ID: id, URN: old.URN, Inputs: compact(news), State: compact(state)}
	if err := errors.Join(a.put(changed), a.save()); err != nil {
		return nil, errors.Join(err, a.put(old))
	}
	return state, nil
}

// Delete removes a resource, or returns why AWS refuses to. It is not an error if the resource does not exist.
func (a *Account) Delete(typ, id, urn string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.locate(typ, id, urn)
	if !ok {
		return nil
	}
	if k := kinds[typ]; k.keep != nil {
		if err := k.keep(a, r); err != nil {
			return err
		}
	}
	parts, err := a.inUse(r)
	if err != nil {
		return err
	}
	gone := append(parts, r)
	for _, g := range gone {
		a.drop(g)
	}
	if err := a.save(); err != nil {
		for _, g := range gone {
			err = errors.Join(err, a.put(g))
		}
		return err
	}
	return nil
}

// Change changes a resource's state outside Pulumi, as in the console: `refresh` finds the drift.
func (a *Account) Change(typ, id string, change func(Properties)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.locate(typ, id, "")
	if !ok {
		return fmt.Errorf("%s %s: %w", typ, id, ErrNotFound)
	}
	change(r.State)
	return errors.Join(a.put(r), a.save())
}

// Forget removes a resource outside Pulumi, even where others use it.
func (a *Account) Forget(typ, id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.locate(typ, id, "")
	if !ok {
		return fmt.Errorf("%s %s: %w", typ, id, ErrNotFound)
	}
	a.drop(r)
	return a.save()
}

func (a *Account) cloud() Cloud {
	return Cloud{Region: a.region, Find: a.find, List: a.ofType, NewAccount: a.conditions.NewAccount,
		MissingImages: a.conditions.MissingImages, MissingSecrets: a.conditions.MissingSecrets}
}

func (a *Account) find(id string) (Properties, bool) {
	k, ok := a.byID[id]
	return a.resources[k].State, ok
}

// ofType lists the resources of a type in the order of their ids.
func (a *Account) ofType(typ string) []Resource {
	var all []Resource
	for _, k := range slices.Sorted(maps.Keys(a.resources)) {
		if a.resources[k].Type == typ {
			all = append(all, a.resources[k])
		}
	}
	return all
}

// key identifies a resource. The id alone does not: two types may use the same id.
func (r Resource) key() string { return r.Type + " " + r.ID + " " + r.URN }

// locate returns the resource with a type and id that the URN created. Where there is none (the URN has changed, or the caller has
// none), it returns the first resource with that type and id.
func (a *Account) locate(typ, id, urn string) (Resource, bool) {
	r := Resource{Type: typ, ID: id, URN: urn}
	if r, ok := a.resources[r.key()]; ok {
		return r, true
	}
	for _, r := range a.ofType(typ) {
		if r.ID == id {
			return r, true
		}
	}
	return Resource{}, false
}

// own reports whether a type has its own ids: the parts of a bucket have the bucket's name as their id, the monitoring of a
// distribution has the distribution's id.
func own(typ string) bool {
	if typ == "aws:cloudfront/monitoringSubscription:MonitoringSubscription" {
		return false
	}
	return !strings.HasPrefix(typ, "aws:s3/") || strings.HasPrefix(typ, "aws:s3/bucketV2:")
}

func (a *Account) put(r Resource) error {
	in, err := encode(r.Inputs)
	if err != nil {
		return err
	}
	state, err := encode(r.State)
	if err != nil {
		return err
	}
	data, err := json.Marshal(resourceFile{Type: r.Type, ID: r.ID, URN: r.URN, Inputs: in, State: state})
	if err != nil {
		return fmt.Errorf("awssim: account: %w", err)
	}
	a.written[r.key()] = data
	a.resources[r.key()] = r
	if own(r.Type) {
		a.byID[r.ID] = r.key()
	}
	return nil
}

func (a *Account) drop(r Resource) {
	election := databaseHost(r) && a.primaryHost().ID == r.ID
	delete(a.resources, r.key())
	delete(a.written, r.key())
	if a.byID[r.ID] == r.key() {
		delete(a.byID, r.ID)
	}
	if election {
		a.primary = a.primaryHost().ID
	}
}

// madeID matches the ids of EC2 resources that a program creates, unlike images, prefix lists and interfaces.
var madeID = regexp.MustCompile(`^(vpc|subnet|igw|nat|eipalloc|rtb|vpce|sg|acl|lt|i|vol)-[0-9a-f]{17}$`)

// missing refuses inputs that refer to an EC2 resource that does not exist.
func (a *Account) missing(in Properties) error {
	var errs []error
	for _, k := range in.StableKeys() {
		walk(in[k], func(s string) {
			if !madeID.MatchString(s) {
				return
			}
			if _, ok := a.byID[s]; ok || a.withVPC(s) {
				return
			}
			prefix, _, _ := strings.Cut(s, "-")
			errs = append(errs, refusal(notFound[prefix], "The ID '%s' (%s) does not exist", s, k))
		})
	}
	return errors.Join(errs...)
}

var notFound = map[string]string{
	"vpc": "InvalidVpcID.NotFound", "subnet": "InvalidSubnetID.NotFound", "igw": "InvalidInternetGatewayID.NotFound",
	"nat": "NatGatewayNotFound", "eipalloc": "InvalidAllocationID.NotFound",
	"rtb": "InvalidRouteTableID.NotFound", "vpce": "InvalidVpcEndpointId.NotFound", "sg": "InvalidGroup.NotFound",
	"acl": "InvalidNetworkAclID.NotFound", "lt": "InvalidLaunchTemplateId.NotFound", "i": "InvalidInstanceID.NotFound",
	"vol": "InvalidVolume.NotFound",
}

// withVPC reports whether an id belongs to a VPC's default network ACL, route table or security group, or to an instance's root
// volume.
func (a *Account) withVPC(id string) bool {
	for _, r := range a.resources {
		switch r.Type {
		case "aws:ec2/vpc:Vpc":
			for _, p := range []string{"acl", "rtb", "sg"} {
				if derived(p, r.ID) == id {
					return true
				}
			}
		case instanceType:
			if mentions(r.State["rootBlockDevice"], id) {
				return true
			}
		}
	}
	return false
}

// duplicate refuses a second resource where AWS allows one.
func (a *Account) duplicate(typ, id string, state Properties) error {
	unique := kinds[typ].unique
	if unique == nil {
		return nil
	}
	mine := unique(state)
	if mine == "" {
		return nil
	}
	for _, r := range a.ofType(typ) {
		if r.ID != id && unique(r.State) == mine && !elsewhere(text(r.State, "arn"), text(state, "arn")) {
			return refusal("AlreadyExists", "%s already exists for %s (%s %s)", shortType(typ), strings.TrimSuffix(mine, ";"), r.URN, r.ID)
		}
	}
	return nil
}

// elsewhere reports whether two ARNs are in different regions.
func elsewhere(one, two string) bool {
	a, b := arnRegion(one), arnRegion(two)
	return a != "" && b != "" && a != b
}

func shortType(typ string) string { return lastOf(typ, ":") }

// named lists the ids, ARNs or names in a property that holds a string or a list. Nested properties have dots.
func named(in Properties, property string) (refs []string) {
	first, rest, _ := strings.Cut(property, ".")
	var add func(resource.PropertyValue)
	add = func(v resource.PropertyValue) {
		switch {
		case v.IsArray():
			for _, e := range v.ArrayValue() {
				add(e)
			}
		case rest != "" && v.IsObject():
			refs = append(refs, named(v.ObjectValue(), rest)...)
		case rest == "" && v.IsString() && v.StringValue() != "":
			refs = append(refs, v.StringValue())
		}
	}
	add(in[resource.PropertyKey(first)])
	return refs
}

// is reports whether ref is the resource's id, ARN, name, or ARN with a Lambda qualifier.
func (r Resource) is(ref string) bool {
	return ref == r.ID || ref == text(r.State, "arn") || ref == text(r.State, "name") || ref == text(r.State, "qualifiedArn")
}

// absent refuses inputs that refer, by other than EC2 ids, to a resource that does not exist.
func (a *Account) absent(typ string, in Properties) error {
	var errs []error
	for _, n := range kinds[typ].needs {
		for _, ref := range named(in, n.property) {
			if managed(ref) || a.has(n.types, ref) {
				continue
			}
			code := cmp.Or(kinds[typ].missing[n.property], "NotFound")
			errs = append(errs, refusal(code, "%s '%s' (%s) does not exist", shortType(n.types[0]), ref, n.property))
		}
	}
	return errors.Join(errs...)
}

// managed reports whether a reference is to a policy, a key or a capacity provider of AWS's own, which always exist.
func managed(ref string) bool {
	return strings.Contains(ref, ":aws:policy/") || strings.Contains(ref, "alias/aws/") || slices.Contains(fargateProviders, ref) ||
		slices.Contains(managedHeadersPolicies, ref)
}

func (a *Account) has(types []string, ref string) bool {
	for _, t := range types {
		for _, r := range a.ofType(t) {
			if r.is(ref) {
				return true
			}
		}
	}
	return false
}

// uses returns the property of o that refers to r, "" where none does.
func uses(o, r Resource) string {
	for _, n := range kinds[o.Type].needs {
		if slices.Contains(n.types, r.Type) && slices.ContainsFunc(named(o.Inputs, n.property), r.is) {
			return n.property
		}
	}
	if madeID.MatchString(r.ID) && r.Type != "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup" {
		for _, k := range o.Inputs.StableKeys() {
			if mentions(o.Inputs[k], r.ID) {
				return string(k)
			}
		}
	}
	return ""
}

// inUse refuses the deletion of a resource that another one refers to, and lists the resource's parts, which are deleted with it.
func (a *Account) inUse(r Resource) (parts []Resource, err error) {
	for _, k := range slices.Sorted(maps.Keys(a.resources)) {
		o := a.resources[k]
		if o.key() == r.key() {
			continue
		}
		switch by := uses(o, r); {
		case by == "":
		case by == kinds[o.Type].part || o.Type == "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
			parts = append(parts, o)
		case o.Type == "aws:ec2/route:Route": // it stays, as a blackhole
		default:
			return nil, refusal(cmp.Or(kinds[r.Type].inUse, "DependencyViolation"), "%s '%s' has a dependent object (%s %s) and cannot be deleted", shortType(r.Type), r.ID,
				shortType(o.Type), o.ID)
		}
	}
	return parts, nil
}

// save writes a temporary file and renames it to the account's file.
func (a *Account) save() error {
	created, err := json.Marshal(a.created)
	if err != nil {
		return fmt.Errorf("awssim: account: %w", err)
	}
	var b bytes.Buffer
	fleets, err := a.fleetsFile()
	if err != nil {
		return err
	}
	schedulers, err := a.schedulersFile()
	if err != nil {
		return err
	}
	pulled, err := a.pulledFile()
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "{\"created\":%s,\n\"fleets\":%s,\n\"schedulers\":%s,\n\"pulled\":%s,\n\"primary\":%q,\n\"resources\":[", created, fleets, schedulers,
		pulled, a.primary)
	for i, k := range slices.Sorted(maps.Keys(a.written)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(a.written[k])
	}
	b.WriteString("\n]}\n")
	tmp := a.path + ".tmp"
	if err := os.MkdirAll(filepath.Dir(a.path), 0o755); err != nil {
		return fmt.Errorf("awssim: account: %w", err)
	}
	if err := os.WriteFile(tmp, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("awssim: account: %w", err)
	}
	if err := os.Rename(tmp, a.path); err != nil {
		return fmt.Errorf("awssim: account: %w", err)
	}
	return nil
}

func encode(m Properties) (json.RawMessage, error) {
	s, err := plugin.MarshalProperties(m, plugin.MarshalOptions{})
	if err != nil {
		return nil, fmt.Errorf("awssim: account: %w", err)
	}
	return protojson.Marshal(s)
}

func decode(data json.RawMessage) (Properties, error) {
	var s structpb.Struct
	if err := protojson.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	return plugin.UnmarshalProperties(&s, plugin.MarshalOptions{})
}

// largest is the length of the longest text, in bytes, that an account keeps. Of a longer one it keeps the digest.
const largest = 8 << 10

// digestPrefix marks a digest that replaces contents in the account's file.
const digestPrefix = "contents sha256:"

// compact replaces contents (assets, archives and long texts) with digests.
func compact(m Properties) Properties {
	out := make(Properties, len(m))
	for k, v := range m {
		if k == "containerDefinitions" { // ECS needs the whole text
			out[k] = v
			continue
		}
		out[k] = compactValue(v)
	}
	return out
}

func compactValue(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsAsset():
		return resource.NewProperty(digestPrefix + v.AssetValue().Hash)
	case v.IsArchive():
		return resource.NewProperty(digestPrefix + v.ArchiveValue().Hash)
	case v.IsString() && len(v.StringValue()) > largest:
		return resource.NewProperty(digestPrefix + hash(v.StringValue(), 64))
	case v.IsArray():
		list := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			list[i] = compactValue(e)
		}
		return resource.NewProperty(list)
	case v.IsObject():
		return resource.NewProperty(compact(v.ObjectValue()))
	}
	return v
}

// Restore replaces digests with the contents that the caller knows.
func Restore(kept, known Properties) Properties {
	out := make(Properties, len(kept))
	for k, v := range kept {
		if v.IsString() && strings.HasPrefix(v.StringValue(), digestPrefix) && compactValue(known[k]).DeepEquals(v) {
			v = known[k]
		}
		out[k] = v
	}
	return out
}
