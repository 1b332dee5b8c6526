package review

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// box is a rectangle in the drawing's units: CSS pixels where the drawing is not scaled.
type box struct{ X, Y, W, H float64 }

func (b box) right() float64  { return b.X + b.W }
func (b box) bottom() float64 { return b.Y + b.H }
func (b box) midX() float64   { return b.X + b.W/2 }
func (b box) midY() float64   { return b.Y + b.H/2 }

type point struct{ X, Y float64 }

// shape is a drawn box.
type shape struct {
	box
	Class string
	ID    string
	// In is the node around it, "" where no node is around it.
	In string
	// Tip is the tooltip, also read by screen readers.
	Tip string
}

type label struct {
	X, Y   float64 // of the baseline
	Size   float64
	Anchor string // start, middle or end
	Class  string
	Text   string
	// Of is the node or flow that the label describes.
	Of string
}

type arrow struct {
	flow
	Points []point
}

// drawing holds the shapes, labels and arrows of an SVG image.
type drawing struct {
	Class, Title, About string
	W, H                float64
	Shapes              []shape
	Labels              []label
	Arrows              []arrow
	at                  map[string]box
}

func newDrawing(class string, w float64) *drawing {
	return &drawing{Class: class, W: w, at: map[string]box{}}
}

// Font sizes and line heights in pixels, and the average width of a character in ems for the widest font in page.css.
const (
	titleSize, titleLine, titleEm = 12.0, 15.0, 0.66
	nameSize, nameLine, nameEm    = 10.5, 13.0, 0.62
	noteSize, noteLine, noteEm    = 10.5, 13.0, 0.60
	padding                       = 8.0
	accent                        = 4.0 // width of a node's colored edge
)

type line struct {
	text, class        string
	size, height, wide float64
}

// lines wraps a node's text to fit a width.
func (n node) lines(w float64) []line {
	w -= 2*padding + accent
	var all []line
	add := func(s, class string, size, height, em float64) {
		for _, part := range wrap(s, chars(w, size, em)) {
			all = append(all, line{part, class, size, height, float64(len([]rune(part))) * size * em})
		}
	}
	add(n.Title, "title", titleSize, titleLine, titleEm)
	add(n.Name, "name", nameSize, nameLine, nameEm)
	for _, s := range n.Notes {
		add(s, "note", noteSize, noteLine, noteEm)
	}
	return all
}

func (n node) height(w float64) float64 {
	h := 2*padding - 2
	for _, l := range n.lines(w) {
		h += l.height
	}
	return h
}

// chars is the number of characters of a font size that fit a width.
func chars(w, size, em float64) int { return int(w / (size * em)) }

// wrap breaks text after spaces, hyphens and slashes into lines of at most n characters. It cuts longer words.
func wrap(s string, n int) []string {
	if s == "" {
		return nil
	}
	n = max(n, 4)
	var lines []string
	current := ""
	flush := func() {
		if t := strings.TrimSpace(current); t != "" {
			lines = append(lines, t)
		}
		current = ""
	}
	for len(s) > 0 {
		i := strings.IndexAny(s, " -/")
		word := s
		if i >= 0 {
			word = s[:i+1]
		}
		s = s[len(word):]
		if len([]rune(strings.TrimRight(current+word, " "))) > n {
			flush()
		}
		for len([]rune(strings.TrimRight(word, " "))) > n {
			r := []rune(word)
			lines, word = append(lines, string(r[:n])), string(r[n:])
		}
		current += word
	}
	flush()
	return lines
}

// node draws a node and returns its box. in is the node around it, "" for none.
func (d *drawing) node(n node, in string, x, y, w float64) box {
	b := box{x, y, w, n.height(w)}
	d.nodeBox(n, in, b)
	d.nodeText(n, x, y, w)
	return b
}

// nodeText draws a node's text without its box.
func (d *drawing) nodeText(n node, x, y, w float64) {
	top := y + padding - 1
	for _, l := range n.lines(w) {
		d.text(label{X: x + padding + accent, Y: top + l.height - 3.5, Size: l.size, Class: l.class, Text: l.text, Of: n.ID})
		top += l.height
	}
}

