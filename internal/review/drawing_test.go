package review

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrap(t *testing.T) {
	fits := func(n int) float64 { return nameFont.width(strings.Repeat("x", n)) + 0.1 }
	assert.Equal(t, []string{"network-public-", "us-east-1a"}, wrap("network-public-us-east-1a", fits(15), nameFont))
	assert.Equal(t, []string{"to", "everyone-else"}, wrap("to everyone-else", fits(13), nameFont), "a word that fits a line is not broken")
	assert.Equal(t, []string{"a", "abcdefghijk"}, wrap("a abcdefghijk", fits(8), nameFont), "never by letters")
	assert.Equal(t, []string{"films.", "cinema."}, wrap("films.cinema.", fits(8), nameFont))
	assert.Empty(t, wrap("", fits(8), nameFont))
}

// TestLongWordsAreSetSmaller covers a name without a place to break.
func TestLongWordsAreSetSmaller(t *testing.T) {
	d := newDrawing("test", 200)
	n := node{ID: "x", Title: "Bucket", Name: strings.Repeat("x", 60)}
	b := d.node(n, "", box{8, 8, 104, 0})
	for _, l := range d.Labels {
		assert.LessOrEqual(t, l.box().right(), b.right(), l.Text)
	}
}

// sample is two zones with a host in each, a gateway, and a bucket.
func sample() *topology {
	host := func(name string) node { return node{ID: name, Kind: "compute", Title: "Host", Name: name} }
	return &topology{
		VPC: "vpc", CIDR: "10.0.0.0/16", Zones: []string{"za", "zb"},
		Gateway: &node{ID: "gateway", Kind: "edge", Title: "Internet gateway", Name: "gateway"},
		Tiers: []tier{{Name: "public", Route: viaGateway, Subnets: []*subnet{
			{Name: "subnet-a", CIDR: "10.0.0.0/24", Nodes: []node{host("one")}},
			{Name: "subnet-b", CIDR: "10.0.1.0/24", Nodes: []node{host("two")}},
		}}},
		Side:   []sideRow{{Bucket: &node{ID: "bucket", Kind: "storage", Title: "Bucket", Name: "bucket"}}},
		Groups: []group{{"Operations", []node{host("logs")}}},
		Flows: []flow{
			{internetID, "gateway", "", "request"}, {"gateway", "one", "443", "request"}, {"gateway", "two", "443", "request"},
			{"one", "two", "5432", "storage"}, {"one", "bucket", "443", "storage"}, {"two", "logs", "copies", "copy"},
		},
	}
}

// crossings lists the nodes that arrows run through, and pairs of arrows of different kinds with a way in common.
func crossings(d *drawing) (all []string) {
	ways := map[[4]float64]arrow{}
	for _, a := range d.Arrows {
		for i := 1; i < len(a.Points); i++ {
			p, q := a.Points[i-1], a.Points[i]
			steps := int(max(p.X-q.X, q.X-p.X, p.Y-q.Y, q.Y-p.Y) / unit)
			for k := range steps {
				at := func(k int) point {
					return point{p.X + (q.X-p.X)*float64(k)/float64(steps), p.Y + (q.Y-p.Y)*float64(k)/float64(steps)}
				}
				u, v := at(k), at(k+1)
				key := [4]float64{min(u.X, v.X), min(u.Y, v.Y), max(u.X, v.X), max(u.Y, v.Y)}
				if b, ok := ways[key]; ok && (a.Kind != b.Kind || a.From != b.From && a.To != b.To) {
					all = append(all, a.From+" → "+a.To+" along "+b.From+" → "+b.To)
				}
				ways[key] = a
				for id, b := range d.at {
					if v.X > b.X && v.X < b.right() && v.Y > b.Y && v.Y < b.bottom() {
						all = append(all, a.From+" → "+a.To+" through "+id)
					}
				}
			}
		}
	}
	return all
}

func TestArrowsLeadFromNodeToNode(t *testing.T) {
	for _, f := range []format{wideFormat, narrowFormat} {
		d := sample().draw(f)
		require.Len(t, d.Arrows, len(sample().Flows))
		assert.Empty(t, crossings(d), f.class)
		on := func(p point, b box) bool {
			return (p.X == b.X || p.X == b.right()) && p.Y > b.Y && p.Y < b.bottom() || (p.Y == b.Y || p.Y == b.bottom()) && p.X > b.X && p.X < b.right()
		}
		for _, a := range d.Arrows {
			assert.True(t, on(a.Points[0], d.at[a.From]), "%s: %s → %s begins at its node", f.class, a.From, a.To)
			assert.True(t, on(a.Points[len(a.Points)-1], d.at[a.To]), "%s: %s → %s ends at its node", f.class, a.From, a.To)
		}
		for _, fl := range sample().Flows {
			labeled := slices.ContainsFunc(d.Labels, func(l label) bool { return l.Of == fl.From+" → "+fl.To })
			assert.Equal(t, fl.Label != "", labeled, "%s: %s → %s", f.class, fl.From, fl.To)
		}
		assert.Equal(t, d.svg(), sample().draw(f).svg(), "reproducible")
	}
}

