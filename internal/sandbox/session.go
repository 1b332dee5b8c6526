package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cinema-database/internal/awssim"
	"cinema-database/internal/filelock"
	"cinema-database/internal/pulumicli"
	"cinema-database/internal/rollout"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Options configure a session.
type Options struct {
	Stack      string            // stack name, default "dev"
	ProjectDir string            // directory of Pulumi.yaml and Pulumi.<stack>.yaml, default "."
	Dir        string            // directory of state, account and config, default <ProjectDir>/.sandbox/<stack>
	Config     map[string]string // values that replace the file's, by full key, objects and lists as JSON
	Program    Program
	Stdout     io.Writer // the engine's progress; discarded where nil
	Stderr     io.Writer // the engine's errors; discarded where nil
	Color      bool      // terminal colors in the progress
	Live       bool      // the engine draws on this process's terminal instead of writing to Stdout and Stderr
	Diff       bool      // previews show each property that changes
	Fail       []string  // types whose next creation fails, once
	// BadRelease makes the instances and tasks that start fail their health checks.
	BadRelease bool
	// NewAccount gives the account the quotas of a new one.
	NewAccount bool
	// BadImages and MissingImages are those of awssim.Conditions.
	BadImages, MissingImages []string
	// Quick lets the engine save its state only at the end of an operation, which takes most of the time of a large stack. After
	// a killed run the state then knows nothing of what the account holds.
	Quick bool
}

// Program makes a Pulumi program that opens the simulated account where it follows AWS's answers.
type Program func(rollout.Opener) pulumi.RunFunc

// Session is a stack on a simulated account. A directory has one open session at a time. Its methods are not safe for
// concurrent use.
type Session struct {
	options  Options
	project  map[string]any
	cli      *pulumiCommand
	lock     *os.File
	account  *awssim.Account
	provider *provider
	cancel   chan bool
	done     <-chan error
	port     int
	stack    auto.Stack
}

// Step is an operation of the engine on a resource, done or planned.
type Step struct {
	Op         string // "create", "update", "replace", "create-replacement", "delete-replaced", "delete", "refresh", …
	URN, Type  string
	Name       string   // logical name
	Diffs      []string // top-level properties that differ
	ReplacedBy []string // properties that force the replacement
}

// Result is the result of an operation on the stack.
type Result struct {
	Changes map[string]int // number of resources by operation, e.g. "create", "update", "replace", "same", "delete"
	Steps   []Step         // the steps that change a resource, in the engine's order
	Outputs map[string]any // the stack's outputs after the operation; nil after a preview and a destroy
	// Messages are the engine's and the program's, without repetitions.
	Messages []Message
}

// Message is a message about the operation or one of its resources.
type Message struct {
	Severity string // "info", "warning" or "error"
	Text     string
}

// Changed counts the resources that the operation changed.
func (r *Result) Changed() int {
	n := 0
	for op, c := range r.Changes {
		if op != "same" && op != "refresh" && op != "read" {
			n += c
		}
	}
	return n
}

// ErrChanges means that there are changes where none were expected.
var ErrChanges = errors.New("no changes were expected")

