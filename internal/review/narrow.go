package review

import (
	"slices"
	"strings"
)

// The narrow drawing's dimensions, in pixels.
const (
	narrowWidth  = 358.0
	narrowTier   = 20.0 // left edge of tiers, and of the distribution
	narrowTierW  = 296.0
	narrowNode   = 28.0 // left edge of nodes
	narrowNodeW  = 280.0
	siteLane     = 5.0
	requestLane  = 12.0
	operatorLane = 321.0
	storageLane  = 331.0
	egressLane   = 352.0
)

// narrow draws the topology for a phone: one column, with the tiers below each other.
func (t *topology) narrow() *drawing {
	d := newDrawing("narrow", narrowWidth)
	d.Title = t.title()
	d.About = "The tiers are below each other, each with its subnets. Arrows show what the security group rules allow, with their ports."
	d.nodeBox(node{ID: internetID, Kind: "internet"}, "", box{0, 0, narrowWidth, internetH})
	d.text(label{X: narrowWidth / 2, Y: 22, Size: 13, Anchor: "middle", Class: "title", Text: "Internet", Of: internetID})

	vpcTop := edgeTop
	if t.Distribution != nil {
		vpcTop = t.drawDistribution(d, narrowTier, edgeTop, narrowTierW, narrowTierW-2*inset) + edgeGap
	}
	vpcAt := len(d.Shapes)
	d.container("vpc", "VPC "+t.VPC, box{0, vpcTop, narrowWidth, 0})
	d.text(label{X: narrowNode, Y: vpcTop + 20, Size: titleSize, Class: "title", Text: "VPC " + t.VPC, Of: "vpc"})
	d.text(label{X: narrowNode, Y: vpcTop + 34, Size: nameSize, Class: "name", Text: t.CIDR, Of: "vpc"})
	y := vpcTop + 46
	if t.Gateway != nil {
		y = d.node(*t.Gateway, "", narrowNode, y, 170).bottom()
	}
	tops := make([]float64, len(t.Tiers))
	for i, tr := range t.Tiers {
		y += 32
		tops[i] = y
		tierAt := len(d.Shapes)
		d.container("tier "+tr.Name, tr.Name+" tier", box{narrowTier, y, narrowTierW, 0})
		d.text(label{X: narrowNode, Y: y + 17, Size: 13, Class: "title", Text: tr.Name, Of: "tier"})
		d.text(label{X: narrowNode + float64(len(tr.Name))*13*titleEm + 8, Y: y + 17, Size: noteSize, Class: "note", Text: tr.Route, Of: "tier"})
		y += 26
		for j, s := range tr.Spans {
			y = d.node(s.node, "", narrowNode, y, narrowNodeW).bottom() + t.gapBelow(tr, j)
		}
		for j, e := range tr.Endpoints {
			if j == 0 && len(tr.Spans) > 0 {
				y += 14 // for the port's label
			}
			var to []string
			for _, f := range t.Flows {
				if f.From == e.ID && f.Kind == "storage" {
					to = append(to, strings.TrimPrefix(f.To, short(bucketType)+" "))
				}
			}
			if len(to) > 0 {
				slices.Sort(to)
				e.Notes = append(slices.Clone(e.Notes), "to "+strings.Join(to, ", "))
			}
			y = d.node(e, "", narrowNode, y, narrowNodeW).bottom() + 10
		}
		for z, s := range tr.Subnets {
			if s == nil {
				continue
			}
			subnetAt := len(d.Shapes)
			d.container("subnet "+tr.Name, "subnet "+s.Name+" "+s.CIDR, box{narrowNode, y, narrowNodeW, 0})
			y += 4
			for _, part := range wrap(s.Name, chars(narrowNodeW-2*inset, nameSize, nameEm)) {
				y += nameLine
				d.text(label{X: narrowNode + inset, Y: y, Size: nameSize, Class: "name", Text: part, Of: s.Name})
			}
			y += noteLine
			d.text(label{X: narrowNode + inset, Y: y, Size: nameSize, Class: "cidr", Text: s.CIDR, Of: s.Name})
			y += 7
			var nodes []node
			for _, sp := range tr.Spans {
				if sp.Each != nil && sp.Each[z] != nil {
					nodes = append(nodes, *sp.Each[z])
				}
			}
			nodes = append(nodes, s.Nodes...)
			for j, n := range nodes {
				if j > 0 {
					y += stackGap - 6
				}
				y = d.node(n, "", narrowNode+inset, y, narrowNodeW-2*inset).bottom() + 6
			}
			d.Shapes[subnetAt].H = y - d.Shapes[subnetAt].Y
			y += 8
		}
		d.Shapes[tierAt].H = y - d.Shapes[tierAt].Y
	}
	y += 10
	d.Shapes[vpcAt].H = y - vpcTop
	d.H = t.side(d, 1, y+20, 140, 66, 0) + 6

	egress := false
	for _, f := range t.Flows {
		from, okFrom := d.at[f.From]
		to, okTo := d.at[f.To]
		if !okFrom || !okTo {
			continue
		}
		if t.Distribution != nil && f.From == t.Distribution.ID && to.Y > d.Shapes[vpcAt].bottom() { // its bucket
			d.arrow(f, &label{X: siteLane + 4, Y: to.Y - 7}, point{from.X, from.bottom() - 22}, point{siteLane, from.bottom() - 22}, point{siteLane, to.Y})
		}
		if to.Y > d.Shapes[vpcAt].bottom() {
			continue
		}
		above := func(id string) float64 { return tops[t.tierOf(id)] - 10 }
		switch f.Kind {
		case "request":
			if t.Distribution != nil && f.To == t.Distribution.ID {
				d.arrow(f, &label{X: to.midX() + 6, Y: to.Y - 12}, point{to.midX(), internetH}, point{to.midX(), to.Y})
				continue
			}
			if t.Distribution != nil && f.From == internetID { // not through the distribution
				d.arrow(f, &label{X: requestLane + 6, Y: internetH + 16}, point{requestLane, internetH}, point{requestLane, to.Y + 6}, point{to.X, to.Y + 6})
				continue
			}
			if t.sameTier(f) {
				d.arrow(f, &label{X: narrowTier + 6, Y: to.Y - 8}, point{from.X, from.bottom() - 12}, point{requestLane, from.bottom() - 12},
					point{requestLane, to.Y + 14}, point{to.X, to.Y + 14})
				continue
			}
			if f.From == internetID && t.Gateway != nil {
				g := d.at[t.Gateway.ID]
				d.arrow(flow{From: f.From, To: t.Gateway.ID, Kind: f.Kind}, nil,
					point{requestLane, internetH}, point{requestLane, g.Y + 12}, point{g.X, g.Y + 12})
				f.From, from = t.Gateway.ID, g
			}
			d.arrow(f, &label{X: requestLane + 6, Y: above(f.To)}, point{from.X, from.bottom() - 12}, point{requestLane, from.bottom() - 12},
				point{requestLane, to.Y + 14}, point{to.X, to.Y + 14})
		case "admin":
			if f.From == internetID {
				d.arrow(f, &label{X: storageLane + 4, Y: vpcTop - 10}, point{storageLane, internetH}, point{storageLane, to.Y + 10}, point{to.right(), to.Y + 10})
				continue
			}
			y := to.Y + 14
			d.arrow(f, &label{X: operatorLane - 5, Y: above(f.To), Anchor: "end"}, point{from.right(), from.bottom() - 10}, point{operatorLane, from.bottom() - 10},
				point{operatorLane, y}, point{to.right(), y})
		case "egress":
			y := from.bottom() - 12
			name := &label{X: egressLane - 4, Y: above(f.From), Anchor: "end"}
			if egress {
				name = nil // one label for all gateways
			}
			egress = true
			d.arrow(f, name, point{from.right(), y}, point{egressLane, y}, point{egressLane, to.midY()}, point{to.right(), to.midY()})
		case "storage":
			if from.bottom() <= to.Y {
				d.arrow(f, &label{X: from.midX() + 6, Y: to.Y - 7}, point{from.midX(), from.bottom()}, point{from.midX(), to.Y})
			} else {
				y := from.bottom() - 12
				d.arrow(f, &label{X: storageLane + 3, Y: (y + to.midY()) / 2}, point{from.right(), y}, point{storageLane, y},
					point{storageLane, to.midY()}, point{to.right(), to.midY()})
			}
		case "attached":
			d.arrow(f, nil, point{from.midX(), from.bottom()}, point{from.midX(), to.Y})
		}
	}
	return d
}
