package review

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cinema-database/internal/plan"
)

// grant is one statement of a policy: who may, or must not, do what to what.
type grant struct {
	Who        []string
	Denied     bool
	Actions    []string
	Verbs      []string // the actions in words, each once
	On         []target
	Conditions []string
	Sid        string
	Source     string // the resource that holds the policy
	// Boundary is a gateway endpoint's: it grants nothing, it bounds what passes.
	Boundary bool
}

// target is what a statement is about.
type target struct {
	Resource *plan.Resource // nil for what is not of this stack
	Path     string         // within it: "releases/*/cinema", "" for itself
	Text     string         // as it is written, with logical names
}

// document is IAM's policy grammar, as far as the page reads it.
type document struct {
	Statement statements
}

type statement struct {
	Sid          string
	Effect       string
	Principal    any
	NotPrincipal any
	Action       any
	NotAction    any
	Resource     any
	NotResource  any
	Condition    map[string]map[string]any
}

// statements is a list of them, or a single one without a list around it.
type statements []statement

func (s *statements) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		*s = make(statements, 1)
		return json.Unmarshal(data, &(*s)[0])
	}
	return json.Unmarshal(data, (*[]statement)(s))
}

// grants reads every policy that is recorded.
func (v *view) grants() []grant {
	var all []grant
	for _, r := range v.Resources {
		switch r.Type {
		case rolePolicyType:
			role := v.byID[r.Text("role")]
			if role == nil {
				continue
			}
			all = append(all, v.parse(r, r.Text("policy"), []string{role.Name}, nil)...)
		case "aws:iam/rolePolicyAttachment:RolePolicyAttachment":
			role, arn := v.byID[r.Text("role")], r.Text("policyArn")
			if role == nil {
				continue
			}
			if p := v.byID[arn]; p != nil {
				all = append(all, v.parse(p, p.Text("policy"), []string{role.Name}, nil)...)
				continue
			}
			all = append(all, grant{
				Who: []string{role.Name}, Verbs: []string{"what AWS's own policy says"}, Actions: []string{arn[strings.LastIndex(arn, "/")+1:]},
				On: []target{{Text: "as that policy says"}}, Source: r.Name,
			})
		case bucketPolicyType:
			all = append(all, v.parse(r, r.Text("policy"), nil, v.byID[r.Text("bucket")])...)
		case keyType:
			all = append(all, v.parse(r, r.Text("policy"), nil, r)...)
		case "aws:sqs/queuePolicy:QueuePolicy":
			all = append(all, v.parse(r, r.Text("policy"), nil, v.byID[r.Text("queueUrl")])...)
		case "aws:sns/topicPolicy:TopicPolicy":
			all = append(all, v.parse(r, r.Text("policy"), nil, v.byID[r.Text("arn")])...)
		case endpointType:
			for _, g := range v.parse(r, r.Text("policy"), nil, nil) {
				g.Boundary, g.Who = true, []string{"whoever comes through " + r.Name}
				all = append(all, g)
			}
		case permissionType:
			g := grant{Who: []string{v.readable(r.Text("principal"))}, Actions: []string{r.Text("action")}, Source: r.Name}
			if fn := v.byID[r.Text("function")]; fn != nil {
				g.On = []target{{Resource: fn, Text: fn.Name}}
			}
			for _, k := range []string{"sourceArn", "sourceAccount"} {
				if s := r.Text(k); s != "" {
					g.Conditions = append(g.Conditions, k+" is "+v.readable(s))
				}
			}
			g.Verbs = verbs(g.Actions)
			all = append(all, g)
		}
	}
	slices.SortStableFunc(all, func(a, b grant) int {
		return cmp.Or(strings.Compare(strings.Join(a.Who, " "), strings.Join(b.Who, " ")), strings.Compare(a.Source, b.Source))
	})
	return all
}

