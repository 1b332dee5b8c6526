package review

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"cinema-database/internal/plan"
)

// grant is one statement of a policy.
type grant struct {
	Principals []string
	Denied     bool
	Actions    []string
	Verbs      []string // the actions as plain verbs, each once
	Targets    []target
	Conditions []string
	Sid        string
	Source     string // the resource that holds the policy
	// Boundary marks a statement of an endpoint policy: it grants nothing, it limits what passes the endpoint.
	Boundary bool
}

// target is one entry of a statement's Resource.
type target struct {
	Resource *plan.Resource // nil where the entry names no single resource of this stack
	Path     string         // within the resource, such as "thumb/*"; "" for the resource itself
	Text     string         // the entry, with logical names
}

// document is a policy in IAM's grammar. Fields that the page does not show are left out.
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

// statements accepts a list, and a single statement without a list around it.
type statements []statement

func (s *statements) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		*s = make(statements, 1)
		return json.Unmarshal(data, &(*s)[0])
	}
	return json.Unmarshal(data, (*[]statement)(s))
}

// grants reads every recorded policy, sorted by principal and policy.
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
		case roleAttachmentType:
			role, arn := v.byID[r.Text("role")], r.Text("policyArn")
			if role == nil {
				continue
			}
			if p := v.byID[arn]; p != nil {
				all = append(all, v.parse(p, p.Text("policy"), []string{role.Name}, nil)...)
				continue
			}
			all = append(all, grant{
				Principals: []string{role.Name}, Verbs: []string{managedPolicy}, Actions: []string{arn[strings.LastIndex(arn, "/")+1:]},
				Targets: []target{{Text: "the resources that this AWS managed policy names"}}, Source: r.Name,
			})
		case bucketPolicyType:
			all = append(all, v.parse(r, r.Text("policy"), nil, v.byID[r.Text("bucket")])...)
		case keyType:
			all = append(all, v.parse(r, r.Text("policy"), nil, r)...)
		case queuePolicyType:
			all = append(all, v.parse(r, r.Text("policy"), nil, v.byID[r.Text("queueUrl")])...)
		case topicPolicyType:
			all = append(all, v.parse(r, r.Text("policy"), nil, v.byID[r.Text("arn")])...)
		case endpointType:
			for _, g := range v.parse(r, r.Text("policy"), nil, nil) {
				g.Boundary, g.Principals = true, []string{"all traffic through " + r.Name}
				g.Targets = only(g.Targets, func(t target) bool { return t.Resource == nil || cardService(t.Resource) == endpointService(r) })
				all = append(all, g)
			}
		case permissionType:
			g := grant{Principals: []string{v.readable(r.Text("principal"))}, Actions: []string{r.Text("action")}, Source: r.Name}
			if fn := v.byID[r.Text("function")]; fn != nil {
				g.Targets = []target{{Resource: fn, Text: fn.Name}}
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
		return cmp.Or(strings.Compare(strings.Join(a.Principals, " "), strings.Join(b.Principals, " ")), strings.Compare(a.Source, b.Source))
	})
	return all
}

