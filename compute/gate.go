package compute

import (
	"context"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/rollout"
	"cinema-database/storage"
)

// Rollouts is how gates wait for what AWS has accepted.
type Rollouts struct {
	rollout.Settings
	// Open opens the account. It is called when the first gate has work to do, never in a preview.
	Open func(context.Context) (rollout.Cloud, error)
}

// Gate registers a resource of which only the inputs matter. Before it is created, and before its inputs change, `pulumi
// up` runs pass with the new inputs: an error fails the update, the state keeps the old inputs, and the next `pulumi up`
// runs pass again. A preview shows the change of the inputs and runs nothing.
func (r Rollouts) Gate(ctx *pulumi.Context, name string, inputs pulumi.StringMap,
	pass func(ctx context.Context, r rollout.Rollout, inputs map[string]string, first bool) error, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	hook, err := ctx.RegisterResourceHook(name, func(args *pulumi.ResourceHookArgs) error {
		cloud, err := r.Open(ctx.Context())
		if err != nil {
			return err
		}
		given := map[string]string{}
		for key, value := range args.NewInputs["input"].ObjectValue() {
			given[string(key)] = resource.PropertyValue(value).StringValue()
		}
		say := func(line string) { _ = ctx.Log.Info(line, nil) }
		return pass(ctx.Context(), rollout.Rollout{Cloud: cloud, Settings: r.Settings, Say: say}, given, args.OldInputs == nil)
	}, nil)
	if err != nil {
		return nil, err
	}
	hooks := pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}, BeforeUpdate: []*pulumi.ResourceHook{hook}})
	return pulumi.NewStash(ctx, name, &pulumi.StashArgs{Input: inputs}, append(opts, hooks)...)
}

// ReleaseGateArgs are what a release is brought to.
type ReleaseGateArgs struct {
	environment.Environment
	Rollouts
	API      *API
	Database *Database
	// Address is the scheme and the host that users connect to: the front door.
	Address pulumi.StringInput
	// Binary is contract.Cinema.
	Binary storage.Artifact
	// Alarms are the names of the alarms that take a rollout back.
	Alarms pulumi.StringArray
}

// NewReleaseGate registers the gate that brings a new version of the API's launch template to the instances, and opens
// once the API is ready. The database is ready before.
func NewReleaseGate(ctx *pulumi.Context, args *ReleaseGateArgs, opts ...pulumi.ResourceOption) error {
	_, err := args.Gate(ctx, "api-gate", pulumi.StringMap{
		"group":    args.API.GroupName,
		"template": args.API.templateID,
		"version":  args.API.templateVersion,
		"release":  pulumi.String(args.Binary.Short()),
		"url":      args.Address,
		"alarms": args.Alarms.ToStringArrayOutput().ApplyT(func(names []string) string {
			return strings.Join(names, " ")
		}).(pulumi.StringOutput),
	}, func(ctx context.Context, r rollout.Rollout, in map[string]string, first bool) error {
		target := rollout.Target{Group: in["group"], Template: in["template"], Version: in["version"], Release: in["release"]}
		if err := r.Run(ctx, target, strings.Fields(in["alarms"])); err != nil {
			return err
		}
		return r.AwaitReady(ctx, in["url"], first)
	}, append(opts, pulumi.Parent(args.API), pulumi.DependsOn([]pulumi.Resource{args.Database.gate}))...)
	return err
}

// newTurn registers the gate before the host of one of several members. It opens once the other members are healthy, so
// that the replica set keeps its majority without this one. The inputs change with everything that stops or replaces the
// host. It does not wait in a restore, which replaces every host.
func (m *member) newTurn(data renderedUserData, after []pulumi.Resource) (pulumi.Resource, error) {
	image := ""
	if m.args.AMIPinned {
		image = m.args.AMI
	}
	return m.args.Gate(m.Ctx, m.name("turn"), pulumi.StringMap{
		"bucket":       m.args.ArtifactsBucket,
		"version":      pulumi.String(m.args.Version),
		"binary":       pulumi.String(m.args.Binary.Short()),
		"instanceType": pulumi.String(m.args.InstanceType),
		"image":        pulumi.String(image),
		"userData":     data.digest(),
	}, func(ctx context.Context, r rollout.Rollout, in map[string]string, first bool) error {
		if first || m.args.Order.Restoring {
			return nil
		}
		return r.AwaitOthers(ctx, in["bucket"], m.Zone, m.args.members())
	}, m.Child(pulumi.DependsOn(after)))
}

// newGate registers the gate that opens once the host is ready and its member is healthy.
func (m *member) newGate(after ...pulumi.Resource) (pulumi.Resource, error) {
	members := m.args.members()
	if m.first && m.args.Order.Restoring {
		members = members[:1] // the others still have the data from before the restore
	}
	return m.args.Gate(m.Ctx, m.name("gate"), pulumi.StringMap{
		"bucket":       m.args.ArtifactsBucket,
		"instance":     m.host.ID(),
		"version":      pulumi.String(m.args.Version),
		"binary":       pulumi.String(m.args.Binary.Short()),
		"instanceType": pulumi.String(m.args.InstanceType),
	}, func(ctx context.Context, r rollout.Rollout, in map[string]string, _ bool) error {
		if err := r.AwaitHost(ctx, in["bucket"], contract.DatabaseRole(m.Zone), in["instance"]); err != nil {
			return err
		}
		return r.AwaitMember(ctx, in["bucket"], m.Zone, members)
	}, m.child("gate", pulumi.DependsOn(after)))
}

// newMembersGate registers the gate that opens once the replica set has exactly the wanted members and all are healthy.
// Hosts of members that are no longer wanted stop only after that.
func newMembersGate(s *component.Scope, args *DatabaseArgs, members map[string]*member) (pulumi.Resource, error) {
	inputs := pulumi.StringMap{
		"bucket":       args.ArtifactsBucket,
		"version":      pulumi.String(args.Version),
		"binary":       pulumi.String(args.Binary.Short()),
		"instanceType": pulumi.String(args.InstanceType),
	}
	var after []pulumi.Resource
	for _, p := range args.Placements {
		inputs[p.Zone] = members[p.Zone].host.ID()
		after = append(after, members[p.Zone].gate)
	}
	return args.Gate(s.Ctx, s.Name("members-gate"), inputs, func(ctx context.Context, r rollout.Rollout, in map[string]string, _ bool) error {
		return r.AwaitMembers(ctx, in["bucket"], args.members())
	}, s.Child(pulumi.DependsOn(after)))
}
