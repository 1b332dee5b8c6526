package review

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"cinema-database/internal/plan"
)

// page is the content of the page, for either format.
type page struct {
	Project, Stack, Region string
	Placeholders           []string // names of binaries that are not built
	Warnings               []string // the program's logged warnings and errors

	view        *view // of the program's resources
	topology    *topology
	drawn       *topology // topology with the marks of a change, nil for none
	Connections []connection
	Matrix      matrix
	ACL         []aclRule
	Public      []publicResource
	Cards       []accessCard
	Access      accessMatrix
	Roles       []role
	Components  []componentCounts
	Types       []count
	Total       int
	Protected   []protectedResource
	Outputs     []output
	Estimate    estimate
	Changes     *changes
}

// newPage computes the page of a recording. preview is a recording of the same program before its first deployment.
func newPage(project, stack string, deployed, preview *plan.Recording) *page {
	v := newView(deployed)
	p := &page{Project: project, Stack: stack, Region: v.region, view: v, topology: v.topology()}
	p.Connections = v.connections()
	p.Matrix = v.matrix(p.Connections)
	p.ACL, p.Public = v.aclRules(), v.public()
	p.Cards, p.Access, p.Roles = v.access()
	p.Components, p.Types, p.Total = v.counts()
	p.Protected, p.Outputs, p.Estimate = v.protected(), v.outputs(preview.Exports, preview.SecretExports), v.estimate()
	for _, l := range deployed.Logs {
		if l.Severity == "warning" || l.Severity == "error" {
			p.Warnings = append(p.Warnings, l.Message)
		}
	}
	return p
}

// compare fills in what the update does: by the engine's plan, by the comparison with another commit, or by both. Each may be nil.
func (p *page) compare(ctx context.Context, planned *enginePlan, s *sides) (err error) {
	now := p.view
	var c *changes
	if s != nil {
		c = difference(newView(s.before.Recording), now)
		c.Ref, c.Commit, c.Subject, c.StandIns = s.Ref, s.Commit, s.Subject, !s.before.Built
		if c.Releases, err = s.releasesOf(ctx, s.before.digests, digests(s.dir, s.arch)); err != nil {
			return err
		}
	}
	if planned != nil {
		engine, err := planned.changes(now)
		if err != nil {
			return err
		}
		if c != nil {
			// The engine knows what is deployed, which another commit may not be. The commit adds releases and outputs.
			engine.Ref, engine.Commit, engine.Subject, engine.StandIns = c.Ref, c.Commit, c.Subject, c.StandIns
			engine.Releases, engine.Outputs = c.Releases, c.Outputs
			if !engine.Compared {
				engine.comparison = c.comparison
			}
		}
		c = engine
	}
	if c == nil {
		return nil
	}
	c.judge(now)
	p.Changes = c
	var then *topology
	if c.then != nil {
		then = c.then.topology()
	}
	p.drawn = now.topology()
	p.drawn.mark(c.marks(), then)
	return nil
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

// Open lists the public resources that accept connections.
func (p *page) Open() []publicResource { return p.public(false) }

// Closed lists the public resources that accept no connection.
func (p *page) Closed() []publicResource { return p.public(true) }

func (p *page) public(closed bool) (all []publicResource) {
	for _, e := range p.Public {
		if e.Closed == closed {
			all = append(all, e)
		}
	}
	return all
}

// drawing is the topology that the page draws.
func (p *page) drawing() *topology { return cmp.Or(p.drawn, p.topology) }

// Wide and Narrow are the drawings for desktops and phones. The style sheet shows one of them.
func (p *page) Wide() template.HTML   { return template.HTML(p.drawing().wide().svg()) }
func (p *page) Narrow() template.HTML { return template.HTML(p.drawing().narrow().svg()) }

func (p *page) Legend() []legendEntry { return p.drawing().legend() }

// CSS is the page's only style sheet, the only one that Policy allows.
func (p *page) CSS() template.CSS { return template.CSS(style) }

// Policy is the page's content security policy: no scripts, and nothing is loaded.
func (p *page) Policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

type costGroup struct {
	Name  string
	USD   float64
	Lines []costLine
}

// Groups groups the estimate's lines, in their order.
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

// Share is the group's share of the total, in percent.
func (g costGroup) Share(sum float64) int {
	if sum == 0 {
		return 0
	}
	return int(100*g.USD/sum + 0.5)
}

func (p *page) PricesRegion() string { return pricesRegion }
func (p *page) PricesAsOf() string   { return pricesAsOf }
func (p *page) Hours() int           { return hoursPerMonth }

var nameWord = regexp.MustCompile(`([a-z0-9])([A-Z])`)

var functions = template.FuncMap{
	"dollars": dollars,
	"signed":  signed,
	"join":    strings.Join,
	"short":   short,
	"host": func(url string) string {
		url = strings.TrimPrefix(url, "https://")
		return strings.TrimSuffix(url, "/")
	},
	"plural": counted,
	// breaks allows line breaks in long names: after punctuation, and before the words of names such as GetObject.
	"breaks": func(s string) template.HTML {
		s = nameWord.ReplaceAllString(template.HTMLEscapeString(s), "$1<wbr>$2")
		return template.HTML(strings.NewReplacer("/", "/<wbr>", ":", ":<wbr>", ".", ".<wbr>", "_", "_<wbr>").Replace(s))
	},
}

// signed formats a difference of amounts.
func signed(f float64) string {
	if f >= 0 {
		return "+" + dollars(f)
	}
	return dollars(f)
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
