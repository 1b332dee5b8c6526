// Package releases is what the builder and the embedding package agree on: which binaries there are, what their
// files are called, and the manifest that lies beside them.
package releases

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Names are the release binaries, in the order of the manifest. Each is the main package app/cmd/<name>.
func Names() []string { return []string{"cinema", "cinema-db", "mirror", "thumbnailer"} }

// Arches are the architectures that releases can be built for, as Go calls them. The operating system is Linux.
func Arches() []string { return []string{"amd64", "arm64"} }

// FileName is the compressed binary's name in the folder of releases.
func FileName(name, arch string) string { return name + "-linux-" + arch + ".gz" }

// ManifestName is the manifest's name in the folder of releases.
const ManifestName = "manifest.json"

// Entry is one built binary.
type Entry struct {
	Name string `json:"name"`
	Arch string `json:"arch"`
	// SHA256 is the digest of the uncompressed binary, 64 hex digits.
	SHA256 string `json:"sha256"`
	// Size is the uncompressed binary's, in bytes.
	Size int64 `json:"size"`
}

// Manifest lists the built binaries, sorted by name, then architecture.
type Manifest struct {
	Releases []Entry `json:"releases"`
}

// Find gives the entry for one binary and architecture.
func (m Manifest) Find(name, arch string) (Entry, bool) {
	for _, e := range m.Releases {
		if e.Name == name && e.Arch == arch {
			return e, true
		}
	}
	return Entry{}, false
}

// Encode gives the manifest's file, the same bytes for the same entries in any order.
func (m Manifest) Encode() ([]byte, error) {
	sorted := Manifest{Releases: slices.Clone(m.Releases)}
	slices.SortFunc(sorted.Releases, func(a, b Entry) int {
		if a.Name != b.Name {
			return strings.Compare(a.Name, b.Name)
		}
		return strings.Compare(a.Arch, b.Arch)
	})
	data, err := json.MarshalIndent(sorted, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("releases: encode manifest: %w", err)
	}
	return append(data, '\n'), nil
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Decode reads a manifest and reports everything that is wrong with it at once.
func Decode(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("releases: %s: %w; run `make app`", ManifestName, err)
	}
	var problems []error
	refuse := func(i int, field string, value any, reason string) {
		problems = append(problems, fmt.Errorf("releases: %s: Releases[%d].%s %v: %s; run `make app`", ManifestName, i, field, value, reason))
	}
	seen := map[string]bool{}
	for i, e := range m.Releases {
		if !slices.Contains(Names(), e.Name) {
			refuse(i, "Name", fmt.Sprintf("%q", e.Name), "no such binary")
		}
		if !slices.Contains(Arches(), e.Arch) {
			refuse(i, "Arch", fmt.Sprintf("%q", e.Arch), "no such architecture")
		}
		if !digest.MatchString(e.SHA256) {
			refuse(i, "SHA256", fmt.Sprintf("%q", e.SHA256), "not 64 hex digits")
		}
		if e.Size <= 0 {
			refuse(i, "Size", e.Size, "not positive")
		}
		if key := FileName(e.Name, e.Arch); seen[key] {
			refuse(i, "Name", fmt.Sprintf("%q", e.Name), "listed twice for "+e.Arch)
		} else {
			seen[key] = true
		}
	}
	if err := errors.Join(problems...); err != nil {
		return Manifest{}, err
	}
	return m, nil
}
