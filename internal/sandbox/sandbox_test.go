package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cinema-database/internal/awssim"
	"cinema-database/internal/pulumicli"
	"cinema-database/internal/rollout"
	"cinema-database/internal/sandbox"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shop is a small stack: a network, a launch template, and a host with the template's version in a tag. It warns that it is open,
// and protects the network where cinema:protect is true.
type shop struct {
	userData string // of the launch template
	ami      string // of the host
}

func (p shop) program(ctx *pulumi.Context) error {
	zones, err := aws.GetAvailabilityZones(ctx, nil)
	if err != nil {
		return err
	}
	if err := ctx.Log.Warn("the shop is open", nil); err != nil {
		return err
	}
	vpc, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String(config.New(ctx, "").Require("cidr"))},
		pulumi.Protect(config.New(ctx, "").GetBool("protect")))
	if err != nil {
		return err
	}
	subnet, err := ec2.NewSubnet(ctx, "subnet", &ec2.SubnetArgs{VpcId: vpc.ID(), CidrBlock: pulumi.String("10.0.0.0/24"),
		AvailabilityZone: pulumi.String(zones.Names[1])}, pulumi.Parent(vpc))
	if err != nil {
		return err
	}
	group, err := ec2.NewSecurityGroup(ctx, "group", &ec2.SecurityGroupArgs{Name: pulumi.String("hosts"), VpcId: vpc.ID()}, pulumi.Parent(vpc))
	if err != nil {
		return err
	}
	template, err := ec2.NewLaunchTemplate(ctx, "template", &ec2.LaunchTemplateArgs{Name: pulumi.String("api"), UserData: pulumi.String(p.userData)})
	if err != nil {
		return err
	}
	host, err := ec2.NewInstance(ctx, "host", &ec2.InstanceArgs{
		Ami: pulumi.String(p.ami), InstanceType: pulumi.String("t4g.small"), SubnetId: subnet.ID(),
		VpcSecurityGroupIds: pulumi.StringArray{group.ID()},
		UserData:            pulumi.ToSecret(pulumi.String("password")).(pulumi.StringOutput),
		Tags:                pulumi.StringMap{"template": pulumi.Sprintf("%d", template.LatestVersion)},
	})
	if err != nil {
		return err
	}
	ctx.Export("vpcId", vpc.ID())
	ctx.Export("zone", host.AvailabilityZone)
	ctx.Export("version", template.LatestVersion)
	ctx.Export("groupName", group.Name)
	ctx.Export("userData", host.UserData)
	return nil
}

const resources = 5

// open opens a session in a temporary directory, and skips the test where there is no Pulumi CLI.
func open(t testing.TB, o sandbox.Options) *sandbox.Session {
	t.Helper()
	if _, err := pulumicli.Find("."); errors.Is(err, pulumicli.ErrNotFound) {
		t.Skip(err)
	}
	if o.Config == nil {
		o.Config = map[string]string{"aws:region": "eu-west-1", "cinema:cidr": "10.0.0.0/16"}
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.ProjectDir == "" {
		o.ProjectDir = "."
	}
	log := &bytes.Buffer{}
	if o.Stdout == nil {
		o.Stdout, o.Stderr = log, log
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log)
		}
	})
	s, err := sandbox.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// alone is a program that does not follow AWS's answers.
func alone(program pulumi.RunFunc) sandbox.Program {
	return func(rollout.Opener) pulumi.RunFunc { return program }
}

// held lists an account's resources, by URN.
func held(s *sandbox.Session) []string {
	var list []string
	for _, r := range s.Account().Resources() {
		list = append(list, fmt.Sprint(r.URN, " ", r.ID, " ", r.State.Mappable()))
	}
	return list
}

// steps renders a result's steps on custom resources as "op name".
func steps(r *sandbox.Result) []string {
	var list []string
	for _, s := range r.Steps {
		if strings.HasPrefix(s.Type, "aws:") {
			list = append(list, s.Op+" "+s.Name)
		}
	}
	return list
}

