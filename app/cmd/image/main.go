package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cinema-database/app/contract"
	"cinema-database/internal/cli"
)

const usage = `usage: go run ./app/cmd/image COMMAND [flags]

commands
  build     make an image, write it to a folder (OCI image layout), and print its digest
  push      make an image and push it to a repository; print the tag and the digest for cinema:services

flags
  --binary NAME      a program of this project: the package app/cmd/NAME (default cinema, the API)
  --package PACKAGE  another program, as go build names it: ./path
  --arch LIST        architectures, separated by commas (default amd64,arm64: an index of two images)
  --output FOLDER    build: folder to write (default .artifacts/image/NAME); an image that is there is replaced
  --service NAME     push: the service whose repository it is; the stack's output has the repositories
  --stack NAME       push: stack of the service (default dev)
  --repository URL   push: a repository, instead of --service; needs neither the stack nor Pulumi
  --tag TAG          push: tag of the image; a tag is never moved to another image
  --plain-http       push: the registry may answer without TLS

push logs in to ECR. With --service the account is the one of the stack's AWS provider: its profile, role and endpoints in the
stack's config, then the environment. With --repository it is the one of the environment. For a registry other than ECR, --repository
uses the logins of ~/.docker/config.json.
`

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	context.AfterFunc(ctx, stop) // a second Ctrl+C terminates the process immediately
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs a command line in the current folder and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := cli.Command{Name: "image", Usage: usage, Stdout: stdout, Stderr: stderr}
	o, err := parse(args)
	if err != nil {
		return command.Refuse(err)
	}
	out := newScreen(stdout, stderr)
	if o.verb == "build" {
		err = runBuild(ctx, o, out)
	} else {
		err = runPush(ctx, o, out)
	}
	out.end()
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted; run the command again: layers that the repository has are not uploaded again")
			if o.verb == "build" {
				err = errors.New("interrupted; nothing is written")
			}
		}
		return command.Fail(err)
	}
	return cli.ExitOK
}

// options is a command line.
type options struct {
	verb                     string
	binary, pkg              string
	arches                   []string
	output                   string
	service, stack           string
	repository, tag          string
	plainHTTP, namesTheStack bool
}

// imageTag is a tag that both registries and config accept (OCI distribution specification, "Pulling manifests").
var imageTag = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

func parse(args []string) (options, error) {
	if len(args) == 0 {
		return options{}, cli.ErrNoCommand
	}
	o := options{verb: args[0]}
	switch o.verb {
	case "help", "-h", "--help":
		return o, flag.ErrHelp
	case "build", "push":
	default:
		return o, fmt.Errorf("command %q: neither build nor push", o.verb)
	}
	fs := cli.Flags("image")
	fs.StringVar(&o.binary, "binary", "", "")
	fs.StringVar(&o.pkg, "package", "", "")
	arches := fs.String("arch", strings.Join(contract.Architectures, ","), "")
	stack := new(string)
	if o.verb == "build" {
		fs.StringVar(&o.output, "output", "", "")
	} else {
		fs.StringVar(&o.service, "service", "", "")
		stack = cli.Stack(fs)
		fs.StringVar(&o.repository, "repository", "", "")
		fs.StringVar(&o.tag, "tag", "", "")
		fs.BoolVar(&o.plainHTTP, "plain-http", false, "")
	}
	if err := cli.Parse(fs, args[1:]); err != nil {
		return o, err
	}
	o.stack = *stack
	fs.Visit(func(f *flag.Flag) { o.namesTheStack = o.namesTheStack || f.Name == "stack" })
	return o, o.check(*arches)
}

// check completes the options, and reports all problems at once.
func (o *options) check(arches string) error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	switch form, ok := contract.FormOf(o.binary); {
	case o.binary == "" && o.pkg == "":
		o.binary = contract.Cinema
	case o.binary != "" && o.pkg != "":
		add("flag --package %q: next to --binary %s; leave out one", o.pkg, o.binary)
	case o.binary != "" && (!ok || form != contract.Executable):
		add("flag --binary %q: not a program that runs in a container; use one of %s, or --package", o.binary, strings.Join(executables(), ", "))
	}
	for _, arch := range strings.Split(arches, ",") {
		switch arch = strings.TrimSpace(arch); {
		case !slices.Contains(contract.Architectures, arch):
			add("flag --arch %q: no such architecture; use one or more of %s", arch, strings.Join(contract.Architectures, ","))
		case slices.Contains(o.arches, arch):
			add("flag --arch %q: appears twice; remove one", arch)
		default:
			o.arches = append(o.arches, arch)
		}
	}
	slices.Sort(o.arches) // the order of the command line must not change the digest
	if o.verb == "push" {
		switch {
		case o.service == "" && o.repository == "":
			add("flag --service: missing; name the service whose repository it is, or a --repository")
		case o.service != "" && o.repository != "":
			add("flag --repository %q: next to --service %s, which has a repository; leave out one", o.repository, o.service)
		case o.repository != "" && o.namesTheStack:
			add("flag --stack %q: next to --repository, which needs no stack; leave out one", o.stack)
		}
		switch {
		case o.tag == "":
			add("flag --tag: missing; name the image, like v1.2")
		case !imageTag.MatchString(o.tag):
			add("flag --tag %q: not a tag; use up to 128 letters, digits, . _ and -, not . or - first", o.tag)
		case o.tag == "latest":
			add("flag --tag %q: a tag that moves, which config refuses; name a version, like v1.2", o.tag)
		}
	}
	return errors.Join(problems...)
}

// executables lists the project's programs that are no Lambda functions.
func executables() []string {
	var names []string
	for _, b := range contract.Binaries {
		if b.Form == contract.Executable {
			names = append(names, b.Name)
		}
	}
	return names
}

func runBuild(ctx context.Context, o options, out *screen) error {
	b, err := newBuilder(ctx, o, out)
	if err != nil {
		return err
	}
	folder := o.output
	if folder == "" {
		folder = filepath.Join(b.root, ".artifacts", "image", b.title())
	}
	if err := replaceable(folder); err != nil {
		return err
	}
	image, err := b.build(ctx)
	if err != nil {
		return err
	}
	if err := image.write(folder); err != nil {
		return fmt.Errorf("write the image to %s: %w", folder, err)
	}
	out.say("written to %s, %s", folder, size(image.bytes()))
	out.say("digest: %s", image.digest)
	return nil
}
