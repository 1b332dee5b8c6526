package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/cli"
	"cinema-database/internal/testutil/fakecli"
	"cinema-database/internal/testutil/must"
)

// store is a registry that counts what it is sent.
type store struct {
	host string

	mu       sync.Mutex
	uploaded []string // digests of blobs, in the order of their completion
	patches  int
	// before answers a request itself if it returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
}

// newStore starts a registry without a log-in, which forgets everything at the end of the test.
func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{}
	next := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		before := s.before
		if r.Method == http.MethodPatch {
			s.patches++
		}
		s.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		next.ServeHTTP(w, r)
		if digest := r.URL.Query().Get("digest"); r.Method == http.MethodPut && digest != "" {
			s.mu.Lock()
			s.uploaded = append(s.uploaded, digest)
			s.mu.Unlock()
		}
	}))
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	t.Setenv("DOCKER_CONFIG", t.TempDir()) // without logins
	return s
}

// onRequest sets what answers requests before the registry does.
func (s *store) onRequest(before func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

// uploads returns the digests of the blobs that were uploaded since the last call, sorted.
func (s *store) uploads() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.uploaded
	s.uploaded = nil
	slices.Sort(all)
	return all
}

// repository is the repository of all tests.
func (s *store) repository() string { return s.host + "/cinema-dev-containers-demo" }

// pull opens what a tag names.
func (s *store) pull(t *testing.T, tag string) *remote.Descriptor {
	t.Helper()
	return must.OK(remote.Get(must.OK(name.ParseReference(s.repository() + ":" + tag))(t)))(t)
}

// tags lists the tags of the repository.
func (s *store) tags(t *testing.T) []string {
	t.Helper()
	response := must.OK(http.Get("http://" + s.host + "/v2/cinema-dev-containers-demo/tags/list"))(t)
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return nil
	}
	var answer struct{ Tags []string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Tags
}

// push is a command line that pushes the module's program for one architecture.
func (s *store) push(tag string, more ...string) []string {
	return append([]string{"push", "--repository", s.repository(), "--tag", tag, "--package", ".", "--arch", "amd64"}, more...)
}

func TestPushAndPull(t *testing.T) {
	inModule(t)
	s := newStore(t)
	digest, out := succeeds(t, "push", "--repository", s.repository(), "--tag", "v1")
	assert.Contains(t, out, "certificates and users: pushed, ")
	assert.Contains(t, out, "cinema, linux/arm64: pushed, ")
	assert.Contains(t, out, "cinema, linux/amd64: pushed, ")
	assert.True(t, strings.HasSuffix(out, "pushed to "+s.repository()+":v1\nimage: v1\ndigest: "+digest+"\n"), out)
	assert.Len(t, s.uploads(), 5, "a layer for both, and for each the program and its settings")

	pulled := s.pull(t, "v1")
	assert.Equal(t, digest, pulled.Digest.String())
	index := must.OK(pulled.ImageIndex())(t)
	built, _ := succeeds(t, "build", "--output", "out")
	assert.Equal(t, built, digest, "the tag does not change the image")
	layout, whole := written(t, "out")
	onDisk := must.OK(layout.ImageIndex(whole.Digest))(t)
	for _, d := range must.OK(index.IndexManifest())(t).Manifests {
		want, got := files(t, must.OK(onDisk.Image(d.Digest))(t)), files(t, must.OK(index.Image(d.Digest))(t))
		require.Len(t, got, len(want))
		for n := range want {
			assert.Equal(t, want[n].Header, got[n].Header)
			assert.True(t, bytes.Equal(want[n].content, got[n].content), want[n].Name)
		}
	}
}

