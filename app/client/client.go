// Package client is the web page: static files that need no build.
//
// It consists of ES modules without a framework, for browsers of 2024 and later. index.html contains the content security
// policy, because a static site sends no headers. js/main.js selects the view for an address, js/views has one module for
// each group of views, js/api.js makes all calls to the API, and js/session.js keeps the token and documents where.
//
// The page reads the API's address from config.js. The committed config.js means the page's own origin, for an API that
// serves the page itself. For any other API, the publisher replaces config.js.
package client

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Files contains exactly the published files, by their path below the site's root.
//
//go:embed index.html config.js favicon.ico css icons js
var Files embed.FS

// ConfigPath is the file that the publisher replaces. It is an ES module with the API's address, without a trailing slash:
// export default { apiUrl: "https://api.example" };
const ConfigPath = "config.js"

// File is one published file.
type File struct {
	// Path is the file's name in Files and its key in the site's bucket, such as "js/main.js".
	Path string
	// ContentType is the Content-Type header. Text is UTF-8.
	ContentType string
	// CacheControl is the Cache-Control header.
	CacheControl string
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
	// revalidate makes browsers request the file each time. The answer is 304 if it has not changed.
	revalidate = "no-cache"
	// cacheBriefly limits how long a browser can mix the files of two releases. File names have no digest, as nothing
	// builds the page, so no file may be cached for long. One minute covers the page loads of a visit.
	cacheBriefly = "public, max-age=60, must-revalidate"
)

// Pages returns the published files, sorted by path, so that they are published in the same order everywhere.
func Pages() []File {
	var files []File
	// WalkDir returns no error for an embed.FS. A test verifies that every file has a content type.
	_ = fs.WalkDir(Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file := File{Path: name, ContentType: contentTypes[path.Ext(name)], CacheControl: cacheBriefly}
		if name == "index.html" || name == ConfigPath {
			file.CacheControl = revalidate
		}
		files = append(files, file)
		return nil
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files
}
