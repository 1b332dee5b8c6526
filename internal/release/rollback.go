package release

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/app/contract"
	"cinema-database/internal/cli"
	"cinema-database/internal/rollout"
)

// object is the API's binary of one release in the artifacts bucket.
type object struct {
	digest   string
	size     int64
	uploaded time.Time
	// versions of the launch template that start the release, oldest first.
	versions []int64
}

// short is the value of the launch templates' Release tag.
func (o object) short() string { return o.digest[:shortLen] }

// shortLen is the length of a short digest, in hex digits.
const shortLen = 12

// releaseKey matches the key of an API binary.
var releaseKey = regexp.MustCompile("^" + contract.ExecutableKey(contract.Cinema, "([0-9a-f]{64})") + "$")

// rollback takes back the rollout that is in progress. If there is none, it rolls out the release that to names, or
// lists the releases and the ways back.
func (s *session) rollback(ctx context.Context, to string) error {
	refresh, err := s.LatestRefresh(ctx, s.outputs.Group)
	if err != nil {
		return err
	}
	if refresh != nil && !rollout.Ended(refresh) {
		if to != "" {
			return fmt.Errorf("flag --to %s: a rollout is in progress (%s): take it back first, without --to", to, rollout.Describe(refresh))
		}
		return s.TakeBack(ctx, s.outputs.Group, refresh)
	}
	group, err := s.FindGroup(ctx, s.outputs.Group)
	if err != nil {
		return err
	}
	if group.LaunchTemplate == nil {
		return fmt.Errorf("group %s has no launch template", s.outputs.Group)
	}
	template := aws.ToString(group.LaunchTemplate.LaunchTemplateId)
	objects, err := s.objects(ctx)
	if err != nil {
		return err
	}
	versions, err := s.versions(ctx, template)
	if err != nil {
		return err
	}
	for i, o := range objects {
		objects[i].versions = versions[o.short()]
	}
	if to == "" {
		s.list(group, objects)
		return nil
	}
	for _, o := range objects {
		if len(to) >= shortLen && strings.HasPrefix(o.digest, to) && len(o.versions) > 0 {
			return s.Run(ctx, rollout.Target{Group: s.outputs.Group, Template: template, Version: fmt.Sprint(o.versions[len(o.versions)-1]), Release: o.short()}, nil)
		}
	}
	return fmt.Errorf("flag --to %s: not a release with a template version; `%s release rollback --stack %s` lists them", to, cli.GoRun(), s.stack)
}

// list prints the releases in the bucket and the ways back to the latest earlier one.
func (s *session) list(group types.AutoScalingGroup, objects []object) {
	now := s.outputs.Releases["cinema"]
	fmt.Fprintf(s.out, "stack %s: release %.12s, group %s on template %s version %s\n\n", s.stack, now, s.outputs.Group,
		aws.ToString(group.LaunchTemplate.LaunchTemplateId), rollout.TemplateVersion(group))
	running := map[string]int{}
	for _, i := range group.Instances {
		running[rollout.InstanceVersion(i)]++
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  RELEASE\tUPLOADED\tMIB\tTEMPLATE VERSIONS\tINSTANCES\t")
	var earlier []object
	for _, o := range objects {
		count := 0
		var named []string
		for _, v := range o.versions {
			named = append(named, fmt.Sprint(v))
			count += running[fmt.Sprint(v)]
		}
		mark := ""
		if o.digest == now {
			mark = "the stack's release"
		} else if len(o.versions) > 0 {
			earlier = append(earlier, o)
		}
		fmt.Fprintf(w, "  %s\t%s\t%.1f\t%s\t%d\t%s\n", o.short(), o.uploaded.UTC().Format("2006-01-02 15:04"), float64(o.size)/(1<<20),
			cmp.Or(strings.Join(named, ", "), "none"), count, mark)
	}
	w.Flush()
	fmt.Fprintln(s.out, "\nNo rollout is in progress. AWS cannot take back one that has ended.")
	if len(earlier) == 0 {
		fmt.Fprintln(s.out, "The bucket has no earlier release that a template version starts: release a corrected version instead.")
		return
	}
	fmt.Fprintf(s.out, `
To roll back to %[1]s for good:

  1. git revert the commits after the one that built it
  2. make app
     the digest of cinema must be %[1]s: builds are reproducible
  3. pulumi up --stack %[2]s

To roll back at once, without the source (until the next pulumi up with another release):

  %[3]s release rollback --stack %[2]s --to %[1]s

A rollback does not change the data that a release has written to the database and the buckets.
`, earlier[0].short(), s.stack, cli.GoRun())
}

// objects lists the API's releases in the bucket, the latest first.
func (s *session) objects(ctx context.Context) ([]object, error) {
	var all []object
	pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: aws.String(s.outputs.Bucket), Prefix: aws.String(contract.ReleasesPrefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("releases in %s: %w", s.outputs.Bucket, err)
		}
		for _, o := range page.Contents {
			if m := releaseKey.FindStringSubmatch(aws.ToString(o.Key)); m != nil {
				all = append(all, object{digest: m[1], size: aws.ToInt64(o.Size), uploaded: aws.ToTime(o.LastModified)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b object) int {
		return cmp.Or(b.uploaded.Compare(a.uploaded), strings.Compare(a.digest, b.digest))
	})
	return all, nil
}

// versions returns the version numbers of a launch template by their Release tag, oldest first.
func (s *session) versions(ctx context.Context, template string) (map[string][]int64, error) {
	all := map[string][]int64{}
	pages := ec2.NewDescribeLaunchTemplateVersionsPaginator(s.ec2, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String(template)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("versions of %s: %w", template, err)
		}
		for _, v := range page.LaunchTemplateVersions {
			if release := releaseTag(v.LaunchTemplateData); release != "" {
				all[release] = append(all[release], aws.ToInt64(v.VersionNumber))
			}
		}
	}
	for _, v := range all {
		slices.Sort(v)
	}
	return all, nil
}

// releaseTag returns the Release tag that a template gives its instances, "" where it has none.
func releaseTag(data *ec2types.ResponseLaunchTemplateData) string {
	if data == nil {
		return ""
	}
	for _, specification := range data.TagSpecifications {
		for _, tag := range specification.Tags {
			if specification.ResourceType == ec2types.ResourceTypeInstance && aws.ToString(tag.Key) == "Release" {
				return aws.ToString(tag.Value)
			}
		}
	}
	return ""
}