// parse reads a policy document. who are an identity policy's holders; own is what a resource policy belongs to.
func (v *view) parse(source *plan.Resource, text string, who []string, own *plan.Resource) []grant {
	if text == "" {
		return nil
	}
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return []grant{{Who: who, Verbs: []string{"unreadable policy"}, Actions: []string{err.Error()}, Source: source.Name}}
	}
	var all []grant
	for _, s := range d.Statement {
		g := grant{Who: who, Denied: s.Effect == "Deny", Actions: texts(s.Action), Sid: s.Sid, Source: source.Name}
		if s.NotAction != nil {
			for _, a := range texts(s.NotAction) {
				g.Actions = append(g.Actions, "everything but "+a)
			}
		}
		g.Verbs = verbs(g.Actions)
		if who == nil {
			g.Who = v.principals(s.Principal)
			for _, p := range v.principals(s.NotPrincipal) {
				g.Who = append(g.Who, "everybody but "+p)
			}
		}
		for _, r := range texts(s.Resource) {
			g.On = append(g.On, v.target(r, own))
		}
		for _, r := range texts(s.NotResource) {
			g.On = append(g.On, target{Text: "everything but " + v.readable(r)})
		}
		for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
			for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
				var values []string
				for _, value := range texts(s.Condition[operator][key]) {
					values = append(values, v.plainARN(value))
				}
				g.Conditions = append(g.Conditions, fmt.Sprintf("%s %s %s", key, operatorWords(operator), strings.Join(values, " or ")))
			}
		}
		all = append(all, g)
	}
	return all
}

func operatorWords(o string) string {
	o = strings.TrimSuffix(o, "IfExists")
	for _, w := range []struct{ operator, words string }{
		{"StringEquals", "is"}, {"StringNotEquals", "is not"}, {"StringLike", "is like"}, {"StringNotLike", "is not like"},
		{"ArnEquals", "is"}, {"ArnLike", "is like"}, {"ArnNotEquals", "is not"}, {"Bool", "is"}, {"IpAddress", "is in"}, {"NotIpAddress", "is not in"},
	} {
		if o == w.operator {
			return w.words
		}
	}
	return o
}

// principals names who a resource policy speaks of.
func (v *view) principals(p any) []string {
	var all []string
	switch p := p.(type) {
	case nil:
	case map[string]any:
		for _, kind := range slices.Sorted(maps.Keys(p)) {
			for _, name := range texts(p[kind]) {
				all = append(all, v.principal(name))
			}
		}
	default:
		for _, name := range texts(p) {
			all = append(all, v.principal(name))
		}
	}
	return all
}

func (v *view) principal(name string) string {
	switch {
	case name == "*":
		return "everybody"
	case strings.HasSuffix(name, ":root"):
		return "the account's administrators"
	case v.byID[name] != nil:
		return v.byID[name].Name
	}
	return v.readable(name)
}

// target finds what an ARN is of.
func (v *view) target(arn string, own *plan.Resource) target {
	if arn == "*" && own != nil {
		return target{Resource: own, Text: own.Name}
	}
	for i := len(arn); i > 0; i = strings.LastIndexAny(arn[:i], "/:") {
		r := v.byID[arn[:i]]
		if r == nil || len(arn) > i && !strings.HasPrefix(arn, "arn:") {
			continue
		}
		path := v.readable(strings.TrimLeft(arn[i:], "/:"))
		t := target{Resource: r, Path: path, Text: r.Name}
		if path != "" {
			t.Text += "/" + path
		}
		return t
	}
	if arn == "*" {
		return target{Text: "anything (these actions take no resource)"}
	}
	return target{Text: v.plainARN(arn)}
}

// plainARN is an ARN in logical names, without what every ARN of the account repeats.
func (v *view) plainARN(arn string) string {
	s := v.readable(arn)
	return strings.TrimPrefix(s, "arn:aws:s3:::")
}

// texts reads one string, or a list of them.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// words are what actions mean, for those that the page can say shorter.
var words = map[string]string{
	"s3:GetObject": "read", "s3:GetObjectVersion": "read", "s3:PutObject": "write", "s3:DeleteObject": "delete", "s3:DeleteObjectVersion": "delete",
	"s3:ListBucket": "list", "s3:GetBucketLocation": "list", "s3:AbortMultipartUpload": "write", "s3:*": "everything", "*": "everything",
	"kms:Decrypt": "decrypt", "kms:Encrypt": "encrypt", "kms:GenerateDataKey": "encrypt", "kms:GenerateDataKey*": "encrypt", "kms:ReEncrypt*": "encrypt",
	"sqs:SendMessage": "send", "sns:Publish": "publish", "lambda:InvokeFunction": "invoke", "sts:AssumeRole": "take on",
}

// verbOrder is the order in which words are said.
var verbOrder = []string{"everything", "read", "list", "write", "delete", "encrypt", "decrypt", "send", "publish", "invoke", "take on"}

// sortVerbs puts words in their order, before what has none.
func sortVerbs(verbs []string) {
	rank := func(v string) int {
		if i := slices.Index(verbOrder, v); i >= 0 {
			return i
		}
		return len(verbOrder)
	}
	slices.SortStableFunc(verbs, func(a, b string) int { return rank(a) - rank(b) })
}

