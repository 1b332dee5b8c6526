package review

import (
	"math"
	"slices"
	"strings"
)

// unit is the distance of the drawing's grid lines in pixels. Boxes begin and end on them, arrows run on them.
const unit = 8.0

const (
	internetH = 4 * unit
	inset     = unit      // between a container and what it holds
	rowGap    = 2 * unit  // between nodes below each other, with room for one arrow
	tierGap   = 3 * unit  // between tiers, for arrows that cross
	laneGap   = 5 * unit  // between the drawing's parts, for arrows with labels
	sideGap   = 12 * unit // between a bucket and its functions, for labels
	sideH     = 8 * unit  // least height of buckets and functions, for the labels of their arrows
)

// format is what differs between the drawings for desktops and for phones.
type format struct {
	class         string
	width         float64
	vpc           float64 // width of the VPC
	margin        float64 // left and right of the tiers, for arrows
	distribution  float64 // width of the distribution
	front         float64 // width of a service's distribution
	firewall      float64 // width of its firewall
	gateway       float64 // width of the internet gateway
	across        bool    // the zones are next to each other, and the buckets are next to the VPC
	bands         int     // columns for what a tier has in every zone
	bandGap       float64
	bucket, side  float64 // width of a bucket, and of its functions
	groups, group int     // columns of nodes in the groups, of operations and of other regions
}

var (
	wideFormat = format{class: "wide", width: 1200, vpc: 816, margin: 40, distribution: 480, front: 200, firewall: 232, gateway: 208, across: true,
		bands: 3, bandGap: 56, bucket: 128, side: 112, groups: 4, group: 2}
	narrowFormat = format{class: "narrow", width: 360, vpc: 360, margin: 40, distribution: 280, front: 280, firewall: 264, gateway: 168,
		bands: 1, bandGap: laneGap, bucket: 112, side: 112, groups: 2, group: 2}
)

func (t *topology) wide() *drawing   { return t.draw(wideFormat) }
func (t *topology) narrow() *drawing { return t.draw(narrowFormat) }

// draw places the boxes, then routes the arrows between them.
func (t *topology) draw(f format) *drawing {
	d := newDrawing(f.class, f.width)
	d.Title = "Topology of VPC " + t.VPC
	d.About = "The tiers are below each other, each with its subnets. Arrows show what the security group rules allow, with their ports."
	names := t.marked()
	for _, m := range marks {
		if len(names[m]) > 0 {
			d.About += " A change: " + m + ": " + strings.Join(names[m], ", ") + "."
		}
	}
	d.nodeBox(node{ID: internetID, Kind: "internet", Title: "Internet"}, "", box{0, 0, f.width, internetH})
	d.text(label{X: f.width / 2, Y: 21, Anchor: "middle", font: tierFont, Text: "Internet", Of: internetID})
	y := internetH + laneGap
	if t.Distribution != nil {
		y = t.drawDistribution(d, f, box{f.margin, y, f.distribution, 0}) + laneGap
	}
	x, bottom := unit, y
	if len(t.Tiers) > 0 {
		bottom = t.drawVPC(d, f, y)
		if f.across {
			x = f.vpc + 6*unit
		}
	}
	switch {
	case f.across && len(t.Tiers) > 0:
		bottom = max(bottom, t.drawSide(d, f, x, y, bottom))
	default:
		bottom = t.drawSide(d, f, 2*unit, bottom+laneGap, 0)
	}
	if len(t.Groups) > 0 {
		bottom = t.drawGroups(d, f, x, bottom+laneGap)
	}
	d.H = bottom + 3*unit // with room for arrows
	d.connect(t.Flows)
	for _, a := range d.Arrows {
		for _, p := range a.Points {
			bottom = max(bottom, p.Y)
		}
	}
	d.H = bottom + unit
	return d
}

// drawDistribution draws the distribution and returns its bottom edge. Its firewall is to the right of its text, or below
// the text where the distribution is narrow.
func (t *topology) drawDistribution(d *drawing, f format, b box) float64 {
	n, textW := *t.Distribution, b.W
	var firewall box
	if wall := t.Firewall; wall != nil {
		firewall = box{b.right() - f.firewall - inset, b.Y + inset, f.firewall, wall.height(f.firewall)}
		if f.firewall > b.W/2 {
			firewall.Y = b.Y + n.height(b.W)
		} else {
			textW -= f.firewall + inset
		}
	}
	b.H = max(n.height(textW), firewall.bottom()+inset-b.Y)
	d.nodeBox(n, "", b)
	d.nodeText(n, b.X, b.Y, textW)
	if t.Firewall != nil {
		d.node(*t.Firewall, n.ID, firewall)
	}
	return max(b.bottom(), t.drawFronts(d, f, b))
}

// drawFronts draws the distributions of services after the main one, next to it or below it, and returns their bottom edge.
func (t *topology) drawFronts(d *drawing, f format, main box) float64 {
	x, y, bottom := main.right()+laneGap, main.Y, main.bottom()
	for _, n := range t.Fronts {
		if x+f.front > f.width-unit {
			x, y = f.margin, bottom+laneGap
		}
		b := d.node(n, "", box{x, y, f.front, 0})
		x, bottom = b.right()+laneGap, max(bottom, b.bottom())
	}
	return bottom
}

