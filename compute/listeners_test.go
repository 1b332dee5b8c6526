package compute

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/edge"
	"cinema-database/internal/testutil/pulumitest"
	"cinema-database/storage"
)

const ruleType = "aws:lb/listenerRule:ListenerRule"

var apiHosts = []edge.Host{{Name: "api.example.com", Service: edge.ServiceAPI}, {Name: "films.example.com", Service: edge.ServiceAPI}}

// builtAPI registers the API with arguments that change has altered. Where there are services in containers, a rule of one
// is on their listener.
func builtAPI(t *testing.T, change func(*APIArgs)) *pulumitest.Recording {
	t.Helper()
	args := &APIArgs{
		Environment: pulumitest.Environment(),
		APISettings: APISettings{InstanceType: "t4g.small", Architecture: ARM64, MinSize: 2, MaxSize: 4},
		AMI:         "ami-0123456789abcdef0",
		Binary: storage.Artifact{
			Binary: &app.Binary{Name: contract.Cinema, Digest: strings.Repeat("a", 64)}, Key: pulumi.String("releases/a/cinema").ToStringOutput(),
		},
		VPCID:                       pulumi.String("vpc-1"),
		PublicSubnetIDs:             pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		PrivateSubnetIDs:            pulumi.ToStringArray([]string{"subnet-3", "subnet-4"}),
		LoadBalancerSecurityGroupID: pulumi.String("sg-1"), SecurityGroupID: pulumi.String("sg-2"),
		InstanceProfile: pulumi.String("api"), Role: pulumi.String("api"),
		ArtifactsBucket: pulumi.String("artifacts"), ImagesBucket: pulumi.String("images"), CredentialsURI: pulumi.String("s3://artifacts/credentials"),
		LogsBucket: pulumi.String("logs"), LogsPrefix: "lb", LogRetentionDays: 7,
	}
	change(args)
	if len(args.Hosts) > 0 {
		args.CertificateARN = pulumi.String("arn:aws:acm:us-east-1:123456789012:certificate/1")
	}
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		api, err := NewAPI(ctx, "api", args)
		if err != nil || !args.Services {
			return err
		}
		assert.Equal(t, args.Internal, api.Internal)
		_, err = lb.NewListenerRule(ctx, "service", &lb.ListenerRuleArgs{
			ListenerArn: api.ServiceListenerARN,
			Conditions:  lb.ListenerRuleConditionArray{},
			Actions:     lb.ListenerRuleActionArray{},
		})
		return err
	})
	require.NoError(t, r.Err)
	return r
}

// rule returns the rule with a name.
func rule(t *testing.T, r *pulumitest.Recording, name string) *pulumitest.Resource {
	t.Helper()
	all := r.ByType(ruleType)
	i := slices.IndexFunc(all, func(res *pulumitest.Resource) bool { return res.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return all[i]
}

// The rules of the API's host names go behind those of services, and come back when the last service has gone.
func TestHostsBehindServices(t *testing.T) {
	with := builtAPI(t, func(a *APIArgs) { a.Hosts, a.Services = apiHosts, true })
	without := builtAPI(t, func(a *APIArgs) { a.Hosts = apiHosts })
	for _, h := range apiHosts {
		assert.EqualValues(t, h.PriorityBehind(), rule(t, with, "api-host-"+h.Name).Input("priority").NumberValue())
		assert.EqualValues(t, h.Priority(), rule(t, without, "api-host-"+h.Name).Input("priority").NumberValue())
	}
	const output = resource.PropertyKey("serviceListenerARN")
	assert.Contains(t, with.ByName("api").Outputs, output)
	assert.NotContains(t, without.ByName("api").Outputs, output, "nothing changes without services")
}

// The rules of services belong to the listener that users reach, and wait for the API's: they may take a priority that one
// of those had.
func TestListenerOfServices(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*APIArgs)
		listener string
	}{
		"public HTTP":    {func(*APIArgs) {}, "api-http"},
		"public HTTPS":   {func(a *APIArgs) { a.Hosts = apiHosts }, "api-https"},
		"internal HTTP":  {func(a *APIArgs) { a.Internal = true }, "api-origin-http"},
		"internal HTTPS": {func(a *APIArgs) { a.Internal, a.Hosts = true, apiHosts }, "api-origin-https"},
	} {
		t.Run(name, func(t *testing.T) {
			r := builtAPI(t, func(a *APIArgs) {
				a.Services = true
				c.change(a)
			})
			service := rule(t, r, "service")
			listener := r.ByName(c.listener)
			require.NotNil(t, listener)
			assert.Equal(t, listener.State["arn"].StringValue(), service.Text("listenerArn"))
			for _, own := range append(r.ByType(ruleType), listener) {
				if own != service {
					assert.NotContains(t, r.Independent(own.URN), service.URN, own.Name)
				}
			}
		})
	}
}