// nodeBox draws a node's box without its text.
func (d *drawing) nodeBox(n node, in string, b box) {
	d.Shapes = append(d.Shapes, shape{box: b, Class: "node " + n.Kind, ID: n.ID, In: in, Tip: strings.TrimSpace(n.Title + " " + n.Name)})
	d.at[n.ID] = b
}

func (d *drawing) container(class, tip string, b box) {
	d.Shapes = append(d.Shapes, shape{box: b, Class: "container " + class, Tip: tip})
}

func (d *drawing) text(l label) { d.Labels = append(d.Labels, l) }

// arrow draws a flow along points, with its label at the position of l unless l is nil.
func (d *drawing) arrow(f flow, l *label, points ...point) {
	d.Arrows = append(d.Arrows, arrow{f, points})
	if l != nil && f.Label != "" {
		l.Size, l.Class, l.Text, l.Of = noteSize, "port "+f.Kind, f.Label, f.From+" → "+f.To
		d.text(*l)
	}
}

// svg renders the drawing without style attributes, which the page's content security policy does not allow.
func (d *drawing) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="topology %s" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="%s-title %s-about">`,
		d.Class, num(d.W), num(d.H), num(d.W), num(d.H), d.Class, d.Class)
	fmt.Fprintf(&b, "\n<title id=\"%s-title\">%s</title><desc id=\"%s-about\">%s</desc>\n<defs>", d.Class, html.EscapeString(d.Title), d.Class, html.EscapeString(d.About))
	for _, kind := range flowKinds {
		fmt.Fprintf(&b, `<marker id="%s-%s" class="head %s" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0.8 7.4 4 0 7.2z"/></marker>`,
			d.Class, kind, kind)
	}
	b.WriteString("</defs>\n")
	for _, s := range d.Shapes {
		radius := "6"
		if strings.HasPrefix(s.Class, "container") {
			radius = "8"
		}
		fmt.Fprintf(&b, `<g class="%s"`, s.Class)
		if s.ID != "" {
			fmt.Fprintf(&b, ` data-id="%s" data-in="%s"`, html.EscapeString(s.ID), html.EscapeString(s.In))
		}
		fmt.Fprintf(&b, `><title>%s</title><rect class="box" x="%s" y="%s" width="%s" height="%s" rx="%s"/>`,
			html.EscapeString(s.Tip), num(s.X), num(s.Y), num(s.W), num(s.H), radius)
		if s.ID != "" && s.ID != internetID {
			fmt.Fprintf(&b, `<path class="mark" d="M%s %sv%s"/>`, num(s.X+accent/2+1), num(s.Y+6), num(s.H-12))
		}
		b.WriteString("</g>\n")
	}
	for _, a := range d.Arrows {
		var path strings.Builder
		for i, p := range a.Points {
			command := "L"
			if i == 0 {
				command = "M"
			}
			fmt.Fprintf(&path, "%s%s %s", command, num(p.X), num(p.Y))
		}
		fmt.Fprintf(&b, `<path class="flow %s" d="%s" marker-end="url(#%s-%s)" data-from="%s" data-to="%s"/>`+"\n",
			a.Kind, path.String(), d.Class, a.Kind, html.EscapeString(a.From), html.EscapeString(a.To))
	}
	for _, l := range d.Labels {
		anchor := l.Anchor
		if anchor == "" {
			anchor = "start"
		}
		fmt.Fprintf(&b, `<text class="label %s" x="%s" y="%s" font-size="%s" text-anchor="%s" data-of="%s">%s</text>`+"\n",
			l.Class, num(l.X), num(l.Y), num(l.Size), anchor, html.EscapeString(l.Of), html.EscapeString(l.Text))
	}
	b.WriteString("</svg>")
	return b.String()
}

var flowKinds = []string{"request", "admin", "egress", "storage", "event", "key", "attached", "failed"}

// num formats a coordinate with at most one decimal.
func num(f float64) string {
	f = math.Round(f*10) / 10
	if f == math.Trunc(f) {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.1f", f)
}
