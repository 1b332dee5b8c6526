package network

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cinema-database/internal/testutil/pulumitest"
)

const endpointType = "aws:ec2/vpcEndpoint:VpcEndpoint"

// withServices adds a service with the database, and one without.
func withServices(a *Args) {
	a.Services = []ServiceTraffic{{Name: "demo", Port: 8080, Database: true}, {Name: "shop", Port: 9090}}
}

// onInstances adds the services, on instances, where the private tier has no NAT.
func onInstances(a *Args) {
	withServices(a)
	a.NatGateways, a.ContainerHosts = NatNone, true
	a.Endpoints = []string{"ecr.api", "ecr.dkr", "ecs-agent", "logs"}
}

// The rules that services add to the stack's own.
func TestRulesOfServices(t *testing.T) {
	for name, c := range map[string]struct {
		change, without func(*Args)
		want            string
	}{
		"with NAT": {withServices, func(*Args) {}, `
			network-load-balancer-to-service-demo-8080 network-service-demo-from-load-balancer-8080
			network-load-balancer-to-service-shop-9090 network-service-shop-from-load-balancer-9090
			network-service-demo-to-mongodb-27017 network-mongodb-from-service-demo-27017
			network-service-demo-to-internet-443 network-service-shop-to-internet-443
			network-service-demo-to-s3-443 network-service-shop-to-s3-443`},
		"without NAT": {onInstances, func(a *Args) { a.NatGateways = NatNone }, `
			network-load-balancer-to-service-demo-8080 network-service-demo-from-load-balancer-8080
			network-load-balancer-to-service-shop-9090 network-service-shop-from-load-balancer-9090
			network-service-demo-to-mongodb-27017 network-mongodb-from-service-demo-27017
			network-service-demo-to-endpoints-443 network-service-shop-to-endpoints-443 network-container-hosts-to-endpoints-443
			network-endpoints-from-service-demo-443 network-endpoints-from-service-shop-443 network-endpoints-from-container-hosts-443
			network-service-demo-to-s3-443 network-service-shop-to-s3-443 network-container-hosts-to-s3-443
			network-bastion-to-endpoints-443 network-endpoints-from-bastion-443`},
	} {
		t.Run(name, func(t *testing.T) {
			rules := func(change func(*Args)) (names []string) {
				for _, rule := range built(t, change).ByType("aws:ec2/securityGroupRule:SecurityGroupRule") {
					names = append(names, rule.Name)
				}
				return names
			}
			own := rules(c.without)
			all := rules(c.change)
			assert.Subset(t, all, own, "a service takes away no rule")
			assert.ElementsMatch(t, strings.Fields(c.want), slices.DeleteFunc(all, func(name string) bool { return slices.Contains(own, name) }))
		})
	}
}

// Whatever services there are, the ACL of the database tier is the same: their connections come from the networks that the
// API's come from, and AWS refuses two rules with one number.
func TestServicesChangeNoACL(t *testing.T) {
	args := Args{Settings: Settings{NatGateways: NatSingle, OperatorCIDRs: prefixes("203.0.113.0/24")}}
	ingress, egress := databaseACL(vpc, []int{0, 1, 2}, Traffic(&args))
	rapid.Check(t, func(t *rapid.T) {
		changed := args
		changed.NatGateways = rapid.SampledFrom([]NatMode{NatNone, NatSingle, NatPerAZ}).Draw(t, "nat")
		changed.ContainerHosts = rapid.Bool().Draw(t, "hosts")
		if changed.NatGateways == NatNone {
			changed.Endpoints = []string{"ecr.api"}
		}
		for i := range rapid.IntRange(0, 40).Draw(t, "services") {
			changed.Services = append(changed.Services, ServiceTraffic{
				Name: fmt.Sprintf("s%d", i), Port: rapid.IntRange(1, 65535).Draw(t, "port"), Database: rapid.Bool().Draw(t, "database"),
			})
		}
		in, out := databaseACL(vpc, []int{0, 1, 2}, Traffic(&changed))
		require.Equal(t, ingress, in)
		require.Equal(t, egress, out)
		for _, rules := range [][]aclRule{in, out} {
			numbers := map[int]bool{}
			for _, r := range rules {
				require.False(t, numbers[r.Number], "two rules are %d", r.Number)
				numbers[r.Number] = true
			}
		}
	})
}

// Rows that have one slot by mistake are not the same rule: both are there, for AWS and TestACLFollowsNewRowsAndZones to refuse.
func TestOtherRulesOfASlotStay(t *testing.T) {
	ingress, _ := databaseACL(vpc, []int{0}, []Rule{{API, MongoDB, 27017, "", 1}, {Service("demo"), MongoDB, 27017, "", 1}, {API, MongoDB, 9216, "", 1}})
	assert.Len(t, ingress, 3, "one for both, one for the other port, and the answers")
}

