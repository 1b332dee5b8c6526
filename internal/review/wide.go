package review

import (
	"slices"
)

// The wide drawing's dimensions, in pixels.
const (
	wideWidth   = 1200.0
	wideVPC     = 850.0 // width of the VPC; buckets are to its right
	wideLabel   = 100.0 // width of the tiers' names, left of the columns
	wideLane    = 34.0  // left of the columns, for operators' arrows
	wideGutter  = 30.0  // between the columns, for requests
	endpointW   = 112.0
	endpointGap = 36.0
	rowGap      = 36.0 // between the tiers, for the port labels of arrows that cross it
	bandGap     = 10.0 // between the nodes of a tier that are in every zone
	flowGap     = 26.0 // the same, where an arrow with a label leads from one to the next
	edgeTop     = 66.0 // below the internet
	edgeGap     = 32.0 // below the distribution
	firewallW   = 260.0
	inset       = 8.0
	stackGap    = 14.0
	sideLeft    = wideVPC + 50
	bucketW     = 126.0
	sideGap     = 62.0
	sideRowGap  = 20.0
	internetH   = 34.0
)

// wide draws the topology for a desktop: one column per availability zone, one row per tier.
func (t *topology) wide() *drawing {
	d := newDrawing("wide", wideWidth)
	d.Title = t.title()
	d.About = "One column per availability zone, one row per tier. Arrows show what the security group rules allow, with their ports."
	if len(t.Zones) == 0 || len(t.Tiers) == 0 {
		d.H = t.side(d, 0, internetH+20, bucketW, sideGap, 0) + 6
		return d
	}
	zones := float64(len(t.Zones))
	left := 12 + wideLabel + wideLane
	right := wideVPC - 12 - endpointW - endpointGap
	col := (right - left - (zones-1)*wideGutter) / zones
	colX := func(i int) float64 { return left + float64(i)*(col+wideGutter) }
	gutter := func(i int) float64 { return colX(i) + col + wideGutter/2 }
	lane := left - 17

	// Requests run in the gutter next to the database host.
	hostZone := t.zoneOfHost()
	main := max(0, min(hostZone, len(t.Zones)-2))
	mainX := gutter(main)

	d.nodeBox(node{ID: internetID, Kind: "internet"}, "", box{0, 0, wideWidth, internetH})
	d.text(label{X: wideWidth / 2, Y: 22, Size: 13, Anchor: "middle", Class: "title", Text: "Internet", Of: internetID})
	vpcTop := edgeTop
	if t.Distribution != nil {
		// Right of the lane for operators, left of that for buckets.
		vpcTop = t.drawDistribution(d, left, edgeTop, wideVPC-left, firewallW) + edgeGap
	}

	type row struct{ top, head, height float64 }
	rows := make([]row, len(t.Tiers))
	gateway := box{mainX - 78, vpcTop + 14, 156, 0}
	if t.Distribution != nil {
		gateway.X = mainX + 14 // requests do not pass it
	}
	if t.Gateway != nil {
		gateway.H = t.Gateway.height(gateway.W)
	}
	zoneLine := gateway.bottom() + 36
	y := zoneLine + 14
	nodeW := col - 2*inset
	for i, tr := range t.Tiers {
		r := row{top: y}
		stack := 0.0
		for _, s := range tr.Subnets {
			if s == nil {
				continue
			}
			r.head = max(r.head, 12+noteLine+float64(len(wrap(s.Name, headerChars(col))))*nameLine)
			h := 0.0
			for _, n := range s.Nodes {
				h += n.height(nodeW) + stackGap
			}
			stack = max(stack, h)
		}
		r.height = r.head + stack + 6
		for j, s := range tr.Spans {
			r.height += s.bandHeight(right-left+12, nodeW) + t.gapBelow(tr, j)
		}
		for _, e := range tr.Endpoints {
			r.height = max(r.height, e.height(endpointW)+24)
		}
		rows[i] = r
		y += r.height + rowGap
	}
	vpc := box{0, vpcTop, wideVPC, y - rowGap + 12 - vpcTop}
	d.container("vpc", "VPC "+t.VPC, vpc)
	at := vpcTop + 22
	for _, s := range wrap("VPC "+t.VPC, chars(wideLabel, titleSize, titleEm)) {
		d.text(label{X: 14, Y: at, Size: titleSize, Class: "title", Text: s, Of: "vpc"})
		at += titleLine
	}
	d.text(label{X: 14, Y: at, Size: nameSize, Class: "name", Text: t.CIDR, Of: "vpc"})
	for i, z := range t.Zones {
		d.text(label{X: colX(i) + col/2, Y: zoneLine, Size: titleSize, Anchor: "middle", Class: "zone", Text: z, Of: "zone"})
	}
	for i, tr := range t.Tiers {
		r := rows[i]
		d.container("tier "+tr.Name, tr.Name+" tier", box{6, r.top - 6, wideVPC - 12, r.height + 12})
		d.text(label{X: 14, Y: r.top + 16, Size: 13, Class: "title", Text: tr.Name, Of: "tier"})
		for j, s := range wrap(tr.Route, chars(wideLabel, noteSize, noteEm)) {
			d.text(label{X: 14, Y: r.top + 32 + float64(j)*noteLine, Size: noteSize, Class: "note", Text: s, Of: "tier"})
		}
		for z, s := range tr.Subnets {
			if s == nil {
				continue
			}
			d.container("subnet "+tr.Name, "subnet "+s.Name+" "+s.CIDR, box{colX(z), r.top, col, r.height})
			at := r.top + 6
			for _, part := range wrap(s.Name, headerChars(col)) {
				at += nameLine
				d.text(label{X: colX(z) + inset, Y: at, Size: nameSize, Class: "name", Text: part, Of: s.Name})
			}
			d.text(label{X: colX(z) + inset, Y: at + noteLine, Size: nameSize, Class: "cidr", Text: s.CIDR, Of: s.Name})
		}
	}
	for i, tr := range t.Tiers {
		r := rows[i]
		at := r.top + r.head
		for j, s := range tr.Spans {
			band := box{left - 6, at, right - left + 12, s.bandHeight(right-left+12, nodeW)}
			head := s.inline()
			d.node(head, "", band.X, band.Y, band.W)
			d.Shapes[len(d.Shapes)-1].H = band.H
			d.at[s.ID] = band
			for z, each := range s.Each {
				if each != nil {
					d.node(*each, s.ID, colX(z)+inset, band.Y+head.height(band.W)-2, nodeW)
				}
			}
			at = band.bottom() + t.gapBelow(tr, j)
		}
		for z, s := range tr.Subnets {
			if s == nil {
				continue
			}
			at := at
			for _, n := range s.Nodes {
				at = d.node(n, "", colX(z)+inset, at, nodeW).bottom() + stackGap
			}
		}
		for j, e := range tr.Endpoints {
			h := e.height(endpointW)
			y := r.top + 8 + float64(j)*(h+8)
			// At the height of a node that uses it.
			for _, f := range t.Flows {
				if from, ok := d.at[f.From]; ok && f.To == e.ID {
					y = max(y, min(portY(from)-h/2, r.top+r.height-h-8))
					break
				}
			}
			d.node(e, "", wideVPC-12-endpointW, y, endpointW)
		}
	}
	if t.Gateway != nil {
		d.node(*t.Gateway, "", gateway.X, gateway.Y, gateway.W)
	}
	bottom := t.side(d, sideLeft, vpcTop, bucketW, sideGap, vpc.bottom())
	d.H = max(vpc.bottom(), bottom) + 6

	for _, f := range t.Flows {
		from, okFrom := d.at[f.From]
		to, okTo := d.at[f.To]
		if !okFrom || !okTo {
			continue
		}
		switch f.Kind {
		case "request":
			switch {
			case f.From == internetID && to.X >= sideLeft: // a public bucket
				x := sideLeft - 22.0
				d.arrow(f, &label{X: x + 4, Y: internetH + 16}, point{x, internetH}, point{x, to.midY() + 10}, point{to.X, to.midY() + 10})
			case to.X >= sideLeft: // the distribution's bucket
				x := sideLeft - 12.0
				d.arrow(f, &label{X: x + 4, Y: from.midY() - 5}, point{from.right(), from.midY()}, point{x, from.midY()}, point{x, to.midY() - 10}, point{to.X, to.midY() - 10})
			case f.From == internetID && t.Distribution != nil && f.To == t.Distribution.ID:
				d.arrow(f, &label{X: mainX + 6, Y: to.Y - 12}, point{mainX, internetH}, point{mainX, to.Y})
			case f.From == internetID && t.Distribution != nil: // not through the distribution
				x := lane - 9
				d.arrow(f, &label{X: x + 5, Y: internetH + 16}, point{x, internetH}, point{x, to.Y + 14}, point{to.X, to.Y + 14})
			case f.From == internetID && t.Gateway != nil:
				d.arrow(flow{From: f.From, To: t.Gateway.ID, Kind: f.Kind}, nil, point{mainX, internetH}, point{mainX, gateway.Y})
				d.arrow(flow{From: t.Gateway.ID, To: f.To, Kind: f.Kind, Label: f.Label}, &label{X: mainX + 6, Y: gateway.bottom() + 14},
					point{mainX, gateway.bottom()}, point{mainX, to.Y})
			case t.sameTier(f): // the next band
				d.arrow(f, &label{X: mainX + wideGutter/2 + 5, Y: to.Y - (flowGap-8)/2}, point{mainX, from.bottom()}, point{mainX, to.Y})
			case to.X <= mainX && to.right() >= mainX: // a band below
				d.arrow(f, &label{X: mainX + 6, Y: gapAbove(rows[t.tierOf(f.To)].top)}, point{mainX, from.bottom()}, point{mainX, to.Y})
			default: // a host next to the gutter
				side := to.right()
				if to.X > mainX {
					side = to.X
				}
				d.arrow(f, &label{X: mainX + 6, Y: gapAbove(rows[t.tierOf(f.To)].top)},
					point{mainX, from.bottom()}, point{mainX, to.Y + 16}, point{side, to.Y + 16})
			}
		case "admin":
			if f.From == internetID {
				x := lane - 9
				d.arrow(f, &label{X: x + 5, Y: rows[0].top - 12}, point{x, internetH}, point{x, to.Y + 14}, point{to.X, to.Y + 14})
				continue
			}
			if from.X > left+inset {
				continue // only the first column is next to the lane
			}
			d.arrow(f, &label{X: lane + 4, Y: gapAbove(rows[t.tierOf(f.To)].top)},
				point{from.X, from.midY()}, point{lane, from.midY()}, point{lane, to.midY()}, point{to.X, to.midY()})
		case "egress":
			x, gap := to.right()-8, rows[t.tierOf(f.From)].top
			name := &label{X: x - 4, Y: gapAbove(gap), Anchor: "end"}
			if !t.below(f.From) {
				d.arrow(f, name, point{x, from.Y}, point{x, to.bottom()})
				continue
			}
			// Around the bands above it.
			bus := from.right() + (endpointGap-6)/2
			d.arrow(f, name, point{from.right(), from.Y + 12}, point{bus, from.Y + 12}, point{bus, gap - rowGap + 9}, point{x, gap - rowGap + 9}, point{x, to.bottom()})
		case "storage":
			if to.X < sideLeft { // an endpoint in the VPC
				y := min(max(portY(from), to.Y+8), to.bottom()-8)
				d.arrow(f, &label{X: to.X - (endpointGap-6)/2 - 1, Y: y - 5, Anchor: "middle"}, point{from.right(), y}, point{to.X, y})
				continue
			}
			i := float64(slices.IndexFunc(t.endpoints(), func(e node) bool { return e.ID == f.From }))
			x, y := wideVPC+10+10*i, to.Y+14+12*i
			d.arrow(f, nil, point{from.right(), from.midY()}, point{x, from.midY()}, point{x, y}, point{to.X, y})
		case "attached":
			d.arrow(f, nil, point{from.midX(), from.bottom()}, point{from.midX(), to.Y})
		}
	}
	return d
}

