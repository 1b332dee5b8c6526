package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cinema-database/app/internal/manifest"
)

// builder compiles the main packages app/cmd/<name> of the module at root into the folder output.
type builder struct {
	root, output string
	log          io.Writer
}

// tags excludes the RPC mode of older Lambda runtimes: the html/template that it imports stops the linker from dropping
// unused methods, which makes a function's binary half as large again.
const tags = "lambda.norpc"

// environment overrides every variable of the caller's environment that the compiler or the linker reads.
func environment(arch string) []string {
	return append(os.Environ(),
		"GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0",
		"CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off",
	)
}

// compile returns one binary.
func (b builder) compile(ctx context.Context, name, arch string) ([]byte, error) {
	directory := filepath.Join(b.root, "app", "cmd", name)
	if _, err := os.Stat(directory); err != nil {
		return nil, fmt.Errorf("build: %s: no package app/cmd/%s in this checkout: %w", name, name, err)
	}
	scratch, err := os.MkdirTemp("", "cinema-build-")
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(scratch)
	binary := filepath.Join(scratch, name)
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-tags="+tags, "-o", binary, "./app/cmd/"+name)
	command.Dir = b.root
	command.Env = environment(arch)
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %s for linux/%s: %w\n%s", name, arch, err, bytes.TrimSpace(out))
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	return data, nil
}

// run builds every binary for every architecture, writes the manifest of those that it could build, and removes the
// compressed binaries that the manifest does not list.
func (b builder) run(ctx context.Context, names, arches []string) error {
	if err := os.MkdirAll(b.output, 0o755); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	var built manifest.Manifest
	var problems []error
	for _, arch := range arches {
		for _, name := range names {
			start := time.Now()
			entry, outcome, err := b.build(ctx, name, arch)
			if ctx.Err() != nil {
				return fmt.Errorf("build: %w", context.Cause(ctx))
			}
			if err != nil {
				problems = append(problems, err)
				fmt.Fprintf(b.log, "%-12s linux/%-6s failed\n", name, arch)
				continue
			}
			built.Binaries = append(built.Binaries, entry)
			fmt.Fprintf(b.log, "%-12s linux/%-6s %6.2f MiB  %s  %-9s %5.1f s\n", name, arch,
				float64(entry.Size)/(1<<20), entry.SHA256[:12], outcome, time.Since(start).Seconds())
		}
	}
	data, err := built.Encode()
	if err == nil {
		err = writeChanged(filepath.Join(b.output, manifest.Name), data)
	}
	return errors.Join(append(problems, err, b.removeStale(built))...)
}

// build compiles one binary and stores it. outcome is "unchanged" if the stored file is the same already, or "written".
func (b builder) build(ctx context.Context, name, arch string) (entry manifest.Entry, outcome string, err error) {
	data, err := b.compile(ctx, name, arch)
	if err != nil {
		return manifest.Entry{}, "", err
	}
	sum := sha256.Sum256(data)
	entry = manifest.Entry{Name: name, Arch: arch, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
	path := filepath.Join(b.output, manifest.FileName(name, arch))
	// Decompressing is many times faster than compressing.
	if old, err := decompress(path); err == nil && bytes.Equal(old, data) {
		return entry, "unchanged", nil
	}
	compressed, err := compress(data)
	if err == nil {
		err = writeChanged(path, compressed)
	}
	return entry, "written", err
}

// compress returns data as gzip with an empty header: without a name and a time, the same data results in the same bytes.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		return nil, fmt.Errorf("build: compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("build: compress: %w", err)
	}
	return out.Bytes(), nil
}

func decompress(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// writeChanged replaces the file at path unless it holds data already. An unchanged file keeps its modification time,
// so that Go does not build again what embeds it.
func writeChanged(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// removeStale removes compressed binaries that the manifest does not list. It leaves all other files: the caller may
// use the folder for something else too.
func (b builder) removeStale(built manifest.Manifest) error {
	keep := map[string]bool{}
	for _, entry := range built.Binaries {
		keep[manifest.FileName(entry.Name, entry.Arch)] = true
	}
	files, err := os.ReadDir(b.output)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	var problems []error
	for _, file := range files {
		name := file.Name()
		if keep[name] || !strings.HasSuffix(name, ".gz") || !strings.Contains(name, "-linux-") {
			continue
		}
		if err := os.Remove(filepath.Join(b.output, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("build: %w", err))
			continue
		}
		fmt.Fprintf(b.log, "%-12s stale, removed\n", name)
	}
	return errors.Join(problems...)
}