func TestASecondPushReusesLayers(t *testing.T) {
	inModule(t)
	s := newStore(t)
	first, _ := succeeds(t, s.push("v1")...)
	assert.Len(t, s.uploads(), 3)

	again, out := succeeds(t, s.push("v1")...)
	assert.Equal(t, first, again)
	assert.Contains(t, out, s.repository()+":v1 is this image already\nimage: v1\n")
	assert.Empty(t, s.uploads())

	_, out = succeeds(t, s.push("v1-again")...)
	assert.Empty(t, s.uploads())
	assert.Contains(t, out, "certificates and users: the repository has it, ")
	assert.Equal(t, first, s.pull(t, "v1-again").Digest.String())

	hello(t, ".", "another text")
	second, out := succeeds(t, s.push("v2")...)
	assert.NotEqual(t, first, second)
	assert.Contains(t, out, "certificates and users: the repository has it, ")
	manifest := must.OK(must.OK(s.pull(t, "v2").Image())(t).Manifest())(t)
	want := []string{manifest.Config.Digest.String(), manifest.Layers[1].Digest.String()}
	slices.Sort(want)
	assert.Equal(t, want, s.uploads())
}

// cut ends the connection of a request after a part of its body.
func cut(t *testing.T, w http.ResponseWriter, r *http.Request) {
	_, err := io.CopyN(io.Discard, r.Body, 1000)
	assert.NoError(t, err)
	connection, _, err := w.(http.Hijacker).Hijack()
	if assert.NoError(t, err) {
		connection.Close()
	}
}

// large reports whether a request uploads a layer: the settings are smaller.
func large(r *http.Request) bool { return r.Method == http.MethodPatch && r.ContentLength > 10_000 }

func TestABrokenUploadIsRepeated(t *testing.T) {
	inModule(t)
	s := newStore(t)
	var once sync.Once
	s.onRequest(func(w http.ResponseWriter, r *http.Request) (done bool) {
		if large(r) {
			once.Do(func() {
				cut(t, w, r)
				done = true
			})
		}
		return done
	})
	digest, out := succeeds(t, s.push("v1")...)
	assert.Contains(t, out, "an upload broke off after ")
	assert.Len(t, s.uploads(), 3)
	assert.Equal(t, 4, s.patches)
	image := must.OK(s.pull(t, "v1").Image())(t)
	assert.Equal(t, digest, must.OK(image.Digest())(t).String())
	assert.Len(t, files(t, image), 8)
}

func TestABusyRegistryIsAskedAgain(t *testing.T) {
	inModule(t)
	s := newStore(t)
	var once sync.Once
	s.onRequest(func(w http.ResponseWriter, r *http.Request) (done bool) {
		if large(r) {
			once.Do(func() {
				w.WriteHeader(http.StatusServiceUnavailable)
				done = true
			})
		}
		return done
	})
	_, out := succeeds(t, s.push("v1")...)
	assert.Contains(t, out, ": 503 Service Unavailable\n")
}

func TestAnUploadThatAlwaysBreaksIsRefused(t *testing.T) {
	inModule(t)
	s := newStore(t)
	s.onRequest(func(w http.ResponseWriter, r *http.Request) bool {
		if large(r) {
			cut(t, w, r)
		}
		return large(r)
	})
	code, out, errs := command(t, s.push("v1")...)
	assert.Equal(t, cli.ExitFailed, code)
	assert.NotContains(t, out, "digest: ")
	assert.Regexp(t, `^image: push to `+s.repository()+`:v1: Patch ".*": .*; run the command again: parts that the repository has are not uploaded again\n$`, errs)
	assert.Empty(t, s.tags(t))

	s.onRequest(nil)
	s.uploads()
	succeeds(t, s.push("v1")...)
	assert.Equal(t, []string{"v1"}, s.tags(t))
	assert.NotEmpty(t, s.uploads())
}

