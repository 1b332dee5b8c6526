package review

import (
	"cmp"
	"math"
	"slices"
)

// The costs of a route. A step along an arrow that shares its kind and an end with this one is half as dear as another:
// such arrows run together.
const (
	stepCost    = 2
	withinCost  = 1   // more for a step within a tier, and again within a subnet: the space between them is better
	bendCost    = 12  // a change of direction
	headCost    = 30  // more for one that the arrow's head covers
	crossCost   = 8   // of another arrow
	nextCost    = 24  // an end next to that of another arrow, where their labels have no room
	edgeCost    = 60  // a step along the edge of a container
	overlapCost = 400 // a step along another arrow, where there is no other way
)

// router finds the ways of arrows on the drawing's grid, around nodes and texts.
type router struct {
	d          *drawing
	cols, rows int
	flows      []flow
	blocked    []bool    // points in nodes and texts
	within     []int     // the number of tiers and subnets around points
	edge       [2][]bool // points on containers' edges, by direction
	used       [2][][]int
	paths      [][]int // the points of each flow's arrow
	chips      []box
}

// The directions of a route's steps, and indexes of router.edge and router.used.
const (
	horizontal = iota
	vertical
)

// connect draws an arrow for each flow between two nodes of the drawing, the shortest first.
func (d *drawing) connect(flows []flow) {
	r := newRouter(d)
	for _, f := range flows {
		if _, ok := d.at[f.From]; !ok {
			continue
		}
		if _, ok := d.at[f.To]; ok && f.From != f.To {
			r.flows = append(r.flows, f)
		}
	}
	distance := func(f flow) float64 {
		a, b := d.at[f.From], d.at[f.To]
		return max(a.X-b.right(), b.X-a.right(), 0) + max(a.Y-b.bottom(), b.Y-a.bottom(), 0)
	}
	slices.SortStableFunc(r.flows, func(a, b flow) int { return cmp.Compare(distance(a), distance(b)) })
	for i, f := range r.flows {
		path := r.route(i)
		r.paths = append(r.paths, path)
		if len(path) == 0 {
			continue
		}
		r.use(i, path)
		d.Arrows = append(d.Arrows, arrow{f, r.corners(path)})
		r.label(i)
	}
}

func newRouter(d *drawing) *router {
	r := &router{d: d, cols: int(d.W/unit) + 1, rows: int(d.H/unit) + 1}
	n := r.cols * r.rows
	r.blocked, r.within = make([]bool, n), make([]int, n)
	for o := range r.edge {
		r.edge[o], r.used[o] = make([]bool, n), make([][]int, n)
	}
	for _, s := range d.Shapes {
		switch {
		case s.ID != "":
			r.fill(s.box, func(p int) { r.blocked[p] = true })
		default:
			r.fill(s.box, func(p int) {
				q := r.at(p)
				if q.Y == s.Y || q.Y == s.bottom() {
					r.edge[horizontal][p] = true
				}
				if q.X == s.X || q.X == s.right() {
					r.edge[vertical][p] = true
				}
				if s.Class != "container vpc" {
					r.within[p]++
				}
			})
		}
	}
	for _, l := range d.Labels {
		b := l.box()
		r.fill(box{b.X - 3, b.Y - 3, b.W + 6, b.H + 6}, func(p int) { r.blocked[p] = true })
	}
	return r
}

// at is the position of a point.
func (r *router) at(p int) point { return point{float64(p%r.cols) * unit, float64(p/r.cols) * unit} }

// fill calls f with the grid's points in a box and on its edge.
func (r *router) fill(b box, f func(p int)) {
	for y := max(0, int(math.Ceil(b.Y/unit))); y <= min(r.rows-1, int(math.Floor(b.bottom()/unit))); y++ {
		for x := max(0, int(math.Ceil(b.X/unit))); x <= min(r.cols-1, int(math.Floor(b.right()/unit))); x++ {
			f(y*r.cols + x)
		}
	}
}

// together reports whether two flows may share a way.
func (r *router) together(i, j int) bool {
	a, b := r.flows[i], r.flows[j]
	return a.Kind == b.Kind && (a.From == b.From || a.To == b.To)
}

// taken tells how other arrows use a point in a direction: shared for those that this one may run along, other for others.
func (r *router) taken(i, p, o int) (shared, other bool) {
	for _, j := range r.used[o][p] {
		if i == j || r.together(i, j) {
			shared = true
		} else {
			other = true
		}
	}
	return shared, other
}

// port is a point on a node's edge, with the step that leads out of the node.
type port struct{ point, step, cost int }

