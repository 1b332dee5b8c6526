// Package client is the web page: plain files that a static site serves as they are, without a build.
//
// It is ES modules, without a framework, for browsers of 2024 and later. index.html carries the content security policy,
// since a static site sends no headers; js/main.js decides what an address shows; js/api.js alone talks to the API;
// js/session.js keeps the token and says why there; js/views holds one module for each view.
//
// The page learns the API's address from config.js alone. The committed one means "the page's own origin", which is
// right where the API serves the page itself; elsewhere the publisher writes its own config.js over it.
package client

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Files holds exactly the published files, by their path below the site's root.
//
//go:embed index.html config.js favicon.ico css icons js
var Files embed.FS

// ConfigPath is the file that the publisher replaces: an ES module, export default { apiUrl: "https://api.example" },
// the address without a trailing slash.
const ConfigPath = "config.js"

// File is one published file.
type File struct {
	// Path is the file's name in Files and its key in the site's bucket, e.g. "js/main.js".
	Path string
	// ContentType is the value of the header of that name; text is UTF-8.
	ContentType string
	// CacheControl is the value of the header of that name.
	CacheControl string
}

// contentTypes is fixed here because mime.TypeByExtension answers from the machine's own tables.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".ico":  "image/x-icon",
	".js":   "text/javascript; charset=utf-8",
	".png":  "image/png",
	".svg":  "image/svg+xml",
}

const (
	// revalidate makes browsers ask each time: a 304 where nothing has changed.
	revalidate = "no-cache"
	// short bounds how long a browser may mix files of two releases. The names carry no digest, as nothing builds the
	// page, so a file must never be kept for long: one minute covers a visit's page loads and little more.
	short = "public, max-age=60, must-revalidate"
)

// Pages lists the published files, sorted by path, so that whoever publishes them does it in the same order everywhere.
func Pages() []File {
	var files []File
	// Walking an embed.FS whose root is readable gives no error, and every name in it has a type: a test holds that.
	_ = fs.WalkDir(Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file := File{Path: name, ContentType: contentTypes[path.Ext(name)], CacheControl: short}
		if name == "index.html" || name == ConfigPath {
			file.CacheControl = revalidate
		}
		files = append(files, file)
		return nil
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files
}
