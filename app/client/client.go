// Package client is the web page: static files that need no build.
//
// It consists of ES modules without a framework, for browsers of 2024 and later. js/main.js selects the view for an
// address, js/views has one module for each group of views, js/api.js makes all calls to the API, and js/session.js keeps
// the token and documents where.
//
// index.html and config.js are published at the site's root, and browsers request them on every visit. All other files are
// published in a folder that is named after the content of all files. So a page never mixes the files of two releases,
// browsers keep the files for as long as they like, and a new release is visible at once.
//
// The edge sends contract.ContentSecurityPolicy with every page. Where something else serves the site, the policy in
// index.html is the only one. It differs in that the page may call an API on another origin.
package client

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"cinema-database/app/contract"
)

// files contains every published file except config.js.
//
//go:embed index.html favicon.ico css icons js
var files embed.FS

// IndexPath is the page.
const IndexPath = "index.html"

// ConfigPath is the file with the API's address, which the publisher knows: Config returns its content.
const ConfigPath = "config.js"

// File is one published file.
type File struct {
	// Path names the file in every release, such as "js/main.js".
	Path string
	// Key is the file's path below the site's root: Path, or Path in the folder of the release.
	Key string
	// ContentType is the Content-Type header. Text is UTF-8.
	ContentType string
	// CacheControl is the Cache-Control header.
	CacheControl string
	// Content is text or binary data. That of config.js is for an API on the page's own origin.
	Content string
}

// contentTypes is fixed, because mime.TypeByExtension depends on the machine's tables.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".ico":  "image/x-icon",
	".js":   "text/javascript; charset=utf-8",
	".png":  "image/png",
	".svg":  "image/svg+xml",
}

const (
	// revalidate makes browsers and the edge ask for the file each time. The answer is 304 if it has not changed.
	revalidate = "no-cache"
	// cacheForever is for files whose content never changes under the same key.
	cacheForever = "public, max-age=31536000, immutable"
)

// Pages returns the published files, sorted by path, so that they are published in the same order everywhere.
func Pages() []File { return publish(files) }

// Config returns the content of config.js. apiURL is the API's address with contract.BasePath: a path on the page's own
// origin, or an absolute URL such as https://api.cinema.example/api.
func Config(apiURL string) string {
	quoted, err := json.Marshal(apiURL)
	if err != nil {
		panic(err) // marshaling a string never fails
	}
	return fmt.Sprintf("export default { apiUrl: %s };\n", quoted)
}

func publish(source fs.FS) []File {
	all := []File{{Path: ConfigPath, Content: Config(contract.BasePath)}}
	digest := sha256.New()
	// An embed.FS returns no error. It is walked in lexical order. A test verifies that every file has a content type.
	_ = fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(source, name)
		// The length separates the name and the content of one file from the next.
		fmt.Fprintf(digest, "%q %d\n", name, len(data))
		_, _ = digest.Write(data) // never fails
		all = append(all, File{Path: name, Content: string(data)})
		return err
	})
	folder := "v-" + hex.EncodeToString(digest.Sum(nil))[:12] + "/"

	var references []string // pairs of a reference in index.html and its replacement
	for i := range all {
		f := &all[i]
		f.Key, f.ContentType, f.CacheControl = f.Path, contentTypes[path.Ext(f.Path)], revalidate
		if f.Path != IndexPath && f.Path != ConfigPath {
			f.Key, f.CacheControl = folder+f.Path, cacheForever
			references = append(references, `"`+f.Path+`"`, `"`+f.Key+`"`)
		}
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i := range all {
		if all[i].Path == IndexPath {
			all[i].Content = strings.NewReplacer(references...).Replace(all[i].Content)
		}
	}
	return all
}
