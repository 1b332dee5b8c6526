package compute

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/format"
	"cinema-database/internal/problem"
)

// ServiceAPI is the only service behind the load balancer. Another service needs a name here, a target group in
// createTargetGroups, and hosts in config.
const ServiceAPI = "api"

var services = []string{ServiceAPI}

// Host is a rule of the load balancer: requests for Name go to Service.
type Host struct {
	// Name is a fully qualified host name in lower case, in the hosted zone.
	Name string `json:"name"`
	// Service is the name of a service behind the load balancer: "api".
	Service string `json:"service"`
}

// DomainSettings are the load balancer's host names, which it serves over HTTPS. With the zero value it serves plain HTTP
// under the name that AWS assigns.
type DomainSettings struct {
	// HostedZone is the name of a public hosted zone, e.g. example.com.
	HostedZone string `json:"zone"`
	// CreateHostedZone adds the hosted zone to the stack. Otherwise it is looked up in the account.
	CreateHostedZone bool `json:"createZone"`
	// Hosts in the hosted zone. The first is in the API's URL.
	Hosts []Host `json:"hosts"`
}

// names returns the host names, sorted.
func (s DomainSettings) names() (names []string) {
	for _, h := range s.Hosts {
		names = append(names, h.Name)
	}
	slices.Sort(names)
	return names
}

// RecordNames are IAM patterns of the names of the records that createDomain registers: those of the hosts, and below each
// the one that proves to ACM that it is the stack's.
func (s DomainSettings) RecordNames() (patterns []string) {
	for _, name := range s.names() {
		patterns = append(patterns, name, "_*."+name)
	}
	return patterns
}

// On reports whether there is a domain.
func (s DomainSettings) On() bool { return len(s.Hosts) > 0 }

// maxHosts is ACM's quota of names on a certificate. Elastic Load Balancing allows more: 100 rules on a listener.
const maxHosts = 10

// Check adds a problem for each name that the load balancer cannot serve.
func (s DomainSettings) Check(l *problem.List) {
	if s.HostedZone == "" && !s.On() && !s.CreateHostedZone {
		return
	}
	if !format.HostName(s.HostedZone) {
		l.Add("domain.zone", s.HostedZone, "is not the name of a hosted zone", "write it like example.com")
	}
	if n := len(s.Hosts); n == 0 || n > maxHosts {
		l.Add("domain.hosts", n, "is not a number of names that one certificate can have", fmt.Sprintf("use 1 to %d", maxHosts))
	}
	for i, h := range s.Hosts {
		at := fmt.Sprintf("domain.hosts[%d]", i)
		switch {
		case !format.HostName(h.Name):
			l.Add(at+".name", h.Name, "is not a host name", "write it in lower case, like cinema.example.com")
		case h.Name != s.HostedZone && !strings.HasSuffix(h.Name, "."+s.HostedZone):
			l.Add(at+".name", h.Name, "is not in the hosted zone "+s.HostedZone, "use a name that ends in ."+s.HostedZone+", or another hosted zone")
		case slices.ContainsFunc(s.Hosts[:i], func(o Host) bool { return o.Name == h.Name }):
			l.Add(at+".name", h.Name, "appears twice", "remove one")
		case slices.ContainsFunc(s.Hosts[:i], func(o Host) bool { return priority(o.Name) == priority(h.Name) }):
			l.Add(at+".name", h.Name, fmt.Sprintf("has the rule priority of another host, %d", priority(h.Name)), "rename one of them")
		}
		if !slices.Contains(services, h.Service) {
			l.Add(at+".service", h.Service, "is not a service behind the load balancer", "use one of "+strings.Join(services, ", "))
		}
	}
}

// LookupHostedZone returns the id of the hosted zone. It is empty without a domain, or if the stack creates the hosted
// zone.
func (s DomainSettings) LookupHostedZone(ctx *pulumi.Context) (string, error) {
	if !s.On() || s.CreateHostedZone {
		return "", nil
	}
	private := false
	hostedZone, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{Name: &s.HostedZone, PrivateZone: &private})
	if err != nil {
		return "", fmt.Errorf("compute: domain.zone: %q is not a public hosted zone of this account; create it, or set createZone: %w", s.HostedZone, err)
	}
	return hostedZone.ZoneId, nil
}