// verbs are actions in words, each once. Those without a word count as administration where there are many.
func verbs(actions []string) []string {
	var all, other []string
	for _, a := range actions {
		if w := words[a]; w == "" {
			other = append(other, a)
		} else if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	sortVerbs(all)
	switch {
	case len(other) > 5 && slices.ContainsFunc(other, func(a string) bool { return strings.HasPrefix(a, "kms:") }):
		all = append(all, "administer")
	case len(other) > 5:
		all = append(all, fmt.Sprintf("%d actions", len(other)))
	default:
		all = append(all, other...)
	}
	return all
}

// accessCard is all that policies say about one bucket, key, queue or function.
type accessCard struct {
	Name, Kind string
	Grants     []grantRow
}

// grantRow is a grant as far as one resource is concerned.
type grantRow struct {
	grant
	Objects []string
}

// accessMatrix is principals by resources, each cell the verbs.
type accessMatrix struct {
	Who, On []string
	Cells   [][]string
}

// role is who a role is for.
type role struct {
	Name, Description string
	TakenOnBy         []string
	Conditions        []string
	Other             []grant // what it may do to things that have no card
}

// carded are the types that get a card each, with what they are called.
var carded = []struct{ typ, kind string }{
	{bucketType, "bucket"}, {keyType, "encryption key"}, {queueType, "queue"}, {"aws:sns/topic:Topic", "topic"}, {functionType, "function"},
}

func (v *view) access() (cards []accessCard, m accessMatrix, roles []role) {
	all := v.grants()
	hasCard := map[*plan.Resource]bool{}
	for _, c := range carded {
		for _, r := range v.ByType(c.typ) {
			hasCard[r] = true
			card := accessCard{Name: r.Name, Kind: c.kind}
			for _, g := range all {
				row := grantRow{grant: g}
				for _, t := range g.On {
					if t.Resource == r {
						row.Objects = append(row.Objects, cmp.Or(t.Path, "the "+c.kind+" itself"))
					}
				}
				if len(row.Objects) > 0 {
					card.Grants = append(card.Grants, row)
				}
			}
			slices.SortStableFunc(card.Grants, func(a, b grantRow) int { return weight(a.grant) - weight(b.grant) })
			if len(card.Grants) > 0 {
				cards = append(cards, card)
			}
		}
	}
	cells := map[[2]string][]string{}
	for _, c := range cards {
		if !slices.ContainsFunc(c.Grants, func(g grantRow) bool { return !g.Boundary && !g.Denied }) {
			continue
		}
		m.On = append(m.On, c.Name)
		for _, g := range c.Grants {
			if g.Denied || g.Boundary {
				continue
			}
			for _, who := range g.Who {
				if !slices.Contains(m.Who, who) {
					m.Who = append(m.Who, who)
				}
				at := [2]string{who, c.Name}
				for _, verb := range g.Verbs {
					if !slices.Contains(cells[at], verb) {
						cells[at] = append(cells[at], verb)
					}
				}
			}
		}
	}
	slices.Sort(m.Who)
	for _, who := range m.Who {
		row := make([]string, len(m.On))
		for i, on := range m.On {
			cell := cells[[2]string{who, on}]
			sortVerbs(cell)
			row[i] = strings.Join(cell, ", ")
		}
		m.Cells = append(m.Cells, row)
	}
	for _, r := range v.ByType(roleType) {
		o := role{Name: r.Name, Description: r.Text("description")}
		for _, g := range v.parse(r, r.Text("assumeRolePolicy"), nil, nil) {
			o.TakenOnBy = append(o.TakenOnBy, g.Who...)
			o.Conditions = append(o.Conditions, g.Conditions...)
		}
		for _, g := range all {
			if slices.Equal(g.Who, []string{r.Name}) && !slices.ContainsFunc(g.On, func(t target) bool { return t.Resource != nil && hasCard[t.Resource] }) {
				o.Other = append(o.Other, g)
			}
		}
		roles = append(roles, o)
	}
	slices.SortFunc(roles, func(a, b role) int { return strings.Compare(a.Name, b.Name) })
	return cards, m, roles
}

// weight puts grants first, then boundaries, then refusals.
func weight(g grant) int {
	switch {
	case g.Denied:
		return 2
	case g.Boundary:
		return 1
	}
	return 0
}
