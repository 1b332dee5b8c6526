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

// Principals lists the principals of a resource policy by kind ("AWS", "Service", "Federated"). {"AWS": {"*"}} is everyone.
type Principals map[string][]pulumi.StringInput

// Anyone is everyone in the form that the policy of a gateway endpoint wants (VPC user guide, "Control access to VPC
// endpoints using endpoint policies").
var Anyone = Principals{"*": nil}

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

// Document renders statements as a policy document's JSON (version 2012-10-17), keys in a fixed order. It resolves once
// every value is known.
func Document(statements ...Statement) pulumi.StringOutput {
	known := func(value pulumi.StringInput) any { return value }
	return pulumi.ToOutput(tree(statements, known)).ApplyT(func(document any) (string, error) {
		return marshal(document)
	}).(pulumi.StringOutput)
}

// Literal is Document for statements whose every value is known. Any other value is an error.
func Literal(statements ...Statement) (string, error) {
	var unknown error
	document := tree(statements, func(value pulumi.StringInput) any {
		literal, ok := value.(pulumi.String)
		if !ok {
			unknown = fmt.Errorf("iam: policy document: a value (%T) is not known", value)
		}
		return string(literal)
	})
	if unknown != nil {
		return "", unknown
	}
	return marshal(document)
}

func marshal(document any) (string, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("iam: policy document: %w", err)
	}
	return string(text), nil
}

// tree is the document in the shape of its JSON. leaf makes a value's form.
func tree(statements []Statement, leaf func(pulumi.StringInput) any) map[string]any {
	// A single value has no list around it, the form in which AWS stores it.
	values := func(in []pulumi.StringInput) any {
		all := make([]any, len(in))
		for i, v := range in {
			all[i] = leaf(v)
		}
		if len(all) == 1 {
			return all[0]
		}
		return all
	}
	keyed := func(in map[string][]pulumi.StringInput) map[string]any {
		m := map[string]any{}
		for k, v := range in {
			m[k] = values(v)
		}
		return m
	}
	all := make([]any, len(statements))
	for i, s := range statements {
		m := map[string]any{"Effect": string(s.Effect), "Action": values(Strings(s.Actions...))}
		if s.Sid != "" {
			m["Sid"] = s.Sid
		}
		if _, anyone := s.Principals["*"]; anyone {
			m["Principal"] = "*"
		} else if len(s.Principals) > 0 {
			m["Principal"] = keyed(s.Principals)
		}
		if len(s.Resources) > 0 {
			m["Resource"] = values(s.Resources)
		}
		if len(s.Conditions) > 0 {
			conditions := map[string]any{}
			for operator, keys := range s.Conditions {
				conditions[operator] = keyed(keys)
			}
			m["Condition"] = conditions
		}
		all[i] = m
	}
	return map[string]any{"Version": "2012-10-17", "Statement": all}
}
