// Package preflight compares what a stack needs with what its account has: quotas, regions and instance types.
// It registers nothing, so a refusal costs nothing. It reports all problems at once.
package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/lookup"
	"cinema-database/internal/problem"
)

// Needs are what a stack takes of its account, whether it is deployed already or not.
type Needs struct {
	Hosts []Hosts
	// ElasticIPs of NAT gateways and hosts.
	ElasticIPs int
	// ReservedConcurrency of all Lambda functions; 0 where none reserves any.
	ReservedConcurrency int
	// Regions besides the stack's own, by config key.
	Regions map[string]string
}

// Hosts are instances of one type.
type Hosts struct {
	// Field of config that has the type, e.g. "api.instanceType".
	Field string
	Type  string
	// Count runs after a deployment, and Max at most.
	Count, Max int
	// NVMe: the host finds a volume by the name that only Nitro gives it.
	NVMe bool
}

// check is one comparison. It adds problems to l. An error means that a look-up failed.
type check struct {
	subject string
	run     func(ctx *pulumi.Context, l *problem.List) error
}

// Check refuses a stack that the account cannot hold. It compares at the same time what it can look up. What the caller may
// not look up is not compared: one message says so.
func Check(ctx *pulumi.Context, needs Needs) error {
	checks := append(needs.quotas(),
		check{"regions", needs.checkRegions},
	)
	lists, lookups := make([]*problem.List, len(checks)), make([]func() error, len(checks))
	for i, c := range checks {
		lists[i] = problem.In("account: ")
		lookups[i] = func() error { return c.run(ctx, lists[i]) }
	}
	failures := lookup.Together(lookups...)
	all := problem.In("")
	var unknown []string
	for i, c := range checks {
		all.AddError(lists[i].Err())
		if failures[i] != nil {
			unknown = append(unknown, fmt.Sprintf("%s (%s)", c.subject, short(failures[i])))
		}
	}
	if len(unknown) > 0 {
		// A message about a resource would make the program wait for the resource.
		if err := ctx.Log.Info("not compared with the account: "+strings.Join(unknown, "; "), nil); err != nil {
			return err
		}
	}
	return all.Err()
}

// short returns AWS's own words from the first line of a look-up's error.
func short(err error) string {
	const most = 160
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	for _, before := range []string{"returned an error: ", "request send failed, ", "api error "} {
		if i := strings.LastIndex(line, before); i >= 0 {
			line = line[i+len(before):]
		}
	}
	if r := []rune(line); len(r) > most {
		line = string(r[:most]) + "…"
	}
	return line
}

// checkRegions refuses regions that the account has not enabled, and those that do not exist.
func (n Needs) checkRegions(ctx *pulumi.Context, l *problem.List) error {
	if len(n.Regions) == 0 {
		return nil
	}
	enabled, err := aws.GetRegions(ctx, &aws.GetRegionsArgs{})
	if err != nil {
		return err
	}
	for _, field := range slices.Sorted(maps.Keys(n.Regions)) {
		region := n.Regions[field]
		if !slices.Contains(enabled.Names, region) {
			l.Add(field, region, "is not an enabled region of this account", "enable it under Account, AWS Regions, or use one of "+strings.Join(enabled.Names, ", "))
		}
	}
	return nil
}
