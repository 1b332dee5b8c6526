// Package s3test runs an S3 server in memory, for tests.
package s3test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Server is a running S3 server with one bucket.
type Server struct {
	// URL is the server's endpoint.
	URL string
	// Objects gives direct access to the objects.
	Objects *s3mem.Backend
	// Client is a client of the server that does not retry.
	Client *s3.Client
	// Intercept, if set, is called for each request. A status other than 0 is the answer.
	Intercept func(*http.Request) (status int)
}

// Start starts a server, which stops when the test ends.
func Start(t testing.TB, bucket string) *Server {
	t.Helper()
	s := &Server{Objects: s3mem.New()}
	if err := s.Objects.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	handler := gofakes3.New(s.Objects).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Intercept != nil {
			if status := s.Intercept(r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.URL, s.Client = server.URL, Client(server.URL)
	return s
}

// Client returns a client of the server with that URL that does not retry.
func Client(url string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &url, UsePathStyle: true, Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
	})
}