// drawDistribution draws the distribution and returns its bottom edge. Its firewall is to the right of its text, or below
// the text where the distribution is narrow.
func (t *topology) drawDistribution(d *drawing, x, y, w, firewallW float64) float64 {
	n, textW := *t.Distribution, w
	var firewall box
	if f := t.Firewall; f != nil {
		firewall = box{x + w - firewallW - inset, y + inset, firewallW, f.height(firewallW)}
		if firewallW > w/2 {
			firewall.Y = y + n.height(w)
		} else {
			textW -= firewallW + inset
		}
	}
	b := box{x, y, w, max(n.height(textW), firewall.bottom()+inset-y)}
	d.nodeBox(n, "", b)
	d.nodeText(n, b.X, b.Y, textW)
	if t.Firewall != nil {
		d.node(*t.Firewall, n.ID, firewall.X, firewall.Y, firewall.W)
	}
	return b.bottom()
}

// sameTier reports whether a flow leads from one node to another of its tier, both of them in every zone.
func (t *topology) sameTier(f flow) bool {
	for _, tr := range t.Tiers {
		in := func(id string) bool { return slices.ContainsFunc(tr.Spans, func(s span) bool { return s.ID == id }) }
		if in(f.From) && in(f.To) {
			return true
		}
	}
	return false
}

