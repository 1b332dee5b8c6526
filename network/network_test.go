package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

// valid returns valid arguments in three zones.
func valid() *Args {
	return &Args{
		Environment:        pulumitest.Environment(),
		Settings:           Settings{CIDR: netip.MustParsePrefix("10.0.0.0/16"), NatGateways: NatSingle, LogRetentionDays: 7},
		ArtifactsBucketARN: pulumi.String("arn:aws:s3:::artifacts"),
		ImagesBucketARN:    pulumi.String("arn:aws:s3:::images"),
		Zones:              []string{"us-east-1a", "us-east-1b", "us-east-1c"},
	}
}

// run registers a network with valid arguments that change has altered.
func run(t *testing.T, change func(*Args), opts ...pulumitest.Option) *pulumitest.Recording {
	t.Helper()
	args := valid()
	change(args)
	if len(args.AvailabilityZones) > 0 {
		args.Zones = args.AvailabilityZones
	}
	return pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "network", args)
		return err
	}, opts...)
}

// built is run without an error.
func built(t *testing.T, change func(*Args), opts ...pulumitest.Option) *pulumitest.Recording {
	t.Helper()
	r := run(t, change, opts...)
	require.NoError(t, r.Err)
	return r
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Args)
		want   []string
	}{
		"too small": {func(a *Args) { a.CIDR = netip.MustParsePrefix("10.0.0.0/28") },
			[]string{`network: vpcCidr: "10.0.0.0/28" cannot hold sixteen subnet slots of at least /27; use a prefix from /16 to /23`}},
		"too large":  {func(a *Args) { a.CIDR = netip.MustParsePrefix("10.0.0.0/8") }, []string{`network: vpcCidr: "10.0.0.0/8" is larger than AWS allows for a VPC, /16`}},
		"no CIDR":    {func(a *Args) { a.CIDR = netip.Prefix{} }, []string{`is not an IPv4 network; write it like 10.0.0.0/16`}},
		"IPv6":       {func(a *Args) { a.CIDR = netip.MustParsePrefix("fd00::/16") }, []string{`is not an IPv4 network`}},
		"host bits":  {func(a *Args) { a.CIDR = netip.MustParsePrefix("10.0.0.1/16") }, []string{`has host bits set; use 10.0.0.0/16`}},
		"public VPC": {func(a *Args) { a.CIDR = netip.MustParsePrefix("8.8.0.0/16") }, []string{`is a public network`}},
		"one zone":   {func(a *Args) { a.AvailabilityZones = []string{"us-east-1a"} }, []string{`network: availabilityZones: [us-east-1a] names fewer zones than a load balancer needs, 2`}},
		"five zones": {func(a *Args) {
			a.AvailabilityZones = strings.Fields("us-east-1a us-east-1b us-east-1c us-east-1d us-east-1e")
		}, []string{`has 5 slots, and the network has 4`}},
		"same zones":  {func(a *Args) { a.AvailabilityZones = []string{"us-east-1a", "us-east-1b", "us-east-1a"} }, []string{`network: availabilityZones[2]: "us-east-1a" appears twice; name different zones`}},
		"not a zone":  {func(a *Args) { a.AvailabilityZones = []string{"us-east-1a", "use1-az2"} }, []string{`network: availabilityZones[1]: "use1-az2" is not the name of an availability zone`}},
		"NAT mode":    {func(a *Args) { a.NatGateways = "many" }, []string{`network: natGateways: "many" is not a NAT mode; use none, single or perAz`}},
		"the world":   {func(a *Args) { a.OperatorCIDRs = prefixes("0.0.0.0/0", "::/0") }, []string{`bastion.cidrs[0]: "0.0.0.0/0" opens the bastion's SSH port to the whole internet`, `bastion.cidrs[1]: "::/0" opens`}},
		"half of it":  {func(a *Args) { a.OperatorCIDRs = prefixes("128.0.0.0/1") }, []string{`is wider than /8`}},
		"operator v6": {func(a *Args) { a.OperatorCIDRs = prefixes("2001:db8::/32") }, []string{`the VPC has no IPv6`}},
		"twice":       {func(a *Args) { a.OperatorCIDRs = prefixes("203.0.113.0/24", "203.0.113.0/24") }, []string{`bastion.cidrs[1]: "203.0.113.0/24" appears twice`}},
		"retention":   {func(a *Args) { a.LogRetentionDays = 8 }, []string{`network: logRetentionDays: 8 is not a retention that CloudWatch Logs knows; use one of [1 3 5`}},
		"all at once": {func(a *Args) { a.CIDR, a.NatGateways, a.LogRetentionDays = netip.Prefix{}, "many", 8 }, []string{"vpcCidr", "natGateways", "logRetentionDays"}},
	} {
		t.Run(name, func(t *testing.T) { pulumitest.Refused(t, run(t, c.change), c.want...) })
	}
}

