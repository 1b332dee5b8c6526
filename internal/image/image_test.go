package image

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/cli"
	"cinema-database/internal/testutil/fakecli"
)

// answer is AWS: a parameter for each architecture, and images of a date.
func answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch text := string(body); {
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetParameter") && strings.Contains(text, `al2023-ami-kernel-6.12-arm64"`):
		fmt.Fprint(w, `{"Parameter":{"Value":"ami-0aaaaaaaaaaaaaaa1"}}`)
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetParameter") && strings.Contains(text, `al2023-ami-kernel-6.12-x86_64"`):
		fmt.Fprint(w, `{"Parameter":{"Value":"ami-0bbbbbbbbbbbbbbb1"}}`)
	case strings.Contains(text, "Action=DescribeImages"):
		fmt.Fprint(w, `<DescribeImagesResponse><imagesSet><item><name>al2023</name><creationDate>2026-11-20</creationDate></item></imagesSet></DescribeImagesResponse>`)
	default:
		http.Error(w, "unexpected: "+text, http.StatusBadRequest)
	}
}

func TestPinsTheNewestImageAndNothingElse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(answer))
	defer server.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	const arm, amd = "ami-0aaaaaaaaaaaaaaa1", "ami-0bbbbbbbbbbbbbbb1"
	for name, c := range map[string]struct {
		before, after string
		prints        []string
	}{
		"none yet": {
			"# Ours.\nconfig:\n  aws:region: us-east-1 # Virginia\n\n  cinema:tags: {a: b}\n",
			"# Ours.\nconfig:\n  aws:region: us-east-1 # Virginia\n  cinema:ami: " + arm + "\n\n  cinema:tags: {a: b}\n",
			[]string{"no image is pinned", "→ " + arm + ": al2023, of 2026-11-20"},
		},
		"an earlier one": {
			"config:\n    cinema:ami:   \"ami-0123456789abcdef0\" # pinned\n    cinema:architecture: amd64\n    aws:region: us-east-1",
			"config:\n    cinema:ami:   " + amd + " # pinned\n    cinema:architecture: amd64\n    aws:region: us-east-1",
			[]string{"ami-0123456789abcdef0: al2023, of 2026-11-20", "→ " + amd},
		},
		"the region is the last line": {"config:\n  aws:region: us-east-1", "config:\n  aws:region: us-east-1\n  cinema:ami: " + arm + "\n", []string{arm}},
		"the newest":                  {"config: # all\n  aws:region: x\n  cinema:ami: " + arm + "\n", "config: # all\n  aws:region: x\n  cinema:ami: " + arm + "\n", []string{"is the newest image"}},
	} {
		t.Run(name, func(t *testing.T) {
			fakecli.Install(t, map[string]string{"config --json --non-interactive --stack prod": "{}"})
			require.NoError(t, os.WriteFile("Pulumi.prod.yaml", []byte(c.before), 0o600))
			var out, errs bytes.Buffer
			require.Equal(t, cli.ExitOK, Main(t.Context(), []string{"--stack", "prod"}, &out, &errs), errs.String())
			after, err := os.ReadFile("Pulumi.prod.yaml")
			require.NoError(t, err)
			assert.Equal(t, c.after, string(after))
			for _, p := range c.prints {
				assert.Contains(t, out.String(), p)
			}
		})
	}
	for before, reason := range map[string]string{
		"config:\n  cinema:ami: ami-1\n":                           "config has no aws:region",
		"encryptionsalt: x\n":                                      "there is no mapping",
		"config: {aws:region: x}\n":                                "there is no mapping",
		"config:\n  aws:region: x\n  cinema:architecture: riscv\n": "neither arm64 nor amd64",
	} {
		fakecli.Install(t, map[string]string{"config --json --non-interactive --stack dev": "{}"})
		require.NoError(t, os.WriteFile("Pulumi.dev.yaml", []byte(before), 0o600))
		var out, errs bytes.Buffer
		assert.Equal(t, cli.ExitFailed, Main(t.Context(), nil, &out, &errs))
		assert.Contains(t, errs.String(), reason)
		after, err := os.ReadFile("Pulumi.dev.yaml")
		require.NoError(t, err)
		assert.Equal(t, before, string(after), "unchanged")
	}
}
