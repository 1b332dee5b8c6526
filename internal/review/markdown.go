package review

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxComment is the length of the longest comment that GitHub takes, in characters.
const maxComment = 65536

// markdown renders the page as Markdown. With changes it is a comment on a pull request: the verdict first, details folded,
// and no longer than GitHub takes.
func (p *page) markdown() []byte {
	if p.Changes != nil {
		return p.comment()
	}
	m := &md{}
	p.opening(m)
	for _, s := range p.sections() {
		m.printf("\n## %s\n\n%s", s.title, s.text)
	}
	m.printf("\n%s", footnote)
	return []byte(m.String())
}

const footnote = "Computed from the program, without an AWS account. Logical names replace the ids, ARNs and physical names of AWS.\n"

// section is a part of the Markdown page.
type section struct{ title, text string }

// opening is the title, and what a reader must know of the rest.
func (p *page) opening(m *md) {
	m.printf("# %s %s: review\n\n", p.Project, p.Stack)
	if c := p.Changes; c != nil {
		m.printf("**%s.**\n\n", c.Verdict)
	}
	m.printf("%d resources in %s, %s, %d protected or retained, an estimated %s per month.\n\n",
		p.Total, p.Region, counted(len(p.Open()), "public entry point"), len(p.Protected), dollars(p.Estimate.USD))
	for _, w := range p.Warnings {
		m.printf("> **Program warning:** %s\n\n", cell(w))
	}
	if len(p.Placeholders) > 0 {
		m.printf("> **Placeholders:** the binaries %s are not built, so placeholders replace them and the digests differ from those of a deployment. `make app` builds them.\n\n",
			strings.Join(p.Placeholders, ", "))
	}
}

// sections are the parts of the page after the changes, the most telling ones first.
func (p *page) sections() (all []section) {
	for _, s := range []struct {
		title string
		write func(*md)
	}{
		{"Topology", func(m *md) { m.topology(p.topology) }},
		{"What is public", func(m *md) { m.public(p) }},
		{"Traffic", func(m *md) { m.traffic(p) }},
		{"Access", func(m *md) { m.access(p) }},
		{"Estimated cost per month", func(m *md) { m.cost(p) }},
		{"Inventory", func(m *md) { m.inventory(p) }},
		{"Outputs", func(m *md) { m.outputs(p) }},
	} {
		m := &md{}
		s.write(m)
		all = append(all, section{s.title, m.String()})
	}
	return all
}

// comment renders the changes, and as much of the rest as a comment holds.
func (p *page) comment() []byte {
	m := &md{}
	p.opening(m)
	m.changes(p.Changes)
	const end = "\n%sThe HTML page has the whole review. " + footnote
	room := maxComment - m.Len() - len(end)
	var left []string
	for _, s := range append(p.Changes.details(), p.sections()...) {
		left = append(left, s.title)
		room -= len(s.title) + len(", ") // of the list of what is left out
	}
	for _, s := range append(p.Changes.details(), p.sections()...) {
		folded := fmt.Sprintf("<details><summary>%s</summary>\n\n%s\n</details>\n\n", s.title, s.text)
		if len(folded) > room {
			continue
		}
		m.WriteString(folded)
		room -= len(folded)
		left = slices.DeleteFunc(left, func(title string) bool { return title == s.title })
	}
	note := ""
	if len(left) > 0 {
		note = "Left out, as a comment holds no more: " + strings.Join(left, ", ") + ". "
	}
	m.printf(end, note)
	return []byte(m.String())
}

func (m *md) inventory(p *page) {
	m.table("Component", "Resources", "By type")
	for _, c := range p.Components {
		var parts []string
		for _, t := range c.Types {
			parts = append(parts, fmt.Sprintf("%d %s", t.N, short(t.What)))
		}
		m.row(code(c.Name)+" "+c.Type, fmt.Sprint(c.Total), strings.Join(parts, ", "))
	}
	m.printf("\n### By type\n\n")
	m.table("Type", "Count")
	for _, t := range p.Types {
		m.row(code(t.What), fmt.Sprint(t.N))
	}
	m.printf("\n### Protected or retained\n\n")
	if len(p.Protected) == 0 {
		m.printf("None: destroying the stack deletes everything.\n")
		return
	}
	m.table("Resource", "Type", "Protection")
	for _, k := range p.Protected {
		m.row(code(k.Name), short(k.Type), k.How)
	}
}