// below reports whether a node that is in every zone is below another one of its tier.
func (t *topology) below(id string) bool {
	return slices.ContainsFunc(t.Tiers, func(tr tier) bool {
		return slices.IndexFunc(tr.Spans, func(s span) bool { return s.ID == id }) > 0
	})
}

// gapBelow is the space below a tier's node that is in every zone.
func (t *topology) gapBelow(tr tier, i int) float64 {
	if i+1 < len(tr.Spans) && slices.ContainsFunc(t.Flows, func(f flow) bool { return f.From == tr.Spans[i].ID && f.To == tr.Spans[i+1].ID }) {
		return flowGap
	}
	return bandGap
}

// gapAbove is the baseline of a port label in the gap above a row.
func gapAbove(top float64) float64 { return top - 6 - (rowGap-12)/2 + 4 }

// portY is the height at which an arrow to the right leaves a node.
func portY(b box) float64 {
	if b.H > 70 {
		return b.Y + b.H/2
	}
	return b.bottom() - 14
}

func headerChars(col float64) int { return chars(col-2*inset-18, nameSize, nameEm) }

// inline is the span's node with title and name on one line.
func (s span) inline() node {
	n := s.node
	n.Title, n.Name = s.Title+" "+s.Name, ""
	return n
}

func (s span) bandHeight(w, nodeW float64) float64 {
	h := s.inline().height(w)
	tallest := 0.0
	for _, e := range s.Each {
		if e != nil {
			tallest = max(tallest, e.height(nodeW)+6)
		}
	}
	return h + tallest
}

