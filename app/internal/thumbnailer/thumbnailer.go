package thumbnailer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cinema-database/app/contract"
	"cinema-database/app/internal/thumbnail"
)

// cacheControl lets browsers cache a thumbnail for a year: an id is never reused for another image.
const cacheControl = "private, max-age=31536000, immutable"

// S3 is the part of *s3.Client that the thumbnailer uses.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// Thumbnailer handles S3 event notifications.
type Thumbnailer struct {
	S3  S3
	Log *slog.Logger
}

// Handle makes the thumbnails of all images in the event. A failure does not stop the others; the error reports all
// failures.
func (t *Thumbnailer) Handle(ctx context.Context, raw json.RawMessage) error {
	originals, skipped, err := parse(raw)
	for _, s := range skipped {
		t.Log.InfoContext(ctx, "ignored", "event", s.event, "key", s.key, "reason", s.reason)
	}
	problems := []error{err}
	if err != nil {
		t.Log.ErrorContext(ctx, "invalid event", "error", err, "permanent", true)
	}
	for _, o := range originals {
		if err := t.make(ctx, o); err != nil {
			t.Log.ErrorContext(ctx, "thumbnail failed", "bucket", o.bucket, "key", o.key, "error", err, "permanent", thumbnail.Permanent(err))
			problems = append(problems, fmt.Errorf("thumbnailer: s3://%s/%s: %w", o.bucket, o.key, err))
		}
	}
	return errors.Join(problems...)
}

func (t *Thumbnailer) make(ctx context.Context, o original) error {
	log := t.Log.With("bucket", o.bucket, "key", o.key)
	object, err := t.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.bucket, Key: &o.key})
	if isNotFound(err) {
		log.InfoContext(ctx, "ignored", "reason", "deleted before it was read")
		return nil
	} else if err != nil {
		return err
	}
	defer object.Body.Close()
	if aws.ToInt64(object.ContentLength) > thumbnail.MaxBytes {
		return thumbnail.ErrTooManyBytes
	}
	data, err := thumbnail.Make(object.Body)
	if err != nil {
		return err
	}
	key := contract.ThumbnailKey(o.id)
	if _, err := t.S3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &o.bucket, Key: &key, Body: bytes.NewReader(data),
		ContentType: aws.String(thumbnail.ContentType), CacheControl: aws.String(cacheControl),
	}); err != nil {
		return err
	}
	// The image and its thumbnail may have been deleted since the image was read.
	if _, err := t.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.bucket, Key: &o.key}); isNotFound(err) {
		if _, err := t.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.bucket, Key: &key}); err != nil {
			return err
		}
		log.InfoContext(ctx, "removed", "reason", "the image was deleted meanwhile", "thumbnail", key)
		return nil
	} else if err != nil {
		return err
	}
	log.InfoContext(ctx, "made", "thumbnail", key, "bytes", len(data))
	return nil
}

func isNotFound(err error) bool {
	var noKey *types.NoSuchKey
	var notFound *types.NotFound
	return errors.As(err, &noKey) || errors.As(err, &notFound)
}
