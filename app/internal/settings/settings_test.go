package settings

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var key = base64.StdEncoding.EncodeToString(make([]byte, 32))

func env(values ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(values); i += 2 {
		m[values[i]] = values[i+1]
	}
	return func(name string) string { return m[name] }
}

func TestLoad(t *testing.T) {
	s, err := Load(env("MONGODB_URI", "mongodb://u:p@db:27017/cinema?tls=true", "JWT_KEY", key,
		"AWS_UPLOAD_BUCKET_NAME", "cinema-images", "AWS_REGION", "us-east-1"))
	require.NoError(t, err)
	assert.Equal(t, Settings{MongoDBURI: "mongodb://u:p@db:27017/cinema?tls=true", JWTKey: make([]byte, 32),
		Bucket: "cinema-images", Region: "us-east-1", Port: 8081}, s)

	s, err = Load(env("CREDENTIALS_URI", "s3://artifacts/credentials/api.json", "AWS_UPLOAD_BUCKET_NAME", "cinema-images",
		"AWS_REGION", "us-gov-west-1", "PORT", "80", "ALLOWED_ORIGINS", " https://cinema.example  http://localhost:3000", "PROXIES", "2",
		"AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000"))
	require.NoError(t, err)
	assert.Equal(t, Settings{Credentials: Object{"artifacts", "credentials/api.json"}, Bucket: "cinema-images", Region: "us-gov-west-1",
		PathStyle: true, Port: 80, AllowedOrigins: []string{"https://cinema.example", "http://localhost:3000"}, Proxies: 2}, s)
}

func TestLoadReportsAllErrors(t *testing.T) {
	_, err := Load(env("MONGODB_URI", "postgres://u:secret@db", "JWT_KEY", "c2hvcnQ=", "AWS_UPLOAD_BUCKET_NAME", "Bad_Name", "AWS_REGION", "moon",
		"PORT", "x", "ALLOWED_ORIGINS", "https://cinema.example/path https://cinema.example *", "PROXIES", "yes", "AWS_ENDPOINT_URL_S3", "localhost"))
	require.Error(t, err)
	for _, name := range []string{"MONGODB_URI", "JWT_KEY", "AWS_UPLOAD_BUCKET_NAME", "AWS_REGION", "PORT", `ALLOWED_ORIGINS "https://cinema.example/path"`, `ALLOWED_ORIGINS "*"`, "PROXIES", "AWS_ENDPOINT_URL_S3"} {
		assert.ErrorContains(t, err, "settings: "+name)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 9)
	assert.NotContains(t, err.Error(), "secret")
}

func TestLoadRefuses(t *testing.T) {
	good := []string{"AWS_UPLOAD_BUCKET_NAME", "cinema-images", "AWS_REGION", "us-east-1"}
	for name, c := range map[string]struct {
		values []string
		want   string
	}{
		"neither":           {nil, "both empty"},
		"both":              {[]string{"MONGODB_URI", "mongodb://db/cinema", "CREDENTIALS_URI", "s3://bucket/key"}, "both set"},
		"URI without key":   {[]string{"MONGODB_URI", "mongodb://db/cinema"}, "JWT_KEY is empty"},
		"key twice":         {[]string{"CREDENTIALS_URI", "s3://bucket/key", "JWT_KEY", key}, "JWT_KEY and CREDENTIALS_URI are both set"},
		"key not base64":    {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", "!"}, "not base64"},
		"object not S3":     {[]string{"CREDENTIALS_URI", "https://bucket/key"}, "s3://bucket/key"},
		"object no key":     {[]string{"CREDENTIALS_URI", "s3://bucket/"}, "s3://bucket/key"},
		"origin with slash": {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "ALLOWED_ORIGINS", "https://cinema.example/"}, "ALLOWED_ORIGINS"},
		"any origin":        {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "ALLOWED_ORIGINS", "*"}, "ALLOWED_ORIGINS"},
		"a comma":           {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "ALLOWED_ORIGINS", "https://a.example,https://b.example"}, "ALLOWED_ORIGINS"},
		"three proxies":     {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "PROXIES", "3"}, `PROXIES "3": not a number of proxies from 0 to 2; use 1`},
		"fewer than none":   {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "PROXIES", "-1"}, "PROXIES"},
		"a signed number":   {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "PROXIES", "+1"}, "PROXIES"},
		"not a number":      {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "PROXIES", "true"}, "PROXIES"},
		"port 0":            {[]string{"MONGODB_URI", "mongodb://db/cinema", "JWT_KEY", key, "PORT", "0"}, "PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(env(append(c.values, good...)...))
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestLoadDatabase(t *testing.T) {
	s, err := LoadDatabase(env("MONGODB_URI", "mongodb://db/cinema"))
	require.NoError(t, err)
	assert.Equal(t, "mongodb://db/cinema", s.MongoDBURI)
	_, err = LoadDatabase(env("CREDENTIALS_URI", "s3://artifacts/key"))
	assert.ErrorContains(t, err, "AWS_REGION")
}

func TestLoadForOperators(t *testing.T) {
	s, err := LoadImages(env("MONGODB_URI", "mongodb://db/cinema", "AWS_REGION", "us-east-1", "AWS_UPLOAD_BUCKET_NAME", "cinema-images"))
	require.NoError(t, err)
	assert.Equal(t, Settings{MongoDBURI: "mongodb://db/cinema", Region: "us-east-1", Bucket: "cinema-images"}, s)
	_, err = LoadImages(env("MONGODB_URI", "mongodb://db/cinema"))
	assert.ErrorContains(t, err, "AWS_REGION")
	assert.ErrorContains(t, err, "AWS_UPLOAD_BUCKET_NAME")

	s, err = LoadBuckets(env("AWS_REGION", "us-east-1"))
	require.NoError(t, err)
	assert.Equal(t, Settings{Region: "us-east-1"}, s)
	_, err = LoadBuckets(env("AWS_REGION", "us-east-1", "AWS_UPLOAD_BUCKET_NAME", "Bad_Name"))
	assert.ErrorContains(t, err, "AWS_UPLOAD_BUCKET_NAME")
}
