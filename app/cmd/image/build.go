package main

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"cinema-database/app/contract"
)

// builder makes the image of one program.
type builder struct {
	root    string // folder of the module
	program string // import path
	arches  []string
	// args are the program's arguments, port is what it listens on; 0 where that is not known.
	args []string
	port int
	out  *screen
}

// newBuilder finds the program that the options name.
func newBuilder(ctx context.Context, o options, out *screen) (*builder, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	b := &builder{root: root, arches: o.arches, out: out}
	folder, pattern := ".", o.pkg
	if o.binary != "" {
		folder, pattern = root, "./app/cmd/"+o.binary
	}
	if o.binary == contract.Cinema {
		b.args, b.port = []string{"serve"}, contract.APIPort // without arguments it lists its commands
	}
	b.program, err = findProgram(ctx, folder, pattern)
	return b, err
}

// title is the program's name.
func (b *builder) title() string { return path.Base(b.program) }

func moduleRoot(ctx context.Context) (string, error) {
	text, err := goCommand(ctx, ".", nil, "env", "GOMOD")
	if err != nil {
		return "", err
	}
	file := strings.TrimSpace(string(text))
	if file == "" || file == os.DevNull {
		return "", errors.New("not inside a Go module; run it in the project's folder")
	}
	return filepath.Dir(file), nil
}

// findProgram returns the import path of the main package that a pattern names in a folder.
func findProgram(ctx context.Context, folder, pattern string) (string, error) {
	if strings.HasPrefix(pattern, "-") {
		return "", fmt.Errorf("package %q: not a package; write it like ./path", pattern)
	}
	text, err := goCommand(ctx, folder, environment(contract.Architectures[0]), "list", "-json=Name,ImportPath", pattern)
	if err != nil {
		return "", fmt.Errorf("package %s: %w", pattern, err)
	}
	var found []string
	for decoder := json.NewDecoder(bytes.NewReader(text)); decoder.More(); {
		var p struct{ Name, ImportPath string }
		if err := decoder.Decode(&p); err != nil {
			return "", fmt.Errorf("package %s: go list: %w", pattern, err)
		}
		if p.Name != "main" {
			return "", fmt.Errorf("package %s: %s is a library (package %s); name the folder of a program (package main)", pattern, p.ImportPath, p.Name)
		}
		found = append(found, p.ImportPath)
	}
	if len(found) != 1 {
		return "", fmt.Errorf("package %s: names %d programs; an image has one", pattern, len(found))
	}
	return found[0], nil
}

// environment overrides every variable of the caller's environment that the compiler or the linker reads.
func environment(arch string) []string {
	return []string{
		"GOOS=linux", "GOARCH=" + arch, "GOAMD64=v1", "GOARM64=v8.0",
		"CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off",
	}
}

// goCommand runs the go command in a folder and returns its output. An interrupt ends the compilers that it has started.
func goCommand(ctx context.Context, folder string, env []string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir, command.Env = folder, append(os.Environ(), env...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	command.Stderr = &stderr
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return text, nil
}

// compile returns the program for an architecture.
func (b *builder) compile(ctx context.Context, arch string) ([]byte, error) {
	scratch, err := os.MkdirTemp("", "cinema-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	file := filepath.Join(scratch, "app")
	_, err = goCommand(ctx, b.root, environment(arch), "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", file, b.program)
	if err != nil {
		return nil, fmt.Errorf("compile %s for linux/%s: %w", b.program, arch, err)
	}
	binary, err := os.ReadFile(file)
	if err == nil {
		err = checkStatic(binary)
	}
	if err != nil {
		return nil, fmt.Errorf("compile %s for linux/%s: %w", b.program, arch, err)
	}
	return binary, nil
}

// checkStatic refuses a binary that needs a loader, which the image does not have.
func checkStatic(binary []byte) error {
	file, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("not a binary for Linux: %w", err)
	}
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return errors.New("linked dynamically, and the image has no libraries; import no package that needs a dynamic loader")
		}
	}
	return nil
}

// build compiles the program for every architecture, and makes the image.
func (b *builder) build(ctx context.Context) (*image, error) {
	base, err := baseLayer()
	if err != nil {
		return nil, err
	}
	made := &image{title: b.title()}
	for _, arch := range b.arches {
		binary, err := b.compile(ctx, arch)
		if err != nil {
			return nil, err
		}
		platform, err := b.assemble(base, binary, arch)
		if err != nil {
			return nil, fmt.Errorf("image for linux/%s: %w", arch, err)
		}
		made.platforms = append(made.platforms, platform)
		b.out.say("compiled %s for linux/%s, %s", b.program, arch, size(int64(len(binary))))
	}
	return made, made.seal()
}
