// Command cinema-database is the Pulumi program of Cinema.Database. With arguments it is one of the project's commands.
//
//	pulumi up              deploy the stack to an AWS account
//	go run . sandbox up    run the same program on a simulated AWS account
//	go run . review        write a page for reviewers: topology, traffic, permissions, cost, changes
//	go run . release       follow a rollout, or show how to roll back
//	go run . image         pin the newest image of the hosts in a stack's config
//	go run . destroy       delete a stack, or list what protects it
package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app"
	"cinema-database/internal/cli"
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

func main() {
	program := func(find func(name, arch string) (*app.Binary, error), cloud rollout.Opener) pulumi.RunFunc {
		return stack.Program(stack.Dependencies{FindBinary: find, Cloud: cloud, Readme: readme})
	}
	if len(os.Args) == 1 {
		pulumi.Run(program(app.Find, rollout.AWS))
		return
	}
	ctx := context.Background()
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "sandbox":
		os.Exit(sandbox.Main(ctx, args, func(cloud rollout.Opener) pulumi.RunFunc { return program(app.Find, cloud) }, os.Stdout, os.Stderr))
	case "review":
		os.Exit(review.Main(ctx, args, func(find func(name, arch string) (*app.Binary, error)) pulumi.RunFunc { return program(find, nil) }, app.Find, os.Stdout, os.Stderr))
	case "destroy":
		os.Exit(teardown.Main(ctx, args, os.Stdin, os.Stdout, os.Stderr))
	case "image":
		os.Exit(image.Main(ctx, args, os.Stdout, os.Stderr))
	case "release":
		os.Exit(release.Main(ctx, args, os.Stdout, os.Stderr))
	default:
		fmt.Fprintf(os.Stderr, "cinema-database: unknown command %q; run `pulumi up`, or `go run . sandbox|review|release|image|destroy`\n", command)
		os.Exit(cli.ExitUsage)
	}
}
