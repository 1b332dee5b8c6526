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

	"cinema-database/app/internal/thumbnail"
)

// cacheControl lets browsers keep a thumbnail for a year: an id never names another picture.
const cacheControl = "private, max-age=31536000, immutable"

// S3 is what the thumbnailer needs of *s3.Client.
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

// Handle makes the thumbnail of every picture that the event names. One that fails does not stop the others; the
// errors of all are returned together.
func (t *Thumbnailer) Handle(ctx context.Context, raw json.RawMessage) error {
	pictures, skipped, err := parse(raw)
	for _, s := range skipped {
		t.Log.InfoContext(ctx, "ignored", "event", s.event, "key", s.key, "reason", s.reason)
	}
	problems := []error{err}
	if err != nil {
		t.Log.ErrorContext(ctx, "event refused", "error", err, "permanent", true)
	}
	for _, p := range pictures {
		if err := t.make(ctx, p); err != nil {
			t.Log.ErrorContext(ctx, "thumbnail failed", "bucket", p.bucket, "key", p.key, "error", err, "permanent", thumbnail.Permanent(err))
			problems = append(problems, fmt.Errorf("thumbnailer: s3://%s/%s: %w", p.bucket, p.key, err))
		}
	}
	return errors.Join(problems...)
}

func (t *Thumbnailer) make(ctx context.Context, p picture) error {
	log := t.Log.With("bucket", p.bucket, "key", p.key)
	original, err := t.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &p.bucket, Key: &p.key})
	if gone(err) {
		log.InfoContext(ctx, "ignored", "reason", "deleted before it was read")
		return nil
	} else if err != nil {
		return err
	}
	defer original.Body.Close()
	if aws.ToInt64(original.ContentLength) > thumbnail.MaxBytes {
		return thumbnail.ErrTooManyBytes
	}
	data, err := thumbnail.Make(original.Body)
	if err != nil {
		return err
	}
	key := p.thumbnailKey()
	if _, err := t.S3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &p.bucket, Key: &key, Body: bytes.NewReader(data),
		ContentType: aws.String(thumbnail.ContentType), CacheControl: aws.String(cacheControl),
	}); err != nil {
		return err
	}
	// The picture may have been deleted, and its thumbnail with it, while this one was in the making.
	if _, err := t.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &p.bucket, Key: &p.key}); gone(err) {
		if _, err := t.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &p.bucket, Key: &key}); err != nil {
			return err
		}
		log.InfoContext(ctx, "removed", "reason", "the picture was deleted meanwhile", "thumbnail", key)
		return nil
	} else if err != nil {
		return err
	}
	log.InfoContext(ctx, "made", "thumbnail", key, "bytes", len(data))
	return nil
}

func gone(err error) bool {
	var noKey *types.NoSuchKey
	var notFound *types.NotFound
	return errors.As(err, &noKey) || errors.As(err, &notFound)
}
