package containers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

// Found is what services need of AWS before they exist.
type Found struct {
	// SecretARNs are the ARNs of the secrets by name.
	SecretARNs map[string]string
	// Pending are the services, sorted, whose image is not in their repository yet: they do not start.
	Pending []string
}

// Lookup finds the secrets and the images of the services, all at the same time. It refuses a secret that does not exist, and
// an image that is missing while the service runs. An image that the caller may not look up counts as found: ECS then says
// what is missing. So does a secret in a preview.
func (s Services) Lookup(ctx *pulumi.Context, env environment.Environment, capacity Capacity) (Found, error) {
	found := Found{SecretARNs: map[string]string{}}
	problems := problem.In(ctx.Project() + ":")
	var mu sync.Mutex // of both
	var group sync.WaitGroup
	secrets := map[string]string{} // a field that names it, by secret
	for _, name := range s.Names() {
		for _, variable := range slices.Sorted(maps.Keys(s[name].Secrets)) {
			if secret, ok := strings.CutPrefix(s[name].Secrets[variable], inSecretsManager); ok {
				secrets[secret] = "services." + name + ".secrets." + variable
			}
		}
		if !s[name].OwnRepository() {
			continue
		}
		group.Go(func() {
			missing, running := s.missing(ctx, env, name, capacity)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case missing && running:
				problems.Add("services."+name+".image", s[name].Image, "is not in the repository "+RepositoryName(env, name),
					"push it with `"+pushCommand(ctx, s, name)+"`, or name an image that is there")
			case missing:
				found.Pending = append(found.Pending, name)
			}
		})
	}
	for secret, field := range secrets {
		group.Go(func() {
			answer, err := secretsmanager.LookupSecret(ctx, &secretsmanager.LookupSecretArgs{Name: &secret})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				found.SecretARNs[secret] = answer.Arn
			case notFound(err):
				problems.Add(field, inSecretsManager+secret, "is not a secret of this account and region", "create it, or correct the name")
			case ctx.DryRun():
				// The preview role may not look up a secret that is new in config. AWS ends the name with six characters.
				found.SecretARNs[secret] = env.ARN("secretsmanager", "secret:"+secret+"-??????")
			default:
				problems.AddError(fmt.Errorf("%s: secret %q: %w", field, secret, err))
			}
		})
	}
	group.Wait()
	slices.Sort(found.Pending)
	return found, problems.Err()
}

// missing reports whether a service's image is not in its repository, and whether the service runs nevertheless.
func (s Services) missing(ctx *pulumi.Context, env environment.Environment, name string, capacity Capacity) (missing, running bool) {
	image := s[name].Image
	args := &ecr.GetImageArgs{RepositoryName: RepositoryName(env, name)}
	if strings.HasPrefix(image, "sha256:") {
		args.ImageDigest = &image
	} else {
		args.ImageTag = &image
	}
	if _, err := ecr.GetImage(ctx, args); err == nil || !notFound(err) {
		return false, false
	}
	_, err := ecs.LookupService(ctx, &ecs.LookupServiceArgs{
		ClusterArn:  env.ARN("ecs", "cluster/"+component.PhysicalName(env, "aws:ecs/cluster:Cluster", "containers-"+string(capacity))),
		ServiceName: component.PhysicalName(env, "aws:ecs/service:Service", "services-"+name),
	})
	// What is not known to be absent runs: it must not be deleted.
	return true, err == nil || !notFound(err)
}

// notFound reports whether AWS answered that something does not exist, as the provider says it.
func notFound(err error) bool {
	text := strings.ToLower(err.Error())
	return slices.ContainsFunc([]string{"notfound", "not found", "couldn't find", "no matching", "empty result", "no images", "does not exist"},
		func(s string) bool { return strings.Contains(text, s) })
}

// Say says how the pending services start.
func (f Found) Say(ctx *pulumi.Context, s Services) error {
	for _, name := range f.Pending {
		line := fmt.Sprintf("services.%s: image %s is not in its repository yet, so the service does not start. Once this update has made the repository, push the image with `%s` and run `pulumi up` again",
			name, s[name].Image, pushCommand(ctx, s, name))
		if err := ctx.Log.Warn(line, nil); err != nil {
			return err
		}
	}
	return nil
}

// pushCommand pushes the image that config names.
func pushCommand(ctx *pulumi.Context, s Services, name string) string {
	tag := s[name].Image
	if strings.HasPrefix(tag, "sha256:") {
		tag = "TAG"
	}
	return fmt.Sprintf("go run ./app/cmd/image push --stack %s --service %s --tag %s", ctx.Stack(), name, tag)
}
