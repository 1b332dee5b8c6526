// Package image pins the hosts' image in a stack's config file, as a change to review: moving the pin is how hosts are patched.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"cinema-database/compute"
	"cinema-database/internal/awsaccess"
	"cinema-database/internal/cli"
)

const usage = `usage: image [--stack NAME]

Writes the id of the newest Amazon Linux 2023 image into Pulumi.NAME.yaml as cinema:ami, and changes nothing else: review and
commit the change, then deploy it. It replaces the database hosts and rolls out the API.

flags
  --stack NAME       the stack; its config is in Pulumi.NAME.yaml (default dev)

The account is the one of the stack's AWS provider: its profile, role and endpoints in the stack's config, then the environment.
`

// Main runs the command in the project's directory. args follow "image" on the command line. The exit code is cli.ExitFailed
// if AWS does not answer, or the file cannot be read or written.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := cli.Interruptible(ctx)
	defer stop()
	command := cli.Command{Name: "image", Usage: usage, Stdout: stdout, Stderr: stderr}
	fs := cli.Flags("image")
	stack := cli.StackFile(fs)
	if err := cli.Parse(fs, args); err != nil {
		return command.Refuse(err)
	}
	if err := pin(ctx, *stack, stdout); err != nil {
		return command.Fail(err)
	}
	return cli.ExitOK
}

// pin writes the newest image into a stack's config file, and prints the earlier and the new one.
func pin(ctx context.Context, stack string, out io.Writer) error {
	path := "Pulumi." + stack + ".yaml"
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	region := file.value("aws:region")
	if region == "" {
		return fmt.Errorf("%s: config has no aws:region; set the region whose images are meant", path)
	}
	arch := compute.Architecture(file.value("cinema:architecture"))
	if arch == "" {
		arch = compute.ARM64
	}
	settings, err := awsaccess.StackSettings(ctx, ".", stack)
	if err != nil {
		return err
	}
	account, err := awsaccess.Open(ctx, settings, region)
	if err != nil {
		return err
	}
	newest, err := newestImage(ctx, account, arch)
	if err != nil {
		return err
	}
	pinned := file.value(key)
	if pinned == newest {
		fmt.Fprintf(out, "%s: %s is the newest image: %s\n", path, pinned, describe(ctx, account, pinned))
		return nil
	}
	if pinned == "" {
		fmt.Fprintf(out, "%s: no image is pinned\n", path)
	} else {
		fmt.Fprintf(out, "%s: %s: %s\n", path, pinned, describe(ctx, account, pinned))
	}
	fmt.Fprintf(out, "%s: → %s: %s\n", path, newest, describe(ctx, account, newest))
	return os.WriteFile(path, file.set(newest), 0o644)
}

// newestImage is the id that a deployment without a pin would use.
func newestImage(ctx context.Context, account *awsaccess.Account, arch compute.Architecture) (string, error) {
	name, err := compute.ImageParameter(arch)
	if err != nil {
		return "", err
	}
	answer, err := account.SSM().GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if err != nil {
		return "", fmt.Errorf("newest image: %w", err)
	}
	id := aws.ToString(answer.Parameter.Value)
	if id == "" {
		return "", errors.New("newest image: the parameter " + name + " is empty")
	}
	return id, nil
}

// describe is an image's name and date, or the reason why they are not known.
func describe(ctx context.Context, account *awsaccess.Account, id string) string {
	answer, err := account.EC2().DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}, IncludeDeprecated: aws.Bool(true)})
	switch {
	case err != nil:
		return err.Error()
	case len(answer.Images) == 0:
		return "not in the region"
	}
	return aws.ToString(answer.Images[0].Name) + ", of " + aws.ToString(answer.Images[0].CreationDate)
}
