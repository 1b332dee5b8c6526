// Command cinema-database is the Pulumi program of Cinema.Database. With arguments it is one of the project's commands.
//
//	pulumi up              deploy the stack to an AWS account
//	go run . sandbox up    run the same program on a simulated AWS account
//	go run . help          list the other commands
package main

import (
	"context"
	_ "embed"
	"io"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app"
	"cinema-database/internal/cli"
	"cinema-database/internal/connect"
	"cinema-database/internal/image"
	"cinema-database/internal/release"
	"cinema-database/internal/review"
	"cinema-database/internal/rollout"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/teardown"
	"cinema-database/stack"
)

//go:embed Pulumi.README.md
var readme string

type finder = func(name, arch string) (*app.Binary, error)

func program(find finder, cloud rollout.Opener) pulumi.RunFunc {
	return stack.Program(stack.Dependencies{FindBinary: find, Cloud: cloud, Readme: readme})
}

func reviewed(ctx context.Context, args []string, out, errs io.Writer) int {
	return review.Main(ctx, args, func(find finder) pulumi.RunFunc { return program(find, nil) }, app.Find, out, errs)
}

func main() {
	if len(os.Args) == 1 && os.Getenv(pulumi.EnvMonitor) != "" { // Pulumi runs it
		pulumi.Run(program(app.Find, rollout.AWS))
		return
	}
	os.Exit(cli.Dispatch(context.Background(), os.Args[1:], []cli.Entry{
		{Name: "sandbox", Summary: "run the program on a simulated AWS account", Run: func(ctx context.Context, args []string, out, errs io.Writer) int {
			return sandbox.Main(ctx, args, func(cloud rollout.Opener) pulumi.RunFunc { return program(app.Find, cloud) }, reviewed, out, errs)
		}},
		{Name: "review", Summary: "write a page for reviewers: topology, traffic, access, cost, changes", Run: reviewed},
		{Name: "release", Summary: "follow a rollout, or roll back", Run: release.Main},
		{Name: "connect", Summary: "open a shell on the bastion, a database host or an API instance", Run: connect.Main},
		{Name: "image", Summary: "pin the newest image of the hosts in a stack's config", Run: image.Main},
		{Name: "destroy", Summary: "delete a stack, or list what protects it", Run: func(ctx context.Context, args []string, out, errs io.Writer) int {
			return teardown.Main(ctx, args, os.Stdin, out, errs)
		}},
	}, os.Stdout, os.Stderr))
}
