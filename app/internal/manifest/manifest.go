// Package manifest defines the files that app/cmd/build writes and package app reads: the names of the compressed binaries,
// and the manifest in the same folder.
package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cinema-database/app/contract"
	"cinema-database/internal/format"
)

// Name is the manifest's file name.
const Name = "manifest.json"

// FileName is the file name of a compressed binary.
func FileName(name, arch string) string { return name + "-linux-" + arch + ".gz" }

// Entry is one built binary.
type Entry struct {
	// Name is one of contract.Names, Arch one of contract.Architectures.
	Name string `json:"name"`
	Arch string `json:"arch"`
	// SHA256 is the digest of the uncompressed binary, 64 lower-case hex digits.
	SHA256 string `json:"sha256"`
	// Size is the uncompressed binary's, in bytes.
	Size int64 `json:"size"`
}

// Manifest lists the built binaries, sorted by name, then architecture.
type Manifest struct {
	Binaries []Entry `json:"binaries"`
}

// Find returns the entry of one binary and architecture, and whether there is one.
func (m Manifest) Find(name, arch string) (Entry, bool) {
	for _, e := range m.Binaries {
		if e.Name == name && e.Arch == arch {
			return e, true
		}
	}
	return Entry{}, false
}

// Encode returns the manifest as JSON: the same bytes for the same entries in any order.
func (m Manifest) Encode() ([]byte, error) {
	sorted := Manifest{Binaries: slices.Clone(m.Binaries)}
	slices.SortFunc(sorted.Binaries, func(a, b Entry) int {
		if a.Name != b.Name {
			return strings.Compare(a.Name, b.Name)
		}
		return strings.Compare(a.Arch, b.Arch)
	})
	data, err := json.MarshalIndent(sorted, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("manifest: encode: %w", err)
	}
	return append(data, '\n'), nil
}

// Decode parses a manifest and reports all of its errors at once.
func Decode(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %s: %w; run `make app`", Name, err)
	}
	var problems []error
	refuse := func(i int, field string, value any, reason string) {
		problems = append(problems, fmt.Errorf("manifest: %s: Binaries[%d].%s %v: %s; run `make app`", Name, i, field, value, reason))
	}
	seen := map[string]bool{}
	for i, e := range m.Binaries {
		if _, ok := contract.FormOf(e.Name); !ok {
			refuse(i, "Name", fmt.Sprintf("%q", e.Name), "no such binary")
		}
		if !slices.Contains(contract.Architectures, e.Arch) {
			refuse(i, "Arch", fmt.Sprintf("%q", e.Arch), "no such architecture")
		}
		if !format.SHA256(e.SHA256) {
			refuse(i, "SHA256", fmt.Sprintf("%q", e.SHA256), "not 64 lower-case hex digits")
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
