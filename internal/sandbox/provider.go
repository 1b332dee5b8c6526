package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"cinema-database/internal/awssim"
	"cinema-database/internal/component"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// provider serves the aws provider's protocol for the engine, on a simulated account.
type provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	account cloud

	mu   sync.Mutex
	fail map[string]bool // types whose next creation fails

	calls   sync.Mutex        // held while the account uses the region of a call
	regions map[string]string // by connection
}

// in sets the account's region to that of the calling provider until done is called. The engine has one connection for each
// provider of the program, and only the connection identifies a call's provider.
func (p *provider) in(ctx context.Context) (done func()) {
	p.calls.Lock()
	p.account.SetRegion(p.regions[caller(ctx)])
	return p.calls.Unlock
}

func caller(ctx context.Context) string {
	if from, ok := peer.FromContext(ctx); ok {
		return from.Addr.String()
	}
	return ""
}

// cloud is the part of an account that the provider uses.
type cloud interface {
	SetRegion(string)
	Lookup(token string, args awssim.Properties) (awssim.Properties, error)
	Preview(awssim.Request) awssim.Properties
	Create(awssim.Request) (id string, state awssim.Properties, err error)
	Read(typ, id, urn string) (awssim.Resource, error)
	Update(typ, id, urn string, olds, news awssim.Properties, fields []string, dryRun bool) (awssim.Properties, error)
	Delete(typ, id, urn string) error
}

// The provider does not announce that it accepts secrets: the engine unwraps them before a call and marks the answers itself.
var values = plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true}

func decode(s *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(s, values)
}

func encode(m resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(m, values)
}

func (p *provider) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{}, nil
}

func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	// The engine warns of a provider of another version than the program's SDK.
	return &pulumirpc.PluginInfo{Version: component.ProviderVersion()}, nil
}

func (p *provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"aws"}`}, nil
}

func (p *provider) CheckConfig(_ context.Context, in *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	config, err := decode(in.News)
	if err != nil {
		return nil, err
	}
	if r, ok := config["region"]; !ok || r.IsString() && r.StringValue() == "" {
		return &pulumirpc.CheckResponse{Inputs: in.News, Failures: []*pulumirpc.CheckFailure{{
			Property: "region", Reason: `no AWS region is set; set "aws:region" in the stack's config`,
		}}}, nil
	}
	return &pulumirpc.CheckResponse{Inputs: in.News}, nil
}

// DiffConfig replaces all resources when the region changes, as the AWS provider does.
func (p *provider) DiffConfig(_ context.Context, in *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := decode(in.OldInputs)
	if err != nil {
		return nil, err
	}
	news, err := decode(in.News)
	if err != nil {
		return nil, err
	}
	d := olds.Diff(news)
	if d == nil {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	out := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME}
	for _, k := range d.ChangedKeys() {
		out.Diffs = append(out.Diffs, string(k))
		if k == "region" {
			out.Replaces = append(out.Replaces, string(k))
		}
	}
	return out, nil
}

func (p *provider) Configure(ctx context.Context, in *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	config, err := decode(in.Args)
	if err != nil {
		return nil, err
	}
	if r := config["region"]; r.IsString() {
		p.calls.Lock()
		defer p.calls.Unlock()
		p.regions[caller(ctx)] = r.StringValue()
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

func (p *provider) Invoke(ctx context.Context, in *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	defer p.in(ctx)()
	args, err := decode(in.Args)
	if err != nil {
		return nil, err
	}
	answer, err := p.account.Lookup(in.Tok, args)
	if err != nil {
		return nil, err
	}
	out, err := encode(answer)
	return &pulumirpc.InvokeResponse{Return: out}, err
}

func (p *provider) Check(_ context.Context, in *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: in.News}, nil
}

func request(urn string, inputs *structpb.Struct) (awssim.Request, error) {
	in, err := decode(inputs)
	u := resource.URN(urn)
	return awssim.Request{Type: string(u.Type()), Name: u.Name(), URN: urn, Inputs: in}, err
}

func (p *provider) Diff(_ context.Context, in *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	c, err := change(in.Urn, in.OldInputs, in.News, in.IgnoreChanges)
	if err != nil {
		return nil, err
	}
	if c.None() {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	out := &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_SOME, Diffs: c.Fields, Replaces: c.Replaces, DeleteBeforeReplace: c.DeleteBefore,
		HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{},
	}
	for path, d := range c.Properties {
		out.DetailedDiff[path] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_Kind(d.Kind), InputDiff: true}
	}
	return out, nil
}