func (m *md) outputs(p *page) {
	m.table("Output", "Value")
	for _, o := range p.Outputs {
		m.row(code(o.Name), o.Value)
	}
}

type md struct{ strings.Builder }

func (m *md) printf(format string, args ...any) { fmt.Fprintf(m, format, args...) }

func (m *md) table(heads ...string) {
	m.printf("| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat(" --- |", len(heads)))
}

func (m *md) row(cells ...string) {
	for i := range cells {
		cells[i] = cell(cells[i])
	}
	m.printf("| %s |\n", strings.Join(cells, " | "))
}

// cell escapes text for a table cell.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;", ">", "&gt;").Replace(s)
}

func code(s string) string { return "`" + s + "`" }

func codes(list []string) string {
	var all []string
	for _, s := range list {
		all = append(all, code(s))
	}
	return strings.Join(all, " ")
}

// shortList is the number of rows that a comment shows of a list.
const shortList = 20

// changes writes what an update does, without its steps.
func (m *md) changes(c *changes) {
	m.printf("## What will happen\n\n")
	if c.Planned {
		m.printf("The steps are those of the engine's preview, from what is deployed.")
	} else {
		m.printf("Replacements that follow from new ids are not listed; with `--plan` they are.")
	}
	if c.Ref != "" {
		m.printf(" %s with %s, commit `%s`, %s.", c.With(), c.Ref, c.Commit, cell(c.Subject))
	}
	if !c.Compared && len(c.Problems) == 0 {
		m.printf(" The plan leaves out what stays the same, so what the update opens, allows and costs is not known: preview with `--show-sames`.")
	}
	if c.StandIns && !c.Planned {
		m.printf(" That commit's review has stand-ins for its binaries, so what its releases replace is in the steps only with `--plan`.")
	}
	m.printf("\n\n")
	for _, e := range c.Effects[:min(len(c.Effects), shortList)] {
		m.printf("- %s\n", cut(cell(e.Text), maxEffect))
	}
	m.more(len(c.Effects), "effect")
	if c.Compared {
		m.printf("\n## Cost\n\n**%s → %s per month (%s).**\n\n", dollars(c.Before), dollars(c.After), signed(c.Difference()))
		if len(c.Cost) > 0 {
			m.table("Item", "Before", "After", "Difference")
			for _, e := range c.Cost[:min(len(c.Cost), shortList)] {
				m.row(e.What(), dollars(e.Before), dollars(e.After), signed(e.Difference()))
			}
			m.more(len(c.Cost), "row")
		}
	}
	for _, t := range c.Tables() {
		m.printf("\n## %s\n\n", t.Title)
		m.table(append([]string{""}, t.Heads...)...)
		for _, r := range t.Rows[:min(len(t.Rows), shortList)] {
			cells := []string{r.Sign()}
			for _, text := range r.Cells {
				cells = append(cells, cut(text, maxCell))
			}
			m.row(cells...)
		}
		m.more(len(t.Rows), "row")
	}
	m.printf("\n")
}

// more says that a list is longer than what it shows.
func (m *md) more(length int, what string) {
	if n := length - shortList; n > 0 {
		m.printf("\nAnd %s.\n", counted(n, "more "+what))
	}
}

// The longest texts of a comment, in bytes, so that its unfolded part always has room.
const (
	maxEffect = 600
	maxCell   = 100
)

// cut shortens a text at a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// details are the folded parts of a comment: the steps, worst first, and the outputs.
func (c *changes) details() (all []section) {
	const most = 25000 // bytes: more steps than that are read on the HTML page
	if len(c.Steps) > 0 {
		m := &md{}
		m.table("Step", "Resource", "Input", "Before", "After")
		for i, s := range c.Steps {
			if m.Len() > most {
				m.printf("\nAnd %s.\n", counted(len(c.Steps)-i, "more step"))
				break
			}
			op, name := s.Op, code(s.Name)+" "+short(s.Type)
			if s.Op == opReplace || s.Op == opDelete {
				op = "**" + op + "**"
			}
			for _, why := range []string{s.Reason(), s.Note()} {
				if why != "" {
					name += " (" + why + ")"
				}
			}
			if len(s.Edits) == 0 {
				m.row(op, name, "", "", "")
			}
			for _, e := range s.Edits[:min(len(s.Edits), shortList)] {
				m.row(op, name, code(e.Path), e.Before, e.After)
				op, name = "", ""
			}
			if n := len(s.Edits) - shortList; n > 0 {
				m.row("", "", fmt.Sprintf("and %d more", n), "", "")
			}
		}
		all = append(all, section{counted(len(c.Steps), "step") + ": " + c.Summary(), m.String()})
	}
	if len(c.Outputs) > 0 {
		m := &md{}
		m.table("Output", "Before", "After")
		for _, e := range c.Outputs {
			m.row(code(e.Path), e.Before, e.After)
		}
		all = append(all, section{counted(len(c.Outputs), "output"), m.String()})
	}
	return all
}