// createDomain registers the hosted zone if the stack owns it, one certificate for all names, validated through DNS, and
// an alias record for each name. It returns the ARN of the validated certificate.
func (b *apiBuilder) createDomain() (certificateARN pulumi.StringOutput, err error) {
	domain := b.args.Domain
	hostedZoneID := pulumi.String(b.args.HostedZoneID).ToStringOutput()
	if domain.CreateHostedZone {
		hostedZone, err := route53.NewZone(b.Ctx, b.Name("zone"), &route53.ZoneArgs{
			Name:    pulumi.String(domain.HostedZone),
			Comment: pulumi.String("Host names of Cinema"),
			Tags:    b.Tags(b.Name("zone")),
		}, b.Child())
		if err != nil {
			return certificateARN, err
		}
		hostedZoneID, b.out.NameServers = hostedZone.ZoneId, hostedZone.NameServers
		// The operator needs the name servers during the deployment, before the outputs: the certificate waits for the
		// delegation.
		hostedZone.NameServers.ApplyT(func(servers []string) error {
			if b.Ctx.DryRun() {
				return nil
			}
			return b.Ctx.Log.Info(fmt.Sprintf("its registrar must delegate %s to %s; a new certificate waits for that, up to 75 minutes",
				domain.HostedZone, strings.Join(servers, ", ")), &pulumi.LogArgs{Resource: hostedZone})
		})
	}
	names := domain.names()
	certificate, err := acm.NewCertificate(b.Ctx, b.Name("certificate"), &acm.CertificateArgs{
		// Both follow from the names, not from their order. The provider keeps alternative names that are left out.
		DomainName:              pulumi.String(names[0]),
		SubjectAlternativeNames: pulumi.ToStringArray(names),
		ValidationMethod:        pulumi.String("DNS"),
		Tags:                    b.Tags(b.Name("certificate")),
	}, b.Child())
	if err != nil {
		return certificateARN, err
	}
	var proofs pulumi.StringArray
	for _, name := range names {
		proof, err := route53.NewRecord(b.Ctx, b.Name("proof", name), &route53.RecordArgs{
			ZoneId:  hostedZoneID,
			Name:    validation(certificate, name, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordName }),
			Type:    validation(certificate, name, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordType }),
			Records: pulumi.StringArray{validation(certificate, name, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordValue })},
			Ttl:     pulumi.Int(300),
			// ACM requires the same record for every certificate of a name.
			AllowOverwrite: pulumi.Bool(true),
		}, b.Child())
		if err != nil {
			return certificateARN, err
		}
		proofs = append(proofs, proof.Fqdn)
		if _, err := route53.NewRecord(b.Ctx, b.Name("alias", name), &route53.RecordArgs{
			ZoneId: hostedZoneID,
			Name:   pulumi.String(name),
			Type:   pulumi.String("A"),
			Aliases: route53.RecordAliasArray{route53.RecordAliasArgs{
				Name: b.balancer.DnsName, ZoneId: b.balancer.ZoneId, EvaluateTargetHealth: pulumi.Bool(true),
			}},
		}, b.Child()); err != nil {
			return certificateARN, err
		}
	}
	validated, err := acm.NewCertificateValidation(b.Ctx, b.Name("certificate"), &acm.CertificateValidationArgs{
		CertificateArn:        certificate.Arn,
		ValidationRecordFqdns: proofs,
	}, b.Child())
	if err != nil {
		return certificateARN, err
	}
	b.out.CertificateARN = validated.CertificateArn
	return validated.CertificateArn, nil
}

