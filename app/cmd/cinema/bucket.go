package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cinema-database/app/contract"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/settings"
	"cinema-database/internal/format"
)

func bucketCommands() []command {
	about := "LOCATION is s3://BUCKET/KEY, or images/KEY for the images bucket. The stack makes and removes the buckets; these commands\n" +
		"only change their objects. On an API host they may do what the API may: the images under " + contract.OriginalsPrefix + " and " +
		contract.ThumbnailsPrefix + ".\n"
	const recursive = "all objects below LOCATION, a folder"
	return []command{
		{name: "bucket ls", summary: "list the objects whose keys start with LOCATION's", args: "LOCATION", min: 1, max: 1,
			about: about, define: plain(listObjects)},
		{name: "bucket get", summary: "download an object, or a folder", args: "LOCATION [TARGET]", min: 1, max: 2,
			about: about + "TARGET is a file or a folder; the current folder if it is missing. A file appears under its name when it is complete.\n",
			define: func(fs *flag.FlagSet) func(context.Context, *process, []string) error {
				all := fs.Bool("recursive", false, recursive)
				return func(ctx context.Context, p *process, args []string) error { return getObjects(ctx, p, args, *all) }
			}},
		{name: "bucket put", summary: "upload a file, or a folder", args: "SOURCE LOCATION", min: 2, max: 2,
			about: about + "Objects that exist are replaced. A KEY that is empty or ends with / gets the file's name. Symbolic links are left out.\n",
			define: func(fs *flag.FlagSet) func(context.Context, *process, []string) error {
				all := fs.Bool("recursive", false, "all files in SOURCE, a folder")
				return func(ctx context.Context, p *process, args []string) error { return putObjects(ctx, p, args, *all) }
			}},
		{name: "bucket rm", summary: "delete an object, or a folder", args: "LOCATION", min: 1, max: 1,
			about: about + "The bucket keeps old versions for the time that its lifecycle says. To remove images of members, use `cinema image remove`.\n",
			define: func(fs *flag.FlagSet) func(context.Context, *process, []string) error {
				all := fs.Bool("recursive", false, recursive)
				yes := fs.Bool("yes", false, "do not ask; needed where there is no terminal")
				return func(ctx context.Context, p *process, args []string) error {
					return removeObjects(ctx, p, args[0], *all, *yes)
				}
			}},
	}
}

// location is a key, or the beginning of keys, in a bucket.
type location struct{ bucket, key string }

func (l location) String() string { return printable("s3://" + l.bucket + "/" + l.key) }

// folder returns the location whose keys are those below l.
func (l location) folder() location {
	if l.key != "" && !strings.HasSuffix(l.key, "/") {
		l.key += "/"
	}
	return l
}

// imagesAlias is the bucket's name in a location for the images bucket.
const imagesAlias = "images"

// parseLocation parses a location. images is the name of the images bucket; empty if it is unknown.
func parseLocation(text, images string) (location, error) {
	rest, full := strings.CutPrefix(text, "s3://")
	bucket, key, _ := strings.Cut(rest, "/")
	switch {
	case full && !format.Bucket(bucket):
		return location{}, usageError(fmt.Sprintf("location %q: %q is not a bucket name; use s3://BUCKET/KEY", text, bucket))
	case !full && bucket != imagesAlias:
		return location{}, usageError(fmt.Sprintf("location %q: not a location; use s3://BUCKET/KEY or images/KEY", text))
	case !full && images == "":
		return location{}, usageError(fmt.Sprintf("location %q: %s is not set; set it, or use s3://BUCKET/KEY", text, contract.EnvImagesBucket))
	case !full:
		bucket = images
	}
	if len(key) > format.ObjectKeyMax {
		return location{}, usageError(fmt.Sprintf("location %q: the key has more than %d bytes", text, format.ObjectKeyMax))
	}
	return location{bucket, key}, nil
}

// openLocation returns a client and the location of an argument.
func openLocation(ctx context.Context, p *process, text string) (*s3.Client, location, error) {
	s, err := settings.LoadBuckets(p.getenv)
	if err != nil {
		return nil, location{}, err
	}
	l, err := parseLocation(text, s.Bucket)
	if err != nil {
		return nil, location{}, err
	}
	client, err := images.NewClient(ctx, s.Region, s.PathStyle, p.log())
	return client, l, err
}

// stored is an object of a bucket.
type stored struct {
	key   string
	bytes int64
	time  time.Time
}