func (m *md) topology(t *topology) {
	if d := t.Distribution; d != nil {
		m.printf("%s %s, %s", d.Title, code(d.Name), strings.Join(d.Notes, ", "))
		if f := t.Firewall; f != nil {
			m.printf(", with firewall %s, which %s", code(f.Name), strings.Join(f.Notes, ", "))
		}
		m.printf("\n\n")
		for _, f := range t.Flows {
			if f.From == d.ID {
				m.printf("- to %s on port %s\n", code(f.To), f.Label)
			}
		}
		m.printf("\n")
	}
	for _, d := range t.Fronts {
		m.printf("%s %s, %s\n\n", d.Title, code(d.Name), strings.Join(d.Notes, ", "))
	}
	m.printf("VPC `%s` %s", t.VPC, t.CIDR)
	if t.Gateway != nil {
		m.printf(", internet gateway `%s`", t.Gateway.Name)
	}
	m.printf("\n\n")
	m.table(append([]string{"Tier"}, t.Zones...)...)
	for _, tr := range t.Tiers {
		first := "**" + tr.Name + "** " + tr.Route
		for _, s := range tr.Spans {
			notes := strings.Join(s.Notes, ", ")
			for _, n := range s.Inside {
				notes += "; " + n.Title + " " + code(n.Name) + ": " + strings.Join(n.Notes, ", ")
			}
			first += "; " + s.Title + " " + code(s.Name) + " (" + strings.TrimPrefix(notes, "; ") + ")"
		}
		for _, e := range tr.Endpoints {
			first += "; " + e.Title + " " + code(e.Name)
			if len(e.Notes) > 0 {
				first += " (" + strings.Join(e.Notes, ", ") + ")"
			}
		}
		cells := []string{first}
		for z, s := range tr.Subnets {
			if s == nil {
				cells = append(cells, "")
				continue
			}
			parts := []string{code(s.Name) + " " + s.CIDR}
			for _, sp := range tr.Spans {
				if sp.Each != nil && sp.Each[z] != nil {
					parts = append(parts, sp.Each[z].Title+" "+strings.Join(sp.Each[z].Notes, " "))
				}
			}
			for _, n := range s.Nodes {
				parts = append(parts, strings.TrimSpace(n.Title+" "+code(n.Name)+" "+strings.Join(n.Notes, " ")))
			}
			cells = append(cells, strings.Join(parts, "; "))
		}
		m.row(cells...)
	}
	m.printf("\nOutside the VPC:\n\n")
	for _, r := range t.Side {
		var parts []string
		if r.Bucket != nil {
			parts = append(parts, strings.TrimSpace(r.Bucket.Title+" "+code(r.Bucket.Name)+" "+strings.Join(r.Bucket.Notes, " ")))
		}
		for _, s := range r.Satellites {
			parts = append(parts, s.Title+" "+code(s.Name))
		}
		m.printf("- %s\n", strings.Join(parts, ", "))
	}
	for _, g := range t.Groups {
		var parts []string
		for _, n := range g.Nodes {
			parts = append(parts, strings.TrimSpace(n.Title+" "+code(n.Name)+" "+strings.Join(n.Notes, ", ")))
		}
		m.printf("- %s: %s\n", g.Name, strings.Join(parts, "; "))
	}
	m.printf("\n")
}

func (m *md) public(p *page) {
	if open := p.Open(); len(open) > 0 {
		m.table("Resource", "Kind", "Access", "Reason", "Protection")
		for _, e := range open {
			m.row(code(e.Name), e.Kind, e.Open, e.Why, strings.Join(e.Protection, "; "))
		}
	} else {
		m.printf("Nothing accepts connections from outside.\n")
	}
	if closed := p.Closed(); len(closed) > 0 {
		m.printf("\n### Public, without inbound connections\n\n")
		m.table("Resource", "Kind", "Access", "Reason")
		for _, e := range closed {
			m.row(code(e.Name), e.Kind, e.Open, e.Why)
		}
	}
}

