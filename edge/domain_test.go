package edge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"cinema-database/internal/problem"
)

func TestDomainRefusals(t *testing.T) {
	api := func(names ...string) []Host {
		var hosts []Host
		for _, n := range names {
			hosts = append(hosts, Host{Name: n, Service: ServiceAPI})
		}
		return hosts
	}
	for name, c := range map[string]struct {
		settings DomainSettings
		want     string
	}{
		"not a hosted zone":   {DomainSettings{HostedZone: "example", Hosts: api("a.example")}, `cinema:domain.zone: "example" is not the name of a hosted zone; write it like example.com`},
		"upper case":          {DomainSettings{HostedZone: "example.com", Hosts: api("Films.example.com")}, `cinema:domain.hosts[0].name: "Films.example.com" is not a host name`},
		"underscore":          {DomainSettings{HostedZone: "example.com", Hosts: api("my_films.example.com")}, `is not a host name`},
		"wildcard":            {DomainSettings{HostedZone: "example.com", Hosts: api("*.example.com")}, `is not a host name`},
		"another hosted zone": {DomainSettings{HostedZone: "example.com", Hosts: api("films.example.org")}, `cinema:domain.hosts[0].name: "films.example.org" is not in the hosted zone example.com; use a name that ends in .example.com, or another hosted zone`},
		"suffix of a name":    {DomainSettings{HostedZone: "example.com", Hosts: api("notexample.com")}, `is not in the hosted zone example.com`},
		"twice":               {DomainSettings{HostedZone: "example.com", Hosts: api("a.example.com", "a.example.com")}, `cinema:domain.hosts[1].name: "a.example.com" appears twice`},
		"another service":     {DomainSettings{HostedZone: "example.com", Hosts: []Host{{"a.example.com", "shop"}}}, `cinema:domain.hosts[0].service: "shop" is not a service behind the load balancer; use one of api`},
		"no host":             {DomainSettings{HostedZone: "example.com"}, `cinema:domain.hosts: 0 is not a number of names that one certificate can have; use 1 to 10`},
		"eleven hosts":        {DomainSettings{HostedZone: "example.com", Hosts: api(strings.Fields(strings.Repeat("a.example.com ", 11))...)}, `cinema:domain.hosts: 11 is not a number of names`},
		"no hosted zone":      {DomainSettings{Hosts: api("a.example.com")}, `cinema:domain.zone: "" is not the name of a hosted zone`},
	} {
		t.Run(name, func(t *testing.T) {
			l := problem.In("cinema:")
			c.settings.Check(l)
			assert.ErrorContains(t, l.Err(), c.want)
		})
	}
	for name, settings := range map[string]DomainSettings{
		"none":              {},
		"the hosted zone's": {HostedZone: "example.com", Hosts: api("example.com")},
		"several":           {HostedZone: "example.com", Hosts: api("a.example.com", "b.c.example.com")},
		"a created one":     {HostedZone: "films.example.com", CreateHostedZone: true, Hosts: api("films.example.com")},
		"punycode name":     {HostedZone: "example.com", Hosts: api("xn--kino-0ra.example.com")},
	} {
		l := problem.In("cinema:")
		settings.Check(l)
		assert.NoError(t, l.Err(), name)
	}
}
