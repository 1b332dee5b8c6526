package client_test

import (
	"cmp"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/client"
	"cinema-database/app/contract"
)

// published returns the published file with that path.
func published(t *testing.T, name string) client.File {
	t.Helper()
	for _, f := range client.Pages() {
		if f.Path == name {
			return f
		}
	}
	require.Fail(t, "not published", name)
	return client.File{}
}

// key returns where the file with that path is published.
func key(name string) string {
	i := slices.IndexFunc(client.Pages(), func(f client.File) bool { return f.Path == name })
	return client.Pages()[i].Key
}

// references returns the files that a published file loads, as keys.
func references(f client.File) []string {
	var patterns []*regexp.Regexp
	switch path.Ext(f.Key) {
	case ".html":
		patterns = []*regexp.Regexp{regexp.MustCompile(`(?:href|src)="([^"#]+)"`)}
	case ".js":
		patterns = []*regexp.Regexp{regexp.MustCompile(`(?m)^import (?:.* from )?"([^"]+)"`), regexp.MustCompile(`import\("([^"]+)"\)`)}
	case ".css":
		patterns = []*regexp.Regexp{regexp.MustCompile(`url\("?([^)"]+)"?\)`)}
	}
	var found []string
	for _, p := range patterns {
		for _, m := range p.FindAllStringSubmatch(f.Content, -1) {
			found = append(found, path.Join(path.Dir(f.Key), m[1]))
		}
	}
	// These are relative to the page.
	for _, m := range regexp.MustCompile(`import\(new URL\("([^"]+)", document\.baseURI\)\.href\)`).FindAllStringSubmatch(f.Content, -1) {
		found = append(found, m[1])
	}
	return found
}

func TestPublishedFilesAreThoseThePageLoads(t *testing.T) {
	pages := map[string]client.File{}
	for _, f := range client.Pages() {
		pages[f.Key] = f
	}
	require.Len(t, pages, len(client.Pages()), "every file has its own key")
	used := map[string]bool{client.IndexPath: true}
	for queue := []string{client.IndexPath}; len(queue) > 0; queue = queue[1:] {
		f, found := pages[queue[0]]
		require.True(t, found, "%s is not published", queue[0])
		for _, name := range references(f) {
			if !used[name] {
				used[name] = true
				queue = append(queue, name)
			}
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(pages)), slices.Collect(maps.Keys(used)))
}

// The browser can fetch all modules at once instead of discovering them one after the other.
func TestEveryModuleIsPreloaded(t *testing.T) {
	index := published(t, client.IndexPath).Content
	for _, f := range client.Pages() {
		if path.Ext(f.Path) == ".js" && f.Path != "js/main.js" && f.Path != client.ConfigPath {
			assert.Contains(t, index, `<link rel="modulepreload" href="`+f.Key+`">`)
		}
	}
}

func TestPages(t *testing.T) {
	pages := client.Pages()
	assert.True(t, slices.IsSortedFunc(pages, func(a, b client.File) int { return cmp.Compare(a.Path, b.Path) }), "the order is fixed")
	assert.Equal(t, pages, client.Pages())
	folder, _, _ := strings.Cut(key("js/main.js"), "/")
	assert.Regexp(t, `^v-[0-9a-f]{12}$`, folder)
	for _, f := range pages {
		assert.NotEmpty(t, f.ContentType, f.Path)
		assert.NotEmpty(t, f.Content, f.Path)
		if f.Path == client.IndexPath || f.Path == client.ConfigPath {
			assert.Equal(t, f.Path, f.Key)
			assert.Equal(t, "no-cache", f.CacheControl, f.Path)
			continue
		}
		assert.Equal(t, folder+"/"+f.Path, f.Key)
		assert.Equal(t, "public, max-age=31536000, immutable", f.CacheControl, f.Path)
		source, err := os.ReadFile(f.Path)
		require.NoError(t, err)
		assert.Equal(t, string(source), f.Content, f.Path)
	}
	source, err := os.ReadFile(client.IndexPath)
	require.NoError(t, err)
	assert.Equal(t, string(source), strings.ReplaceAll(published(t, client.IndexPath).Content, folder+"/", ""), "nothing but the folder differs")
	assert.Equal(t, "text/javascript; charset=utf-8", published(t, "js/main.js").ContentType)
	assert.Equal(t, "text/html; charset=utf-8", published(t, client.IndexPath).ContentType)
	assert.Equal(t, client.Config(contract.BasePath), published(t, client.ConfigPath).Content)
}