func find(t *testing.T, s *sandbox.Session, typ string) awssim.Resource {
	t.Helper()
	for _, r := range s.Account().Resources() {
		if r.Type == typ {
			return r
		}
	}
	t.Fatalf("the account holds no %s", typ)
	return awssim.Resource{}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := open(t, sandbox.Options{Program: alone(shop{userData: "one", ami: "ami-1"}.program)})

	preview, err := s.Preview(ctx, false)
	require.NoError(t, err)
	assert.Equal(t, resources+1, preview.Changes["create"], "with the stack itself")
	assert.Empty(t, s.Account().Resources(), "a preview creates nothing")

	up, err := s.Up(ctx)
	require.NoError(t, err)
	require.Len(t, s.Account().Resources(), resources)
	assert.Equal(t, "eu-west-1b", up.Outputs["zone"], "the host is in its subnet's availability zone")
	assert.EqualValues(t, 1, up.Outputs["version"])
	assert.Equal(t, "hosts", up.Outputs["groupName"])
	vpc := up.Outputs["vpcId"]

	_, err = s.Preview(ctx, true)
	require.NoError(t, err, "no changes remain")

	// A change in place, and the dependent change of the host's tag.
	s.SetProgram(alone(shop{userData: "two", ami: "ami-1"}.program))
	preview, err = s.Preview(ctx, true)
	require.ErrorIs(t, err, sandbox.ErrChanges)
	assert.ElementsMatch(t, []string{"update template", "update host"}, steps(preview))
	up, err = s.Up(ctx)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"update template", "update host"}, steps(up))
	assert.EqualValues(t, 2, up.Outputs["version"])
	assert.Equal(t, "2", find(t, s, "aws:ec2/instance:Instance").State["tags"].ObjectValue()["template"].StringValue())

	// A change that AWS cannot make in place.
	was := find(t, s, "aws:ec2/instance:Instance").ID
	s.SetProgram(alone(shop{userData: "two", ami: "ami-2"}.program))
	up, err = s.Up(ctx)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"create-replacement host", "replace host", "delete-replaced host"}, steps(up))
	for _, step := range up.Steps {
		if step.Op == "replace" {
			assert.Equal(t, []string{"ami"}, step.ReplacedBy)
		}
	}
	assert.NotEqual(t, was, find(t, s, "aws:ec2/instance:Instance").ID)
	assert.Equal(t, vpc, up.Outputs["vpcId"])
	require.Len(t, s.Account().Resources(), resources)

	// Drift: refresh finds it, up reverts it.
	template := find(t, s, "aws:ec2/launchTemplate:LaunchTemplate")
	require.NoError(t, s.Account().Change(template.Type, template.ID, func(state awssim.Properties) {
		state["userData"] = resource.NewProperty("three")
	}))
	_, err = s.Refresh(ctx)
	require.NoError(t, err)
	preview, err = s.Preview(ctx, false)
	require.NoError(t, err)
	assert.Contains(t, steps(preview), "update template")

	// A resource that is deleted by hand is created again.
	host := find(t, s, "aws:ec2/instance:Instance")
	require.NoError(t, s.Account().Forget(host.Type, host.ID))
	_, err = s.Refresh(ctx)
	require.NoError(t, err)
	up, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Contains(t, steps(up), "create host")
	require.Len(t, s.Account().Resources(), resources)

	_, err = s.Destroy(ctx)
	require.NoError(t, err)
	assert.Empty(t, s.Account().Resources())
}

func TestFailedCreationConverges(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	program := shop{userData: "one", ami: "ami-1"}.program
	undisturbed := open(t, sandbox.Options{Program: alone(program)})
	_, err := undisturbed.Up(ctx)
	require.NoError(t, err)

	s := open(t, sandbox.Options{Program: alone(program), Fail: []string{"aws:ec2/subnet:Subnet"}})
	_, err = s.Up(ctx)
	var failed *sandbox.OperationError
	require.ErrorAs(t, err, &failed)
	assert.Less(t, len(s.Account().Resources()), resources)
	assert.Empty(t, s.Unfailed())
	_, err = s.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, held(undisturbed), held(s))
}

func TestSessionsShareTheAccount(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	program := shop{userData: "one", ami: "ami-1"}.program
	dir := t.TempDir()
	s := open(t, sandbox.Options{Program: alone(program), Dir: dir})
	_, err := s.Up(ctx)
	require.NoError(t, err)
	before := held(s)
	s.Close()

	again := open(t, sandbox.Options{Program: alone(program), Dir: dir})
	assert.Equal(t, before, held(again))
	_, err = again.Preview(ctx, true)
	require.NoError(t, err)
}