func (m *md) traffic(p *page) {
	m.printf("The connections that the security group rules allow, with their ports. Everything else is blocked.\n\n")
	m.table(append([]string{"From ↓ to →"}, p.Matrix.To...)...)
	for i, f := range p.Matrix.From {
		m.row(append([]string{f}, p.Matrix.Cells[i]...)...)
	}
	m.printf("\n")
	m.table("From", "To", "Port", "Reason", "Rules")
	for _, c := range p.Connections {
		reason := c.Why
		if c.Blocked != "" {
			reason += " **" + c.Blocked + "**"
		}
		m.row(c.From.Name, c.To.Name, c.Protocol+" "+c.Port, reason, codes(c.Rules))
	}
	if len(p.ACL) > 0 {
		m.printf("\n### Network ACLs\n\n")
		m.table("ACL", "No.", "Direction", "Network", "Port", "Action")
		for _, r := range p.ACL {
			m.row(code(r.ACL), fmt.Sprint(r.Number), r.Direction, r.Network, r.Port, r.Action)
		}
	}
}

func (m *md) access(p *page) {
	m.printf("From the IAM policies, the resource policies and the endpoint policies. A denial overrides every grant.\n\n")
	m.table(append([]string{"Principal"}, p.Access.Resources...)...)
	for i, principal := range p.Access.Principals {
		m.row(append([]string{code(principal)}, p.Access.Cells[i]...)...)
	}
	for _, c := range p.Cards {
		m.printf("\n### `%s` (%s)\n\n", c.Name, c.Kind)
		m.table("Principal", "Action", "Resource", "Condition", "Policy")
		for _, g := range c.Grants {
			effect := "allow "
			switch {
			case g.Denied:
				effect = "**deny** "
			case g.Boundary:
				effect = "limited to "
			}
			conditions := "none"
			if len(g.Conditions) > 0 {
				conditions = strings.Join(g.Conditions, "; ")
			}
			m.row(codes(g.Principals), effect+strings.Join(g.Verbs, ", ")+" ("+strings.Join(g.Actions, " ")+")", codes(g.Paths), conditions, strings.TrimSpace(code(g.Source)+" "+g.Sid))
		}
	}
	m.printf("\n### Roles and their other permissions\n\n")
	m.table("Role", "Assumed by", "Other permissions")
	for _, r := range p.Roles {
		var others []string
		for _, g := range r.Other {
			var targets []string
			for _, t := range g.Targets {
				targets = append(targets, t.Text)
			}
			s := strings.Join(g.Actions, " ") + " on " + strings.Join(targets, " ")
			if g.Denied {
				s = "**deny** " + s
			}
			if len(g.Conditions) > 0 {
				s += " if " + strings.Join(g.Conditions, " and ")
			}
			others = append(others, s+" ("+code(g.Source)+")")
		}
		if len(others) == 0 {
			others = []string{"none"}
		}
		m.row(code(r.Name)+" "+r.Description, strings.Join(append(r.AssumedBy, r.Conditions...), " "), strings.Join(others, "; "))
	}
}

func (m *md) cost(p *page) {
	e := p.Estimate
	m.printf("**%s** for %d hours, of which %s does not depend on usage. On-demand prices of %s of %s, without tax; free tiers are not deducted, except CloudFront's.",
		dollars(e.USD), hoursPerMonth, dollars(e.Fixed), pricesRegion, pricesAsOf)
	if p.Region != pricesRegion {
		m.printf(" **The stack is in %s, where prices differ. This estimate is for %s.**", p.Region, pricesRegion)
	}
	if e.Maximum != "" {
		m.printf(" %s.", e.Maximum)
	}
	m.printf("\n\n")
	if len(e.Unknown) > 0 {
		m.printf("> **Not included:** %s.\n\n", cell(strings.Join(e.Unknown, "; ")))
	}
	m.table("Item", "Quantity", "Price", "Assumption", "Per month")
	for _, g := range e.Groups() {
		m.row("**"+g.Name+"**", "", "", "", "**"+dollars(g.USD)+"**")
		for _, l := range g.Lines {
			usd, price := dollars(l.USD), l.Price
			if l.Unknown != "" {
				usd = l.Unknown
			}
			if l.Source != "" {
				price = strings.TrimPrefix(price+", "+l.Source, ", ")
			}
			m.row(l.What, l.Quantity, price, l.Assumption, usd)
		}
	}
	m.row("**Total**", "", "", "", "**"+dollars(e.USD)+"**")
}
