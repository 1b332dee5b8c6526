package storage

import (
	"fmt"
	"slices"
	"strings"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/internal/problem"
)

// Args are what New needs.
type Args struct {
	// Account is the number of the account that the logs come from.
	Account string
	// Protect keeps the buckets with data from being destroyed or emptied.
	Protect bool
	// LogRetentionDays after which access logs expire, at least 1.
	LogRetentionDays int
	// Releases are put into the artifacts bucket, each binary once.
	Releases []Release
	// Tags go on everything that takes them.
	Tags map[string]string
}

// Release is a binary and how it is stored.
type Release struct {
	*app.Binary
	Form Form
}

// Form is how a release's binary is stored.
type Form string

// The forms.
const (
	// Binary is the executable itself, for instances.
	Binary Form = "binary"
	// LambdaZip is the archive that Lambda unpacks.
	LambdaZip Form = "lambda-zip"
)

// forms are how a release becomes an object: its key, and the file that is uploaded, which is written into a directory.
var forms = map[Form]struct {
	key  func(*app.Binary) string
	file func(b *app.Binary, dir string) (path string, err error)
}{
	Binary:    {(*app.Binary).ObjectKey, (*app.Binary).ObjectFile},
	LambdaZip: {(*app.Binary).ObjectKey, (*app.Binary).ObjectFile},
}

func (a *Args) check() error {
	l := problem.In("storage: ")
	if len(a.Account) != 12 || strings.Trim(a.Account, "0123456789") != "" {
		l.Add("account", a.Account, "is no AWS account", "give its twelve digits")
	}
	if a.LogRetentionDays < 1 {
		l.Add("logRetentionDays", a.LogRetentionDays, "would keep no access log", "keep them for one day or more")
	}
	var names []string
	for i, r := range a.Releases {
		at := fmt.Sprintf("releases[%d]", i)
		if r.Binary == nil {
			l.Add(at, "", "has no binary", "give one of "+strings.Join(contract.Names(), ", "))
			continue
		}
		if slices.Contains(names, r.Name) {
			l.Add(at, r.Name, "appears twice", "remove one")
		}
		names = append(names, r.Name)
		if _, known := forms[r.Form]; !known {
			l.Add(at+".form", string(r.Form), "is no form of a release", fmt.Sprintf("use %s or %s", Binary, LambdaZip))
		}
	}
	return l.Err()
}
