package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
)

// Ids of policies that AWS manages, the same in every account (CloudFront developer guide, "Use managed cache policies" and
// "Use managed origin request policies").
const (
	// cachingOptimized keeps an object as long as its Cache-Control says, and at least one second. The key is the path alone.
	cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
	// useOriginCacheControl keeps only what the API's Cache-Control allows: UseOriginCacheControlHeaders-QueryStrings.
	useOriginCacheControl = "4cc15a8a-d715-48a4-82b8-cc0b614638fe"
	// allViewer sends the API every header, cookie and query string of the request: also Host and Authorization.
	allViewer = "216adef6-5c7f-47e4-b989-5492eafa07d3"
)

// tlsPolicy allows TLS 1.2 with forward secrecy, and TLS 1.3 (CloudFront developer guide, "Supported protocols and ciphers
// between viewers and CloudFront").
const tlsPolicy = "TLSv1.2_2021"

const (
	// originTimeout is how long the API may take to answer, in seconds: its own longest limit, and the most that CloudFront
	// allows without a raised quota.
	originTimeout = 60
	// originKeepAlive is how long an idle connection to the load balancer is kept, in seconds: less than the load balancer's
	// 60, so that CloudFront sends no request on a connection that is being closed.
	originKeepAlive = 50
)

// errorCodes are those that CloudFront would cache for ten seconds, whatever the API's Cache-Control says (CloudFront
// developer guide, "Control how long CloudFront caches errors"). The answer to one user would reach others.
var errorCodes = []int{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}

// commentLimit is the longest comment of a distribution in characters (CloudFront API reference, DistributionConfig).
const commentLimit = 128

// Names of the origins.
const (
	siteOrigin = "site"
	apiOrigin  = "api"
)

// createDistribution registers the distribution with everything that it refers to.
func (b *builder) createDistribution() error {
	if !b.args.On() {
		return nil
	}
	access, err := cloudfront.NewOriginAccessControl(b.Ctx, b.Name("site"), &cloudfront.OriginAccessControlArgs{
		OriginAccessControlOriginType: pulumi.String("s3"),
		SigningBehavior:               pulumi.String("always"),
		SigningProtocol:               pulumi.String("sigv4"),
		Description:                   pulumi.String("The distribution's access to the client"),
	}, b.Child())
	if err != nil {
		return err
	}
	if b.origin, err = b.createVPCOrigin(); err != nil {
		return err
	}
	if b.headers, err = b.createHeadersPolicy(); err != nil {
		return err
	}
	var aliases []string
	if b.args.Domain != nil {
		aliases = b.args.Names()
	}
	args := b.distributionArgs(b.Name("distribution"), aliases)
	args.DefaultRootObject = pulumi.String("index.html")
	args.Origins = cloudfront.DistributionOriginArray{
		cloudfront.DistributionOriginArgs{
			OriginId: pulumi.String(siteOrigin), DomainName: b.args.SiteBucketDomain,
			OriginAccessControlId: access.ID(),
		},
		b.apiOrigin(),
	}
	args.DefaultCacheBehavior = cloudfront.DistributionDefaultCacheBehaviorArgs{
		TargetOriginId:          pulumi.String(siteOrigin),
		ViewerProtocolPolicy:    pulumi.String("redirect-to-https"),
		AllowedMethods:          pulumi.ToStringArray([]string{"GET", "HEAD"}),
		CachedMethods:           pulumi.ToStringArray([]string{"GET", "HEAD"}),
		Compress:                pulumi.Bool(true),
		CachePolicyId:           pulumi.String(cachingOptimized),
		ResponseHeadersPolicyId: b.headers.ID(),
	}
	behaviors := cloudfront.DistributionOrderedCacheBehaviorArray{b.apiBehavior(contract.BasePath + "/*")}
	for _, pattern := range servicePatterns(b.args.Services) {
		behaviors = append(behaviors, b.apiBehavior(pattern))
	}
	args.OrderedCacheBehaviors = behaviors
	b.distribution, err = cloudfront.NewDistribution(b.Ctx, b.Name("distribution"), args, b.Child())
	return err
}

// distributionArgs returns what every distribution of the stack has. Its certificate is CloudFront's own without aliases.
func (b *builder) distributionArgs(name string, aliases []string) *cloudfront.DistributionArgs {
	certificate := cloudfront.DistributionViewerCertificateArgs{CloudfrontDefaultCertificate: pulumi.Bool(true)}
	if len(aliases) > 0 {
		certificate = cloudfront.DistributionViewerCertificateArgs{
			AcmCertificateArn:      b.args.Domain.EdgeCertificateARN,
			SslSupportMethod:       pulumi.String("sni-only"),
			MinimumProtocolVersion: pulumi.String(tlsPolicy),
		}
	}
	var errors cloudfront.DistributionCustomErrorResponseArray
	for _, code := range errorCodes {
		errors = append(errors, cloudfront.DistributionCustomErrorResponseArgs{ErrorCode: pulumi.Int(code), ErrorCachingMinTtl: pulumi.Int(0)})
	}
	args := &cloudfront.DistributionArgs{
		Enabled:              pulumi.Bool(true),
		Comment:              pulumi.String(b.Env.PhysicalName(name, commentLimit)), // what the console lists
		HttpVersion:          pulumi.String("http2and3"),
		IsIpv6Enabled:        pulumi.Bool(true),
		ViewerCertificate:    certificate,
		CustomErrorResponses: errors,
		Restrictions: cloudfront.DistributionRestrictionsArgs{
			GeoRestriction: cloudfront.DistributionRestrictionsGeoRestrictionArgs{RestrictionType: pulumi.String("none")},
		},
		Tags: b.Tags(name),
	}
	if len(aliases) > 0 {
		args.Aliases = pulumi.ToStringArray(aliases)
	}
	if b.firewall != nil {
		args.WebAclId = b.firewall.Arn
	}
	return args
}