// The database subnets have no way out in any mode.
func TestNATModes(t *testing.T) {
	for mode, c := range map[NatMode]struct{ gateways, routes int }{
		NatNone: {0, 1}, NatSingle: {1, 4}, NatPerAZ: {3, 4}, // the public tier's route is always there
	} {
		t.Run(string(mode), func(t *testing.T) {
			r := built(t, func(a *Args) { a.NatGateways = mode })
			assert.Len(t, r.ByType("aws:ec2/natGateway:NatGateway"), c.gateways)
			assert.Len(t, r.ByType("aws:ec2/eip:Eip"), c.gateways)
			assert.Len(t, r.ByType("aws:ec2/route:Route"), c.routes)
			assert.Len(t, r.ByType("aws:ec2/routeTable:RouteTable"), 5, "one public, one database, one a zone")
			tables := map[string]bool{} // of the database tier
			for _, a := range r.ByType("aws:ec2/routeTableAssociation:RouteTableAssociation") {
				if strings.HasPrefix(a.Name, "network-database") {
					tables[a.Text("routeTableId")] = true
				}
			}
			require.Len(t, tables, 1, "one table for the tier")
			for _, route := range r.ByType("aws:ec2/route:Route") {
				assert.False(t, tables[route.Text("routeTableId")], "%s leads out of the database tier", route.Name)
			}
			for _, table := range r.ByType("aws:ec2/routeTable:RouteTable") {
				assert.True(t, table.Input("routes").IsNull(), "inline routes of %s", table.Name)
			}
		})
	}
}

func TestEachZoneLeavesThroughItsOwnGateway(t *testing.T) {
	r := built(t, func(a *Args) { a.NatGateways = NatPerAZ })
	gateways := map[string]string{} // by ID
	for _, n := range r.ByType("aws:ec2/natGateway:NatGateway") {
		gateways[n.ID] = n.Name
	}
	for _, route := range r.ByType("aws:ec2/route:Route") {
		if route.Name == "network-public" {
			continue
		}
		assert.Equal(t, "network-nat-"+strings.TrimPrefix(route.Name, "network-private-"), gateways[route.Text("natGatewayId")], route.Name)
	}
}

// Every allowed connection is a row of the table, and each end of a row that is in the stack has its rule.
func TestRulesAreTheTrafficTable(t *testing.T) {
	services := []ServiceTraffic{{Name: "demo", Port: 8080, Database: true}, {Name: "shop", Port: 9090}}
	for name, change := range map[string]func(*Args){
		"without services": func(a *Args) { a.HTTPS, a.OperatorCIDRs = true, prefixes("203.0.113.0/24") },
		"with services":    func(a *Args) { a.Services, a.ContainerHosts = services, true },
		"without NAT": func(a *Args) {
			a.NatGateways, a.Services, a.ContainerHosts, a.Endpoints = NatNone, services, true, []string{"ecr.api", "logs"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var args *Args
			r := built(t, func(a *Args) {
				change(a)
				args = a
			})
			count, want := map[string]int{}, map[string]int{}
			for _, row := range Traffic(args) {
				assert.NotEmpty(t, row.Why)
				if _, inside := tierOf(row.To); inside {
					want["ingress"]++
				}
				if _, inside := tierOf(row.From); inside {
					want["egress"]++
				}
			}
			for _, rule := range r.ByType("aws:ec2/securityGroupRule:SecurityGroupRule") {
				count[rule.Text("type")]++
				assert.Regexp(t, description, rule.Text("description"), rule.Name)
				assert.Equal(t, rule.Text("fromPort"), rule.Text("toPort"), "%s opens a range", rule.Name)
				assert.Equal(t, "tcp", rule.Text("protocol"), rule.Name)
				if rule.Text("type") == "ingress" && rule.Text("cidrBlocks[0]") == everywhere {
					assert.Contains(t, []string{"network-load-balancer-from-internet-80", "network-load-balancer-from-internet-443"}, rule.Name)
				}
			}
			assert.Equal(t, want, count)
			assert.Len(t, r.ByType("aws:ec2/securityGroup:SecurityGroup"), len(Groups(args)))
			for _, group := range r.ByType("aws:ec2/securityGroup:SecurityGroup") {
				assert.Regexp(t, description, group.Text("description"), group.Name)
			}
		})
	}
}

// Members reach each other, whatever their number is: those that leave a set of three talk to it until they have left, after
// the network has changed.
func TestTrafficBetweenMembers(t *testing.T) {
	r := built(t, func(*Args) {})
	for _, name := range []string{"network-mongodb-from-mongodb-27017", "network-mongodb-to-mongodb-27017"} {
		assert.NotNil(t, r.ByName(name), name)
	}
}

// description is what AWS accepts for groups and rules (EC2 API reference, CreateSecurityGroup).
const description = `^[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]{1,255}$`

func TestEndpointPoliciesNameTheTiersOwnBuckets(t *testing.T) {
	r := built(t, func(*Args) {})
	policies := map[string]string{}
	for _, e := range r.ByType("aws:ec2/vpcEndpoint:VpcEndpoint") {
		policies[e.Name] = e.Text("policy")
	}
	require.Len(t, policies, 2)
	assert.Contains(t, policies["network-s3-private"], "arn:aws:s3:::images/*")
	assert.NotContains(t, policies["network-s3-database"], "arn:aws:s3:::images")
	for _, p := range policies {
		assert.Contains(t, p, "arn:aws:s3:::artifacts/*")
		assert.Contains(t, p, "arn:aws:s3:::al2023-repos-us-east-1-de612dc2/*")
		assert.NotContains(t, p, `"Resource":"*"`)
	}
}

func TestPreviewWithUnknownIDs(t *testing.T) {
	r := built(t, func(*Args) {}, pulumitest.Preview())
	assert.Equal(t, run(t, func(*Args) {}).Inventory(), r.Inventory(), "a preview shows what up makes")
}
