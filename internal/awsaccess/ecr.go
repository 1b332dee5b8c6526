package awsaccess

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

// ECR returns a client for Elastic Container Registry.
func (a *Account) ECR() *ecr.Client {
	return ecr.NewFromConfig(a.config, func(o *ecr.Options) { o.BaseEndpoint = a.endpoint("ecr") })
}

// RegistryLogin is a login for the account's container registry, valid for twelve hours.
type RegistryLogin struct{ User, Password string }

// RegistryLogin asks ECR for a login with the account's credentials.
func (a *Account) RegistryLogin(ctx context.Context) (RegistryLogin, error) {
	answer, err := a.ECR().GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return RegistryLogin{}, fmt.Errorf("ECR: login: %w", err)
	}
	if len(answer.AuthorizationData) == 0 {
		return RegistryLogin{}, errors.New("ECR: login: the answer has no token")
	}
	token, err := base64.StdEncoding.DecodeString(aws.ToString(answer.AuthorizationData[0].AuthorizationToken))
	user, password, ok := strings.Cut(string(token), ":")
	if err != nil || !ok {
		return RegistryLogin{}, errors.New("ECR: login: the token is not a user and a password in base64") // without the token, a secret
	}
	return RegistryLogin{User: user, Password: password}, nil
}

// ecrHost is the host of a private registry (ECR user guide, "Making requests to Amazon ECR registries").
var ecrHost = regexp.MustCompile(`^[0-9]{12}\.dkr(?:\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?|-ecr(?:-fips)?\.([a-z0-9-]+)\.on\.aws)$`)

// ECRRegion returns the region of a registry by its host name, and whether the host is a private registry of ECR.
func ECRRegion(host string) (region string, ok bool) {
	if match := ecrHost.FindStringSubmatch(host); match != nil {
		return match[1] + match[2], true
	}
	return "", false
}