// apiOrigin is the load balancer as the origin of a distribution.
func (b *builder) apiOrigin() cloudfront.DistributionOriginArgs {
	return cloudfront.DistributionOriginArgs{
		OriginId: pulumi.String(apiOrigin), DomainName: b.args.LoadBalancer.DNSName,
		VpcOriginConfig: cloudfront.DistributionOriginVpcOriginConfigArgs{
			VpcOriginId:       b.origin.ID(),
			OriginReadTimeout: pulumi.Int(originTimeout), OriginKeepaliveTimeout: pulumi.Int(originKeepAlive),
		},
	}
}

// allMethods are those that a distribution can pass on.
var allMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// apiBehavior sends the paths of a pattern to the load balancer.
func (b *builder) apiBehavior(pattern string) cloudfront.DistributionOrderedCacheBehaviorArgs {
	return cloudfront.DistributionOrderedCacheBehaviorArgs{
		PathPattern:             pulumi.String(pattern),
		TargetOriginId:          pulumi.String(apiOrigin),
		ViewerProtocolPolicy:    pulumi.String("redirect-to-https"),
		AllowedMethods:          pulumi.ToStringArray(allMethods),
		CachedMethods:           pulumi.ToStringArray([]string{"GET", "HEAD"}),
		Compress:                pulumi.Bool(true),
		CachePolicyId:           pulumi.String(useOriginCacheControl),
		OriginRequestPolicyId:   pulumi.String(allViewer),
		ResponseHeadersPolicyId: b.headers.ID(),
	}
}

// createVPCOrigin registers the way from CloudFront to the internal load balancer. CloudFront refuses every change of a VPC
// origin that a distribution uses, tags included (hashicorp/terraform-provider-aws#40905): a change makes another
// one, and tags stay as they were created. So a protocol has a VPC origin of its own.
func (b *builder) createVPCOrigin() (*cloudfront.VpcOrigin, error) {
	protocol := "http"
	if b.args.Domain != nil {
		protocol = "https"
	}
	name := b.Name("api", protocol)
	return cloudfront.NewVpcOrigin(b.Ctx, name, &cloudfront.VpcOriginArgs{
		VpcOriginEndpointConfig: cloudfront.VpcOriginVpcOriginEndpointConfigArgs{
			Name:                 pulumi.String(b.Env.PhysicalName(name, vpcOriginNameLimit)),
			Arn:                  b.args.LoadBalancer.ARN,
			HttpPort:             pulumi.Int(80),
			HttpsPort:            pulumi.Int(443),
			OriginProtocolPolicy: pulumi.String(protocol + "-only"),
			OriginSslProtocols: cloudfront.VpcOriginVpcOriginEndpointConfigOriginSslProtocolsArgs{
				Items: pulumi.ToStringArray([]string{"TLSv1.2"}), Quantity: pulumi.Int(1),
			},
		},
		Tags: b.Tags(name),
	}, b.Child(pulumi.ReplaceOnChanges([]string{"vpcOriginEndpointConfig"}), pulumi.IgnoreChanges([]string{"tags", "tagsAll"})))
}

// vpcOriginNameLimit is the longest name of a VPC origin in characters (CloudFront API reference, VpcOriginEndpointConfig).
const vpcOriginNameLimit = 64

// createHeadersPolicy registers the headers that protect the page in the browser. An answer of the API keeps its own. Other
// headers make another policy: a policy has no tags, so a permission to change one is a permission to change all of the account.
func (b *builder) createHeadersPolicy() (*cloudfront.ResponseHeadersPolicy, error) {
	name := b.Name("headers")
	headers := fmt.Sprint(contract.ContentSecurityPolicy, contract.ReferrerPolicy, contract.TransportSecurityMaxAge)
	return cloudfront.NewResponseHeadersPolicy(b.Ctx, name, &cloudfront.ResponseHeadersPolicyArgs{
		Name:    pulumi.String(component.PhysicalName(b.Env, "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", name, headers)),
		Comment: pulumi.String("Security headers of the client"),
		SecurityHeadersConfig: cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
			ContentSecurityPolicy: cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs{
				ContentSecurityPolicy: pulumi.String(contract.ContentSecurityPolicy), Override: pulumi.Bool(false),
			},
			ContentTypeOptions: cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs{Override: pulumi.Bool(false)},
			FrameOptions: cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs{
				FrameOption: pulumi.String("DENY"), Override: pulumi.Bool(false),
			},
			ReferrerPolicy: cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs{
				ReferrerPolicy: pulumi.String(contract.ReferrerPolicy), Override: pulumi.Bool(false),
			},
			StrictTransportSecurity: cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs{
				AccessControlMaxAgeSec: pulumi.Int(contract.TransportSecurityMaxAge), IncludeSubdomains: pulumi.Bool(true), Override: pulumi.Bool(false),
			},
		},
	}, b.Child(pulumi.ReplaceOnChanges([]string{"name", "securityHeadersConfig"})))
}
