package review

import (
	"fmt"
	"strings"
)

// markdown renders the page as Markdown, for example for a comment on a pull request.
func (p *page) markdown() []byte {
	m := &md{}
	m.printf("# %s %s: review\n\n", p.Project, p.Stack)
	m.printf("%d resources in %s, %s, %d protected or retained, an estimated %s per month.\n\n",
		p.Total, p.Region, counted(len(p.Open()), "public entry point"), len(p.Protected), dollars(p.Estimate.USD))
	for _, w := range p.Warnings {
		m.printf("> **Program warning:** %s\n\n", cell(w))
	}
	if len(p.Placeholders) > 0 {
		m.printf("> **Placeholders:** the binaries %s are not built, so placeholders replace them and the digests differ from those of a deployment. `make app` builds them.\n\n",
			strings.Join(p.Placeholders, ", "))
	}
	if p.Changes != nil {
		m.changes(p.Changes)
	}
	m.topology(p.topology)
	m.public(p)
	m.traffic(p)
	m.access(p)
	m.cost(p)
	m.printf("\n## Inventory\n\n")
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
	} else {
		m.table("Resource", "Type", "Protection")
		for _, k := range p.Protected {
			m.row(code(k.Name), short(k.Type), k.How)
		}
	}
	m.printf("\n## Outputs\n\n")
	m.table("Output", "Value")
	for _, o := range p.Outputs {
		m.row(code(o.Name), o.Value)
	}
	m.printf("\nComputed from the program, without an AWS account. Logical names replace the ids, ARNs and physical names of AWS.\n")
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

func (m *md) changes(c *changes) {
	m.printf("## Changes since %s\n\nCompared with commit `%s`, %s. Binaries are not in git, so their digests are not compared. Replacements that follow from new ids are not listed.\n\n",
		c.Ref, c.Commit, cell(c.Subject))
	if c.None() {
		m.printf("No differences.\n\n")
		return
	}
	difference := dollars(c.Difference())
	if c.Difference() >= 0 {
		difference = "+" + difference
	}
	m.printf("%d added, %d changed (%d of these replaced), %d removed, %s per month.\n\n", len(c.Added), len(c.Changed), c.Replaced(), len(c.Removed), difference)
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
			if n.Note != "" {
				m.printf(" — **%s**", n.Note)
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
		m.table("Item", "Before", "After")
		for _, e := range c.Cost {
			m.row(e.What, dollars(e.Before), dollars(e.After))
		}
		m.printf("\n")
	}
}

func (m *md) topology(t *topology) {
	m.printf("## Topology\n\n")
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
	m.printf("VPC `%s` %s", t.VPC, t.CIDR)
	if t.Gateway != nil {
		m.printf(", internet gateway `%s`", t.Gateway.Name)
	}
	m.printf("\n\n")
	m.table(append([]string{"Tier"}, t.Zones...)...)
	for _, tr := range t.Tiers {
		first := "**" + tr.Name + "** " + tr.Route
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
	m.printf("## What is public\n\n")
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
	m.printf("\n## Traffic\n\nThe connections that the security group rules allow, with their ports. Everything else is blocked.\n\n")
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
	m.printf("\n## Access\n\nFrom the IAM policies, the resource policies and the endpoint policies. A denial overrides every grant.\n\n")
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
	m.printf("\n## Estimated cost per month\n\n**%s** for %d hours, of which %s does not depend on usage. On-demand prices of %s of %s, without tax; free tiers are not deducted, except CloudFront's.",
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