// drawVPC draws the VPC and returns its bottom edge.
func (t *topology) drawVPC(d *drawing, f format, y float64) float64 {
	vpc := d.container("vpc", "VPC "+t.VPC, t.Mark, box{0, y, f.vpc, 0})
	at := y + 4
	head := func(s string, fo font) {
		for _, part := range wrap(s, f.vpc-f.gateway-f.margin-3*inset, fo) {
			at += fo.height
			d.text(label{X: 2 * inset, Y: at, font: fo, Text: part, Of: "vpc"})
		}
	}
	head(t.Mark, markFont(t.Mark))
	head("VPC "+t.VPC, titleFont)
	head(t.CIDR, nameFont)
	y += 7 * unit
	if t.Gateway != nil {
		b := box{f.vpc - f.margin - f.gateway, y - 5*unit, f.gateway, 0}
		b.H = t.Gateway.height(b.W)
		y = d.node(*t.Gateway, "", b).bottom()
	}
	y = max(y, up(at))
	for i := range t.Tiers {
		y = t.drawTier(d, f, &t.Tiers[i], y+tierGap)
	}
	d.Shapes[vpc].H = y + 2*unit - d.Shapes[vpc].Y
	return y + 2*unit
}

// drawTier draws a tier and returns its bottom edge: what it has in every zone, its endpoints, its subnets.
func (t *topology) drawTier(d *drawing, f format, tr *tier, y float64) float64 {
	b := box{f.margin, y, f.vpc - 2*f.margin, 0}
	shape := d.container("tier "+tr.Name, tr.Name+" tier", "", b)
	d.text(label{X: b.X + inset, Y: y + 17, font: tierFont, Text: tr.Name, Of: "tier"})
	d.text(label{X: b.X + inset + tierFont.width(tr.Name) + 8, Y: y + 17, font: noteFont, Text: tr.Route, Of: "tier"})
	inner := box{b.X + inset, y + 3*unit, b.W - 2*inset, 0}
	bands := make([]node, 0, f.bands)
	for _, s := range tr.Spans {
		if len(s.Inside) == 0 {
			bands = append(bands, s.node)
		}
	}
	if f.across { // endpoints are at the right, next to the buckets
		for len(bands)+len(tr.Endpoints) < f.bands && len(tr.Endpoints) > 0 {
			bands = append(bands, node{})
		}
	}
	bands = append(bands, tr.Endpoints...)
	if len(bands) > 0 {
		inner.Y = d.cells(bands, inner, f.bandGap, f.bands) + rowGap
	}
	for _, s := range tr.Spans {
		if len(s.Inside) > 0 {
			// With room above for the labels of arrows.
			inner.Y = d.drawInside(s, box{inner.X, inner.Y + laneGap, inner.W, 0}, f.bands) + rowGap
		}
	}
	columns, gap := 1, rowGap
	if f.across {
		columns, gap = len(t.Zones), 4*unit
	}
	w := down((inner.W - gap*float64(columns-1)) / float64(columns))
	row := []int{} // the shapes of a row of subnets, which are equally high
	bottom := inner.Y
	for z, s := range tr.Subnets {
		if s != nil {
			x := inner.X + float64(z%columns)*(w+gap)
			row = append(row, len(d.Shapes))
			bottom = max(bottom, t.drawSubnet(d, tr, z, box{x, inner.Y, w, 0}))
		}
		if (z+1)%columns == 0 || z == len(tr.Subnets)-1 {
			for _, i := range row {
				d.Shapes[i].H = bottom - d.Shapes[i].Y
			}
			row, inner.Y = row[:0], bottom+unit
		}
	}
	d.Shapes[shape].H = bottom + inset - y
	return bottom + inset
}

// drawInside draws a node with nodes in it, below its own text, and returns its bottom edge.
func (d *drawing) drawInside(s span, b box, columns int) float64 {
	top := up(b.Y + s.node.height(b.W))
	at := len(d.Shapes)
	d.nodeBox(s.node, "", b)
	d.nodeText(s.node, b.X, b.Y, b.W)
	in := box{b.X + inset + accent, top, b.W - 2*inset - accent, 0}
	w := down((in.W - inset*float64(columns-1)) / float64(columns))
	y := top
	for row := range slices.Chunk(s.Inside, columns) {
		h := 0.0
		for _, n := range row {
			h = max(h, n.height(w))
		}
		for i, n := range row {
			d.node(n, s.ID, box{in.X + float64(i)*(w+inset), y, w, h})
		}
		y += h + inset
	}
	b.H = up(y) - b.Y
	d.Shapes[at].box, d.at[s.ID], d.holders[s.ID] = b, b, true
	return b.bottom()
}