// ports lists the points of a node's edge at which an arrow may end, without the corners. The middle of a side is best.
func (r *router) ports(i int, node string) []port {
	var all []port
	b, near := r.d.at[node], 1
	if r.d.holders[node] {
		near = 4 // it has room for a label between its arrows
	}
	side := func(from, along, n, out int) {
		o := direction(out)
		for k := 1; k < n; k++ {
			p := from + k*along
			cost := min(max(k-n/2, n/2-k), 3)
			for next := -near; next <= near; next++ {
				q := p + next*along
				if q < 0 || q >= len(r.blocked) {
					continue
				}
				if _, other := r.taken(i, q, o); other {
					cost += nextCost
				}
			}
			all = append(all, port{p, out, cost})
		}
	}
	left, top := int(b.X/unit), int(b.Y/unit)
	w, h := int(b.W/unit), int(b.H/unit)
	side(top*r.cols+left, 1, w, -r.cols)
	side((top+h)*r.cols+left, 1, w, r.cols)
	side(top*r.cols+left, r.cols, h, -1)
	side(top*r.cols+left+w, r.cols, h, 1)
	return all
}

// search is the search for the way of one flow. Its states are a point and the direction in which it was reached, as
// 2*point + direction.
type search struct {
	*router
	flow   int
	to     box
	best   []int // the cost of the cheapest way to each state that is known
	before []int // the state before it on that way, start for none
	open   heap
}

const start = -1

// route finds the cheapest way of a flow, from the edge of one node to that of the other. It returns nil for none.
func (r *router) route(i int) []int {
	n := 2 * r.cols * r.rows
	s := search{router: r, flow: i, to: r.d.at[r.flows[i].To], best: slices.Repeat([]int{math.MaxInt}, n), before: slices.Repeat([]int{start}, n)}
	for _, p := range r.ports(i, r.flows[i].From) {
		if q := p.point + p.step; r.inside(q) && !r.blocked[q] {
			o := direction(p.step)
			s.visit(q, o, p.cost+s.enter(q, o), 2*p.point+o)
		}
	}
	type arrival struct{ point, step int }
	ends := map[arrival]int{} // costs of the ports, by the way to arrive there
	for _, p := range r.ports(i, r.flows[i].To) {
		ends[arrival{p.point + p.step, -p.step}] = p.cost
	}
	last, end, found := 0, 0, math.MaxInt
	for len(s.open) > 0 {
		top := s.open.pop()
		p, o := top.state/2, top.state%2
		cost := s.best[top.state]
		if top.cost >= found {
			break
		}
		if top.cost > cost+s.estimate(p) {
			continue // a cheaper way was found since
		}
		for _, step := range []int{1, -1, r.cols, -r.cols} {
			next, turn := p+step, s.turn(p, o, direction(step))
			if c, ok := ends[arrival{p, step}]; ok {
				if turn > 0 {
					turn += headCost
				}
				if total := cost + turn + c + stepCost; total < found {
					found, last, end = total, top.state, next
				}
			} else if r.inside(next) && !r.blocked[next] && next != s.before[top.state]/2 {
				s.visit(next, direction(step), cost+turn+s.enter(next, direction(step)), top.state)
			}
		}
	}
	if found == math.MaxInt {
		return nil
	}
	path := []int{end}
	for state := last; state != start; state = s.before[state] {
		path = append(path, state/2)
	}
	slices.Reverse(path)
	return path
}

// inside reports whether a point is in the drawing and not on its edge.
func (r *router) inside(p int) bool {
	return p >= r.cols && p < r.cols*(r.rows-1) && p%r.cols > 0 && p%r.cols < r.cols-1
}

func direction(step int) int {
	if step == 1 || step == -1 {
		return horizontal
	}
	return vertical
}

func (s *search) visit(p, o, cost, previous int) {
	if state := 2*p + o; cost < s.best[state] {
		s.best[state], s.before[state] = cost, previous
		s.open.push(item{cost + s.estimate(p), state})
	}
}

// estimate is at most the cost of the way from a point to the end.
func (s *search) estimate(p int) int {
	q := s.at(p)
	return int((max(s.to.X-q.X, q.X-s.to.right(), 0) + max(s.to.Y-q.Y, q.Y-s.to.bottom(), 0)) / unit)
}

// enter is the cost of a step to a point.
func (s *search) enter(p, o int) int {
	cost := stepCost
	shared, other := s.taken(s.flow, p, o)
	if shared {
		cost = stepCost / 2
	}
	if other {
		cost = stepCost + overlapCost
	}
	if _, across := s.taken(s.flow, p, 1-o); across {
		cost += crossCost
	}
	if s.edge[o][p] {
		cost += edgeCost
	}
	return cost + s.within[p]*withinCost
}

// turn is the cost of a change of direction at a point.
func (s *search) turn(p, from, to int) int {
	if from == to {
		return 0
	}
	if _, other := s.taken(s.flow, p, to); other {
		return bendCost + overlapCost
	}
	return bendCost
}

// use marks the points of an arrow.
func (r *router) use(i int, path []int) {
	for k := 1; k < len(path); k++ {
		o := direction(path[k] - path[k-1])
		for _, p := range path[k-1 : k+1] {
			if !slices.Contains(r.used[o][p], i) {
				r.used[o][p] = append(r.used[o][p], i)
			}
		}
	}
}

// corners lists the ends of a path and the points where it bends.
func (r *router) corners(path []int) []point {
	var all []point
	for k, p := range path {
		if k == 0 || k == len(path)-1 || path[k+1]-p != p-path[k-1] {
			all = append(all, r.at(p))
		}
	}
	return all
}

