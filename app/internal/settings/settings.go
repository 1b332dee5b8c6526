// Package settings reads and checks the API's settings, which are environment variables.
package settings

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"cinema-database/app/contract"
	"cinema-database/internal/format"
)

// JWTKeyMinBytes is the minimum length of the key that signs sessions: that of the hash (RFC 7518, section 3.2).
const JWTKeyMinBytes = 32

// Settings are the API's settings.
type Settings struct {
	// MongoDBURI is a connection string with a password; empty if Credentials is set.
	MongoDBURI string
	// JWTKey signs sessions (HS256); empty if Credentials is set.
	JWTKey []byte
	// Credentials names the credentials object; zero if MongoDBURI is set.
	Credentials Object
	// Bucket is the name of the images bucket.
	Bucket string
	// Region is the AWS region of both buckets, e.g. us-east-1.
	Region string
	// PathStyle puts the bucket's name into the path of S3 requests rather than into the host name, as S3 servers on a
	// laptop need. It is set if AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is.
	PathStyle bool
	// Port is the TCP port to listen on.
	Port int
	// AllowedOrigins are the other origins that browsers may call the API from, e.g. https://cinema.example.
	AllowedOrigins []string
	// Proxies is how many proxies every request comes through, from 0 to contract.MaxProxies. Each appends the address that
	// it was called from to X-Forwarded-For. Only that many entries are trusted.
	Proxies int
	// Stack is the stack's name, the dimension of the published metric; empty publishes none.
	Stack string
}

// Object is the location of an object in S3.
type Object struct{ Bucket, Key string }

// Environment variables that only the application uses.
const (
	envMongoDBURI = "MONGODB_URI"
	envJWTKey     = "JWT_KEY"
)

// Load reads the settings through getenv and reports all errors at once. An error never contains a value that may be a
// secret.
func Load(getenv func(string) string) (Settings, error) {
	l := &loader{getenv: getenv}
	l.database(true)
	l.aws()
	l.bucket()
	l.http()
	l.s.Stack = getenv(contract.EnvStack)
	return l.done()
}

// LoadDatabase reads only the settings that are needed to connect to the database: MONGODB_URI, or CREDENTIALS_URI and
// AWS_REGION.
func LoadDatabase(getenv func(string) string) (Settings, error) {
	l := &loader{getenv: getenv}
	l.database(false)
	if l.s.MongoDBURI == "" {
		l.aws()
	}
	return l.done()
}

// LoadImages reads the settings that are needed to connect to the database and to the images bucket: those of LoadDatabase,
// AWS_REGION and AWS_UPLOAD_BUCKET_NAME.
func LoadImages(getenv func(string) string) (Settings, error) {
	l := &loader{getenv: getenv}
	l.database(false)
	l.aws()
	l.bucket()
	return l.done()
}

// LoadBuckets reads the settings that are needed to use any bucket: AWS_REGION and, if it is set, AWS_UPLOAD_BUCKET_NAME.
func LoadBuckets(getenv func(string) string) (Settings, error) {
	l := &loader{getenv: getenv}
	l.aws()
	if getenv(contract.EnvImagesBucket) != "" {
		l.bucket()
	}
	return l.done()
}

type loader struct {
	getenv   func(string) string
	s        Settings
	problems []error
}

// problem adds an error about the variable env.
func (l *loader) problem(env, text string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf("settings: "+env+" "+text, args...))
}

func (l *loader) done() (Settings, error) {
	if err := errors.Join(l.problems...); err != nil {
		return Settings{}, err
	}
	return l.s, nil
}

func (l *loader) database(withKey bool) {
	uri, object, key := l.getenv(envMongoDBURI), l.getenv(contract.EnvCredentialsURI), l.getenv(envJWTKey)
	switch {
	case uri == "" && object == "":
		l.problem(envMongoDBURI, "and %s are both empty; set one of them", contract.EnvCredentialsURI)
	case uri != "" && object != "":
		l.problem(envMongoDBURI, "and %s are both set; set only one of them", contract.EnvCredentialsURI)
	case uri != "":
		if err := checkMongoDBURI(uri); err != nil {
			l.problem(envMongoDBURI, "is %w", err)
		}
		l.s.MongoDBURI = uri
	default:
		bucket, key, ok := format.ObjectURI(object)
		if !ok {
			l.problem(contract.EnvCredentialsURI, "%q: not an object's URI; use s3://bucket/key", object)
		}
		l.s.Credentials = Object{bucket, key}
	}
	switch {
	case !withKey:
	case key != "" && object != "":
		l.problem(envJWTKey, "and %s are both set; unset %s, the object contains the key", contract.EnvCredentialsURI, envJWTKey)
	case key == "" && uri != "":
		l.problem(envJWTKey, "is empty, but %s is set; set it to %d random bytes in base64", envMongoDBURI, JWTKeyMinBytes)
	case key != "":
		var err error
		if l.s.JWTKey, err = ParseJWTKey(key); err != nil {
			l.problem(envJWTKey, "is %w", err)
		}
	}
}

func (l *loader) aws() {
	if l.s.Region = l.getenv(contract.EnvRegion); !format.Region(l.s.Region) {
		l.problem(contract.EnvRegion, "%q: not a region; use one such as us-east-1", l.s.Region)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		if v := l.getenv(name); v != "" {
			if u, err := url.Parse(v); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
				l.problem(name, "%q: not an http or https URL; use one such as http://127.0.0.1:9000", v)
			}
			l.s.PathStyle = true
		}
	}
}

func (l *loader) bucket() {
	if l.s.Bucket = l.getenv(contract.EnvImagesBucket); !format.Bucket(l.s.Bucket) {
		l.problem(contract.EnvImagesBucket, "%q: not a bucket name; use the name of the images bucket", l.s.Bucket)
	}
}

func (l *loader) http() {
	l.s.Port = contract.APIPort
	if v := l.getenv(contract.EnvPort); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 65535 {
			l.problem(contract.EnvPort, "%q: not a port; use a number from 1 to 65535", v)
		}
		l.s.Port = n
	}
	for _, v := range strings.Fields(l.getenv(contract.EnvAllowedOrigins)) {
		if !contract.IsOrigin(v) {
			l.problem(contract.EnvAllowedOrigins, "%q: not an origin as browsers send it; use only a scheme, a host and a port that is not the default, such as https://cinema.example", v)
		}
		l.s.AllowedOrigins = append(l.s.AllowedOrigins, v)
	}
	if v := l.getenv(contract.EnvProxies); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > contract.MaxProxies || strconv.Itoa(n) != v {
			l.problem(contract.EnvProxies, "%q: not a number of proxies from 0 to %d; use 1 behind the load balancer, 2 with the edge before it", v, contract.MaxProxies)
		}
		l.s.Proxies = n
	}
}

// checkMongoDBURI returns an error if uri is not a connection string. The error contains no part of uri.
func checkMongoDBURI(uri string) error {
	if cs, err := connstring.Parse(uri); err != nil || cs.Validate() != nil {
		return errors.New("not a MongoDB connection string; use mongodb://user:password@host/cinema?tls=true")
	}
	return nil
}

// ParseJWTKey decodes a signing key from base64 (RFC 4648, padded). The error contains no part of text.
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
