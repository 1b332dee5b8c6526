package pulumitest_test

import (
	"errors"
	"testing"

	"cinema-database/internal/testutil/pulumitest"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	vpcType    = "aws:ec2/vpc:Vpc"
	subnetType = "aws:ec2/subnet:Subnet"
)

type office struct {
	pulumi.ResourceState
	VpcID pulumi.StringOutput
}

// program registers a component with a VPC, two subnets, and a host with secret user data.
func program(ctx *pulumi.Context) error {
	c := &office{}
	if err := ctx.RegisterComponentResource("test:index:Office", "office", c); err != nil {
		return err
	}
	zones, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{})
	if err != nil {
		return err
	}
	vpc, err := ec2.NewVpc(ctx, "office-vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String(config.New(ctx, "cinema").Require("cidr")),
		Tags:      pulumi.StringMap{"Name": pulumi.String("office")},
	}, pulumi.Parent(c), pulumi.Protect(true), pulumi.IgnoreChanges([]string{"tags", "cidrBlock"}))
	if err != nil {
		return err
	}
	var subnets pulumi.StringArray
	for i, cidr := range []string{"10.1.0.0/24", "10.1.1.0/24"} {
		subnet, err := ec2.NewSubnet(ctx, "office-"+zones.Names[i], &ec2.SubnetArgs{
			VpcId: vpc.ID(), CidrBlock: pulumi.String(cidr), AvailabilityZone: pulumi.String(zones.Names[i]),
		}, pulumi.Parent(vpc), pulumi.RetainOnDelete(true), pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String("old-" + zones.Names[i])}}))
		if err != nil {
			return err
		}
		subnets = append(subnets, subnet.ID())
	}
	host, err := ec2.NewInstance(ctx, "office-host", &ec2.InstanceArgs{
		SubnetId: subnets[1], UserData: pulumi.ToSecret(pulumi.String("#!/bin/sh\n")).(pulumi.StringOutput),
	}, pulumi.Parent(c), pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return err
	}
	if err := ctx.Log.Warn("plain HTTP", &pulumi.LogArgs{Resource: host}); err != nil {
		return err
	}
	c.VpcID = vpc.ID().ToStringOutput()
	ctx.Export("privateIp", host.PrivateIp)
	ctx.Export("zone", host.AvailabilityZone)
	return ctx.RegisterResourceOutputs(c, pulumi.Map{"vpcId": c.VpcID, "subnetIds": subnets})
}

func record(t *testing.T, opts ...pulumitest.Option) *pulumitest.Recording {
	opts = append([]pulumitest.Option{pulumitest.Config(map[string]string{"cinema:cidr": "10.1.0.0/16"})}, opts...)
	return pulumitest.Run(t, program, opts...)
}

func TestOptionsAreRecorded(t *testing.T) {
	r := record(t)
	require.NoError(t, r.Err)

	vpc := r.ByName("office-vpc")
	require.NotNil(t, vpc)
	assert.Equal(t, "urn:pulumi:dev::cinema::test:index:Office::office", vpc.Parent)
	assert.Equal(t, "urn:pulumi:dev::cinema::test:index:Office$aws:ec2/vpc:Vpc::office-vpc", vpc.URN)
	assert.True(t, vpc.Custom)
	assert.True(t, vpc.Protect)
	assert.Equal(t, []string{"cidrBlock", "tags"}, vpc.IgnoreChanges)
	assert.Equal(t, "10.1.0.0/16", vpc.Text("cidrBlock"))
	assert.Equal(t, "office", vpc.Text("tags.Name"))
	assert.True(t, vpc.Input("no.such").IsNull())

	subnets := r.ByType(subnetType)
	require.Len(t, subnets, 2)
	assert.Equal(t, vpc.URN, subnets[0].Parent)
	assert.True(t, subnets[0].RetainOnDelete)
	assert.True(t, subnets[0].Protect, "children inherit their parent's protection")
	assert.Equal(t, map[string][]string{"vpcId": {vpc.URN}}, subnets[0].PropertyDependencies)
	assert.Equal(t, []string{vpc.URN}, subnets[0].Dependencies)
	assert.Len(t, subnets[0].Aliases, 1)
	assert.Equal(t, vpc.ID, subnets[0].Text("vpcId"))

	host := r.ByName("office-host")
	assert.True(t, host.DeleteBeforeReplace)
	assert.Equal(t, []string{"userData"}, host.Secrets)
	assert.Equal(t, "#!/bin/sh\n", host.Text("userData"))

	office := r.ByName("office")
	assert.False(t, office.Custom)
	assert.Equal(t, vpc.ID, office.Outputs["vpcId"].StringValue())
	assert.Len(t, office.Outputs["subnetIds"].ArrayValue(), 2)
}

