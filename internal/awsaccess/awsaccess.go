// Package awsaccess opens the account that the stack's AWS provider is configured for, with the library that the provider
// itself uses: profiles, assumed roles, endpoints and the environment have the same effect in both.
package awsaccess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
)

// Settings are the settings of the AWS provider by name, without the prefix "aws:", as stack config holds them: lists and
// objects in JSON. Settings that concern only resources, such as defaultTags, have no effect.
type Settings map[string]string

// Account makes clients for an account.
type Account struct {
	config    aws.Config
	endpoints map[string]string
	pathStyle bool
}

// maxRetries is enough for the throttling of a busy account. The provider's default is 25.
const maxRetries = 10

// Open finds the credentials. region is used where settings have none.
func Open(ctx context.Context, settings Settings, region string) (*Account, error) {
	a := &Account{endpoints: map[string]string{}}
	c := &awsbase.Config{Region: region, MaxRetries: maxRetries, SuppressDebugLog: true,
		SkipCredsValidation: true, // the first call validates them
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if err := a.apply(c, name, settings[name]); err != nil {
			problems = append(problems, fmt.Errorf("aws:%s: %w", name, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	c.StsEndpoint, c.IamEndpoint, c.SsoEndpoint = a.endpoints["sts"], a.endpoints["iam"], a.endpoints["sso"]
	_, config, diagnostics := awsbase.GetAwsConfig(ctx, c)
	for _, d := range diagnostics.Errors() {
		problems = append(problems, fmt.Errorf("AWS: %s: %s", d.Summary(), d.Detail()))
	}
	a.config = config
	return a, errors.Join(problems...)
}

// apply applies one setting.
func (a *Account) apply(c *awsbase.Config, name, value string) (err error) {
	texts := map[string]*string{
		"accessKey": &c.AccessKey, "secretKey": &c.SecretKey, "token": &c.Token, "profile": &c.Profile, "region": &c.Region,
		"customCaBundle": &c.CustomCABundle, "ec2MetadataServiceEndpoint": &c.EC2MetadataServiceEndpoint,
		"ec2MetadataServiceEndpointMode": &c.EC2MetadataServiceEndpointMode, "noProxy": &c.NoProxy, "stsRegion": &c.StsRegion,
	}
	switches := map[string]*bool{
		"insecure": &c.Insecure, "useDualstackEndpoint": &c.UseDualStackEndpoint, "useFipsEndpoint": &c.UseFIPSEndpoint, "s3UsePathStyle": &a.pathStyle,
	}
	switch {
	case texts[name] != nil:
		*texts[name] = value
		return nil
	case switches[name] != nil:
		*switches[name], err = strconv.ParseBool(value)
		return err
	}
	switch name {
	case "httpProxy":
		c.HTTPProxy = aws.String(value)
	case "httpsProxy":
		c.HTTPSProxy = aws.String(value)
	case "retryMode":
		c.RetryMode, err = aws.ParseRetryMode(value)
	case "maxRetries":
		c.MaxRetries, err = strconv.Atoi(value)
	case "skipMetadataApiCheck":
		if value == "true" {
			c.EC2MetadataServiceEnableState = imds.ClientDisabled
		}
	case "sharedConfigFiles":
		err = json.Unmarshal([]byte(value), &c.SharedConfigFiles)
	case "sharedCredentialsFiles":
		err = json.Unmarshal([]byte(value), &c.SharedCredentialsFiles)
	case "endpoints":
		var all []map[string]string
		err = json.Unmarshal([]byte(value), &all)
		for _, m := range all {
			maps.Copy(a.endpoints, m)
		}
	case "assumeRole":
		var r role
		if err = r.read(value); err == nil {
			c.AssumeRole = []awsbase.AssumeRole{{
				RoleARN: r.RoleARN, Duration: r.duration, ExternalID: r.ExternalID, Policy: r.Policy, PolicyARNs: r.PolicyARNs,
				SessionName: r.SessionName, SourceIdentity: r.SourceIdentity, Tags: r.Tags, TransitiveTagKeys: r.TransitiveTagKeys,
			}}
		}
	case "assumeRoleWithWebIdentity":
		var r role
		if err = r.read(value); err == nil {
			c.AssumeRoleWithWebIdentity = &awsbase.AssumeRoleWithWebIdentity{
				RoleARN: r.RoleARN, Duration: r.duration, Policy: r.Policy, PolicyARNs: r.PolicyARNs, SessionName: r.SessionName,
				WebIdentityToken: r.WebIdentityToken, WebIdentityTokenFile: r.WebIdentityTokenFile,
			}
		}
	}
	return err
}

// role is a role to assume, in the form of the provider's settings.
type role struct {
	RoleARN              string            `json:"roleArn"`
	Duration             string            `json:"duration"`
	ExternalID           string            `json:"externalId"`
	Policy               string            `json:"policy"`
	PolicyARNs           []string          `json:"policyArns"`
	SessionName          string            `json:"sessionName"`
	SourceIdentity       string            `json:"sourceIdentity"`
	Tags                 map[string]string `json:"tags"`
	TransitiveTagKeys    []string          `json:"transitiveTagKeys"`
	WebIdentityToken     string            `json:"webIdentityToken"`
	WebIdentityTokenFile string            `json:"webIdentityTokenFile"`

	duration time.Duration
}

func (r *role) read(value string) (err error) {
	if err = json.Unmarshal([]byte(value), r); err == nil && r.Duration != "" {
		r.duration, err = time.ParseDuration(r.Duration)
	}
	return err
}

// endpoint returns the endpoint that settings name for a service, nil for AWS's own.
func (a *Account) endpoint(service string) *string {
	if url := a.endpoints[service]; url != "" {
		return &url
	}
	return a.config.BaseEndpoint
}

// AutoScaling returns a client for EC2 Auto Scaling.
func (a *Account) AutoScaling() *autoscaling.Client {
	return autoscaling.NewFromConfig(a.config, func(o *autoscaling.Options) { o.BaseEndpoint = a.endpoint("autoscaling") })
}

// EC2 returns a client for EC2.
func (a *Account) EC2() *ec2.Client {
	return ec2.NewFromConfig(a.config, func(o *ec2.Options) { o.BaseEndpoint = a.endpoint("ec2") })
}

// ECS returns a client for Elastic Container Service.
func (a *Account) ECS() *ecs.Client {
	return ecs.NewFromConfig(a.config, func(o *ecs.Options) { o.BaseEndpoint = a.endpoint("ecs") })
}

// Caller returns the ARN of the identity that the credentials are of.
func (a *Account) Caller(ctx context.Context) (string, error) {
	client := sts.NewFromConfig(a.config, func(o *sts.Options) { o.BaseEndpoint = a.endpoint("sts") })
	identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("AWS: caller identity: %w", err)
	}
	return aws.ToString(identity.Arn), nil
}

// Environment returns this process's environment with the account's credentials, for the AWS CLI.
func (a *Account) Environment(ctx context.Context) ([]string, error) {
	credentials, err := a.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS: credentials: %w", err)
	}
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"}, name)
	})
	env = append(env, "AWS_ACCESS_KEY_ID="+credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+credentials.SecretAccessKey)
	if credentials.SessionToken != "" {
		env = append(env, "AWS_SESSION_TOKEN="+credentials.SessionToken)
	}
	return env, nil
}

// SSM returns a client for Systems Manager.
func (a *Account) SSM() *ssm.Client {
	return ssm.NewFromConfig(a.config, func(o *ssm.Options) { o.BaseEndpoint = a.endpoint("ssm") })
}

// S3 returns a client for S3.
func (a *Account) S3() *s3.Client {
	return s3.NewFromConfig(a.config, func(o *s3.Options) {
		o.BaseEndpoint = a.endpoint("s3")
		o.DisableLogOutputChecksumValidationSkipped = true                               // older objects have none, which is not worth a line
		o.UsePathStyle = a.pathStyle || o.BaseEndpoint != nil && a.endpoints["s3"] == "" // an emulator for all services has one host name
	})
}