func change(urn string, olds, news *structpb.Struct, ignore []string) (awssim.Change, error) {
	was, err := decode(olds)
	if err != nil {
		return awssim.Change{}, err
	}
	is, err := decode(news)
	if err != nil {
		return awssim.Change{}, err
	}
	return awssim.Diff(string(resource.URN(urn).Type()), was, is).Without(ignore), nil
}

func (p *provider) Create(ctx context.Context, in *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	defer p.in(ctx)()
	r, err := request(in.Urn, in.Properties)
	if err != nil {
		return nil, err
	}
	if in.Preview {
		out, err := encode(p.account.Preview(r))
		return &pulumirpc.CreateResponse{Properties: out}, err
	}
	if p.failsOnce(r.Type) {
		return nil, status.Errorf(codes.Unknown, "InternalError: creating %s %s: failed once because of --fail; run `up` again to finish", r.Type, r.Name)
	}
	id, state, err := p.account.Create(r)
	if err != nil {
		return nil, fmt.Errorf("creating %s %s: %w", r.Type, r.Name, err)
	}
	out, err := encode(state)
	return &pulumirpc.CreateResponse{Id: id, Properties: out}, err
}

// failsOnce reports whether the creation of a type fails; the next one does not.
func (p *provider) failsOnce(typ string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := p.fail[typ]
	delete(p.fail, typ)
	return due
}

// Read answers a refresh and an import. Where the account has only a digest, the result has the contents that the engine knows.
func (p *provider) Read(ctx context.Context, in *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	defer p.in(ctx)()
	typ := string(resource.URN(in.Urn).Type())
	inputs, err := decode(in.Inputs)
	if err != nil {
		return nil, err
	}
	known, err := decode(in.Properties)
	if err != nil {
		return nil, err
	}
	r, err := p.account.Read(typ, in.Id, in.Urn)
	if errors.Is(err, awssim.ErrNotFound) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if len(inputs) == 0 {
		inputs, known = awssim.Restore(r.Inputs, known), r.Inputs
	}
	state := awssim.Restore(r.State, known)
	for k := range inputs {
		if v, ok := state[k]; ok && !inputs[k].DeepEquals(v) && !known[k].DeepEquals(v) {
			inputs[k] = v // changed outside Pulumi
		}
	}
	out := &pulumirpc.ReadResponse{Id: in.Id}
	if out.Properties, err = encode(state); err != nil {
		return nil, err
	}
	out.Inputs, err = encode(inputs)
	return out, err
}

func (p *provider) Update(ctx context.Context, in *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	defer p.in(ctx)()
	r, err := request(in.Urn, in.News)
	if err != nil {
		return nil, err
	}
	olds, err := decode(in.Olds)
	if err != nil {
		return nil, err
	}
	c, err := change(in.Urn, in.OldInputs, in.News, in.IgnoreChanges)
	if err != nil {
		return nil, err
	}
	state, err := p.account.Update(r.Type, in.Id, in.Urn, olds, r.Inputs, c.Fields, in.Preview)
	if err != nil {
		return nil, fmt.Errorf("updating %s %s: %w", r.Type, r.Name, err)
	}
	out, err := encode(state)
	return &pulumirpc.UpdateResponse{Properties: out}, err
}

func (p *provider) Delete(ctx context.Context, in *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	defer p.in(ctx)()
	u := resource.URN(in.Urn)
	if err := p.account.Delete(string(u.Type()), in.Id, in.Urn); err != nil {
		return nil, fmt.Errorf("deleting %s %s: %w", u.Type(), u.Name(), err)
	}
	return &emptypb.Empty{}, nil
}

// Attach is called on a provider that already runs, as this one does.
func (p *provider) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// failing lists the types that have not failed yet.
func (p *provider) failing() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var left []string
	for t := range p.fail {
		left = append(left, t)
	}
	slices.Sort(left)
	return left
}
