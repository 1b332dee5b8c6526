package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"cinema-database/internal/awssim"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// monitor is the resource monitor that a recorded program talks to.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	Options
	cloud awssim.Cloud

	mu      sync.Mutex
	urns    map[string]*Resource
	ids     map[string]awssim.Properties
	exports resource.PropertyMap
	logs    []Log
	lookups []string
	root    string
	hooks   map[string]bool // names

	secretExports []string
}

// keep loses nothing when values are read and written.
var keep = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true}

func (m *monitor) GetDeploymentInfo(context.Context, *emptypb.Empty) (*pulumirpc.DeploymentInfo, error) {
	return &pulumirpc.DeploymentInfo{SupportedFeatures: []pulumirpc.ResourceMonitorFeature{
		pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_SECRETS,
		pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
		pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
		pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_DELETED_WITH,
		pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
		pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
	}}, nil
}

func (m *monitor) Invoke(_ context.Context, in *pulumirpc.ResourceInvokeRequest) (*pulumirpc.ResourceInvokeResponse, error) {
	args, err := plugin.UnmarshalProperties(in.Args, keep)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.lookups = append(m.lookups, in.Tok)
	m.mu.Unlock()
	if m.LookedUp != nil {
		m.LookedUp(in.Tok)
	}
	if m.Fail[in.Tok] {
		return nil, status.Errorf(codes.Unknown, "plan: look-up %s fails, as Options.Fail says", in.Tok)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	answer, err := m.cloud.Lookup(in.Tok, plain(args, nil))
	if err != nil {
		return nil, err
	}
	out, err := plugin.MarshalProperties(answer, keep)
	return &pulumirpc.ResourceInvokeResponse{Return: out}, err
}

// RegisterResourceHook accepts a hook. A recording creates nothing on AWS, so it runs none.
func (m *monitor) RegisterResourceHook(_ context.Context, in *pulumirpc.RegisterResourceHookRequest) (*emptypb.Empty, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hooks[in.Name] {
		return nil, status.Errorf(codes.AlreadyExists, "plan: resource hook %q already registered", in.Name)
	}
	m.hooks[in.Name] = true
	return &emptypb.Empty{}, nil
}

func (m *monitor) RegisterResource(_ context.Context, in *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	urn := m.urn(in.Parent, in.Type, in.Name)
	if in.Type == string(resource.RootStackType) && in.Parent == "" {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.root = urn
		return &pulumirpc.RegisterResourceResponse{Urn: urn}, nil
	}
	if m.Fail[in.Type] {
		return nil, status.Errorf(codes.Unknown, "plan: creating %s %q fails, as Options.Fail says", in.Type, in.Name)
	}
	inputs, err := plugin.UnmarshalProperties(in.Object, keep)
	if err != nil {
		return nil, err
	}
	r := &Resource{
		URN: urn, Type: in.Type, Name: in.Name, Custom: in.Custom, Parent: in.Parent, Provider: in.Provider, Providers: in.Providers,
		Protect: in.GetProtect(), RetainOnDelete: in.GetRetainOnDelete(), DeleteBeforeReplace: in.DeleteBeforeReplace,
		IgnoreChanges: sorted(in.IgnoreChanges), ReplaceOnChanges: sorted(in.ReplaceOnChanges), DeletedWith: in.DeletedWith,
		ReplaceWith: sorted(in.ReplaceWith), Aliases: aliases(in), Dependencies: sorted(in.Dependencies), PropertyDependencies: map[string][]string{},
		AdditionalSecretOutputs: sorted(in.AdditionalSecretOutputs), Hooks: hooks(in.Hooks),
	}
	for k, d := range in.PropertyDependencies {
		if len(d.Urns) > 0 {
			r.PropertyDependencies[k] = sorted(d.Urns)
		}
	}
	r.Inputs = plain(inputs, &r.Secrets)
	slices.Sort(r.Secrets)
	state, err := m.register(r, inputs, "")
	if err != nil {
		return nil, err
	}
	if m.Registered != nil {
		m.Registered(r)
	}
	return &pulumirpc.RegisterResourceResponse{Urn: urn, Id: r.ID, Object: state}, nil
}

func (m *monitor) ReadResource(_ context.Context, in *pulumirpc.ReadResourceRequest) (*pulumirpc.ReadResourceResponse, error) {
	inputs, err := plugin.UnmarshalProperties(in.Properties, keep)
	if err != nil {
		return nil, err
	}
	r := &Resource{
		URN: m.urn(in.Parent, in.Type, in.Name), Type: in.Type, Name: in.Name, Custom: true, Read: true, Parent: in.Parent,
		Provider: in.Provider, Dependencies: sorted(in.Dependencies), PropertyDependencies: map[string][]string{},
	}
	r.Inputs = plain(inputs, &r.Secrets)
	state, err := m.register(r, inputs, in.Id)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.ReadResourceResponse{Urn: r.URN, Properties: state}, nil
}

// register records a resource and returns its state as the engine would: for a custom one from the model of AWS.
func (m *monitor) register(r *Resource, inputs resource.PropertyMap, id string) (*structpb.Struct, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, twice := m.urns[r.URN]; twice {
		return nil, status.Errorf(codes.InvalidArgument, "plan: Duplicate resource URN '%s'; try giving it a unique name", r.URN)
	}
	m.urns[r.URN] = r
	if !r.Custom {
		return &structpb.Struct{}, nil
	}
	req := awssim.Request{Type: r.Type, Name: r.Name, URN: r.URN, Inputs: r.Inputs}
	var state resource.PropertyMap
	if m.Preview && !r.Read {
		state = resource.PropertyMap{}
		for k, v := range req.Inputs {
			state[k] = v
		}
		for _, k := range m.cloud.Computed(req) {
			state[k] = resource.MakeComputed(resource.NewProperty(""))
		}
	} else {
		r.ID, state = m.cloud.Outputs(req)
		if id != "" {
			r.ID = id
		}
		if _, taken := m.ids[r.ID]; !taken {
			m.ids[r.ID] = maps.Clone(state)
		}
	}
	r.State = maps.Clone(state)
	for k, v := range inputs {
		if v.ContainsSecrets() && state.HasValue(k) {
			state[k] = resource.MakeSecret(state[k])
		}
	}
	return plugin.MarshalProperties(state, keep)
}

func (m *monitor) RegisterResourceOutputs(_ context.Context, in *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	outputs, err := plugin.UnmarshalProperties(in.Outputs, keep)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if in.Urn == m.root {
		m.exports = plain(outputs, &m.secretExports)
		slices.Sort(m.secretExports)
		return &emptypb.Empty{}, nil
	}
	r, ok := m.urns[in.Urn]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "plan: outputs of %s, which is not registered", in.Urn)
	}
	if r.Outputs != nil {
		return nil, status.Errorf(codes.AlreadyExists, "plan: outputs of %s are registered twice", in.Urn)
	}
	r.Outputs = plain(outputs, nil)
	return &emptypb.Empty{}, nil
}