// chip is the background of an arrow's label.
func chip(l label) box {
	b := l.box()
	return box{b.X - 3, b.Y - 0.5, b.W + 6, b.H + 1}
}

// label puts a flow's label on its arrow, at the place that is the clearest.
func (r *router) label(i int) {
	f, path := r.flows[i], r.paths[i]
	if f.Label == "" {
		return
	}
	// One label for all NAT gateways.
	if f.Kind == "egress" && slices.ContainsFunc(r.flows[:i], func(g flow) bool { return g.Kind == f.Kind && g.From == f.From && g.Label == f.Label }) {
		return
	}
	// And one for arrows that end together, where one is of a cluster: it has many.
	for k, g := range r.flows[:i] {
		if (r.d.holders[f.From] || r.d.holders[g.From]) && g.Kind == f.Kind && g.To == f.To && g.Label == f.Label && joined(r.paths[k], path) {
			return
		}
	}
	l := label{font: portFont, Anchor: "middle", Text: f.Label, Of: f.From + " → " + f.To, Kind: f.Kind}
	best := math.Inf(1)
	var chosen label
	for k := 1; k < len(path)-1; k++ {
		p := r.at(path[k])
		half := l.width(l.Text)/2 + 4
		l.X, l.Y = min(max(p.X, half), r.d.W-half), p.Y+l.size*0.35
		if cost := r.labelCost(i, k, chip(l)); cost < best {
			best, chosen = cost, l
		}
	}
	if math.IsInf(best, 1) {
		return
	}
	r.d.text(chosen)
	b := chip(chosen)
	r.chips = append(r.chips, b)
	r.fill(box{b.X - 2, b.Y, b.W + 4, b.H}, func(p int) {
		for o := range r.used {
			r.used[o][p] = append(r.used[o][p], i)
		}
	})
}

// joined reports whether two paths have their last points in common.
func joined(a, b []int) bool {
	const points = 3
	if len(a) < points || len(b) < points {
		return false
	}
	return slices.Equal(a[len(a)-points:], b[len(b)-points:])
}

// labelCost tells how bad a label is at a point of a path.
func (r *router) labelCost(i, k int, b box) float64 {
	path := r.paths[i]
	cost := 20 * float64(r.within[path[k]])
	cut := func(o box) bool { return b.X < o.right() && o.X < b.right() && b.Y < o.bottom() && o.Y < b.bottom() }
	for _, s := range r.d.Shapes {
		if s.ID != "" && cut(s.box) {
			cost += 1000
		}
		if s.ID == "" && cut(s.box) && (b.X < s.X || b.right() > s.right() || b.Y < s.Y || b.bottom() > s.bottom()) {
			cost += 100 // on the edge of a container
		}
	}
	for _, l := range r.d.Labels {
		if cut(l.box()) {
			cost += 1000
		}
	}
	for _, c := range r.chips {
		if cut(c) {
			cost += 1000
		}
	}
	r.fill(box{b.X - 1, b.Y, b.W + 2, b.H}, func(p int) {
		for o := range r.used {
			shared, other := r.taken(i, p, o)
			if other {
				cost += 500
			}
			if shared && !slices.Contains(path, p) {
				cost += 500 // another branch
			}
		}
	})
	// A bend under the label hides the arrow's way.
	half := b.H/2 + 2
	if direction(path[k]-path[k-1]) == horizontal {
		half = b.W/2 + 2
	}
	n := int(math.Ceil(half / unit))
	for j := k - n; j <= k+n; j++ {
		if j < 1 || j >= len(path)-1 || path[j+1]-path[j] != path[k]-path[k-1] || path[j]-path[j-1] != path[k]-path[k-1] {
			cost += 40
		}
	}
	for _, j := range append(slices.Clone(r.used[horizontal][path[k]]), r.used[vertical][path[k]]...) {
		if j != i {
			cost += 15 // of several arrows
		}
	}
	// Near the arrow's head, without covering it.
	left := len(path) - 1 - k
	if left < 3 {
		cost += 30
	}
	return cost + float64(left)
}

// item is a state of a route's search, with the least cost of a way through it.
type item struct{ cost, state int }

// heap is a binary heap of items, the cheapest first and of equals the one with the lower state, which makes it reproducible.
type heap []item

func (h heap) less(a, b int) bool {
	return h[a].cost < h[b].cost || h[a].cost == h[b].cost && h[a].state < h[b].state
}

func (h *heap) push(i item) {
	*h = append(*h, i)
	for c := len(*h) - 1; c > 0; {
		p := (c - 1) / 2
		if !h.less(c, p) {
			break
		}
		(*h)[c], (*h)[p] = (*h)[p], (*h)[c]
		c = p
	}
}

func (h *heap) pop() item {
	old := *h
	top := old[0]
	n := len(old) - 1
	old[0] = old[n]
	*h = old[:n]
	for p := 0; ; {
		c := 2*p + 1
		if c >= n {
			return top
		}
		if c+1 < n && h.less(c+1, c) {
			c++
		}
		if !h.less(c, p) {
			return top
		}
		(*h)[c], (*h)[p] = (*h)[p], (*h)[c]
		p = c
	}
}
