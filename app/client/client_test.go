package client_test

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/client"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(client.Files, name)
	require.NoError(t, err)
	return string(data)
}

func published() []string {
	var names []string
	for _, f := range client.Pages() {
		names = append(names, f.Path)
	}
	return names
}

// references returns the files that a file of the page loads, as paths below the root.
func references(name, text string) []string {
	var patterns []*regexp.Regexp
	switch path.Ext(name) {
	case ".html":
		patterns = []*regexp.Regexp{regexp.MustCompile(`(?:href|src)="([^"#]+)"`)}
	case ".js":
		patterns = []*regexp.Regexp{regexp.MustCompile(`(?m)^import (?:.* from )?"([^"]+)"`), regexp.MustCompile(`import\("([^"]+)"\)`)}
	case ".css":
		patterns = []*regexp.Regexp{regexp.MustCompile(`url\("?([^)"]+)"?\)`)}
	}
	var found []string
	for _, p := range patterns {
		for _, m := range p.FindAllStringSubmatch(text, -1) {
			found = append(found, path.Join(path.Dir(name), m[1]))
		}
	}
	return found
}

func TestPublishedFilesAreThoseThePageLoads(t *testing.T) {
	used := map[string]bool{"index.html": true}
	for queue := []string{"index.html"}; len(queue) > 0; queue = queue[1:] {
		for _, name := range references(queue[0], read(t, queue[0])) {
			if !used[name] {
				used[name] = true
				queue = append(queue, name)
			}
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(used)), published())
}

// The browser can fetch all modules at once instead of discovering them one after the other.
func TestEveryModuleIsPreloaded(t *testing.T) {
	index := read(t, "index.html")
	for _, name := range published() {
		if path.Ext(name) == ".js" && name != "js/main.js" && name != client.ConfigPath {
			assert.Contains(t, index, `<link rel="modulepreload" href="`+name+`">`)
		}
	}
}

func TestPages(t *testing.T) {
	pages := client.Pages()
	assert.True(t, slices.IsSorted(published()), "the order is fixed")
	assert.Equal(t, pages, client.Pages())
	for _, f := range pages {
		assert.NotEmpty(t, f.ContentType, f.Path)
		fresh := f.Path == "index.html" || f.Path == client.ConfigPath
		assert.Equal(t, fresh, f.CacheControl == "no-cache", f.Path)
		assert.NotContains(t, f.CacheControl, "immutable", "file names have no digest")
	}
	assert.Contains(t, pages, client.File{Path: "js/main.js", ContentType: "text/javascript; charset=utf-8", CacheControl: "public, max-age=60, must-revalidate"})
	assert.Contains(t, pages, client.File{Path: "index.html", ContentType: "text/html; charset=utf-8", CacheControl: "no-cache"})
}

func TestTheCommittedConfigMeansThePagesOwnOrigin(t *testing.T) {
	assert.Regexp(t, `(?m)^export default \{ apiUrl: "" \};$`, read(t, client.ConfigPath))
}

// A static site sends no headers, so the policy in the page is the only one.
func TestContentSecurityPolicy(t *testing.T) {
	index := read(t, "index.html")
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]+)"`).FindStringSubmatch(index)
	require.NotNil(t, policy)
	assert.Equal(t, []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: https:",
		"connect-src 'self' https: http:", "base-uri 'none'", "form-action 'none'",
		"require-trusted-types-for 'script'", "trusted-types 'none'",
	}, strings.Split(policy[1], "; "))
	assert.Less(t, strings.Index(index, "Content-Security-Policy"), strings.Index(index, "<link"), "a policy applies only to what follows it")
}

// No markup from data, no code from text, and nothing from another host.
func TestNoUnsafeConstructs(t *testing.T) {
	unsafe := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|javascript:`)
	elsewhere := regexp.MustCompile(`(?:src|href|from|import|url)\s*[=("]+\s*"?(?:https?:)?//`)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:[^>]*)>[^<]`)
	for _, name := range published() {
		text := read(t, name)
		switch path.Ext(name) {
		case ".html":
			assert.NotRegexp(t, inline, text, name)
			fallthrough
		case ".js", ".css":
			assert.NotRegexp(t, unsafe, text, name)
			assert.NotRegexp(t, elsewhere, text, name)
		}
	}
}