func TestEveryPathWorks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "50%41 #1?metadata=no", "dev")
	program := alone(shop{userData: "one", ami: "ami-1"}.program)
	s := open(t, sandbox.Options{Program: program, Dir: dir})
	_, err := s.Up(t.Context())
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(dir, "state", ".pulumi", "stacks", "cinema", "dev.json"))
	s.Close()
	_, err = open(t, sandbox.Options{Program: program, Dir: dir}).Preview(t.Context(), true)
	require.NoError(t, err)
}

// said closes first when something is written to it.
type said struct {
	once  sync.Once
	first chan struct{}
	text  string
}

func (s *said) Write(p []byte) (int, error) {
	s.once.Do(func() {
		s.text = string(p)
		close(s.first)
	})
	return len(p), nil
}

func TestRunsWaitForEachOther(t *testing.T) {
	t.Parallel()
	program := alone(shop{userData: "one", ami: "ami-1"}.program)
	dir := t.TempDir()
	first := open(t, sandbox.Options{Program: program, Dir: dir})
	waiting := &said{first: make(chan struct{})}
	opened := make(chan error, 1)
	go func() {
		s, err := sandbox.Open(t.Context(), sandbox.Options{Program: program, Dir: dir, ProjectDir: ".", Stderr: waiting,
			Config: map[string]string{"aws:region": "eu-west-1", "cinema:cidr": "10.0.0.0/16"}})
		if err == nil {
			s.Close()
		}
		opened <- err
	}()
	select {
	case <-waiting.first:
	case err := <-opened:
		t.Fatal("it did not wait: ", err)
	}
	assert.Equal(t, "sandbox: another run uses stack dev; waiting for its end\n", waiting.text)
	first.Close()
	require.NoError(t, <-opened)

	// An interrupt ends the wait.
	first = open(t, sandbox.Options{Program: program, Dir: dir})
	ctx, interrupt := context.WithCancel(t.Context())
	waiting = &said{first: make(chan struct{})}
	go func() {
		<-waiting.first
		interrupt()
	}()
	_, err := sandbox.Open(ctx, sandbox.Options{Program: program, Dir: dir, ProjectDir: ".", Stderr: waiting,
		Config: map[string]string{"aws:region": "eu-west-1", "cinema:cidr": "10.0.0.0/16"}})
	require.ErrorIs(t, err, context.Canceled)
	first.Close()
}

func TestSecretsStayOutOfTheState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, sandbox.Options{Program: alone(shop{userData: "one", ami: "ami-1"}.program), Dir: dir})
	_, err := s.Up(t.Context())
	require.NoError(t, err)
	state, err := os.ReadFile(filepath.Join(dir, "state", ".pulumi", "stacks", "cinema", "dev.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(state), `"password"`)
}

func TestMainRefusesBadCommandLines(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "usage"},
		{"launch", `command "launch"`},
		{"up --fail natGateway", `"natGateway" for flag -fail: not a type of the simulated account; the nearest are aws:ec2/natGateway:NatGateway, `},
		{"up --fail", "flag needs an argument: -fail"},
		{"up -c novalue", "KEY=VALUE"},
		{"up --account old", "not a kind of account; the only one is new"},
		{"destroy --fail aws:ec2/vpc:Vpc", "destroy: flag provided but not defined: -fail"},
		{"up --stack ../../etc", "not a stack name"},
		{"up now", `argument "now"`},
	} {
		var out bytes.Buffer
		code := sandbox.Main(t.Context(), strings.Fields(c.args), nil, nil, &out, &out)
		assert.Equal(t, 2, code, c.args)
		assert.Contains(t, out.String(), c.want, c.args)
	}
	for _, args := range []string{"help", "--help", "up -h", "up help"} {
		var out, problems bytes.Buffer
		assert.Equal(t, 0, sandbox.Main(t.Context(), strings.Fields(args), nil, nil, &out, &problems), args)
		assert.Contains(t, out.String(), "usage: sandbox")
		assert.Empty(t, problems.String())
	}
}
