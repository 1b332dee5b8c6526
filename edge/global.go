package edge

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// GlobalRegion has what CloudFront uses and publishes: certificates, firewalls, the sources of access logs, and metrics
// (CloudFront developer guide, "Requirements for using SSL/TLS certificates with CloudFront"; AWS WAF developer guide,
// "Resources that you can protect").
const GlobalRegion = "us-east-1"

// Global is the AWS provider of GlobalRegion, for a stack in another region.
type Global struct {
	pulumi.ResourceState

	// Provider is nil where the default provider is in GlobalRegion.
	Provider pulumi.ProviderResource
}

// NewGlobal registers a provider for GlobalRegion, unless the stack is there. settings are those of the default provider
// by name, without the region.
func NewGlobal(ctx *pulumi.Context, name string, env environment.Environment, settings map[string]string, opts ...pulumi.ResourceOption) (*Global, error) {
	g := &Global{}
	if env.Region == GlobalRegion {
		return g, nil
	}
	err := component.New(ctx, env, "cinema:edge:Global", name, g, func(s *component.Scope) error {
		provider, err := s.NewProvider("provider", GlobalRegion, settings)
		g.Provider = provider
		return err
	}, opts...)
	return g, err
}