func TestAnswersLikeAWS(t *testing.T) {
	r := record(t, pulumitest.Config(map[string]string{"aws:region": "eu-central-1"}))
	require.NoError(t, r.Err)
	assert.Regexp(t, `^vpc-0[0-9a-f]{16}$`, r.ByName("office-vpc").ID)
	assert.Regexp(t, `^10\.1\.1\.\d+$`, r.Export("privateIp").StringValue())
	assert.Equal(t, "eu-central-1b", r.Export("zone").StringValue())
}

func TestIDsAreUnknownInAPreview(t *testing.T) {
	r := record(t, pulumitest.Preview())
	require.NoError(t, r.Err)
	assert.Empty(t, r.ByName("office-vpc").ID)
	subnet := r.ByType(subnetType)[0]
	assert.True(t, subnet.Input("vpcId").IsComputed(), "vpcId = %v", subnet.Input("vpcId"))
	assert.Equal(t, "10.1.0.0/24", subnet.Text("cidrBlock"))
	assert.True(t, r.ByName("office").Outputs["vpcId"].IsComputed())
	assert.True(t, r.Export("privateIp").IsComputed())
}

func TestFailingTypeFailsTheProgram(t *testing.T) {
	r := record(t, pulumitest.Fail(subnetType))
	require.Error(t, r.Err)
	assert.Contains(t, r.Err.Error(), subnetType)
	assert.NotNil(t, r.ByName("office-vpc"))
	assert.Empty(t, r.ByType(subnetType))
}

func TestProgramErrorIsKept(t *testing.T) {
	want := errors.New("the program fails")
	r := pulumitest.Run(t, func(*pulumi.Context) error { return want })
	require.ErrorIs(t, r.Err, want)
	assert.Empty(t, r.Resources)
}

func TestDuplicateNamesAreRefused(t *testing.T) {
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		for range 2 {
			if _, err := ec2.NewVpc(ctx, "one", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")}); err != nil {
				return err
			}
		}
		return nil
	})
	require.ErrorContains(t, r.Err, "Duplicate resource URN")
}

func TestSecretConfigStaysSecret(t *testing.T) {
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, err := ec2.NewVpc(ctx, "one", &ec2.VpcArgs{CidrBlock: config.New(ctx, "cinema").RequireSecret("cidr")})
		return err
	}, pulumitest.SecretConfig(map[string]string{"cinema:cidr": "10.0.0.0/16"}))
	require.NoError(t, r.Err)
	assert.Equal(t, []string{"cidrBlock"}, r.ByName("one").Secrets)
}

func TestPlanIsTheSameEveryTime(t *testing.T) {
	first := record(t).Plan()
	for range 10 {
		require.Equal(t, first, record(t).Plan())
	}
	pulumitest.Golden(t, "testdata/plan.golden", first)
	pulumitest.Golden(t, "testdata/inventory.golden", record(t).Inventory())
}

func TestStackConfig(t *testing.T) {
	got := pulumitest.StackConfig(t, "testdata/Pulumi.test.yaml")
	assert.Equal(t, map[string]string{
		"aws:region": "us-east-1", "cinema:count": "3", "cinema:protect": "true", "cinema:bare": "x",
		"cinema:zones": `["us-east-1a","us-east-1b"]`, "cinema:api": `{"max":6,"type":"t4g.small"}`,
	}, got)
}
