package storage

import (
	"encoding/base64"
	"slices"
	"unicode/utf8"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/client"
	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
)

// SiteArgs are the bucket of the site and the API that it calls.
type SiteArgs struct {
	environment.Environment
	Bucket, BucketARN pulumi.StringInput
	// DistributionARN is the only reader of the bucket besides the account. Where there is none, nil.
	DistributionARN pulumi.StringInput
	// APIURL is the URL of the API as the client calls it, with its base path: a path, or an absolute URL.
	APIURL pulumi.StringInput
}

// Site is the published client.
type Site struct {
	pulumi.ResourceState

	// Keys of the published objects.
	Keys pulumi.StringArray
}

// NewSite publishes the client's files, and its configuration with the URL of the API. index.html comes last: it names the
// others.
func NewSite(ctx *pulumi.Context, name string, args *SiteArgs, opts ...pulumi.ResourceOption) (*Site, error) {
	site := &Site{}
	err := component.New(ctx, args.Environment, "cinema:storage:Site", name, site, func(s *component.Scope) error {
		if err := createSitePolicy(s, args); err != nil {
			return err
		}
		isIndex := func(f client.File) bool { return f.Path == client.IndexPath }
		pages := client.Pages()
		var others []pulumi.Resource
		for _, page := range append(slices.DeleteFunc(slices.Clone(pages), isIndex), pages[slices.IndexFunc(pages, isIndex)]) {
			object := &s3.BucketObjectv2Args{
				Bucket:       args.Bucket,
				Key:          pulumi.String(page.Key),
				ContentType:  pulumi.String(page.ContentType),
				CacheControl: pulumi.String(page.CacheControl),
				Tags:         s.ObjectTags(s.Name(page.Path)),

				OverrideProvider: WithoutDefaultTags(),
			}
			switch {
			case page.Path == client.ConfigPath:
				object.Content = args.APIURL.ToStringOutput().ApplyT(client.Config).(pulumi.StringOutput)
			case utf8.ValidString(page.Content): // a preview shows the difference
				object.Content = pulumi.String(page.Content)
			default:
				object.ContentBase64 = pulumi.String(base64.StdEncoding.EncodeToString([]byte(page.Content)))
			}
			var after []pulumi.Resource
			if isIndex(page) {
				after = others
			}
			published, err := s3.NewBucketObjectv2(s.Ctx, s.Name(page.Path), object, s.Child(pulumi.DependsOn(after)))
			if err != nil {
				return err
			}
			others = append(others, published)
			site.Keys = append(site.Keys, published.Key)
		}
		return nil
	}, opts...)
	return site, err
}

// createSitePolicy registers the policy of the site bucket.
func createSitePolicy(s *component.Scope, args *SiteArgs) error {
	statements := []iam.Statement{iam.DenyPlainHTTP(args.BucketARN)}
	if args.DistributionARN != nil {
		statements = append(statements, iam.DistributionRead(args.BucketARN, args.DistributionARN))
	}
	_, err := s3.NewBucketPolicy(s.Ctx, s.Name("policy"), &s3.BucketPolicyArgs{
		Bucket: args.Bucket,
		Policy: iam.Document(statements...),
		// A bucket has one policy: the same resource as before.
	}, s.Child(s.Moved(component.ID{Type: "cinema:storage:Storage", Name: "storage"}, "aws:s3/bucketPolicy:BucketPolicy", "storage-site")))
	return err
}