func TestInterfaceEndpoints(t *testing.T) {
	r := built(t, onInstances)
	var names []string
	for _, e := range r.ByType(endpointType) {
		if e.Text("vpcEndpointType") != "Interface" {
			continue
		}
		names = append(names, e.Name+" "+e.Text("serviceName"))
		assert.Equal(t, "true", e.Text("privateDnsEnabled"), e.Name)
		assert.Equal(t, r.ByName("network-endpoints").ID, e.Text("securityGroupIds[0]"), e.Name)
		for i, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
			for _, subnet := range r.ByType("aws:ec2/subnet:Subnet") {
				if subnet.Name == "network-private-"+zone {
					assert.Equal(t, subnet.ID, e.Text(fmt.Sprintf("subnetIds[%d]", i)), e.Name)
				}
			}
		}
		assert.True(t, e.Input("subnetIds[3]").IsNull(), "%s is in another tier too", e.Name)
		assert.Equal(t, "cinema-dev-"+e.Name, e.Text("tags.Name"))
		if e.Name == "network-endpoint-ecs-agent" {
			assert.True(t, e.Input("policy").IsNull(), "AWS refuses a policy of %s", e.Name)
		} else {
			assert.Contains(t, e.Text("policy"), `"Condition":{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}`, e.Name)
		}
	}
	assert.ElementsMatch(t, []string{
		"network-endpoint-ecr-api com.amazonaws.us-east-1.ecr.api", "network-endpoint-ecr-dkr com.amazonaws.us-east-1.ecr.dkr",
		"network-endpoint-ecs-agent com.amazonaws.us-east-1.ecs-agent", "network-endpoint-logs com.amazonaws.us-east-1.logs",
	}, names)
	assert.Len(t, built(t, withServices).ByType(endpointType), 2, "with NAT, those of S3 only")
}

func TestPreviewOfServices(t *testing.T) {
	for _, change := range []func(*Args){withServices, onInstances} {
		assert.Equal(t, built(t, change).Inventory(), built(t, change, pulumitest.Preview()).Inventory(), "a preview shows what up makes")
	}
}

// The layers of images come from S3, in the private tier alone and only for services.
func TestImageLayers(t *testing.T) {
	const layers = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
	r := built(t, withServices)
	assert.Contains(t, r.ByName("network-s3-private").Text("policy"), layers)
	assert.NotContains(t, r.ByName("network-s3-database").Text("policy"), layers)
	assert.NotContains(t, built(t, func(*Args) {}).ByName("network-s3-private").Text("policy"), layers)
}

func TestServiceRefusals(t *testing.T) {
	pulumitest.Refused(t, run(t, func(a *Args) {
		onInstances(a)
		a.Services[1].Public = true
	}), "network: services.shop: \"shop\" has an image in another registry, which the private tier cannot reach without NAT; set natGateways, or push")
	pulumitest.Refused(t, run(t, func(a *Args) {
		onInstances(a)
		a.NatGateways = NatSingle
	}), `network: natGateways: "single" reaches AWS without interface endpoints`)
}

// What needs the internet or AWS starts only when the way there exists, and what needs S3 alone starts before.
func TestTasksWaitForTheWayOut(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Args)
		ways   []string
	}{
		"NAT": {withServices, []string{
			"aws:ec2/route:Route::network-private-us-east-1c", "aws:ec2/securityGroupRule:SecurityGroupRule::network-service-demo-to-internet-443",
		}},
		"endpoints": {onInstances, []string{
			endpointType + "::network-endpoint-logs", "aws:ec2/securityGroupRule:SecurityGroupRule::network-endpoints-from-service-shop-443",
			"aws:ec2/securityGroupRule:SecurityGroupRule::network-load-balancer-to-service-demo-8080",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
				args := valid()
				c.change(args)
				n, err := New(ctx, "network", args)
				if err != nil {
					return err
				}
				for user, subnets := range map[string]pulumi.StringArray{"task": n.EgressSubnetIDs(), "instance": n.PrivateSubnetIDs} {
					if len(subnets) != len(args.Zones) {
						return fmt.Errorf("%s: %d subnets", user, len(subnets))
					}
					for i, id := range subnets {
						if _, err := ec2.NewInstance(ctx, fmt.Sprint(user, i), &ec2.InstanceArgs{SubnetId: id}); err != nil {
							return err
						}
					}
				}
				return nil
			})
			require.NoError(t, r.Err)
			for _, way := range c.ways {
				i := slices.IndexFunc(r.Resources, func(res *pulumitest.Resource) bool { return strings.HasSuffix(res.URN, way) })
				require.GreaterOrEqual(t, i, 0, way)
				independent := r.Independent(r.Resources[i].URN)
				for zone := range 3 {
					assert.NotContains(t, independent, r.ByName(fmt.Sprint("task", zone)).URN, way)
					assert.Contains(t, independent, r.ByName(fmt.Sprint("instance", zone)).URN, way)
				}
			}
		})
	}
}