// validation returns a part of the DNS record by which ACM validates a host name.
func validation(c *acm.Certificate, host string, part func(acm.CertificateDomainValidationOption) *string) pulumi.StringOutput {
	return c.DomainValidationOptions.ApplyT(func(options []acm.CertificateDomainValidationOption) (string, error) {
		for _, o := range options {
			if o.DomainName != nil && *o.DomainName == host && part(o) != nil {
				return *part(o), nil
			}
		}
		return "", fmt.Errorf("compute: certificate: ACM returned no validation record for %s", host)
	}).(pulumi.StringOutput)
}

// tlsPolicy allows TLS 1.3, and TLS 1.2 with forward secrecy. Elastic Load Balancing recommends it.
const tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"

// createListeners registers the listeners. With a domain, HTTPS has a rule for each host name and answers 404 to others,
// and HTTP redirects to HTTPS. Without a domain, there is only HTTP, and the preview warns about it.
func (b *apiBuilder) createListeners() error {
	domain := b.args.Domain
	if !domain.On() {
		// A log entry about a resource would make the program wait for the resource.
		if err := b.Ctx.Log.Warn("the API is served over plain HTTP: passwords cross the internet in the clear; set cinema:domain for HTTPS", nil); err != nil {
			return err
		}
		b.out.URL = pulumi.Sprintf("http://%s", b.balancer.DnsName)
		return b.listen("http", lb.ListenerArgs{
			Port: pulumi.Int(80), Protocol: pulumi.String("HTTP"),
			DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: b.targets[ServiceAPI].Arn,
			}},
		})
	}
	certificate, err := b.createDomain()
	if err != nil {
		return err
	}
	if err := b.listen("http", lb.ListenerArgs{
		Port: pulumi.Int(80), Protocol: pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: lb.ListenerDefaultActionRedirectArgs{
				Port: pulumi.String("443"), Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
	}); err != nil {
		return err
	}
	if err := b.listen("https", lb.ListenerArgs{
		Port: pulumi.Int(443), Protocol: pulumi.String("HTTPS"),
		SslPolicy: pulumi.String(tlsPolicy), CertificateArn: certificate,
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type: pulumi.String("fixed-response"),
			FixedResponse: lb.ListenerDefaultActionFixedResponseArgs{
				StatusCode: pulumi.String("404"), ContentType: pulumi.String("text/plain"),
				MessageBody: pulumi.String("no service has this name"),
			},
		}},
	}); err != nil {
		return err
	}
	https := b.listeners[len(b.listeners)-1]
	for _, h := range domain.Hosts {
		rule, err := lb.NewListenerRule(b.Ctx, b.Name("host", h.Name), &lb.ListenerRuleArgs{
			ListenerArn: https.Arn,
			Priority:    pulumi.Int(priority(h.Name)),
			Conditions: lb.ListenerRuleConditionArray{lb.ListenerRuleConditionArgs{
				HostHeader: lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.StringArray{pulumi.String(h.Name)}},
			}},
			Actions: lb.ListenerRuleActionArray{lb.ListenerRuleActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: b.targets[h.Service].Arn,
			}},
			Tags: b.Tags(b.Name("host", h.Name)),
		}, b.Child())
		if err != nil {
			return err
		}
		b.attached = append(b.attached, rule)
	}
	b.out.URL = pulumi.Sprintf("https://%s", domain.Hosts[0].Name)
	return nil
}

// priority returns the priority of a host's rule: 1 to 50,000 (Elastic Load Balancing user guide, "Listener rules"). It
// depends on the name alone, because a rule cannot take the priority that another rule still has.
func priority(host string) int {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(host)) // never fails
	return 1 + int(sum.Sum32()%50_000)
}

func (b *apiBuilder) listen(name string, args lb.ListenerArgs) error {
	args.LoadBalancerArn, args.Tags = b.balancer.Arn, b.Tags(b.Name(name))
	listener, err := lb.NewListener(b.Ctx, b.Name(name), &args, b.Child())
	if err != nil {
		return err
	}
	b.listeners = append(b.listeners, listener)
	b.attached = append(b.attached, listener)
	return nil
}
