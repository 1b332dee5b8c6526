package dbhost

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"cinema-database/app/contract"
)

// adminUser is the administrator. Its password never leaves the database hosts and their object.
const adminUser = "cinema-admin"

// applicationUsers are the two names that rotations alternate between, so that a rotation never changes the password of
// the user that the API uses.
var applicationUsers = [2]string{"cinema-a", "cinema-b"}

// secrets are what all members of the replica set share. They are stored as JSON in the secrets object, and each member
// keeps a copy on its volume. The certificate of the CA identifies the cluster.
type secrets struct {
	// CA signs the servers' certificates; clients trust it.
	CA keyPair `json:"ca"`
	// KeyFile is the content of mongod's key file: 1008 characters of base64.
	KeyFile string `json:"keyFile"`
	// AdminPassword is adminUser's.
	AdminPassword string `json:"adminPassword"`
	// Application are the API's current credentials.
	Application application `json:"application"`
	// Pending are the API's next credentials while a rotation is unfinished.
	Pending *application `json:"pending,omitempty"`
	// Founder is the zone of the member that initiates the replica set; empty until one has claimed it.
	Founder string `json:"founder,omitempty"`
	// Initiated is true from before the API first gets credentials. From then on no member initiates a replica set: a blank
	// one copies the data of the others.
	Initiated bool `json:"initiated,omitempty"`
	// Members are the host names of the members of the replica set, by which a member without data finds the others.
	Members []string `json:"members,omitempty"`
	// Restored is the snapshot that was restored last.
	Restored string `json:"restored,omitempty"`
}

type application struct {
	User     string `json:"user"`
	Password string `json:"password"`
	// JWTKey is 32 random bytes, base64.
	JWTKey string `json:"jwtKey"`
}

// secret returns n random bytes as URL-safe base64, which needs no escaping in a connection string.
func secret(n int) string {
	data := make([]byte, n)
	_, _ = rand.Read(data) // never fails
	return base64.RawURLEncoding.EncodeToString(data)
}

func standardSecret(n int) string {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return base64.StdEncoding.EncodeToString(data)
}

func newSecrets(now time.Time) (*secrets, error) {
	ca, err := newCA(now)
	if err != nil {
		return nil, err
	}
	return &secrets{
		CA:            ca,
		KeyFile:       standardSecret(756), // mongod accepts 6 to 1024 characters; its manual also generates 756 bytes
		AdminPassword: secret(32),
		Application:   application{User: applicationUsers[0], Password: secret(32), JWTKey: standardSecret(32)},
	}, nil
}

// check reports all missing and invalid fields.
func (s *secrets) check() error {
	var problems []error
	need := func(field, value string) {
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is missing", field))
		}
	}
	need("keyFile", s.KeyFile)
	need("adminPassword", s.AdminPassword)
	applications := map[string]*application{"application": &s.Application}
	if s.Pending != nil {
		applications["pending"] = s.Pending
	}
	for _, field := range []string{"application", "pending"} {
		if a := applications[field]; a != nil {
			need(field+".user", a.User)
			need(field+".password", a.Password)
			need(field+".jwtKey", a.JWTKey)
		}
	}
	if _, _, err := s.CA.parse(); err != nil {
		problems = append(problems, fmt.Errorf("ca: %w", err))
	}
	return errors.Join(problems...)
}

// S3 is the part of *s3.Client that the host uses.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

var (
	// errMissing is returned for an object that does not exist.
	errMissing = errors.New("the object does not exist")
	// errConflict is returned by a conditional write if another host was faster.
	errConflict = errors.New("another host has changed the object")
)

// maxObject is far more than any object that hosts read.
const maxObject = 1 << 20

// get reads an object of the artifacts bucket. If there is none, the error wraps errMissing.
func (h *Host) get(ctx context.Context, key string) (data []byte, etag string, err error) {
	out, err := h.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &h.Bucket, Key: &key})
	if missing := new(types.NoSuchKey); errors.As(err, &missing) {
		return nil, "", fmt.Errorf("dbhost: s3://%s/%s: %w", h.Bucket, key, errMissing)
	}
	if err == nil {
		defer out.Body.Close()
		data, err = io.ReadAll(io.LimitReader(out.Body, maxObject))
	}
	if err != nil {
		return nil, "", fmt.Errorf("dbhost: s3://%s/%s: %w", h.Bucket, key, err)
	}
	return data, aws.ToString(out.ETag), nil
}

