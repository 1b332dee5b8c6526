package app

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cinema-database/app/internal/releases"
)

//go:embed bin
var embedded embed.FS

// ErrNotBuilt is returned for a binary that this program was built without.
var ErrNotBuilt = errors.New("not embedded in this program; run `make app`")

// Names are the binaries that a release consists of, sorted.
func Names() []string { return releases.Names() }

// Arches are the architectures that a release can be built for, sorted.
func Arches() []string { return releases.Arches() }

// Release is one embedded binary for linux.
type Release struct {
	// Name is the binary's, one of Names.
	Name string
	// Arch is the architecture as Go calls it, one of Arches.
	Arch string
	// Digest is the SHA-256 of the uncompressed binary, 64 hex digits.
	Digest string
	// Size is the uncompressed binary's, in bytes.
	Size int64

	read func() ([]byte, error)
}

// New is a release of a binary that this program does not embed.
func New(name, arch string, binary []byte) *Release {
	sum := sha256.Sum256(binary)
	return &Release{
		Name: name, Arch: arch, Digest: hex.EncodeToString(sum[:]), Size: int64(len(binary)),
		read: func() ([]byte, error) { return binary, nil },
	}
}

// Find gives the embedded binary of that name and architecture. It reads the manifest only and decompresses
// nothing. A binary that is not embedded is an error that wraps ErrNotBuilt.
func Find(name, arch string) (*Release, error) {
	files, err := fs.Sub(embedded, "bin")
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return find(files, name, arch)
}

func find(files fs.FS, name, arch string) (*Release, error) {
	var problems []error
	if !slices.Contains(Names(), name) {
		problems = append(problems, fmt.Errorf("app: Name %q: no such binary; one of %s", name, strings.Join(Names(), ", ")))
	}
	if !slices.Contains(Arches(), arch) {
		problems = append(problems, fmt.Errorf("app: Arch %q: no such architecture; one of %s", arch, strings.Join(Arches(), ", ")))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	missing := fmt.Errorf("app: %s for linux/%s: %w", name, arch, ErrNotBuilt)
	data, err := fs.ReadFile(files, releases.ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	} else if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	manifest, err := releases.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	entry, ok := manifest.Find(name, arch)
	if !ok {
		return nil, missing
	}
	if _, err := fs.Stat(files, releases.FileName(name, arch)); err != nil {
		return nil, fmt.Errorf("%w (%w)", missing, err)
	}
	r := &Release{Name: name, Arch: arch, Digest: entry.SHA256, Size: entry.Size}
	r.read = func() ([]byte, error) { return r.decompress(files) }
	return r, nil
}

// Key is the binary's object key in the artifacts bucket.
func (r *Release) Key() string { return "releases/" + r.Digest + "/" + r.Name }

// Short is the digest's first twelve digits: what people compare.
func (r *Release) Short() string { return r.Digest[:12] }

// LambdaKey is the object key of what LambdaZip returns, in the artifacts bucket.
func (r *Release) LambdaKey() string { return r.Key() + ".zip" }

// Bytes gives the binary. One that is embedded is decompressed, and checked against Digest and Size.
func (r *Release) Bytes() ([]byte, error) { return r.read() }

func (r *Release) decompress(files fs.FS) ([]byte, error) {
	file, err := files.Open(releases.FileName(r.Name, r.Arch))
	if err != nil {
		return nil, fmt.Errorf("app: %s: %w", r.Name, err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return nil, r.damaged(err)
	}
	data := bytes.NewBuffer(make([]byte, 0, r.Size+bytes.MinRead))
	if _, err := io.Copy(data, io.LimitReader(reader, r.Size+1)); err != nil {
		return nil, r.damaged(err)
	}
	if sum := sha256.Sum256(data.Bytes()); hex.EncodeToString(sum[:]) != r.Digest || int64(data.Len()) != r.Size {
		return nil, r.damaged(errors.New("not the binary that the manifest names"))
	}
	return data.Bytes(), nil
}

func (r *Release) damaged(err error) error {
	return fmt.Errorf("app: %s: %w; run `make app`", releases.FileName(r.Name, r.Arch), err)
}

// zipTime is the earliest time that a zip file can hold; any fixed one would do.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// LambdaZip packs the binary as a Lambda function for provided.al2023: a zip file with the single entry
// `bootstrap`. The same binary gives the same bytes on every machine and with every Go version.
func (r *Release) LambdaZip() ([]byte, error) {
	data, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store, Modified: zipTime}
	header.SetMode(0o755)
	entry, err := archive.CreateHeader(header)
	if err == nil {
		_, err = entry.Write(data)
	}
	if err := errors.Join(err, archive.Close()); err != nil {
		return nil, fmt.Errorf("app: zip %s: %w", r.Name, err)
	}
	return out.Bytes(), nil
}

// File writes the binary into dir, once, as <sha256>-<name>, and gives its path.
func (r *Release) File(dir string) (string, error) {
	return r.write(filepath.Join(dir, r.Digest+"-"+r.Name), r.Bytes, func(path string) (io.ReadCloser, error) {
		return os.Open(path)
	})
}

// LambdaFile writes what LambdaZip returns into dir, once, as <sha256>-<name>.zip, and gives its path.
func (r *Release) LambdaFile(dir string) (string, error) {
	return r.write(filepath.Join(dir, r.Digest+"-"+r.Name+".zip"), r.LambdaZip, func(path string) (io.ReadCloser, error) {
		archive, err := zip.OpenReader(path)
		if err != nil {
			return nil, err
		}
		entry, err := archive.Open("bootstrap")
		if err != nil {
			return nil, errors.Join(err, archive.Close())
		}
		return struct {
			io.Reader
			io.Closer
		}{entry, archive}, nil
	})
}

// holds tells whether what open gives is the binary.
func (r *Release) holds(path string, open func(string) (io.ReadCloser, error)) bool {
	file, err := open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return false
	}
	return hex.EncodeToString(sum.Sum(nil)) == r.Digest
}

// write renames a complete file into place, so that two runs at once never see half a file. One that is
// there already and holds the binary is left alone: checking it is quicker than decompressing again.
func (r *Release) write(path string, content func() ([]byte, error), open func(string) (io.ReadCloser, error)) (string, error) {
	if r.holds(path, open) {
		return path, nil
	}
	data, err := content()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Chmod(0o755), temporary.Close()); err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	return path, nil
}
