package preflight

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicequotas"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/lookup"
	"cinema-database/internal/problem"
)

// quota is a quota of one region, by its codes in Service Quotas.
type quota struct{ service, code, name string }

var (
	elasticIPs  = quota{"ec2", "L-0263D0A3", "EC2-VPC Elastic IPs"}
	vpcs        = quota{"vpc", "L-F678F1CE", "VPCs per Region"}
	concurrency = quota{"lambda", "L-B99A9384", "Concurrent executions"}
)

// families are the quotas of running instances, which count vCPUs, by the families that they hold for.
var families = []struct {
	of *regexp.Regexp
	quota
}{
	{regexp.MustCompile(`^(a|c|d|h|i|im|is|m|r|t|z)\d`), quota{"ec2", "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"}},
	{regexp.MustCompile(`^(g|gr|vt)\d`), quota{"ec2", "L-DB2E81BA", "Running On-Demand G and VT instances"}},
	{regexp.MustCompile(`^x\d`), quota{"ec2", "L-7295265B", "Running On-Demand X instances"}},
}

// unreservedConcurrency is what Lambda keeps for the functions without a reservation.
const unreservedConcurrency = 100

func (q quota) value(ctx *pulumi.Context) (int, error) {
	found, err := servicequotas.LookupServiceQuota(ctx, &servicequotas.LookupServiceQuotaArgs{ServiceCode: q.service, QuotaCode: &q.code})
	if err != nil {
		return 0, err
	}
	return int(found.Value), nil
}

// refuse adds a problem where what is needed and what others use is more than the quota.
func (q quota) refuse(l *problem.List, limit, need int, of string, used int, remedy string) {
	if need+used <= limit {
		return
	}
	reason := fmt.Sprintf("%s needed, and the quota is %d", of, limit)
	if used > 0 {
		reason += fmt.Sprintf(", of which %d are in use outside this stack", used)
	}
	l.Add(q.name, need, reason, fmt.Sprintf("%s, or request a quota of at least %d: Service Quotas, %s, %s", remedy, need+used, q.service, q.code))
}

func (n Needs) quotas() []check {
	return []check{
		{concurrency.name, n.checkConcurrency},
		{elasticIPs.name, n.checkAddresses},
		{vpcs.name, n.checkVPCs},
		{"instance types and vCPUs", n.checkHosts},
	}
}

// own are the tags of what this stack has already.
func own(ctx *pulumi.Context) map[string]string {
	return map[string]string{"Project": ctx.Project(), "Stack": ctx.Stack()}
}

func (n Needs) checkAddresses(ctx *pulumi.Context, l *problem.List) error {
	var limit int
	var all, mine *ec2.GetEipsResult
	if err := errors.Join(lookup.Together(
		func() (err error) { limit, err = elasticIPs.value(ctx); return err },
		func() (err error) { all, err = ec2.GetEips(ctx, &ec2.GetEipsArgs{}); return err },
		func() (err error) { mine, err = ec2.GetEips(ctx, &ec2.GetEipsArgs{Tags: own(ctx)}); return err },
	)...); err != nil {
		return err
	}
	elasticIPs.refuse(l, limit, n.ElasticIPs, "addresses are", len(all.AllocationIds)-len(mine.AllocationIds), "release addresses, or set natGateways to none")
	return nil
}

func (n Needs) checkVPCs(ctx *pulumi.Context, l *problem.List) error {
	var limit int
	var all, mine *ec2.GetVpcsResult
	if err := errors.Join(lookup.Together(
		func() (err error) { limit, err = vpcs.value(ctx); return err },
		func() (err error) { all, err = ec2.GetVpcs(ctx, &ec2.GetVpcsArgs{}); return err },
		func() (err error) { mine, err = ec2.GetVpcs(ctx, &ec2.GetVpcsArgs{Tags: own(ctx)}); return err },
	)...); err != nil {
		return err
	}
	vpcs.refuse(l, limit, 1, "VPC is", len(all.Ids)-len(mine.Ids), "delete a VPC that nothing uses")
	return nil
}

// checkConcurrency does not know what other functions reserve: no look-up has it.
func (n Needs) checkConcurrency(ctx *pulumi.Context, l *problem.List) error {
	if n.ReservedConcurrency == 0 {
		return nil
	}
	limit, err := concurrency.value(ctx)
	if err != nil {
		return err
	}
	if n.ReservedConcurrency+unreservedConcurrency > limit {
		l.Add(concurrency.name, n.ReservedConcurrency, fmt.Sprintf("are reserved, Lambda keeps %d for other functions, and the quota is %d", unreservedConcurrency, limit),
			fmt.Sprintf("set thumbnailer.concurrency to -1, or request a quota of at least %d: Service Quotas, %s, %s",
				n.ReservedConcurrency+unreservedConcurrency, concurrency.service, concurrency.code))
	}
	return nil
}

// checkHosts compares vCPUs with the quota alone: no look-up has the types of what else runs in the account.
func (n Needs) checkHosts(ctx *pulumi.Context, l *problem.List) error {
	var types []string
	for _, h := range n.Hosts {
		if !slices.Contains(types, h.Type) {
			types = append(types, h.Type)
		}
	}
	answers, limits := make([]*ec2.GetInstanceTypeResult, len(types)), make([]*int, len(families)) // nil where the look-up failed
	var lookups []func() error
	for i, t := range types {
		lookups = append(lookups, func() (err error) {
			if answers[i], err = ec2.GetInstanceType(ctx, &ec2.GetInstanceTypeArgs{InstanceType: t}); err != nil {
				return fmt.Errorf("%s: %w", t, err)
			}
			return nil
		})
	}
	for i, f := range families {
		if slices.ContainsFunc(types, f.of.MatchString) {
			lookups = append(lookups, func() error {
				limit, err := f.value(ctx)
				if err == nil {
					limits[i] = &limit
				}
				return err
			})
		}
	}
	failed := errors.Join(lookup.Together(lookups...)...)
	found := map[string]*ec2.GetInstanceTypeResult{}
	for i, t := range types {
		found[t] = answers[i]
	}
	for _, h := range n.Hosts {
		if found[h.Type] != nil && h.NVMe && found[h.Type].Hypervisor == "xen" {
			l.Add(h.Field, h.Type, "runs on Xen, where volumes have no NVMe names, by which the host finds its own", "use a type that runs on Nitro, of a later generation")
		}
	}
	for i, f := range families {
		count, most := 0, 0
		of := map[string]bool{} // its types
		for _, h := range n.Hosts {
			if found[h.Type] != nil && f.of.MatchString(h.Type) {
				count += h.Count * found[h.Type].DefaultVcpus
				most += h.Max * found[h.Type].DefaultVcpus
				of[h.Type] = true
			}
		}
		if count == 0 || limits[i] == nil {
			continue
		}
		limit := *limits[i]
		f.refuse(l, limit, count, fmt.Sprintf("vCPUs (%s) are", strings.Join(slices.Sorted(maps.Keys(of)), ", ")), 0, "use smaller types or a smaller api.minSize")
		if count <= limit && most > limit {
			if err := ctx.Log.Warn(fmt.Sprintf("account: %s: api.maxSize needs %d vCPUs, and the quota is %d: the API cannot grow to it", f.name, most, limit), nil); err != nil {
				return err
			}
		}
	}
	return failed
}
