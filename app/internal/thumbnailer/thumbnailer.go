package thumbnailer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cinema-database/app/contract"
	"cinema-database/app/internal/thumbnail"
)

const (
	// DefaultLimit limits the time for one image, including S3. The slowest accepted image takes about 2 s of a full CPU,
	// of which Lambda assigns 0.58 to a function with 1024 MB.
	DefaultLimit = 20 * time.Second
	// cacheControl lets browsers cache a rendition for a year: an id is never reused for another image.
	cacheControl = "private, max-age=31536000, immutable"
)

// S3 is the part of *s3.Client that the thumbnailer uses.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// Thumbnailer makes the renditions of originals.
type Thumbnailer struct {
	S3  S3
	Log *slog.Logger
	// Limit limits the time for one image; zero for DefaultLimit.
	Limit time.Duration
}

// Original is an image as uploaded.
type Original struct {
	// Bucket and Key are of the image's object.
	Bucket, Key string
	// ID is the image's id, from which the keys of its renditions follow.
	ID string
}

// Handle makes the renditions of all images in the event of an S3 notification. A failure does not stop the others; the
// error reports all failures that a retry can help.
func (t *Thumbnailer) Handle(ctx context.Context, raw json.RawMessage) error {
	originals, skipped, err := parse(raw)
	for _, s := range skipped {
		t.Log.InfoContext(ctx, "ignored", "event", s.event, "key", s.key, "reason", s.reason)
	}
	if err != nil {
		// No retry helps, but an operator must know.
		t.Log.ErrorContext(ctx, "invalid event", "error", err)
		return err
	}
	var problems []error
	for _, o := range originals {
		problems = append(problems, t.Make(ctx, o))
	}
	return errors.Join(problems...)
}

// Make writes the renditions of one image, or the reason why it has none. It logs failures, and returns those that a
// retry can help.
func (t *Thumbnailer) Make(ctx context.Context, o Original) error {
	limit := t.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not finished within %s", limit))
	defer cancel()
	if err := t.make(ctx, o); err != nil {
		t.Log.ErrorContext(ctx, "thumbnail failed", "bucket", o.Bucket, "key", o.Key, "error", err)
		return fmt.Errorf("thumbnailer: s3://%s/%s: %w", o.Bucket, o.Key, err)
	}
	return nil
}

func (t *Thumbnailer) make(ctx context.Context, o Original) error {
	log := t.Log.With("bucket", o.Bucket, "key", o.Key)
	object, err := t.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key})
	if isNotFound(err) {
		log.InfoContext(ctx, "ignored", "reason", "deleted before it was read")
		return nil
	} else if err != nil {
		return err
	}
	defer object.Body.Close()
	made, err := render(ctx, object)
	var outputs []output
	switch {
	case thumbnail.Permanent(err):
		// The image stays: its owner sees that it is damaged. No retry and no operator can help.
		log.WarnContext(ctx, "the image has no thumbnail", "error", err)
		reason, err := json.Marshal(map[string]string{"error": err.Error()})
		if err != nil {
			return err
		}
		outputs = []output{{contract.ThumbnailErrorKey(o.ID), "application/json", "no-store", reason}}
	case err != nil:
		return err
	default:
		// The thumbnail is last: where there is one, there is a view.
		outputs = []output{
			{contract.ViewKey(o.ID), thumbnail.ContentType, cacheControl, made.View},
			{contract.ThumbnailKey(o.ID), thumbnail.ContentType, cacheControl, made.Thumbnail},
		}
	}
	for _, out := range outputs {
		if _, err := t.S3.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &o.Bucket, Key: &out.key, Body: bytes.NewReader(out.data),
			ContentType: &out.contentType, CacheControl: &out.cacheControl,
		}); err != nil {
			return err
		}
		log.InfoContext(ctx, "wrote", "object", out.key, "bytes", len(out.data))
	}
	// The image and its renditions may have been deleted since the image was read.
	_, err = t.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.Bucket, Key: &o.Key})
	if !isNotFound(err) {
		return err
	}
	for _, out := range outputs {
		if _, err := t.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.Bucket, Key: &out.key}); err != nil {
			return err
		}
		log.InfoContext(ctx, "removed", "reason", "the image was deleted meanwhile", "object", out.key)
	}
	return nil
}

// output is an object that the thumbnailer writes.
type output struct {
	key, contentType, cacheControl string
	data                           []byte
}

func render(ctx context.Context, object *s3.GetObjectOutput) (thumbnail.Renditions, error) {
	if aws.ToInt64(object.ContentLength) > thumbnail.MaxBytes {
		return thumbnail.Renditions{}, thumbnail.ErrTooManyBytes
	}
	return thumbnail.Make(ctx, object.Body)
}

func isNotFound(err error) bool {
	var noKey *types.NoSuchKey
	var notFound *types.NotFound
	return errors.As(err, &noKey) || errors.As(err, &notFound)
}
