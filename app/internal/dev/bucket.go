package dev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/spf13/afero"
)

// BucketName is the name of the images bucket.
const BucketName = "cinema-images"

const region = "us-east-1"

// S3 is a running S3 server.
type S3 struct {
	// Addr is the address that it listens on, host:port.
	Addr    string
	backend gofakes3.Backend
	srv     *http.Server
}

// S3Options are the options of StartS3.
type S3Options struct {
	// Dir is the folder that stores the objects; empty for memory.
	Dir string
	// Addr is the address to listen on, host:port; empty for a free port on loopback.
	Addr string
}

// StartS3 starts an S3 server with the bucket BucketName.
func StartS3(o S3Options) (*S3, error) {
	if err := checkLocation(o.Dir, &o.Addr); err != nil {
		return nil, fmt.Errorf("dev: S3: %w", err)
	}
	var backend gofakes3.Backend = s3mem.New()
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("dev: S3: %w", err)
		}
		b, err := s3afero.MultiBucket(afero.NewBasePathFs(afero.NewOsFs(), o.Dir))
		if err != nil {
			return nil, fmt.Errorf("dev: S3: %w", err)
		}
		backend = b
	}
	exists, err := backend.BucketExists(BucketName)
	if err == nil && !exists {
		err = backend.CreateBucket(BucketName)
	}
	if err != nil {
		return nil, fmt.Errorf("dev: S3: %w", err)
	}
	s := &S3{Addr: o.Addr, backend: backend}
	return s, s.Resume()
}

// Resume restarts the server after Stop, with the same address and objects.
func (s *S3) Resume() error {
	ln, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("dev: S3: %w", err)
	}
	s.Addr = ln.Addr().String()
	s.srv = &http.Server{Handler: gofakes3.New(s.backend).Server(), ReadHeaderTimeout: 5 * time.Second}
	go func(srv *http.Server) {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // only a bug makes this listener fail
		}
	}(s.srv)
	return nil
}

// Stop closes the listener and all connections.
func (s *S3) Stop() { _ = s.srv.Close() } // the server is gone even if closing a socket fails

// Client returns a client of this server, which retries a failed request once.
func (s *S3) Client() *s3.Client {
	return s3.New(s3.Options{
		Region:           region,
		BaseEndpoint:     aws.String("http://" + s.Addr),
		UsePathStyle:     true,
		Credentials:      awscredentials.NewStaticCredentialsProvider("dev", "dev", ""),
		HTTPClient:       awshttp.NewBuildableClient().WithTimeout(10 * time.Second),
		RetryMaxAttempts: 2,
	})
}

// Put stores an object, and creates the bucket if needed.
func (s *S3) Put(ctx context.Context, bucket, key string, data []byte) error {
	exists, err := s.backend.BucketExists(bucket)
	if err == nil && !exists {
		err = s.backend.CreateBucket(bucket)
	}
	if err != nil {
		return err
	}
	_, err = s.Client().PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data)})
	return err
}