// each calls f with all objects whose keys start with l's, sorted by key.
func each(ctx context.Context, client *s3.Client, l location, f func(stored) error) error {
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &l.bucket, Prefix: &l.key})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return bucketError(err, l)
		}
		for _, o := range page.Contents {
			if err := f(stored{aws.ToString(o.Key), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// below returns all objects of a folder. It is an error if there is none.
func below(ctx context.Context, client *s3.Client, folder location) (objects []stored, bytes int64, err error) {
	err = each(ctx, client, folder, func(o stored) error {
		objects, bytes = append(objects, o), bytes+o.bytes
		return nil
	})
	if err == nil && len(objects) == 0 {
		err = fmt.Errorf("%s: there are no objects", folder)
	}
	return objects, bytes, err
}

// bucketError explains an error of S3.
func bucketError(err error, l location) error {
	var (
		noBucket *types.NoSuchBucket
		response *awshttp.ResponseError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &noBucket), strings.Contains(err.Error(), "NoSuchBucket"):
		return fmt.Errorf("bucket %s: does not exist, or is in another region; `pulumi stack output` names the buckets of a stack", l.bucket)
	case errors.As(err, &response) && response.HTTPStatusCode() == http.StatusNotFound:
		return fmt.Errorf("%s: not found", l)
	case errors.As(err, &response) && response.HTTPStatusCode() == http.StatusForbidden:
		return fmt.Errorf("%s: these AWS credentials may not do that: %w", l, err)
	}
	return fmt.Errorf("%s: %w", l, err)
}

// head returns the object at a location.
func head(ctx context.Context, client *s3.Client, l location) (stored, error) {
	if l.key == "" {
		return stored{}, usageError(fmt.Sprintf("%s: has no key; for all objects below it, use -recursive", l))
	}
	o, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &l.bucket, Key: &l.key})
	if err != nil {
		return stored{}, bucketError(err, l)
	}
	return stored{l.key, aws.ToInt64(o.ContentLength), aws.ToTime(o.LastModified)}, nil
}

func listObjects(ctx context.Context, p *process, args []string) error {
	client, l, err := openLocation(ctx, p, args[0])
	if err != nil {
		return err
	}
	n, bytes := 0, int64(0)
	out := bufio.NewWriter(p.out)
	err = each(ctx, client, l, func(o stored) error {
		n, bytes = n+1, bytes+o.bytes
		_, err := fmt.Fprintf(out, "%s  %12d  %s\n", o.time.UTC().Format(time.RFC3339), o.bytes, printable(o.key))
		return err
	})
	if err := errors.Join(err, out.Flush()); err != nil {
		return err
	}
	fmt.Fprintf(p.errout, "%s, %s\n", count(n, "object"), size(bytes))
	return nil
}

// maxDeleted is the maximum number of keys in one request (S3 API reference, DeleteObjects).
const maxDeleted = 1000

func removeObjects(ctx context.Context, p *process, text string, all, yes bool) error {
	client, l, err := openLocation(ctx, p, text)
	if err != nil {
		return err
	}
	if !yes && !p.asks {
		return usageError("there is no terminal to ask on; use -yes")
	}
	var objects []stored
	what := l.String()
	if all {
		l = l.folder()
		var bytes int64
		objects, bytes, err = below(ctx, client, l)
		what = fmt.Sprintf("%s (%s) below %s", count(len(objects), "object"), size(bytes), l)
	} else {
		var o stored
		o, err = head(ctx, client, l)
		objects = []stored{o}
	}
	if err != nil {
		return err
	}
	if !yes {
		fmt.Fprintf(p.errout, "Delete %s? [y/N] ", what)
		answer, err := bufio.NewReader(p.in).ReadString('\n')
		if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "y" && answer != "yes" {
			return errors.New("nothing is deleted")
		}
	}
	deleted := 0
	for batch := range slices.Chunk(objects, maxDeleted) {
		var keys []types.ObjectIdentifier
		for _, o := range batch {
			keys = append(keys, types.ObjectIdentifier{Key: &o.key})
		}
		answer, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &l.bucket, Delete: &types.Delete{Objects: keys, Quiet: aws.Bool(true)}})
		var problems []error
		if err != nil {
			problems = []error{bucketError(err, l)}
		} else {
			for _, e := range answer.Errors {
				problems = append(problems, fmt.Errorf("%s: %s: %s", location{l.bucket, aws.ToString(e.Key)}, aws.ToString(e.Code), aws.ToString(e.Message)))
			}
			deleted += len(batch) - len(answer.Errors)
		}
		if len(problems) > 0 {
			return errors.Join(append(problems, fmt.Errorf("%d of %s deleted", deleted, count(len(objects), "object")))...)
		}
	}
	fmt.Fprintf(p.out, "deleted %s\n", count(deleted, "object"))
	return nil
}

// base returns the file name of a key; empty if the key ends with a slash.
func base(key string) string {
	_, name := path.Split(key)
	return name
}
