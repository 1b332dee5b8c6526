package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cinema-database/app/contract"
)

const (
	// PartSize is the size of an upload's parts, in bytes. A copy holds one part in memory. S3 accepts up to 10,000
	// parts of 5 MiB to 5 GiB.
	PartSize = 8 << 20
	// MaxSize is the largest file that is copied, in bytes.
	MaxSize = 2 << 30
	// DigestMetadata is the metadata key (x-amz-meta-…) under which an object carries its SHA-256.
	DigestMetadata = "sha256"
	// abortReserve is the part of the function's time limit that is reserved for aborting an upload.
	abortReserve = 10 * time.Second
)

// ErrDigest is returned for a file whose digest is not the expected one.
var ErrDigest = errors.New("wrong SHA-256")

// S3 is the part of *s3.Client that the mirror uses.
type S3 interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// Mirror copies files. All fields are required; New sets defaults.
type Mirror struct {
	S3   S3
	HTTP *http.Client
	// Hosts lists the hosts (with the port if it is not 443) that may be fetched from.
	Hosts []string
	Log   *slog.Logger
	// Stall is how long a source may send nothing before the request is repeated.
	Stall time.Duration
	// Wait pauses between attempts; it returns early, with an error, when the context ends.
	Wait func(context.Context, time.Duration) error
}

// New returns a Mirror with the default HTTP client and pauses.
func New(client S3, hosts []string, log *slog.Logger) *Mirror {
	const stall = 30 * time.Second
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: stall,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          2,
		IdleConnTimeout:       time.Minute,
	}
	return &Mirror{S3: client, HTTP: &http.Client{Transport: transport}, Hosts: hosts, Log: log, Stall: stall, Wait: wait}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Copy copies the file to the request's key, unless an object with that digest exists there already.
//
// If it returns an error, the object at the key is unchanged and no upload stays open. For a wrong digest, the error
// wraps ErrDigest.
func (m *Mirror) Copy(ctx context.Context, r contract.MirrorRequest) (*contract.MirrorAnswer, error) {
	if err := m.validate(r); err != nil {
		return nil, err
	}
	// Lambda kills the process at its deadline, so an unfinished upload is aborted earlier.
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, deadline.Add(-abortReserve), errors.New("mirror: out of time; increase the function's timeout"))
		defer cancel()
	}
	want := strings.ToLower(r.SHA256)
	if want == "" {
		published, err := m.publishedDigest(ctx, r.Source)
		if err != nil {
			return nil, err
		}
		want = published
	}
	answer := &contract.MirrorAnswer{Bucket: r.Bucket, Key: r.Key, SHA256: want}
	head, err := m.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &r.Bucket, Key: &r.Key})
	var notFound *types.NotFound
	switch {
	case errors.As(err, &notFound):
	case err != nil:
		return nil, fmt.Errorf("mirror: s3://%s/%s: %w", r.Bucket, r.Key, err)
	case head.Metadata[DigestMetadata] == want:
		answer.Size = aws.ToInt64(head.ContentLength)
		m.Log.InfoContext(ctx, "already there", "bucket", r.Bucket, "key", r.Key, "sha256", want)
		return answer, nil
	}
	size, err := m.transfer(ctx, r, want)
	if err != nil {
		m.Log.ErrorContext(ctx, "copy failed", "source", r.Source, "bucket", r.Bucket, "key", r.Key, "error", err)
		return nil, err
	}
	answer.Size, answer.Copied = size, true
	m.Log.InfoContext(ctx, "copied", "source", r.Source, "bucket", r.Bucket, "key", r.Key, "sha256", want, "bytes", size)
	return answer, nil
}

func (m *Mirror) transfer(ctx context.Context, r contract.MirrorRequest, want string) (size int64, err error) {
	upload, err := m.S3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &r.Bucket, Key: &r.Key, ContentType: aws.String("application/gzip"),
		Metadata:          map[string]string{DigestMetadata: want},
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return 0, fmt.Errorf("mirror: s3://%s/%s: start upload: %w", r.Bucket, r.Key, err)
	}
	defer func() {
		if err == nil {
			return
		}
		// The caller's context may have ended already.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortReserve-time.Second)
		defer cancel()
		_, abortErr := m.S3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &r.Bucket, Key: &r.Key, UploadId: upload.UploadId})
		if abortErr != nil {
			err = errors.Join(err, fmt.Errorf("mirror: s3://%s/%s: abort upload: %w; the bucket's lifecycle rule will abort it", r.Bucket, r.Key, abortErr))
		}
	}()

	source := m.open(ctx, r.Source)
	defer source.close()
	digest := sha256.New()
	part := make([]byte, PartSize)
	var parts []types.CompletedPart
	for last := false; !last; {
		n, err := io.ReadFull(source, part)
		if last = err == io.EOF || err == io.ErrUnexpectedEOF; err != nil && !last {
			return 0, err
		}
		if n == 0 {
			break
		}
		if size += int64(n); size > MaxSize {
			return 0, fmt.Errorf("mirror: %s: longer than %d bytes; not a server package", r.Source, int64(MaxSize))
		}
		digest.Write(part[:n])
		number := aws.Int32(int32(len(parts) + 1))
		done, err := m.S3.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &r.Bucket, Key: &r.Key, UploadId: upload.UploadId, PartNumber: number,
			Body: bytes.NewReader(part[:n]), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			return 0, fmt.Errorf("mirror: s3://%s/%s: part %d: %w", r.Bucket, r.Key, *number, err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: done.ETag, ChecksumCRC32: done.ChecksumCRC32})
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		return 0, fmt.Errorf("mirror: %s: %w: %s, expected %s; nothing was stored", r.Source, ErrDigest, got, want)
	}
	if size == 0 {
		return 0, fmt.Errorf("mirror: %s: empty; not a server package", r.Source)
	}
	if _, err := m.S3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &r.Bucket, Key: &r.Key, UploadId: upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}); err != nil {
		return 0, fmt.Errorf("mirror: s3://%s/%s: complete upload: %w", r.Bucket, r.Key, err)
	}
	return size, nil
}