// put writes an object of the artifacts bucket as JSON. encrypted uses the KMS key. A condition that does not hold, such
// as IfNoneMatch, is an error that wraps errConflict.
func (h *Host) put(ctx context.Context, key string, value any, encrypted bool, conditions ...func(*s3.PutObjectInput)) (etag string, err error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("dbhost: encode %s: %w", key, err)
	}
	in := &s3.PutObjectInput{Bucket: &h.Bucket, Key: &key, Body: bytes.NewReader(data), ContentType: aws.String("application/json")}
	if encrypted && h.KMSKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &h.KMSKey
	}
	for _, condition := range conditions {
		condition(in)
	}
	out, err := h.S3.PutObject(ctx, in)
	// S3 user guide, "Conditional writes": 412 for a condition that does not hold, 409 for a write at the same time, 404 if
	// the object has been deleted.
	var answer smithy.APIError
	if len(conditions) > 0 && errors.As(err, &answer) {
		switch answer.ErrorCode() {
		case "PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey":
			return "", fmt.Errorf("dbhost: s3://%s/%s: %w", h.Bucket, key, errConflict)
		}
	}
	if err != nil {
		return "", fmt.Errorf("dbhost: s3://%s/%s: %w", h.Bucket, key, err)
	}
	return aws.ToString(out.ETag), nil
}

// readSecrets reads the secrets object. If there is none, the error wraps errMissing. A damaged object is an error and is
// never replaced.
func (h *Host) readSecrets(ctx context.Context) (*secrets, string, error) {
	data, etag, err := h.get(ctx, contract.SecretsKey)
	if err != nil {
		return nil, "", err
	}
	var s secrets
	if err = json.Unmarshal(data, &s); err == nil {
		err = s.check()
	}
	if err != nil {
		return nil, "", fmt.Errorf("dbhost: s3://%s/%s: damaged: %w; restore an older version of the object", h.Bucket, contract.SecretsKey, err)
	}
	return &s, etag, nil
}

// createSecrets writes the secrets object where there is none.
func (h *Host) createSecrets(ctx context.Context, s *secrets) error {
	_, err := h.put(ctx, contract.SecretsKey, s, true, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
	return err
}

// updateSecrets reads the secrets object, lets change edit it, and writes it if change returns true. It does so again
// while other hosts change it too. It returns the secrets as they are in the object. It never changes the CA, the key
// file or the administrator.
func (h *Host) updateSecrets(ctx context.Context, change func(*secrets) bool) (*secrets, error) {
	for {
		s, etag, err := h.readSecrets(ctx)
		if err != nil || !change(s) {
			return s, err
		}
		_, err = h.put(ctx, contract.SecretsKey, s, true, func(in *s3.PutObjectInput) { in.IfMatch = &etag })
		if err == nil || !errors.Is(err, errConflict) {
			return s, err
		}
		if err := h.Wait(ctx, pause); err != nil {
			return nil, fmt.Errorf("dbhost: s3://%s/%s: %w", h.Bucket, contract.SecretsKey, err)
		}
	}
}

// databaseExists reports whether a cluster has published credentials, which it does only with a database.
func (h *Host) databaseExists(ctx context.Context) (bool, error) {
	out, err := h.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &h.Bucket, Prefix: &h.Key, MaxKeys: aws.Int32(1)})
	if err != nil {
		return false, fmt.Errorf("dbhost: s3://%s/%s: %w", h.Bucket, h.Key, err)
	}
	return len(out.Contents) > 0, nil
}

// members reads the list of members that the stack wants.
func (h *Host) members(ctx context.Context) (*contract.Members, error) {
	data, _, err := h.get(ctx, contract.MembersKey)
	if err != nil {
		return nil, err
	}
	var m contract.Members
	if err := json.Unmarshal(data, &m); err != nil || len(m.Members) == 0 {
		return nil, fmt.Errorf("dbhost: s3://%s/%s: not a list of members (%v); run `pulumi up`", h.Bucket, contract.MembersKey, err)
	}
	return &m, nil
}

// membersIfListed is members, but a missing list is no error: it is empty and names no seed.
func (h *Host) membersIfListed(ctx context.Context) (*contract.Members, error) {
	m, err := h.members(ctx)
	if errors.Is(err, errMissing) {
		return &contract.Members{}, nil
	}
	return m, err
}
