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
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
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
func (o object) short() string { return o.digest[:12] }

// releaseKey is where the API's binaries are: contract.ExecutableKey.
var releaseKey = regexp.MustCompile(`^releases/([0-9a-f]{64})/cinema$`)

// rollback prints the releases in the bucket and the steps back to the latest earlier one. It changes nothing.
func (s *session) rollback(ctx context.Context) error {
	group, err := s.group(ctx)
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
	now := s.outputs.Releases["cinema"]
	fmt.Fprintf(s.out, "stack %s: release %.12s, group %s on template %s version %s\n\n", s.stack, now, s.outputs.Group, template, templateVersion(group))

	running := map[string]int{}
	for _, i := range group.Instances {
		running[instanceVersion(i)]++
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
	fmt.Fprintln(s.out)

	if refresh, err := s.latestRefresh(ctx); err != nil {
		return err
	} else if refresh != nil && !ended(refresh.Status) {
		fmt.Fprintf(s.out, "A rollout is in progress (%s). To roll it back immediately:\n\n  aws autoscaling rollback-instance-refresh --auto-scaling-group-name %s --region %s\n\n",
			describe(refresh), s.outputs.Group, s.outputs.Region)
	}
	if len(earlier) == 0 {
		fmt.Fprintln(s.out, "The bucket has no earlier release that a template version starts: release a corrected version instead.")
		return nil
	}
	s.steps(earlier[0], template)
	return nil
}

// steps prints the steps back to a release.
func (s *session) steps(to object, template string) {
	version := to.versions[len(to.versions)-1]
	fmt.Fprintf(s.out, `To roll back to %[1]s permanently:

  1. git checkout the commit that built it, or git revert the later commits
  2. make app
     the digest of cinema must be %[1]s: builds are reproducible
  3. pulumi preview --diff --stack %[2]s
     the launch template's Release tag becomes %[1]s
  4. pulumi up --stack %[2]s
     starts the rollout as an instance refresh; 100 %% of the instances stay healthy
  5. go run . release status --stack %[2]s

To roll back immediately, without the source (the next pulumi up undoes it):

  aws autoscaling start-instance-refresh --auto-scaling-group-name %[3]s --region %[4]s \
    --desired-configuration '{"LaunchTemplate":{"LaunchTemplateId":"%[5]s","Version":"%[6]d"}}' \
    --preferences '{"MinHealthyPercentage":100,"MaxHealthyPercentage":134}'

A rollback does not change the data that a release has written to the database and the buckets.
`, to.short(), s.stack, s.outputs.Group, s.outputs.Region, template, version)
}

// objects lists the API's releases in the bucket, the latest first.
func (s *session) objects(ctx context.Context) ([]object, error) {
	var all []object
	pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: aws.String(s.outputs.Bucket), Prefix: aws.String("releases/")})
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