func (t *topology) zoneOfHost() int {
	for i := len(t.Tiers) - 1; i >= 0; i-- {
		for z, s := range t.Tiers[i].Subnets {
			if s != nil && len(s.Nodes) > 0 {
				return z
			}
		}
	}
	return 0
}

// tierOf is the index of a node's tier, 0 for a node in no tier.
func (t *topology) tierOf(id string) int {
	for i, tr := range t.Tiers {
		if slices.ContainsFunc(tr.Spans, func(s span) bool { return s.ID == id }) ||
			slices.ContainsFunc(tr.Endpoints, func(n node) bool { return n.ID == id }) {
			return i
		}
		for _, s := range tr.Subnets {
			if s != nil && slices.ContainsFunc(s.Nodes, func(n node) bool { return n.ID == id }) {
				return i
			}
		}
	}
	return 0
}

func (t *topology) endpoints() []node {
	var all []node
	for _, tr := range t.Tiers {
		all = append(all, tr.Endpoints...)
	}
	return all
}

// side draws the buckets with their satellites, and returns the bottom edge. The rows spread to reach the given bottom.
func (t *topology) side(d *drawing, x, y, w, gap, bottom float64) float64 {
	satelliteX := x + w + gap
	satelliteW := d.W - satelliteX - 1
	heights := make([]float64, len(t.Side))
	room := bottom - y
	for i, r := range t.Side {
		for j, s := range r.Satellites {
			if j > 0 {
				heights[i] += 24
			}
			heights[i] += max(s.height(satelliteW), 58)
		}
		if r.Bucket != nil {
			heights[i] = max(heights[i], r.Bucket.height(w), 58)
		}
		room -= heights[i]
	}
	rowGap := max(sideRowGap, min(room/float64(max(len(t.Side)-1, 1)), 60))
	for i, r := range t.Side {
		height := heights[i]
		if r.Bucket != nil {
			d.node(*r.Bucket, "", x, y, w)
			d.Shapes[len(d.Shapes)-1].H = height
			d.at[r.Bucket.ID] = box{x, y, w, height}
		}
		at := y
		for _, s := range r.Satellites {
			h := max(s.height(satelliteW), 58)
			d.node(s, "", satelliteX, at, satelliteW)
			d.Shapes[len(d.Shapes)-1].H = h
			d.at[s.ID] = box{satelliteX, at, satelliteW, h}
			at += h + 24
		}
		y += height + rowGap
	}
	for _, f := range t.Flows {
		from, okFrom := d.at[f.From]
		to, okTo := d.at[f.To]
		if !okFrom || !okTo {
			continue
		}
		middle := x + w + gap/2
		switch f.Kind {
		case "event":
			if from.X < to.X { // bucket to function
				d.arrow(f, &label{X: middle, Y: to.Y + 14, Anchor: "middle"}, point{from.right(), to.Y + 19}, point{to.X, to.Y + 19})
			} else if to.bottom() > from.Y+40 {
				d.arrow(f, &label{X: middle, Y: from.Y + 38, Anchor: "middle"}, point{from.X, from.Y + 43}, point{to.right(), from.Y + 43})
			}
		case "key":
			d.arrow(f, &label{X: middle, Y: from.Y + 24, Anchor: "middle"}, point{from.X, from.Y + 29}, point{to.right(), from.Y + 29})
		case "failed":
			d.arrow(f, nil, point{from.midX(), from.bottom()}, point{from.midX(), to.Y})
		}
	}
	return y - rowGap
}

func (t *topology) title() string { return "Topology of VPC " + t.VPC }