func TestATagIsNeverMoved(t *testing.T) {
	inModule(t)
	s := newStore(t)
	first, _ := succeeds(t, s.push("v1")...)
	s.uploads()
	hello(t, ".", "another text")
	second, _ := succeeds(t, "build", "--package", ".", "--arch", "amd64")
	refusal := "image: tag v1: names another image in " + s.repository() + ", and a tag is never moved: " + first + ", and this one is " + second + "; push under another --tag\n"

	code, _, errs := command(t, s.push("v1")...)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Equal(t, refusal, errs)
	assert.Empty(t, s.uploads())

	// Another push sets the tag in between: only the repository can refuse then, as ECR does.
	const message = "The image tag 'v1' already exists in the 'demo' repository and cannot be overwritten because the tag is immutable."
	raced := func(tag string, reveal bool) {
		asked := 0
		s.onRequest(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/manifests/"+tag) {
				return false
			}
			switch r.Method {
			case http.MethodHead:
				asked++
				if reveal && asked > 2 { // the command and the library ask before the upload
					return false
				}
				w.WriteHeader(http.StatusNotFound)
			case http.MethodPut:
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"errors": [{"code": "TAG_INVALID", "message": %q}]}`, message)
			}
			return true
		})
	}
	raced("v1", true)
	code, _, errs = command(t, s.push("v1")...)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Equal(t, refusal, errs)

	raced("v1", false)
	code, _, errs = command(t, s.push("v1")...)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "TAG_INVALID: "+message+"; push under another --tag\n")

	// The other push was of the same image.
	s.onRequest(nil)
	succeeds(t, s.push("v2")...)
	raced("v2", true)
	digest, out := succeeds(t, s.push("v2")...)
	assert.Equal(t, second, digest)
	assert.Contains(t, out, s.repository()+":v2 is this image already\n")
	s.onRequest(nil)
	assert.Equal(t, first, s.pull(t, "v1").Digest.String())
}

func TestRefusalsOfTheRegistry(t *testing.T) {
	inModule(t)
	s := newStore(t)
	for want, c := range map[string]struct {
		status int
		code   string
	}{
		"NAME_UNKNOWN: no; the repository does not exist: `pulumi up` creates it for a service of cinema:services\n": {http.StatusNotFound, "NAME_UNKNOWN"},
		"DENIED: no; the identity may not push there: use one that may, such as the stack's push role\n":             {http.StatusForbidden, "DENIED"},
		"TOOMANYREQUESTS: no; run the command again later\n":                                                         {http.StatusTooManyRequests, "TOOMANYREQUESTS"},
	} {
		s.onRequest(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost {
				return false
			}
			w.WriteHeader(c.status)
			fmt.Fprintf(w, `{"errors": [{"code": %q, "message": "no"}]}`, c.code)
			return true
		})
		code, _, errs := command(t, s.push("v1")...)
		assert.Equal(t, cli.ExitFailed, code)
		assert.True(t, strings.HasPrefix(errs, "image: push to "+s.repository()+":v1: POST ") && strings.HasSuffix(errs, want), errs)
	}
	code, _, errs := command(t, "push", "--repository", "demo", "--tag", "v1", "--package", ".")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, `image: repository "demo": `)
	assert.Contains(t, errs, "; write it like 123456789012.dkr.ecr.us-east-1.amazonaws.com/name\n")
}

// requireLogin makes the registry demand a user and a password.
func (s *store) requireLogin(user, password string) {
	s.onRequest(func(w http.ResponseWriter, r *http.Request) bool {
		if u, p, _ := r.BasicAuth(); u == user && p == password {
			return false
		}
		w.Header().Set("Www-Authenticate", `Basic realm="`+s.host+`"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
}

func TestLoginOfAnotherRegistry(t *testing.T) {
	inModule(t)
	s := newStore(t)
	s.requireLogin("ann", "secret")
	code, _, errs := command(t, s.push("v1")...)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs, "; the registry refuses the login: use the account of the repository, or for a registry other than ECR `docker login "+s.host+"`\n")

	login := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, s.host, base64.StdEncoding.EncodeToString([]byte("ann:secret")))
	require.NoError(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(login), 0o600))
	succeeds(t, s.push("v1")...)
	s.onRequest(nil)
	assert.Equal(t, []string{"v1"}, s.tags(t))
}

