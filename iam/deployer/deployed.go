package deployer

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// checkDeployed compares the deployer's documents with those that are deployed, where one of the deployer's own roles runs
// the program. The deploy role must not change them, so it would be refused by AWS when half of the deployment is done:
// it is refused here instead. The preview role gets a warning.
func checkDeployed(ctx *pulumi.Context, n names, p policies, trusts map[string]string) error {
	caller := ""
	for _, kind := range []string{previewRole, deployRole} {
		if strings.Contains(n.Caller, ":assumed-role/"+n.roleName(kind)+"/") {
			caller = kind
		}
	}
	if caller == "" {
		return nil
	}
	var differ []string
	for _, policy := range append(append(p.read, p.change...), p.boundary) {
		arn := "arn:" + n.Partition + ":iam::" + n.Account + ":policy/" + n.policyName(policy.name)
		deployed, err := awsiam.LookupPolicy(ctx, &awsiam.LookupPolicyArgs{Arn: &arn})
		if err != nil || !sameJSON(deployed.Policy, policy.document) {
			differ = append(differ, "policy "+policy.name)
		}
	}
	for _, kind := range []string{previewRole, deployRole} {
		deployed, err := awsiam.LookupRole(ctx, &awsiam.LookupRoleArgs{Name: n.roleName(kind)})
		if err != nil || !sameJSON(deployed.AssumeRolePolicy, trusts[kind]) {
			differ = append(differ, "trust of role "+kind)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	problem := fmt.Sprintf("deployer: the %s differ from what is deployed, and only an administrator may change them; "+
		"an administrator runs `pulumi up` on this commit first", strings.Join(differ, ", "))
	if caller == previewRole {
		return ctx.Log.Warn(problem, nil)
	}
	return fmt.Errorf("%s", problem)
}

func (n names) roleName(kind string) string {
	return component.PhysicalName(n.Environment, namedTypes["role"], n.component+"-"+kind)
}

func (n names) policyName(name string) string {
	return component.PhysicalName(n.Environment, namedTypes["policy"], n.component+"-"+name)
}

// sameJSON reports whether two documents mean the same: AWS may store one with other white space.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
