package plan

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"cinema-database/internal/awssim"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Options are the surroundings that a program runs in.
type Options struct {
	Project, Stack string // names
	// Config values by full key ("cinema:vpcCidr", "aws:region"), objects and lists as JSON.
	Config map[string]string
	// SecretKeys are the keys of Config whose values are secrets.
	SecretKeys []string
	// Preview runs the program as `pulumi preview` does on an empty stack: ids and everything else that AWS sets are unknown.
	Preview bool
	// Fail has the types whose registration fails, e.g. "aws:ec2/natGateway:NatGateway", and the tokens of look-ups that fail.
	Fail map[string]bool
	// Deployed has what look-ups find in the account, e.g. an earlier Recording's Resources.
	Deployed []*Resource
	// AssumedRole is awssim.Cloud's.
	AssumedRole string
	// LookedUp is called with the token of each look-up, and Registered with each resource that is registered, by several
	// goroutines. The program has the answer when they return.
	LookedUp   func(token string)
	Registered func(*Resource)
}

// Record runs a program and returns its registrations when all of them are complete. The program's own error is in
// Recording.Err; Record returns only failures of the recorder.
func Record(program pulumi.RunFunc, o Options) (*Recording, error) {
	o.SecretKeys = sorted(o.SecretKeys)
	if o.Config == nil {
		o.Config = map[string]string{}
	}
	m := &monitor{Options: o, urns: map[string]*Resource{}, ids: map[string]awssim.Properties{}, hooks: map[string]bool{}}
	m.cloud = awssim.Cloud{Region: o.Config["aws:region"], AssumedRole: o.AssumedRole, List: o.list, Find: func(id string) (awssim.Properties, bool) {
		if i := slices.IndexFunc(o.Deployed, func(r *Resource) bool { return r.ID == id }); i >= 0 {
			return o.Deployed[i].State, true
		}
		s, ok := m.ids[id]
		return s, ok
	}}
	address, stop, err := serve(m)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	defer stop()

	err = pulumi.RunErr(program, func(info *pulumi.RunInfo) {
		info.Project, info.Stack, info.Organization = o.Project, o.Stack, "organization"
		info.Config, info.ConfigSecretKeys, info.DryRun = o.Config, o.SecretKeys, o.Preview
		info.MonitorAddr, info.EngineAddr, info.Mocks = address, address, nil
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &Recording{Err: err, Exports: m.exports, SecretExports: m.secretExports, Logs: m.logs, Lookups: slices.Sorted(slices.Values(m.lookups))}
	for _, res := range m.urns {
		r.Resources = append(r.Resources, res)
	}
	slices.SortFunc(r.Resources, func(a, b *Resource) int { return strings.Compare(a.Type+" "+a.URN, b.Type+" "+b.URN) })
	slices.SortFunc(r.Logs, func(a, b Log) int {
		return strings.Compare(fmt.Sprint(a.Severity, a.Message, a.URN), fmt.Sprint(b.Severity, b.Message, b.URN))
	})
	return r, nil
}

// list returns the deployed resources of a type, in awssim's form.
func (o Options) list(typ string) (of []awssim.Resource) {
	for _, r := range o.Deployed {
		if r.Type == typ {
			of = append(of, awssim.Resource{Type: r.Type, ID: r.ID, URN: r.URN, State: r.State})
		}
	}
	return of
}

// serve serves the monitor on the loopback interface until stop is called.
func serve(m *monitor) (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	// Inputs contain the release's binaries.
	s := grpc.NewServer(grpc.MaxRecvMsgSize(400<<20), grpc.MaxSendMsgSize(400<<20))
	pulumirpc.RegisterResourceMonitorServer(s, m)
	pulumirpc.RegisterEngineServer(s, engine{monitor: m})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends with Stop; where the listener fails, the program's calls fail
	}()
	return l.Addr().String(), func() { s.Stop(); <-done }, nil
}
