package mirror

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Request names a file and where its copy goes.
type Request struct {
	// Source is the file's https URL, on one of the allowed hosts.
	Source string `json:"source"`
	// SHA256 is the file's digest, 64 hex digits. Where it is empty, the publisher's is read from Source + ".sha256".
	SHA256 string `json:"sha256"`
	// Bucket and Key say where the copy goes. Key is under packages/.
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// Answer says what is at the key.
type Answer struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	// SHA256 is the object's digest, 64 lower-case hex digits.
	SHA256 string `json:"sha256"`
	// Size is the object's, in bytes.
	Size int64 `json:"size"`
	// Copied is false where the object was there already.
	Copied bool `json:"copied"`
}

var (
	hexDigest  = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	packageKey = regexp.MustCompile(`^packages/[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)
)

// validate reports everything that is wrong with a request at once.
func (m *Mirror) validate(r Request) error {
	var problems []error
	refuse := func(field, value, reason string) {
		problems = append(problems, fmt.Errorf("mirror: %s %q: %s", field, value, reason))
	}
	if source, err := url.Parse(r.Source); err != nil {
		refuse("source", r.Source, "not a URL; give the https URL of the package")
	} else if reason := m.forbidden(source); reason != "" {
		refuse("source", source.Redacted(), reason)
	}
	if r.SHA256 != "" && !hexDigest.MatchString(r.SHA256) {
		refuse("sha256", r.SHA256, "not a SHA-256 digest; give 64 hex digits, or nothing for the publisher's own")
	}
	if r.Bucket == "" {
		refuse("bucket", r.Bucket, "empty; name the artifacts bucket")
	}
	if !packageKey.MatchString(r.Key) {
		refuse("key", r.Key, "not a package's key; use packages/<file name>")
	}
	return errors.Join(problems...)
}

// forbidden says why nothing may be fetched from u, or "".
func (m *Mirror) forbidden(u *url.URL) string {
	switch {
	case u.Scheme != "https":
		return "not https; use https"
	case u.User != nil:
		return "holds a user name; leave it out"
	case u.RawQuery != "" || u.Fragment != "":
		return "holds a query or fragment; leave it out"
	case !slices.Contains(m.Hosts, strings.ToLower(u.Host)):
		return "host is not allowed; one of " + strings.Join(m.Hosts, ", ")
	default:
		return ""
	}
}
