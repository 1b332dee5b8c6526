package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// createRecords registers an alias of each host name for what users connect to. In both modes they are the same resources,
// so that a change of the mode moves a name and never removes it.
func (b *builder) createRecords() error {
	if b.args.Domain == nil {
		return nil
	}
	for _, host := range b.args.Names() {
		records, err := b.createAliases(host, b.distribution)
		if err != nil {
			return err
		}
		b.records = append(b.records, records...)
	}
	return nil
}

// createAliases registers the records of a host name: for its distribution, or without the edge for the load balancer.
func (b *builder) createAliases(host string, distribution *cloudfront.Distribution) (records []pulumi.Resource, err error) {
	target := route53.RecordAliasArgs{Name: b.args.LoadBalancer.DNSName, ZoneId: b.args.LoadBalancer.ZoneID, EvaluateTargetHealth: pulumi.Bool(true)}
	kinds := []struct{ kind, prefix string }{{"A", "alias"}}
	if b.args.On() {
		target = route53.RecordAliasArgs{Name: distribution.DomainName, ZoneId: distribution.HostedZoneId, EvaluateTargetHealth: pulumi.Bool(false)}
		kinds = append(kinds, struct{ kind, prefix string }{"AAAA", "alias-ipv6"}) // the load balancer has IPv4 addresses only
	}
	for _, k := range kinds {
		record, err := route53.NewRecord(b.Ctx, b.Name(k.prefix, host), &route53.RecordArgs{
			ZoneId:  b.args.Domain.HostedZoneID,
			Name:    pulumi.String(host),
			Type:    pulumi.String(k.kind),
			Aliases: route53.RecordAliasArray{target},
		}, b.Child(b.Moved(formerOwner, "aws:route53/record:Record", "api-"+k.prefix+"-"+host)))
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}
