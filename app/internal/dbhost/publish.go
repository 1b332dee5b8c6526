package dbhost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cinema-database/app/contract"
	"cinema-database/app/internal/credentials"
)

// S3 is the part of *s3.Client that the host uses. The host's role can write the object but not read it.
type S3 interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// uri returns the API's connection string.
func (h *Host) uri(a application) string {
	options := url.Values{
		"authSource":    {"admin"},
		"authMechanism": {"SCRAM-SHA-256"},
		"replicaSet":    {ReplicaSet},
		"tls":           {"true"},
		"retryWrites":   {"true"},
		"w":             {"majority"},
	}
	u := url.URL{
		Scheme: "mongodb", User: url.UserPassword(a.User, a.Password),
		Host: net.JoinHostPort(h.Name, strconv.Itoa(contract.MongoDBPort)), Path: "/" + Database, RawQuery: options.Encode(),
	}
	return u.String()
}

// publish writes the credentials object. It does so on every run, which restores an object that was deleted.
func (s *session) publish(ctx context.Context, a application) error {
	data, err := json.Marshal(credentials.Credentials{MongoDBURI: s.uri(a), CACertificate: s.state.CA.Certificate, JWTKey: a.JWTKey})
	if err != nil {
		return fmt.Errorf("dbhost: encode credentials: %w", err)
	}
	put := &s3.PutObjectInput{
		Bucket: &s.Bucket, Key: &s.Key, Body: bytes.NewReader(data), ContentType: aws.String("application/json"),
	}
	if s.KMSKey != "" {
		put.ServerSideEncryption, put.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &s.KMSKey
	}
	if _, err := s.S3.PutObject(ctx, put); err != nil {
		return fmt.Errorf("dbhost: s3://%s/%s: %w", s.Bucket, s.Key, err)
	}
	s.Log.InfoContext(ctx, "published the credentials", "bucket", s.Bucket, "key", s.Key, "user", a.User)
	return nil
}