// TestUnknownEndsAreNotDrawn covers a flow whose node is not in the drawing.
func TestUnknownEndsAreNotDrawn(t *testing.T) {
	s := sample()
	s.Flows = []flow{{"one", "nowhere", "1", "request"}, {"nowhere", "one", "1", "request"}, {"one", "one", "1", "request"}}
	assert.Empty(t, s.wide().Arrows)
}

func TestDrawingWithoutVPC(t *testing.T) {
	s := &topology{Side: sample().Side, Groups: sample().Groups, Flows: []flow{{"bucket", "logs", "copies", "copy"}}}
	for _, d := range []*drawing{s.wide(), s.narrow()} {
		assert.Len(t, d.Arrows, 1)
		assert.Empty(t, crossings(d))
	}
}

func TestMarks(t *testing.T) {
	before := sample()
	before.Tiers[0].Subnets[0].Nodes = append(before.Tiers[0].Subnets[0].Nodes, node{ID: "old", Title: "Host", Name: "old"}, node{ID: "kept", Title: "Host", Name: "kept"})
	before.addZone("zc")
	before.Tiers[0].Subnets[2] = &subnet{Name: "subnet-c", CIDR: "10.0.2.0/24", Nodes: []node{{ID: "three", Title: "Host", Name: "three"}}}
	before.Side = append(before.Side, sideRow{Bucket: &node{ID: "gone", Title: "Bucket", Name: "gone"}})
	before.Groups = append(before.Groups, group{"Region far", []node{{ID: "far", Title: "Bucket", Name: "far"}}})
	now := sample()
	marks := map[string]string{"one": "changed", "two": "new", "bucket": "replaced", "subnet-b": "changed", "vpc": "changed", "elsewhere": "new"}
	for _, name := range []string{"old", "subnet-c", "three", "gone", "far"} {
		marks[name] = "removed"
	}
	now.mark(marks, before)
	assert.Equal(t, []string{"za", "zb", "zc"}, now.Zones)
	assert.Equal(t, map[string][]string{
		"new": {"two"}, "changed": {"vpc", "one", "subnet-b"}, "replaced": {"bucket"}, "removed": {"old", "three", "gone", "far", "subnet-c"},
	}, now.marked())
	var classes []string
	for _, e := range now.legend() {
		classes = append(classes, e.Class)
	}
	assert.Equal(t, []string{"request", "storage", "copy", "mark-new", "mark-changed", "mark-replaced", "mark-removed"}, classes)
	for _, d := range []*drawing{now.wide(), now.narrow()} {
		svg := d.svg()
		assert.Contains(t, svg, `<g class="node compute marked mark-changed" data-id="one" data-in=""><title>changed: Host one</title>`)
		assert.Contains(t, svg, `<g class="container subnet public marked mark-removed"><title>removed: subnet subnet-c 10.0.2.0/24</title>`)
		assert.Regexp(t, `<text class="label mark-text mark-new" [^>]* data-of="two">new</text>`, svg, "not by color alone")
		assert.Contains(t, svg, "A change: new: two. A change: changed: vpc, one, subnet-b.", "for screen readers")
		assert.NotContains(t, svg, "kept")
		assert.Empty(t, crossings(d))
	}

	plain := sample()
	plain.mark(nil, nil)
	assert.Equal(t, sample(), plain)
	assert.NotRegexp(t, regexp.MustCompile(`mark-(new|changed)`), plain.wide().svg())
}

func TestMarksOfSteps(t *testing.T) {
	by := (&changes{Steps: []step{
		{Op: opCreate, Type: "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", Name: "bucket"},
		{Op: opReplace, Type: instanceType, Name: "one"}, {Op: opUpdate, Type: "aws:ec2/eip:Eip", Name: "one"},
		{Op: opUpdate, Type: alarmType, Name: "alarm"},
	}}).marks()
	now := sample()
	now.Tiers[0].Subnets[0].Nodes[0].ID = short(instanceType) + " one"
	now.Groups[0].Nodes[0].With = []string{"alarm"}
	now.mark(by, nil)
	assert.Equal(t, map[string][]string{"replaced": {"one"}, "changed": {"bucket", "logs"}}, now.marked(), "the bucket is not new, its lifecycle is")
}