// drawSubnet draws a subnet with its hosts and its parts of groups, and returns its bottom edge.
func (t *topology) drawSubnet(d *drawing, tr *tier, zone int, b box) float64 {
	s := tr.Subnets[zone]
	d.container("subnet "+tr.Name, "subnet "+s.Name+" "+s.CIDR, s.Mark, b)
	at := b.Y + 4
	head := func(text string, fo font) {
		for _, part := range wrap(text, b.W-2*inset, fo) {
			at += fo.height
			d.text(label{X: b.X + inset, Y: at, font: fo, Text: part, Of: s.Name})
		}
	}
	head(s.Mark, markFont(s.Mark))
	head(s.Name, nameFont)
	head(s.CIDR, cidrFont)
	var nodes []node
	for _, sp := range tr.Spans {
		if sp.Each != nil && sp.Each[zone] != nil {
			nodes = append(nodes, *sp.Each[zone])
		}
	}
	nodes = append(nodes, s.Nodes...)
	bottom := up(at + 5)
	if len(nodes) > 0 {
		bottom = d.cells(nodes, box{b.X + inset, bottom, b.W - 2*inset, 0}, rowGap, 1) + inset
	}
	return bottom
}

// cells draws nodes in columns with a gap between them and returns their bottom edge. Nodes next to each other are equally
// high. A node without ID is an empty cell.
func (d *drawing) cells(nodes []node, b box, gap float64, columns int) float64 {
	below := rowGap
	if columns == 1 {
		below = gap
	}
	w := down((b.W - gap*float64(columns-1)) / float64(columns))
	y := b.Y
	for row := range slices.Chunk(nodes, columns) {
		h := 0.0
		for _, n := range row {
			h = max(h, n.height(w))
		}
		for i, n := range row {
			if n.ID != "" {
				d.node(n, "", box{b.X + float64(i)*(w+gap), y, w, h})
			}
		}
		y += h + below
	}
	return y - below
}

// drawSide draws the buckets, each with its satellites, and returns the bottom edge. The rows spread to reach the given
// bottom.
func (t *topology) drawSide(d *drawing, f format, x, y, bottom float64) float64 {
	satelliteX := x + f.bucket + sideGap
	heights := make([]float64, len(t.Side))
	room := bottom - y
	for i, r := range t.Side {
		for j, s := range r.Satellites {
			if j > 0 {
				heights[i] += tierGap
			}
			heights[i] += max(s.height(f.side), sideH)
		}
		if r.Bucket != nil {
			heights[i] = max(heights[i], r.Bucket.height(f.bucket), sideH)
		}
		room -= heights[i]
	}
	gap := max(tierGap, min(down(room/float64(max(len(t.Side)-1, 1))), 8*unit))
	for i, r := range t.Side {
		if r.Bucket != nil {
			d.node(*r.Bucket, "", box{x, y, f.bucket, heights[i]})
		}
		at := y
		for _, s := range r.Satellites {
			at = d.node(s, "", box{satelliteX, at, f.side, max(s.height(f.side), sideH)}).bottom() + tierGap
		}
		y += heights[i] + gap
	}
	return y - gap
}

// drawGroups draws the groups and returns their bottom edge: those of other regions are next to that of the VPC's region,
// or below it. x is their left edge where they are next to it.
func (t *topology) drawGroups(d *drawing, f format, x, y float64) float64 {
	bottom := y
	for i, g := range t.Groups {
		b, columns := box{unit, y, f.width - 3*unit, 0}, f.group
		if f.across {
			b.X, b.W = x, f.width-x
			if i == 0 {
				b.X, b.W, columns = 0, f.vpc, f.groups
			}
		}
		shape := d.container("group", g.Name, "", b)
		d.text(label{X: b.X + inset, Y: y + 17, font: tierFont, Text: g.Name, Of: "group"})
		end := d.cells(g.Nodes, box{b.X + inset, y + 5*unit, b.W - 2*inset, 0}, 3*unit, columns) + inset
		d.Shapes[shape].H = end - y
		bottom = max(bottom, end)
		if !f.across || i > 0 {
			y = end + laneGap
		}
	}
	return bottom
}

// up and down round to the grid.
func up(v float64) float64   { return unit * math.Ceil(v/unit) }
func down(v float64) float64 { return unit * math.Floor(v/unit) }

// legendEntry explains a class of the drawing.
type legendEntry struct{ Class, Text string }

// legend explains the arrows and the marks that the drawing has.
func (t *topology) legend() []legendEntry {
	var all []legendEntry
	for _, e := range []legendEntry{
		{"request", "requests, with ports"}, {"admin", "operator access"}, {"egress", "outbound to the internet"}, {"storage", "to S3"},
		{"event", "function reads and writes"}, {"key", "encryption"}, {"copy", "backups and copies"},
	} {
		if slices.ContainsFunc(t.Flows, func(f flow) bool { return f.Kind == e.Class }) {
			all = append(all, e)
		}
	}
	names := t.marked()
	for _, m := range marks {
		if len(names[m]) > 0 {
			all = append(all, legendEntry{"mark-" + m, m + " by the change"})
		}
	}
	return all
}
