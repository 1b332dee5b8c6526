package edge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/format"
	"cinema-database/internal/problem"
)

// ServiceAPI is the only service of instances behind the load balancer. Another one needs a name here, a target group in
// compute/loadbalancer.go, and hosts in config. Services in containers have routes of their own, see ServiceRoute.
const ServiceAPI = "api"

var services = []string{ServiceAPI}

// Host is a host name of the stack: requests for Name go to Service.
type Host struct {
	// Name is a fully qualified host name in lower case, in the hosted zone.
	Name string `json:"name"`
	// Service is the name of a service behind the load balancer: "api".
	Service string `json:"service"`
}

// DomainSettings are the host names of the stack. With the zero value it has only the name that AWS assigns.
type DomainSettings struct {
	// HostedZone is the name of a public hosted zone, e.g. example.com.
	HostedZone string `json:"zone"`
	// CreateHostedZone adds the hosted zone to the stack. Otherwise it is looked up in the account.
	CreateHostedZone bool `json:"createZone"`
	// Hosts in the hosted zone. The first is in the stack's URL.
	Hosts []Host `json:"hosts"`
}

// Names returns the host names, sorted.
func (s DomainSettings) Names() (names []string) {
	for _, h := range s.Hosts {
		names = append(names, h.Name)
	}
	slices.Sort(names)
	return names
}

// certificateNames returns the names that the certificates are for, sorted: those of the hosts and of the services.
func (s DomainSettings) certificateNames(services []ServiceRoute) []string {
	names := append(s.Names(), ServiceHosts(services)...)
	slices.Sort(names)
	return names
}

// RecordNames are IAM patterns of the names of the records that the package registers: those of the hosts, and below each
// the one that proves to ACM that it is the stack's. services are those in containers.
func (s DomainSettings) RecordNames(services ...ServiceRoute) (patterns []string) {
	for _, name := range s.certificateNames(services) {
		patterns = append(patterns, name, "_*."+name)
	}
	return patterns
}

// On reports whether there is a domain.
func (s DomainSettings) On() bool { return len(s.Hosts) > 0 }

// MaxHosts is how many host names the stack can have, with those of services: ACM's quota of names on a certificate. Elastic
// Load Balancing and CloudFront allow more.
const MaxHosts = 10

// Check adds a problem for each name that the stack cannot serve.
func (s DomainSettings) Check(l *problem.List) {
	if s.HostedZone == "" && !s.On() && !s.CreateHostedZone {
		return
	}
	if !format.HostName(s.HostedZone) {
		l.Add("domain.zone", s.HostedZone, "is not the name of a hosted zone", "write it like example.com")
	}
	if n := len(s.Hosts); n == 0 || n > MaxHosts {
		l.Add("domain.hosts", n, "is not a number of names that one certificate can have", fmt.Sprintf("use 1 to %d", MaxHosts))
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
		case slices.ContainsFunc(s.Hosts[:i], func(o Host) bool { return o.Priority() == h.Priority() }):
			l.Add(at+".name", h.Name, fmt.Sprintf("has the rule priority of another host, %d", h.Priority()), "rename one of them")
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
		return "", fmt.Errorf("edge: domain.zone: %q is not a public hosted zone of this account; create it, or set createZone: %w", s.HostedZone, err)
	}
	return hostedZone.ZoneId, nil
}

// DomainArgs are the host names and where their certificates go.
type DomainArgs struct {
	environment.Environment
	DomainSettings
	// Services in containers, sorted by name. Their host names are on the same certificates.
	Services []ServiceRoute
	// HostedZoneID is empty if the stack creates the hosted zone.
	HostedZoneID string
	// Edge asks for a certificate for CloudFront. Global is for where it must be, see NewGlobal.
	Edge   bool
	Global pulumi.ProviderResource
}

// Domain is the hosted zone and the certificates of the host names.
type Domain struct {
	pulumi.ResourceState

	// HostedZoneID of the host names.
	HostedZoneID pulumi.StringOutput
	// NameServers of the hosted zone if the stack creates it: the registrar must delegate to them.
	NameServers pulumi.StringArrayOutput
	// CertificateARN is the validated certificate for the load balancer.
	CertificateARN pulumi.StringOutput
	// EdgeCertificateARN is the validated certificate for CloudFront, the load balancer's own in us-east-1. It is not set
	// without the edge.
	EdgeCertificateARN pulumi.StringOutput
}

type domainBuilder struct {
	*component.Scope
	args *DomainArgs
	out  *Domain
}

// NewDomain registers the hosted zone if the stack owns it, and certificates for all names, validated through DNS.
func NewDomain(ctx *pulumi.Context, name string, args *DomainArgs, opts ...pulumi.ResourceOption) (*Domain, error) {
	problems := problem.In("edge: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	d := &Domain{
		HostedZoneID: pulumi.String(args.HostedZoneID).ToStringOutput(),
		NameServers:  pulumi.StringArray{}.ToStringArrayOutput(),
	}
	err := component.New(ctx, args.Environment, "cinema:edge:Domain", name, d, func(s *component.Scope) error {
		b := &domainBuilder{Scope: s, args: args, out: d}
		if err := b.createHostedZone(); err != nil {
			return err
		}
		return b.createCertificates()
	}, opts...)
	return d, err
}

