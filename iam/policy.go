package iam

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Effect is whether a statement allows or denies.
type Effect string

// The two effects of IAM's policy grammar.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Principals names who a resource policy speaks of, by kind ("AWS", "Service", "Federated").
// {"AWS": {"*"}} is everybody.
type Principals map[string][]pulumi.StringInput

// Conditions is IAM's condition block: operator → key → values, any of which may match.
type Conditions map[string]map[string][]pulumi.StringInput

// Statement is one statement of a policy document. Principals stay empty in an identity policy.
type Statement struct {
	// Sid says what the statement is for: letters and digits only (IAM's grammar).
	Sid        string
	Effect     Effect
	Principals Principals
	Actions    []string
	Resources  []pulumi.StringInput
	Conditions Conditions
}

// Strings makes inputs of literal values.
func Strings(values ...string) []pulumi.StringInput {
	in := make([]pulumi.StringInput, len(values))
	for i, v := range values {
		in[i] = pulumi.String(v)
	}
	return in
}

// Document renders statements as a policy document's JSON (version 2012-10-17), keys in a fixed order.
func Document(statements ...Statement) pulumi.StringOutput {
	all := make(pulumi.Array, len(statements))
	for i, s := range statements {
		m := pulumi.Map{
			"Effect": pulumi.String(s.Effect),
			"Action": oneOrMany(Strings(s.Actions...)),
		}
		if s.Sid != "" {
			m["Sid"] = pulumi.String(s.Sid)
		}
		if len(s.Principals) > 0 {
			m["Principal"] = keyed(s.Principals)
		}
		if len(s.Resources) > 0 {
			m["Resource"] = oneOrMany(s.Resources)
		}
		if len(s.Conditions) > 0 {
			conditions := pulumi.Map{}
			for operator, keys := range s.Conditions {
				conditions[operator] = keyed(keys)
			}
			m["Condition"] = conditions
		}
		all[i] = m
	}
	return all.ToArrayOutput().ApplyT(func(statements []any) (string, error) {
		doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
		if err != nil {
			return "", fmt.Errorf("iam: policy document: %w", err)
		}
		return string(doc), nil
	}).(pulumi.StringOutput)
}

func keyed(values map[string][]pulumi.StringInput) pulumi.Map {
	m := pulumi.Map{}
	for k, v := range values {
		m[k] = oneOrMany(v)
	}
	return m
}

// oneOrMany writes a single value without a list around it, the form in which AWS stores it.
func oneOrMany(values []pulumi.StringInput) pulumi.Input {
	if len(values) == 1 {
		return values[0]
	}
	return pulumi.StringArray(values)
}

// literal renders statements whose every value is known, as Document does.
func literal(statements ...Statement) (string, error) {
	var unknown error
	values := func(in []pulumi.StringInput) any {
		all := make([]string, len(in))
		for i, v := range in {
			s, ok := v.(pulumi.String)
			if !ok {
				unknown = fmt.Errorf("has a value (%T) that is not known", v)
			}
			all[i] = string(s)
		}
		if len(all) == 1 {
			return all[0]
		}
		return all
	}
	list := make([]map[string]any, len(statements))
	for i, s := range statements {
		m := map[string]any{"Effect": s.Effect, "Action": values(Strings(s.Actions...))}
		if s.Sid != "" {
			m["Sid"] = s.Sid
		}
		if len(s.Resources) > 0 {
			m["Resource"] = values(s.Resources)
		}
		if len(s.Conditions) > 0 {
			conditions := map[string]any{}
			for operator, keys := range s.Conditions {
				block := map[string]any{}
				for key, v := range keys {
					block[key] = values(v)
				}
				conditions[operator] = block
			}
			m["Condition"] = conditions
		}
		list[i] = m
	}
	doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": list})
	if err != nil {
		return "", err
	}
	return string(doc), unknown
}
