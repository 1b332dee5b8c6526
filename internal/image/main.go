// Package image pins the hosts' image in a stack's config file, as a change to review: moving the pin is how hosts are patched.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"cinema-database/compute"
	"cinema-database/internal/cli"
)

const usage = `usage: image [--stack NAME]

Writes the id of the newest Amazon Linux 2023 image into Pulumi.NAME.yaml as cinema:ami, and changes nothing else: review and
commit the change, then deploy it. It replaces the database host and rolls out the API.

flags
  --stack NAME       the stack; its config is in Pulumi.NAME.yaml (default dev)

Credentials are the AWS SDK's: AWS_PROFILE, AWS_ACCESS_KEY_ID and so on; AWS_ENDPOINT_URL selects an emulator.
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
	if err := pin(ctx, "Pulumi."+*stack+".yaml", stdout); err != nil {
		return command.Fail(err)
	}
	return cli.ExitOK
}

// pin writes the newest image into a stack's config file, and prints the earlier and the new one.
func pin(ctx context.Context, path string, out io.Writer) error {
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
	client, err := access(ctx, region)
	if err != nil {
		return err
	}
	newest, err := newestImage(ctx, client, arch)
	if err != nil {
		return err
	}
	pinned := file.value(key)
	if pinned == newest {
		fmt.Fprintf(out, "%s: %s is the newest image: %s\n", path, pinned, describe(ctx, client, pinned))
		return nil
	}
	if pinned == "" {
		fmt.Fprintf(out, "%s: no image is pinned\n", path)
	} else {
		fmt.Fprintf(out, "%s: %s: %s\n", path, pinned, describe(ctx, client, pinned))
	}
	fmt.Fprintf(out, "%s: → %s: %s\n", path, newest, describe(ctx, client, newest))
	return os.WriteFile(path, file.set(newest), 0o644)
}

// access is the AWS configuration of the environment, in the stack's region.
func access(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(region))
	if err != nil {
		return cfg, fmt.Errorf("AWS: %w", err)
	}
	return cfg, nil
}

// newestImage is the id that a deployment without a pin would use.
func newestImage(ctx context.Context, cfg aws.Config, arch compute.Architecture) (string, error) {
	name, err := compute.ImageParameter(arch)
	if err != nil {
		return "", err
	}
	answer, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
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
func describe(ctx context.Context, cfg aws.Config, id string) string {
	answer, err := ec2.NewFromConfig(cfg).DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}, IncludeDeprecated: aws.Bool(true)})
	switch {
	case err != nil:
		return err.Error()
	case len(answer.Images) == 0:
		return "not in the region"
	}
	return aws.ToString(answer.Images[0].Name) + ", of " + aws.ToString(answer.Images[0].CreationDate)
}
