package containers

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

const (
	// keptImages are the newest images with a tag that a repository keeps.
	keptImages = 30
	// untaggedDays is how long an image without a tag stays. ECR keeps those that a kept one refers to (ECR user guide,
	// "Automate the cleanup of images by using lifecycle policies").
	untaggedDays = 7
)

const repositoryType = "aws:ecr/repository:Repository"

// logicalName of what a service consists of, and the repository's name on AWS.
func logicalName(service string) string { return "containers-" + service }

// RepositoryName is the name on AWS of a service's repository.
func RepositoryName(env environment.Environment, service string) string {
	return component.PhysicalName(env, repositoryType, logicalName(service))
}

// RepositoryURL is where the images of a service are pushed to.
func RepositoryURL(env environment.Environment, service string) string {
	return fmt.Sprintf("%s.dkr.ecr.%s.%s/%s", env.Account, env.Region, env.DNSSuffix, RepositoryName(env, service))
}

// Reference is the whole reference of a service's image.
func (s Service) Reference(env environment.Environment, name string) string {
	switch {
	case !s.OwnRepository():
		return s.Image
	case strings.HasPrefix(s.Image, "sha256:"):
		return RepositoryURL(env, name) + "@" + s.Image
	default:
		return RepositoryURL(env, name) + ":" + s.Image
	}
}

// createRepository registers a service's repository, also where its image is elsewhere: an image must be there before config
// names it. A tag cannot be moved to another image, and what leaves the stack takes its images along: they can be built again.
func (b *builder) createRepository(name string) (*ecr.Repository, error) {
	logical := b.Name(name)
	repository, err := ecr.NewRepository(b.Ctx, logical, &ecr.RepositoryArgs{
		ImageTagMutability:         pulumi.String("IMMUTABLE"),                                                  // Security Hub ECR.2
		ImageScanningConfiguration: ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)}, // ECR.1
		EncryptionConfigurations:   ecr.RepositoryEncryptionConfigurationArray{ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("AES256")}},
		ForceDelete:                pulumi.Bool(true),
		Tags:                       b.Tags(logical),
	}, b.Child())
	if err != nil {
		return nil, err
	}
	policy, err := lifecyclePolicy()
	if err != nil {
		return nil, err
	}
	_, err = ecr.NewLifecyclePolicy(b.Ctx, logical, &ecr.LifecyclePolicyArgs{ // ECR.3
		Repository: repository.Name,
		Policy:     pulumi.String(policy),
	}, b.Child())
	return repository, err
}

// lifecyclePolicy returns the policy of every repository.
func lifecyclePolicy() (string, error) {
	type selection struct {
		CountNumber    int      `json:"countNumber"`
		CountType      string   `json:"countType"`
		CountUnit      string   `json:"countUnit,omitempty"`
		TagPatternList []string `json:"tagPatternList,omitempty"`
		TagStatus      string   `json:"tagStatus"`
	}
	type rule struct {
		Action      map[string]string `json:"action"`
		Description string            `json:"description"`
		Priority    int               `json:"rulePriority"`
		Selection   selection         `json:"selection"`
	}
	expire := map[string]string{"type": "expire"}
	policy, err := json.Marshal(map[string][]rule{"rules": {
		{expire, "Untagged images", 1, selection{CountNumber: untaggedDays, CountType: "sinceImagePushed", CountUnit: "days", TagStatus: "untagged"}},
		{expire, "All but the newest images", 2, selection{CountNumber: keptImages, CountType: "imageCountMoreThan", TagPatternList: []string{"*"}, TagStatus: "tagged"}},
	}})
	return string(policy), err
}