// moved is the alias of a resource that the API's component had before, under the same name after its prefix.
func (b *domainBuilder) moved(typ string, parts ...string) pulumi.ResourceOption {
	return b.Moved(formerOwner, typ, strings.Join(append([]string{"api"}, parts...), "-"))
}

// formerOwner registered the names of the stack before this package did.
var formerOwner = component.ID{Type: "cinema:compute:API", Name: "api"}

func (b *domainBuilder) createHostedZone() error {
	if !b.args.CreateHostedZone {
		return nil
	}
	hostedZone, err := route53.NewZone(b.Ctx, b.Name("zone"), &route53.ZoneArgs{
		Name:    pulumi.String(b.args.HostedZone),
		Comment: pulumi.String("Host names of Cinema"),
		Tags:    b.Tags(b.Name("zone")),
	}, b.Child(b.moved("aws:route53/zone:Zone", "zone")))
	if err != nil {
		return err
	}
	b.out.HostedZoneID, b.out.NameServers = hostedZone.ZoneId, hostedZone.NameServers
	// The operator needs the name servers during the deployment, before the outputs: the certificate waits for the
	// delegation.
	hostedZone.NameServers.ApplyT(func(servers []string) error {
		if b.Ctx.DryRun() {
			return nil
		}
		return b.Ctx.Log.Info(fmt.Sprintf("its registrar must delegate %s to %s; a new certificate waits for that, up to 75 minutes",
			b.args.HostedZone, strings.Join(servers, ", ")), &pulumi.LogArgs{Resource: hostedZone})
	})
	return nil
}

// createCertificates registers a certificate for the load balancer, and one for CloudFront where the stack is in another
// region than CloudFront's certificates. Both are proven by the same records: ACM asks for one record for each name and
// account.
func (b *domainBuilder) createCertificates() error {
	certificate, err := b.createCertificate("certificate", b.Child())
	if err != nil {
		return err
	}
	var proofs pulumi.StringArray
	for _, name := range b.args.certificateNames(b.args.Services) {
		proof, err := route53.NewRecord(b.Ctx, b.Name("proof", name), &route53.RecordArgs{
			ZoneId:  b.out.HostedZoneID,
			Name:    validation(certificate, name, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordName }),
			Type:    validation(certificate, name, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordType }),
			Records: pulumi.StringArray{validation(certificate, name, func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordValue })},
			Ttl:     pulumi.Int(300),
			// ACM requires the same record for every certificate of a name.
			AllowOverwrite: pulumi.Bool(true),
		}, b.Child(b.moved("aws:route53/record:Record", "proof", name)))
		if err != nil {
			return err
		}
		proofs = append(proofs, proof.Fqdn)
	}
	if b.out.CertificateARN, err = b.validate(certificate, "certificate", proofs, b.Child()); err != nil || !b.args.Edge {
		return err
	}
	if b.args.Global == nil {
		b.out.EdgeCertificateARN = b.out.CertificateARN
		return nil
	}
	global := pulumi.Provider(b.args.Global)
	if certificate, err = b.createCertificate("edge-certificate", b.Child(global)); err != nil {
		return err
	}
	b.out.EdgeCertificateARN, err = b.validate(certificate, "edge-certificate", proofs, b.Child(global))
	return err
}

func (b *domainBuilder) createCertificate(name string, opts ...pulumi.ResourceOption) (*acm.Certificate, error) {
	names := b.args.certificateNames(b.args.Services)
	return acm.NewCertificate(b.Ctx, b.Name(name), &acm.CertificateArgs{
		// Both follow from the names, not from their order. The provider keeps alternative names that are left out.
		DomainName:              pulumi.String(names[0]),
		SubjectAlternativeNames: pulumi.ToStringArray(names),
		ValidationMethod:        pulumi.String("DNS"),
		Tags:                    b.Tags(b.Name(name)),
	}, append(opts, b.moved("aws:acm/certificate:Certificate", name))...)
}

// validate waits until ACM has issued the certificate, and returns its ARN.
func (b *domainBuilder) validate(c *acm.Certificate, name string, proofs pulumi.StringArray, opts ...pulumi.ResourceOption) (pulumi.StringOutput, error) {
	validated, err := acm.NewCertificateValidation(b.Ctx, b.Name(name), &acm.CertificateValidationArgs{
		CertificateArn:        c.Arn,
		ValidationRecordFqdns: proofs,
	}, append(opts, b.moved("aws:acm/certificateValidation:CertificateValidation", name))...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
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
		return "", fmt.Errorf("edge: certificate: ACM returned no validation record for %s", host)
	}).(pulumi.StringOutput)
}
