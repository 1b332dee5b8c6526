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
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/manifest"
)

//go:embed bin
var embedded embed.FS

// ErrNotBuilt is returned for a binary that this program was built without.
var ErrNotBuilt = errors.New("not embedded in this program; run `make app`")

// Binary is one of the application's binaries, for Linux.
type Binary struct {
	// Name is one of contract.Names.
	Name string
	// Arch is one of contract.Architectures.
	Arch string
	// Digest is the SHA-256 of the binary, 64 hex digits.
	Digest string
	// Size is the binary's length in bytes.
	Size int64

	read func() ([]byte, error)
}

// NewBinary returns a binary with the given content, which this program does not embed.
func NewBinary(name, arch string, content []byte) *Binary {
	sum := sha256.Sum256(content)
	return &Binary{
		Name: name, Arch: arch, Digest: hex.EncodeToString(sum[:]), Size: int64(len(content)),
		read: func() ([]byte, error) { return content, nil },
	}
}

// Find returns the embedded binary of that name and architecture. It reads only the manifest and decompresses
// nothing. For a binary that is not embedded, the error wraps ErrNotBuilt.
func Find(name, arch string) (*Binary, error) {
	files, err := fs.Sub(embedded, "bin")
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return find(files, name, arch)
}

// FindIn is Find for the binaries that app/cmd/build has written to a folder.
func FindIn(dir string) func(name, arch string) (*Binary, error) {
	return func(name, arch string) (*Binary, error) { return find(os.DirFS(dir), name, arch) }
}

func find(files fs.FS, name, arch string) (*Binary, error) {
	var problems []error
	if _, ok := contract.FormOf(name); !ok {
		problems = append(problems, fmt.Errorf("app: Name %q: no such binary; use one of %s", name, strings.Join(contract.Names(), ", ")))
	}
	if !slices.Contains(contract.Architectures, arch) {
		problems = append(problems, fmt.Errorf("app: Arch %q: no such architecture; use one of %s", arch, strings.Join(contract.Architectures, ", ")))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	missing := fmt.Errorf("app: %s for linux/%s: %w", name, arch, ErrNotBuilt)
	data, err := fs.ReadFile(files, manifest.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	} else if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	built, err := manifest.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	entry, ok := built.Find(name, arch)
	if !ok {
		return nil, missing
	}
	if _, err := fs.Stat(files, manifest.FileName(name, arch)); err != nil {
		return nil, fmt.Errorf("%w (%w)", missing, err)
	}
	b := &Binary{Name: name, Arch: arch, Digest: entry.SHA256, Size: entry.Size}
	b.read = func() ([]byte, error) { return b.decompress(files) }
	return b, nil
}

// Short returns the digest's first twelve digits, enough for people to compare.
func (b *Binary) Short() string { return b.Digest[:12] }

func (b *Binary) isLambda() bool {
	form, _ := contract.FormOf(b.Name)
	return form == contract.LambdaZip
}

// ObjectKey returns the artifact's key in the artifacts bucket. The name decides the artifact's form: the binary
// itself, or a zip file for Lambda (contract.FormOf).
func (b *Binary) ObjectKey() string {
	if b.isLambda() {
		return contract.LambdaZipKey(b.Name, b.Digest)
	}
	return contract.ExecutableKey(b.Name, b.Digest)
}

// ObjectFile returns the path of the artifact in the folder dir, which it writes unless it is there already. The file
// is named like the last two elements of ObjectKey: <sha256>-<name>, with .zip for Lambda.
func (b *Binary) ObjectFile(dir string) (string, error) {
	content, open := b.Bytes, func(file string) (io.ReadCloser, error) { return os.Open(file) }
	if b.isLambda() {
		content, open = b.lambdaZip, openBootstrap
	}
	return b.write(filepath.Join(dir, b.Digest+"-"+path.Base(b.ObjectKey())), content, open)
}

// Bytes returns the binary. An embedded one is decompressed, and checked against Digest and Size.
func (b *Binary) Bytes() ([]byte, error) { return b.read() }

func (b *Binary) decompress(files fs.FS) ([]byte, error) {
	file, err := files.Open(manifest.FileName(b.Name, b.Arch))
	if err != nil {
		return nil, fmt.Errorf("app: %s: %w", b.Name, err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return nil, b.damaged(err)
	}
	data := bytes.NewBuffer(make([]byte, 0, b.Size+bytes.MinRead))
	if _, err := io.Copy(data, io.LimitReader(reader, b.Size+1)); err != nil {
		return nil, b.damaged(err)
	}
	if sum := sha256.Sum256(data.Bytes()); hex.EncodeToString(sum[:]) != b.Digest || int64(data.Len()) != b.Size {
		return nil, b.damaged(errors.New("digest or size differs from the manifest"))
	}
	return data.Bytes(), nil
}

func (b *Binary) damaged(err error) error {
	return fmt.Errorf("app: %s: %w; run `make app`", manifest.FileName(b.Name, b.Arch), err)
}

const (
	// bootstrap is the name that the provided.al2023 runtime starts.
	bootstrap = "bootstrap"
	// binaryMode makes both the file and the zip file's entry executable.
	binaryMode = 0o755
)

// zipTime is the earliest time that a zip file can hold. Any fixed time keeps the bytes the same.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// lambdaZip returns a zip file with one stored (uncompressed) entry. The same binary results in the same bytes on
// every machine and with every version of Go.
func (b *Binary) lambdaZip() ([]byte, error) {
	data, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: bootstrap, Method: zip.Store, Modified: zipTime}
	header.SetMode(binaryMode)
	entry, err := archive.CreateHeader(header)
	if err == nil {
		_, err = entry.Write(data)
	}
	if err := errors.Join(err, archive.Close()); err != nil {
		return nil, fmt.Errorf("app: zip %s: %w", b.Name, err)
	}
	return out.Bytes(), nil
}

// openBootstrap opens the binary in a zip file that lambdaZip made.
func openBootstrap(file string) (io.ReadCloser, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	entry, err := archive.Open(bootstrap)
	if err != nil {
		return nil, errors.Join(err, archive.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{entry, archive}, nil
}

// holds reports whether open returns the binary's content.
func (b *Binary) holds(file string, open func(string) (io.ReadCloser, error)) bool {
	reader, err := open(file)
	if err != nil {
		return false
	}
	defer reader.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, reader); err != nil {
		return false
	}
	return hex.EncodeToString(sum.Sum(nil)) == b.Digest
}

// write renames a complete file into dir, so that a concurrent run never reads half a file. A file that holds the
// binary already stays as it is: checking it is faster than decompressing again.
func (b *Binary) write(file string, content func() ([]byte, error), open func(string) (io.ReadCloser, error)) (string, error) {
	if b.holds(file, open) {
		return file, nil
	}
	data, err := content()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Chmod(binaryMode), temporary.Close()); err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	if err := os.Rename(temporary.Name(), file); err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	return file, nil
}