// TestEveryChangeHasItsOwnFolder: files with another content or another path are never published under the same keys.
func TestEveryChangeHasItsOwnFolder(t *testing.T) {
	page := &fstest.MapFile{Data: []byte(`<script type="module" src="js/a.js"></script>`)}
	seen := map[string]string{}
	for name, files := range map[string]fstest.MapFS{
		"first":                  {"index.html": page, "js/a.js": {Data: []byte("1")}, "js/b.js": {Data: []byte("2")}},
		"another module":         {"index.html": page, "js/a.js": {Data: []byte("1")}, "js/b.js": {Data: []byte("3")}},
		"exchanged modules":      {"index.html": page, "js/a.js": {Data: []byte("2")}, "js/b.js": {Data: []byte("1")}},
		"another name":           {"index.html": page, "js/a.js": {Data: []byte("1")}, "js/c.js": {Data: []byte("2")}},
		"fewer modules":          {"index.html": page, "js/a.js": {Data: []byte("1")}},
		"content moved":          {"index.html": page, "js/a.js": {Data: []byte("12")}, "js/b.js": {}},
		"another page":           {"index.html": {Data: append([]byte("<p>"), page.Data...)}, "js/a.js": {Data: []byte("1")}, "js/b.js": {Data: []byte("2")}},
		"a file that looks like": {"index.html": page, "js/a.js": {Data: []byte("1\"js/b.js\" 1\n2")}},
	} {
		var index, module string
		for _, f := range client.Publish(files) {
			switch f.Path {
			case "index.html":
				index = f.Content
			case "js/a.js":
				module = f.Key
			}
		}
		assert.Contains(t, index, `src="`+module+`"`, name)
		assert.Empty(t, seen[module], "%s", name)
		seen[module] = name
	}
}

func TestConfig(t *testing.T) {
	assert.Equal(t, "export default { apiUrl: \"/api\" };\n", client.Config("/api"))
	assert.Equal(t, "export default { apiUrl: \"https://api.cinema.example/api\" };\n", client.Config("https://api.cinema.example/api"))
	assert.Equal(t, "export default { apiUrl: \"\\\"};alert(1)//\\u003c/script\\u003e\\u2028\" };\n", client.Config("\"};alert(1)//</script>\u2028"), "a string, whatever it contains")
}

// Where the edge does not serve the page, the policy in the page is the only one. It is the edge's, but for the API on another
// origin, and for frame-ancestors, which browsers accept in a header only.
func TestContentSecurityPolicy(t *testing.T) {
	index := published(t, client.IndexPath).Content
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]+)"`).FindStringSubmatch(index)
	require.NotNil(t, policy)
	var want []string
	for _, directive := range strings.Split(contract.ContentSecurityPolicy, "; ") {
		switch name, _, _ := strings.Cut(directive, " "); name {
		case "frame-ancestors":
		case "connect-src":
			want = append(want, "connect-src 'self' https:")
		default:
			want = append(want, directive)
		}
	}
	assert.Equal(t, want, strings.Split(policy[1], "; "))
	assert.Less(t, strings.Index(index, "Content-Security-Policy"), strings.Index(index, "<link"), "a policy applies only to what follows it")
	assert.Contains(t, index, `<meta name="referrer" content="`+contract.ReferrerPolicy+`">`)
}

// No markup from data, no code from text, and nothing from another host.
func TestNoUnsafeConstructs(t *testing.T) {
	unsafe := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|javascript:`)
	elsewhere := regexp.MustCompile(`(?:src|href|from|import|url)\s*[=("]+\s*"?(?:https?:)?//`)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:[^>]*)>[^<]`)
	for _, f := range client.Pages() {
		switch path.Ext(f.Path) {
		case ".html":
			assert.NotRegexp(t, inline, f.Content, f.Path)
			fallthrough
		case ".js", ".css":
			assert.NotRegexp(t, unsafe, f.Content, f.Path)
			assert.NotRegexp(t, elsewhere, f.Content, f.Path)
		}
	}
}