// parse reads a policy document. principals are the roles that hold an identity policy, nil for a resource policy; own is
// the resource that a resource policy belongs to.
func (v *view) parse(source *plan.Resource, text string, principals []string, own *plan.Resource) []grant {
	if text == "" {
		return nil
	}
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return []grant{{Principals: principals, Verbs: []string{"unreadable policy"}, Actions: []string{err.Error()}, Source: source.Name}}
	}
	var all []grant
	for _, s := range d.Statement {
		g := grant{Principals: principals, Denied: s.Effect == "Deny", Actions: texts(s.Action), Sid: s.Sid, Source: source.Name}
		if s.NotAction != nil {
			for _, a := range texts(s.NotAction) {
				g.Actions = append(g.Actions, "all actions except "+a)
			}
		}
		g.Verbs = verbs(g.Actions)
		if principals == nil {
			g.Principals = v.principals(s.Principal)
			for _, p := range v.principals(s.NotPrincipal) {
				g.Principals = append(g.Principals, "everyone except "+p)
			}
		}
		for _, r := range texts(s.Resource) {
			g.Targets = append(g.Targets, v.targets(r, own)...)
		}
		for _, r := range texts(s.NotResource) {
			g.Targets = append(g.Targets, target{Text: "all resources except " + v.readable(r)})
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

// principals lists the names in a Principal or NotPrincipal element.
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

// everyone is the principal *.
const everyone = "everyone"

func (v *view) principal(name string) string {
	switch {
	case name == "*":
		return everyone
	case strings.HasSuffix(name, ":root"):
		return "the account's administrators"
	case v.byID[name] != nil:
		return v.byID[name].Name
	}
	return v.readable(name)
}

// targets finds the resources that an ARN names. A pattern of names, such as arn:aws:s3:::cinema-prod-storage-*-1a2b3c4/*,
// names every resource with a card that it matches.
func (v *view) targets(arn string, own *plan.Resource) []target {
	if v.byID[arn] != nil || arn == "*" && own != nil {
		return []target{v.target(arn, own)}
	}
	var all []target
	for _, c := range cardTypes {
		for _, r := range v.ByType(c.typ) {
			if within, ok := matches(arn, text(r.State, "arn")); ok {
				all = append(all, target{r, v.readable(within), strings.TrimSuffix(r.Name+"/"+v.readable(within), "/")})
			}
		}
	}
	if len(all) == 0 || arn == "*" {
		all = append(all, v.target(arn, own))
	}
	return all
}

// matches reports whether an ARN in a policy, which may have * and ?, names a resource or something within it, and returns
// what is within: "thumb/*" for arn:aws:s3:::images-*/thumb/* and a bucket. A * also matches : and /.
func matches(pattern, arn string) (within string, ok bool) {
	if arn == "" {
		return "", false
	}
	like := func(p string) bool {
		if !strings.ContainsAny(p, "*?") {
			return p == arn
		}
		p = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(p))
		matched, err := regexp.MatchString("^"+p+"$", arn)
		return err == nil && matched
	}
	if like(pattern) {
		return "", true
	}
	head, within, found := strings.Cut(pattern, "/")
	return within, found && like(head)
}

// target finds the resource that an ARN without a pattern of names names.
func (v *view) target(arn string, own *plan.Resource) target {
	if arn == "*" && own != nil {
		return target{Resource: own, Text: own.Name}
	}
	for i := len(arn); i > 0; i = strings.LastIndexAny(arn[:i], "/:") {
		r := v.byID[arn[:i]]
		if r == nil || len(arn) > i && !strings.HasPrefix(arn, "arn:") {
			continue
		}
		objects := v.readable(strings.TrimLeft(arn[i:], "/:"))
		return target{r, objects, strings.TrimSuffix(r.Name+"/"+objects, "/")}
	}
	if arn == "*" {
		return target{Text: "all resources (*)"}
	}
	return target{Text: v.plainARN(arn)}
}

// plainARN is an ARN with logical names, without the prefix of bucket ARNs.
func (v *view) plainARN(arn string) string {
	s := v.readable(arn)
	return strings.TrimPrefix(s, "arn:aws:s3:::")
}

// texts accepts one string or a list of strings.
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

// actionVerbs are plain verbs for the actions on what a resource holds.
var actionVerbs = map[string]string{
	"s3:GetObject": "read", "s3:GetObjectVersion": "read", "s3:PutObject": "write", "s3:DeleteObject": "delete", "s3:DeleteObjectVersion": "delete",
	"s3:ListBucket": "list", "s3:ListBucketVersions": "list", "s3:AbortMultipartUpload": "write",
	"kms:Decrypt": "decrypt", "kms:Encrypt": "encrypt", "kms:GenerateDataKey": "encrypt", "kms:GenerateDataKeyWithoutPlaintext": "encrypt",
	"kms:ReEncryptFrom": "encrypt", "kms:ReEncryptTo": "encrypt",
	"sqs:SendMessage": "send", "sqs:ReceiveMessage": "receive", "sqs:DeleteMessage": "receive", "sqs:PurgeQueue": "delete",
	"sns:Publish": "publish", "lambda:InvokeFunction": "invoke", "sts:AssumeRole": "assume",
	"ecr:BatchGetImage": "pull", "ecr:GetDownloadUrlForLayer": "pull", "ecr:BatchCheckLayerAvailability": "pull",
	"ecr:PutImage": "push", "ecr:InitiateLayerUpload": "push", "ecr:UploadLayerPart": "push", "ecr:CompleteLayerUpload": "push",
	"ecr:BatchDeleteImage": "delete", logIn: "log in", "logs:CreateLogStream": "write", "logs:PutLogEvents": "write",
	"ssm:GetParameter": "read", "ssm:GetParameters": "read", "ssm:GetParametersByPath": "read", "secretsmanager:GetSecretValue": "read",
}

// logIn is of the registry, and of no repository.
const logIn = "ecr:GetAuthorizationToken"

// settingVerbs are plain verbs for the actions on a resource itself, by the beginning of their names.
var settingVerbs = []struct{ prefix, verb string }{
	{"Get", "inspect"}, {"List", "inspect"}, {"Describe", "inspect"},
	{"Create", "create"}, {"Delete", "remove"}, {"ScheduleKeyDeletion", "remove"},
	{"Put", "configure"}, {"Set", "configure"}, {"Update", "configure"}, {"Modify", "configure"}, {"Add", "configure"}, {"Remove", "configure"},
	{"Tag", "configure"}, {"Untag", "configure"}, {"Enable", "configure"}, {"Disable", "configure"}, {"Cancel", "configure"}, {"Retire", "configure"}, {"Revoke", "configure"}, {"Replicate", "replicate"},
	{"Subscribe", "subscribe"}, {"Unsubscribe", "subscribe"},
}

// verbOrder is the order in which the page lists verbs.
var verbOrder = []string{
	"everything", "read", "list", "write", "delete", "encrypt", "decrypt", "send", "receive", "publish", "invoke", "assume", "pull", "push", "log in",
	"replicate", "subscribe", "create", "remove", "configure", "inspect",
}

// verbs turns actions into plain verbs, each once. A pattern has the verb of each action that it matches. An action without
// a verb is listed as it is.
func verbs(actions []string) []string {
	var all []string
	add := func(verb string) {
		if !slices.Contains(all, verb) {
			all = append(all, verb)
		}
	}
	for _, action := range actions {
		service, name, _ := strings.Cut(action, ":")
		if action == "*" || name == "*" {
			add("everything")
			continue
		}
		if strings.Contains(service, " ") { // all actions except …
			add(action)
			continue
		}
		known := false
		for _, a := range slices.Sorted(maps.Keys(actionVerbs)) {
			if matched, err := path.Match(strings.ToLower(action), strings.ToLower(a)); err == nil && matched {
				add(actionVerbs[a])
				known = true
			}
		}
		if i := slices.IndexFunc(settingVerbs, func(s struct{ prefix, verb string }) bool { return strings.HasPrefix(name, s.prefix) }); i >= 0 && service != "" {
			if !known || strings.Contains(name, "*") {
				add(settingVerbs[i].verb)
			}
			known = true
		}
		if !known {
			add(action)
		}
	}
	order := func(verb string) int {
		if i := slices.Index(verbOrder, verb); i >= 0 {
			return i
		}
		return len(verbOrder)
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Or(order(a)-order(b), strings.Compare(a, b)) })
	return all
}