// fakeECR answers GetAuthorizationToken for one access key.
func fakeECR(t *testing.T, accessKey, token string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if target := r.Header.Get("X-Amz-Target"); target != "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken" ||
			!strings.Contains(r.Header.Get("Authorization"), "Credential="+accessKey+"/") || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/ecr/") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type": "AccessDeniedException", "message": %q}`, "not allowed: "+target)
			return
		}
		fmt.Fprintf(w, `{"authorizationData": [{"authorizationToken": %q, "expiresAt": 4102444800, "proxyEndpoint": "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"}]}`, token)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// stackOf is the Pulumi CLI of a stack with a repository for the service demo, and another access key in its config than in
// the environment. The current folder becomes the module.
func stackOf(t *testing.T, repository, ecr, accessKey string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "ENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_ENDPOINT_URL": "",
	} {
		t.Setenv(name, value)
	}
	fakecli.Install(t, map[string]string{
		"stack output --json --non-interactive --stack dev":   fmt.Sprintf(`{"region": "eu-west-1", "repositories": {"another": "x", "demo": %q}}`, repository),
		"config --json --non-interactive --stack dev":         fmt.Sprintf(`{"aws:endpoints": {"value": "[{\"ecr\": \"%s\"}]"}, "aws:accessKey": {"value": %q}, "aws:secretKey": {"value": "s"}}`, ecr, accessKey),
		"stack output --json --non-interactive --stack empty": `{"region": "eu-west-1"}`,
	})
	hello(t, ".", "hello")
}

func TestPushToAService(t *testing.T) {
	s := newStore(t)
	s.requireLogin("AWS", "token:with:colons")
	stackOf(t, s.repository(), fakeECR(t, "STACK", base64.StdEncoding.EncodeToString([]byte("AWS:token:with:colons"))), "STACK")
	line := []string{"push", "--service", "demo", "--tag", "v1", "--arch", "arm64"}
	_, out := succeeds(t, line...)
	assert.Contains(t, out, "pushed to "+s.repository()+":v1\nimage: v1\n")

	for want, change := range map[string][]string{
		`service "dem": stack dev has no repository for it, but for another, demo; correct --service, or add it to cinema:services and run ` + "`pulumi up --stack dev`": {"--service", "dem"},
		`service "demo": stack empty has no repositories; add the service to cinema:services, and run ` + "`pulumi up --stack empty`":                                    {"--stack", "empty"},
		"outputs of stack none: exit status 255: error: no stack named 'none' found":                                                                                     {"--stack", "none"},
	} {
		code, _, errs := command(t, append(line, change...)...)
		assert.Equal(t, cli.ExitFailed, code)
		assert.Equal(t, "image: "+want+"\n", errs)
	}
}

func TestLoginThatECRRefuses(t *testing.T) {
	s := newStore(t)
	for want, c := range map[string]struct{ token, accessKey string }{
		"AccessDeniedException": {"", "ANOTHER"},
		"ECR: login: the token is not a user and a password in base64": {"c2VjcmV0", "STACK"},
	} {
		stackOf(t, s.repository(), fakeECR(t, "STACK", c.token), c.accessKey)
		code, out, errs := command(t, "push", "--service", "demo", "--tag", "v1", "--arch", "arm64")
		assert.Equal(t, cli.ExitFailed, code)
		assert.Contains(t, errs, "image: ECR: login: ")
		assert.Contains(t, errs, want)
		assert.NotContains(t, errs, "c2VjcmV0")
		assert.NotContains(t, out, "compiled", "it logs in before it compiles")
	}
}

func TestInterrupt(t *testing.T) {
	inModule(t)
	s := newStore(t)
	ctx, interrupt := context.WithCancel(t.Context())
	s.onRequest(func(_ http.ResponseWriter, r *http.Request) bool {
		if large(r) {
			interrupt()
			_, _ = io.Copy(io.Discard, r.Body) // the server sees the end of the connection
			<-r.Context().Done()
		}
		return large(r)
	})
	var out, errs bytes.Buffer
	assert.Equal(t, cli.ExitFailed, run(ctx, s.push("v1"), &out, &errs))
	assert.Equal(t, "image: interrupted; run the command again: layers that the repository has are not uploaded again\n", errs.String())
	assert.NotContains(t, out.String(), "broke off")
	s.onRequest(nil)
	assert.Empty(t, s.tags(t))

	code := run(ctx, []string{"build", "--output", "out"}, &out, &errs)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, errs.String(), "image: interrupted; nothing is written\n")
	assert.NoDirExists(t, "out")
}

// answer is a registry that reads the body and answers with a status, or fails.
type answer func(r *http.Request) (int, error)

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	status, err := a(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: http.NoBody, Request: r}, nil
}

func TestProgressOnATerminal(t *testing.T) {
	clock := time.Unix(1000, 0)
	var out, errs bytes.Buffer
	s := newScreen(&out, &errs)
	s.terminal, s.now = true, func() time.Time { return clock }
	program := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
	other := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("b", 64)}
	i := &image{blobs: map[v1.Hash]blob{program: {"program", 4000}, other: {"other", 6000}}}

	var server answer
	u := newUpload(answer(func(r *http.Request) (int, error) { return server(r) }), i, s)
	send := func(method, url string, body []byte) {
		r := must.OK(http.NewRequestWithContext(t.Context(), method, "http://registry/v2/demo"+url, bytes.NewReader(body)))(t)
		_, _ = u.RoundTrip(r)
	}
	shown := func() string {
		text := errs.String()
		errs.Reset()
		return text
	}

	clock = clock.Add(2 * time.Second)
	server = func(*http.Request) (int, error) { return http.StatusOK, nil }
	send(http.MethodHead, "/blobs/"+other.String(), nil)
	assert.Equal(t, "\r\x1b[K 60 %  6.0 kB of 10.0 kB  3.0 kB/s\r\x1b[K", shown(), "the line below it comes back with the next byte")
	assert.Equal(t, "other: the repository has it, 6.0 kB\n", out.String())
	out.Reset()

	// Several reads within the interval change the line once.
	server = func(r *http.Request) (int, error) {
		clock = clock.Add(time.Second)
		for range 4 {
			if _, err := io.ReadFull(r.Body, make([]byte, 500)); err != nil {
				return 0, err
			}
			clock = clock.Add(time.Millisecond)
		}
		return 0, io.ErrUnexpectedEOF
	}
	send(http.MethodPatch, "/blobs/uploads/1", make([]byte, 4000))
	assert.Equal(t, "\r\x1b[K 65 %  6.5 kB of 10.0 kB  2.2 kB/s\r\x1b[K", shown())
	assert.Equal(t, "an upload broke off after 2.0 kB: unexpected EOF\n", out.String())
	assert.EqualValues(t, 6000, u.sent, "what is lost does not count")
	out.Reset()

	server = func(r *http.Request) (int, error) {
		clock = clock.Add(time.Second)
		_, err := io.Copy(io.Discard, r.Body)
		return http.StatusAccepted, err
	}
	send(http.MethodPatch, "/blobs/uploads/2", make([]byte, 4000))
	assert.Contains(t, shown(), "\r\x1b[K100 %  10.0 kB of 10.0 kB  ")
	send(http.MethodPut, "/blobs/uploads/2?digest="+program.String(), nil)
	assert.Equal(t, "program: pushed, 4.0 kB\n", out.String())
	s.end()
	assert.Equal(t, "\r\x1b[K", shown(), "the line is removed")

	// Elsewhere there are only lines.
	s.terminal = false
	clock = clock.Add(time.Second)
	send(http.MethodHead, "/blobs/"+other.String(), nil)
	assert.Empty(t, shown())
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 999: "999 B", 1500: "1.5 kB", 999_960: "1.0 MB", 20_800_000: "20.8 MB", 1_500_000_000: "1.5 GB"} {
		assert.Equal(t, want, size(bytes))
	}
}
