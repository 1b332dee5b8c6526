package review

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"cinema-database/internal/plan"
)

// page is all that is shown, ready to be written in either format.
type page struct {
	Project, Stack, Region string
	Placeholders           []string // releases that are not built
	Warnings               []string // what the program logs

	topology    *topology
	Connections []connection
	Matrix      matrix
	ACL         []aclRule
	Public      []entrance
	Cards       []accessCard
	Access      accessMatrix
	Roles       []role
	Components  []componentCounts
	Types       []count
	Total       int
	Protected   []kept
	Outputs     []output
	Estimate    estimate
	Changes     *changes
}

// newPage computes the page of a recording; preview is the same program's, as it is before anything exists.
func newPage(project, stack string, now, preview *plan.Recording) *page {
	v := newView(now)
	p := &page{Project: project, Stack: stack, Region: v.region, topology: v.topology()}
	p.Connections = v.connections()
	p.Matrix = v.matrix(p.Connections)
	p.ACL, p.Public = v.aclRules(), v.public()
	p.Cards, p.Access, p.Roles = v.access()
	p.Components, p.Types, p.Total = v.counts()
	p.Protected, p.Outputs, p.Estimate = v.protected(), v.outputs(preview.Exports, preview.SecretExports), v.estimate()
	for _, l := range now.Logs {
		if l.Severity == "warning" || l.Severity == "error" {
			p.Warnings = append(p.Warnings, l.Message)
		}
	}
	return p
}

func (p *page) compare(r *reference, then, now *plan.Recording) {
	p.Changes = difference(then, now)
	p.Changes.Ref, p.Changes.Commit, p.Changes.Subject = r.Ref, r.Commit, r.Subject
}

func (p *page) render(format string) ([]byte, error) {
	switch format {
	case formatHTML:
		return p.html()
	case formatMD:
		return p.markdown(), nil
	default:
		return nil, fmt.Errorf("review: format %q: neither %s nor %s", format, formatHTML, formatMD)
	}
}

//go:embed page.html
var layout string

//go:embed page.css
var style string

// Open are the entrances that something can come in by.
func (p *page) Open() []entrance {
	var all []entrance
	for _, e := range p.Public {
		if !e.Shut {
			all = append(all, e)
		}
	}
	return all
}

// Wide and Narrow are the drawing for either width.
func (p *page) Wide() template.HTML   { return template.HTML(p.topology.wide().svg()) }
func (p *page) Narrow() template.HTML { return template.HTML(p.topology.narrow().svg()) }

// CSS is the page's only style sheet. Policy allows that and nothing else.
func (p *page) CSS() template.CSS { return template.CSS(style) }

// Policy is the page's content security policy: it loads nothing and runs nothing.
func (p *page) Policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// costGroup is the estimate's lines that belong together.
type costGroup struct {
	Name  string
	USD   float64
	Lines []costLine
}

// Groups are the estimate's lines by what they belong to, in order.
func (e estimate) Groups() []costGroup {
	var all []costGroup
	index := map[string]int{}
	for _, l := range e.Lines {
		i, seen := index[l.Group]
		if !seen {
			i = len(all)
			index[l.Group], all = i, append(all, costGroup{Name: l.Group})
		}
		all[i].USD += l.USD
		all[i].Lines = append(all[i].Lines, l)
	}
	return all
}

// Share is how much of the sum a group is, in percent.
func (g costGroup) Share(sum float64) int {
	if sum == 0 {
		return 0
	}
	return int(100*g.USD/sum + 0.5)
}

func (p *page) PricesRegion() string { return pricesRegion }
func (p *page) PricesAsOf() string   { return pricesAsOf }
func (p *page) Hours() int           { return hoursPerMonth }

var functions = template.FuncMap{
	"dollars": dollars,
	"signed": func(f float64) string {
		if f >= 0 {
			return "+" + dollars(f)
		}
		return dollars(f)
	},
	"join":  strings.Join,
	"short": short,
	"host": func(url string) string {
		url = strings.TrimPrefix(url, "https://")
		return strings.TrimSuffix(url, "/")
	},
	"minus":  func(a, b float64) float64 { return a - b },
	"plural": counted,
	// breaks lets long names break after the characters that join their words.
	"breaks": func(s string) template.HTML {
		s = template.HTMLEscapeString(s)
		return template.HTML(strings.NewReplacer("/", "/<wbr>", ":", ":<wbr>", ".", ".<wbr>", "_", "_<wbr>").Replace(s))
	},
}

func (p *page) html() ([]byte, error) {
	t, err := template.New("page").Funcs(functions).Parse(layout)
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	return b.Bytes(), nil
}
