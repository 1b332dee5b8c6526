// Package settings reads the API's settings from its environment, the one place that does.
package settings

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// DefaultPort is the port that the API listens on where PORT is not set.
const DefaultPort = 8081

// JWTKeyMinBytes is the shortest key that signs sessions: as long as the hash (RFC 7518, section 3.2).
const JWTKeyMinBytes = 32

// Settings is everything the API is told at its start.
type Settings struct {
	// MongoDBURI is a connection string; empty where CredentialsURI is set. It holds a password.
	MongoDBURI string
	// JWTKey signs sessions (HS256); set together with MongoDBURI, empty where CredentialsURI is set.
	JWTKey []byte
	// Credentials is where the credentials object is; zero where MongoDBURI is set.
	Credentials Object
	// Bucket is the name of the images bucket.
	Bucket string
	// Region is the AWS region of both buckets, e.g. us-east-1.
	Region string
	// PathStyle puts the bucket's name in the path of S3 requests rather than in the host's name:
	// for S3 servers on a laptop, and set whenever AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is.
	PathStyle bool
	// Port is the TCP port to listen on.
	Port int
	// AllowedOrigin is the one origin that browsers may call from, e.g. https://cinema.example; empty allows none.
	AllowedOrigin string
	// BehindProxy says that every request comes through one load balancer, which appends the client's
	// address to X-Forwarded-For; only then is that header believed, and only its right-most entry.
	BehindProxy bool
	// Stack names the stack in the metrics that are published; empty publishes none.
	Stack string
}

// Object names an object in S3.
type Object struct{ Bucket, Key string }

var (
	// bucketName follows the general purpose bucket naming rules of S3.
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
)

// Load reads settings through getenv, and names every problem at once. Values that may hold a secret
// are never part of an error.
func Load(getenv func(string) string) (Settings, error) {
	l := &loader{getenv: getenv}
	l.database(true)
	l.aws()
	if l.s.Bucket = getenv("AWS_UPLOAD_BUCKET_NAME"); !bucketName.MatchString(l.s.Bucket) {
		l.problem("AWS_UPLOAD_BUCKET_NAME %q: not a bucket's name; name the images bucket", l.s.Bucket)
	}
	l.http()
	l.s.Stack = getenv("STACK")
	return l.done()
}

// LoadDatabase reads only what reaching the database takes: MONGODB_URI, or CREDENTIALS_URI and AWS_REGION.
func LoadDatabase(getenv func(string) string) (Settings, error) {
	l := &loader{getenv: getenv}
	l.database(false)
	if l.s.MongoDBURI == "" {
		l.aws()
	}
	return l.done()
}

type loader struct {
	getenv   func(string) string
	s        Settings
	problems []error
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf("settings: "+format, args...))
}

func (l *loader) done() (Settings, error) {
	if err := errors.Join(l.problems...); err != nil {
		return Settings{}, err
	}
	return l.s, nil
}

func (l *loader) database(withKey bool) {
	uri, object, key := l.getenv("MONGODB_URI"), l.getenv("CREDENTIALS_URI"), l.getenv("JWT_KEY")
	switch {
	case uri == "" && object == "":
		l.problem("MONGODB_URI and CREDENTIALS_URI are both empty; set one of them")
	case uri != "" && object != "":
		l.problem("MONGODB_URI and CREDENTIALS_URI are both set; set one of them")
	case uri != "":
		if err := CheckMongoDBURI(uri); err != nil {
			l.problem("MONGODB_URI: %w", err)
		}
		l.s.MongoDBURI = uri
	default:
		var err error
		if l.s.Credentials, err = parseObject(object); err != nil {
			l.problem("CREDENTIALS_URI %q: %w", object, err)
		}
	}
	switch {
	case !withKey:
	case key != "" && object != "":
		l.problem("JWT_KEY is set beside CREDENTIALS_URI; the object holds the key, leave JWT_KEY out")
	case key == "" && uri != "":
		l.problem("JWT_KEY is empty; MONGODB_URI needs it: %d random bytes in base64", JWTKeyMinBytes)
	case key != "":
		var err error
		if l.s.JWTKey, err = ParseJWTKey(key); err != nil {
			l.problem("JWT_KEY: %w", err)
		}
	}
}

func (l *loader) aws() {
	if l.s.Region = l.getenv("AWS_REGION"); !regionName.MatchString(l.s.Region) {
		l.problem("AWS_REGION %q: not a region; use one such as us-east-1", l.s.Region)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		if v := l.getenv(name); v != "" {
			if u, err := url.Parse(v); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
				l.problem("%s %q: not an http or https address; use one such as http://127.0.0.1:9000", name, v)
			}
			l.s.PathStyle = true
		}
	}
}

func (l *loader) http() {
	l.s.Port = DefaultPort
	if v := l.getenv("PORT"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 65535 {
			l.problem("PORT %q: not a port; use a number from 1 to 65535", v)
		}
		l.s.Port = n
	}
	if v := l.getenv("ALLOWED_ORIGIN"); v != "" {
		u, err := url.Parse(v)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != v {
			l.problem("ALLOWED_ORIGIN %q: not an origin; use a scheme and a host alone, such as https://cinema.example", v)
		}
		l.s.AllowedOrigin = v
	}
	switch v := l.getenv("BEHIND_PROXY"); v {
	case "", "false":
	case "true":
		l.s.BehindProxy = true
	default:
		l.problem("BEHIND_PROXY %q: neither true nor false; use true behind the load balancer", v)
	}
}

// CheckMongoDBURI says whether uri is a connection string, without repeating any of it.
func CheckMongoDBURI(uri string) error {
	if cs, err := connstring.Parse(uri); err != nil || cs.Validate() != nil {
		return errors.New("not a MongoDB connection string; use mongodb://user:password@host:27017/cinema?tls=true")
	}
	return nil
}

// ParseJWTKey decodes a signing key from base64 (RFC 4648, padded).
func ParseJWTKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("not base64; use %d random bytes in base64", JWTKeyMinBytes)
	}
	if len(key) < JWTKeyMinBytes {
		return nil, fmt.Errorf("%d bytes long; use at least %d random bytes", len(key), JWTKeyMinBytes)
	}
	return key, nil
}

func parseObject(text string) (Object, error) {
	rest, found := strings.CutPrefix(text, "s3://")
	bucket, key, _ := strings.Cut(rest, "/")
	if !found || !bucketName.MatchString(bucket) || key == "" {
		return Object{}, errors.New("not an object's address; use s3://bucket/key")
	}
	return Object{bucket, key}, nil
}
