package awssim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// AccountID is the id of the simulated account, taken from AWS's own examples.
const AccountID = "123456789012"

// DefaultRegion is the region of a Cloud without one.
const DefaultRegion = "us-east-1"

// Properties maps a resource's property names to values.
type Properties = resource.PropertyMap

// Request asks for one resource to be created.
type Request struct {
	Type   string // Pulumi type token, e.g. "aws:ec2/vpc:Vpc"
	Name   string // logical name
	URN    string
	Inputs Properties // without secrets and outputs

	// earlier counts the creations of the URN before this one. Ids derive from both, so that a replacement has its own
	// ids and a repeated run has the same ones.
	earlier int
}

func (r Request) seed() string { return fmt.Sprintf("%s#%d", r.URN, r.earlier) }

// Cloud models AWS's answers. The zero value is an empty DefaultRegion.
type Cloud struct {
	Region string // e.g. "eu-central-1"; empty means DefaultRegion
	// Find returns the state of the resource with an id, for outputs that derive from another resource (an instance's
	// availability zone from its subnet). Where it is nil, such outputs have made-up values.
	Find func(id string) (Properties, bool)
	// List returns the resources of a type that the account holds; nil where it holds none.
	List func(typ string) []Resource
	// AssumedRole is the name of the role that runs the program; empty for a user.
	AssumedRole string
	// NewAccount, MissingImages and MissingSecrets are those of Conditions.
	NewAccount                    bool
	MissingImages, MissingSecrets []string
}

func (c Cloud) region() string {
	if c.Region == "" {
		return DefaultRegion
	}
	return c.Region
}

// partition returns the partition of the cloud's region: "aws", "aws-cn" or "aws-us-gov".
func (c Cloud) partition() string {
	switch {
	case strings.HasPrefix(c.region(), "cn-"):
		return "aws-cn"
	case strings.HasPrefix(c.region(), "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// Outputs returns the id and the state (inputs and outputs) that a resource has after its creation.
func (c Cloud) Outputs(r Request) (id string, state Properties) {
	if r.Type == "pulumi:index:Stash" { // a resource of the engine itself
		return r.Name, Properties{"input": r.Inputs["input"], "output": r.Inputs["input"]}
	}
	k := kinds[r.Type]
	d := &draft{cloud: c, req: r, state: maps.Clone(r.Inputs)}
	if d.state == nil {
		d.state = Properties{}
	}
	switch {
	case k.id != nil:
		d.id = k.id(d)
	case k.prefix != "":
		d.id = d.ec2ID(k.prefix, "")
	default:
		d.id = sanitize(r.Name) + "-" + d.hash("id", 17)
	}
	if k.arn != "" {
		d.set("arn", d.expand(k.arn))
	}
	if tags, ok := d.state["tags"]; ok {
		d.set("tagsAll", tags)
	} else if k.tagged {
		d.set("tagsAll", resource.NewProperty(Properties{}))
	}
	if k.outputs != nil {
		k.outputs(d)
	}
	return d.id, d.state
}

// Computed lists the properties that AWS sets itself: they are unknown until the resource exists.
func (c Cloud) Computed(r Request) []resource.PropertyKey {
	_, state := c.Outputs(r)
	var keys []resource.PropertyKey
	for _, k := range state.StableKeys() {
		if _, given := r.Inputs[k]; !given && k != "tagsAll" {
			keys = append(keys, k)
		}
	}
	return keys
}

// draft is the state of a resource while it is computed.
type draft struct {
	cloud Cloud
	req   Request
	id    string
	state Properties
}

// set sets a property that has no value yet.
func (d *draft) set(key string, value any) {
	k := resource.PropertyKey(key)
	if old, ok := d.state[k]; ok && !old.IsNull() {
		return
	}
	if v, ok := value.(resource.PropertyValue); ok {
		d.state[k] = v
		return
	}
	d.state[k] = resource.NewPropertyValue(value)
}

// text returns a property as a string, "" where it is absent or something else.
func (d *draft) text(key string) string { return text(d.state, key) }

// on reports whether a property is true.
func (d *draft) on(key string) bool {
	v, ok := d.state[resource.PropertyKey(key)]
	return ok && v.IsBool() && v.BoolValue()
}

// hash returns n hexadecimal digits that derive from the request's seed and a label.
func (d *draft) hash(label string, n int) string { return hash(d.req.seed()+"|"+label, n) }

// ec2ID returns an id in EC2's long form: a prefix, "-0" and 16 hexadecimal digits.
func (d *draft) ec2ID(prefix, label string) string { return prefix + "-0" + d.hash(prefix+label, 16) }

// expand fills {id}, {name}, {region}, {account} and {partition} into an ARN's tail or a host name.
func (d *draft) expand(pattern string) string {
	if !strings.HasPrefix(pattern, "arn:") && strings.Count(pattern, ":") >= 3 {
		pattern = "arn:{partition}:" + pattern
	}
	return strings.NewReplacer(
		"{id}", d.id, "{name}", d.text("name"), "{region}", d.cloud.region(),
		"{account}", AccountID, "{partition}", d.cloud.partition(),
	).Replace(pattern)
}

// find returns the state of the resource whose id is in a property, empty where there is none.
func (d *draft) find(key string) Properties {
	if d.cloud.Find != nil {
		if s, ok := d.cloud.Find(d.text(key)); ok {
			return s
		}
	}
	return Properties{}
}

func text(m Properties, key string) string {
	if v, ok := m[resource.PropertyKey(key)]; ok && v.IsString() {
		return v.StringValue()
	}
	return ""
}

func hash(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

// number returns a decimal number with that many digits that derives from a string.
func number(s string, digits int) string {
	sum := sha256.Sum256([]byte(s))
	var b strings.Builder
	for i := range digits {
		fmt.Fprintf(&b, "%d", sum[i]%10)
	}
	return b.String()
}

func uuid(hex32 string) string {
	return strings.Join([]string{hex32[:8], hex32[8:12], hex32[12:16], hex32[16:20], hex32[20:32]}, "-")
}

// sanitize replaces the characters that AWS does not allow in every name.
func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, s)
}

// lastOf returns the part of s after the last sep, s where there is none.
func lastOf(s, sep string) string { return s[strings.LastIndex(s, sep)+1:] }
