// Package images recognizes image formats and stores images in the images bucket: the original under
// contract.OriginalsPrefix, the thumbnail under contract.ThumbnailsPrefix. It generates the ids; keys contain nothing that a
// client sent.
package images

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"

	"cinema-database/app/contract"
)

var (
	// ErrNotFound means that the object does not exist.
	ErrNotFound = errors.New("images: not found")
	// ErrUnavailable wraps every other failure of the bucket. A retry may help.
	ErrUnavailable = errors.New("images: bucket unavailable")
)

var (
	encoding  = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	idPattern = regexp.MustCompile(`^[a-z2-7]{26}$`)
)

// NewID returns a new image id: 128 random bits as 26 characters of lower-case base32.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return encoding.EncodeToString(b[:])
}

// ValidID reports whether text has the form of an id.
func ValidID(text string) bool { return idPattern.MatchString(text) }

// OriginalKey returns the key of the image as uploaded.
func OriginalKey(id, extension string) string { return contract.OriginalsPrefix + id + "." + extension }

// NewClient returns an S3 client with the process's AWS identity. Every step of a request has a timeout, except the
// transfer of the body, which only the call's context limits. pathStyle is for S3 servers without a host name per bucket.
// The SDK's own messages go to log: by default they are plain text between the lines of a log in JSON.
func NewClient(ctx context.Context, region string, pathStyle bool, log *slog.Logger) (*s3.Client, error) {
	transport := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = 2 * time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 3 * time.Second
			t.ResponseHeaderTimeout = 15 * time.Second
			t.MaxIdleConnsPerHost = 64
		})
	messages := logging.LoggerFunc(func(class logging.Classification, format string, values ...any) {
		level := slog.LevelDebug
		if class == logging.Warn {
			level = slog.LevelWarn
		}
		log.Log(context.Background(), level, fmt.Sprintf(format, values...), "from", "AWS SDK")
	})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithHTTPClient(transport), config.WithRetryMaxAttempts(3),
		config.WithLogger(messages))
	if err != nil {
		return nil, fmt.Errorf("images: AWS configuration: %w", err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = pathStyle }), nil
}

// Bucket is the images bucket.
type Bucket struct {
	client *s3.Client
	name   string
}

// NewBucket returns the bucket with that name.
func NewBucket(client *s3.Client, name string) *Bucket { return &Bucket{client, name} }

// Ping checks that the bucket exists and this process may access it.
func (b *Bucket) Ping(ctx context.Context) error {
	_, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name})
	return failure(err)
}

// Put stores an original.
func (b *Bucket) Put(ctx context.Context, id string, kind Kind, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:        &b.name,
		Key:           aws.String(OriginalKey(id, kind.Extension)),
		Body:          bytes.NewReader(data),
		ContentLength: aws.Int64(int64(len(data))),
		ContentType:   &kind.ContentType,
	})
	return failure(err)
}

// Object is an open object, which the caller must close.
type Object struct {
	io.ReadCloser
	// Bytes is the length in bytes.
	Bytes int64
	// ETag is S3's, including the quotes.
	ETag string
}

// Get opens the object at a key, or returns ErrNotFound.
func (b *Bucket) Get(ctx context.Context, key string) (Object, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return Object{}, failure(err)
	}
	return Object{out.Body, aws.ToInt64(out.ContentLength), aws.ToString(out.ETag)}, nil
}

// Exists reports whether there is an object at a key.
func (b *Bucket) Exists(ctx context.Context, key string) (bool, error) {
	_, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	if err := failure(err); !errors.Is(err, ErrNotFound) {
		return err == nil, err
	}
	return false, nil
}

// Name contains the parts of an image's keys.
type Name struct{ ID, Extension string }

// maxDeleted is the maximum number of keys in one request (S3 API reference, DeleteObjects).
const maxDeleted = 1000

// Remove deletes originals and what the thumbnailer made of them. Objects that do not exist are ignored.
func (b *Bucket) Remove(ctx context.Context, names ...Name) error {
	var keys []types.ObjectIdentifier
	for _, n := range names {
		for _, key := range []string{OriginalKey(n.ID, n.Extension), contract.ThumbnailKey(n.ID), contract.ViewKey(n.ID), contract.ThumbnailErrorKey(n.ID)} {
			keys = append(keys, types.ObjectIdentifier{Key: &key})
		}
	}
	for batch := range slices.Chunk(keys, maxDeleted) {
		out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{Objects: batch, Quiet: aws.Bool(true)}})
		if err != nil {
			return failure(err)
		}
		for _, e := range out.Errors {
			if aws.ToString(e.Code) != "NoSuchKey" {
				return fmt.Errorf("%w: delete %s: %s: %s", ErrUnavailable, aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
			}
		}
	}
	return nil
}

func failure(err error) error {
	var (
		noKey    *types.NoSuchKey
		response *awshttp.ResponseError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &noKey):
		return ErrNotFound
	// A missing bucket is not a missing object.
	case errors.As(err, &response) && response.HTTPStatusCode() == http.StatusNotFound && !strings.Contains(err.Error(), "NoSuchBucket"):
		return ErrNotFound
	default:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}