// accessCard holds the grants for one bucket, key, queue, topic or function.
type accessCard struct {
	Name, Kind string
	Grants     []grantRow
}

// grantRow is the part of a grant that concerns one resource.
type grantRow struct {
	grant
	Paths []string
}

// accessMatrix holds the verbs that each principal has on each resource.
type accessMatrix struct {
	Principals, Resources []string
	Cells                 [][]string // by principal, then resource
}

type role struct {
	Name, Description string
	AssumedBy         []string
	Conditions        []string
	Other             []grant // on resources that have no card
}

// cardTypes are the types whose resources have a card, with their names on the page.
var cardTypes = []struct{ typ, kind, service string }{
	{bucketType, "bucket", "s3"}, {keyType, "encryption key", "kms"}, {queueType, "queue", "sqs"}, {topicType, "topic", "sns"}, {functionType, "function", "lambda"},
	{repositoryType, repositoryKind, "ecr"},
}

const repositoryKind = "repository"

// cardService is the service of a resource with a card, "" for another one.
func cardService(r *plan.Resource) string {
	for _, c := range cardTypes {
		if c.typ == r.Type {
			return c.service
		}
	}
	return ""
}

// endpointService is the service in IAM's actions that an endpoint leads to: ecr for com.amazonaws.us-east-1.ecr.dkr.
func endpointService(endpoint *plan.Resource) string {
	if parts := strings.Split(endpoint.Text("serviceName"), "."); len(parts) > 3 {
		return parts[3]
	}
	return ""
}

// on is the part of a grant that concerns a service.
func (g grant) on(service string) grant {
	g.Actions = slices.DeleteFunc(slices.Clone(g.Actions), func(action string) bool {
		of, _, named := strings.Cut(action, ":")
		return named && !strings.EqualFold(of, service) && !strings.Contains(action, " ") || action == logIn
	})
	if len(g.Verbs) == 0 || g.Verbs[0] != managedPolicy {
		g.Verbs = verbs(g.Actions)
	}
	return g
}

// managedPolicy stands for the verbs of a policy of AWS.
const managedPolicy = "AWS managed policy"

