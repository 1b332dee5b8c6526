package review

import (
	"fmt"
	"strings"
)

// markdown writes the page for places that show no HTML, such as a pull request's comments.
func (p *page) markdown() []byte {
	m := &md{}
	m.printf("# %s %s: review\n\n", p.Project, p.Stack)
	m.printf("%d resources in %s, %d ways in from outside, %d protected or kept, %s a month (estimate).\n\n",
		p.Total, p.Region, len(p.Open()), len(p.Protected), dollars(p.Estimate.USD))
	for _, w := range p.Warnings {
		m.printf("> **Warning of the program:** %s\n\n", cell(w))
	}
	if len(p.Placeholders) > 0 {
		m.printf("> **Placeholders:** the binaries %s are not built into this program, so stand-ins take their place: digests of releases are not the real ones. `make app` builds them.\n\n",
			strings.Join(p.Placeholders, ", "))
	}
	if p.Changes != nil {
		m.changes(p.Changes)
	}
	m.topology(p.topology)
	m.printf("## What is public, and why\n\n")
	m.table("What", "Kind", "Open from outside", "Why")
	for _, e := range p.Public {
		m.row(code(e.Name), e.Kind, e.Open, e.Why)
	}
	m.traffic(p)
	m.access(p)
	m.cost(p)
	m.printf("\n## Inventory\n\n")
	m.table("Component", "Resources", "Of which")
	for _, c := range p.Components {
		var parts []string
		for _, t := range c.Types {
			parts = append(parts, fmt.Sprintf("%d %s", t.N, short(t.What)))
		}
		m.row(code(c.Name)+" "+c.Type, fmt.Sprint(c.Total), strings.Join(parts, ", "))
	}
	m.printf("\n### By type\n\n")
	m.table("Type", "Number")
	for _, t := range p.Types {
		m.row(code(t.What), fmt.Sprint(t.N))
	}
	m.printf("\n### Protected or kept\n\n")
	if len(p.Protected) == 0 {
		m.printf("Nothing: destroying the stack removes everything.\n")
	} else {
		m.table("What", "Type", "How")
		for _, k := range p.Protected {
			m.row(code(k.Name), short(k.Type), k.How)
		}
	}
	m.printf("\n## Outputs\n\n")
	m.table("Output", "Value")
	for _, o := range p.Outputs {
		m.row(code(o.Name), o.Value)
	}
	m.printf("\nComputed from the program alone: no account was asked. Ids that AWS gives are shown by their logical names.\n")
	return []byte(m.String())
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

// cell keeps text from breaking a table or becoming markup.
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

func (m *md) changes(c *changes) {
	m.printf("## Changes since %s\n\nCompared with commit `%s`, %s. Binaries are not in git, so releases are left out of the comparison. What follows from a replacement (new ids) is not followed.\n\n",
		c.Ref, c.Commit, cell(c.Subject))
	if c.None() {
		m.printf("Nothing that is registered differs.\n\n")
		return
	}
	difference := dollars(c.Difference())
	if c.Difference() >= 0 {
		difference = "+" + difference
	}
	m.printf("%d added, %d changed (%d of these replaced), %d removed, %s a month.\n\n", len(c.Added), len(c.Changed), c.Replaced(), len(c.Removed), difference)
	for _, l := range []struct {
		title string
		list  []named
	}{{"Added", c.Added}, {"Removed", c.Removed}} {
		if len(l.list) == 0 {
			continue
		}
		m.printf("### %s\n\n", l.title)
		for _, n := range l.list {
			m.printf("- %s %s", code(n.Name), short(n.Type))
			if n.Lost != "" {
				m.printf(" — **%s**", n.Lost)
			}
			m.printf("\n")
		}
		m.printf("\n")
	}
	if len(c.Changed) > 0 {
		m.printf("### Changed\n\n")
		m.table("Resource", "Input", "Before", "After")
		for _, r := range c.Changed {
			name := code(r.Name) + " " + short(r.Type)
			if len(r.Replaces) > 0 {
				name += " **replaced** (" + strings.Join(r.Replaces, ", ") + " cannot change in place)"
			}
			for _, e := range r.Edits {
				m.row(name, code(e.Path), e.Before, e.After)
				name = ""
			}
		}
		m.printf("\n")
	}
	if len(c.Outputs) > 0 {
		m.printf("### Outputs\n\n")
		m.table("Output", "Before", "After")
		for _, e := range c.Outputs {
			m.row(code(e.Path), e.Before, e.After)
		}
		m.printf("\n")
	}
	if len(c.Cost) > 0 {
		m.printf("### Cost\n\n")
		m.table("Line", "Before", "After")
		for _, e := range c.Cost {
			m.row(e.What, dollars(e.Before), dollars(e.After))
		}
		m.printf("\n")
	}
}

func (m *md) topology(t *topology) {
	m.printf("## Topology\n\nVPC `%s` %s", t.VPC, t.CIDR)
	if t.Gateway != nil {
		m.printf(", internet gateway `%s`", t.Gateway.Name)
	}
	m.printf("\n\n")
	m.table(append([]string{"Tier"}, t.Zones...)...)
	for _, tr := range t.Tiers {
		first := "**" + tr.Name + "** " + tr.Way
		for _, s := range tr.Spans {
			first += "; " + s.Title + " " + code(s.Name) + " (" + strings.Join(s.Notes, ", ") + ")"
		}
		for _, e := range tr.Endpoints {
			first += "; " + e.Title + " " + code(e.Name)
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
	m.printf("\nBeside the VPC:\n\n")
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
	m.printf("\n")
}

func (m *md) traffic(p *page) {
	m.printf("\n## Traffic\n\nFrom the security group rules: who may open a connection to whom, on which port. What is not here is refused.\n\n")
	m.table(append([]string{"from ↓ to →"}, p.Matrix.To...)...)
	for i, f := range p.Matrix.From {
		m.row(append([]string{f}, p.Matrix.Cells[i]...)...)
	}
	m.printf("\n")
	m.table("From", "To", "Port", "Why", "Rules")
	for _, c := range p.Connections {
		why := c.Why
		if c.Half != "" {
			why += " **" + c.Half + "**"
		}
		m.row(c.From.Name, c.To.Name, c.Protocol+" "+c.Port, why, codes(c.Rules))
	}
	if len(p.ACL) > 0 {
		m.printf("\n### Network ACLs, the second line\n\n")
		m.table("ACL", "No.", "Direction", "Network", "Port", "Action")
		for _, r := range p.ACL {
			m.row(code(r.ACL), fmt.Sprint(r.Number), r.Direction, r.Network, r.Port, r.Action)
		}
	}
}

func (m *md) access(p *page) {
	m.printf("\n## Who may do what\n\nFrom the IAM policies, the bucket policies and the key policies. A refusal wins over every grant.\n\n")
	m.table(append([]string{"Principal"}, p.Access.On...)...)
	for i, who := range p.Access.Who {
		m.row(append([]string{code(who)}, p.Access.Cells[i]...)...)
	}
	for _, c := range p.Cards {
		m.printf("\n### `%s` (%s)\n\n", c.Name, c.Kind)
		m.table("Who", "May", "On", "Only if", "Written in")
		for _, g := range c.Grants {
			may := ""
			switch {
			case g.Denied:
				may = "**must not** "
			case g.Boundary:
				may = "may pass to "
			}
			only := "always"
			if len(g.Conditions) > 0 {
				only = strings.Join(g.Conditions, "; ")
			}
			m.row(codes(g.Who), may+strings.Join(g.Verbs, ", ")+" ("+strings.Join(g.Actions, " ")+")", codes(g.Objects), only, strings.TrimSpace(code(g.Source)+" "+g.Sid))
		}
	}
	m.printf("\n### Roles, and what else they may do\n\n")
	m.table("Role", "Taken on by", "Also may")
	for _, r := range p.Roles {
		var also []string
		for _, g := range r.Other {
			var on []string
			for _, t := range g.On {
				on = append(on, t.Text)
			}
			s := strings.Join(g.Actions, " ") + " on " + strings.Join(on, " ")
			if g.Denied {
				s = "**must not** " + s
			}
			if len(g.Conditions) > 0 {
				s += " if " + strings.Join(g.Conditions, " and ")
			}
			also = append(also, s+" ("+code(g.Source)+")")
		}
		if len(also) == 0 {
			also = []string{"nothing"}
		}
		m.row(code(r.Name)+" "+r.Description, strings.Join(append(r.TakenOnBy, r.Conditions...), " "), strings.Join(also, "; "))
	}
}

func (m *md) cost(p *page) {
	e := p.Estimate
	m.printf("\n## Estimated cost of a month\n\n**%s** for %d hours, of which %s whatever the use. On-demand prices of %s of %s, without tax; free allowances are not taken off.",
		dollars(e.USD), hoursPerMonth, dollars(e.Fixed), pricesRegion, pricesAsOf)
	if p.Region != pricesRegion {
		m.printf(" **The stack is in %s, whose prices differ: this is what it would cost in %s.**", p.Region, pricesRegion)
	}
	if e.Above != "" {
		m.printf(" %s.", e.Above)
	}
	m.printf("\n\n")
	if len(e.Unknown) > 0 {
		m.printf("> **Not in the sum:** %s.\n\n", cell(strings.Join(e.Unknown, "; ")))
	}
	m.table("Line", "Quantity", "Price", "Taken to be", "A month")
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
	m.row("**Sum**", "", "", "", "**"+dollars(e.USD)+"**")
}
