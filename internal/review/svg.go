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
	// Mark is what a change does to the resource, "" for nothing.
	Mark string
}

type label struct {
	X, Y   float64 // of the baseline
	Anchor string  // start or middle
	font
	Text string
	// Of is the node or flow that the label describes.
	Of string
	// Kind is the flow's kind, for the label of an arrow. Such a label has a background and is on its arrow.
	Kind string
}

// box is the room that the label takes.
func (l label) box() box {
	w := l.width(l.Text)
	b := box{l.X, l.Y - l.size, w, l.size * 1.3}
	if l.Anchor == "middle" {
		b.X -= w / 2
	}
	return b
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
	holders             map[string]bool // nodes with nodes in them
}

func newDrawing(class string, w float64) *drawing {
	return &drawing{Class: class, W: w, at: map[string]box{}, holders: map[string]bool{}}
}

// font is a class of text in page.css, in pixels.
type font struct {
	class        string
	size, height float64 // height is that of a line
	mono, bold   bool
}

var (
	tierFont  = font{class: "title", size: 13, height: 16, bold: true}
	titleFont = font{class: "title", size: 12, height: 15, bold: true}
	nameFont  = font{class: "name", size: 10.5, height: 13, mono: true}
	cidrFont  = font{class: "cidr", size: 10.5, height: 13, mono: true}
	noteFont  = font{class: "note", size: 10.5, height: 13}
	portFont  = font{class: "port", size: 10.5, height: 13, bold: true}
)

// markFont is the font of a mark.
func markFont(mark string) font {
	return font{class: "mark-text mark-" + mark, size: 10.5, height: 13, bold: true}
}

const (
	padding = 8.0
	accent  = 4.0 // width of a node's colored edge
)

// width is the width of a text in the widest font that page.css names, DejaVu Sans.
func (f font) width(s string) float64 {
	ems := 0.0
	for _, r := range s {
		switch {
		case f.mono:
			ems += 0.605
		case strings.ContainsRune("ijl.,:;'|! ", r):
			ems += 0.36
		case strings.ContainsRune("frt()[]/-\"", r):
			ems += 0.45
		case strings.ContainsRune("mwMW@%–×→", r):
			ems++
		case 'A' <= r && r <= 'Z':
			ems += 0.78
		default:
			ems += 0.64
		}
	}
	if f.bold {
		ems *= 1.1
	}
	return ems * f.size
}

type line struct {
	font
	text string
}

// lines wraps a node's text to fit a width.
func (n node) lines(w float64) []line {
	w -= 2*padding + accent
	var all []line
	add := func(s string, f font) {
		for _, part := range wrap(s, w, f) {
			all = append(all, line{f, part})
		}
	}
	add(n.Mark, markFont(n.Mark))
	add(n.Title, titleFont)
	add(n.Name, nameFont)
	for _, s := range n.Notes {
		add(s, noteFont)
	}
	return all
}

// height is the height of a node's box.
func (n node) height(w float64) float64 {
	h := 2*padding - 2
	for _, l := range n.lines(w) {
		h += l.height
	}
	return up(h)
}

// wrap breaks text into lines that fit a width: at spaces, and within words that do not fit after punctuation. A longer
// part of a word has a line of its own.
func wrap(s string, w float64, f font) []string {
	var lines []string
	current := ""
	add := func(part, space string) {
		if current != "" && f.width(current+space+part) > w {
			lines, current = append(lines, current), ""
		}
		if current != "" {
			current += space
		}
		current += part
	}
	for _, word := range strings.Fields(s) {
		if f.width(word) <= w {
			add(word, " ")
			continue
		}
		for space := " "; word != ""; space = "" {
			part := word
			if i := strings.IndexAny(word, breakable); i >= 0 {
				part = word[:i+1]
			}
			add(part, space)
			word = word[len(part):]
		}
	}
	if current != "" {
		lines = append(lines, current)
	}
	return lines
}

// breakable is the punctuation after which a word may break.
const breakable = "-/.,:;_@"

// node draws a node and returns its box, which is as high as its text where b has no height. in is the node around it, ""
// for none.
func (d *drawing) node(n node, in string, b box) box {
	if b.H == 0 {
		b.H = n.height(b.W)
	}
	d.nodeBox(n, in, b)
	d.nodeText(n, b.X, b.Y, b.W)
	return b
}

// nodeText draws a node's text without its box. A line that is too wide, of one long word, is set smaller.
func (d *drawing) nodeText(n node, x, y, w float64) {
	top := y + padding - 1
	for _, l := range n.lines(w) {
		f := l.font
		if room := w - 2*padding - accent; f.width(l.text) > room {
			f.size *= room / f.width(l.text)
		}
		d.text(label{X: x + padding + accent, Y: top + l.height - 3.5, font: f, Text: l.text, Of: n.ID})
		top += l.height
	}
}

// nodeBox draws a node's box without its text.
func (d *drawing) nodeBox(n node, in string, b box) {
	d.Shapes = append(d.Shapes, shape{box: b, Class: "node " + n.Kind, Mark: n.Mark, ID: n.ID, In: in, Tip: strings.TrimSpace(n.Title + " " + n.Name)})
	d.at[n.ID] = b
}

// container draws a box around nodes and returns its index in d.Shapes.
func (d *drawing) container(class, tip, mark string, b box) int {
	d.Shapes = append(d.Shapes, shape{box: b, Class: "container " + class, Mark: mark, Tip: tip})
	return len(d.Shapes) - 1
}

func (d *drawing) text(l label) { d.Labels = append(d.Labels, l) }

// svg renders the drawing without style attributes, which the page's content security policy does not allow.
func (d *drawing) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="topology %s" viewBox="-1 -1 %s %s" width="%s" height="%s" role="img" aria-labelledby="%s-title %s-about">`,
		d.Class, num(d.W+2), num(d.H+2), num(d.W+2), num(d.H+2), d.Class, d.Class)
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
		class, tip := s.Class, s.Tip
		if s.Mark != "" {
			class, tip = class+" marked mark-"+s.Mark, s.Mark+": "+tip
		}
		fmt.Fprintf(&b, `<g class="%s"`, class)
		if s.ID != "" {
			fmt.Fprintf(&b, ` data-id="%s" data-in="%s"`, html.EscapeString(s.ID), html.EscapeString(s.In))
		}
		fmt.Fprintf(&b, `><title>%s</title><rect class="box" x="%s" y="%s" width="%s" height="%s" rx="%s"/>`,
			html.EscapeString(tip), num(s.X), num(s.Y), num(s.W), num(s.H), radius)
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
		anchor, class := l.Anchor, l.class
		if anchor == "" {
			anchor = "start"
		}
		if l.Kind != "" {
			r := chip(l)
			fmt.Fprintf(&b, `<rect class="chip" x="%s" y="%s" width="%s" height="%s" rx="3"/>`, num(r.X), num(r.Y), num(r.W), num(r.H))
			class += " " + l.Kind
		}
		fmt.Fprintf(&b, `<text class="label %s" x="%s" y="%s" font-size="%s" text-anchor="%s" data-of="%s">%s</text>`+"\n",
			class, num(l.X), num(l.Y), num(l.size), anchor, html.EscapeString(l.Of), html.EscapeString(l.Text))
	}
	b.WriteString("</svg>")
	return b.String()
}

var flowKinds = []string{"request", "admin", "egress", "storage", "event", "key", "attached", "failed", "copy"}

// num formats a coordinate with at most one decimal.
func num(f float64) string {
	f = math.Round(f*10) / 10
	if f == math.Trunc(f) {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.1f", f)
}
