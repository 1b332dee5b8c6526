// Package lambdaruntime runs a Lambda function's binary on this machine, for tests and benchmarks. It implements the server
// side of the Lambda Runtime API (version 2018-06-01).
package lambdaruntime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/syncbuffer"
)

// Function is a running binary.
type Function struct {
	command *exec.Cmd
	server  *http.Server
	output  *syncbuffer.Buffer
	done    chan struct{} // closed when the process has ended
	exit    error

	invoke sync.Mutex // one event at a time, as in Lambda
	events chan event
	answer chan Answer
}

type event struct {
	id       string
	payload  []byte
	deadline time.Time
}

// Answer is a function's answer to an event.
type Answer struct {
	// Payload is the JSON of the function's result or error.
	Payload []byte
	// Failed is true if Payload is an error.
	Failed bool
}

// Start runs the binary with the given environment, without this process's. Close, or the end of ctx, kills the process.
func Start(ctx context.Context, binary string, env ...string) (*Function, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lambdaruntime: %w", err)
	}
	f := &Function{output: &syncbuffer.Buffer{}, done: make(chan struct{}), events: make(chan event), answer: make(chan Answer)}
	mux := http.NewServeMux()
	const base = "/2018-06-01/runtime/"
	mux.HandleFunc("GET "+base+"invocation/next", f.next)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", f.answered(false))
	mux.HandleFunc("POST "+base+"invocation/{id}/error", f.answered(true))
	f.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(listener) }()

	f.command = exec.CommandContext(ctx, binary)
	f.command.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=local", contract.EnvRegion + "=us-east-1",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true",
	}, env...)
	f.command.Stdout, f.command.Stderr = f.output, f.output
	if err := f.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("lambdaruntime: %w", err), f.server.Close())
	}
	go func() {
		f.exit = f.command.Wait()
		close(f.done)
	}()
	return f, nil
}

func (f *Function) next(w http.ResponseWriter, r *http.Request) {
	select {
	case e := <-f.events:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", e.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.deadline.UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:local")
		_, _ = w.Write(e.payload)
	case <-r.Context().Done():
	case <-f.done:
	}
}

func (f *Function) answered(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		select {
		case f.answer <- Answer{Payload: payload, Failed: failed}:
		case <-r.Context().Done():
		}
	}
}

// Invoke sends one event and waits for the answer. The function's deadline is ctx's, or in one minute.
func (f *Function) Invoke(ctx context.Context, payload []byte) (Answer, error) {
	f.invoke.Lock()
	defer f.invoke.Unlock()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Minute)
	}
	ended := func() (Answer, error) {
		return Answer{}, fmt.Errorf("lambdaruntime: the function ended (%v):\n%s", f.exit, f.output)
	}
	select {
	case f.events <- event{id: strconv.FormatInt(time.Now().UnixNano(), 10), payload: payload, deadline: deadline}:
	case <-f.done:
		return ended()
	case <-ctx.Done():
		return Answer{}, context.Cause(ctx)
	}
	select {
	case answer := <-f.answer:
		return answer, nil
	case <-f.done:
		return ended()
	case <-ctx.Done():
		return Answer{}, context.Cause(ctx)
	}
}

// Output returns the function's output so far.
func (f *Function) Output() string { return f.output.String() }

// PeakMemory returns the process's peak resident memory in bytes, from the kernel's VmHWM. The value of wait4 would start
// with the parent's.
func (f *Function) PeakMemory() (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("lambdaruntime: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("lambdaruntime: %q: %w", line, err)
			}
			return kilobytes << 10, nil
		}
	}
	return 0, errors.New("lambdaruntime: no VmHWM in /proc/<pid>/status")
}

// CPUTime returns the process's CPU time so far, with a resolution of 10 ms (USER_HZ).
func (f *Function) CPUTime() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("lambdaruntime: %w", err)
	}
	// proc(5): the name, in parentheses, may contain any character; utime and stime are the 12th and 13th fields after it.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("lambdaruntime: %q: too few fields", data)
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(errUser, errSystem); err != nil {
		return 0, fmt.Errorf("lambdaruntime: %w", err)
	}
	return time.Duration(user+system) * time.Second / 100, nil
}

// Close kills the process.
func (f *Function) Close() error {
	_ = f.command.Process.Kill() // fails only if the process has ended already
	<-f.done
	return f.server.Close()
}
