package mirror

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cinema-database/app/contract"
	"cinema-database/internal/format"
)

// packageName is the form of a key without contract.PackagesPrefix. No element starts with a dot.
var packageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)

// validate reports all errors of a request at once.
func (m *Mirror) validate(r contract.MirrorRequest) error {
	var problems []error
	refuse := func(field, value, reason string) {
		problems = append(problems, fmt.Errorf("mirror: %s %q: %s", field, value, reason))
	}
	if source, err := url.Parse(r.Source); err != nil {
		refuse("source", r.Source, "not a URL; use the https URL of the package")
	} else if reason := m.forbidden(source); reason != "" {
		refuse("source", source.Redacted(), reason)
	}
	if r.SHA256 != "" && !isDigest(r.SHA256) {
		refuse("sha256", r.SHA256, "not a SHA-256 digest; use 64 hex digits, or leave it empty to use the publisher's")
	}
	if r.Bucket == "" {
		refuse("bucket", r.Bucket, "empty; use the name of the artifacts bucket")
	}
	if name, ok := strings.CutPrefix(r.Key, contract.PackagesPrefix); !ok || !packageName.MatchString(name) {
		refuse("key", r.Key, "not a package's key; use "+contract.PackagesPrefix+"<file name>")
	}
	return errors.Join(problems...)
}

// isDigest accepts upper-case digits too, as some publishers use them.
func isDigest(s string) bool { return format.SHA256(strings.ToLower(s)) }

// forbidden returns the reason why u must not be fetched, or "".
func (m *Mirror) forbidden(u *url.URL) string {
	switch {
	case u.Scheme != "https":
		return "not https; use https"
	case u.User != nil:
		return "contains a user name; remove it"
	case u.RawQuery != "" || u.Fragment != "":
		return "contains a query or fragment; remove it"
	case !slices.Contains(m.Hosts, strings.ToLower(u.Host)):
		return "host is not allowed; use one of " + strings.Join(m.Hosts, ", ")
	default:
		return ""
	}
}