// Open opens a session: it takes the directory's lock, opens the account, starts the provider, creates the stack if it does not
// exist, and recovers from a killed run, which it reports on Stdout. The caller closes the session.
func Open(ctx context.Context, o Options) (*Session, error) {
	if o.Stack == "" {
		o.Stack = "dev"
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	var err error
	if o.ProjectDir, err = filepath.Abs(o.ProjectDir); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(o.ProjectDir, ".sandbox", o.Stack)
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	_, err = os.Stat(o.Dir)
	isNew := errors.Is(err, fs.ErrNotExist)
	s := &Session{options: o}
	if err := s.open(ctx); err != nil {
		s.Close()
		if isNew { // it holds nothing yet
			_ = s.Remove()
		}
		return nil, err
	}
	return s, nil
}

func (s *Session) open(ctx context.Context) error {
	var err error
	if s.project, err = readProject(s.options.ProjectDir); err != nil {
		return err
	}
	found, err := pulumicli.Find(s.options.ProjectDir)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	s.cli = &pulumiCommand{CLI: found, live: s.options.Live}
	for _, d := range []string{s.workDir(), s.stateDir(), s.homeDir()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	if err := s.takeLock(ctx); err != nil {
		return err
	}
	if err := s.writeConfig(); err != nil {
		return err
	}
	if s.account, err = awssim.OpenAccount(s.accountFile()); err != nil {
		return err
	}
	s.account.SetConditions(awssim.Conditions{
		BadRelease: s.options.BadRelease, NewAccount: s.options.NewAccount,
		BadImages: s.options.BadImages, MissingImages: s.options.MissingImages,
	})
	if err := s.serve(); err != nil {
		return err
	}
	env := map[string]string{
		// The metadata files would be written separately from the state: a run that is killed in between leaves an unreadable state.
		"PULUMI_BACKEND_URL":       (&url.URL{Scheme: "file", Path: filepath.ToSlash(s.stateDir()), RawQuery: "metadata=skip"}).String(),
		"PULUMI_CONFIG_PASSPHRASE": "sandbox",
		// The engine calls this process instead of a plugin.
		"PULUMI_DEBUG_PROVIDERS":                        fmt.Sprintf("aws:%d", s.port),
		"PULUMI_IGNORE_AMBIENT_PLUGINS":                 "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION":   "true",
		"PULUMI_DIY_BACKEND_NO_LEGACY_WARNING":          "true",
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
	}
	if s.options.Quick {
		env["PULUMI_SKIP_CHECKPOINTS"], env["PULUMI_EXPERIMENTAL"] = "true", "true"
	}
	s.stack, err = auto.UpsertStackInlineSource(ctx, s.options.Stack, s.name(), s.options.Program(s.openCloud),
		auto.WorkDir(s.workDir()), auto.PulumiHome(s.homeDir()), auto.Pulumi(s.cli), auto.EnvVars(env))
	if err != nil {
		return fmt.Errorf("sandbox: stack %s: %w", s.options.Stack, err)
	}
	return s.recover(ctx)
}

func (s *Session) name() string        { return s.project["name"].(string) }
func (s *Session) workDir() string     { return filepath.Join(s.options.Dir, "project") }
func (s *Session) stateDir() string    { return filepath.Join(s.options.Dir, "state") }
func (s *Session) homeDir() string     { return filepath.Join(s.options.Dir, "home") }
func (s *Session) accountFile() string { return filepath.Join(s.options.Dir, "account.json") }

// takeLock waits for another run in the directory to end; the engine of a killed run ends by itself. It says so on Stderr.
func (s *Session) takeLock(ctx context.Context) error {
	f, err := os.OpenFile(filepath.Join(s.options.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	s.lock, s.cli.lock = f, f
	for waits := false; ; waits = true {
		free, err := filelock.Try(f)
		if err != nil {
			return fmt.Errorf("sandbox: %s: %w", f.Name(), err)
		}
		if free {
			return nil
		}
		if !waits {
			fmt.Fprintf(s.options.Stderr, "sandbox: another run uses stack %s; waiting for its end\n", s.options.Stack)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *Session) serve() error {
	s.provider = &provider{account: s.account, fail: map[string]bool{}, regions: map[string]string{}}
	for _, t := range s.options.Fail {
		s.provider.fail[t] = true
	}
	s.cancel = make(chan bool)
	h, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: s.cancel, Init: func(srv *grpc.Server) error {
		pulumirpc.RegisterResourceProviderServer(srv, s.provider)
		return nil
	}})
	if err != nil {
		return fmt.Errorf("sandbox: provider: %w", err)
	}
	s.port, s.done = h.Port, h.Done
	return nil
}

// recover repairs the state after a killed run. This session holds the directory's lock, so the backend's lock is stale. The
// engine repeats its pending operations. A resource that AWS created, but that the state does not have, is the result of the next
// creation of that resource.
func (s *Session) recover(ctx context.Context) error {
	// The backend takes every file for a lock, even a temporary one.
	locks, err := filepath.Glob(filepath.Join(s.stateDir(), ".pulumi", "locks", "*", "*", "*", "*"))
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if len(locks) > 0 {
		s.report("an earlier run was killed; its lock is removed")
		if err := s.stack.Cancel(ctx); err != nil {
			return fmt.Errorf("sandbox: removing a stale lock: %w", err)
		}
	}
	d, err := s.state()
	if err != nil {
		return err
	}
	if len(d.PendingOperations) > 0 {
		if err := s.removePending(ctx); err != nil {
			return err
		}
		for _, op := range d.PendingOperations {
			s.report("an earlier run was killed while %s %s %s", op.Type, op.Resource.Type, op.Resource.URN.Name())
		}
	}
	known := map[string]bool{}
	for _, r := range d.Resources {
		known[string(r.Type)+" "+string(r.ID)] = true
	}
	for _, r := range s.account.Unclaimed(func(typ, id string) bool { return known[typ+" "+id] }) {
		s.report("AWS created %s %s (%s), but the run was killed before it knew; `up` adopts it", r.Type, r.ID, resource.URN(r.URN).Name())
	}
	return nil
}

func (s *Session) report(format string, args ...any) {
	fmt.Fprintf(s.options.Stdout, "sandbox: "+format+"\n", args...)
}

// state reads the stack's state from the file backend: that is faster than the CLI.
func (s *Session) state() (apitype.DeploymentV3, error) {
	var checkpoint struct {
		Checkpoint struct{ Latest apitype.DeploymentV3 }
	}
	data, err := os.ReadFile(filepath.Join(s.stateDir(), ".pulumi", "stacks", s.name(), s.options.Stack+".json"))
	if err == nil {
		err = json.Unmarshal(data, &checkpoint)
	}
	if err != nil {
		return apitype.DeploymentV3{}, fmt.Errorf("sandbox: state: %w", err)
	}
	return checkpoint.Checkpoint.Latest, nil
}

// removePending removes the pending operations from the state.
func (s *Session) removePending(ctx context.Context) error {
	export, err := s.stack.Export(ctx)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	var d map[string]any
	if err := json.Unmarshal(export.Deployment, &d); err != nil {
		return fmt.Errorf("sandbox: state: %w", err)
	}
	delete(d, "pending_operations")
	if export.Deployment, err = json.Marshal(d); err != nil {
		return fmt.Errorf("sandbox: state: %w", err)
	}
	if err := s.stack.Import(ctx, export); err != nil {
		return fmt.Errorf("sandbox: removing pending operations: %w", err)
	}
	return nil
}

// Close stops the provider and releases the directory's lock. It may be called twice.
func (s *Session) Close() {
	if s.cancel != nil {
		close(s.cancel)
		s.cancel = nil
		<-s.done
	}
	if s.lock != nil {
		s.lock.Close()
		s.lock = nil
	}
}

// SetProgram changes the program for later operations.
func (s *Session) SetProgram(program Program) {
	s.options.Program = program
	s.stack.Workspace().SetProgram(program(s.openCloud))
}

// SetConfig changes config values for later operations, by full key.
func (s *Session) SetConfig(values map[string]string) error {
	if s.options.Config == nil {
		s.options.Config = map[string]string{}
	}
	for k, v := range values {
		s.options.Config[k] = v
	}
	return s.writeConfig()
}

// Fail makes the next creation of each type fail, once.
func (s *Session) Fail(types ...string) {
	s.provider.mu.Lock()
	defer s.provider.mu.Unlock()
	for _, t := range types {
		s.provider.fail[t] = true
	}
}

// Unfailed lists the types given to Fail that nothing has created since, sorted.
func (s *Session) Unfailed() []string { return s.provider.failing() }

// Account returns the simulated account.
func (s *Session) Account() *awssim.Account { return s.account }

func (s *Session) color() string {
	if s.options.Color {
		return "always"
	}
	return "never"
}

// Preview plans Up and changes nothing. With expectNone it fails with ErrChanges if there are changes.
func (s *Session) Preview(ctx context.Context, expectNone bool) (*Result, error) {
	return s.collect(func(ch chan events.EngineEvent) error {
		options := []optpreview.Option{optpreview.ProgressStreams(s.options.Stdout), optpreview.ErrorProgressStreams(s.options.Stderr),
			optpreview.Color(s.color()), optpreview.EventStreams(ch)}
		if s.options.Diff {
			options = append(options, optpreview.Diff())
		}
		_, err := s.stack.Preview(ctx, options...)
		return err
	}, expectNone)
}

// PreviewJSON plans Up, and returns what `pulumi preview --json --show-sames` writes. Where the preview fails, it has the errors.
func (s *Session) PreviewJSON(ctx context.Context) ([]byte, error) {
	s.cli.json = true
	defer func() { s.cli.json = false }()
	var out bytes.Buffer
	if _, err := s.stack.Preview(ctx, optpreview.ProgressStreams(&out), optpreview.ErrorProgressStreams(s.options.Stderr)); err != nil {
		return out.Bytes(), &OperationError{err}
	}
	return out.Bytes(), nil
}

// Up creates, updates and deletes resources until the account matches the program.
func (s *Session) Up(ctx context.Context) (*Result, error) {
	var up auto.UpResult
	r, err := s.collect(func(ch chan events.EngineEvent) error {
		var err error
		up, err = s.stack.Up(ctx, optup.ProgressStreams(s.options.Stdout), optup.ErrorProgressStreams(s.options.Stderr),
			optup.Color(s.color()), optup.EventStreams(ch))
		return err
	}, false)
	r.Outputs = plainOutputs(up.Outputs)
	return r, err
}

// Refresh updates the state from the account.
func (s *Session) Refresh(ctx context.Context) (*Result, error) {
	return s.collect(func(ch chan events.EngineEvent) error {
		_, err := s.stack.Refresh(ctx, optrefresh.ProgressStreams(s.options.Stdout), optrefresh.ErrorProgressStreams(s.options.Stderr),
			optrefresh.Color(s.color()), optrefresh.EventStreams(ch))
		return err
	}, false)
}

// PreviewDestroy plans Destroy and changes nothing. It fails if the engine refuses to delete resources; Stdout names them.
func (s *Session) PreviewDestroy(ctx context.Context) (*Result, error) {
	return s.collect(func(ch chan events.EngineEvent) error {
		_, err := s.stack.PreviewDestroy(ctx, optdestroy.ProgressStreams(s.options.Stdout), optdestroy.ErrorProgressStreams(s.options.Stderr),
			optdestroy.Color(s.color()), optdestroy.EventStreams(ch))
		return err
	}, false)
}

// Destroy deletes the stack's resources without a preview: it stops at the first protected one, after others are deleted. If the
// account still holds resources, the error lists them.
func (s *Session) Destroy(ctx context.Context) (*Result, error) {
	r, err := s.collect(func(ch chan events.EngineEvent) error {
		_, err := s.stack.Destroy(ctx, optdestroy.ProgressStreams(s.options.Stdout), optdestroy.ErrorProgressStreams(s.options.Stderr),
			optdestroy.Color(s.color()), optdestroy.EventStreams(ch))
		return err
	}, false)
	if err != nil {
		return r, err
	}
	if left := s.account.Resources(); len(left) > 0 {
		var lines []string
		for _, l := range left {
			lines = append(lines, fmt.Sprintf("  %s %s (%s)", l.Type, l.ID, resource.URN(l.URN).Name()))
		}
		return r, fmt.Errorf("sandbox: after the destroy the account still holds %d resources:\n%s\n"+
			"the stack retains some on deletion; resources of an interrupted run are adopted by `up` and then deleted by `destroy`", len(left), strings.Join(lines, "\n"))
	}
	return r, nil
}

// Protected counts the resources in the state that Pulumi protects.
func (s *Session) Protected() int {
	d, err := s.state()
	if err != nil {
		return 0
	}
	n := 0
	for _, r := range d.Resources {
		if r.Protect {
			n++
		}
	}
	return n
}

// Outputs returns the stack's outputs, secrets unwrapped.
func (s *Session) Outputs(ctx context.Context) (map[string]any, error) {
	outs, err := s.stack.Outputs(ctx)
	if err != nil {
		return nil, fmt.Errorf("sandbox: outputs: %w", err)
	}
	return plainOutputs(outs), nil
}

func plainOutputs(outs auto.OutputMap) map[string]any {
	values := map[string]any{}
	for k, v := range outs {
		values[k] = v.Value
	}
	return values
}

// Remove closes the session and removes its directory: state, account and config.
func (s *Session) Remove() error {
	s.Close()
	if err := os.RemoveAll(s.options.Dir); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	_ = os.Remove(filepath.Dir(s.options.Dir)) // fails if another stack is in it
	return nil
}

// collect runs an operation and gathers its events.
func (s *Session) collect(run func(chan events.EngineEvent) error, expectNone bool) (*Result, error) {
	ch := make(chan events.EngineEvent)
	res, ended, done := &Result{Changes: map[string]int{}}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case e, open := <-ch:
				if !open {
					return
				}
				res.add(e)
			case <-ended: // a CLI that fails before its first event leaves the channel open
				return
			}
		}
	}()
	err := run(ch)
	close(ended)
	<-done
	if err != nil {
		return res, &OperationError{err}
	}
	if expectNone && res.Changed() > 0 {
		return res, fmt.Errorf("sandbox: %w: %s", ErrChanges, res.Counts())
	}
	return res, nil
}

// OperationError means that the engine's operation failed. The details are on the session's Stdout and Stderr.
type OperationError struct{ err error }

func (e *OperationError) Error() string { return e.err.Error() }
func (e *OperationError) Unwrap() error { return e.err }

func (r *Result) add(e events.EngineEvent) {
	switch {
	case e.ResourcePreEvent != nil:
		m := e.ResourcePreEvent.Metadata
		if m.Op == apitype.OpSame || m.Op == apitype.OpRead || m.Op == apitype.OpRefresh {
			return
		}
		r.Steps = append(r.Steps, Step{Op: string(m.Op), URN: m.URN, Type: m.Type, Name: resource.URN(m.URN).Name(),
			Diffs: m.Diffs, ReplacedBy: m.Keys})
	case e.DiagnosticEvent != nil:
		d := e.DiagnosticEvent
		text := strings.TrimSpace(colors.Never.Colorize(d.Prefix + d.Message))
		if name := resource.URN(d.URN); d.URN != "" && name.Type() != resource.RootStackType {
			text = name.Name() + ": " + text
		}
		m := Message{d.Severity, text}
		if !d.Ephemeral && d.Severity != "debug" && text != "" && !slices.Contains(r.Messages, m) {
			r.Messages = append(r.Messages, m)
		}
	case e.SummaryEvent != nil:
		for op, n := range e.SummaryEvent.ResourceChanges {
			r.Changes[string(op)] = n
		}
	}
}

// Counts renders the changes by operation, e.g. "3 create, 1 update".
func (r *Result) Counts() string {
	var parts []string
	for op, n := range r.Changes {
		parts = append(parts, fmt.Sprintf("%d %s", n, op))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
