package compute

import (
	"context"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
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

// gate registers a resource of which only the inputs matter. Before it is created, and before its inputs change, `pulumi
// up` runs pass with the new inputs: an error fails the update, the state keeps the old inputs, and the next `pulumi up`
// runs pass again. A preview shows the change of the inputs and runs nothing.
func (r Rollouts) gate(ctx *pulumi.Context, name string, inputs pulumi.StringMap,
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
	_, err := args.gate(ctx, "api-gate", pulumi.StringMap{
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

// newDatabaseGate registers the gate that opens once the database host reports that it is ready.
func newDatabaseGate(ctx *pulumi.Context, name string, r Rollouts, inputs pulumi.StringMap, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return r.gate(ctx, name, inputs, func(ctx context.Context, r rollout.Rollout, in map[string]string, _ bool) error {
		return r.AwaitHost(ctx, in["bucket"], contract.RoleDatabase, in["instance"])
	}, opts...)
}
