package stack

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/review"
	"cinema-database/internal/rollout"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

// TestReviewOfAPlanOfServices reviews plans that the engine writes for changes of services, as TestReviewOfAPlan does for
// the rest of the stack.
func TestReviewOfAPlanOfServices(t *testing.T) {
	base := map[string]string{"cinema:natGateways": "single", "cinema:availabilityZones": `["us-east-1a","us-east-1b"]`, "cinema:database": "{}",
		"cinema:edge": "{}", "cinema:protect": "false", "cinema:containers": "{}"}
	merged := func(all ...map[string]string) map[string]string {
		config := maps.Clone(base)
		for _, more := range all {
			maps.Copy(config, more)
		}
		return config
	}
	deploy := func(config map[string]string) *sandbox.Session {
		s, _ := open(t, sandbox.Options{Stack: "dev", Quick: true, Config: config, MissingImages: []string{"v9"}})
		_, err := s.Up(t.Context())
		require.NoError(t, err)
		return s
	}
	domain := map[string]string{"cinema:domain": twoServices()["cinema:domain"]}
	without, two := deploy(merged(domain)), deploy(merged(twoServices()))
	const demo = `"image": "v1", "path": "/demo/*"`
	for name, c := range map[string]struct {
		on     *sandbox.Session // nil for the stack with both services
		config map[string]string
	}{
		"service-first":            {on: without, config: twoServices()},
		"service-without-image":    {on: without, config: with(`"image": "v1", "path"`, `"image": "v9", "path"`)},
		"service-image":            {config: with(`"image": "v1", "path"`, `"image": "v2", "path"`)},
		"service-image-elsewhere":  {config: with(`"image": "v1", "path"`, `"image": "public.ecr.aws/nginx/nginx:1.29-alpine", "path"`)},
		"service-port-and-size":    {config: with(demo, demo+`, "port": 9090, "cpu": 512, "memory": 2048`)},
		"service-environment":      {config: with(`"debug"`, `"info", "FILMS": "all"`)},
		"service-path":             {config: with("/demo/*", "/other/*")},
		"service-path-to-host":     {config: with(`"path": "/demo/*"`, `"host": "demo.cinema.example.com"`)},
		"service-scaling":          {config: with(demo, demo+`, "count": {"min": 1, "max": 9}`)},
		"service-permissions":      {config: with(demo, demo+`, "permissions": {"database": true}, "secrets": {"TOKEN": "ssm:/cinema/token"}`)},
		"service-removed":          {config: map[string]string{"cinema:services": `{"demo": {"image": "v1", "path": "/demo/*", "environment": {"LOG_LEVEL": "debug"}}}`}},
		"service-on-hosts":         {config: map[string]string{"cinema:containers": `{"capacity":"ec2"}`}},
		"service-without-nat":      {config: map[string]string{"cinema:natGateways": "none"}},
		"service-without-the-edge": {config: map[string]string{"cinema:edge": "none"}},
		"service-nothing":          {},
	} {
		t.Run(name, func(t *testing.T) {
			s, config := two, merged(twoServices(), c.config)
			if c.on != nil {
				s = c.on
			}
			require.NoError(t, s.SetConfig(config))
			s.SetProgram(func(cloud rollout.Opener) pulumi.RunFunc {
				return Program(Dependencies{FindBinary: standIns, Cloud: cloud, Readme: "readme"})
			})
			plan, err := s.PreviewJSON(t.Context())
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "plan.json")
			require.NoError(t, os.WriteFile(file, plan, 0o600))
			args := []string{"--stack", "dev", "--plan", file, "--format", "md"}
			for k, v := range config {
				args = append(args, "-c", k+"="+v)
			}
			text := pageOf(t, func(review.Finder) pulumi.RunFunc { return programOn(standIns) }, args...)
			require.LessOrEqual(t, len(text), 65536)
			first, _, _ := strings.Cut(text, "<details><summary>Topology")
			first = regexp.MustCompile(`\b[0-9a-f]{40,}\b`).ReplaceAllString(first, "…")
			pulumitest.Golden(t, filepath.Join("stack", "testdata", "review", name+".md"), first)
		})
	}
}
