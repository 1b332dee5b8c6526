// Package images tells images from other bytes, and keeps them in the images bucket: the original at
// orig/<id>.<extension>, its thumbnail at thumb/<id>.jpg. Ids are made here; nothing a client sends is part of a key.
package images

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
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
)

var (
	// ErrNotFound says that there is no such object.
	ErrNotFound = errors.New("images: not found")
	// ErrUnavailable wraps every failure of the bucket itself: trying again later may help.
	ErrUnavailable = errors.New("images: bucket unavailable")
)

var (
	encoding  = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	idPattern = regexp.MustCompile(`^[a-z2-7]{26}$`)
)

// NewID makes an image's id: 128 random bits as 26 characters of lower-case base32.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return encoding.EncodeToString(b[:])
}

// ValidID says whether text has the form of an id.
func ValidID(text string) bool { return idPattern.MatchString(text) }

// OriginalKey is the key of the image itself.
func OriginalKey(id, extension string) string { return "orig/" + id + "." + extension }

// ThumbnailKey is the key of the image's thumbnail.
func ThumbnailKey(id string) string { return "thumb/" + id + ".jpg" }

// NewClient makes an S3 client with the process's own AWS identity, and time limits on every step but a body's way, which
// the context of each call bounds. pathStyle is for S3 servers whose buckets have no host name of their own.
func NewClient(ctx context.Context, region string, pathStyle bool) (*s3.Client, error) {
	transport := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = 2 * time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 3 * time.Second
			t.ResponseHeaderTimeout = 15 * time.Second
			t.MaxIdleConnsPerHost = 64
		})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithHTTPClient(transport), config.WithRetryMaxAttempts(3))
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

// NewBucket makes a Bucket of that name.
func NewBucket(client *s3.Client, name string) *Bucket { return &Bucket{client, name} }

// Ping asks whether the bucket is there and open to this process.
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

// PutThumbnail stores a thumbnail, a JPEG.
func (b *Bucket) PutThumbnail(ctx context.Context, id string, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:      &b.name,
		Key:         aws.String(ThumbnailKey(id)),
		Body:        bytes.NewReader(data),
		ContentType: aws.String("image/jpeg"),
	})
	return failure(err)
}

// Object is an open object; its reader must be closed.
type Object struct {
	io.ReadCloser
	// Bytes is the length.
	Bytes int64
	// ETag is S3's, quotes included.
	ETag string
}

// Get opens the object of a key, or ErrNotFound.
func (b *Bucket) Get(ctx context.Context, key string) (Object, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return Object{}, failure(err)
	}
	return Object{out.Body, aws.ToInt64(out.ContentLength), aws.ToString(out.ETag)}, nil
}

// Name is what an image's keys are made of.
type Name struct{ ID, Extension string }

// removedAtOnce is how many keys one request deletes at most (S3 API reference, DeleteObjects).
const removedAtOnce = 1000

// Remove removes originals and their thumbnails; what is gone already is no error.
func (b *Bucket) Remove(ctx context.Context, names ...Name) error {
	var keys []types.ObjectIdentifier
	for _, n := range names {
		keys = append(keys, types.ObjectIdentifier{Key: aws.String(OriginalKey(n.ID, n.Extension))}, types.ObjectIdentifier{Key: aws.String(ThumbnailKey(n.ID))})
	}
	for some := range slices.Chunk(keys, removedAtOnce) {
		out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{Objects: some, Quiet: aws.Bool(true)}})
		if err != nil {
			return failure(err)
		}
		for _, e := range out.Errors {
			if aws.ToString(e.Code) != "NoSuchKey" {
				return fmt.Errorf("%w: deleting %s: %s: %s", ErrUnavailable, aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
			}
		}
	}
	return nil
}

func failure(err error) error {
	var (
		noKey *types.NoSuchKey
		reply *awshttp.ResponseError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &noKey):
		return ErrNotFound
	// A bucket that is away is not an object that is away.
	case errors.As(err, &reply) && reply.HTTPStatusCode() == http.StatusNotFound && !strings.Contains(err.Error(), "NoSuchBucket"):
		return ErrNotFound
	default:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}