func (v *view) access() (cards []accessCard, m accessMatrix, roles []role) {
	all := v.grants()
	hasCard := map[*plan.Resource]bool{}
	for _, c := range cardTypes {
		for _, r := range v.ByType(c.typ) {
			hasCard[r] = true
			card := accessCard{Name: r.Name, Kind: c.kind}
			for _, g := range all {
				row := grantRow{grant: g.on(c.service)}
				for _, t := range g.Targets {
					if t.Resource == r {
						row.Paths = append(row.Paths, cmp.Or(t.Path, "the "+c.kind+" itself"))
					}
				}
				if len(row.Paths) > 0 && len(row.Actions) > 0 {
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
		if c.Kind == repositoryKind {
			continue // one for each service: the table would be too wide
		}
		m.Resources = append(m.Resources, c.Name)
		for _, g := range c.Grants {
			if g.Denied || g.Boundary {
				continue
			}
			for _, principal := range g.Principals {
				if !slices.Contains(m.Principals, principal) {
					m.Principals = append(m.Principals, principal)
				}
				at := [2]string{principal, c.Name}
				cells[at] = append(cells[at], g.Actions...)
			}
		}
	}
	slices.Sort(m.Principals)
	for _, principal := range m.Principals {
		row := make([]string, len(m.Resources))
		for i, resource := range m.Resources {
			actions := cells[[2]string{principal, resource}]
			slices.Sort(actions)
			row[i] = strings.Join(verbs(slices.Compact(actions)), ", ")
		}
		m.Cells = append(m.Cells, row)
	}
	for _, r := range v.ByType(roleType) {
		o := role{Name: r.Name, Description: r.Text("description")}
		for _, g := range v.parse(r, r.Text("assumeRolePolicy"), nil, nil) {
			o.AssumedBy = append(o.AssumedBy, g.Principals...)
			o.Conditions = append(o.Conditions, g.Conditions...)
		}
		for _, g := range all {
			g.Targets = slices.DeleteFunc(slices.Clone(g.Targets), func(t target) bool { return hasCard[t.Resource] })
			if slices.Equal(g.Principals, []string{r.Name}) && len(g.Targets) > 0 {
				o.Other = append(o.Other, g)
			}
		}
		roles = append(roles, o)
	}
	slices.SortFunc(roles, func(a, b role) int { return strings.Compare(a.Name, b.Name) })
	return cards, m, roles
}

// accessRow is what a principal may do on a target, in plain text, so that two sides can be compared.
type accessRow struct{ principal, effect, target, conditions string }

// compareAccess lists the permissions that only one side has, as rows of principal, effect, actions, target and conditions. It
// compares the grants that keep keeps.
func compareAccess(old, now *view, keep func(grant) bool) (all []rowEdit) {
	// A name that only the other side has is made readable too: a policy may name what is gone or still to come.
	b, a := permissions(only(old.grants(), keep), now.readable), permissions(only(now.grants(), keep), old.readable)
	side := func(rows, other map[accessRow][]string, added bool) {
		for _, r := range slices.SortedFunc(maps.Keys(rows), func(x, y accessRow) int {
			return cmp.Or(strings.Compare(x.principal, y.principal), strings.Compare(x.target, y.target), strings.Compare(x.effect, y.effect), strings.Compare(x.conditions, y.conditions))
		}) {
			actions := slices.DeleteFunc(slices.Clone(rows[r]), func(action string) bool { return slices.Contains(other[r], action) })
			if len(actions) > 0 {
				all = append(all, rowEdit{added, []string{r.principal, r.effect, strings.Join(actions, " "), r.target, r.conditions}})
			}
		}
	}
	side(b, a, false)
	side(a, b, true)
	return all
}

// permissions lists the actions of each principal on each target, sorted, each once.
func permissions(grants []grant, readable func(string) string) map[accessRow][]string {
	all := map[accessRow][]string{}
	for _, g := range grants {
		effect := "allow"
		switch {
		case g.Denied:
			effect = "deny"
		case g.Boundary:
			effect = "limit to"
		}
		for _, principal := range g.Principals {
			for _, t := range g.Targets {
				actions := g.Actions
				for _, c := range cardTypes {
					if t.Resource != nil && t.Resource.Type == c.typ {
						actions = g.on(c.service).Actions
					}
				}
				if len(actions) > 0 {
					r := accessRow{principal, effect, readable(t.Text), readable(strings.Join(g.Conditions, "; "))}
					all[r] = slices.Compact(slices.Sorted(slices.Values(append(all[r], actions...))))
				}
			}
		}
	}
	return all
}

// weight sorts grants first, then boundaries, then denials.
func weight(g grant) int {
	switch {
	case g.Denied:
		return 2
	case g.Boundary:
		return 1
	}
	return 0
}
