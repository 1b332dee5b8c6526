package deployer

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// Only an administrator may change the deployer. With the deploy role, AWS would refuse it when half of the deployment is
// done, so what follows refuses it before anything is registered. With the preview role it warns.

// checkDeployed compares the policies and trusts with those that are deployed.
func checkDeployed(ctx *pulumi.Context, n names, p policies, trusts map[string]string) error {
	if n.calling() == "" {
		return nil
	}
	type document struct {
		name, wanted string
		deployed     func() (string, error)
	}
	var documents []document
	managed := slices.Concat(p.read, p.change, []managedPolicy{p.boundary})
	if p.containerBoundary != nil {
		managed = append(managed, *p.containerBoundary)
	}
	for _, policy := range managed {
		documents = append(documents, document{"policy " + policy.name, policy.document, func() (string, error) {
			deployed, err := awsiam.LookupPolicy(ctx, &awsiam.LookupPolicyArgs{Arn: pulumi.StringRef(n.policyARN(policy.name))})
			if err != nil {
				return "", err
			}
			return deployed.Policy, nil
		}})
	}
	for _, kind := range slices.Concat(roleKinds, []string{pushRole}) {
		if trusts[kind] == "" {
			continue
		}
		role := sync.OnceValues(func() (*awsiam.LookupRoleResult, error) {
			return awsiam.LookupRole(ctx, &awsiam.LookupRoleArgs{Name: n.roleName(kind)})
		})
		documents = append(documents,
			document{"trust of role " + kind, trusts[kind], func() (string, error) {
				deployed, err := role()
				if err != nil {
					return "", err
				}
				return deployed.AssumeRolePolicy, nil
			}},
			document{"inline policies of role " + kind, quoted(inlineDigest(p.inline[kind])), func() (string, error) {
				deployed, err := role()
				if err != nil { // the trust's finding says it
					return quoted(inlineDigest(p.inline[kind])), nil
				}
				return quoted(deployed.Tags[inlineTag]), nil
			}})
	}
	findings := make([]string, len(documents))
	var done sync.WaitGroup
	for i, d := range documents {
		done.Go(func() {
			switch text, err := d.deployed(); {
			case err != nil:
				line, _, _ := strings.Cut(err.Error(), "\n")
				findings[i] = d.name + " (not found: " + line + ")"
			case !sameJSON(text, d.wanted):
				findings[i] = d.name
			}
		})
	}
	done.Wait()
	differ := slices.DeleteFunc(findings, func(f string) bool { return f == "" })
	if len(differ) == 0 {
		return nil
	}
	return n.refuse(ctx, "this commit changes "+strings.Join(differ, ", "))
}

// CheckRemoved is for a program without a deployer: its own roles must not remove it.
func CheckRemoved(ctx *pulumi.Context, env environment.Environment, name string) error {
	n := names{Environment: env, component: name}
	if n.calling() == "" {
		return nil
	}
	return n.refuse(ctx, "this commit removes cinema:deployer")
}

// calling is the kind of the deployer's role that runs the program, "" for anybody else.
func (n names) calling() string {
	for _, kind := range roleKinds {
		if environment.AssumedRole(n.Caller) == n.roleName(kind) {
			return kind
		}
	}
	return ""
}

// refuse returns an error to the deploy role, and warns the preview role.
func (n names) refuse(ctx *pulumi.Context, what string) error {
	problem := fmt.Sprintf("deployer: %s, and only an administrator may change the deployer; an administrator runs `pulumi up` on it first", what)
	if n.calling() == previewRole {
		return ctx.Log.Warn(problem, nil)
	}
	return errors.New(problem)
}

func (n names) roleName(kind string) string {
	return component.PhysicalName(n.Environment, namedTypes["role"], n.component+"-"+kind)
}

func (n names) policyARN(name string) string {
	return "arn:" + n.Partition + ":iam::" + n.Account + ":policy/" + component.PhysicalName(n.Environment, namedTypes["policy"], n.component+"-"+name)
}

// quoted is a text as a JSON document.
func quoted(text string) string { return strconv.Quote(text) }

// sameJSON reports whether two documents mean the same: AWS may store one with other white space.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
