package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"cinema-database/internal/awsaccess"
	"cinema-database/internal/pulumicli"
)

// target is the tag to push to, and the login for it.
type target struct {
	name.Tag
	login remote.Option
}

// findTarget returns the target that the options name. root is the project's folder.
func findTarget(ctx context.Context, root string, o options) (target, error) {
	var access []name.Option
	if o.plainHTTP {
		access = append(access, name.Insecure)
	}
	url, account := o.repository, (*awsaccess.Account)(nil)
	if o.service != "" {
		var err error
		if url, account, err = serviceRepository(ctx, root, o.stack, o.service); err != nil {
			return target{}, err
		}
	}
	repository, err := name.NewRepository(url, append(access, name.StrictValidation)...)
	if err != nil {
		return target{}, fmt.Errorf("repository %q: %w; write it like 123456789012.dkr.ecr.us-east-1.amazonaws.com/name", url, err)
	}
	if region, ok := awsaccess.ECRRegion(repository.RegistryStr()); ok && account == nil {
		if account, err = awsaccess.Open(ctx, awsaccess.Settings{}, region); err != nil {
			return target{}, err
		}
	}
	t := target{Tag: repository.Tag(o.tag), login: remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if account != nil {
		login, err := account.RegistryLogin(ctx)
		if err != nil {
			return target{}, err
		}
		t.login = remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: login.User, Password: login.Password}))
	}
	return t, nil
}

// serviceRepository asks the Pulumi CLI, which knows where the stack's state is, for the repository of a service. The account is
// that of the stack's AWS provider.
func serviceRepository(ctx context.Context, root, stack, service string) (url string, account *awsaccess.Account, err error) {
	var outputs struct {
		Region       string            `json:"region"`
		Repositories map[string]string `json:"repositories"` // URLs by service
	}
	if err := pulumicli.Query(ctx, root, &outputs, "stack", "output", "--json", "--non-interactive", "--stack", stack); err != nil {
		return "", nil, fmt.Errorf("outputs of stack %s: %w", stack, err)
	}
	url = outputs.Repositories[service]
	switch {
	case len(outputs.Repositories) == 0:
		return "", nil, fmt.Errorf("service %q: stack %s has no repositories; add the service to cinema:services, and run `pulumi up --stack %[2]s`", service, stack)
	case url == "":
		return "", nil, fmt.Errorf("service %q: stack %s has no repository for it, but for %s; correct --service, or add it to cinema:services and run `pulumi up --stack %[2]s`",
			service, stack, strings.Join(slices.Sorted(maps.Keys(outputs.Repositories)), ", "))
	}
	settings, err := awsaccess.StackSettings(ctx, root, stack)
	if err == nil {
		account, err = awsaccess.Open(ctx, settings, outputs.Region)
	}
	return url, account, err
}
