package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"cinema-database/app/contract"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	arch := flags.String("arch", "arm64", "architectures, separated by commas: "+strings.Join(contract.Architectures, ", "))
	output := flags.String("o", "", "folder to write to (default app/bin of the module)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("build: %q: unknown argument; see -h", flags.Arg(0))
	}
	arches, err := parseArchitectures(*arch)
	if err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	if *output == "" {
		*output = filepath.Join(root, "app", "bin")
	}
	b := builder{root: root, output: *output, log: os.Stdout}
	return b.run(ctx, contract.Names(), arches)
}

func parseArchitectures(list string) ([]string, error) {
	var arches []string
	var problems []error
	for i, arch := range strings.Split(list, ",") {
		arch = strings.TrimSpace(arch)
		switch {
		case !slices.Contains(contract.Architectures, arch):
			problems = append(problems, fmt.Errorf("build: -arch[%d] %q: no such architecture; use one of %s", i, arch, strings.Join(contract.Architectures, ", ")))
		case slices.Contains(arches, arch):
			problems = append(problems, fmt.Errorf("build: -arch[%d] %q: appears twice; remove one", i, arch))
		default:
			arches = append(arches, arch)
		}
	}
	return arches, errors.Join(problems...)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("build: go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if file == "" || file == os.DevNull {
		return "", errors.New("build: not inside the module; run it in the repository")
	}
	return filepath.Dir(file), nil
}