func (m *monitor) SignalAndWaitForShutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (m *monitor) urn(parent, typ, name string) string {
	var of tokens.Type
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		of = p.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(m.Stack), tokens.PackageName(m.Project), of, tokens.Type(typ), name))
}

// hooks lists a request's hooks as "<when> <name>".
func hooks(in *pulumirpc.RegisterResourceRequest_ResourceHooksBinding) []string {
	var out []string
	for when, names := range map[string][]string{
		"beforeCreate": in.GetBeforeCreate(), "afterCreate": in.GetAfterCreate(), "beforeUpdate": in.GetBeforeUpdate(),
		"afterUpdate": in.GetAfterUpdate(), "beforeDelete": in.GetBeforeDelete(), "afterDelete": in.GetAfterDelete(),
	} {
		for _, name := range names {
			out = append(out, when+" "+name)
		}
	}
	return sorted(out)
}

// engine answers a program's other calls to the engine.
type engine struct {
	pulumirpc.UnimplementedEngineServer
	monitor *monitor
}

func (e engine) Log(_ context.Context, in *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.monitor.mu.Lock()
	defer e.monitor.mu.Unlock()
	e.monitor.logs = append(e.monitor.logs, Log{Severity: severities[in.Severity], Message: in.Message, URN: in.Urn})
	return &emptypb.Empty{}, nil
}

var severities = map[pulumirpc.LogSeverity]string{
	pulumirpc.LogSeverity_DEBUG: "debug", pulumirpc.LogSeverity_INFO: "info",
	pulumirpc.LogSeverity_WARNING: "warning", pulumirpc.LogSeverity_ERROR: "error",
}

func (e engine) GetRootResource(context.Context, *pulumirpc.GetRootResourceRequest) (*pulumirpc.GetRootResourceResponse, error) {
	e.monitor.mu.Lock()
	defer e.monitor.mu.Unlock()
	return &pulumirpc.GetRootResourceResponse{Urn: e.monitor.root}, nil
}

func (e engine) SetRootResource(context.Context, *pulumirpc.SetRootResourceRequest) (*pulumirpc.SetRootResourceResponse, error) {
	return &pulumirpc.SetRootResourceResponse{}, nil
}

// RequirePulumiVersion accepts every valid range: no CLI takes part in a recording.
func (e engine) RequirePulumiVersion(_ context.Context, in *pulumirpc.RequirePulumiVersionRequest) (*pulumirpc.RequirePulumiVersionResponse, error) {
	if _, err := semver.ParseRange(in.PulumiVersionRange); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "plan: Pulumi version range %q: %v", in.PulumiVersionRange, err)
	}
	return &pulumirpc.RequirePulumiVersionResponse{}, nil
}

func sorted(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	s := slices.Clone(list)
	slices.Sort(s)
	return slices.Compact(s)
}

// aliases lists a request's aliases: URNs unchanged, others by their parts.
func aliases(in *pulumirpc.RegisterResourceRequest) []string {
	out := slices.Clone(in.AliasURNs)
	for _, a := range in.Aliases {
		if urn := a.GetUrn(); urn != "" {
			out = append(out, urn)
			continue
		}
		s := a.GetSpec()
		out = append(out, fmt.Sprintf("name=%s type=%s project=%s stack=%s parent=%s noParent=%t", s.GetName(), s.GetType(), s.GetProject(),
			s.GetStack(), s.GetParentUrn(), s.GetNoParent()))
	}
	return sorted(out)
}
