package dev

import (
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

// BucketName is the images bucket's name.
const BucketName = "cinema-images"

const region = "us-east-1"

// S3 is a running S3 server.
type S3 struct {
	// Addr is where it listens, host:port.
	Addr    string
	backend gofakes3.Backend
	srv     *http.Server
}

// StartS3 starts an S3 server with the bucket BucketName at addr (127.0.0.1:0 for a free port), on the files
// in dir, or in memory where dir is empty.
func StartS3(dir, addr string) (*S3, error) {
	var backend gofakes3.Backend = s3mem.New()
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("dev: S3: %w", err)
		}
		b, err := s3afero.MultiBucket(afero.NewBasePathFs(afero.NewOsFs(), dir))
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
	s := &S3{Addr: addr, backend: backend}
	if s.Addr == "" {
		s.Addr = "127.0.0.1:0"
	}
	return s, s.Resume()
}

// Resume listens again after Stop, at the same address and with the same objects.
func (s *S3) Resume() error {
	ln, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("dev: S3: %w", err)
	}
	s.Addr = ln.Addr().String()
	s.srv = &http.Server{Handler: gofakes3.New(s.backend).Server(), ReadHeaderTimeout: 5 * time.Second}
	go func(srv *http.Server) {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of our own that fails is a bug
		}
	}(s.srv)
	return nil
}

// Stop cuts every connection.
func (s *S3) Stop() { _ = s.srv.Close() } // closing loopback sockets

// Client makes a client of this server. It tries a failed request once more, and no longer.
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

// Put stores an object of a bucket, which is made where it is not there.
func (s *S3) Put(ctx context.Context, bucket, key string, data []byte) error {
	exists, err := s.backend.BucketExists(bucket)
	if err == nil && !exists {
		err = s.backend.CreateBucket(bucket)
	}
	if err != nil {
		return err
	}
	_, err = s.Client().PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: newBytes(data)})
	return err
}
